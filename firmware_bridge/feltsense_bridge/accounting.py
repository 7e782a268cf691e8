"""Frames in, chunks out, every sample accounted for: ``received + missing = expected``, for each stream.

Contract
--------
- Sans-io: a frame and its arrival time (session ns) go in; at most one :class:`~feltsense.core.chunk.Chunk` comes out.
- Every gap starts a new segment, and its first chunk says how much is missing (:mod:`feltsense_bridge.continuity` has
  the rules). So does an outage (:meth:`StreamAccount.interrupt`), even if nothing turns out to be missing.
- Duplicates and late frames are dropped and counted. A late frame's samples stay missing: they were given up.
- A chunk's :class:`~feltsense.core.timeline.TimeMap` runs from the anchor of the previous frame's last sample to that
  of its own, so that its samples share the device time that passed between the two. The first frame of a segment is
  back-dated at the nominal rate; a lost frame is never smeared over the next one.
- A stream's times never run backwards, not even across segments and clock resets.

Irregular streams:

- Intervals whose frames carry the device time of their last beat (``ppi``) lie back from it, one interval apart
  (:mod:`feltsense_bridge.timed_beats`).

The Heart Rate service has no times:

- ``heart_rate``: a value is placed at its arrival.
- ``rr``: beats lie one interval apart, so the sum of the intervals is a clock of its own that is mapped to session
  time by the least delay, like any device clock. A strap notifies about once a second, so a beat may have waited up to
  that long: that is in the stated uncertainty. When arrivals have shifted against the sum for good, beats were lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense.core.chunk import Chunk, GapReason
from feltsense.core.timeline import NS, TimeMap
from feltsense_bridge.clock import DeviceClock
from feltsense_bridge.continuity import RATE_TOLERANCE, Outage, Timed, Word
from feltsense_bridge.timed_beats import TimedBeats
from feltsense_bridge.untimed import Arrivals, Counted, Free, lasting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.core.chunk import StreamInfo
    from feltsense_bridge.continuity import Judge, Verdict
    from feltsense_bridge.device import Frame

__all__ = ["Counters", "StreamAccount"]

_INTERVALS: Final = frozenset({"rr", "ppi"})
"""Kinds whose values last as long as they say."""
BEATS_PER_S: Final = 4.0
"""No heart sends more than this many intervals or rates a second (an interval below 0.25 s is implausible)."""
_MOST_PER_S: Final = {"radar_targets": 12.0, "thermal_array": 64.0}
"""Kinds that come more often, a second at most: a radar's ten and a little; the fastest frame rate of an MLX90640."""
WAITED_NS: Final = round(0.95 * NS / 2)
"""How long a beat waits for a notification that comes once a second is uniform over 1 s: 95 % lie this near the mean."""


@dataclass(slots=True)
class Counters:
    """What became of a stream's samples. ``received + missing = expected``.

    Attributes
    ----------
    frames : int
        Frames taken.
    received, missing, missing_upper : int
        Samples delivered; samples lost, at least and at most.
    gaps : int
        Segments that began with something missing.
    duplicates, late : int
        Frames dropped because they were here before, or came after their place was given up.
    resets : int
        Times that the device's clock or count started anew.
    """

    frames: int = 0
    received: int = 0
    missing: int = 0
    missing_upper: int = 0
    gaps: int = 0
    duplicates: int = 0
    late: int = 0
    resets: int = 0

    @property
    def expected(self) -> int:
        """Samples that the sensor produced up to the last one received, at least."""
        return self.received + self.missing


@dataclass(frozen=True, slots=True)
class _Anchor:
    device_ns: int
    arrival_ns: int
    t_ns: int
    unc_ns: int


