"""The columns of a camera's stream of kind ``face``: one row of numbers a frame, never an image.

Whoever makes rows (:mod:`feltsense.vision`, an app's own camera code) and whoever reads them share this table. A
column that a maker cannot fill is NaN. Positions are pixels of the frame as the camera gave it; grey levels are
0..255.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AT", "COLUMNS", "GABORS", "LBPS", "REGIONS", "SKIN", "span"]

REGIONS: Final = 9
"""Skin is averaged in 3 × 3 cells of the face (row by row): what is common to them is the pulse."""
LBPS: Final = 10
GABORS: Final = 12

_FRAME = ("faces", "left", "top", "width", "height", "luma", "contrast", "sharpness", "clipped")
"""Faces found (NaN: none was looked for) · box of the face · mean and standard deviation of the frame's grey levels ·
variance of the face's Laplacian over its variance · share of skin at the end of the scale."""
SKIN: Final = tuple(f"{colour}{k}" for colour in "rgbn" for k in range(REGIONS))
"""Mean red, green and blue of each cell's skin, and the share n of the cell that is skin."""
_GREY = ("grey_mean", "grey_std", "grey_skew", "grey_entropy")
_LBP = tuple(f"lbp{k}" for k in range(LBPS))
_GLCM = ("glcm_contrast", "glcm_homog", "glcm_energy", "glcm_corr")
_GABOR = tuple(f"gabor{k}" for k in range(GABORS))
_MOTION = ("motion_energy", "flow_x", "flow_y", "flow_speed")
"""Mean absolute change of grey per second · median flow of the face to its left and down, and its speed, in px/s."""
_MESH = (
    "eye_left",
    "eye_right",
    "mouth_open",
    "mouth_width",
    "corner_raise",
    "brow_raise",
    "brow_gap",
    "nose_lip",
    "yaw",
    "pitch",
    "roll",
    "gaze_x",
    "gaze_y",
)
"""Measures of a landmark mesh (:mod:`feltsense.vision.mesh`)."""

COLUMNS: Final = (*_FRAME, *SKIN, *_GREY, *_LBP, *_GLCM, *_GABOR, *_MOTION, *_MESH)
"""All columns, in order."""
AT: Final[Mapping[str, int]] = MappingProxyType({name: i for i, name in enumerate(COLUMNS)})
"""Position of a column."""


def span(first: str, last: str) -> slice:
    """Columns from `first` to `last`, both in it."""
    return slice(AT[first], AT[last] + 1)
