"""Judges of frames without device times: a sequence number, or nothing at all (see :mod:`feltsense_bridge.continuity`).

Device time is then a count of samples at the nominal rate, or a sum of intervals. Where an outage or a restart leaves
the count open, it starts anew and arrival times give bounds of what is missing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense.core.chunk import Gap, GapReason
from feltsense.core.timeline import NS
from feltsense_bridge.continuity import LATE_RUN, SLACK_NS, Outage, Stragglers, Verdict, Word, elapsed_gap, frames_lost

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    from feltsense_bridge.clock import DeviceClock
    from feltsense_bridge.device import Frame

__all__ = ["Arrivals", "Counted", "Free", "lasting"]

SHIFT_NS: Final = 3 * NS // 2
"""Arrivals that shift by more than this for good mean a loss: a notification a second makes a beat wait up to one."""
SHIFT_RUN: Final = 5
"""... for good: so many in a row. A single late notification is the radio's."""
SHORT_NS: Final = 4 * NS
"""A number that wraps sooner cannot tell frames that are late from frames that are lost: radios delay by seconds."""
LOOK_NS: Final = 4 * NS
"""Over so long some frame has no more than the least delay."""
SURE: Final = 0.25
"""Share of a turn by which the least delay may not be known yet: some tens of milliseconds of a turn of 160."""
STRAGGLING_NS: Final = NS
"""Frames behind the last one are no stragglers when they hold more than this: so much was never overtaken at once."""


def lasting(frame: Frame, most: float) -> NDArray[np.int64]:
    """How long before each sample of an irregular stream the one before it was, in ns; `most` a second at most."""
    if frame.lasting_ns is not None:
        return frame.lasting_ns
    # An interval that is no number lasts, for want of better, as long as the shortest.
    seconds = (v if math.isfinite(v) else 1 / most for v in frame.values[:, 0].tolist())
    return np.array([round(v * NS) for v in seconds], dtype=np.int64)


class Shifts:
    """Whether frames arrive later for good: the least delay of some seconds against that of those before."""

    def __init__(self) -> None:
        self._begun: int | None = None
        self._least = 0
        self._before: int | None = None
        self._trend: int | None = None

    def step(self, device_ns: int, arrival_ns: int) -> int:
        """By how much later the last :data:`LOOK_NS` arrived than the rate's error explains; 0 until they are over."""
        delay = arrival_ns - device_ns
        if self._begun is None:
            self._begun, self._least = device_ns, delay
        self._least = min(self._least, delay)
        if device_ns - self._begun < LOOK_NS:
            return 0
        before, now = self._before, self._least
        self._before, self._begun = now, None
        if before is None:
            return 0
        # A rate that is off makes every step alike.
        trend, self._trend = self._trend, now - before
        return 0 if trend is None else now - before - trend