class StreamAccount:
    """The account of one stream.

    Parameters
    ----------
    info : StreamInfo
        The stream.
    clock : DeviceClock
        The clock of its device, shared with the streams that carry times of the same clock.
    """

    def __init__(self, info: StreamInfo, clock: DeviceClock) -> None:
        self.info = info
        self.counters = Counters()
        self._clock = clock
        self._judge: Judge | None = None
        self._last: _Anchor | None = None
        self._segment = -1
        self._next = 0
        self._broken: GapReason | None = None
        self._hint = GapReason.LINK

    @property
    def last_ns(self) -> int | None:
        """Session time of the last sample; None before the first."""
        return None if self._last is None else self._last.t_ns

    @property
    def stop_ns(self) -> int | None:
        """Session time at which the last sample's period ends: nothing earlier will come. None before the first."""
        if self._last is None:
            return None
        rate = self.info.spec.rate
        return self._last.t_ns + (1 if rate is None else NS * rate.denominator // rate.numerator)

    def interrupt(self, reason: GapReason) -> None:
        """End the segment: the next frame starts a new one. The first reason stands, but for a lost connection's."""
        if self._segment >= 0 and (self._broken is None or reason is GapReason.DISCONNECT):
            self._broken = reason

    def blame(self, reason: GapReason) -> None:
        """Say why, should the next frame turn out not to continue (a damaged notification, a full buffer).

        Frames that say nothing of their place cannot turn out to: there the segment ends.
        """
        self._hint = reason
        if isinstance(self._judge, Arrivals | Free):
            self.interrupt(reason)

    def push(self, frame: Frame, arrival_ns: int) -> Chunk | None:
        """Take the next frame.

        Parameters
        ----------
        frame : Frame
            Of this stream.
        arrival_ns : int
            Session time at which it arrived.

        Returns
        -------
        Chunk or None
            Its samples; None for an empty, duplicate or late frame.
        """
        if not len(frame.values):
            return None
        if self._judge is None:
            self._judge, self._clock = self._choose(frame)
        epoch = self._clock.epoch
        since = arrival_ns if self._last is None else self._last.t_ns
        verdict = self._judge.judge(frame, arrival_ns, Outage(self._broken, self._hint, since))
        if verdict.word is Word.DUPLICATE:
            self.counters.duplicates += 1
            return None
        if verdict.word is Word.LATE:
            self.counters.late += 1
            return None
        self.counters.resets += int(self._segment >= 0 and self._clock.epoch != epoch)
        if verdict.word is Word.BREAKS:
            self._segment, self._next = self._segment + 1, 0
        chunk = self._chunk(frame, verdict, arrival_ns)
        self._count(chunk)
        self._next = chunk.stop
        self._broken = None
        # A frame that was fetched again closes part of a hole: what tore the rest is still to blame.
        if not frame.again:
            self._hint = GapReason.LINK
        return chunk

    def _choose(self, frame: Frame) -> tuple[Judge, DeviceClock]:
        """The judge that fits what the frames carry, and the clock that it judges by."""
        rate = self.info.spec.rate
        if rate is None and frame.device_ns is not None:
            return TimedBeats(BEATS_PER_S, self._clock), self._clock
        if rate is None and self.info.spec.name in _INTERVALS:
            own = DeviceClock(jitter=1.0, drift=RATE_TOLERANCE)
            return Free(BEATS_PER_S, own, regular=False), own
        if rate is None:
            return Arrivals(_MOST_PER_S.get(self.info.spec.name, BEATS_PER_S)), self._clock
        if frame.device_ns is not None:
            return Timed(rate, self._clock), self._clock
        own = DeviceClock(drift=RATE_TOLERANCE)
        if frame.sequence is not None and frame.modulus:
            return Counted(rate, own), own
        return Free(float(rate), own, regular=True), own

    def _chunk(self, frame: Frame, verdict: Verdict, arrival_ns: int) -> Chunk:
        irregular = self.info.spec.rate is None
        time = self._irregular(frame, verdict, arrival_ns) if irregular else self._regular(frame, verdict, arrival_ns)
        return Chunk(self.info, self._segment, self._next, frame.values, time, verdict.gap if self._next == 0 else None)

    def _regular(self, frame: Frame, verdict: Verdict, arrival_ns: int) -> TimeMap:
        n, rate = len(frame.values), self.info.spec.rate
        mapped = self._clock.place(self.info.id, verdict.device_ns, arrival_ns, learn=not frame.again)
        now = _Anchor(verdict.device_ns, arrival_ns, mapped.t_ns, mapped.unc_ns)
        before, self._last = self._last, now
        anchors = [(self._next + n - 1, now)]
        if self._next and before is not None:
            anchors.insert(0, (self._next - 1, before))
        elif n > 1 and rate is not None:
            span = (n - 1) * NS * rate.denominator // rate.numerator
            t_ns = now.t_ns - span if before is None else max(now.t_ns - span, before.t_ns + 1)
            first = _Anchor(now.device_ns - span, arrival_ns, min(t_ns, now.t_ns), now.unc_ns)
            anchors.insert(0, (0, first))
        index = np.array([i for i, _ in anchors])
        columns = np.array([(a.device_ns, a.arrival_ns, a.t_ns, a.unc_ns) for _, a in anchors], dtype=np.int64).T
        return TimeMap(rate, index, *columns)

    def _irregular(self, frame: Frame, verdict: Verdict, arrival_ns: int) -> TimeMap:
        n = len(frame.values)
        floor = None if self._last is None else self._last.t_ns
        if isinstance(self._judge, Arrivals):
            device = np.arange(n, dtype=np.int64) - (n - 1) + verdict.device_ns
            t, unc = device.copy(), 0
        else:
            mapped = self._clock.place(self.info.id, verdict.device_ns, arrival_ns)
            device = verdict.device_ns - _until_last(frame)
            waited = 0 if isinstance(self._judge, TimedBeats) else WAITED_NS
            t, unc = device + (mapped.t_ns - verdict.device_ns), round(float(np.hypot(mapped.unc_ns, waited)))
        if floor is not None:
            t = np.maximum(t, floor + 1 + np.arange(n))
        self._last = _Anchor(int(device[-1]), arrival_ns, int(t[-1]), unc)
        index = np.arange(self._next, self._next + n)
        return TimeMap(None, index, device, np.full(n, arrival_ns), t, np.full(n, unc))

    def _count(self, chunk: Chunk) -> None:
        self.counters.frames += 1
        self.counters.received += len(chunk)
        if chunk.gap is not None:
            self.counters.missing += chunk.gap.samples
            self.counters.missing_upper += chunk.gap.upper
            self.counters.gaps += 1


def _until_last(frame: Frame) -> NDArray[np.int64]:
    """From each beat to the last of its frame, in ns: the intervals after it."""
    between = lasting(frame, BEATS_PER_S)
    return np.asarray(between.sum() - np.cumsum(between), dtype=np.int64)
