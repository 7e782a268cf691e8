"""The recent columns of an endless table, each of its rows in one piece of memory.

:class:`~feltsense.dsp.blocks.Tail` keeps what belongs to one sample side by side; here lie all values of one quantity side
by side. A stretch is then summed, centred or sorted for all quantities in one call, row by row, and each row comes to the
same bits as if it were alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Strip"]

_FIRST_CAPACITY = 256
"""Columns that a strip starts with; it doubles as needed."""


class Strip:
    """Columns, addressed by their absolute number.

    Parameters
    ----------
    rows : int
        Quantities.
    """

    __slots__ = ("_data", "_hi", "_lo", "_offset")

    def __init__(self, rows: int) -> None:
        self._data: Array = np.empty((rows, _FIRST_CAPACITY))
        self._lo = self._hi = self._offset = 0

    @property
    def start(self) -> int:
        """Number of the first column that is still there."""
        return self._offset + self._lo

    @property
    def stop(self) -> int:
        """Number after the last column."""
        return self._offset + self._hi

    def between(self, a: int, b: int) -> Array:
        """Columns `a` up to `b`, which are there, shape (rows, b − a): a view, valid until the next change."""
        return self._data[:, a - self._offset : b - self._offset]

    def append(self, columns: Array) -> None:
        """Append columns, shape (rows, n); amortised constant time a column."""
        stop = self._hi + columns.shape[1]
        if stop > self._data.shape[1]:
            kept = self._data[:, self._lo : self._hi]
            size, n = self._data.shape[1], kept.shape[1]
            while size < 2 * (n + columns.shape[1]):
                size *= 2
            fresh = np.empty((len(self._data), size))
            fresh[:, :n] = kept
            self._offset += self._lo
            self._data, self._lo, stop = fresh, 0, n + columns.shape[1]
        self._data[:, stop - columns.shape[1] : stop] = columns
        self._hi = stop

    def drop(self, before: int) -> None:
        """Forget the columns before number `before`."""
        self._lo = min(max(before - self._offset, self._lo), self._hi)
