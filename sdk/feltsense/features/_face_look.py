"""How a face looks and moves in a window: means of its rows' grey, texture and motion columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.face_row import GABORS, LBPS, span
from feltsense.core.vector import FeatureSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.features._frames import Frames

__all__ = ["LOOK_SPECS", "look"]

_LEVEL_S = 1.0
_OWN = "this library"
_OJALA = "Ojala 2002, IEEE TPAMI 24:971"
_HARALICK = "Haralick 1973, IEEE Trans SMC 3:610"
_DAUGMAN = "Daugman 1985, J Opt Soc Am A 2:1160"
_KROEGER = "Kroeger 2016, ECCV"
_CYCLES = (4, 8, 16)

_GREY = (
    FeatureSpec("grey_mean", "1", "Mean grey level of the face, 0–255", _OWN, _LEVEL_S),
    FeatureSpec("grey_std", "1", "Mean over frames of the grey levels' standard deviation", _OWN, _LEVEL_S),
    FeatureSpec("grey_skew", "1", "Mean over frames of the grey levels' skewness", _OWN, _LEVEL_S),
    FeatureSpec("grey_entropy", "bit", "Mean over frames of the grey levels' entropy", _OWN, _LEVEL_S),
)
_LBP = tuple(
    FeatureSpec(
        f"lbp_{k}",
        "1",
        f"Share of cells whose local binary pattern has {k} ones" if k < LBPS - 1 else "Share of cells of no such pattern",
        _OJALA,
        _LEVEL_S,
    )
    for k in range(LBPS)
)
_GLCM = tuple(
    FeatureSpec(f"glcm_{name}", "1", f"{long} of grey level co-occurrence, 32 levels, 4 directions", _HARALICK, _LEVEL_S)
    for name, long in (("contrast", "Contrast"), ("homog", "Homogeneity"), ("energy", "Energy"), ("corr", "Correlation"))
)
_GABOR = tuple(
    FeatureSpec(
        f"gabor_e{k}",
        "1",
        f"Share of variance in a Gabor filter of {_CYCLES[k // 4]} waves a face, across {45 * (k % 4)} degrees",
        _DAUGMAN,
        _LEVEL_S,
    )
    for k in range(GABORS)
)
_MOTION = (
    FeatureSpec("motion_energy", "1/s", "Mean absolute change of the picture's grey levels per second", _OWN, _LEVEL_S),
    FeatureSpec("flow_speed", "px/s", "Mean over frames of the face's median optical flow speed", _KROEGER, _LEVEL_S),
    FeatureSpec("flow_dir", "rad", "Direction of the mean flow: 0 right, π/2 down", _KROEGER, _LEVEL_S),
)

LOOK_SPECS = (*_GREY, *_LBP, *_GLCM, *_GABOR, *_MOTION)
"""In the order of the features."""
_LEAST_FLOW = 1e-6
"""px/s below which a mean flow has no direction."""


def look(frames: Frames, good: NDArray[np.bool_]) -> dict[str, float]:
    """Value of each feature; NaN where no usable row has it.

    Parameters
    ----------
    frames : Frames
        Rows of the window.
    good : ndarray of bool, shape (n,)
        Rows whose picture shows one face, lit and sharp.
    """
    still = _means(frames.rows[good][:, span("grey_mean", "gabor11")])
    moved = _means(frames.rows[good][:, span("motion_energy", "flow_speed")])
    energy, dx, dy, speed = moved.tolist()
    direction = float(np.arctan2(dy, dx)) if np.hypot(dx, dy) > _LEAST_FLOW else float("nan")
    names = [s.name for s in LOOK_SPECS]
    return dict(zip(names, [*still.tolist(), energy, speed, direction], strict=True))


def _means(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each column's finite values."""
    there = np.isfinite(columns)
    count = there.sum(axis=0)
    total = np.where(there, columns, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
