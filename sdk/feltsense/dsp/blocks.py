"""Zero-phase filtering of an endless stream: on blocks of a fixed grid, the same bits under any chunking.

A zero-phase filter needs the future. Over a stream the future ends where the last chunk happened to end, so a
filter started per chunk gives results that depend on the cut. Here the grid is laid by the signal alone:

Contract
--------
- A *run* is a gapless piece of finite samples, numbered from 0 (see :mod:`feltsense.dsp.runs`). Block k is the
  samples ``[k·block, (k+1)·block)`` of a run.
- Block k is computed from ``[k·block − before, (k+1)·block + after)``, cut at the run's ends, in one call, as soon
  as its last sample is there; :meth:`BlockFilter.flush` ends the run and computes what is left.
- So an output sample depends on the run's samples only; state that follows (detectors, thresholds) must advance
  block by block in the order given. No sample is filtered in a chunk-dependent way, no edge is carried.
- Lag: a sample is out at the latest ``block + after`` samples after it came in. Memory: ``before + block + after``
  samples, whatever the length of the stream.
- Enough context makes a block equal to the filter run over the whole record: with slowest pole time constant τ the
  error at the block's edge is about exp(−context/τ); a context of 4 τ on either side leaves about 2 % of an edge
  transient, which the padding of :func:`zero_phase` already makes small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.signal import sosfilt, sosfilt_zi

try:
    # What sosfilt calls once it has looked at its arguments, which takes four times as long as to filter a short span.
    from scipy.signal._sosfilt import _sosfilt as _sections
except ImportError:
    _sections = None

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

__all__ = ["Block", "BlockFilter", "Tail", "samples", "sections", "zero_phase", "zero_phase_rows"]

Operation = Callable[["NDArray[np.float64]"], "NDArray[np.float64]"]
"""Span of samples, shape (n,) or (n, c) → outputs, shape (n,) or (n, m): one row a sample."""

_LONGEST_MATRIX = 256
"""Samples of a span: beyond, a product costs more than to filter."""
_FIRST_CAPACITY = 256
"""Rows that a tail starts with; it doubles as needed."""


def samples(seconds: float, rate: float) -> int:
    """Whole number of samples that spans at least `seconds` (at least one)."""
    return max(1, int(np.ceil(seconds * rate - 1e-9)))


def zero_phase(
    sos: NDArray[np.float64], x: NDArray[np.float64], zi: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Filter forwards and backwards along the first axis, for a span of any length: scipy's ``sosfiltfilt``.

    Parameters
    ----------
    sos : ndarray, shape (sections, 6)
        Second-order sections.
    x : ndarray, shape (n,) or (n, c)
        Finite samples; odd extension at both ends, shortened where the span is shorter than its usual length.
    zi : ndarray, shape (sections, 2), optional
        ``sosfilt_zi(sos)``, where it is known: finding it anew takes longer than filtering a short span.
    """
    if not len(x):
        return x.copy()
    pad = min(_usual_pad(sos), len(x) - 1)
    start = sosfilt_zi(sos) if zi is None else zi
    if x.ndim > 1:
        start = start[:, :, None]
    if pad:
        x = np.concatenate((2.0 * x[:1] - x[pad:0:-1], x, 2.0 * x[-1:] - x[-2 : -pad - 2 : -1]))
    forwards = _filtered(sos, x, start * x[:1])[::-1]
    both = _filtered(sos, forwards, start * forwards[:1])[::-1]
    out: NDArray[np.float64] = both[pad : len(both) - pad]
    return out


def zero_phase_rows(sos: NDArray[np.float64], x: NDArray[np.float64], zi: NDArray[np.float64]) -> NDArray[np.float64]:
    """As :func:`zero_phase`, of spans of one length as rows (k, n), n > 0: the same bits."""
    pad = min(_usual_pad(sos), x.shape[1] - 1)
    if pad:
        x = np.concatenate((2.0 * x[:, :1] - x[:, pad:0:-1], x, 2.0 * x[:, -1:] - x[:, -2 : -pad - 2 : -1]), axis=1)
    start = zi[:, None]  # of each section for each span
    for _ in range(2):
        x = sosfilt(sos, x, axis=1, zi=start * x[:, :1])[0][:, ::-1]
    out: NDArray[np.float64] = x[:, pad : x.shape[1] - pad]
    return out


def _usual_pad(sos: NDArray[np.float64]) -> int:
    """The extension that scipy would choose itself, which it refuses to shorten on short input."""
    return 3 * (2 * len(sos) + 1 - min(int((sos[:, 2] == 0).sum()), int((sos[:, 5] == 0).sum())))


def _filtered(sos: NDArray[np.float64], x: NDArray[np.float64], zi: NDArray[np.float64]) -> NDArray[np.float64]:
    y: NDArray[np.float64]
    if x.ndim > 1:
        y = sosfilt(sos, x, axis=0, zi=zi)[0]
        return y
    return sections(sos, x, zi.copy())


def sections(sos: NDArray[np.float64], x: NDArray[np.float64], state: NDArray[np.float64]) -> NDArray[np.float64]:
    """Filter samples (n,) by second-order sections; `state`, shape (sections, 2), is carried on in place."""
    y: NDArray[np.float64]
    if _sections is None:
        y, state[:] = sosfilt(sos, x, zi=state)
        return y
    y = np.array(x, dtype=np.float64)
    _sections(sos, y[None], state[None])
    return y


