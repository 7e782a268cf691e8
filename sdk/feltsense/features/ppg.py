"""Heart rate, pulse rate variability and the pulse's shape from a photoplethysmogram.

Contract: :mod:`feltsense.core.extractor`. Variability from a pulse wave is not that of the heart: the pulse's way
to the wrist varies too. It is named PRV, and asks for cleaner beats than the heart rate does.

- Systolic peaks after Elgendi 2013; a beat's time is its steepest upstroke in the wave of 0.5–5 Hz, placed between
  samples by a parabola and timed by the device's clock.
- A beat's likeness is its correlation with the median shape of its neighbours. An interval is valid when both beats
  have 0.4, it is 333–1500 ms long and within 25 % of the median of the intervals around it; it is *steady*, and
  enters PRV, when both beats have 0.75.
- Acceleration of the same device only says why a window is bad. It changes no value: gestures go with speech, and
  speech goes with the tasks that are called stress.

For the model: heart rates, slope, ``prv_pnn50``, ``prv_log_ratio``, ``pulse_rise`` and ``pulse_width`` are meant to
be used as they are; the log of x + 1 for ``prv_iqr``, ``prv_sdnn``, ``prv_rmssd`` and ``prv_mad``; the log of
x + 0.001 for ``pulse_amplitude`` and ``pulse_amplitude_cv``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.dsp.cells import Cells
from feltsense.dsp.filters import PPG_LEAST_RATE
from feltsense.dsp.intervals import IntervalRule, quantile, time_domain
from feltsense.dsp.waves import Pulse
from feltsense.features._beats import BeatLine, BeatRule
from feltsense.features._cardiac import Heart
from feltsense.features._gate import Need, collect, missing
from feltsense.features._motion_gate import MotionGate
from feltsense.features._pulse_rate import Band, power, rates, spectral_rate
from feltsense.quality import ppg as quality
from feltsense.quality.beats import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.window import Window
    from feltsense.dsp.intervals import TimeDomain
    from feltsense.features._beats import Beats

__all__ = ["EXTRACTOR", "PpgFeatures"]

Line = Callable[[Pulse, BeatRule, float, Cells, int], BeatLine]

_TASK_FORCE = "Task Force 1996, Circulation 93:1043"
_NK = "Makowski 2021, Behav Res Methods 53:1689 (NeuroKit2 hrv_time)"
_OURS = "feltsense"
_ELGENDI = "Elgendi 2012, Curr Cardiol Rev 8:14"
_RULE = BeatRule(quality.TRUSTED, IntervalRule(low_ms=333.0, high_ms=1500.0, deviation=0.25))
_LEAST_INTERVALS, _LEAST_STEADY, _LEAST_DIFFERENCES, _LEAST_SHAPED = 8, 12, 8, 8
"""Intervals for a rate, steady intervals and their differences for PRV, well-shaped beats for amplitude and width."""
_RATE, _SHORT = 10.0, 30.0
"""Seconds of signal."""
_SPECTRUM_SECONDS, _SPECTRUM_STEP_SECONDS = 16.0, 8.0
"""Stretches whose spectra are averaged: 16 s part heart rates that are 4 bpm apart."""

_SPECS = (
    FeatureSpec("hr", "bpm", "60000 / median valid interval", _OURS, _RATE),
    FeatureSpec("hr_weighted", "bpm", "60000 / median valid interval weighted by likeness to the power 4", _OURS, _RATE),
    FeatureSpec("hr_spectral", "bpm", "strongest rate 45–180 bpm in the wave's averaged spectrum", _OURS, 24.0),
    FeatureSpec("hr_p5", "bpm", "60000 / 95th percentile of valid intervals", _OURS, _RATE),
    FeatureSpec("hr_p95", "bpm", "60000 / 5th percentile of valid intervals", _OURS, _RATE),
    FeatureSpec("hr_slope", "ms/s", "minus the slope of a line through valid intervals over time", _OURS, 20.0),
    FeatureSpec("prv_mean_pp", "ms", "mean of valid intervals", _TASK_FORCE, _RATE),
    FeatureSpec("prv_iqr", "ms", "interquartile range of valid intervals", _NK, _RATE),
    FeatureSpec("prv_sdnn", "ms", "standard deviation of steady intervals (n − 1)", _TASK_FORCE, _SHORT),
    FeatureSpec("prv_rmssd", "ms", "root mean square of successive differences of steady intervals", _TASK_FORCE, _SHORT),
    FeatureSpec("prv_mad", "ms", "median absolute successive difference of steady intervals", _OURS, _SHORT),
    FeatureSpec("prv_pnn50", "%", "100 · successive differences over 50 ms / (differences + 1)", _NK, _SHORT),
    FeatureSpec("prv_log_ratio", "1", "ln(RMSSD + 1) − ln(SDNN + 1), ms, steady intervals", _OURS, _SHORT),
    FeatureSpec("pulse_amplitude", "1", "median foot-to-crest height of well-shaped beats, device counts", _ELGENDI, _RATE),
    FeatureSpec("pulse_amplitude_cv", "1", "standard deviation / mean of that height (n)", _OURS, _RATE),
    FeatureSpec("pulse_rise", "s", "median time from foot to crest of well-shaped beats", _ELGENDI, _RATE),
    FeatureSpec("pulse_width", "s", "median time from crest to half height of well-shaped beats", _ELGENDI, _RATE),
    FeatureSpec("artefact_fraction", "1", "share of the window's intervals that are not valid", _OURS, _RATE),
    FeatureSpec("coverage", "1", "sum of valid intervals / length of the window", _OURS, 0.0),
)
_STEADY = frozenset({"prv_sdnn", "prv_rmssd", "prv_mad", "prv_pnn50", "prv_log_ratio"})
_SHAPED = frozenset(s.name for s in _SPECS if s.name.startswith("pulse_"))
_FREE = frozenset({"hr_spectral", "coverage"})
"""Need no beats."""


class PpgFeatures:
    """Heart rate, PRV and the pulse's shape, streamed (see the module's header).

    Parameters
    ----------
    streams : mapping of str to StreamInfo
        ``ppg`` → its stream; ``acc`` → acceleration of the same device, where it has any.
    line : callable, optional
        What finds the beats; a batch has one for whole runs.
    """

    requires: ClassVar[str] = "ppg"
    uses: ClassVar[tuple[str, ...]] = ("acc",)
    specs: ClassVar[tuple[FeatureSpec, ...]] = _SPECS

    def __init__(self, streams: Mapping[str, StreamInfo], line: Line = BeatLine) -> None:
        self._id = streams[self.requires].id
        spec = streams[self.requires].spec
        acc = streams.get("acc")
        self._heart: Heart | None = None
        self._motion = MotionGate(acc.spec) if acc is not None and acc.spec.rate is not None else None
        self._last_ns: dict[str, int] = {}
        if spec.rate is not None and spec.rate >= PPG_LEAST_RATE:
            hz = spec.hz
            self._band = Band.at(hz, round(_SPECTRUM_SECONDS * hz))
            size, step = round(_SPECTRUM_SECONDS * hz), round(_SPECTRUM_STEP_SECONDS * hz)
            self._spectra = Cells(partial(power, band=self._band), size, step, self._band.width)
            self._heart = Heart(line(Pulse(hz), _RULE, hz, self._spectra, Pulse.WAVE), quality.faults(hz), spec)

    def push(self, chunk: Chunk) -> None:
        """Take the next samples of one of its streams."""
        mine = self._heart if chunk.stream.id == self._id else self._motion
        if mine is not None:
            mine.push(chunk)
        elif len(chunk):
            self._last_ns[chunk.stream.id] = chunk.stop_ns

    def close(self, stream_id: str) -> None:
        """End the stream's segment: what is pending becomes final."""
        mine = self._heart if stream_id == self._id else self._motion
        if mine is not None:
            mine.close()

    def final_ns(self, stream_id: str) -> int:
        """Time before which nothing will change: 8 to 10.1 s behind the newest sample of the pulse wave."""
        mine = self._heart if stream_id == self._id else self._motion
        return self._last_ns.get(stream_id, -(2**62)) if mine is None else mine.final_ns()

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        if self._heart is None:
            return Extracted.nothing(len(self.specs), Reason.NOT_SUPPORTED)
        present = self._heart.present_s(window)
        beats = self._heart.beats(window)
        moving = self._motion.moving(window) if self._motion is not None else 0.0
        verdict = judge(self._heart.evidence(window, beats, present, moving), quality.LIMITS)
        steady = beats.valid & (beats.pair > quality.STEADY)
        shaped = beats.likeness > quality.SHAPED
        prv = time_domain(beats.interval_ms, steady)
        intervals = max(len(beats.t_ns) - 1, 0)
        values = rates(beats) | _variability(beats, steady, prv) | _shape(beats.measures[shaped])
        values["hr_spectral"] = spectral_rate(self._spectra.within(window.start_ns, window.stop_ns), self._band)
        valid_ms = float(beats.interval_ms[beats.valid].sum())
        n_valid = int(beats.valid.sum())
        values["coverage"] = valid_ms / 1e3 / window.seconds
        values["artefact_fraction"] = 1.0 - n_valid / intervals if intervals else float("nan")
        reasons = {}
        for spec in _SPECS:
            need = _need(spec.name, n_valid, prv, int(shaped.sum()), intervals)
            reasons[spec.name] = missing(spec.min_seconds, window, present, need, verdict[1])
        return collect(self.specs, values, reasons, verdict)

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        if self._heart is not None:
            self._heart.forget(before_ns)
            self._spectra.forget(before_ns)
        if self._motion is not None:
            self._motion.forget(before_ns)


