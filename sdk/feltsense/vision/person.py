"""Where a camera's person is, in a radar's terms: rows of kind ``radar_targets`` from rows of kind ``face``.

Distance follows from the width of the face's box and the camera's angle of view, azimuth from the box's column; speed is
how distance changes. A face's box is 0.16 m wide, give or take 15 %: so is the distance.
"""

from __future__ import annotations

import math

import numpy as np

from feltsense.core.chunk import Chunk, StreamInfo
from feltsense.core.face_row import AT
from feltsense.core.signals import spec
from feltsense.core.timeline import NS
from feltsense.errors import InputError

__all__ = ["PersonTargets"]

BOX_M = 0.16
"""Width of a face as a cascade boxes it: a head's breadth (0.15 m, ISO 7250-2) and a little beside it."""
_STEADY_S = 1.0
"""Seconds over which the distance is smoothed for its speed: a box breathes by some per cent from frame to frame."""


class PersonTargets:
    """Targets of a camera.

    Parameters
    ----------
    face : StreamInfo
        The camera's stream of kind ``face``.
    width : int
        Width of its pictures, px.
    view_deg : float
        Horizontal angle of view of the camera (a phone's front camera: 60 to 80).
    """

    def __init__(self, face: StreamInfo, width: int, view_deg: float) -> None:
        if not (0.0 < view_deg < 180.0 and width > 0):
            msg = f"{face.id}: a camera sees 0 to 180 degrees and has pixels, got {view_deg} degrees and {width} px"
            raise InputError(msg)
        device = face.id.rpartition(".")[0]
        self.info = StreamInfo(f"{device}.targets", spec("radar_targets", face.spec.rate), face.device)
        self._centre = width / 2.0
        self._focal = self._centre / math.tan(math.radians(view_deg) / 2.0)
        self._segment = -1
        self._smooth: tuple[int, float] | None = None

    def push(self, chunk: Chunk) -> Chunk:
        """Targets of a camera's chunk: as many rows, at the same times."""
        if chunk.segment != self._segment:
            self._segment, self._smooth = chunk.segment, None
        rows = np.full((len(chunk), self.info.spec.width), np.nan)
        for k, (t_ns, row) in enumerate(zip(chunk.times.tolist(), chunk.values, strict=True)):
            left, width = float(row[AT["left"]]), float(row[AT["width"]])
            if not (math.isfinite(left) and width > 0.0):
                self._smooth = None
                continue
            tangent = (left + width / 2.0 - self._centre) / self._focal
            ahead = BOX_M * self._focal / width
            rows[k, 0], rows[k, 1] = ahead * tangent, ahead
            rows[k, 2] = self._speed(t_ns, ahead * math.hypot(1.0, tangent))
        rows.setflags(write=False)
        return Chunk(self.info, chunk.segment, chunk.start, rows, chunk.time, chunk.gap)

    def _speed(self, t_ns: int, distance: float) -> float:
        if self._smooth is None:
            self._smooth = t_ns, distance
            return 0.0
        before_ns, before = self._smooth
        seconds = (t_ns - before_ns) / NS
        # The smoothed distance follows by the time constant: what it lags behind, over that constant, is the speed.
        now = before + (distance - before) * (1.0 - math.exp(-seconds / _STEADY_S))
        self._smooth = t_ns, now
        return (now - before) / seconds
