"""Landmarks by a face mesh network in a folder that the user names; none is shipped with or fetched by this library.

The folder holds ``face_landmark.tflite``: input 192 × 192 red green blue in 0..1; outputs 1404 numbers (468 points, in
pixels of the input) and one score of a face being there (a logit). OpenCV 4 runs it. The face's box is cut out with half
of its size more around it and turned upright by the eyes of the frame before.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.errors import InputError
from feltsense.vision._opencv import opencv
from feltsense.vision.mesh import MESH_POINTS

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from feltsense.vision.detect import Box

    Array = NDArray[np.float64]

__all__ = ["TfliteMesh"]

FILE = "face_landmark.tflite"
SIDE = 192
MARGIN = 1.5
"""Side of what the network sees, in sides of the face: what it was trained on."""
_LEAST_LOGIT = 0.0
"""Even odds that there is a face."""
_EYES = (33, 263)


class TfliteMesh:
    """The network, run by OpenCV.

    Parameters
    ----------
    folder : str or path-like
        Where the user keeps the model file.

    Raises
    ------
    InputError
        If the folder has no such file, or OpenCV cannot read it.
    MissingExtraError
        If OpenCV 4 is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._cv = opencv("a face mesh")
        path = Path(folder) / FILE
        if not path.is_file():
            msg = f"{folder}: holds no {FILE}; name the folder in which you keep it"
            raise InputError(msg)
        try:
            self._net: Any = self._cv.dnn.readNetFromTFLite(str(path))
        except self._cv.error as e:
            msg = f"{path}: OpenCV cannot read it as a TFLite model; use the published face_landmark model of 468 points"
            raise InputError(msg) from e
        self._names = self._net.getUnconnectedOutLayersNames()
        self._last: Array | None = None

    def landmarks(self, image: NDArray[np.uint8], box: Box) -> Array | None:
        """Points, shape (468, 3), in pixels of the image; None where the box holds no face."""
        centre, side, angle = self._place(box)
        c, s = np.cos(angle) * SIDE / side, np.sin(angle) * SIDE / side
        to_net = np.array([[c, s, 0.0], [-s, c, 0.0]])
        to_net[:, 2] = SIDE / 2.0 - to_net[:, :2] @ centre
        part = self._cv.warpAffine(image, to_net, (SIDE, SIDE), flags=self._cv.INTER_LINEAR)
        self._net.setInput(self._cv.dnn.blobFromImage(part, 1.0 / 255.0, (SIDE, SIDE)))
        found = sorted((np.asarray(o, np.float64).ravel() for o in self._net.forward(self._names)), key=len)
        points, score = found[-1], found[0]
        if len(points) != 3 * MESH_POINTS[0] or len(score) != 1:
            msg = f"{FILE}: gives {len(points)} numbers, expected 1404; use the published model of 468 points"
            raise InputError(msg)
        if not score[0] > _LEAST_LOGIT or not np.isfinite(points).all():
            self._last = None
            return None
        mesh = points.reshape(-1, 3)
        back = np.linalg.inv(np.vstack((to_net, (0.0, 0.0, 1.0))))[:2]
        out = np.column_stack((mesh[:, :2] @ back[:, :2].T + back[:, 2], mesh[:, 2] * side / SIDE))
        self._last = out
        return out

    def _place(self, box: Box) -> tuple[Array, float, float]:
        """Centre, side and turn of what the network is to see: about the last points, if they lie in the box."""
        centre = np.array([box.left + box.width / 2.0, box.top + box.height / 2.0])
        side, angle = MARGIN * max(box.width, box.height), 0.0
        if self._last is not None:
            low, high = self._last[:, :2].min(axis=0), self._last[:, :2].max(axis=0)
            middle = (low + high) / 2.0
            if np.abs(middle - centre).max() < box.width / 2.0:
                centre, side = middle, MARGIN * float((high - low).max())
                across = self._last[_EYES[1], :2] - self._last[_EYES[0], :2]
                angle = float(np.arctan2(across[1], across[0]))
        return centre, side, angle
