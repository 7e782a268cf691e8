"""Between a device's notifications and whoever consumes its chunks: one bounded inbox, one account a stream.

Contract
--------
- Sans-io: notifications and link changes go in with their times, chunks and events come out of :meth:`Intake.poll`,
  in order. Decoding happens in the consumer's time; the callback of the radio only appends.
- The inbox is bounded. A notification that finds it full is dropped and counted, and the streams' next gap says
  ``overflow``. Link changes are never dropped.
- The watchdog minds the *data*: a connection can stand while nothing comes (a strap that was taken off). A stream
  that has been quiet for several of its own frame periods is stalled: an event says so, and its next frame starts a
  new segment, even if nothing turns out to be missing. While notifications wait to be decoded, nothing is judged.
- Frames that were lost and that the device can send again are waited for (:mod:`feltsense_bridge.refill`); what to ask
  for says :meth:`Intake.wanted`.
- A STALLED event's time is the end of the stream's last sample: nothing earlier will come.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from feltsense.core.chunk import GapReason, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.timeline import NS, to_ns
from feltsense.errors import ProtocolError
from feltsense_bridge.accounting import StreamAccount
from feltsense_bridge.clock import DeviceClock
from feltsense_bridge.device import Damaged, Kept, Pieced, Repeated, RoundTrip, StreamReset, Tended
from feltsense_bridge.errors import ChangedDeviceError
from feltsense_bridge.frames import SEQUENCE_MODULUS
from feltsense_bridge.refill import Refill

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense.core.chunk import Chunk
    from feltsense_bridge.accounting import Counters
    from feltsense_bridge.capture import CaptureTap
    from feltsense_bridge.device import Decoded, Device, Frame
    from feltsense_bridge.refill import Released

__all__ = ["Intake"]

INBOX: Final = 4096
"""Notifications that may wait: 18 minutes of an H10's ECG, 40 s of a sensor that notifies at 100 Hz, about 1 MB."""
QUIET_PERIODS: Final = 4
"""A stream is stalled when so many frame periods pass without one: a single lost frame takes two, a burst comes at once."""
QUIET_S: Final = 3.0
"""... and at least so many seconds: radios hold frames for a second or two when a body is in the way."""
QUIET_IRREGULAR_S: Final = 10.0
"""The same for streams without a rate: beats stay away for some seconds when a strap slips."""
QUIET_REAL_S: Final = 1.0
"""... and so many seconds of real time, where simulated time runs faster: a busy machine is no stalled sensor."""
FIRST_FRAME_S: Final = 30.0
"""Real seconds that a started stream may take for its first frame (a Polar's first batch of intervals takes some 25 s)."""
DEAD_S: Final = 60.0
"""When nothing at all came for so long on a standing connection, it is worth connecting anew."""


@dataclass(frozen=True, slots=True)
class _Heard:
    uuid: str
    data: bytes
    arrival_ns: int
    overflow: bool


@dataclass(frozen=True, slots=True)
class _Change:
    up: bool
    t_ns: int


