"""Voice quality and the vocal tract: periodicity, cycles, harmonics, formants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense.core.vector import FeatureSpec
from feltsense.core.voice_row import column
from feltsense.dsp.voice.cycles import SUMS, jitter, shimmer
from feltsense.features._voice_functionals import LEAST_ROWS, LEAST_S, Contour, Family, spread, spread_specs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.features._voice_rows import Rows

    Array = NDArray[np.float64]

__all__ = ["FORMANTS", "PHONATION", "tract_length"]

_BOERSMA = "Boersma 1993, IFA Proc 17:97"
_TITZE = "Titze & Liang 1993, JSHR 36:1120"
_HANSON = "Hanson 1997, JASA 101:466"
_HILLENBRAND = "Hillenbrand 1994, JSHR 37:769"
_MAKHOUL = "Makhoul 1975, Proc IEEE 63:561"
_SOUND_CM_S = 35_000.0
"""Speed of sound in warm moist air, cm/s (Titze 1994)."""
_LOG_FLOOR = 0.01
"""Per cent below which a jitter or shimmer is the measure's own error."""

_QUALITY = (
    Contour("hnr", "dB", "harmonics-to-noise ratio, voiced rows", _BOERSMA),
    Contour("cpp", "dB", "cepstral peak prominence, voiced rows", _HILLENBRAND),
    Contour("h1_h2", "dB", "first harmonic minus second, voiced rows", _HANSON),
    Contour("h1_a1", "dB", "first harmonic minus the strongest at the first formant, voiced rows", _HANSON),
    Contour("h1_a2", "dB", "first harmonic minus the strongest at the second formant, voiced rows", _HANSON),
    Contour("h1_a3", "dB", "first harmonic minus the strongest at the third formant, voiced rows", _HANSON),
)


def _phonation(rows: Rows) -> dict[str, float]:
    out: dict[str, float] = {}
    for c in _QUALITY:
        y = rows.hnr if c.name == "hnr" else rows[c.name]
        out |= spread(c.name, np.where(rows.voiced, y, np.nan), mean="")
    a = column("pairs")
    sums = rows.rows[rows.voiced, a : a + SUMS].sum(axis=0)
    out["jitter"], out["shimmer"] = 100.0 * jitter(sums), 100.0 * shimmer(sums)
    for name in ("jitter", "shimmer"):
        out[f"{name}_log"] = float(np.log(max(out[name], _LOG_FLOOR))) if np.isfinite(out[name]) else float("nan")
    return out


PHONATION: Final = Family(
    (
        FeatureSpec("jitter", "%", "Mean change between neighbouring periods over the mean period", _TITZE, LEAST_S),
        FeatureSpec("shimmer", "%", "Mean change between neighbouring amplitudes over the mean amplitude", _TITZE, LEAST_S),
        FeatureSpec("jitter_log", "1", "Natural logarithm of the jitter in %", _TITZE, LEAST_S),
        FeatureSpec("shimmer_log", "1", "Natural logarithm of the shimmer in %", _TITZE, LEAST_S),
        *(s for c in _QUALITY for s in spread_specs(c, mean="")),
    ),
    _phonation,
)


def tract_length(f1: float, f2: float, f3: float) -> float:
    """Length in cm of the uniform tube with these resonances: mean of (2k − 1)·c / 4F (Wakita 1977, IEEE ASSP 25:183)."""
    ratios = [(2 * k - 1) / f for k, f in enumerate((f1, f2, f3), start=1) if f > 0.0]
    return float(np.mean(ratios)) * _SOUND_CM_S / 4.0 if len(ratios) == 3 else float("nan")


def _formants(rows: Rows) -> dict[str, float]:
    out: dict[str, float] = {}
    for i in (1, 2, 3):
        y = rows[f"f{i}"]
        there = rows.clear & (y > 0.0)
        out |= spread(f"f{i}", np.where(there, y, np.nan), mean="")
        width = rows[f"b{i}"][there]
        out[f"f{i}_bw"] = float(np.median(width)) if len(width) >= LEAST_ROWS else float("nan")
    out["tract_length"] = tract_length(*(out[f"f{i}_p50"] for i in (1, 2, 3)))
    return out


FORMANTS: Final = Family(
    (
        *(
            s
            for i in (1, 2, 3)
            for s in (
                *spread_specs(Contour(f"f{i}", "Hz", f"formant {i}, voiced rows of at least 5 dB HNR", _MAKHOUL), mean=""),
                FeatureSpec(f"f{i}_bw", "Hz", f"Median bandwidth of formant {i}", _MAKHOUL, LEAST_S),
            )
        ),
        FeatureSpec(
            "tract_length", "cm", "Length of the uniform tube whose first resonances are the median formants",
            "Wakita 1977, IEEE Trans ASSP 25:183", LEAST_S,
        ),
    ),
    _formants,
)  # fmt: skip
