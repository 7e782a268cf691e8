"""Electrodermal activity: level, slopes, responses, spread; all in µS, none on a logarithm.

Rules
-----
- Only usable samples count (:mod:`feltsense.quality.eda`); the 10 s in which slow filters settle after a start or
  an artefact are not used for tonic, phasic and band.
- A response belongs to the window of its onset, so counts and sums add up over windows that do not overlap. Rates
  are per minute of usable signal.
- A half recovery belongs to the window in which it happens: an estimate does not wait for it.
- Quality is the usable share times the smoothness of what is left.
- Where nothing answered, count, sum and maximum are 0 (that is known), and the mean amplitude is missing.
- Definitions of tonic, phasic and response: :mod:`feltsense.dsp.eda`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feltsense.core.timeline import NS
from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.dsp.eda import LEAST_RATE, LEAST_SCR_RATE, SCR_LEAST_US
from feltsense.features._eda_line import EdaLine
from feltsense.features._gate import collect
from feltsense.quality.eda import REASONS, smoothness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.window import Window
    from feltsense.features._eda_line import Rows

    Array = NDArray[np.float64]

__all__ = ["EXTRACTOR", "LOG_OFFSET_US", "Eda"]

LOG_OFFSET_US = 0.05
"""Added before a logarithm of conductance: the least that is skin, so that dry hands do not go to −∞."""
RATE_TOLERANCE = 0.03
"""Converters run up to 2 % off their nominal rate; that is no missing sample."""

_LEVEL_S = 10.0
_SLOPE_S = 30.0
_PHASIC_S = 30.0
_BAND_S = 44.0
"""Two periods of the slowest wave in the band."""
_SCR_S = 48.0
"""A window of 60 s of which a fifth may be unusable: at rest there are 1–3 responses a minute."""
_THRESHOLDS = {"01": SCR_LEAST_US, "03": 0.03, "05": 0.05}
"""Name in hundredths of a µS → threshold in µS: laboratory, between, and the classic one."""

_STILL = 1e-9
"""Share of the level: where a window's rest beside a standstill changes by no more than this, it stands still, too."""
_WORTH_NAMING = 0.9
"""Smoothness below which it is the reason of a low quality."""

_BOUCSEIN = "Boucsein 2012, Electrodermal Activity"
_TONIC_FEATURES = frozenset({"scl_mean", "scl_median", "scl_slope", "phasic_sd", "phasic_auc", "eda_band_sd"})


def _specs() -> tuple[FeatureSpec, ...]:
    def spec(name: str, unit: str, seconds: float, definition: str, source: str = _BOUCSEIN) -> FeatureSpec:
        return FeatureSpec(name, unit, definition, source, seconds)

    counts = [
        spec(f"scr_count_{k}", "1", _SCR_S, f"Responses of {v:g} µS and more with their onset in the window")
        for k, v in _THRESHOLDS.items()
    ]
    rates = [
        spec(f"scr_rate_{k}", "1/min", _SCR_S, f"scr_count_{k} per minute of usable signal") for k, v in _THRESHOLDS.items()
    ]
    return (
        spec("scl_mean", "uS", _LEVEL_S, "Mean of the tonic (below 0.05 Hz)"),
        spec("scl_median", "uS", _LEVEL_S, "Median of the tonic"),
        spec("scl_slope", "uS/min", _SLOPE_S, "Least-squares slope of the tonic"),
        *counts,
        *rates,
        spec(
            "scr_amplitude_mean",
            "uS",
            _SCR_S,
            "Mean amplitude of responses of 0.01 µS and more; missing where there is none",
        ),
        spec("scr_amplitude_sum", "uS", _SCR_S, "Sum of their amplitudes; 0 where there is none"),
        spec("scr_amplitude_max", "uS", _SCR_S, "Largest of their amplitudes; 0 where there is none"),
        spec("scr_rise_time", "s", _SCR_S, "Mean time from onset to summit of those responses; missing where there is none"),
        spec(
            "scr_recovery_time",
            "s",
            _SCR_S,
            "Mean time from summit to half of the amplitude, of the half recoveries that happen in the window",
        ),
        spec("phasic_sd", "uS", _PHASIC_S, "Standard deviation of the phasic (above 0.05 Hz)"),
        spec("phasic_auc", "uS*s", _PHASIC_S, "Mean of the phasic's positive part, times the window's length"),
        spec("eda_median", "uS", _LEVEL_S, "Median of the conductance (below 1 Hz)"),
        spec("eda_p10", "uS", _LEVEL_S, "10th percentile of the conductance"),
        spec("eda_sd", "uS", _PHASIC_S, "Standard deviation of the conductance"),
        spec("eda_range", "uS", _PHASIC_S, "Largest minus smallest conductance"),
        spec("eda_slope", "uS/min", _SLOPE_S, "Least-squares slope of the conductance"),
        spec("eda_log_slope", "1/min", _SLOPE_S, "Least-squares slope of ln(conductance + 0.05 µS)"),
        spec("eda_activity", "uS/s", _PHASIC_S, "Mean absolute rate of change of the conductance"),
        spec(
            "eda_band_sd",
            "uS",
            _BAND_S,
            "Standard deviation of what lies in 0.045–0.25 Hz",
            "Posada-Quintero 2016, Ann Biomed Eng 44:3124",
        ),
    )


