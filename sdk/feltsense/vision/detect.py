"""Where the face is: boxes, and the detector that needs no model beyond OpenCV's own cascade.

A detector is anything that has ``detect(grey) -> list of Box``; an app that has a better one (a phone's own, a neural
one) passes its boxes instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from feltsense.vision._opencv import opencv

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Box", "CascadeDetector", "Detector"]

SCALE_STEP, NEIGHBOURS = 1.1, 6
"""Viola & Jones 2001; 6 overlapping hits instead of OpenCV's 3: a wall paper's pattern is seldom hit six times."""
LEAST_SHARE = 1 / 8
"""Smallest face searched, as a share of the frame's shorter side: a smaller one has too few pixels for anything."""
SECOND_FACE = 0.5
"""A second face counts from half of the first one's width on: smaller ones are people behind, and posters."""


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle, in pixels of its frame; parts outside the frame are possible.

    Attributes
    ----------
    left, top, width, height : float
        Corner and size.
    """

    left: float
    top: float
    width: float
    height: float

    def scaled(self, factor: float) -> Box:
        """The box in a frame that is `factor` times as large."""
        return Box(self.left * factor, self.top * factor, self.width * factor, self.height * factor)

    def overlap(self, other: Box) -> float:
        """Shared area over joint area, 0..1."""
        across = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        down = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        shared = max(across, 0.0) * max(down, 0.0)
        return shared / (self.width * self.height + other.width * other.height - shared)


class Detector(Protocol):
    """Finds faces in a grey picture."""

    def detect(self, grey: NDArray[np.uint8]) -> list[Box]:
        """Boxes of the faces that matter, largest first, in pixels of `grey` (height, width)."""


class CascadeDetector:
    """OpenCV's frontal face cascade (Lienhart & Maydt 2002), whose file comes with the OpenCV 4 wheel.

    Raises
    ------
    MissingExtraError
        If OpenCV 4 is not installed.
    """

    def __init__(self) -> None:
        cv2 = opencv("finding faces")
        path = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
        self._cascade: Any = cv2.CascadeClassifier(str(path))

    def detect(self, grey: NDArray[np.uint8]) -> list[Box]:
        """Boxes of the faces that matter, largest first, in pixels of `grey` (height, width)."""
        least = max(24, round(min(grey.shape) * LEAST_SHARE))
        found = self._cascade.detectMultiScale(grey, SCALE_STEP, NEIGHBOURS, minSize=(least, least))
        boxes = sorted((Box(*(float(v) for v in f)) for f in found), key=lambda b: -b.width)
        return [b for b in boxes if b.width >= SECOND_FACE * boxes[0].width]
