"""Pulse rate and its variability from beat intervals that a device finds itself.

Polar's PPI with its flags and stated errors, the RR of the Heart Rate service, the IBI of a wristband.

Rules
-----
- Variability is PRV, never HRV: of such a stream nobody knows how its beats were found. The Heart Rate service does not
  say whether the sensor is electrical or optical.
- An interval is valid when the device did not block it (NaN) and states an error of at most 30 ms, when it is 300–2000 ms
  long and within 25 % of the median of the ten around it. Nothing is put in the place of what is left out; successive
  differences are formed only between neighbours that are both valid.
- A new segment is a gap, and no difference is formed across it. An interval that ends more than 2 s later than it would
  if it began with the beat before (packets lie up to a second apart) is not valid: something is missing before it.
- An interval is judged when the five after it are there, or the segment has ended: it depends on the segment only.
- Values are rounded by the device, the Heart Rate service's to 1/1024 s, Polar's to 1 ms: that alone is an RMSSD of 0.4 ms.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.dsp.blocks import Tail
from feltsense.dsp.intervals import IntervalRule, near_median, quantile, successive, time_domain
from feltsense.features._gate import Need, collect, missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.window import Window

__all__ = ["EXTRACTOR", "Intervals"]

WORST_ERROR_S = 0.03
"""Stated error of an interval that is still used: RMSSD of a person at rest is 20–40 ms."""
RULE = IntervalRule(low_ms=300.0, high_ms=2000.0, deviation=0.25)
AROUND = 5
"""Intervals on either side of the local median."""
LATEST_MS = 2000.0
LEAST, LEAST_DIFFERENCES = 5, 8
"""As for an ECG: fewer make no mean rate, and an RMSSD whose 95 % interval spans a factor of two."""
_GOOD = 0.9
_NEVER = -(2**62)

_NK = "Makowski 2021, Behav Res Methods 53:1689 (NeuroKit2 hrv_time)"
_TASK_FORCE = "Task Force 1996, Circulation 93:1043"
_OURS = "feltsense"
_OF_DIFFERENCES = frozenset({"prv_rmssd", "prv_mad", "prv_pnn50", "prv_log_ratio"})

SPECS = (
    FeatureSpec("hr", "bpm", "60000 / mean of valid intervals", _TASK_FORCE, 10.0),
    FeatureSpec("prv_mean_pp", "ms", "mean of valid intervals", _TASK_FORCE, 10.0),
    FeatureSpec("prv_sdnn", "ms", "standard deviation of valid intervals (n − 1)", _TASK_FORCE, 30.0),
    FeatureSpec("prv_rmssd", "ms", "root mean square of successive differences", _TASK_FORCE, 30.0),
    FeatureSpec("prv_mad", "ms", "median absolute successive difference", _OURS, 30.0),
    FeatureSpec("prv_pnn50", "%", "100 · successive differences over 50 ms / (differences + 1)", _NK, 50.0),
    FeatureSpec("prv_log_ratio", "1", "ln(1 + RMSSD) − ln(1 + SDNN), both in ms", _OURS, 30.0),
    FeatureSpec("artefact_fraction", "1", "share of the window's intervals that are not valid", _OURS, 10.0),
    FeatureSpec("coverage", "1", "sum of valid intervals / length of the window", _OURS, 0.0),
)


class Intervals:
    """Features of one stream of beat intervals.

    Parameters
    ----------
    streams : mapping of str to StreamInfo
        ``ppi``, or ``rr`` → its stream.
    """

    requires: ClassVar[str] = "ppi"
    instead: ClassVar[tuple[str, ...]] = ("rr",)
    uses: ClassVar[tuple[str, ...]] = ()
    specs: ClassVar[tuple[FeatureSpec, ...]] = SPECS

    _INTERVAL, _LASTS, _BEGINS, _SOUND, _VALID = range(5)

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        self._times = Tail(0, np.int64)
        self._rows = Tail(5)
        self._segment = -1
        self._begin = self._judged = 0
        self._last_ns = _NEVER

    def push(self, chunk: Chunk) -> None:
        """Take the next intervals."""
        if not len(chunk):
            return
        if chunk.segment != self._segment:
            self._end()
            self._segment = chunk.segment
        times, interval = chunk.times, 1e3 * chunk.values[:, 0]
        begins = np.zeros(len(times))
        begins[0] = self._times.stop == self._begin
        before = times[:1] if begins[0] else self._times.rows[-1:]
        step = np.diff(times, prepend=before) / 1e6
        late = step - interval > LATEST_MS
        sound = (interval >= RULE.low_ms) & (interval <= RULE.high_ms) & ~late
        if chunk.values.shape[1] > 1:
            sound &= ~(chunk.values[:, 1] > WORST_ERROR_S)
        # One that the device blocked has taken its time, too.
        lasts = np.where(np.isnan(interval), np.minimum(step, RULE.high_ms), interval)
        self._times.append(times)
        self._rows.append(np.column_stack((interval, lasts, begins, sound, np.zeros(len(times)))))
        self._last_ns = chunk.stop_ns
        self._judge(self._times.stop - AROUND)

    def _judge(self, stop: int) -> None:
        """Judge the intervals before number `stop`."""
        for k in range(self._judged, stop):
            near = self._rows.between(max(k - AROUND, self._begin), k + AROUND + 1)
            row = self._rows.between(k, k + 1)[0]
            around = near[near[:, self._SOUND] > 0.0, self._INTERVAL]
            row[self._VALID] = row[self._SOUND] > 0.0 and near_median(row[:1], around, RULE)[0]
        self._judged = max(self._judged, stop)

    def _end(self) -> None:
        self._judge(self._times.stop)
        self._begin = self._times.stop

    def close(self, stream_id: str) -> None:
        """End the segment: all that is there becomes final."""
        self._end()

    def final_ns(self, stream_id: str) -> int:
        """Time before which nothing will change: that of the first interval that is not judged."""
        waiting = self._times.between(self._judged, self._judged + 1)
        return int(waiting[0]) if len(waiting) else self._last_ns

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        a, b = self._times.rows.searchsorted((window.start_ns, window.stop_ns))
        rows = self._rows.rows[a:b]
        valid = rows[:, self._VALID] > 0.0
        valid[:1] = False  # the first interval began before the window
        present_s = min(float(rows[:, self._LASTS].sum()) / 1e3, window.seconds)
        # Between two segments there is no difference: something that is no interval stands there.
        cuts = np.flatnonzero(rows[1:, self._BEGINS] > 0.0) + 1
        interval, used = np.insert(rows[:, self._INTERVAL], cuts, np.nan), np.insert(valid, cuts, False)
        prv = time_domain(interval, used)
        verdict = _quality(prv.n, prv.mean_nn, present_s, window)
        sizes = np.sort(np.abs(successive(interval, used)))
        total = max(len(rows) - 1, 0)
        values = {
            "hr": 60e3 / prv.mean_nn,
            "prv_mean_pp": prv.mean_nn,
            "prv_sdnn": prv.sdnn,
            "prv_rmssd": prv.rmssd,
            "prv_mad": quantile(sizes, 0.5),
            "prv_pnn50": prv.pnn50,
            "prv_log_ratio": math.log1p(prv.rmssd) - math.log1p(prv.sdnn),
            "artefact_fraction": 1.0 - prv.n / total if total else math.nan,
            "coverage": prv.n * prv.mean_nn / 1e3 / window.seconds if prv.n else 0.0,
        }
        reasons = {}
        for spec in self.specs:
            need = Need(prv.n, LEAST)
            if spec.name in _OF_DIFFERENCES:
                need = Need(prv.differences, LEAST_DIFFERENCES)
            elif spec.name in ("coverage", "artefact_fraction"):
                need = Need(total, 0 if spec.name == "coverage" else LEAST)
            reasons[spec.name] = missing(spec.min_seconds, window, present_s, need, verdict[1])
        return collect(self.specs, values, reasons, verdict)

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        n = self._times.start + int(self._times.rows.searchsorted(before_ns))
        keep = max(min(n, self._judged - AROUND - 1), 0)
        self._times.drop(keep)
        self._rows.drop(keep)


def _quality(n: int, mean_ms: float, present_s: float, window: Window) -> tuple[float, Reason]:
    """Share of the window in which there are intervals, times the share of that which valid ones account for."""
    if present_s <= 0.0:
        return 0.0, Reason.NO_SIGNAL
    # A window holds its whole beats; the rest of an interval at either end is not a fault.
    edge_s = mean_ms / 1e3 if n else 0.0
    present = min(1.0, (present_s + edge_s) / window.seconds)
    used = min(1.0, n * edge_s / max(present_s - edge_s, 1e-3))
    if present < _GOOD:
        return present * used, Reason.GAP
    return present * used, Reason.OK if used >= _GOOD else Reason.ARTEFACT


EXTRACTOR = Intervals
