"""One device's clock as its streams see it: a clock map, and the judgement that the clock has been reset.

Contract
--------
- One :class:`DeviceClock` serves all streams whose frames carry times of the same device clock.
- A frame arrives when its device time says, plus a delay. The delay is never negative and no link holds a frame for
  ever; an arrival outside those bounds means that the device's clock jumped. Then the map learns anew and `epoch`
  grows by one: every stream that sees a new epoch starts a new segment.
- A frame whose own device time and number go on from its stream's last one is not judged: the clock has not jumped,
  whatever the delay.
- `jitter` (s) and `drift` are those of a :class:`~feltsense.core.clock_map.ClockMap`; a clock that is a count of
  samples or a sum of intervals drifts more than a crystal.
- Small steps back (below the bound) are not the clock's to judge: a stream that sees its own times go back tells by
  :meth:`DeviceClock.restart`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from feltsense.core.clock_map import ClockMap
from feltsense.core.timeline import NS

if TYPE_CHECKING:
    from feltsense.core.clock_map import Mapped
    from feltsense_bridge.device import RoundTrip

__all__ = ["DeviceClock"]

_NS_PER_US: Final = 1000
_WRAPS_US: Final = 2**32
"""A question carries the low 32 bits of the time at which it was asked; its answer comes within 71 minutes."""


class DeviceClock:
    """A device's clock, mapped to session time, with its resets."""

    LATE_NS: Final = 32 * NS
    """No link holds a frame longer: the longest supervision timeout (Bluetooth Core, 32 s) ends the link before."""
    EARLY_NS: Final = NS
    """A frame earlier than the envelope by this is impossible once the envelope is known: delays are never negative."""
    EARLY_PER_NS: Final = 1000
    """... plus a thousandth of the time since the last frame: no crystal is worse, and the line is extrapolated so far."""

    def __init__(self, *, jitter: float = ClockMap.JITTER_S, drift: float = ClockMap.DRIFT, speed: float = 1.0) -> None:
        self.epoch = 0
        self._map = ClockMap(jitter=jitter, drift=drift)
        self._latest: int | None = None
        # Where simulated time runs faster, a busy machine delays frames by so many times more of it.
        self._scale = max(1, round(speed))

    def observe(self, device_ns: int, arrival_ns: int) -> int:
        """Judge a frame that does not simply go on, before it is placed.

        Returns
        -------
        int
            The epoch that the frame belongs to; one more than before if the clock has jumped.
        """
        if self._latest is None:
            return self.epoch
        above = self._map.delay(device_ns, arrival_ns)
        # Before the envelope is known, the frames seen so far may all have been late ones.
        early = self.EARLY_NS if self._map.settled else self.LATE_NS
        early = early * self._scale + abs(device_ns - self._latest) // self.EARLY_PER_NS
        if not -early <= above <= self.LATE_NS * self._scale:
            self.restart()
        return self.epoch

    def restart(self) -> None:
        """The clock has been reset: learn it anew."""
        self._map.reset()
        self._latest = None
        self.epoch += 1

    def place(self, stream: str, device_ns: int, arrival_ns: int, *, learn: bool = True) -> Mapped:
        """Session time of a frame's last sample; never backwards within a stream. `learn`: its arrival says something."""
        if not learn and self._latest is not None:
            return self._map.place(device_ns, stream)
        self._latest = device_ns if self._latest is None else max(self._latest, device_ns)
        return self._map.update(device_ns, arrival_ns, stream)

    def round_trip(self, answer: RoundTrip, arrival_ns: int) -> None:
        """Learn from a question for the device's time, whose answer has arrived."""
        arrival_us = arrival_ns // _NS_PER_US
        asked_us = arrival_us - (arrival_us - answer.asked_us) % _WRAPS_US
        self._map.round_trip((answer.received_ns, answer.sent_ns), (asked_us * _NS_PER_US, arrival_ns))

    def excess(self, device_ns: int, arrival_ns: int) -> int:
        """How much later than the least delay a frame arrived, in ns."""
        return self._map.delay(device_ns, arrival_ns)