class Tail:
    """The recent rows of an endless array, addressed by absolute row number.

    Parameters
    ----------
    columns : int, optional
        Columns of a row; 0 makes the array one-dimensional.
    dtype : dtype, optional
        Type of the values.
    """

    __slots__ = ("_data", "_hi", "_lo", "_offset")

    def __init__(self, columns: int = 0, dtype: DTypeLike = np.float64) -> None:
        shape = (_FIRST_CAPACITY, columns) if columns else (_FIRST_CAPACITY,)
        self._data: NDArray[Any] = np.empty(shape, dtype)
        self._lo = self._hi = 0
        self._offset = 0

    def __len__(self) -> int:
        return self._hi - self._lo

    @property
    def start(self) -> int:
        """Number of the first row that is still there."""
        return self._offset + self._lo

    @property
    def stop(self) -> int:
        """Number after the last row."""
        return self._offset + self._hi

    @property
    def rows(self) -> NDArray[Any]:
        """All rows that are still there: a view, valid until the next change."""
        return self._data[self._lo : self._hi]

    def between(self, a: int, b: int) -> NDArray[Any]:
        """Rows `a` up to `b`, cut to what is there: a view, valid until the next change."""
        # Asked for a dozen times a second: without calls it takes half the time.
        a -= self._offset
        b -= self._offset
        if a < self._lo:
            a = self._lo
        if b > self._hi:
            b = self._hi
        return self._data[a : b if b > a else a]

    def append(self, rows: NDArray[Any]) -> None:
        """Append rows at the end; amortised constant time a row."""
        n = len(rows)
        if self._hi + n > len(self._data):
            self._make_room(n)
        self._data[self._hi : self._hi + n] = rows
        self._hi += n

    def drop(self, before: int) -> None:
        """Forget the rows before number `before`."""
        self._lo = min(max(before - self._offset, self._lo), self._hi)

    def _make_room(self, n: int) -> None:
        kept = self.rows
        size = len(self._data)
        while size < 2 * (len(kept) + n):
            size *= 2
        fresh = np.empty((size, *self._data.shape[1:]), self._data.dtype)
        fresh[: len(kept)] = kept
        self._offset += self._lo
        self._data, self._lo, self._hi = fresh, 0, len(kept)


class Block(NamedTuple):
    """One finished block.

    Attributes
    ----------
    start : int
        Number of its first sample in the run.
    values : ndarray, shape (n,) or (n, m)
        Outputs; n is the grid's block length, less for the last block of a run.
    """

    start: int
    values: NDArray[np.float64]


class BlockFilter:
    """Applies an operation to one run, block by block.

    Parameters
    ----------
    operation : callable
        From a span of samples to as many rows of outputs, a pure function; for example
        ``partial(zero_phase, sos)``, or one that stacks several filters as columns.
    block, before, after : int
        Length of a block and of its context on either side, in samples (see :func:`samples`).
    columns : int, optional
        Channels of the input; 0 for one-dimensional input.
    linear : bool, optional
        The operation is linear and takes the columns of a matrix as spans; then, where spans are short, a block with all
        its context is one product with a matrix, a tenth of the time.
    """

    def __init__(
        self, operation: Operation, block: int, before: int, after: int, columns: int = 0, *, linear: bool = False
    ) -> None:
        if block < 1 or before < 0 or after < 0:
            msg = f"a block needs at least one sample and no negative context, got {block}, {before}, {after}"
            raise ValueError(msg)
        self._operation = operation
        self.block, self.before, self.after = block, before, after
        self._input = Tail(columns)
        self._done = 0
        self._span = before + block + after
        self._linear = linear and not columns and self._span <= _LONGEST_MATRIX
        self._matrix: NDArray[np.float64] | None = None

    @property
    def lag(self) -> int:
        """Most samples by which output trails input."""
        return self.block + self.after

    @property
    def done(self) -> int:
        """Number of samples that are out: output is final before this one."""
        return self._done

    @property
    def wants(self) -> int:
        """Samples that complete the next block."""
        return self._done + self.block + self.after - self._input.stop

    def push(self, x: NDArray[np.float64]) -> list[Block]:
        """Take the run's next samples (finite); give the blocks that became complete."""
        self._input.append(x)
        out = []
        while self._input.stop >= self._done + self.block + self.after:
            out.append(self._compute(self._done + self.block))
            self._input.drop(self._done - self.before)
        return out

    def flush(self) -> list[Block]:
        """End the run; give its remaining blocks, the last one possibly short. Push nothing afterwards."""
        out = []
        while self._done < self._input.stop:
            out.append(self._compute(min(self._done + self.block, self._input.stop)))
        return out

    def _compute(self, stop: int) -> Block:
        start = self._done
        first = max(start - self.before, 0)
        # The grid's end decides the context, not the block's: a short last block has none to cut anyway.
        span = self._input.between(first, start + self.block + self.after)
        if self._linear and len(span) == self._span:
            values = self._product(span)
        else:
            values = self._operation(span)[start - first : stop - first]
        self._done = stop
        return Block(start, values)

    def _product(self, span: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._matrix is None:
            # Row by row what each sample of the span adds to each output of the block.
            self._matrix = np.ascontiguousarray(self._operation(np.eye(self._span))[self.before : self.before + self.block])
        shape = self._matrix.shape[:-1]
        return (self._matrix.reshape(-1, self._span) @ span).reshape(shape)
