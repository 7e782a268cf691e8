"""Small summaries on a fixed grid: what a window must know of every sample, without keeping every sample.

Cell k of a run covers samples ``[k·step, k·step + size)`` and is summarised once, as soon as it is complete. A
window takes the cells that lie wholly in it. The grid is the run's own, so cells do not depend on chunking.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from feltsense.dsp.blocks import Tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Cells"]

_PATIENCE_CELLS = 64
"""Cells that wait to be summarised together, at most."""

Summary = Callable[["NDArray[np.float64]"], "NDArray[np.float64]"]
"""Samples of a cell, shape (size,) or (size, c) → its summary, shape (m,); or many at once, (k, size) → (k, m)."""


class Cells:
    """Summaries of one stream's cells, across runs.

    Parameters
    ----------
    summary : callable
        Pure function of a cell's samples.
    size, step : int
        In samples.
    width : int
        Numbers in a summary.
    columns : int, optional
        Channels of the input; 0 for one-dimensional input.
    together : bool, optional
        The summary takes many cells of one-dimensional input at once, each on its own; it is then called when cells
        are asked for that are not there yet, and not with every chunk.
    """

    def __init__(
        self, summary: Summary, size: int, step: int, width: int, columns: int = 0, *, together: bool = False
    ) -> None:
        self._summary, self._size, self._step = summary, size, step
        self._together, self._patience = together, _PATIENCE_CELLS * step + size
        self._within = np.arange(size)
        self._columns = columns
        self._times = Tail(2, np.int64)
        self._rows = Tail(width)
        self._input, self._stamps = Tail(columns), Tail(0, np.int64)
        self._next = 0

    def begin(self) -> None:
        """Begin a run; an unfinished cell is lost."""
        self._complete()
        self._input = Tail(self._columns)
        self._stamps = Tail(0, np.int64)
        self._next = 0

    def push(self, values: NDArray[np.float64], t_ns: NDArray[np.int64]) -> None:
        """Take the run's next samples with their session times."""
        self._input.append(values)
        self._stamps.append(t_ns)
        if not self._together or self._input.stop - self._next > self._patience:
            self._complete()

    def _complete(self) -> None:
        """Summarise the cells whose samples are there."""
        count = (self._input.stop - self._next - self._size) // self._step + 1
        if count < 1:
            return
        first = self._step * np.arange(count)
        stamps = self._stamps.between(self._next, self._input.stop)
        self._times.append(np.array((stamps[first], stamps[first + (self._size - 1)])).T)
        cells = self._input.between(self._next, self._input.stop)[first[:, None] + self._within]
        self._rows.append(self._summary(cells) if self._together else np.array([self._summary(c) for c in cells]))
        self._next += count * self._step
        self._input.drop(self._next)
        self._stamps.drop(self._next)

    def within(self, start_ns: int, stop_ns: int) -> NDArray[np.float64]:
        """Summaries of the cells that lie wholly in [start_ns, stop_ns), shape (k, width): a view."""
        return self.timed(start_ns, stop_ns)[1]

    def timed(self, start_ns: int, stop_ns: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Those cells' first and last sample times, shape (k, 2), and their summaries, shape (k, width): views."""
        a, b = self.numbers(start_ns, stop_ns)
        return self.times(a, b), self.numbered(a, b)

    def numbers(self, start_ns: int, stop_ns: int) -> tuple[int, int]:
        """Absolute numbers of those cells: the first, and the one after the last."""
        times = self._until(stop_ns)
        first = self._times.start
        a = first + int(times[:, 0].searchsorted(start_ns))
        return a, max(a, first + int(times[:, 1].searchsorted(stop_ns)))

    def numbers_of(self, edges_ns: NDArray[np.int64]) -> list[tuple[int, int]]:
        """As :meth:`numbers`, of several stretches that end in order, shape (k, 2) with k > 0."""
        times = self._until(int(edges_ns[-1, 1]))
        first = self._times.start
        starts, stops = times[:, 0].searchsorted(edges_ns[:, 0]).tolist(), times[:, 1].searchsorted(edges_ns[:, 1]).tolist()
        return [(first + a, first + max(a, b)) for a, b in zip(starts, stops, strict=True)]

    def _until(self, stop_ns: int) -> NDArray[np.int64]:
        """Times of all cells, those up to a time completed."""
        times = self._times.rows
        if not len(times) or times[-1, 1] < stop_ns:
            self._complete()
            times = self._times.rows
        return times

    def numbered(self, a: int, b: int) -> NDArray[np.float64]:
        """Summaries of the cells number `a` up to `b`: a view."""
        return self._rows.between(a, b)

    def times(self, a: int, b: int) -> NDArray[np.int64]:
        """First and last sample times of the cells number `a` up to `b`, shape (b − a, 2): a view."""
        return self._times.between(a, b)

    @property
    def start(self) -> int:
        """Number of the first cell that is still there."""
        return self._rows.start

    def forget(self, before_ns: int) -> None:
        """Drop the cells that begin before `before_ns`."""
        n = self._times.start + int(self._times.rows[:, 0].searchsorted(before_ns))
        self._times.drop(n)
        self._rows.drop(n)
