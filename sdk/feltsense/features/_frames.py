"""The recent rows of a camera's stream, with their times and segments: what a window looks at."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from feltsense.core.face_row import AT, span
from feltsense.dsp.blocks import Tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk
    from feltsense.core.window import Window

    Array = NDArray[np.float64]

__all__ = ["FrameTail", "Frames"]


class Frames(NamedTuple):
    """Rows of a window.

    Attributes
    ----------
    t_s : ndarray, shape (n,)
        Times from the window's start.
    rows : ndarray, shape (n, columns)
        As the camera's front end gave them.
    segment : ndarray of int64, shape (n,)
        Number of the segment.
    """

    t_s: Array
    rows: Array
    segment: NDArray[np.int64]

    def column(self, name: str) -> Array:
        """One column, contiguous."""
        return np.ascontiguousarray(self.rows[:, AT[name]])

    def columns(self, first: str, last: str) -> Array:
        """Neighbouring columns, contiguous, shape (n, k)."""
        return np.ascontiguousarray(self.rows[:, span(first, last)])

    def __len__(self) -> int:
        return len(self.t_s)

    def pieces(self, good: NDArray[np.bool_], longest_s: float) -> list[slice]:
        """Runs of rows that are good and of one segment, without a step longer than `longest_s`."""
        if not good.any():
            return []
        joined = (np.diff(self.segment) == 0) & (np.diff(self.t_s) <= longest_s) & good[1:] & good[:-1]
        cuts = [0, *(np.flatnonzero(~joined) + 1).tolist(), len(self)]
        return [slice(a, b) for a, b in pairwise(cuts) if good[a]]


class FrameTail:
    """Rows of one stream with so many columns, bounded by :meth:`forget`."""

    def __init__(self, columns: int) -> None:
        self._t = Tail(0, np.int64)
        self._rows = Tail(columns)
        self._segment = Tail(0, np.int64)

    def push(self, chunk: Chunk) -> None:
        """Append a chunk."""
        self._t.append(chunk.times)
        self._rows.append(chunk.values)
        self._segment.append(np.full(len(chunk), chunk.segment, np.int64))

    def within(self, window: Window) -> Frames:
        """Rows of a window: copies."""
        t = self._t.rows
        a, b = (int(i) for i in np.searchsorted(t, (window.start_ns, window.stop_ns)))
        return Frames((t[a:b] - window.start_ns) / 1e9, self._rows.rows[a:b].copy(), self._segment.rows[a:b].copy())

    def forget(self, before_ns: int) -> None:
        """Drop the rows before a time."""
        n = self._t.start + int(np.searchsorted(self._t.rows, before_ns))
        for tail in (self._t, self._rows, self._segment):
            tail.drop(n)
