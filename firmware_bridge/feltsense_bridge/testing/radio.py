"""The virtual radio: a real Bluetooth LE stack (HCI, L2CAP, ATT) from end to end, in one process, with no hardware.

Contract
--------
- ``radio.client`` and ``radio.scanner`` are Bleak backend classes bound to this radio: pass them as ``backend=`` and
  ordinary Bleak code runs unchanged.
- Simulated time is ``radio.clock()``: Unix ns, from a fixed start, `speed` times as fast as real time. Sensors pace
  themselves by it; give it to whatever stamps arrivals, and sensors and host share one time.
- Simulated time stands still while the process cannot run (a loaded machine, a long computation between two awaits),
  and never passes a moment that a sensor sleeps until before the sensor has woken: with more speed than the machine
  has, it runs slower. What could not be sent in time does not look like a radio that held it back.
- Bluetooth itself (scanning, connecting, answers) takes real time, whatever the speed. Where simulated time is faster,
  it stands still while a host connects or waits for an answer, and while a notification is under way: fifty
  milliseconds would be an absence of seconds, and what is lost would depend on the machine.
- The radio is perfect and has no latency: those, loss, absence and drift are put in by the sensors' knobs.
- Leaving the context disconnects and stops everything; no task stays behind.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from bumble import core, hci
from bumble.controller import Controller
from bumble.device import Device, DeviceConfiguration
from bumble.host import Host
from bumble.link import LocalLink

from feltsense.core.timeline import NS
from feltsense_bridge.testing._backend import BumbleClient, BumbleScanner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from feltsense_bridge.testing._sensor import VirtualSensor

__all__ = ["START_NS", "VirtualRadio"]

START_NS: Final = 1_767_225_600 * NS
"""Simulated time at which a radio starts unless told otherwise: 2026-01-01T00:00:00Z."""

_HOST_ADDRESS: Final = "F0:FE:17:00:00:00"
_SENSOR_ADDRESS: Final = "C0:FE:17:00:00:{:02X}"
_ACL_BYTES: Final = 251
"""Link-layer packets of the longest length, as phones use; with Bumble's 27 a notification is cut in nine."""
_ADVERTISE_MS: Final = 20
"""The shortest interval that the standard allows; real time."""
_ATTEMPT_S: Final = 1.0
"""A sensor on the air answers in milliseconds; one that has just gone off gets another attempt."""
_POLL_S: Final = 0.005
_BEAT_S: Final = 0.01
"""Real seconds between two looks at whether the process runs."""
_STILL_NS: Final = 50_000_000
"""When a look is later than this, time stands still until it comes: five looks' time is more than scheduling jitter.
Real ns."""
_TRANSIT_STEPS: Final = 64
"""Turns of the loop that a notification takes at most from host to host; some eight if nothing else is under way."""
_LEAST_NAP_S: Final = 0.001
"""Waiting for a time that stands still must not spin."""

_Sensor = TypeVar("_Sensor", bound="VirtualSensor")


def _cancel_connection(controller: Any, _command: Any) -> Any:
    """What Bumble's controller leaves out: a connection attempt that is cancelled ends, with an event that says so."""
    pending, controller.pending_le_connection = controller.pending_le_connection, None
    if pending is not None:
        ended = hci.HCI_LE_Connection_Complete_Event(
            status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=pending.peer_address_type,
            peer_address=pending.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        asyncio.get_running_loop().call_soon(controller.send_hci_packet, ended)
    return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)


