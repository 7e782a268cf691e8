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

import math
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feltsense.core.timeline import NS
from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.dsp.eda import LEAST_RATE, LEAST_SCR_RATE, SCR_LEAST_US
from feltsense.dsp.eda_spectrum import SYMPATHETIC_SECONDS, Sympathetic
from feltsense.dsp.intervals import quantile
from feltsense.features._eda_line import EdaLine
from feltsense.features._event_scr import EventResponse, event_responses
from feltsense.features._gate import collect
from feltsense.quality.eda import REASONS, smoothness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.window import Window
    from feltsense.features._eda_line import Rows

    Array = NDArray[np.float64]

__all__ = ["EXTRACTOR", "LOG_OFFSET_US", "Eda", "EventResponse", "event_responses"]

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

_POSADA = "Posada-Quintero 2016, Ann Biomed Eng 44:3124"
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
            _POSADA,
        ),
        spec("eda_symp", "uS^2", SYMPATHETIC_SECONDS, "EDASymp: power of the conductance at 0.045–0.25 Hz", _POSADA),
        spec("eda_symp_n", "1", SYMPATHETIC_SECONDS, "EDASympN: that power as a share of the power above 0.01 Hz", _POSADA),
    )


class Eda:
    """Features of one EDA stream."""

    requires: ClassVar[str] = "eda"
    uses: ClassVar[tuple[str, ...]] = ()
    specs: ClassVar[tuple[FeatureSpec, ...]] = _specs()

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        self._rate = streams[self.requires].spec.hz
        self._line = EdaLine(self._rate)
        self._sympathetic = Sympathetic(self._rate)
        self._rules = tuple(
            (s.name, s.min_seconds, s.name in _TONIC_FEATURES, self._rate >= _least_rate(s.name)) for s in self.specs
        )

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
        self._sympathetic.forget(before_ns)

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
        values = dict.fromkeys((s.name for s in self.specs), math.nan)
        if len(rows.level):
            line = _Line(rows.t_ns)
            values |= _level_features(rows, line, self._rate) | _scr_features(rows, level_s)
        if window.seconds >= SYMPATHETIC_SECONDS and len(rows.level):
            values["eda_symp"], values["eda_symp_n"] = self._sympathetic.power(*_gapless(rows, self._rate))
        if len(rows.slow):
            same = len(rows.slow) == len(rows.level) and np.array_equal(rows.slow_t_ns, rows.t_ns)
            values |= _slow_features(rows, line if same else _Line(rows.slow_t_ns), window)
        return collect(self.specs, values, self._reasons(window, level_s, slow_s, worst), quality)

    def _reasons(self, window: Window, level_s: float, slow_s: float, worst: Reason) -> dict[str, Reason]:
        """Why each feature cannot be given, from the usable seconds of the conductance and of the slow filters."""
        out = {}
        length = window.seconds
        for name, min_seconds, slow, supported in self._rules:
            least = min_seconds * (1.0 - RATE_TOLERANCE)
            if not supported:
                reason = Reason.NOT_SUPPORTED
            elif length < min_seconds:
                reason = Reason.TOO_SHORT
            elif (slow_s if slow else level_s) >= least:
                reason = Reason.OK
            elif slow and level_s >= min_seconds:
                reason = Reason.WARM_UP  # what is usable but not settled is lost to the slow features only
            else:
                reason = Reason.TOO_SHORT if worst is Reason.OK else worst
            out[name] = reason
        return out


def _usable_share(rows: Rows, window: Window, rate: float) -> tuple[float, Reason]:
    """Share of the window's samples that are there and usable; and what spoils most of it."""
    expected = window.seconds * rate
    n = len(rows.verdicts)
    # A window's edge may fall between two samples.
    lost = expected - n if n < expected * (1.0 - RATE_TOLERANCE) - 1.0 else 0.0
    counts = np.bincount(rows.verdicts, minlength=len(REASONS)).tolist()
    counts[REASONS.index(Reason.GAP)] += lost
    share = counts[0] / (n + lost)
    return (1.0, Reason.OK) if share == 1.0 else (share, REASONS[1 + counts[1:].index(max(counts[1:]))])


