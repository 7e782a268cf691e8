"""Heart rate and heart rate variability from an ECG.

Contract: :mod:`feltsense.core.extractor`. R peaks are found on zero-phase filtered blocks, placed between samples
by a parabola, and timed by the device's clock. An RR interval counts as NN when both its beats look like their
neighbours, it is 300–2000 ms long and within 25 % of the median of the intervals around it: an ectopic beat takes
its two intervals with it, a swing of respiratory sinus arrhythmia stays. Nothing is put in the place of what is left
out; successive differences are formed only between neighbouring NN intervals.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.dsp.filters import ECG_LEAST_RATE
from feltsense.dsp.intervals import IntervalRule, time_domain
from feltsense.dsp.spectrum import STILL_MS
from feltsense.dsp.waves import Qrs
from feltsense.features._beats import BeatLine, BeatRule
from feltsense.features._cardiac import Heart
from feltsense.features._gate import Need, collect, missing
from feltsense.features._slow import SLOW_SPECS, slow
from feltsense.quality import ecg as quality
from feltsense.quality.beats import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.window import Window
    from feltsense.features._beats import Beats

__all__ = ["EXTRACTOR", "LEAST_DIFFERENCES", "LEAST_NN", "OF_DIFFERENCES", "RULE", "EcgFeatures", "poincare"]

_TASK_FORCE = "Task Force 1996, Circulation 93:1043"
_NK = "Makowski 2021, Behav Res Methods 53:1689 (NeuroKit2 hrv_time)"
_BRENNAN = "Brennan 2001, IEEE TBME 48:1342"
_TOICHI = "Toichi 1997, J Auton Nerv Syst 62:79"
_FIX = "Lipponen & Tarvainen 2019, J Med Eng Technol 43:173"
_OURS = "feltsense"
RULE = BeatRule(quality.TRUSTED, IntervalRule(low_ms=300.0, high_ms=2000.0, deviation=0.25), corrects=True)
LEAST_NN = 5
"""Fewer intervals do not make a mean rate."""
LEAST_DIFFERENCES = 8
"""Fewer differences make an RMSSD whose 95 % interval spans a factor of two."""
_RATE, _SHORT, _LONG = 10.0, 30.0, 50.0
"""Seconds of signal: for a rate and RMSSD 10 s (Munoz 2015, PLoS ONE 10:e0138921), for SDNN 30 s; features that need
a minute are content with 50 s of it."""

_BASIC_SPECS = (
    FeatureSpec("hr", "bpm", "60000 / mean NN", _TASK_FORCE, _RATE),
    FeatureSpec("mean_nn", "ms", "mean of NN", _TASK_FORCE, _RATE),
    FeatureSpec("median_nn", "ms", "median of NN", _NK, _RATE),
    FeatureSpec("min_nn", "ms", "shortest NN", _NK, _RATE),
    FeatureSpec("max_nn", "ms", "longest NN", _NK, _RATE),
    FeatureSpec("sdnn", "ms", "standard deviation of NN (n − 1)", _TASK_FORCE, _SHORT),
    FeatureSpec("rmssd", "ms", "root mean square of successive differences of NN", _TASK_FORCE, _RATE),
    FeatureSpec("sdsd", "ms", "standard deviation of successive differences of NN (n − 1)", _TASK_FORCE, _SHORT),
    FeatureSpec("pnn50", "%", "100 · successive differences over 50 ms / (differences + 1)", _NK, _LONG),
    FeatureSpec("pnn20", "%", "100 · successive differences over 20 ms / (differences + 1)", _NK, _LONG),
    FeatureSpec("cvnn", "1", "SDNN / mean NN", _NK, _LONG),
    FeatureSpec("cvsd", "1", "RMSSD / mean NN", _NK, _SHORT),
    FeatureSpec("mad_nn", "ms", "1.4826 · median absolute deviation of NN", _NK, _SHORT),
    FeatureSpec("iqr_nn", "ms", "interquartile range of NN", _NK, _SHORT),
    FeatureSpec("sd1", "ms", "SDSD / √2: spread across the Poincaré plot's identity line", _BRENNAN, _SHORT),
    FeatureSpec("sd2", "ms", "standard deviation of (NN₁ + NN₂) / √2: spread along it", _BRENNAN, _LONG),
    FeatureSpec("sd1_sd2", "1", "SD1 / SD2", _BRENNAN, _LONG),
    FeatureSpec("csi", "1", "cardiac sympathetic index: SD2 / SD1", _TOICHI, _LONG),
    FeatureSpec("cvi", "1", "cardiac vagal index: log₁₀(16 · SD1 · SD2), ms²", _TOICHI, _LONG),
    FeatureSpec("artefact_fraction", "1", "share of the window's intervals that are not NN", _OURS, _RATE),
    FeatureSpec("coverage", "1", "sum of NN / length of the window", _OURS, 0.0),
    FeatureSpec("corrected_fraction", "1", "share of beats that are ectopic, missed, extra or misplaced", _FIX, _RATE),
)
_SPECS = (*_BASIC_SPECS, *SLOW_SPECS)
OF_DIFFERENCES = frozenset({"rmssd", "sdsd", "pnn50", "pnn20", "cvsd", "sd1", "sd2", "sd1_sd2", "csi", "cvi"})
_OF_INTERVALS = frozenset({"artefact_fraction", "corrected_fraction"})


def _of(name: str) -> str:
    if name == "coverage":
        return "nothing"
    if name in _OF_INTERVALS:
        return "intervals"
    return "differences" if name in OF_DIFFERENCES else "nn"


_GATES: dict[tuple[str, float], list[str]] = {}
"""Of what a number is needed, and how many seconds of signal → the features that need them."""
for _spec in _BASIC_SPECS:
    _GATES.setdefault((_of(_spec.name), _spec.min_seconds), []).append(_spec.name)


class EcgFeatures:
    """Heart rate and its variability, streamed (see the module's header).

    Parameters
    ----------
    streams : mapping of str to StreamInfo
        ``ecg`` → its stream.
    """

    requires = "ecg"
    uses: tuple[str, ...] = ()
    specs = _SPECS

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        spec = streams[self.requires].spec
        self._heart: Heart | None = None
        self._last_ns = -(2**62)
        self._key: tuple[float, float, tuple[bool, bool, bool], Reason] | None = None
        self._why: dict[str, Reason] = {}
        if spec.rate is not None and spec.rate >= ECG_LEAST_RATE:
            self._heart = Heart(BeatLine(Qrs(spec.hz), RULE, spec.hz), quality.faults(spec.hz), spec)

    def push(self, chunk: Chunk) -> None:
        """Take the next samples."""
        if self._heart is not None:
            self._heart.push(chunk)
        elif len(chunk):
            self._last_ns = chunk.stop_ns

    def close(self, stream_id: str) -> None:
        """End the segment: what is pending becomes final."""
        if self._heart is not None:
            self._heart.close()

    def final_ns(self, stream_id: str) -> int:
        """Time before which nothing will change: 7.5 to 9.6 s behind the newest sample."""
        return self._last_ns if self._heart is None else self._heart.final_ns()

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        if self._heart is None:
            return Extracted.nothing(len(self.specs), Reason.NOT_SUPPORTED)
        present = self._heart.present_s(window)
        beats = self._heart.beats(window)
        verdict = judge(self._heart.evidence(window, beats, present), quality.LIMITS)
        nn = time_domain(beats.interval_ms, beats.valid)
        intervals = max(len(beats.t_ns) - 1, 0)
        values = nn._asdict()
        values["hr"] = 60e3 / nn.mean_nn
        values |= poincare(nn.sd1, nn.sd2)
        values["artefact_fraction"] = 1.0 - nn.n / intervals if intervals else math.nan
        values["coverage"] = nn.n * nn.mean_nn / 1e3 / window.seconds if nn.n else 0.0
        touched = int(np.count_nonzero(beats.kinds))
        values["corrected_fraction"] = touched / len(beats.kinds) if intervals else math.nan
        found = (intervals, nn.n, nn.differences)
        reasons = dict(self._reasons(window, present, found, verdict[1]))
        indices, why = slow(window, present, beats, verdict[1])
        values |= indices
        reasons |= why
        return collect(self.specs, values, reasons, verdict)

    def _reasons(self, window: Window, present_s: float, found: tuple[int, int, int], worst: Reason) -> dict[str, Reason]:
        """Why each of the basic features cannot be given; mostly the same from window to window."""
        intervals, nn, differences = found
        enough = (intervals >= LEAST_NN, nn >= LEAST_NN, differences >= LEAST_DIFFERENCES)
        key = window.seconds, present_s, enough, worst
        if key != self._key:
            needs = {
                "nothing": Need(0, 0),
                "intervals": Need(intervals, LEAST_NN),
                "nn": Need(nn, LEAST_NN),
                "differences": Need(differences, LEAST_DIFFERENCES),
            }
            self._key, self._why = key, {}
            for (of, least_s), names in _GATES.items():
                self._why |= dict.fromkeys(names, missing(least_s, window, present_s, needs[of], worst))
        return self._why

    def beats(self, window: Window) -> Beats | None:
        """Beats of a window that is final; None where the rate is too low to have any."""
        return None if self._heart is None else self._heart.beats(window)

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        if self._heart is not None:
            self._heart.forget(before_ns)


def poincare(sd1: float, sd2: float) -> dict[str, float]:
    """What follows from the two axes of the Poincaré plot; NaN where one of them is none."""
    round_ = sd1 > STILL_MS and sd2 > STILL_MS
    return {
        "sd1_sd2": sd1 / sd2 if round_ else math.nan,
        "csi": sd2 / sd1 if round_ else math.nan,
        "cvi": float(np.log10(16.0 * sd1 * sd2)) if round_ else math.nan,  # as for arrays: math's may differ in a bit
    }


EXTRACTOR = EcgFeatures