class Counted:
    """Frames with a sequence number only: device time is the count of samples at the nominal rate.

    A number that wraps within :data:`SHORT_NS` says how many were lost but for whole turns, and cannot tell a straggler:
    how late a frame arrived bounds the turns, and arrivals that are later for good by a turn are a loss of one.

    Parameters
    ----------
    rate : Fraction
        Nominal rate.
    clock : DeviceClock
        A clock of the stream's own: its time is a count.
    """

    def __init__(self, rate: Fraction, clock: DeviceClock) -> None:
        self._rate = float(rate)
        self._clock = clock
        self._last: int | None = None
        self._sequence = 0
        self._sizes = (0, 0)
        self._stragglers = Stragglers()
        self._shifts = Shifts()

    def judge(self, frame: Frame, arrival_ns: int, outage: Outage) -> Verdict:
        """Judge the next frame."""
        n = len(frame.values)
        if self._last is None:
            self._stragglers = Stragglers(max(LATE_RUN, math.ceil(self._rate * STRAGGLING_NS / NS / n)))
            return self._take(frame, Verdict(Word.BREAKS, round(n / self._rate * NS)))
        lost = frames_lost(frame, self._sequence) or 0
        if outage.broken is not None:
            gap = self._during(outage, frame, lost, arrival_ns)
            if gap is None:
                return self._restarted(frame, arrival_ns, outage, outage.broken)
        elif self._turn_ns(frame) < SHORT_NS:
            gap = self._by_turns(frame, lost, arrival_ns, outage)
        else:
            if lost == frame.modulus - 1:
                return Verdict(Word.DUPLICATE)
            if lost >= frame.modulus // 2:
                if not self._stragglers.went_back(frame.sequence or 0):
                    return Verdict(Word.LATE)
                return self._restarted(frame, arrival_ns, outage, GapReason.RESTART)
            least, most = self._sizes
            gap = Gap(lost * least, lost * most, outage.reason) if lost else None
        if gap is not None and not gap.exact:
            return self._restarted(frame, arrival_ns, outage, outage.reason, gap)
        device_ns = self._last + round(((gap.samples if gap else 0) + n) / self._rate * NS)
        word = Word.CONTINUES if gap is None else Word.BREAKS
        return self._take(frame, Verdict(word, device_ns, gap))

    def _turn_ns(self, frame: Frame) -> float:
        """How long until the number comes again."""
        return frame.modulus * self._sizes[1] / self._rate * NS

    def _during(self, outage: Outage, frame: Frame, lost: int, arrival_ns: int) -> Gap | None:
        """What is missing after an outage, if only one count fits both number and elapsed time."""
        least, most = self._sizes
        reason = outage.broken or outage.hint
        bound = elapsed_gap(arrival_ns - outage.since_ns, self._rate, len(frame.values), reason, least=True)
        wrap = frame.modulus
        first = -(-(bound.samples - lost * most) // (wrap * most)) if most else 0
        turn = lost + max(0, first) * wrap
        if least != most or turn * least > bound.upper or (turn + wrap) * least <= bound.upper:
            return None
        return Gap(turn * least, turn * least, reason)

    def _by_turns(self, frame: Frame, lost: int, arrival_ns: int, outage: Outage) -> Gap | None:
        """What is missing by a number that wraps soon, and by how late the frame is."""
        least, most = self._sizes
        device_ns = (self._last or 0) + round((lost * least + len(frame.values)) / self._rate * NS)
        excess, turn = self._clock.excess(device_ns, arrival_ns), self._turn_ns(frame)
        later = self._shifts.step(device_ns, arrival_ns)
        if not lost and later <= turn / 2:
            return None
        late = excess if lost else later
        most_turns = max(0, math.floor(late / turn + SURE)) if lost else math.ceil(late / turn + SURE)
        # A delay of more than the slack is none.
        turns = max(0, math.floor((late - SLACK_NS) / turn))
        return Gap((lost + turns * frame.modulus) * least, (lost + most_turns * frame.modulus) * most, outage.reason)

    def _restarted(
        self, frame: Frame, arrival_ns: int, outage: Outage, reason: GapReason, gap: Gap | None = None
    ) -> Verdict:
        """The count cannot be continued exactly: count anew, placed by arrival."""
        self._clock.restart()
        self._shifts = Shifts()
        n = len(frame.values)
        since = arrival_ns - outage.since_ns
        gap = gap or elapsed_gap(since, self._rate, n, reason, least=reason is not GapReason.RESTART)
        return self._take(frame, Verdict(Word.BREAKS, round(n / self._rate * NS), gap))

    def _take(self, frame: Frame, verdict: Verdict) -> Verdict:
        n = len(frame.values)
        least, most = self._sizes
        self._sizes = (min(least or n, n), max(most, n))
        self._last, self._sequence = verdict.device_ns, frame.sequence or 0
        self._stragglers.clear()
        return verdict


class Free:
    """Frames that say nothing of their place: device time is the sum of what they last.

    Parameters
    ----------
    most : float
        Samples a second at most; for a regular stream its rate.
    clock : DeviceClock
        A clock of the stream's own.
    regular : bool
        Whether the stream has a rate, so that an outage has a lower bound too.
    """

    def __init__(self, most: float, clock: DeviceClock, *, regular: bool) -> None:
        self._most = most
        self._clock = clock
        self._regular = regular
        self._last: int | None = None
        self._shifted = 0

    def judge(self, frame: Frame, arrival_ns: int, outage: Outage) -> Verdict:
        """Judge the next frame."""
        lasts = self._lasts(frame)
        if self._last is None:
            self._last = lasts
            return Verdict(Word.BREAKS, lasts)
        device_ns = self._last + lasts
        shifted = self._clock.excess(device_ns, arrival_ns) > SHIFT_NS
        self._shifted = self._shifted + 1 if shifted else 0
        if outage.broken is None and self._shifted < SHIFT_RUN:
            self._last = device_ns
            return Verdict(Word.CONTINUES, device_ns)
        behind = arrival_ns - outage.since_ns
        if outage.broken is None:
            behind = self._clock.excess(device_ns, arrival_ns) + lasts
        gap = elapsed_gap(behind, self._most, len(frame.values), outage.reason, least=self._regular)
        if outage.broken is None and not gap.samples:
            gap = Gap(min(1, gap.upper), gap.upper, gap.reason)
        self._shifted = 0
        self._clock.restart()
        self._last = lasts
        return Verdict(Word.BREAKS, lasts, gap)

    def _lasts(self, frame: Frame) -> int:
        if self._regular:
            return round(len(frame.values) / self._most * NS)
        return int(lasting(frame, self._most).sum())


class Arrivals:
    """Values that are placed where they arrive: only an outage breaks them.

    Parameters
    ----------
    most : float
        Values a second at most.
    """

    def __init__(self, most: float) -> None:
        self._most = most
        self._begun = False

    def judge(self, frame: Frame, arrival_ns: int, outage: Outage) -> Verdict:
        """Judge the next frame."""
        if not self._begun:
            self._begun = True
            return Verdict(Word.BREAKS, arrival_ns)
        if outage.broken is None:
            return Verdict(Word.CONTINUES, arrival_ns)
        since = arrival_ns - outage.since_ns
        return Verdict(
            Word.BREAKS, arrival_ns, elapsed_gap(since, self._most, len(frame.values), outage.reason, least=False)
        )
