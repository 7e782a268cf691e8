"""A face in one thermal frame: where it is, how large its pixels are there, and the temperatures of nose and forehead.

Geometry
--------
A pixel of a 32 × 24 array at arm's length is as large as the tip of a nose (16 mm at 0.5 m behind a 55° lens), so the
coldest pixel sees between 4 and 98 % of the tip, as it happens to lie. What does not depend on that is the *sum*: how
much colder than the skin around it a neighbourhood is that holds the whole tip. Divided by the tip's area in pixels it
is how much colder the tip is. So the correction for coverage is exact for a disc of 22 mm, wherever the pixels lie; its
scale is the face's width in pixels, for a head 150 mm wide: a head 10 % wider reads 20 % less.

Edges are found between pixels: a pixel at the rim counts for the share of it that is as warm as the face.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion, label

from feltsense.quality.thermal_array import (
    CUT,
    LEAST_CONTRAST_C,
    LEAST_SKIN_C,
    LEAST_WIDTH_PX,
    MISSING,
    NO_CONTRAST,
    NOBODY,
    OK,
    SMALL,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Face", "find_face", "from_camera", "otsu", "refined", "temperatures"]

HEAD_MM = 150.0
"""Breadth of a face, ear to ear, that pixels are measured by: adults are within 10 % of it."""
HEAD_SHAPE = 4.0 / 3.0
"""Height of a face, hairline to chin, over that breadth."""
TIP_MM = 22.0
"""Diameter of the tip of a nose, which is what cools."""
_TIP_DOWN = 0.54
"""Height of the tip below the hairline, as a share of the face's height."""
_TIP_SLACK_MM = 4.0
"""How far the tip may lie from there."""
_FOREHEAD = (0.075, 0.275)
"""Rows of the forehead, as shares of the face's height: below the hair, above the brows."""
_FOREHEAD_HALF = 0.25
"""Half of its width, as a share of the face's."""
_CHEEKS_FROM = 0.3
"""Skin around the nose is taken from below the brows."""
_WIDEST_ROWS = 3
"""Rows whose mean width is the face's: one alone is noise."""


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a frame, in pixels from the frame's top left corner; edges lie between pixels.

    Attributes
    ----------
    left, top : float
        Of its box.
    width : float
        Its breadth; its height follows from the shape of a head.
    """

    left: float
    top: float
    width: float

    @property
    def pixel_mm(self) -> float:
        """Size of a pixel at the face's distance."""
        return HEAD_MM / self.width

    @property
    def tip_pixels(self) -> float:
        """Area of the nose's tip in pixels: below 1 no pixel sees nothing else."""
        return np.pi * (TIP_MM / 2.0) ** 2 / self.pixel_mm**2


def otsu(values: Array) -> float:
    """Threshold that splits values into the two classes that differ most (Otsu 1979, IEEE Trans SMC 9:62).

    Parameters
    ----------
    values : ndarray, shape (n,)
        Finite.
    """
    x = np.sort(values)
    n = len(x)
    below = np.arange(1, n)
    total = np.cumsum(x)
    low, high = total[:-1] / below, (total[-1] - total[:-1]) / (n - below)
    best = int(np.argmax(below * (n - below) * (high - low) ** 2))
    return float(0.5 * (x[best] + x[best + 1]))


def find_face(frame: Array) -> tuple[Face | None, int]:
    """The face in a frame without a camera's help, and a verdict (:mod:`feltsense.quality.thermal_array`).

    Parameters
    ----------
    frame : ndarray, shape (rows, columns)
        °C.
    """
    if not np.isfinite(frame).all():
        return None, MISSING
    split = otsu(frame.ravel())
    parts, count = label(frame > max(split, LEAST_SKIN_C))
    if not count:
        return None, NOBODY
    body = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    behind = float(np.median(frame[frame <= split])) if (frame <= split).any() else -np.inf
    if float(np.median(frame[body])) - behind < LEAST_CONTRAST_C:
        return None, NO_CONTRAST
    if body[:, 0].any() or body[:, -1].any() or body[0].any():
        return None, CUT
    share = _share(frame, body, behind)
    rows = np.argsort(share.sum(axis=1))[-_WIDEST_ROWS:]
    width = float(share[rows].sum()) / _WIDEST_ROWS
    if width < LEAST_WIDTH_PX:
        return None, SMALL
    columns = np.arange(frame.shape[1]) + 0.5
    centre = float((share[rows] * columns).sum() / share[rows].sum())
    middle = np.abs(columns - centre) <= 1.5
    down = share[:, middle].mean(axis=1)
    first = int(np.argmax(down > 0.9))
    top = first - (float(down[first - 1]) if first else 0.0)
    face = Face(centre - width / 2.0, top, width)
    return (face, OK) if first else (None, CUT)


