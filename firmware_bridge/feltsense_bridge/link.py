"""A link: one sensor, kept connected, as an async iterator of chunks and events. ``docs/reference/link.md``.

Contract
--------
- ``async with Link(...) as link: async for item in link`` gives :class:`~feltsense.core.chunk.Chunk` and
  :class:`~feltsense.core.event.Event`, in order. Every sample that the sensor produced after its first is in a chunk or
  counted in a gap.
- It reconnects by itself, for ever, once it has streamed: jittered exponential backoff, a new client object each time.
  Before that, what no further attempt can help is raised at once, anything else when `patience` is over.
- Leaving the context, or :meth:`Link.close`, stops the streams, disconnects, and leaves no task behind; what was
  received until then can still be iterated.
- Time is `clock()`, Unix ns; waits are divided by `speed`, so that a virtual radio runs as fast as it can. Bluetooth's
  own time-outs are not: it takes real time.
- Nothing is buffered without bound: one inbox (:mod:`feltsense_bridge.intake`), emptied by whoever iterates.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from feltsense.core.timeline import NS
from feltsense.errors import InputError, LinkError, ProtocolError
from feltsense_bridge.devices._gatt import BATTERY_LEVEL
from feltsense_bridge.devices._information import decode_battery
from feltsense_bridge.errors import (
    AdapterError,
    ChangedDeviceError,
    LostError,
    RefusedError,
    WrongDeviceError,
    explain,
    transport_errors,
)
from feltsense_bridge.intake import INBOX, Intake
from feltsense_bridge.link_connection import Connection, bleak_client
from feltsense_bridge.link_states import TRANSITIONS, Signal, State
from feltsense_bridge.link_tending import tend

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.event import Event
    from feltsense_bridge.accounting import Counters
    from feltsense_bridge.capture import CaptureTap
    from feltsense_bridge.device import Device
    from feltsense_bridge.link_connection import ClientFactory

__all__ = ["Backoff", "Link", "LinkOptions", "State", "unix_clock"]

TICK_S: Final = 0.25
"""The watchdog looks this often; a fraction of the shortest silence that counts."""
HOPELESS: Final = (AdapterError, RefusedError, WrongDeviceError)
"""What another attempt does not help, unless the device has streamed before."""


def unix_clock() -> Callable[[], int]:
    """A clock of Unix ns that never steps: the system's time now, monotonic from here on."""
    base = time.time_ns() - time.monotonic_ns()
    return lambda: base + time.monotonic_ns()


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before the next attempt, in seconds.

    Attributes
    ----------
    first : float
        After the first failure: a sensor that was out of reach for a moment is back within a second, and stacks need
        a quarter of one to forget a connection.
    factor : float
        Growth from one failure to the next.
    most : float
        Longest wait: who puts a strap back on looks at the screen for about half a minute.
    share : float
        The wait is drawn from the last `share` of itself, so that several sensors do not try in step.
    """

    first: float = 0.5
    factor: float = 2.0
    most: float = 30.0
    share: float = 0.5

    def wait(self, failures: int, chance: float) -> float:
        """Seconds after so many failures in a row; `chance` is uniform in 0..1."""
        # The exponent is bounded: 2 ** 2000 is no float.
        full = min(self.first * self.factor ** min(failures - 1, 64), self.most)
        return full * (1 - self.share * chance)


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """What is seldom changed.

    Attributes
    ----------
    label : str
        Name of the device, for people; default model and address.
    patience : float
        Real seconds before the first success after which the last error is raised; infinity: nothing is ever given up,
        also not what looks hopeless, and :attr:`Link.trouble` says why there is nothing yet. For an app that goes on
        after a restart, where a radio that is off or a sensor that is busy is no reason to stop.
    backoff : Backoff
        Waits between attempts.
    inbox : int
        Notifications that may wait to be consumed.
    seed : int or None
        Of the backoff's jitter; None: different each time.
    capture : CaptureTap or None
        Told of every byte that comes (:mod:`feltsense_bridge.capture`).
    """

    label: str = ""
    patience: float = 60.0
    backoff: Backoff = Backoff()
    inbox: int = INBOX
    seed: int | None = None
    capture: CaptureTap | None = None


class Link:
    """One sensor, kept connected.

    Parameters
    ----------
    device : Device
        The model, with the streams that are wanted.
    address : str
        What to connect to.
    name : str, optional
        Prefix of the stream ids; default the model.
    client_factory : callable, optional
        ``(address, on_disconnect) -> client``; default Bleak's. For a virtual radio:
        ``bleak_client(radio.client)``.
    clock : callable, optional
        Session time in Unix ns; default :func:`unix_clock`.
    speed : float
        How many times faster than real time `clock` runs.
    options : LinkOptions
        The rest.

    Raises
    ------
    MissingExtraError
        If Bleak is needed and not installed.

    Examples
    --------
    ::

        async with Link(PolarH10(), "A0:9E:1A:00:00:01", name="h10") as link:
            await link.opened()
            async for item in link:
                ...
    """

    def __init__(
        self,
        device: Device,
        address: str,
        *,
        name: str = "",
        client_factory: ClientFactory | None = None,
        clock: Callable[[], int] | None = None,
        speed: float = 1.0,
        options: LinkOptions = LinkOptions(),
    ) -> None:
        self.device = device
        self.address = address
        self.state = State.IDLE
        self.label = options.label or f"{device.model} {address}"
        self.attempts = 0
        """Connections tried so far."""
        self.trouble = ""
        """Why no further attempt would help (the radio is off, the sensor refuses), for people; else empty."""
        self.wake = asyncio.Event()
        """Set when there may be something to poll; several links can share one (:mod:`feltsense_bridge.live`)."""
        self._factory = client_factory or bleak_client()
        self._clock = clock or unix_clock()
        self.speed = speed
        self._options = options
        self._chance = np.random.default_rng(options.seed)
        if options.capture is not None:
            self.device = options.capture.attach(device, name or device.model, self.label, speed)
        self._intake = Intake(device, name or device.model, self.label, speed, options.inbox)
        self._intake.tap = options.capture
        self._task: asyncio.Task[None] | None = None
        self._first = asyncio.Event()
        self._streamed = False
        self._error: BaseException | None = None
        self._connection: Connection | None = None

    @property
    def streams(self) -> Mapping[str, StreamInfo]:
        """Id → stream; empty until the device has been started once."""
        return self._intake.streams

    @property
    def counters(self) -> Mapping[str, Counters]:
        """Stream id → received, missing, duplicates and so on."""
        return self._intake.counters

    @property
    def corrupt(self) -> int:
        """Notifications that broke their protocol."""
        return self._intake.corrupt

    @property
    def overflowed(self) -> int:
        """Notifications dropped because nobody took them in time."""
        return self._intake.overflowed

    async def __aenter__(self) -> Self:
        self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def open(self) -> None:
        """Begin to connect; returns at once."""
        self._to(Signal.OPEN)
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"link to {self.label}")
        self._task.add_done_callback(self._done)

    async def opened(self) -> Mapping[str, StreamInfo]:
        """Wait until the device streams for the first time.

        Returns
        -------
        mapping
            Id → stream.

        Raises
        ------
        LinkError
            Why it never will.
        """
        await self._first.wait()
        if self._error is not None:
            raise self._error
        return self.streams

    async def battery(self) -> float | None:
        """The sensor's battery now, 0 to 1; None where it does not say, or is not connected."""
        troubles: tuple[type[Exception], ...] = (*transport_errors(), ProtocolError)
        try:
            return None if self._connection is None else decode_battery(await self._connection.read(BATTERY_LEVEL)) / 100
        except troubles:
            # Who has none says so by an error; one that goes at this moment is the link's matter.
            return None

    async def close(self) -> None:
        """Stop the streams, disconnect, end the task. Twice is fine."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
            self._intake.end()
        if self.state is not State.CLOSED:
            self._to(Signal.CLOSE)
        self._first.set()
        self.wake.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk | Event:
        while True:
            self.wake.clear()
            item = self.poll()
            if item is not None:
                return item
            if self.finished():
                raise StopAsyncIteration
            await self.rest(self.wake, self.speed)

    @staticmethod
    async def rest(wake: asyncio.Event, speed: float) -> None:
        """Wait until one of the links that share `wake` may have something, or its watchdog wants to look."""
        try:
            async with asyncio.timeout(TICK_S / max(1.0, speed)):
                await wake.wait()
        except TimeoutError:
            return

    def poll(self) -> Chunk | Event | None:
        """The next item, or None if there is none at the moment; never waits."""
        item = self._intake.poll(self._clock())
        if item is None and self._connection is not None and (self._intake.ended or self._intake.dead(self._clock())):
            self._connection.over.set()
        return item

    def finished(self) -> bool:
        """Whether nothing more will come; call it when :meth:`poll` gave None.

        Raises
        ------
        LinkError
            If the link ended because no further attempt could help.
        """
        if self.state is not State.CLOSED:
            return False
        if self._error is not None:
            raise self._error
        return True

    def _to(self, signal: Signal) -> None:
        self.state = TRANSITIONS[self.state, signal]

    async def _run(self) -> None:
        failures, begun = 0, self._clock()
        troubles: tuple[type[Exception], ...] = (*transport_errors(), LinkError, ProtocolError, InputError)
        while True:
            try:
                await self._attempt()
                failures = 0
            except troubles as error:
                failures += 1
                known = explain(error, self.label, str(self.state))
                waited = (self._clock() - begun) / NS / self.speed
                hopeless, limit = isinstance(known, HOPELESS), self._options.patience
                self.trouble = str(known) if hopeless else ""
                first = not self._streamed and (waited > limit or (hopeless and limit < math.inf))
                if first or isinstance(known, ChangedDeviceError):
                    self._fail(known)
                    return
                lost = isinstance(known, LostError) and self.state is not State.CONNECTING
                self._to(Signal.LOST if lost else Signal.FAILED)
            wait = self._options.backoff.wait(max(failures, 1), float(self._chance.random()))
            await asyncio.sleep(wait / self.speed)
            self._to(Signal.DUE)

    async def _attempt(self) -> None:
        """One connection, from the first packet to the last; returns when it is lost, raises when it never streamed."""
        self.attempts += 1
        connection = Connection(self.device, self.address, self._factory, self._hear, self._intake.digest)
        self._intake.ended = ""
        gone = True
        try:
            await connection.connect()
            self._to(Signal.CONNECTED)
            await connection.start()
            if connection.over.is_set():
                msg = f"{self.label} disconnected as soon as it was started"
                raise LostError(msg)
            self._intake.declare()
            self._to(Signal.STARTED)
            self._streamed, self.trouble = True, ""
            self._intake.connected(self._clock())
            self._connection = connection
            self._first.set()
            self.wake.set()
            await tend(connection, self.device, self._intake, self._clock, self.speed)
            self._to(Signal.LOST if connection.lost else Signal.FAILED)
        except asyncio.CancelledError:
            # The link itself ends: nothing comes after, and nobody asks what was lost.
            gone = False
            raise
        finally:
            self._connection = None
            await connection.close()
            # Only now: what came on the way out belongs before it. And also where the start dialogue broke off, since
            # streams that had begun by then were interrupted.
            if gone and connection.heard:
                self._intake.disconnected(self._clock())
                self.wake.set()

    def _hear(self, uuid: str, data: bytes) -> None:
        self._intake.hear(uuid, data, self._clock())
        self.wake.set()

    def _done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # A bug, not a radio: whoever waits or iterates must see it.
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._error = error
        self._to(Signal.FATAL)
        self._first.set()
        self.wake.set()
