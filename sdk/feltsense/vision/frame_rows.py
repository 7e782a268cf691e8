"""One-row chunks of what comes a frame at a time, whenever the camera likes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.chunk import Chunk, Gap, GapReason, StreamInfo
from feltsense.core.timeline import NS, TimeMap
from feltsense.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FrameRows"]

GAP_S, GAP_PERIODS = 0.25, 3.0
"""Longest step that is no gap: half a beat of a fast heart, and what a camera skips when a phone is busy."""


class FrameRows:
    """Counts rows, and begins a new segment where frames are missing.

    Parameters
    ----------
    info : StreamInfo
        The stream; its rate is its pace.

    Attributes
    ----------
    since_ns : int
        From the frame before to this one; 0 for the first.
    last_ns : int or None
        Time of the last frame.
    """

    def __init__(self, info: StreamInfo) -> None:
        self.info = info
        self.last_ns: int | None = None
        self.since_ns = 0
        self._longest = max(GAP_S, GAP_PERIODS / info.spec.hz) * NS
        self._segment, self._count = 0, 0

    def check(self, t_ns: int) -> None:
        """Refuse a frame that is not later than the one before.

        Raises
        ------
        InputError
            If it is not.
        """
        if self.last_ns is not None and t_ns <= self.last_ns:
            msg = f"{self.info.id}: a frame at {t_ns} ns comes after one at {self.last_ns} ns; give frames in order of time"
            raise InputError(msg)

    def step(self, t_ns: int) -> Gap | None:
        """Go to the next frame; the gap, if frames are missing before it."""
        step = 0 if self.last_ns is None else t_ns - self.last_ns
        self.since_ns, self.last_ns = step, t_ns
        if step <= self._longest:
            return None
        self._segment, self._count = self._segment + 1, 0
        lost = max(round(step / NS * self.info.spec.hz) - 1, 0)
        return Gap(lost, lost, GapReason.SOURCE)

    def chunk(self, row: NDArray[np.float64], gap: Gap | None) -> Chunk:
        """The chunk of the frame that :meth:`step` went to."""
        row.setflags(write=False)
        now = np.array([self.last_ns], np.int64)
        time = TimeMap(self.info.spec.rate, np.array([self._count]), now, now, now, np.zeros(1, np.int64))
        chunk = Chunk(self.info, self._segment, self._count, row[None, :], time, gap)
        self._count += 1
        return chunk
