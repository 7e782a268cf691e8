"""Features of many windows at once: the columns of a recording, as arrays.

The same numbers as so many :class:`~feltsense.core.vector.FeatureVector`, without an object a window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.vector import FeatureVector, Reason
from feltsense.core.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from feltsense.core.vector import Extracted, FeatureSchema

__all__ = ["REASONS", "Columns", "FeatureTable", "columns_of"]

REASONS = tuple(Reason)
"""What a reason's number means."""
_NUMBER = {r: i for i, r in enumerate(REASONS)}


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """One modality's features of many windows.

    Attributes
    ----------
    values : ndarray of float64, shape (windows, features)
        NaN where the reason is not ok.
    reasons : ndarray of uint8, shape (windows, features)
        Numbers in :data:`REASONS`.
    quality : ndarray of float64, shape (windows,)
        0..1.
    quality_reasons : ndarray of uint8, shape (windows,)
        Numbers in :data:`REASONS`.
    """

    values: NDArray[np.float64]
    reasons: NDArray[np.uint8]
    quality: NDArray[np.float64]
    quality_reasons: NDArray[np.uint8]


def columns_of(parts: Sequence[Extracted], n: int) -> Columns:
    """Columns of windows that were extracted one by one; `n` features each."""
    return Columns(
        np.array([p.values for p in parts]).reshape(len(parts), n),
        np.array([[_NUMBER[r] for r in p.reasons] for p in parts], np.uint8).reshape(len(parts), n),
        np.array([p.quality for p in parts], np.float64),
        np.array([_NUMBER[p.quality_reason] for p in parts], np.uint8),
    )


@dataclass(frozen=True, slots=True, eq=False)
class FeatureTable:
    """All windows of a recording.

    Attributes
    ----------
    schema : FeatureSchema
        Names, in the order of the columns.
    start_ns : ndarray of int64, shape (windows,)
        Where each window begins.
    length_ns : int
        Their length.
    values : ndarray of float64, shape (windows, features)
        NaN where the reason is not ok.
    reasons : ndarray of uint8, shape (windows, features)
        Numbers in :data:`REASONS`.
    quality : ndarray of float64, shape (windows, modalities)
        0..1.
    quality_reasons : ndarray of uint8, shape (windows, modalities)
        Numbers in :data:`REASONS`.
    """

    schema: FeatureSchema
    start_ns: NDArray[np.int64]
    length_ns: int
    values: NDArray[np.float64]
    reasons: NDArray[np.uint8]
    quality: NDArray[np.float64]
    quality_reasons: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.start_ns)

    def __iter__(self) -> Iterator[tuple[Window, FeatureVector]]:
        return (self.row(i) for i in range(len(self)))

    def window(self, i: int) -> Window:
        """Window `i`."""
        start = int(self.start_ns[i])
        return Window(i, start, start + self.length_ns)

    def row(self, i: int) -> tuple[Window, FeatureVector]:
        """Window `i` and its vector."""
        vector = FeatureVector(
            self.schema,
            self.values[i],
            tuple(REASONS[r] for r in self.reasons[i]),
            self.quality[i],
            tuple(REASONS[r] for r in self.quality_reasons[i]),
        )
        return self.window(i), vector
