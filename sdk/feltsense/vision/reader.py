"""From frames to rows: the front end of a camera's stream of kind ``face``.

Contract
--------
- A frame is an array of uint8, (height, width, 3), red green blue, and the time at which it was exposed. What comes
  out is a chunk of one row (:mod:`feltsense.core.face_row`); the frame is dropped, nothing of it is kept but a small
  grey picture until the next one.
- Opens no file and no socket, starts no thread, reads no clock.
- A camera exposes when it likes: rows have their frames' own times, the stream's rate is only its pace. A step of more
  than a quarter of a second, or of more than three paces, is a gap: a new segment begins, and tracking starts anew.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.chunk import StreamInfo
from feltsense.core.face_row import AT, COLUMNS, SKIN, span
from feltsense.core.signals import spec
from feltsense.errors import InputError
from feltsense.vision.detect import Box, CascadeDetector
from feltsense.vision.frame_rows import FrameRows
from feltsense.vision.mesh import Neutral, checked, measures
from feltsense.vision.scene import GREY, Scene, Small
from feltsense.vision.skin import SkinMeans, patch, shrink
from feltsense.vision.texture import appearance, sharpness
from feltsense.vision.track import Tracker

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from feltsense.core.chunk import Chunk, Gap
    from feltsense.vision.detect import Detector
    from feltsense.vision.mesh import Mesh

__all__ = ["FaceReader", "camera_stream"]


def camera_stream(rate: float | Fraction | str, stream_id: str = "camera.face") -> StreamInfo:
    """Stream of kind ``face``.

    Parameters
    ----------
    rate : float, Fraction or str
        Frames per second that the camera aims at.
    stream_id : str, optional
        ``<device>.<stream>``.
    """
    return StreamInfo(stream_id, spec("face", rate), stream_id.rpartition(".")[0])


class FaceReader:
    """Frames in, one-row chunks out.

    Parameters
    ----------
    info : StreamInfo
        The stream (:func:`camera_stream`).
    region : str or Box, optional
        ``"face"``: find a face and follow it. ``"frame"``: the whole picture is skin, or skin before something else.
        A :class:`Box`: so is this part of it.
    detector : Detector, optional
        What finds faces; default OpenCV's cascade. Not asked for where a frame comes with its boxes.
    mesh : Mesh, optional
        What finds landmarks in a face (:class:`feltsense.vision.mesh_tflite.TfliteMesh`). Not asked for where a frame comes
        with its landmarks.
    neutral : Neutral, optional
        The person's usual opening of the eyes and pose of the head.

    Raises
    ------
    MissingExtraError
        With the first frame, if a face is to be found and OpenCV is not installed.
    """

    def __init__(
        self,
        info: StreamInfo,
        region: str | Box = "face",
        detector: Detector | None = None,
        mesh: Mesh | None = None,
        neutral: Neutral | None = None,
    ) -> None:
        if info.spec.name != "face" or info.spec.rate is None:
            msg = f"{info.id}: a camera's stream is of kind face and has a rate; make it by camera_stream()"
            raise InputError(msg)
        if isinstance(region, str) and region not in ("face", "frame"):
            msg = f"region {region!r}: give 'face', 'frame' or a Box"
            raise InputError(msg)
        self.info = info
        self._region, self._detector, self._mesh = region, detector, mesh
        self._neutral = neutral or Neutral()
        self._tracker: Tracker | None = None
        self._skin = SkinMeans(whole=region != "face")
        self._rows = FrameRows(info)
        self._scene = Scene()
        self._before: Small | None = None

    def push(
        self,
        image: NDArray[np.uint8],
        t_ns: int,
        boxes: list[Box] | None = None,
        landmarks: ArrayLike | None = None,
    ) -> Chunk:
        """Read one frame.

        Parameters
        ----------
        image : ndarray of uint8, shape (height, width, 3)
            Red, green, blue.
        t_ns : int
            Session time of the exposure, ns.
        boxes : list of Box, optional
            Faces that somebody else found, the one that matters first; then no detector is asked.
        landmarks : array_like, shape (468 or 478, 3), optional
            Mesh of the face that matters, from somebody else (:mod:`feltsense.vision.mesh`).

        Raises
        ------
        InputError
            If it is no such image, or not later than the frame before, or the landmarks are none.
        """
        self._check(image, t_ns)
        points = None if landmarks is None else checked(landmarks)
        gap = self._step(t_ns)
        row = np.full(len(COLUMNS), np.nan)
        box = self._look(image, boxes, row)
        if points is None and self._mesh is not None and box is not None:
            points = self._mesh.landmarks(image, box)
        return self._row(row, points, gap)

    def push_landmarks(self, landmarks: ArrayLike | None, t_ns: int) -> Chunk:
        """Read one frame of which only the mesh is known: a phone or a browser that keeps the picture to itself.

        Parameters
        ----------
        landmarks : array_like, shape (468 or 478, 3), or None
            The mesh; None where no face was found.
        t_ns : int
            Session time of the exposure, ns.
        """
        points = None if landmarks is None else checked(landmarks)
        self._rows.check(t_ns)
        gap = self._step(t_ns)
        row = np.full(len(COLUMNS), np.nan)
        row[AT["faces"]] = 0.0 if points is None else 1.0
        return self._row(row, points, gap)

    def _row(self, row: NDArray[np.float64], points: NDArray[np.float64] | None, gap: Gap | None) -> Chunk:
        """Finish a row: a chunk."""
        if points is not None:
            row[span("eye_left", "gaze_y")] = self._neutral.apply(measures(points))
        return self._rows.chunk(row, gap)

    def _check(self, image: NDArray[np.uint8], t_ns: int) -> None:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            msg = (
                f"{self.info.id}: a frame is an array of uint8 of shape (height, width, 3), red green blue; "
                f"got {image.dtype} of shape {image.shape}"
            )
            raise InputError(msg)
        self._rows.check(t_ns)

    def _step(self, t_ns: int) -> Gap | None:
        """Go to the next frame; where some are missing before it, nothing is carried across."""
        gap = self._rows.step(t_ns)
        if gap is not None:
            self._before = None
            if self._tracker is not None:
                self._tracker.reset()
            self._skin.reset()
        return gap

    def _look(self, image: NDArray[np.uint8], boxes: list[Box] | None, row: NDArray[np.float64]) -> Box | None:
        """Fill a row from a picture; where the face is."""
        small = self._scene.small(image)
        row[span("luma", "contrast")] = small.grey.mean(), small.grey.std()
        box = self._region if isinstance(self._region, Box) else None
        if self._region == "face":
            box = self._find(small, boxes, row)
        if self._before is not None:
            row[span("motion_energy", "flow_speed")] = self._scene.motion(self._before, small, self._rows.since_ns, box)
        self._before = small
        part = patch(image, box) if box is not None or self._region == "frame" else None
        if part is None:
            # The face is gone: the next one may be another's.
            self._skin.reset()
            return None
        cells = shrink(part)
        row[span(SKIN[0], SKIN[-1])], row[AT["clipped"]] = self._skin.update(cells, self._rows.last_ns or 0)
        grey = cells @ np.array(GREY)
        row[AT["sharpness"]] = sharpness(grey)
        row[span("grey_mean", "gabor11")] = appearance(grey)
        return box

    def _find(self, small: Small, boxes: list[Box] | None, row: NDArray[np.float64]) -> Box | None:
        """Where the face is, in pixels of the frame."""
        if boxes is not None:
            box = boxes[0] if boxes else None
            row[AT["faces"]] = len(boxes)
        else:
            if self._tracker is None:
                self._tracker = Tracker(self._detector or CascadeDetector())
            found = self._tracker.update(small.grey, self._rows.last_ns or 0)
            row[AT["faces"]] = found.faces
            box = None if found.box is None else found.box.scaled(small.factor)
        if box is not None:
            row[span("left", "height")] = box.left, box.top, box.width, box.height
        return box
