"""Coverage and faults of a whole stream for many windows: the same numbers as the stream's spans and cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.features._cardiac import FAULT_SECONDS, FAULT_STEP_SECONDS
from feltsense.quality import ecg as quality
from feltsense.quality.beats import RAIL_LEAST, RAIL_SECONDS, RELATIVE_FLAT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Coverage", "Faults"]

_ROWS = 256
"""Cells looked at together."""


class Coverage:
    """Time of windows in which there is signal.

    Parameters
    ----------
    period_ns : int
        Time that a sample stands for.
    """

    def __init__(self, period_ns: int) -> None:
        self._period = period_ns
        self._spans: list[tuple[int, int]] = []

    def add(self, t_ns: Ints) -> None:
        """Add a run."""
        self._spans.append((int(t_ns[0]), int(t_ns[-1]) + self._period))

    def within(self, start_ns: Ints, stop_ns: Ints) -> Ints:
        """Nanoseconds with signal in each window."""
        out = np.zeros(len(start_ns), np.int64)
        for a, b in self._spans:
            out += np.maximum(0, np.minimum(b, stop_ns) - np.maximum(a, start_ns))
        return out


class Faults:
    """Share of flat and railed stretches.

    Parameters
    ----------
    rate : float
        Hz.
    """

    def __init__(self, rate: float) -> None:
        self._size, self._step = round(FAULT_SECONDS * rate), max(1, round(FAULT_STEP_SECONDS * rate))
        self._least = max(RAIL_LEAST, round(RAIL_SECONDS * rate)) - 1
        self._first: list[Ints] = []
        self._last: list[Ints] = []
        self._found: list[NDArray[np.bool_]] = []

    def add(self, x: Array, t_ns: Ints) -> None:
        """Add a run."""
        if len(x) < self._size:
            return
        cells = np.lib.stride_tricks.sliding_window_view(x, self._size)[:: self._step]
        begin = np.arange(len(cells)) * self._step
        self._first.append(t_ns[begin])
        self._last.append(t_ns[begin + self._size - 1])
        self._found += [self._judge(cells[i : i + _ROWS]) for i in range(0, len(cells), _ROWS)]

    def _judge(self, cells: Array) -> NDArray[np.bool_]:
        """As :func:`feltsense.quality.beats.trace_faults`, a cell a row: flat, railed."""
        high, low = cells.max(axis=1, keepdims=True), cells.min(axis=1, keepdims=True)
        size = np.maximum(np.abs(high), np.abs(low))
        flat = (high - low <= np.maximum(quality.FLAT_MV, RELATIVE_FLAT * size))[:, 0]
        stays = []
        for edge in (high, low):
            there = cells == edge
            stays.append((there[:, 1:] & there[:, :-1]).sum(axis=1))
        return np.column_stack((flat, ~flat & (np.maximum(*stays) >= self._least)))

    def within(self, start_ns: Ints, stop_ns: Ints) -> tuple[Array, Array]:
        """Share of the cells wholly in each window that are flat, and that are railed; 0 where there is none."""
        if not self._found:
            return np.zeros(len(start_ns)), np.zeros(len(start_ns))
        first, last = np.concatenate(self._first), np.concatenate(self._last)
        totals = np.zeros((len(first) + 1, 2))
        np.cumsum(np.concatenate(self._found), axis=0, out=totals[1:])
        a = np.searchsorted(first, start_ns)
        b = np.maximum(np.searchsorted(last, stop_ns), a)
        share = (totals[b] - totals[a]) / np.maximum(b - a, 1)[:, None]
        return share[:, 0], share[:, 1]
