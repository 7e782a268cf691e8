"""Functionals: from a contour to a few numbers. Every one gives NaN where there is too little to say.

A *family* is a pair: the specs of its features, and a function from a window's rows to their values by name. The specs
are the order of columns; tests hold that both name the same features.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import fft

from feltsense.core.vector import FeatureSpec
from feltsense.features._voice_rows import STEP_S, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.features._voice_rows import Rows

    Array = NDArray[np.float64]

__all__ = ["LEAST_ROWS", "LEAST_S", "Contour", "Family", "correlation", "shape", "shape_specs", "slope_specs", "slopes",
           "spread", "spread_specs"]  # fmt: skip

LEAST_ROWS = 3
"""Rows below which a contour has no spread."""
LEAST_S = 0.5
"""Seconds of sound in a window below which there is no utterance."""
_STEEPEST = 300.0
"""Semitones (or units) a second; faster is an error of the tracker, not a voice (Xu & Sun 2002: 100 st/s at most)."""
_LEAST_RUN = 4
_MOVE = 2
"""Rows that a rise or fall lasts at least."""
_SHAPES = 4


class Family(NamedTuple):
    """Features that are computed together."""

    specs: tuple[FeatureSpec, ...]
    values: Callable[[Rows], Mapping[str, float]]


class Contour(NamedTuple):
    """What a contour is, for specs.

    Attributes
    ----------
    name, unit, what, source : str
        Name of its features, unit, definition in words, and source.
    """

    name: str
    unit: str
    what: str
    source: str

    def spec(self, suffix: str, how: str, unit: str | None = None, least: float = LEAST_S) -> FeatureSpec:
        """One functional of it."""
        return FeatureSpec(f"{self.name}{suffix}", unit or self.unit, f"{how}: {self.what}", self.source, least)


def spread_specs(c: Contour, points: Sequence[int] = (20, 50, 80), mean: str = "_mean") -> list[FeatureSpec]:
    """Mean, deviation, percentiles and the range between the outer two."""
    return [
        c.spec(mean, "Mean"),
        c.spec("_sd", "Standard deviation"),
        *(c.spec(f"_p{q}", f"Percentile {q}") for q in points),
        c.spec("_range", f"Percentile {points[-1]} minus {points[0]}"),
    ]


def spread(name: str, y: Array, points: Sequence[int] = (20, 50, 80), mean: str = "_mean") -> dict[str, float]:
    """Values of :func:`spread_specs`; `y` finite or NaN where it does not count."""
    y = y[np.isfinite(y)]
    names = [f"{name}{mean}", f"{name}_sd", *(f"{name}_p{q}" for q in points), f"{name}_range"]
    if len(y) < LEAST_ROWS:
        return dict.fromkeys(names, float("nan"))
    p = np.percentile(y, points).tolist()
    return dict(zip(names, [float(y.mean()), float(y.std()), *p, p[-1] - p[0]], strict=True))


def slope_specs(c: Contour) -> list[FeatureSpec]:
    """Rises, falls, the line through all, and mean change."""
    per_s = f"{c.unit}/s"
    return [
        *(c.spec(f"_{n}_mean", f"Mean slope of {n}s between turns of the contour", per_s) for n in ("rise", "fall")),
        *(c.spec(f"_{n}_sd", f"Standard deviation of the slopes of {n}s", per_s) for n in ("rise", "fall")),
        c.spec("_slope", "Least-squares slope", per_s),
        c.spec("_change", "Mean absolute change from row to row", per_s),
    ]


def slopes(name: str, y: Array) -> dict[str, float]:
    """Values of :func:`slope_specs`; runs are what lies between NaN."""
    there = np.isfinite(y)
    moves: dict[str, list[float]] = {"rise": [], "fall": []}
    for a, b in zip(*runs(there), strict=True):
        if b - a < _LEAST_RUN:
            continue
        z = np.convolve(np.pad(y[a:b], 1, "edge"), np.full(3, 1.0 / 3.0), "valid")
        turn = np.flatnonzero(np.diff(np.sign(np.diff(z))) != 0) + 1
        for i, j in pairwise((0, *turn.tolist(), len(z) - 1)):
            if j - i >= _MOVE:
                slope = float(np.clip((z[j] - z[i]) / ((j - i) * STEP_S), -_STEEPEST, _STEEPEST))
                moves["rise" if slope > 0.0 else "fall"].append(slope)
    out = {}
    for n, found in moves.items():
        # A voice that never rises has a mean rise of nothing: that is known, not missing.
        enough = int(there.sum()) >= LEAST_ROWS
        out[f"{name}_{n}_mean"] = float(np.mean(found)) if found else (0.0 if enough else float("nan"))
        out[f"{name}_{n}_sd"] = float(np.std(found)) if found else (0.0 if enough else float("nan"))
    t = np.flatnonzero(there) * STEP_S
    out[f"{name}_slope"] = out[f"{name}_change"] = float("nan")
    if len(t) >= LEAST_ROWS:
        d = t - t.mean()
        out[f"{name}_slope"] = float(d @ y[there] / (d @ d))
        step = np.abs(np.diff(y))
        step = step[np.isfinite(step)]
        if len(step):
            out[f"{name}_change"] = float(np.minimum(step / STEP_S, _STEEPEST).mean())
    return out


def shape_specs(c: Contour) -> list[FeatureSpec]:
    """Cosines of the contour stretched to unit length."""
    return [
        c.spec(f"_shape{k}", f"Cosine coefficient {k} (half waves over the utterance), bridged by lines")
        for k in range(1, _SHAPES + 1)
    ]


def shape(name: str, y: Array) -> dict[str, float]:
    """Values of :func:`shape_specs`: where the contour goes, whatever its level and the utterance's length."""
    there = np.flatnonzero(np.isfinite(y))
    names = [f"{name}_shape{k}" for k in range(1, _SHAPES + 1)]
    if len(there) < LEAST_ROWS * 2:
        return dict.fromkeys(names, float("nan"))
    whole = np.interp(np.arange(there[0], there[-1] + 1), there, y[there])
    c = fft.dct(whole - whole.mean(), 2) / len(whole)
    return dict(zip(names, c[1 : _SHAPES + 1].tolist(), strict=True))


def correlation(x: Array, y: Array) -> float:
    """Correlation of two contours where both are; 0 if either is constant."""
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < 2 * LEAST_ROWS:
        return float("nan")
    x, y = x[both] - x[both].mean(), y[both] - y[both].mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size > 0.0 else 0.0
