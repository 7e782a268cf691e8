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
from feltsense.dsp.intervals import IntervalRule, TimeDomain, described
from feltsense.dsp.spectrum import STILL_MS
from feltsense.dsp.waves import Qrs
from feltsense.features._beats import BeatLine, BeatRule
from feltsense.features._cardiac import Heart
from feltsense.features._gate import Gates, Need, missing
from feltsense.features._nn_line import NnLine
from feltsense.features._slow import SLOW_SPECS, Slow
from feltsense.quality import ecg as quality
from feltsense.quality.beats import judge_mapped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.window import Window
    from feltsense.features._beats import Beats
    from feltsense.features._slow import Why

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
_FIRST_VALUE = TimeDomain._fields.index("mean_nn")
"""What comes before it in a :class:`~feltsense.dsp.intervals.TimeDomain` are numbers of intervals; the rest are features,
in the order of the specs."""
OF_DIFFERENCES = frozenset({"rmssd", "sdsd", "pnn50", "pnn20", "cvsd", "sd1", "sd2", "sd1_sd2", "csi", "cvi"})
_OF_INTERVALS = frozenset({"artefact_fraction", "corrected_fraction"})


def _of(name: str) -> str:
    if name == "coverage":
        return "nothing"
    if name in _OF_INTERVALS:
        return "intervals"
    return "differences" if name in OF_DIFFERENCES else "nn"


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
        self._key: tuple[float, float, tuple[bool, bool, bool], Reason, Why] | None = None
        self._gates = Gates.of(())
        if spec.rate is not None and spec.rate >= ECG_LEAST_RATE:
            self._heart = Heart(BeatLine(Qrs(spec.hz), RULE, spec.hz), quality.faults(spec.hz), spec)
            self._line = NnLine(self._heart, quality.LIMITS)
            self._slow = Slow(self._line.nn)

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
        seconds, present = window.seconds, self._heart.present_s(window)
        held = self._line.within(window)
        verdict = judge_mapped(self._heart.of(window, held.nn, held.likeness, present), held.likeness)
        nn = described(held.nn, held.pairs)
        indices, why = self._slow.of(seconds, present, held.piece, verdict[1])
        intervals = max(held.beats - 1, 0)
        values = np.array(
            (
                60e3 / nn.mean_nn,
                *nn[_FIRST_VALUE:],
                *poincare(nn.sd1, nn.sd2).values(),
                1.0 - nn.n / intervals if intervals else math.nan,
                nn.n * nn.mean_nn / 1e3 / seconds if nn.n else 0.0,
                held.corrected / held.beats if intervals else math.nan,
                *indices,
            )
        )
        enough = (intervals >= LEAST_NN, nn.n >= LEAST_NN, nn.differences >= LEAST_DIFFERENCES)
        key = seconds, present, enough, verdict[1], why
        if key != self._key:
            reasons = self._reasons(window, present, (intervals, nn.n, nn.differences), verdict[1])
            self._key, self._gates = key, Gates.of([*reasons, *why.each()])
        return self._gates.let(values, verdict)

    def _reasons(self, window: Window, present_s: float, found: tuple[int, int, int], worst: Reason) -> list[Reason]:
        """Why each of the basic features cannot be given; mostly the same from window to window."""
        intervals, nn, differences = found
        needs = {
            "nothing": Need(0, 0),
            "intervals": Need(intervals, LEAST_NN),
            "nn": Need(nn, LEAST_NN),
            "differences": Need(differences, LEAST_DIFFERENCES),
        }
        return [missing(s.min_seconds, window, present_s, needs[_of(s.name)], worst) for s in _BASIC_SPECS]

    def beats(self, window: Window) -> Beats | None:
        """Beats of a window that is final; None where the rate is too low to have any."""
        return None if self._heart is None else self._heart.beats(window)

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        if self._heart is not None:
            self._line.forget(before_ns)
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
