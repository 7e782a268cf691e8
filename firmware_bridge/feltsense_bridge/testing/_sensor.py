"""What all virtual sensors share: being on the air, a battery, a clock, players, and ways to fail."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Protocol

from feltsense.core.recording import Recording
from feltsense.core.timeline import to_ns
from feltsense.errors import UnknownNameError
from feltsense_bridge.testing import _attributes as attributes
from feltsense_bridge.testing.channel import Action, Channel, Courier
from feltsense_bridge.testing.player import Playback, Player

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from feltsense.core.recording import Stream
    from feltsense_bridge.testing.faults import Fault
    from feltsense_bridge.testing.radio import VirtualRadio

__all__ = ["VirtualSensor"]

ATT_HEADER: Final = 3
"""Bytes of a packet that are not the notification's value."""
BATTERY_PERCENT: Final = 87
_FLAGS: Final = bytes([2, 0x01, 0x06])
"""Advertising structure: generally discoverable, no classic Bluetooth."""
_COMPLETE_NAME: Final = 0x09
_ADVERTISEMENT_BYTES: Final = 31
_SETTLE_S: Final = 0.05
"""Real seconds after which the last notification has gone through host, controllers and host."""


class _Counted(Protocol):
    produced: int


class VirtualSensor:
    """A sensor on a virtual radio. Use one of its kinds: VirtualH10, VirtualStrap, VirtualBoard.

    Parameters
    ----------
    source : Recording or Playback
        What it measures. A playback that several sensors share keeps them in step.
    name : str
        Advertised name.
    address : str, optional
        Bluetooth address; default one that the radio chooses.
    streams : mapping of str to str, optional
        Name of a stream of the sensor → id of the stream of the recording that it plays; default by `own` and kind.
    drift_ppm : float
        By how many millionths the sensor's clock runs fast.
    """

    own: str = ""
    """Prefix of the ids of streams that are this sensor's in a recording of several sensors."""

    def __init__(
        self,
        source: Recording | Playback,
        name: str,
        *,
        address: str = "",
        streams: Mapping[str, str] | None = None,
        drift_ppm: float = 0.0,
    ) -> None:
        self.playback = source if isinstance(source, Playback) else Playback(source)
        self.name = name
        self.address = address
        self.battery = BATTERY_PERCENT
        """Battery level in percent, as the Battery service tells it."""
        self.on_air = False
        """Whether it advertises and can be connected to."""
        self._streams = streams
        self._drift_ppm = drift_ppm
        self._born_ns = 0
        self._radio: VirtualRadio
        self._device: Any = None
        self._connection: Any = None
        self._away = False
        self._players: dict[str, _Counted] = {}
        self._playing: dict[str, asyncio.Task[None]] = {}
        self._past: Counter[str] = Counter()
        self._ended: dict[str, int] = {}
        self._lose: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._unconfirmed: set[asyncio.Future[None]] = set()
        self._begun = asyncio.Event()
        self._courier: Courier | None = None
        self._fate: asyncio.Task[None] | None = None
        self.playback.join(self)

    # ------------------------------------------------------------------ what tests ask and do

    @property
    def connected(self) -> bool:
        """Whether a host is connected."""
        return self._connection is not None

    @property
    def produced(self) -> dict[str, int]:
        """Stream → sample slots since it was first started, whether or not anybody heard them, or it was stopped."""
        now = Counter(self._past)
        for name, player in self._players.items():
            now[name] += player.produced
        return dict(now)

    def drop(self, stream: str, n: int = 1) -> None:
        """Lose the next `n` frames of a stream on the way: produced, never heard.

        Intervals travel in the frames of ``heart_rate``.

        Raises
        ------
        UnknownNameError
            If the sensor sends no such stream.
        """
        if stream not in self._sends():
            raise UnknownNameError(f"stream of {self.name}", stream, self._sends())
        self._lose[stream] += n

    def suffer(self, *faults: Fault, seed: int = 0) -> None:
        """Let things go wrong from now on, in place of what did before (:mod:`feltsense_bridge.testing.faults`).

        Parameters
        ----------
        *faults : Fault
            In the order in which notifications pass them; none: all is well again.
        seed : int
            Of all that is drawn.
        """
        channel = Channel(faults, seed, self.playback.origin_ns)
        self._courier = Courier(channel, self.now_ns, self.until, self._arrive) if faults else None
        self._limit_packets()
        if self._fate is not None:
            self._fate.cancel()
            self._fate = None
        if self._begun.is_set():
            self._begin_fate()

    def reset_clock(self) -> None:
        """Let the sensor's clock start anew, as when its battery was out for a moment; it measures on."""
        self._born_ns = self._radio.clock()

    async def disconnect(self) -> None:
        """End the connection from the sensor's side; it advertises again at once."""
        if self._connection is not None:
            await self._radio.disconnect(self._connection)

    async def vanish(self, seconds: float) -> None:
        """Be out of reach for so many simulated seconds: disconnected, unadvertised, unconnectable.

        Clock and recording play on; what would have been sent meanwhile is lost, and counted as produced.
        Returns when the sensor is back on the air.
        """
        until = self._radio.clock() + round(seconds * 1e9)
        self._away = True
        await self._silence()
        await self.disconnect()
        await self._radio.sleep_until(until)
        self._away = False
        await self._advertise()

    async def finished(self) -> None:
        """Wait until every started stream has come to the end of its recording, heard or not.

        A playback that loops never finishes. What went wrong while playing is raised here.
        """
        await self._begun.wait()
        while running := [task for task in self._playing.values() if not task.done()]:
            await asyncio.wait(running)
        for task in self._playing.values():
            task.result()
        while self._courier is not None and self._courier.busy:  # noqa: ASYNC110 - simulated time is no event
            await asyncio.sleep(_SETTLE_S)
        await asyncio.sleep(_SETTLE_S)

    # ------------------------------------------------------------------ what the radio does

    async def switch_on(self, radio: VirtualRadio, address: str) -> None:
        """Join a radio and advertise (the radio calls this)."""
        self._radio = radio
        self.address = self.address or address
        self._born_ns = radio.clock()
        self._device = radio.peripheral(self.name, self.address)
        maker, model = self._identity()
        about = attributes.about(maker, model, self.address.replace(":", ""))
        self._device.add_services([attributes.battery(lambda: self.battery), about, *self._services()])
        self._device.advertising_data = self._advertisement()
        self._device.on("connection", self._on_connection)
        self._limit_packets()
        await self._device.power_on()
        await self._advertise()

    async def switch_off(self) -> None:
        """Stop everything (the radio calls this)."""
        self._away = True
        tasks = [*self._playing.values(), *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._silence()
        await self.disconnect()
        await self._device.power_off()

    # ------------------------------------------------------------------ what a kind of sensor defines

    def _identity(self) -> tuple[str, str]:
        """Maker and model, as the Device Information service tells them."""
        raise NotImplementedError

    def _services(self) -> Sequence[Any]:
        """GATT services beside battery and device information."""
        raise NotImplementedError

    def _advertised(self) -> bytes:
        """Advertising structures beside flags and name."""
        raise NotImplementedError

    def _sends(self) -> Sequence[str]:
        """Names of the streams that frames are sent of."""
        raise NotImplementedError

    def _lost_connection(self) -> None:
        """The host has gone: forget what it had asked for."""

    # ------------------------------------------------------------------ what a kind of sensor uses

    def device_ns(self, t_ns: int) -> int:
        """Nanoseconds since the sensor was switched on, by its own clock, at a simulated time."""
        # A frame of before its clock was reset may leave just after: a clock shows nothing negative.
        elapsed = max(t_ns - self._born_ns, 0)
        return elapsed + round(elapsed * self._drift_ppm * 1e-6)

    def find(self, name: str, kind: str) -> Stream | None:
        """The recording's stream that a stream of this sensor plays."""
        streams = self.playback.recording.streams
        if self._streams is not None:
            if name not in self._streams:
                return None
            if self._streams[name] not in streams:
                raise UnknownNameError("stream", self._streams[name], streams)
            return streams[self._streams[name]]
        mine = {k: s for k, s in streams.items() if k.startswith(f"{self.own}.")} or dict(streams)
        return next((s for s in mine.values() if s.info.spec.name == kind), None)

    def play(self, name: str, player: Player) -> None:
        """Begin to play a stream, in place of what it played before."""
        self.halt(name)
        player.follow(self._ended.get(name))
        self._players[name] = player
        self._perform(name, player.run())

    def perform_once(
        self, name: str, work: Callable[[], Coroutine[Any, Any, None]], tallies: Mapping[str, _Counted]
    ) -> None:
        """Begin what produces several streams at once, unless it has begun before."""
        if name not in self._playing:
            self._players.update(tallies)
            self._perform(name, work())

    def _perform(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._playing[name] = asyncio.create_task(work)
        self.playback.begin(self, self._radio)
        if not self._begun.is_set():
            self._begun.set()
            self._begin_fate()

    def playing(self, name: str) -> bool:
        """Whether a stream has been started and not stopped."""
        return name in self._playing

    def now_ns(self) -> int:
        """Simulated time."""
        return self._radio.clock()

    async def until(self, t_ns: int) -> None:
        """Sleep until a simulated time."""
        await self._radio.sleep_until(t_ns)

    def halt(self, name: str) -> None:
        """Stop a stream; what it produced stays counted."""
        task = self._playing.pop(name, None)
        if task is not None:
            task.cancel()
        player = self._players.pop(name, None)
        if player is not None:
            self._past[name] += player.produced
            if isinstance(player, Player) and player.last_ns is not None:
                self._ended[name] = player.last_ns

    def lost(self, name: str) -> bool:
        """Whether this frame is to be lost (asked once a frame that would be sent)."""
        if self._lose[name] <= 0:
            return False
        self._lose[name] -= 1
        return True

    async def notify(self, characteristic: Any, value: bytes) -> None:
        """Notify the connected host; Bumble would cut a long value without a word, so that is an error here."""
        if self._connection is None:
            return
        if self._courier is None:
            await self._arrive((self._connection, characteristic), value)
            return
        for t_ns in self._courier.post((self._connection, characteristic), value):
            self._spawn(self._courier.deliver(t_ns))

    async def _arrive(self, token: Any, value: bytes) -> None:
        connection, characteristic = token
        if connection is not self._connection:
            # It was under way when the connection went.
            return
        if len(value) > connection.att_mtu - ATT_HEADER:
            msg = f"{self.name}: a notification of {len(value)} bytes does not fit a packet of {connection.att_mtu}"
            raise RuntimeError(msg)
        with self._radio.procedure():
            before = self._radio.arrived
            await self._device.notify_subscriber(connection, characteristic, value)
            await self._radio.through(before)

    def indicate_later(self, characteristic: Any, value: bytes) -> None:
        """Indicate after the present request has been answered: a handler must not wait for its own host."""
        self._spawn(self._indicate(characteristic, value))

    async def _indicate(self, characteristic: Any, value: bytes) -> bool:
        """Whether the host has confirmed it; where it goes before, nothing is waited for."""
        if self._connection is None:
            return False
        asking = asyncio.ensure_future(self._device.indicate_subscriber(self._connection, characteristic, value))
        self._unconfirmed.add(asking)
        asking.add_done_callback(self._unconfirmed.discard)
        await asyncio.wait([asking])
        return not asking.cancelled() and asking.result() is None

    # ------------------------------------------------------------------ what goes wrong

    def _limit_packets(self) -> None:
        if self._courier is not None and self._courier.channel.mtu is not None and self._device is not None:
            self._device.gatt_server.max_mtu = self._courier.channel.mtu

    def _begin_fate(self) -> None:
        if self._courier is not None:
            self._fate = asyncio.create_task(self._meet_fate(self._courier.channel))
            self._tasks.add(self._fate)
            self._fate.add_done_callback(self._tasks.discard)

    async def _meet_fate(self, channel: Channel) -> None:
        await self.playback.started()
        channel.begin_ns = self.playback.origin_ns
        for at, action in channel.moments:
            await self.until(channel.begin_ns + to_ns(at))
            if action is Action.DISCONNECT:
                await self.disconnect()
            else:
                self.reset_clock()

    # ------------------------------------------------------------------ on and off the air

    def _advertisement(self) -> bytes:
        name = self.name.encode()
        data = _FLAGS + bytes([len(name) + 1, _COMPLETE_NAME]) + name + self._advertised()
        if len(data) > _ADVERTISEMENT_BYTES:
            msg = f"advertisement of {self.name!r} needs {len(data)} bytes, {_ADVERTISEMENT_BYTES} fit: shorten the name"
            raise ValueError(msg)
        return data

    async def _advertise(self) -> None:
        if self._away or self._connection is not None:
            return
        await self._device.start_advertising(auto_restart=False)
        self.on_air = not self._away and self._connection is None

    async def _silence(self) -> None:
        self.on_air = False
        await self._device.stop_advertising()

    def _on_connection(self, connection: Any) -> None:
        self.on_air = False
        self._connection = connection
        connection.on("disconnection", self._on_disconnection)
        if self._away:
            # The host was faster than the command that took the sensor off the air.
            self._spawn(self.disconnect())

    def _on_disconnection(self, _reason: int) -> None:
        self._connection = None
        for asking in tuple(self._unconfirmed):
            asking.cancel()
        self._lost_connection()
        if not self._away:
            self._spawn(self._advertise())

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
