"""Measures of a face from 468 or 478 landmarks: eyes, mouth, brows, pose of the head, gaze.

Landmarks come from outside: an app's own mesh (MediaPipe's numbering, which phones and browsers deliver), or
:class:`feltsense.vision.mesh_tflite.TfliteMesh` with model files that the user names. Coordinates are x to the right, y
down, z away from the camera, all in one unit (pixels).

Everything is measured in the head's own frame and in units of the distance between the outer eye corners, so that
neither the distance to the camera nor a tilted head changes it. How far a measure is from the person's usual one is for
the model to say, which knows the person's rest; only the eyes' opening and the head's pose can be given relative to a
:class:`Neutral` at once, since blinks and looking away are counted by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from feltsense.core.face_row import AT, span
from feltsense.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from feltsense.vision.detect import Box

    Array = NDArray[np.float64]

__all__ = ["MESH_POINTS", "Mesh", "Neutral", "checked", "measures", "pose"]

MESH_POINTS = (468, 478)
"""Without and with the irises."""
_OUTER = (33, 263)
"""Outer eye corners, the person's right and left."""
_FACE_TOP, _CHIN = 10, 152
_RIGHT_EYE, _LEFT_EYE = (33, 160, 158, 133, 153, 144), (263, 387, 385, 362, 380, 373)
"""Corner, two of the upper lid, corner, two of the lower lid (Soukupová & Čech 2016, CVWW)."""
_LIPS, _CORNERS = (13, 14), (61, 291)
_BROWS, _INNER_BROWS = (105, 334), (107, 336)
_NOSE_BASE, _UPPER_LIP = 2, 0
_IRISES = (468, 473)
STANDARD_OPEN = 0.30
"""Aspect ratio of an open eye that a neutral is scaled to (Soukupová & Čech 2016, figure 1)."""


class Mesh(Protocol):
    """Finds the landmarks of a face."""

    def landmarks(self, image: NDArray[np.uint8], box: Box) -> Array | None:
        """Points, shape (468 or 478, 3), in pixels of the image; None where the box holds no face."""


@dataclass(frozen=True, slots=True)
class Neutral:
    """A person at rest who looks at the screen.

    Attributes
    ----------
    eye_open : float
        Aspect ratio of the open eyes.
    yaw, pitch, roll : float
        Pose, degrees.
    """

    eye_open: float = STANDARD_OPEN
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    @classmethod
    def of(cls, rows: Array) -> Neutral:
        """Learn it from rows of some seconds at rest: medians, which blinks do not move.

        Raises
        ------
        InputError
            If no row has measures of a mesh.
        """
        eyes = rows[:, [AT["eye_left"], AT["eye_right"]]].mean(axis=1)
        seen = np.isfinite(eyes)
        if not seen.any():
            msg = "a neutral face is learned from rows with landmarks; none of these has any"
            raise InputError(msg)
        angles = np.median(rows[seen][:, span("yaw", "roll")], axis=0)
        return cls(float(np.median(eyes[seen])), *angles.tolist())

    def apply(self, found: Array) -> Array:
        """Measures relative to this person: eyes scaled to an open one of 0.30, pose from the neutral pose."""
        out = found.copy()
        out[:2] *= STANDARD_OPEN / self.eye_open
        out[8:11] -= (self.yaw, self.pitch, self.roll)
        return out


def checked(landmarks: ArrayLike) -> Array:
    """Landmarks as an array, shape (468 or 478, 3).

    Raises
    ------
    InputError
        If they are not.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    if points.ndim != 2 or points.shape[0] not in MESH_POINTS or points.shape[1] != 3 or not np.isfinite(points).all():
        msg = f"landmarks: give 468 or 478 finite points (x, y, z) in pixels, got an array of shape {points.shape}"
        raise InputError(msg)
    return points


def _frame(points: Array) -> Array:
    """Axes of the head as columns: its left, down, and away from the camera."""
    x = points[_OUTER[1]] - points[_OUTER[0]]
    x = x / max(float(np.sqrt(x @ x)), 1e-9)
    down = points[_CHIN] - points[_FACE_TOP]
    z = np.cross(x, down)
    z = z / max(float(np.sqrt(z @ z)), 1e-9)
    return np.stack((x, np.cross(z, x), z), axis=1)


def pose(points: Array) -> tuple[float, float, float]:
    """Yaw, pitch and roll of the head, degrees.

    From the mesh's own rigid points (eye corners, forehead, chin), which is steadier than fitting a model to six points.
    Yaw grows to the picture's left, pitch as the chin comes to the camera, roll clockwise in the picture.
    """
    axes = _frame(points)
    yaw = -np.arcsin(np.clip(axes[2, 0], -1.0, 1.0))
    pitch = np.arctan2(axes[2, 1], axes[2, 2])
    roll = np.arctan2(axes[1, 0], axes[0, 0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def measures(landmarks: ArrayLike) -> Array:
    """All measures in the order of the row's columns ``eye_left`` to ``gaze_y``, shape (13,).

    Parameters
    ----------
    landmarks : array_like, shape (468 or 478, 3)
        Points of the mesh.

    Raises
    ------
    InputError
        If they are no such points.
    """
    points = checked(landmarks)
    head = (points - points.mean(axis=0)) @ _frame(points)
    unit = max(_apart(head, *_OUTER), 1e-9)
    eyes_y = float(np.mean(head[[*_RIGHT_EYE, *_LEFT_EYE], 1]))
    corners_y, lips_y = float(head[list(_CORNERS), 1].mean()), float(head[list(_LIPS), 1].mean())
    gaze = np.full(2, np.nan)
    if len(points) > _IRISES[0]:
        gaze = np.mean([_gaze(head, i, e) for i, e in zip(_IRISES, (_RIGHT_EYE, _LEFT_EYE), strict=True)], axis=0)
    return np.array(
        [
            _aspect(head, _LEFT_EYE),
            _aspect(head, _RIGHT_EYE),
            _apart(head, *_LIPS) / unit,
            _apart(head, *_CORNERS) / unit,
            (lips_y - corners_y) / unit,
            (eyes_y - float(head[list(_BROWS), 1].mean())) / unit,
            _apart(head, *_INNER_BROWS) / unit,
            _apart(head, _NOSE_BASE, _UPPER_LIP) / unit,
            *pose(points),
            *gaze.tolist(),
        ]
    )


def _apart(points: Array, a: int, b: int) -> float:
    d = points[a] - points[b]
    return float(np.sqrt(d @ d))


def _aspect(points: Array, eye: tuple[int, ...]) -> float:
    """Eye aspect ratio: mean height of the lids' opening over the eye's width."""
    a, b, c, d, e, f = eye
    return (_apart(points, b, f) + _apart(points, c, e)) / (2.0 * max(_apart(points, a, d), 1e-9))


def _gaze(head: Array, iris: int, eye: tuple[int, ...]) -> Array:
    """Iris in the eye's box: −1 to 1 across, and down in the same unit."""
    a, d = head[eye[0]], head[eye[3]]
    half = max(_apart(head, eye[0], eye[3]) / 2.0, 1e-9)
    return np.asarray((head[iris] - (a + d) / 2.0)[:2] / half)
