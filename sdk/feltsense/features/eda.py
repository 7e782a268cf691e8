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
from feltsense.features._eda_line import EdaLine
from feltsense.features._event_scr import EventResponse, event_responses
from feltsense.features._gate import gated
from feltsense.quality.eda import REASONS, smoothness

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        self._key: tuple[float, float, float, Reason] | None = None
        self._why: list[Reason] = []
        self._rules = tuple(
            (s.min_seconds, s.name in _TONIC_FEATURES, self._rate >= _least_rate(s.name)) for s in self.specs
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
        return self.many([window])[0]

    def many(self, windows: Sequence[Window]) -> list[Extracted]:
        """Features of windows that are final: those with as many samples are computed as rows of one array."""
        found = self._line.between(windows)
        values: list[dict[str, float]] = [{} for _ in windows]
        groups: dict[tuple[int, int], list[int]] = {}
        for i, rows in enumerate(found):
            groups.setdefault((len(rows.level), len(rows.slow)), []).append(i)
        for mine in groups.values():
            for i, own in zip(mine, _computed([found[i] for i in mine], self._rate, windows[0].seconds), strict=True):
                values[i] = own
        return [self._gated(w, r, v) for w, r, v in zip(windows, found, values, strict=True)]

    def _gated(self, window: Window, rows: Rows, values: dict[str, float]) -> Extracted:
        if not len(rows.verdicts):
            return Extracted.nothing(len(self.specs), Reason.NO_SIGNAL)
        marked = bool(rows.verdicts.any())
        flat = marked and bool((rows.verdicts == REASONS.index(Reason.FLATLINE)).any())
        if flat and (not len(rows.level) or np.ptp(rows.level) <= _STILL * abs(rows.level[0])):
            return Extracted.nothing(len(self.specs), Reason.FLATLINE)
        share, worst = _usable_share(rows, marked, window, self._rate)
        smooth = smoothness(rows.bends)
        rough = worst is Reason.OK and smooth < _WORTH_NAMING
        quality = (share * smooth, Reason.ARTEFACT if rough else worst)
        level_s, slow_s = len(rows.level) / self._rate, len(rows.slow) / self._rate
        if window.seconds >= SYMPATHETIC_SECONDS and len(rows.level):
            values["eda_symp"], values["eda_symp_n"] = self._sympathetic.power(*_gapless(rows, self._rate))
        key = window.seconds, level_s, slow_s, worst
        if key != self._key:
            self._key, self._why = key, self._reasons(*key)
        return gated([values.get(s.name, math.nan) for s in self.specs], self._why, quality)

    def _reasons(self, length: float, level_s: float, slow_s: float, worst: Reason) -> list[Reason]:
        """Why each feature cannot be given, from the usable seconds of the conductance and of the slow filters."""
        out = []
        for min_seconds, slow, supported in self._rules:
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
            out.append(reason)
        return out


def _usable_share(rows: Rows, marked: bool, window: Window, rate: float) -> tuple[float, Reason]:
    """Share of the window's samples that are there and usable; and what spoils most of it."""
    expected = window.seconds * rate
    n = len(rows.verdicts)
    # A window's edge may fall between two samples.
    lost = expected - n if n < expected * (1.0 - RATE_TOLERANCE) - 1.0 else 0.0
    if not marked:
        return (n / (n + lost), Reason.GAP) if lost else (1.0, Reason.OK)
    counts = np.bincount(rows.verdicts, minlength=len(REASONS)).tolist()
    counts[REASONS.index(Reason.GAP)] += lost
    return counts[0] / (n + lost), REASONS[1 + counts[1:].index(max(counts[1:]))]


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


def _mean(x: Array) -> Array:
    """Of each row, shape (k, 1)."""
    out: Array = np.add.reduce(x, axis=1, keepdims=True) / x.shape[1]
    return out


def _sd(x: Array) -> Array:
    """Standard deviation (n) of each row."""
    c = x - _mean(x)
    c *= c
    out: Array = np.sqrt(_mean(c))
    return out


def _quantile(ordered: Array, q: float) -> Array:
    """As :func:`feltsense.dsp.intervals.quantile`, of each row, shape (k, 1)."""
    at = q * (ordered.shape[1] - 1)
    low = int(at)
    high = min(low + 1, ordered.shape[1] - 1)
    below = ordered[:, low : low + 1]
    out: Array = below + (ordered[:, high : high + 1] - below) * (at - low)
    return out


class _Line:
    """Least-squares slopes per minute over the same moments, a window a row; NaN where there is only one moment."""

    def __init__(self, t_ns: NDArray[np.int64]) -> None:
        t = (t_ns - t_ns[:, :1]) / (60 * NS)
        self._t = t - _mean(t)
        spread = np.add.reduce(self._t * self._t, axis=1, keepdims=True)
        self._spread = np.where(spread > 0.0, spread, np.nan)

    def slope(self, y: Array) -> Array:
        out: Array = np.add.reduce(self._t * y, axis=1, keepdims=True) / self._spread
        return out


def _computed(rows: list[Rows], rate: float, seconds: float) -> list[dict[str, float]]:
    """Features of windows with as many samples of everything."""
    columns: dict[str, Array] = {}
    if len(rows[0].level):
        t = np.array([r.t_ns for r in rows])
        line = _Line(t)
        columns |= _level_features(np.array([r.level for r in rows]), t, line, rate)
        if len(rows[0].slow):
            slow_t = np.array([r.slow_t_ns for r in rows])
            same = slow_t.shape == t.shape and np.array_equal(slow_t, t)
            columns |= _slow_features(np.array([r.slow.T for r in rows]), line if same else _Line(slow_t), seconds)
    names = tuple(columns)
    found = np.concatenate(list(columns.values()), axis=1).tolist() if columns else [[]] * len(rows)
    usable_s = len(rows[0].level) / rate
    return [
        dict(zip(names, f, strict=True)) | (_scr_features(r, usable_s) if names else {})
        for f, r in zip(found, rows, strict=True)
    ]


def _level_features(x: Array, t_ns: NDArray[np.int64], line: _Line, rate: float) -> dict[str, Array]:
    # Across what was left out there is no rate of change.
    steps, together = np.abs(x[:, 1:] - x[:, :-1]), t_ns[:, 1:] - t_ns[:, :-1] < 1.5 * NS / rate
    if together.all():
        activity = _mean(steps) * rate if steps.shape[1] else np.full((len(x), 1), np.nan)
    else:
        kept = [s[k] for s, k in zip(steps, together, strict=True)]
        activity = np.array([[float(np.add.reduce(s)) / len(s) * rate if len(s) else math.nan] for s in kept])
    # A partition has the order statistics that are asked for at their places, in a third of a sort's time.
    ordered = np.partition(x, _places(x.shape[1], 0.0, 0.1, 0.5, 1.0), axis=1)
    return {
        "eda_median": _quantile(ordered, 0.5),
        "eda_p10": _quantile(ordered, 0.1),
        "eda_sd": _sd(x),
        "eda_range": ordered[:, -1:] - ordered[:, :1],
        "eda_slope": line.slope(x),
        "eda_log_slope": line.slope(np.log(np.maximum(x, 0.0) + LOG_OFFSET_US)),
        "eda_activity": activity,
    }


def _slow_features(slow: Array, line: _Line, seconds: float) -> dict[str, Array]:
    tonic, phasic, band = (np.ascontiguousarray(slow[:, k]) for k in range(3))
    return {
        "scl_mean": _mean(tonic),
        "scl_median": _quantile(np.partition(tonic, _places(tonic.shape[1], 0.5), axis=1), 0.5),
        "scl_slope": line.slope(tonic),
        "phasic_sd": _sd(phasic),
        "phasic_auc": _mean(np.maximum(phasic, 0.0)) * seconds,
        "eda_band_sd": _sd(band),
    }


def _scr_features(rows: Rows, usable_s: float) -> dict[str, float]:
    sizes, rises, recoveries = rows.amplitudes.tolist(), rows.rise_s, rows.recovery_s
    out: dict[str, float] = {}
    for name, threshold in _THRESHOLDS.items():
        count = float(sum(size >= threshold for size in sizes))
        out[f"scr_count_{name}"], out[f"scr_rate_{name}"] = count, 60.0 * count / usable_s
    out["scr_amplitude_mean"] = sum(sizes) / len(sizes) if sizes else math.nan
    out["scr_amplitude_sum"] = float(sum(sizes))
    out["scr_amplitude_max"] = max(sizes, default=0.0)
    out["scr_rise_time"] = float(np.add.reduce(rises)) / len(rises) if len(rises) else math.nan
    out["scr_recovery_time"] = float(np.add.reduce(recoveries)) / len(recoveries) if len(recoveries) else math.nan
    return out


EXTRACTOR = Eda