class Eda:
    """Features of one EDA stream."""

    requires: ClassVar[str] = "eda"
    uses: ClassVar[tuple[str, ...]] = ()
    specs: ClassVar[tuple[FeatureSpec, ...]] = _specs()

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        self._rate = streams[self.requires].spec.hz
        self._line = EdaLine(self._rate)

    def push(self, chunk: Chunk) -> None:
        """Take the next samples."""
        self._line.push(chunk)

    def close(self, stream_id: str) -> None:
        """End the segment."""
        self._line.close()

    def final_ns(self, stream_id: str) -> int:
        """Session time before which nothing will change."""
        return self._line.final_ns()

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        self._line.forget(before_ns)

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        rows = self._line.between(window.start_ns, window.stop_ns)
        if not len(rows.verdicts):
            return Extracted.nothing(len(self.specs), Reason.NO_SIGNAL)
        flat = bool((rows.verdicts == REASONS.index(Reason.FLATLINE)).any())
        if flat and (not len(rows.level) or np.ptp(rows.level) <= _STILL * abs(rows.level[0])):
            return Extracted.nothing(len(self.specs), Reason.FLATLINE)
        share, worst = _usable_share(rows, window, self._rate)
        smooth = smoothness(rows.bends)
        rough = worst is Reason.OK and smooth < _WORTH_NAMING
        quality = (share * smooth, Reason.ARTEFACT if rough else worst)
        level_s, slow_s = len(rows.level) / self._rate, len(rows.slow) / self._rate
        reasons: dict[str, Reason] = {}
        for spec in self.specs:
            slow = spec.name in _TONIC_FEATURES
            # What is usable but not settled is lost to the slow features only.
            why = Reason.WARM_UP if slow and level_s >= spec.min_seconds else worst
            reasons[spec.name] = _missing(spec, window, slow_s if slow else level_s, why, self._rate)
        values: dict[str, float] = {}
        if len(rows.level):
            values |= _level_features(rows, self._rate) | _scr_features(rows, level_s)
        if len(rows.slow):
            values |= _slow_features(rows, window)
        return collect(self.specs, {s.name: values.get(s.name, np.nan) for s in self.specs}, reasons, quality)


def _usable_share(rows: Rows, window: Window, rate: float) -> tuple[float, Reason]:
    """Share of the window's samples that are there and usable; and what spoils most of it."""
    expected = window.seconds * rate
    n = len(rows.verdicts)
    # A window's edge may fall between two samples.
    lost = expected - n if n < expected * (1.0 - RATE_TOLERANCE) - 1.0 else 0.0
    counts = np.bincount(rows.verdicts, minlength=len(REASONS)).astype(float)
    counts[REASONS.index(Reason.GAP)] += lost
    share = counts[0] / counts.sum()
    return (1.0, Reason.OK) if share == 1.0 else (float(share), REASONS[1 + int(np.argmax(counts[1:]))])


def _missing(spec: FeatureSpec, window: Window, usable_s: float, worst: Reason, rate: float) -> Reason:
    least_rate = LEAST_SCR_RATE if spec.name.startswith("scr_") or spec.name == "eda_activity" else 0.0
    if rate < (LEAST_RATE if spec.name in _TONIC_FEATURES else least_rate):
        return Reason.NOT_SUPPORTED
    if window.seconds < spec.min_seconds:
        return Reason.TOO_SHORT
    if usable_s >= spec.min_seconds * (1.0 - RATE_TOLERANCE):
        return Reason.OK
    return Reason.TOO_SHORT if worst is Reason.OK else worst


def _slope(t_ns: NDArray[np.int64], y: Array) -> float:
    """Least-squares slope per minute; NaN where all samples are of one moment."""
    t = (t_ns - t_ns[0]) / (60 * NS)
    t -= t.mean()
    spread = float(t @ t)
    return float(t @ (y - y.mean())) / spread if spread > 0.0 else float("nan")


def _level_features(rows: Rows, rate: float) -> dict[str, float]:
    x = rows.level
    # Across what was left out there is no rate of change.
    steps = np.abs(np.diff(x))[np.diff(rows.t_ns) < 1.5 * NS / rate]
    return {
        "eda_median": float(np.median(x)),
        "eda_p10": float(np.percentile(x, 10)),
        "eda_sd": float(x.std()),
        "eda_range": float(np.ptp(x)),
        "eda_slope": _slope(rows.t_ns, x),
        "eda_log_slope": _slope(rows.t_ns, np.log(np.maximum(x, 0.0) + LOG_OFFSET_US)),
        "eda_activity": float(steps.mean()) * rate if len(steps) else float("nan"),
    }


def _slow_features(rows: Rows, window: Window) -> dict[str, float]:
    tonic, phasic, band = (np.ascontiguousarray(c) for c in rows.slow.T)
    return {
        "scl_mean": float(tonic.mean()),
        "scl_median": float(np.median(tonic)),
        "scl_slope": _slope(rows.slow_t_ns, tonic),
        "phasic_sd": float(phasic.std()),
        "phasic_auc": float(np.maximum(phasic, 0.0).mean()) * window.seconds,
        "eda_band_sd": float(band.std()),
    }


def _scr_features(rows: Rows, usable_s: float) -> dict[str, float]:
    sizes = rows.amplitudes
    out = {f"scr_count_{k}": float((sizes >= v).sum()) for k, v in _THRESHOLDS.items()}
    out |= {f"scr_rate_{k}": 60.0 * out[f"scr_count_{k}"] / usable_s for k in _THRESHOLDS}
    out["scr_amplitude_mean"] = float(sizes.mean()) if len(sizes) else float("nan")
    out["scr_amplitude_sum"] = float(sizes.sum())
    out["scr_amplitude_max"] = float(sizes.max()) if len(sizes) else 0.0
    out["scr_rise_time"] = float(rows.rise_s.mean()) if len(rows.rise_s) else float("nan")
    out["scr_recovery_time"] = float(rows.recovery_s.mean()) if len(rows.recovery_s) else float("nan")
    return out


EXTRACTOR = Eda
