"""Samples with the stamps of the Lab Streaming Layer, every one accounted for; nothing of LSL itself.

- A sample's device time is the stamp that its sender gave it, unsmoothed; its session time is that stamp moved by LSL's
  clock offset. LSL throws away probes that took longer than 128 ms, so the offset is wrong by less than half of that:
  this is the stated uncertainty.
- LSL does not number samples. A step between two stamps that is longer than the nominal rate and the senders' jitter
  explain is a gap, and its count has bounds; a shorter loss cannot be told from jitter, but times stay right.
- Stamps that go back, by more than jitter, are a clock that began anew: a new segment, how much is missing is not known.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense.core.chunk import Chunk, Gap, GapReason
from feltsense.core.timeline import NS, TimeMap
from feltsense_bridge.accounting import BEATS_PER_S, Counters
from feltsense_bridge.continuity import RATE_TOLERANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.core.chunk import StreamInfo

__all__ = ["JITTER_S", "OFFSET_NS", "LslAccount"]

JITTER_S: Final = 0.05
"""How far a stamp may be off: programs that relay a Bluetooth sensor stamp its samples when a packet arrives."""
OFFSET_NS: Final = 64_000_000
"""LSL's offset is off by less: half the longest round trip that it uses (128 ms, liblsl's default settings)."""


class LslAccount:
    """Stamped samples in, chunks out.

    Parameters
    ----------
    info : StreamInfo
        The stream.
    jitter : float
        By how many seconds a stamp may be off.
    """

    def __init__(self, info: StreamInfo, jitter: float = JITTER_S) -> None:
        self.info = info
        self.counters = Counters()
        self._jitter = jitter
        self._segment, self._next = -1, 0
        self._device_ns: int | None = None
        self._t_ns = 0
        self._broken = True

    def interrupt(self) -> None:
        """The stream ended: what comes next starts a new segment."""
        self._broken = True

    def push(
        self, values: NDArray[np.float64], device_ns: NDArray[np.int64], offset_ns: int, arrival_ns: int
    ) -> list[Chunk]:
        """Take samples in the order in which they came.

        Parameters
        ----------
        values : ndarray, shape (n, channels)
            In the signal's unit.
        device_ns : ndarray of int64, shape (n,)
            Their stamps.
        offset_ns : int
            Session time less stamp.
        arrival_ns : int
            Session time at which they were taken.

        Returns
        -------
        list of Chunk
            One for each unbroken run.
        """
        if not len(values):
            return []
        before = device_ns[0] if self._device_ns is None else self._device_ns
        steps = np.diff(device_ns, prepend=before)
        breaks = self._breaks(steps)
        breaks[0] |= self._broken
        starts = np.flatnonzero(breaks)
        edges = np.unique(np.concatenate([[0], starts, [len(values)]]))
        out = []
        for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            gap = None
            if breaks[a]:
                gap = self._gap(int(steps[a]), arrival_ns)
                self._segment, self._next = self._segment + 1, 0
            out.append(self._chunk(values[a:b], device_ns[a:b], offset_ns, arrival_ns, gap))
        return out

    def _breaks(self, steps: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Before which samples the stamps say that something is missing, or that the clock began anew."""
        back = steps < -self._jitter * NS
        rate = self.info.spec.rate
        if rate is None:
            return np.asarray(back)
        return np.asarray(back | (steps / NS * float(rate) > 1.5 + self._jitter * float(rate)))

    def _gap(self, step_ns: int, arrival_ns: int) -> Gap | None:
        """What is missing before a new segment; None before the first."""
        broken, self._broken = self._broken, False
        if self._device_ns is None:
            return None
        rate = float(self.info.spec.rate or BEATS_PER_S)
        if step_ns < -self._jitter * NS:
            elapsed = (max(0, arrival_ns - self._t_ns) + OFFSET_NS) / NS
            return Gap(0, math.ceil(elapsed * rate * (1 + RATE_TOLERANCE)), GapReason.RESTART)
        reason = GapReason.DISCONNECT if broken else GapReason.LINK
        expected = step_ns / NS * rate
        half = expected * RATE_TOLERANCE + self._jitter * rate
        missing = expected - 1
        if self.info.spec.rate is None:
            return Gap(0, max(0, math.ceil(missing + half)), reason)
        if half < 0.5:
            count = max(0, round(missing))
            return Gap(count, count, reason)
        # While the stream stands, a step of more than jitter and a half is at least one sample; an outage may lose none.
        least = 0 if broken else 1
        return Gap(max(least, math.floor(missing - half)), max(least, math.ceil(missing + half)), reason)

    def _chunk(
        self, values: NDArray[np.float64], device_ns: NDArray[np.int64], offset_ns: int, arrival_ns: int, gap: Gap | None
    ) -> Chunk:
        n = len(values)
        # A better offset, or jitter, moves stamps back: time does not.
        t = np.maximum.accumulate(np.maximum(device_ns + offset_ns, self._t_ns))
        index = np.arange(self._next, self._next + n)
        place = TimeMap(self.info.spec.rate, index, device_ns, np.full(n, arrival_ns), t, np.full(n, OFFSET_NS))
        chunk = Chunk(self.info, self._segment, self._next, values, place, gap)
        self._next += n
        self._device_ns, self._t_ns = int(device_ns[-1]), int(t[-1])
        self.counters.frames += 1
        self.counters.received += n
        if gap is not None:
            self.counters.gaps += 1
            self.counters.missing += gap.samples
            self.counters.missing_upper += gap.upper
            self.counters.resets += int(gap.reason is GapReason.RESTART)
        return chunk
