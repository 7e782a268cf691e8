"""From chunks to runs: gapless pieces of finite samples, each with the times of its samples.

A new segment is a gap; so is a NaN ("the device sent no number"). Neither is bridged: filters and intervals start
anew after both. A run depends on the samples only, never on how they were cut into chunks.

Device times pace intervals, session times place them in windows; both are taken once, from the chunk's own map,
and kept beside the samples: two samples that came in different chunks are as exact as two of one chunk.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk

__all__ = ["Piece", "RunSplitter"]


class Piece(NamedTuple):
    """The next samples of a run.

    Attributes
    ----------
    run : int
        Number of the run in the stream; a piece with a new number begins a run, and ends the one before.
    values : ndarray of float64, shape (n, channels)
        Finite samples; may be empty where only `ends` is to be said.
    t_ns, device_ns : ndarray of int64, shape (n,)
        Session and device times.
    ends : bool
        The run ends after these samples: a NaN follows.
    """

    run: int
    values: NDArray[np.float64]
    t_ns: NDArray[np.int64]
    device_ns: NDArray[np.int64]
    ends: bool


class RunSplitter:
    """Splits the chunks of one stream into runs."""

    def __init__(self) -> None:
        self._run = -1
        self._open = False
        self._segment = -1

    def push(self, chunk: Chunk) -> Iterator[Piece]:
        """Pieces of a chunk, in order."""
        return self.take(chunk.segment, chunk.values, *chunk.time.both_times(chunk.start, chunk.stop))

    def take(
        self, segment: int, values: NDArray[np.float64], t_ns: NDArray[np.int64], device_ns: NDArray[np.int64]
    ) -> Iterator[Piece]:
        """Pieces of the segment's next samples, shape (n, channels), with their times, in order."""
        if segment != self._segment:
            self._segment, self._open = segment, False
        if not len(values):
            return
        finite = np.asarray(np.isfinite(values))
        if finite.all():
            if not self._open:
                self._run, self._open = self._run + 1, True
            yield Piece(self._run, values, t_ns, device_ns, False)
            return
        finite = np.asarray(finite.all(axis=1))
        cuts = (0, *(np.flatnonzero(finite[1:] != finite[:-1]) + 1).tolist(), len(finite))
        for a, b in pairwise(cuts):
            if finite[a]:
                if not self._open:
                    self._run, self._open = self._run + 1, True
                ends = b < len(finite)
                yield Piece(self._run, values[a:b], t_ns[a:b], device_ns[a:b], ends)
                self._open = not ends
            elif self._open:
                yield Piece(self._run, values[:0], t_ns[:0], device_ns[:0], True)
                self._open = False

    def close(self) -> None:
        """Say that the segment has ended: the next sample begins a new run."""
        self._open = False
