"""Judge of intervals whose frames carry the device time of their last beat (pulse intervals of an optical sensor).

A frame's intervals reach back from its last beat to the last beat of the frame before: where they do, it continues.
A hole that no interval explains has beats in it, between one and as many as a heart can have; the exact number is not
to be known. A frame without a time among frames with one is placed where it would continue.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from feltsense.core.chunk import Gap, GapReason
from feltsense.core.timeline import NS
from feltsense_bridge.continuity import Outage, Stragglers, Verdict, Word, elapsed_gap
from feltsense_bridge.untimed import lasting

if TYPE_CHECKING:
    from feltsense_bridge.clock import DeviceClock
    from feltsense_bridge.device import Frame

__all__ = ["TimedBeats"]


class TimedBeats:
    """Frames of intervals with the device time of the last beat.

    Parameters
    ----------
    most : float
        Beats a second at most: a hole shorter than that leaves no room for one.
    clock : DeviceClock
        The device's clock.
    """

    def __init__(self, most: float, clock: DeviceClock) -> None:
        self._most = most
        self._clock = clock
        self._epoch = clock.epoch
        self._last: int | None = None
        self._stragglers = Stragglers()

    def judge(self, frame: Frame, arrival_ns: int, outage: Outage) -> Verdict:
        """Judge the next frame."""
        span = int(lasting(frame, self._most).sum())
        device_ns = (self._last or 0) + span if frame.device_ns is None else frame.device_ns
        if self._last is None:
            self._clock.observe(device_ns, arrival_ns)
            return self._take(Verdict(Word.BREAKS, device_ns))
        hole = device_ns - span - self._last
        # Intervals that reach back too far (an estimate, not a beat) hide nothing: only room for a beat breaks.
        follows = device_ns > self._last and hole * self._most < NS
        if follows and outage.broken is None and self._clock.epoch == self._epoch:
            return self._take(Verdict(Word.CONTINUES, device_ns))
        epoch = self._clock.observe(device_ns, arrival_ns)
        if epoch == self._epoch and device_ns <= self._last:
            if device_ns == self._last:
                return Verdict(Word.DUPLICATE)
            # Nothing overtakes across a new connection: what is behind then is a clock that went back.
            if outage.broken is not GapReason.DISCONNECT and not self._stragglers.went_back(device_ns):
                return Verdict(Word.LATE)
            self._clock.restart()
        if self._clock.epoch != self._epoch:
            since = arrival_ns - outage.since_ns
            gap = elapsed_gap(since, self._most, len(frame.values), GapReason.RESTART, least=False)
            return self._take(Verdict(Word.BREAKS, device_ns, gap))
        # A sensor that was started anew needs time to find the pulse: after an outage perhaps nothing was produced.
        upper = max(0, math.ceil(hole * self._most / NS))
        return self._take(Verdict(Word.BREAKS, device_ns, Gap(0 if outage.broken else 1, upper, outage.reason)))

    def _take(self, verdict: Verdict) -> Verdict:
        self._epoch = self._clock.epoch
        self._last = verdict.device_ns
        self._stragglers.clear()
        return verdict