class VirtualRadio:
    """A radio in memory, with a host (the phone or computer) and sensors.

    Parameters
    ----------
    speed : float
        How many times faster than real time the simulated time runs.
    start_ns : int
        Simulated time at the start, Unix ns.

    Examples
    --------
    ::

        async with VirtualRadio(speed=30) as radio:
            h10 = await radio.add(VirtualH10(recording))
            async with BleakClient(h10.address, backend=radio.client) as client:
                ...
    """

    def __init__(self, speed: float = 1.0, *, start_ns: int = START_NS) -> None:
        if not speed > 0:
            msg = f"speed must be positive, got {speed}"
            raise ValueError(msg)
        self._speed = speed
        self._now_ns = start_ns
        self._beat_ns: int | None = None
        self._held = 0
        self._dues: list[tuple[int, int]] = []
        self._numbers = count()
        self._heart: asyncio.Task[None] | None = None
        self._link = LocalLink()
        self._host: Any = None
        self._sensors: list[VirtualSensor] = []
        self._listeners: list[Callable[[Any], None]] = []
        self._busy = asyncio.Lock()
        self.arrived = 0
        """Notifications that hosts have heard (the client backend counts)."""
        self.client: type[BumbleClient] = type("BumbleClient", (BumbleClient,), {"radio": self})
        """Bleak client backend of this radio: ``BleakClient(address, backend=radio.client)``."""
        self.scanner: type[BumbleScanner] = type("BumbleScanner", (BumbleScanner,), {"radio": self})
        """Bleak scanner backend of this radio: ``BleakScanner(backend=radio.scanner)``."""

    @property
    def speed(self) -> float:
        """How many times faster than real time the simulated time runs."""
        return self._speed

    @property
    def sensors(self) -> tuple[VirtualSensor, ...]:
        """Sensors on this radio."""
        return tuple(self._sensors)

    def clock(self) -> int:
        """Simulated time, Unix ns."""
        return self._at(time.perf_counter_ns())

    async def sleep_until(self, t_ns: int) -> None:
        """Sleep until a moment of simulated time, and wake up at it; give way to others even when it has passed."""
        if t_ns <= self.clock():
            await asyncio.sleep(0)
            return
        due = (t_ns, next(self._numbers))
        heapq.heappush(self._dues, due)
        try:
            while (left := t_ns - self.clock()) > 0:  # noqa: ASYNC110 - a clock is no event
                await asyncio.sleep(max(left / NS / self._speed, _LEAST_NAP_S))
        finally:
            self._settle()
            self._dues.remove(due)
            heapq.heapify(self._dues)

    @contextmanager
    def procedure(self) -> Iterator[None]:
        """A Bluetooth procedure is under way (the client backend says so)."""
        if self._speed <= 1:
            yield
            return
        self._settle()
        self._held += 1
        try:
            yield
        finally:
            self._settle()
            self._held -= 1

    async def through(self, before: int) -> None:
        """Let a notification that was sent when `arrived` was `before` go through the stack."""
        for _ in range(_TRANSIT_STEPS if self._speed > 1 else 0):
            if self.arrived > before:
                return
            await asyncio.sleep(0)

    async def sleep(self, seconds: float) -> None:
        """Sleep for so many simulated seconds."""
        await self.sleep_until(self.clock() + round(seconds * NS))

    def _settle(self) -> None:
        """Time until this moment is past: what is decided next does not change it."""
        real_ns = time.perf_counter_ns()
        self._now_ns, self._beat_ns = self._at(real_ns), real_ns

    def _at(self, real_ns: int) -> int:
        if self._beat_ns is None or self._held:
            return self._now_ns
        now_ns = self._now_ns + round(min(real_ns - self._beat_ns, _STILL_NS) * self._speed)
        # Who sleeps until a moment wakes up at it, however late the machine is.
        return max(min(now_ns, self._dues[0][0]), self._now_ns) if self._dues else now_ns

    async def _beat(self) -> None:
        """Let time go on as long as the loop does."""
        while True:
            self._settle()
            await asyncio.sleep(_BEAT_S)

    async def add(self, sensor: _Sensor) -> _Sensor:
        """Switch a sensor on: it gets an address unless it has one, and advertises.

        Parameters
        ----------
        sensor : VirtualSensor
            A sensor that is on no radio yet.

        Returns
        -------
        VirtualSensor
            The same sensor.
        """
        if self._host is None:
            msg = "a sensor is added inside `async with VirtualRadio(...)`"
            raise RuntimeError(msg)
        self._sensors.append(sensor)
        await sensor.switch_on(self, _SENSOR_ADDRESS.format(len(self._sensors)))
        return sensor

    def peripheral(self, name: str, address: str) -> Any:
        """A Bumble device on this radio's link, for those who build sensors of their own."""
        controller = Controller(name, link=self._link)
        controller.le_acl_data_packet_length = _ACL_BYTES
        controller.on_hci_le_create_connection_cancel_command = partial(_cancel_connection, controller)
        host = Host()
        host.controller = controller
        controller.host = host
        config = DeviceConfiguration(
            name=name,
            address=hci.Address(address),
            le_enabled=True,
            classic_enabled=False,
            advertising_interval_min=_ADVERTISE_MS,
            advertising_interval_max=_ADVERTISE_MS,
        )
        return Device(name=name, address=hci.Address(address), host=host, config=config)

    async def listen(self, callback: Callable[[Any], None]) -> None:
        """Hear advertisements (for the scanner backend)."""
        async with self._busy:
            self._host.on("advertisement", callback)
            self._listeners.append(callback)
            if len(self._listeners) == 1:
                await self._host.start_scanning(active=True, filter_duplicates=False)

    async def unlisten(self, callback: Callable[[Any], None]) -> None:
        """Hear them no longer."""
        async with self._busy:
            if callback not in self._listeners:
                return
            self._listeners.remove(callback)
            self._host.remove_listener("advertisement", callback)
            if not self._listeners and self._host.is_scanning:
                await self._host.stop_scanning()

    async def connect(self, address: str) -> Any:
        """Connect to a sensor as soon as it is on the air (for the client backend; waits without end)."""
        while True:
            while not any(s.on_air and s.address.upper() == address.upper() for s in self._sensors):  # noqa: ASYNC110
                await asyncio.sleep(_POLL_S)
            async with self._busy:
                connection = await self._attempt(address)
            if connection is not None:
                return connection

    async def _attempt(self, address: str) -> Any:
        attempt = asyncio.ensure_future(self._host.connect(hci.Address(address), timeout=_ATTEMPT_S))
        try:
            with self.procedure():
                return await asyncio.shield(attempt)
        except (core.TimeoutError, core.ConnectionError, TimeoutError):
            return None
        except asyncio.CancelledError:
            # Let the controller finish, or the next attempt would find it still at this one.
            await asyncio.wait([attempt])
            if not attempt.cancelled() and attempt.exception() is None:
                await self.disconnect(attempt.result())
            raise

    async def disconnect(self, connection: Any) -> None:
        """Disconnect; a connection that is already gone is no error."""
        gone = asyncio.Event()
        connection.on("disconnection", lambda _reason: gone.set())
        if connection.handle not in connection.device.connections:
            return
        try:
            await connection.disconnect()
        except (core.ConnectionError, hci.HCI_Error):
            # The other side was faster: its event is on the way.
            await asyncio.wait_for(gone.wait(), _ATTEMPT_S)

    async def __aenter__(self) -> Self:
        self._host = self.peripheral("central", _HOST_ADDRESS)
        await self._host.power_on()
        self._beat_ns = time.perf_counter_ns()
        self._heart = asyncio.create_task(self._beat())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sensor in self._sensors:
            await sensor.switch_off()
        for callback in list(self._listeners):
            await self.unlisten(callback)
        for connection in list(self._host.connections.values()):
            await self.disconnect(connection)
        await self._host.power_off()
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.wait([self._heart])
