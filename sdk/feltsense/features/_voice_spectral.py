"""Spectrum of an utterance: its shape, its cepstrum, its long-term average and its modulation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import fft

from feltsense.core.vector import FeatureSpec
from feltsense.core.voice_row import BANDS
from feltsense.features._voice_functionals import LEAST_ROWS, LEAST_S, Contour, Family, correlation, spread, spread_specs
from feltsense.features._voice_rows import STEP_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.features._voice_rows import Rows

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["AVERAGE", "CEPSTRUM", "COUPLING", "MODULATION", "SHAPE"]

_GEMAPS = "Eyben 2016, IEEE Trans Affect Comput 7:190"
_PEETERS = "Peeters 2004, CUIDADO report"
_DAVIS = "Davis & Mermelstein 1980, IEEE Trans ASSP 28:357"
_BYRNE = "Byrne 1994, JASA 96:2108"
_WU = "Wu, Falk & Chan 2011, Speech Commun 53:768"
_OWN = "this library"

_SHAPES = (
    Contour("alpha_ratio", "dB", "power of 50–1,000 Hz over 1–5 kHz", _GEMAPS),
    Contour("hammarberg", "dB", "highest level of 0–2 kHz minus that of 2–5 kHz", _GEMAPS),
    Contour("slope_0_500", "dB/Hz", "slope of the spectrum, 20–500 Hz", _GEMAPS),
    Contour("slope_500_1500", "dB/Hz", "slope of the spectrum, 500–1,500 Hz", _GEMAPS),
    Contour("tilt", "dB/octave", "slope of the spectrum over octaves, 100–5,000 Hz", _OWN),
    Contour("centroid", "Hz", "mean frequency of the power", _PEETERS),
    Contour("flux", "1", "distance of unit-sum amplitude spectra 10 ms apart", _PEETERS),
)
"""Of voiced rows, and their mean in unvoiced ones: vowels and consonants differ more than feelings do."""
_SHAPES_ACTIVE = (
    Contour("spread", "Hz", "deviation of the power around the centroid, active rows", _PEETERS),
    Contour("entropy", "1", "entropy of the power over bins, 1 for white noise, active rows", _PEETERS),
    *(
        Contour(f"rolloff{q}", "Hz", f"frequency below which {q} % of the power is, active rows", _PEETERS)
        for q in (25, 50, 75, 90)
    ),
    Contour("high_1k", "dB", "share of power above 1 kHz, active rows", _OWN),
    Contour("high_4k", "dB", "share of power above 4 kHz, active rows", _OWN),
)


def _shape(rows: Rows) -> dict[str, float]:
    out: dict[str, float] = {}
    for c in _SHAPES:
        y = rows[c.name]
        out |= spread(c.name, np.where(rows.voiced, y, np.nan), mean="")
        out[f"{c.name}_unvoiced"] = float(y[rows.unvoiced].mean()) if rows.unvoiced.sum() >= LEAST_ROWS else float("nan")
    for c in _SHAPES_ACTIVE:
        out |= spread(c.name, np.where(rows.active, rows[c.name], np.nan), mean="")
    change = np.full(len(rows), np.nan)
    change[1:] = np.sqrt(np.square(np.diff(rows.bands, axis=0)).mean(axis=1))
    return out | spread("log_flux", np.where(rows.active, change, np.nan))


_LOG_FLUX = Contour("log_flux", "dB", "root mean square change of mel levels in 10 ms, active rows", _PEETERS)
SHAPE: Final = Family(
    (
        *(
            s
            for c in _SHAPES
            for s in (
                *spread_specs(c._replace(what=f"{c.what}, voiced rows"), mean=""),
                c.spec("_unvoiced", "Mean, unvoiced rows"),
            )
        ),
        *(s for c in _SHAPES_ACTIVE for s in spread_specs(c, mean="")),
        *spread_specs(_LOG_FLUX),
    ),
    _shape,
)

_CEPSTRA = range(1, 14)
_DELTA = np.arange(-2.0, 3.0) / 10.0
"""Regression over ±2 rows (Young 2006, The HTK Book)."""


def _delta(x: Array) -> Array:
    padded = np.pad(x, ((2, 2), (0, 0)), "edge")
    out = np.zeros_like(x)
    for i, w in enumerate(_DELTA.tolist()):
        out += w * padded[i : i + len(x)]
    return out


_CEPSTRAL = (
    ("_mean", "Mean over voiced rows"), ("_sd", "Standard deviation over voiced rows"),
    ("_active_mean", "Mean over active rows"), ("_active_sd", "Standard deviation over active rows"),
    ("_p10", "Percentile 10 over active rows"), ("_p90", "Percentile 90 over active rows"),
    ("_skew", "Skewness over active rows"), ("_delta_sd", "Standard deviation of the change, active rows"),
    ("_delta2_sd", "Standard deviation of the change of change, active rows"),
)  # fmt: skip


def _cepstrum(rows: Rows) -> dict[str, float]:
    c = rows.cepstra
    nothing = np.full(c.shape[1], np.nan)
    if rows.active.sum() < LEAST_ROWS:
        return {f"mfcc{i}{suffix}": float("nan") for i in _CEPSTRA for suffix, _ in _CEPSTRAL}
    change = _delta(c)
    a, v = c[rows.active], c[rows.voiced]
    sd = a.std(axis=0)
    middle = a - a.mean(axis=0)
    talks = len(v) >= LEAST_ROWS
    low, high = np.percentile(a, (10, 90), axis=0)
    columns = (
        v.mean(axis=0) if talks else nothing, v.std(axis=0) if talks else nothing, a.mean(axis=0), sd, low, high,
        (middle**3).mean(axis=0) / np.maximum(sd, 1e-9) ** 3, change[rows.active].std(axis=0),
        _delta(change)[rows.active].std(axis=0),
    )  # fmt: skip
    return {
        f"mfcc{i}{suffix}": float(values[i - 1])
        for (suffix, _), values in zip(_CEPSTRAL, columns, strict=True)
        for i in _CEPSTRA
    }


CEPSTRUM: Final = Family(
    tuple(
        FeatureSpec(f"mfcc{i}{suffix}", "1", f"{what}: mel-frequency cepstral coefficient {i}", _DAVIS, LEAST_S)
        for i in _CEPSTRA
        for suffix, what in _CEPSTRAL
    ),
    _cepstrum,
)


def _average(rows: Rows) -> dict[str, float]:
    bands = rows.bands
    total = 10.0 * np.log10((10.0 ** (bands / 10.0)).sum(axis=1))
    relative = bands - total[:, None]
    nothing = np.full(BANDS, np.nan)
    mean = relative[rows.voiced].mean(axis=0) if rows.voiced.sum() >= LEAST_ROWS else nothing
    sd = bands[rows.active].std(axis=0) if rows.active.sum() >= LEAST_ROWS else nothing
    return {f"ltas{i + 1}": float(mean[i]) for i in range(BANDS)} | {f"ltas{i + 1}_sd": float(sd[i]) for i in range(BANDS)}


AVERAGE: Final = Family(
    (
        *(
            FeatureSpec(f"ltas{i}", "dB", f"Mean level of mel band {i} re all bands, voiced rows", _BYRNE, LEAST_S)
            for i in range(1, BANDS + 1)
        ),
        *(
            FeatureSpec(f"ltas{i}_sd", "dB", f"Standard deviation of mel band {i}, active rows", _BYRNE, LEAST_S)
            for i in range(1, BANDS + 1)
        ),
    ),
    _average,
)

_GROUPS = 8
_WAVES = ((0.5, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 16.0), (16.0, 32.0))
_SEGMENT = 256
"""Rows (2.56 s) that are transformed at once, half overlapping: utterances of any length have the same resolution."""
_DEEP_DB = 50.0
_MODULATED_S = 1.0


def _modulation(rows: Rows) -> dict[str, float]:
    """Spectrum of the levels of 8 groups of bands, in five ranges of modulation frequency."""
    power = 10.0 ** (rows.bands / 10.0)
    cuts = np.linspace(0, BANDS, _GROUPS + 1).round().astype(int)[:-1]
    level = 10.0 * np.log10(np.add.reduceat(power, cuts, axis=1))
    where = np.flatnonzero(rows.active)
    level = level[where[0] : where[-1] + 1] if len(where) else level
    level = np.maximum(level, level.max(axis=0) - _DEEP_DB)
    hz = np.fft.rfftfreq(_SEGMENT, STEP_S)
    step = _SEGMENT // 2
    total = np.zeros((len(hz), _GROUPS))
    for a in range(0, max(len(level) - step, 1), step):
        part = level[a : a + _SEGMENT]
        part = (part - part.mean(axis=0)) * np.hanning(len(part) + 2)[1:-1, None]
        total += np.abs(fft.rfft(part, _SEGMENT, axis=0)) ** 2
    whole = total[(hz >= _WAVES[0][0]) & (hz < _WAVES[-1][1])].sum(axis=0) + 1e-9
    out: dict[str, float] = {}
    for low, high in _WAVES:
        share = total[(hz >= low) & (hz < high)].sum(axis=0) / whole
        out |= {f"mod{g + 1}_{low:g}": float(10.0 * np.log10(share[g] + 1e-4)) for g in range(_GROUPS)}
    return out | {f"mod{g + 1}_sd": float(level[:, g].std()) for g in range(_GROUPS)}


MODULATION: Final = Family(
    (
        *(
            FeatureSpec(
                f"mod{g}_{low:g}", "dB", f"Share of the modulation of band group {g} that is at {low:g}–{high:g} Hz", _WU,
                _MODULATED_S,
            )
            for low, high in _WAVES
            for g in range(1, _GROUPS + 1)
        ),
        *(
            FeatureSpec(f"mod{g}_sd", "dB", f"Standard deviation of the level of band group {g}", _WU, _MODULATED_S)
            for g in range(1, _GROUPS + 1)
        ),
    ),
    _modulation,
)  # fmt: skip

_PAIRS = (
    ("level", "pitch"), ("level", "alpha_ratio"), ("level", "centroid"), ("level", "hnr"), ("pitch", "alpha_ratio"),
    ("pitch", "centroid"), ("pitch", "hnr"), ("level", "mfcc1"), ("level", "mfcc2"), ("level", "mfcc3"), ("pitch", "mfcc1"),
    ("pitch", "mfcc2"), ("mfcc1", "mfcc2"), ("mfcc1", "mfcc3"), ("mfcc2", "mfcc3"),
)  # fmt: skip


def _coupling(rows: Rows) -> dict[str, float]:
    contours = {
        "level": rows.level, "pitch": rows.semitones, "alpha_ratio": rows["alpha_ratio"], "centroid": rows["centroid"],
        "hnr": rows.hnr, **{f"mfcc{i}": np.ascontiguousarray(rows.cepstra[:, i - 1]) for i in (1, 2, 3)},
    }  # fmt: skip
    voiced = {k: np.where(rows.voiced, y, np.nan) for k, y in contours.items()}
    return {f"with_{a}_{b}": correlation(voiced[a], voiced[b]) for a, b in _PAIRS}


COUPLING: Final = Family(
    tuple(FeatureSpec(f"with_{a}_{b}", "1", f"Correlation of {a} and {b}, voiced rows", _OWN, LEAST_S) for a, b in _PAIRS),
    _coupling,
)
