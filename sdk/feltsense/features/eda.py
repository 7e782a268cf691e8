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
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.dsp.eda import LEAST_RATE, LEAST_SCR_RATE, SCR_LEAST_US
from feltsense.dsp.eda_spectrum import SYMPATHETIC_SECONDS, Sympathetic
from feltsense.features._eda_line import EdaLine
from feltsense.features._eda_numbers import JOINED, LEVEL, LOG_OFFSET_US, Line, level_numbers, slow_numbers
from feltsense.features._event_scr import EventResponse, event_responses
from feltsense.features._gate import Gates
from feltsense.quality.eda import REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.window import Window
    from feltsense.features._eda_line import Rows

    Array = NDArray[np.float64]

__all__ = ["EXTRACTOR", "LOG_OFFSET_US", "Eda", "EventResponse", "event_responses"]

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


_SPECS = _specs()
_NOTHING_SLOW = (math.nan,) * 3, (math.nan,) * 2, math.nan


class Eda:
    """Features of one EDA stream."""

    requires: ClassVar[str] = "eda"
    uses: ClassVar[tuple[str, ...]] = ()
    specs: ClassVar[tuple[FeatureSpec, ...]] = _SPECS

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        self._rate = streams[self.requires].spec.hz
        self._line = EdaLine(self._rate)
        self._moments = Line()
        self._sympathetic = Sympathetic(self._rate)
        self._key: tuple[float, float, float, Reason] | None = None
        self._gates = Gates.of(())
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
        """Features of windows that are final: what they hold is looked up for all of them together."""
        return [self._of(w, rows) for w, rows in zip(windows, self._line.between(windows), strict=True)]

    def _of(self, window: Window, rows: Rows) -> Extracted:
        if not len(rows.verdicts):
            return Extracted.nothing(len(self.specs), Reason.NO_SIGNAL)
        flat = rows.marked and bool((rows.verdicts == REASONS.index(Reason.FLATLINE)).any())
        level = rows.level[LEVEL]
        if flat and (not len(level) or np.ptp(level) <= _STILL * abs(level[0])):
            return Extracted.nothing(len(self.specs), Reason.FLATLINE)
        share, worst = _usable_share(rows, window, self._rate)
        rough = worst is Reason.OK and rows.smooth < _WORTH_NAMING
        quality = (share * rows.smooth, Reason.ARTEFACT if rough else worst)
        level_s, slow_s = len(level) / self._rate, len(rows.slow_t_ns) / self._rate
        key = window.seconds, level_s, slow_s, worst
        if key != self._key:
            self._key, self._gates = key, Gates.of(self._reasons(*key))
        return self._gates.let(np.array(self._values(window.seconds, rows)), quality)

    def _values(self, seconds: float, rows: Rows) -> list[float]:
        """Features of a window of a length, in the order of the specs; NaN where what they are made of is not there."""
        n = len(rows.t_ns)
        if not n:
            return [math.nan] * len(self.specs)
        tonic, phasic, band = _NOTHING_SLOW
        if len(rows.slow_t_ns):
            tonic, phasic, band = slow_numbers(rows.slow_t_ns, rows.slow, self._moments, seconds)
        level = level_numbers(rows.t_ns, rows.level, self._moments, self._rate)
        power = math.nan, math.nan
        if seconds >= SYMPATHETIC_SECONDS:
            power = self._sympathetic.power(*_gapless(rows))
        return [*tonic, *_scr_features(rows, n / self._rate), *phasic, *level, band, *power]

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


def _usable_share(rows: Rows, window: Window, rate: float) -> tuple[float, Reason]:
    """Share of the window's samples that are there and usable; and what spoils most of it."""
    expected = window.seconds * rate
    n = len(rows.verdicts)
    # A window's edge may fall between two samples.
    lost = expected - n if n < expected * (1.0 - RATE_TOLERANCE) - 1.0 else 0.0
    if not rows.marked:
        return (n / (n + lost), Reason.GAP) if lost else (1.0, Reason.OK)
    counts = np.bincount(rows.verdicts, minlength=len(REASONS)).tolist()
    counts[REASONS.index(Reason.GAP)] += lost
    return counts[0] / (n + lost), REASONS[1 + counts[1:].index(max(counts[1:]))]


def _gapless(rows: Rows) -> tuple[NDArray[np.int64], Array]:
    """The longest stretch of usable conductance without a gap, with its times."""
    joined = rows.level[JOINED, 1:]
    if np.count_nonzero(joined) == len(joined):
        return rows.t_ns, rows.level[LEVEL]
    borders = [0, *(np.flatnonzero(joined == 0.0) + 1).tolist(), len(rows.t_ns)]
    a, b = max(pairwise(borders), key=lambda ab: ab[1] - ab[0])
    return rows.t_ns[a:b], rows.level[LEVEL, a:b]


def _least_rate(name: str) -> float:
    """Hz below which a feature has no meaning."""
    if name in _TONIC_FEATURES:
        return LEAST_RATE
    return LEAST_SCR_RATE if name.startswith("scr_") or name == "eda_activity" else 0.0


def _scr_features(rows: Rows, usable_s: float) -> list[float]:
    """Features of the responses, in the order of the specs: counts, rates, sizes, times."""
    sizes = rows.amplitudes.tolist()
    counts = [float(sum([size >= threshold for size in sizes])) for threshold in _THRESHOLDS.values()]
    rates = [60.0 * count / usable_s for count in counts]
    total = float(sum(sizes))
    rises, recoveries = rows.rise_s.tolist(), rows.recovery_s.tolist()
    return [
        *counts,
        *rates,
        total / len(sizes) if sizes else math.nan,
        total,
        max(sizes, default=0.0),
        sum(rises) / len(rises) if rises else math.nan,
        sum(recoveries) / len(recoveries) if recoveries else math.nan,
    ]


EXTRACTOR = Eda