class Intake:
    """A device's inbox and accounts.

    Parameters
    ----------
    device : Device
        Decodes; names the streams.
    name : str
        Prefix of the stream ids.
    label : str
        Name of the device, for people.
    speed : float
        How many times faster than real time the arrival times run.
    limit : int
        Notifications that may wait.
    """

    def __init__(self, device: Device, name: str, label: str, speed: float = 1.0, limit: int = INBOX) -> None:
        self.corrupt = 0
        """Notifications that broke their protocol."""
        self.overflowed = 0
        """Notifications dropped because the consumer was too slow."""
        self.ended = ""
        """Why the device itself ended a stream; empty while it has not."""
        self.accounts: dict[str, StreamAccount] = {}
        self.tap: CaptureTap | None = None
        """Told of everything that comes in, in order."""
        self._device = device
        self._name = name
        self._label = label
        self._speed = speed
        self._limit = limit
        self._clock = DeviceClock(speed=speed)
        self._inbox: deque[_Heard | _Change | None] = deque()
        self._ready: deque[Chunk | Event] = deque()
        self._dropping = False
        self._dropped_ns = 0
        self._connected_ns: int | None = None
        # Stream → arrival of its last frame and how long to wait for the next; and those that were given up.
        self._heard: dict[str, tuple[int, int]] = {}
        self._stalled: set[str] = set()
        self._refills: dict[str, Refill] = {}
        self._hints: dict[str, GapReason] = {}

    @property
    def streams(self) -> Mapping[str, StreamInfo]:
        """Id → stream, of the streams that have been started."""
        return {a.info.id: a.info for a in self.accounts.values()}

    @property
    def counters(self) -> Mapping[str, Counters]:
        """Stream id → what became of its samples."""
        return {a.info.id: a.counters for a in self.accounts.values()}

    def hear(self, uuid: str, data: bytes, arrival_ns: int) -> None:
        """Take a notification; the only thing that the radio's callback does."""
        full = len(self._inbox) + len(self._ready) >= self._limit
        if self.tap is not None:
            self.tap.heard(uuid, data, arrival_ns, dropped=full)
        if full:
            self.drop(arrival_ns)
            return
        self._inbox.append(_Heard(uuid, data, arrival_ns, self._dropping))
        self._dropping = False

    def drop(self, arrival_ns: int) -> None:
        """A notification arrived and found no room."""
        self.overflowed += 1
        self._dropping = True
        self._dropped_ns = arrival_ns

    def connected(self, t_ns: int) -> None:
        """The streams have been started."""
        if self.tap is not None:
            self.tap.connected(t_ns)
        self._inbox.append(_Change(True, t_ns))

    def disconnected(self, t_ns: int) -> None:
        """The connection has gone."""
        if self.tap is not None:
            self.tap.disconnected(t_ns)
        self._inbox.append(_Change(False, t_ns))

    def declare(self) -> None:
        """Learn the streams from the device, whose start dialogue has run.

        Raises
        ------
        ChangedDeviceError
            If a stream is no longer what it was.
        """
        for stream, spec in self._device.specs.items():
            info = StreamInfo(f"{self._name}.{stream}", spec, self._label)
            known = self.accounts.get(stream)
            if known is None:
                self.accounts[stream] = StreamAccount(info, self._clock)
                if isinstance(self._device, Tended) and stream in self._device.keeps:
                    self._refills[stream] = Refill(SEQUENCE_MODULUS, self._speed)
            elif known.info != info:
                msg = f"{self._label}: {info.id} was {known.info.spec} and is now {spec}; start a new session"
                raise ChangedDeviceError(msg)

    def wanted(self, now_ns: int) -> tuple[str, int, int] | None:
        """Stream, first number and count of the frames to ask the device for now; None if there are none."""
        # One at a time: a board that still sends what it was asked for refuses another range.
        for stream, refill in self._refills.items():
            found = refill.wanted(now_ns)
            if found is not None:
                return stream, *found
        return None

    def end(self) -> None:
        """Nothing more will come: what waits for lost frames waits no longer."""
        self._inbox.append(None)

    def digest(self) -> None:
        """Decode everything that waits."""
        while self._inbox:
            self._step(self._inbox.popleft())

    def poll(self, now_ns: int) -> Chunk | Event | None:
        """The next chunk or event; None if there is none yet."""
        while not self._ready and self._inbox:
            self._step(self._inbox.popleft())
        if not self._ready:
            self.watch(now_ns)
        return self.take()

    def take(self) -> Chunk | Event | None:
        """The next of what has been decoded; None if there is none. Decodes nothing and minds no time."""
        return self._ready.popleft() if self._ready else None

    def dead(self, now_ns: int) -> bool:
        """Whether nothing at all has come for so long that a new connection is worth a try."""
        if self._connected_ns is None or self._inbox or not self.accounts:
            return False
        last = max([self._connected_ns, *(arrival for arrival, _ in self._heard.values())])
        patience = max(to_ns(DEAD_S), to_ns(FIRST_FRAME_S * self._speed))
        return len(self._stalled) == len(self.accounts) and now_ns - last > patience

    def _step(self, entry: _Heard | _Change | None) -> None:
        if entry is None:
            for refill in self._refills.values():
                self._account(refill.flush())
            return
        if isinstance(entry, _Change):
            self._up(entry.t_ns) if entry.up else self._down(entry.t_ns)
            return
        for refill in self._refills.values():
            if self._connected_ns is not None:
                self._account(refill.overdue(entry.arrival_ns))
        if entry.overflow:
            self._blame(GapReason.OVERFLOW)
        try:
            found = self._device.decode(entry.uuid, entry.data)
        except ProtocolError:
            self._spoil()
            return
        for said in found:
            self._heed(said, entry.arrival_ns)

    def _heed(self, said: Decoded, arrival_ns: int) -> None:
        match said:
            case StreamReset():
                self._reset(said, arrival_ns)
            case Damaged():
                self._spoil()
            case Repeated():
                if said.stream in self.accounts:
                    self.accounts[said.stream].counters.duplicates += 1
            case RoundTrip():
                self._clock.round_trip(said, arrival_ns)
            case Kept():
                refill = self._refills.get(said.stream)
                if refill is not None:
                    self._account(refill.refuse() if said.refused else refill.kept(said.first, said.frames))
            case _:
                self._take(said, arrival_ns)

    def _take(self, frame: Frame, arrival_ns: int) -> None:
        if frame.stream not in self.accounts:
            # A first frame can be faster than the end of the dialogue that started it.
            self.declare()
        account = self.accounts.get(frame.stream)
        if account is None:
            return
        self._heard[frame.stream] = (arrival_ns, self._patience(account, len(frame.values)))
        refill = self._refills.get(frame.stream)
        if refill is None:
            self._put(account, frame, arrival_ns)
        else:
            self._account(refill.push(frame, arrival_ns, self._hints.pop(frame.stream, GapReason.LINK)))

    def _account(self, frames: Released) -> None:
        for frame, arrival_ns, hint in frames:
            account = self.accounts[frame.stream]
            if hint is not GapReason.LINK:
                account.blame(hint)
            self._put(account, frame, arrival_ns)

    def _put(self, account: StreamAccount, frame: Frame, arrival_ns: int) -> None:
        resets = account.counters.resets
        chunk = account.push(frame, arrival_ns)
        if chunk is None:
            return
        self._stalled.discard(frame.stream)
        if account.counters.resets > resets:
            self._ready.append(Event(chunk.start_ns, EventKind.CLOCK_RESET, text=self._label))
        self._ready.append(chunk)

    def _patience(self, account: StreamAccount, n: int) -> int:
        rate = account.info.spec.rate
        floor = to_ns(QUIET_REAL_S * self._speed)
        if rate is None:
            return max(to_ns(QUIET_IRREGULAR_S), floor)
        return max(QUIET_PERIODS * n * NS * rate.denominator // rate.numerator, to_ns(QUIET_S), floor)

    def _spoil(self) -> None:
        self.corrupt += 1
        self._blame(GapReason.CORRUPT)

    def _blame(self, reason: GapReason) -> None:
        for stream, account in self.accounts.items():
            # Where frames wait for lost ones, the reason waits with the next.
            if stream in self._refills:
                self._hints[stream] = reason
            else:
                account.blame(reason)

    def _up(self, t_ns: int) -> None:
        self.ended = ""
        self._connected_ns = t_ns
        self._heard.clear()
        self._stalled.clear()
        for refill in self._refills.values():
            refill.resume(t_ns)
        self._ready.append(Event(t_ns, EventKind.CONNECTED, text=self._label))

    def _down(self, t_ns: int) -> None:
        # Here, in the order of what was heard: when the start dialogue runs, older notifications may still wait.
        if isinstance(self._device, Pieced):
            self._device.cut()
        for stream, account in self.accounts.items():
            account.interrupt(GapReason.DISCONNECT)
            self._stall(stream, t_ns)
        if self._connected_ns is not None:
            self._ready.append(Event(t_ns, EventKind.DISCONNECTED, text=self._label))
        self._connected_ns = None

    def _reset(self, reset: StreamReset, t_ns: int) -> None:
        self.ended = reset.why
        account = self.accounts.get(reset.stream)
        if account is not None:
            account.interrupt(GapReason.STALL)
            self._stall(reset.stream, t_ns)

    def _stall(self, stream: str, t_ns: int) -> None:
        if stream in self._stalled:
            return
        self._stalled.add(stream)
        account = self.accounts[stream]
        until = t_ns if account.stop_ns is None else account.stop_ns
        self._ready.append(Event(until, EventKind.STALLED, text=account.info.id))

    def watch(self, now_ns: int) -> None:
        """Look for streams that have been silent for too long."""
        if self._connected_ns is None:
            return
        first = (self._connected_ns, to_ns(FIRST_FRAME_S * self._speed))
        for stream, account in self.accounts.items():
            since, patience = self._heard.get(stream, first)
            # What was dropped for want of room may have been this stream's: the sensor was not silent.
            if stream not in self._stalled and now_ns - max(since, self._dropped_ns) > patience:
                if self.tap is not None:
                    self.tap.quiet(now_ns)
                if stream in self._refills:
                    self._account(self._refills[stream].flush())
                account.interrupt(GapReason.STALL)
                self._stall(stream, now_ns)