def _gapless(rows: Rows, rate: float) -> tuple[NDArray[np.int64], Array]:
    """The longest stretch of usable conductance without a gap, with its times."""
    cuts = np.flatnonzero(rows.t_ns[1:] - rows.t_ns[:-1] > 1.5 * NS / rate) + 1
    if not len(cuts):
        return rows.t_ns, rows.level
    borders = [0, *cuts.tolist(), len(rows.t_ns)]
    a, b = max(pairwise(borders), key=lambda ab: ab[1] - ab[0])
    return rows.t_ns[a:b], rows.level[a:b]


def _least_rate(name: str) -> float:
    """Hz below which a feature has no meaning."""
    if name in _TONIC_FEATURES:
        return LEAST_RATE
    return LEAST_SCR_RATE if name.startswith("scr_") or name == "eda_activity" else 0.0


@lru_cache(maxsize=256)
def _places(n: int, *shares: float) -> list[int]:
    """Places of the order statistics that the quantiles `shares` of n numbers are made of."""
    at = [int(q * (n - 1)) for q in shares]
    return sorted({*at, *(min(k + 1, n - 1) for k in at)})


def _mean(x: Array) -> float:
    return float(np.add.reduce(x)) / len(x)


def _sd(x: Array) -> float:
    """Standard deviation (n)."""
    c = x - _mean(x)
    return math.sqrt(_mean(c * c))


class _Line:
    """Least-squares slopes per minute over the same moments; NaN where there is only one."""

    def __init__(self, t_ns: NDArray[np.int64]) -> None:
        t = (t_ns - t_ns[0]) / (60 * NS)
        self._t = t - _mean(t)
        self._spread = float(np.add.reduce(self._t * self._t))

    def slope(self, y: Array) -> float:
        return float(np.add.reduce(self._t * y)) / self._spread if self._spread > 0.0 else math.nan


def _level_features(rows: Rows, line: _Line, rate: float) -> dict[str, float]:
    x, t = rows.level, rows.t_ns
    # Across what was left out there is no rate of change.
    steps = np.abs(x[1:] - x[:-1])
    together = t[1:] - t[:-1] < 1.5 * NS / rate
    if not together.all():
        steps = steps[together]
    # A partition has the order statistics that are asked for at their places, in a third of a sort's time.
    ordered = np.partition(x, _places(len(x), 0.0, 0.1, 0.5, 1.0))
    return {
        "eda_median": quantile(ordered, 0.5),
        "eda_p10": quantile(ordered, 0.1),
        "eda_sd": _sd(x),
        "eda_range": float(ordered[-1] - ordered[0]),
        "eda_slope": line.slope(x),
        "eda_log_slope": line.slope(np.log(np.maximum(x, 0.0) + LOG_OFFSET_US)),
        "eda_activity": _mean(steps) * rate if len(steps) else math.nan,
    }


def _slow_features(rows: Rows, line: _Line, window: Window) -> dict[str, float]:
    tonic, phasic, band = rows.slow.T.copy()
    return {
        "scl_mean": _mean(tonic),
        "scl_median": quantile(np.partition(tonic, _places(len(tonic), 0.5)), 0.5),
        "scl_slope": line.slope(tonic),
        "phasic_sd": _sd(phasic),
        "phasic_auc": _mean(np.maximum(phasic, 0.0)) * window.seconds,
        "eda_band_sd": _sd(band),
    }


def _scr_features(rows: Rows, usable_s: float) -> dict[str, float]:
    sizes = rows.amplitudes.tolist()
    out = {f"scr_count_{k}": float(sum(size >= v for size in sizes)) for k, v in _THRESHOLDS.items()}
    out |= {f"scr_rate_{k}": 60.0 * out[f"scr_count_{k}"] / usable_s for k in _THRESHOLDS}
    out["scr_amplitude_mean"] = sum(sizes) / len(sizes) if sizes else math.nan
    out["scr_amplitude_sum"] = float(sum(sizes))
    out["scr_amplitude_max"] = max(sizes, default=0.0)
    out["scr_rise_time"] = _mean(rows.rise_s) if len(rows.rise_s) else math.nan
    out["scr_recovery_time"] = _mean(rows.recovery_s) if len(rows.recovery_s) else math.nan
    return out


EXTRACTOR = Eda
