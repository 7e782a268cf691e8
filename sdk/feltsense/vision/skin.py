"""The mean colour of skin, in 3 × 3 cells of a face or of a whole picture; numpy alone.

Which pixels are skin is learned from the picture itself: the colour (without its brightness) of the middle of the face,
whatever the person's skin is like, and how far it spreads. Weights are soft and change over seconds, so that no pixel
comes and goes in the rhythm of anything. Nothing is said of the person; no tone is favoured by a fixed range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.face_row import REGIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.vision.detect import Box

    Array = NDArray[np.float64]

__all__ = ["SIDE", "SkinMeans", "patch", "shrink"]

SIDE = 64
"""A face is looked at as 64 × 64 cells, each the mean of its pixels."""
SETTLE_S = 2.0
"""Seconds in which weights follow the picture to 63 %."""
SATURATED, BLACK = 250.0, 8.0
"""Grey levels at the ends of the scale: a pulse does not show there."""
_SPREADS = 3.0
"""Robust standard deviations of the colour at which a weight has fallen to 10 %."""
_LEAST_SPREAD = 0.006
"""Of the colour's share; sensor noise in a cell's mean is about that in dim light."""
_CELLS = int(REGIONS**0.5)
_CELL = np.minimum(np.arange(SIDE) * _CELLS // SIDE, _CELLS - 1)
_EDGES = np.searchsorted(_CELL, np.arange(_CELLS))
_LARGEST = 480
"""Pixels of the shorter side of a whole picture that are looked at: every second pixel of a larger one."""


def patch(image: NDArray[np.uint8], box: Box | None) -> NDArray[np.uint8] | None:
    """Part of a picture that lies in a box; None where less than 64 pixels of it either way are in the picture.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        The picture.
    box : Box or None
        The part; None is the whole, of which every k-th pixel is taken when it is large.
    """
    height, width = image.shape[:2]
    if box is None:
        step = max(1, min(height, width) // _LARGEST)
        part = image[::step, ::step]
    else:
        left, top = round(box.left), round(box.top)
        part = image[max(top, 0) : max(top + round(box.height), 0), max(left, 0) : max(left + round(box.width), 0)]
    return part if min(part.shape[:2]) >= SIDE else None


def shrink(image: NDArray[np.uint8]) -> Array:
    """Means of 64 × 64 cells of a picture, shape (64, 64, 3); every pixel counts once."""
    height, width = image.shape[:2]
    rows, columns = (np.arange(SIDE) * n // SIDE for n in (height, width))
    sums = np.add.reduceat(np.add.reduceat(image, rows, axis=0, dtype=np.uint32), columns, axis=1, dtype=np.uint32)
    area = np.diff(np.append(rows, height))[:, None] * np.diff(np.append(columns, width))[None, :]
    return np.asarray(sums / area[:, :, None])


class SkinMeans:
    """Mean colours of the skin in the cells of one face, frame by frame.

    Parameters
    ----------
    whole : bool
        The picture is nothing but skin, or skin before something else; otherwise it is a face's box.
    """

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole
        y, x = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1.0) - 0.5
        # A cascade's box has background in its corners, and the chin near its lower edge.
        inside = np.clip((1.0 - (x / 0.40) ** 2 - (y / 0.52) ** 2) / 0.2, 0.0, 1.0)
        self._shape = np.ones((SIDE, SIDE)) if whole else inside
        self._middle = (np.abs(x) < 0.25) & (y > -0.38) & (y < 0.28)
        self.reset()

    def reset(self) -> None:
        """Forget what skin was: another face, or the first frame after a gap."""
        self._weight: Array | None = None
        self._last_ns = 0

    def update(self, cells: Array, t_ns: int) -> tuple[Array, float]:
        """Mean colours of a frame.

        Parameters
        ----------
        cells : ndarray, shape (64, 64, 3)
            Red, green, blue (:func:`shrink`).
        t_ns : int
            Time of the frame.

        Returns
        -------
        ndarray, shape (36,)
            Mean red of each cell, green, blue, and the share of the cell that is skin; NaN colours where none is.
        float
            Share of the skin that is at the end of the scale.
        """
        target = self._target(cells)
        if self._weight is None:
            self._weight = target
        else:
            pace = 1.0 - float(np.exp(-(t_ns - self._last_ns) / (SETTLE_S * 1e9)))
            self._weight = self._weight + (target - self._weight) * pace
        self._last_ns = t_ns
        weight = self._weight
        share = _by_cell(weight)
        colour = _by_cell(cells * weight[:, :, None])
        size = _by_cell(np.ones((SIDE, SIDE)))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(share[:, None] > 0.01 * size[:, None], colour / share[:, None], np.nan)
        total = float(weight.sum())
        ends = (cells.max(axis=2) > SATURATED) | (cells.max(axis=2) < BLACK)
        clipped = float((ends * weight).sum() / total) if total > 0.0 else 1.0
        return np.concatenate((mean.T.ravel(), share / size)), clipped

    def _target(self, cells: Array) -> Array:
        """How much each cell of this frame looks like skin, 0..1."""
        level = cells.sum(axis=2)
        share = cells[:, :, :2] / np.maximum(level, 1.0)[:, :, None]
        lit = (cells.max(axis=2) <= SATURATED) & (level > 3.0 * BLACK)
        seed = lit & (_skin_like(share) if self._whole else self._middle)
        if seed.sum() < SIDE:
            # No colour that faces usually have: what the picture is mostly made of must do.
            seed = lit if lit.any() else np.ones_like(lit)
        colours = share[seed]
        middle = np.median(colours, axis=0)
        spread = np.maximum(1.4826 * np.median(np.abs(colours - middle), axis=0), _LEAST_SPREAD)
        far = np.sum(((share - middle) / (_SPREADS * spread)) ** 2, axis=2)
        bright = max(float(np.median(level[seed])), 1.0)
        # Nostrils, brows and hair have skin's colour, but not its brightness.
        alike = np.exp(-2.3 * far) * np.clip((level / bright - 0.4) / 0.2, 0.0, 1.0)
        weight: Array = alike * self._shape
        return weight


def _skin_like(share: Array) -> NDArray[np.bool_]:
    """Whether colours are such as skin of any tone has under white light: red above green above blue."""
    red, green = share[:, :, 0], share[:, :, 1]
    blue = 1.0 - red - green
    return (red > 0.36) & (red > green + 0.02) & (green >= blue - 0.02)


def _by_cell(values: Array) -> Array:
    """Sums over 3 × 3 cells, row by row: shape (9,) or (9, c)."""
    sums = np.add.reduceat(np.add.reduceat(values, _EDGES, axis=0), _EDGES, axis=1)
    return np.asarray(sums.reshape(REGIONS, *values.shape[2:]))