def _need(name: str, n_valid: int, prv: TimeDomain, shaped: int, intervals: int) -> Need:
    if name in _FREE:
        return Need(0, 0)
    if name in _SHAPED:
        return Need(shaped, _LEAST_SHAPED)
    if name == "artefact_fraction":
        return Need(intervals, _LEAST_INTERVALS)
    if name not in _STEADY:
        return Need(n_valid, _LEAST_INTERVALS)
    return Need(prv.n, _LEAST_STEADY) if name == "prv_sdnn" else Need(min(prv.differences, prv.n - 4), _LEAST_DIFFERENCES)


def _variability(beats: Beats, steady: NDArray[np.bool_], prv: TimeDomain) -> dict[str, float]:
    both = steady[1:] & steady[:-1]
    size = np.abs(np.diff(beats.interval_ms)[both])
    return {
        "prv_sdnn": prv.sdnn,
        "prv_rmssd": prv.rmssd,
        "prv_mad": quantile(np.sort(size), 0.5),
        "prv_pnn50": prv.pnn50,
        "prv_log_ratio": float(np.log1p(prv.rmssd) - np.log1p(prv.sdnn)),
    }


def _shape(measures: NDArray[np.float64]) -> dict[str, float]:
    if not len(measures):
        return dict.fromkeys(_SHAPED, float("nan"))
    amplitude, rise, width = (quantile(column, 0.5) for column in np.sort(measures, axis=0).T)
    height = measures[:, 0]
    return {
        "pulse_amplitude": amplitude,
        "pulse_amplitude_cv": float(height.std() / height.mean()) if height.mean() > 0.0 else float("nan"),
        "pulse_rise": rise,
        "pulse_width": width,
    }


EXTRACTOR = PpgFeatures