def _share(frame: Array, body: NDArray[np.bool_], behind: float) -> Array:
    """How much of each pixel is the body's: 1 inside, a share at its rim."""
    skin = float(np.median(frame[body]))
    share = np.clip((frame - behind) / (skin - behind), 0.0, 1.0)
    return np.where(binary_erosion(body), 1.0, np.where(binary_dilation(body), share, 0.0))


def from_camera(box: tuple[float, float, float, float], affine: Array) -> Face:
    """A camera's face box in the array's pixels.

    Parameters
    ----------
    box : tuple of float
        Left, top, right, bottom in the camera's pixels: ear to ear, hairline to chin.
    affine : ndarray, shape (2, 3)
        Camera pixels (x, y, 1) → array pixels, from four or more warm spots seen by both at working distance.
    """
    left, top, right, _ = box
    corners = np.array([[left, top, 1.0], [right, top, 1.0]]) @ np.asarray(affine, float).T
    return Face(float(corners[0, 0]), float(corners[:, 1].mean()), float(corners[1, 0] - corners[0, 0]))


def refined(frame: Array, face: Face, reach: int = 2) -> Face:
    """A projected face, moved by whole pixels to where the warm pixels fit its oval best.

    The parallax of a camera beside the array is a pixel or two; more is a wrong calibration.

    Parameters
    ----------
    frame : ndarray, shape (rows, columns)
        °C, finite.
    face : Face
        As :func:`from_camera` projects it.
    reach : int, optional
        Most pixels to move in each direction.
    """
    rows, columns = (np.arange(n) + 0.5 for n in frame.shape)
    warm = frame - frame.mean()
    best, chosen = -np.inf, face
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            x = (columns - face.left - dx) / face.width * 2.0 - 1.0
            y = (rows - face.top - dy) / (face.width * HEAD_SHAPE) * 2.0 - 1.0
            oval = (x[None, :] ** 2 + y[:, None] ** 2 <= 1.0).astype(float)
            # At equal fit the smaller move counts.
            fit = float(((oval - oval.mean()) * warm).sum()) - 1e-6 * (abs(dx) + abs(dy))
            if fit > best:
                best, chosen = fit, Face(face.left + dx, face.top + dy, face.width)
    return chosen


def temperatures(frame: Array, face: Face) -> tuple[float, float] | None:
    """Nose tip, corrected for coverage, and forehead, °C; None where the frame does not hold all that is needed.

    Parameters
    ----------
    frame : ndarray, shape (rows, columns)
        °C.
    face : Face
        Where the face is.
    """
    rows, columns = (np.arange(n) + 0.5 for n in frame.shape)
    size, height = face.pixel_mm, face.width * HEAD_SHAPE
    across = np.abs(columns - (face.left + face.width / 2.0))
    down = rows - face.top
    distance = np.hypot((down - _TIP_DOWN * height)[:, None], across[None, :]) * size
    whole = TIP_MM / 2.0 + _TIP_SLACK_MM + size / np.sqrt(2.0)
    core = distance <= whole
    cheeks = (down > _CHEEKS_FROM * height)[:, None] & (across < 0.4 * face.width)[None, :]
    ring = ~core & (distance <= whole + 1.5 * size) & cheeks
    low, high = _FOREHEAD
    # Pixels that lie wholly between the two rows, or else the one in the middle.
    inside = (down - 0.5 >= low * height) & (down + 0.5 <= high * height)
    if not inside.any():
        inside = np.abs(down - 0.5 * (low + high) * height) <= 0.5
    brow = inside[:, None] & (across <= _FOREHEAD_HALF * face.width)[None, :]
    full = int(np.ceil((_TIP_DOWN * height + whole / size) + face.top)) <= frame.shape[0]
    if not (full and ring.any() and brow.any()):
        return None
    skin = float(np.median(frame[ring]))
    colder = float((skin - frame[core]).sum()) / face.tip_pixels
    return skin - colder, float(np.median(frame[brow]))
