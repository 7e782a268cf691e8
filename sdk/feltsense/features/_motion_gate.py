"""How much of a window a sensor was moved: explains a bad pulse wave, is never evidence of anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.dsp.cells import Cells
from feltsense.dsp.runs import RunSplitter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk
    from feltsense.core.signals import SignalSpec
    from feltsense.core.window import Window

__all__ = ["MotionGate"]

_CELL_SECONDS = 1.0
_MOVED_G = 0.05
"""Standard deviation of the acceleration's magnitude: a wrist at rest shows less than 0.02 g, a gesture 0.1 g."""


def _spread(magnitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of each cell (k, n)."""
    spread: NDArray[np.float64] = magnitude.std(axis=1, keepdims=True)
    return spread


class MotionGate:
    """Share of a window's seconds in which the sensor is moved.

    Parameters
    ----------
    spec : SignalSpec
        The acceleration's signal; values outside its range are cut to the range's edge.
    """

    def __init__(self, spec: SignalSpec) -> None:
        size = max(2, round(_CELL_SECONDS * spec.hz))
        self._range = spec.kind.low, spec.kind.high
        self._cells = Cells(_spread, size, size, 1, together=True)
        self._split = RunSplitter()
        self._run = -1
        self._last_ns = -(2**62)

    def push(self, chunk: Chunk) -> None:
        """Take the next samples."""
        for piece in self._split.push(chunk):
            if piece.run != self._run:
                self._run = piece.run
                self._cells.begin()
            xyz = np.ascontiguousarray(piece.values.clip(*self._range))
            self._cells.push(np.sqrt(np.square(xyz).sum(axis=1)), piece.t_ns)
        if len(chunk):
            self._last_ns = chunk.stop_ns

    def close(self) -> None:
        """End the segment."""
        self._split.close()

    def final_ns(self) -> int:
        """Time before which nothing will change: a cell is complete with its last sample."""
        return self._last_ns

    def moving(self, window: Window) -> float:
        """Share of the window's seconds in which the sensor is moved; 0 where nothing is known."""
        cells = self._cells.within(window.start_ns, window.stop_ns)
        return float((cells[:, 0] > _MOVED_G).mean()) if len(cells) else 0.0

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        self._cells.forget(before_ns)
