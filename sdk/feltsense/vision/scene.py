"""The whole picture, small and grey: how bright it is, and how it moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from feltsense.core.timeline import NS
from feltsense.errors import MissingExtraError
from feltsense.vision._opencv import opencv
from feltsense.vision.skin import patch, shrink

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.vision.detect import Box

    Array = NDArray[np.float64]

__all__ = ["GREY", "LONG_SIDE", "Scene", "Small"]

LONG_SIDE = 320
"""Pixels of the longer side of the small picture: a face of a tenth of it is 32 px wide."""
GREY = (0.299, 0.587, 0.114)
"""ITU-R BT.601."""
_LEAST = 12
"""Pixels either way that the flow needs (its patches are 8 wide)."""


class Small(NamedTuple):
    """The small picture of a frame.

    Attributes
    ----------
    grey : ndarray of uint8, shape (height, width)
        Grey levels.
    factor : float
        How many times larger the frame is; NaN where the small picture has other proportions.
    """

    grey: NDArray[np.uint8]
    factor: float


class Scene:
    """Looks at whole pictures, one after the other.

    With OpenCV optical flow is known (dense inverse search, Kroeger 2016, ECCV; its ultrafast preset); without, only how
    much the picture changes.
    """

    def __init__(self) -> None:
        self._cv: Any = None
        self._dis: Any = None
        try:
            self._cv = opencv("optical flow")
        except MissingExtraError:
            return
        self._dis = self._cv.DISOpticalFlow_create(self._cv.DISOPTICAL_FLOW_PRESET_ULTRAFAST)

    def small(self, image: NDArray[np.uint8]) -> Small:
        """The small grey picture of a frame."""
        if self._cv is None:
            part = patch(image, None)
            cells = shrink(part) @ np.array(GREY) if part is not None else image.mean(axis=2)
            return Small(np.rint(cells).astype(np.uint8), float("nan"))
        height, width = image.shape[:2]
        factor = max(1.0, max(height, width) / LONG_SIDE)
        if factor > 1.0:
            size = max(1, round(width / factor)), max(1, round(height / factor))
            image = self._cv.resize(image, size, interpolation=self._cv.INTER_AREA)
        return Small(self._cv.cvtColor(image, self._cv.COLOR_RGB2GRAY), factor)

    def motion(self, before: Small, now: Small, step_ns: int, box: Box | None) -> Array:
        """Mean absolute change of grey a second; median flow to the right and down, and median speed, px/s: shape (4,).

        Parameters
        ----------
        before, now : Small
            Two frames; nothing is known where their sizes differ.
        step_ns : int
            Time between them.
        box : Box or None
            The part whose flow matters, in pixels of the frame; None is all of it.
        """
        out = np.full(4, np.nan)
        if before.grey.shape != now.grey.shape:
            return out
        seconds = step_ns / NS
        out[0] = float(np.abs(now.grey.astype(np.int16) - before.grey).mean()) / seconds
        if self._dis is not None and min(now.grey.shape) >= _LEAST:
            out[1:] = self._flow(before, now, box) * (now.factor / seconds)
        return out

    def _flow(self, before: Small, now: Small, box: Box | None) -> Array:
        field = self._dis.calc(before.grey, now.grey, None)
        if box is not None:
            near = box.scaled(1.0 / now.factor)
            top, left = max(round(near.top), 0), max(round(near.left), 0)
            part = field[top : max(round(near.top + near.height), 0), left : max(round(near.left + near.width), 0)]
            field = part if part.size else field
        dx, dy = field[..., 0].ravel(), field[..., 1].ravel()
        return np.array([np.median(dx), np.median(dy), np.median(np.sqrt(dx * dx + dy * dy))], np.float64)
