"""Cleaned ECG and the steepness of its QRS complexes, block by block, each sample filtered forwards once.

Contract
--------
- Cleaning is NeuroKit2's ("neurokit"): a Butterworth high-pass run forwards and backwards, then the mains hum averaged out.
- Forwards the filter's state is carried through the run, which is the same to the last bit under any chunking and has no
  edge but the run's beginning. Backwards a block begins at rest `after` samples behind its end: a high-passed signal has
  no level that would have to be guessed, and what comes later has faded by a factor of four.
- So a block costs little more than its own samples, and depends on the run's samples only (:mod:`feltsense.dsp.blocks`).
- Steepness: the absolute gradient, averaged over a QRS complex, minus 1.5 times its average over 0.75 s (Makowski 2021).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import butter, sosfilt, sosfilt_zi

from feltsense.dsp.blocks import Block, Tail, sections
from feltsense.dsp.filters import ECG_CUT_HZ, ECG_ORDER, mains_triangle, without_mains

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["QrsFilter", "QrsOperation"]

QRS_SMOOTH_SECONDS, QRS_MEAN_SECONDS = 0.1, 0.75
"""Length of a QRS complex, and of the stretch it must stand out from (NeuroKit2's method "neurokit")."""
QRS_WEIGHT = 1.5


class QrsOperation:
    """The steps of the filter, for one span of samples or many as rows of an array.

    Parameters
    ----------
    rate : float
        Hz.
    """

    def __init__(self, rate: float) -> None:
        self._sos = butter(ECG_ORDER, ECG_CUT_HZ, "highpass", fs=rate, output="sos")
        self._zi = sosfilt_zi(self._sos)
        self._triangle = mains_triangle(rate)
        self._near, self._mean = round(QRS_SMOOTH_SECONDS * rate), round(QRS_MEAN_SECONDS * rate)
        self._reach = self._near // 2 + self._mean // 2 + 2
        self.margin = self._reach + len(self._triangle) // 2
        """Samples on either side of a row that it is made of, once both passes are done."""

    def begin(self, first: float) -> Array:
        """State of the pass forwards before a run's first sample: an offset of the electrodes is no step."""
        state: Array = self._zi * first
        return state

    def forwards(self, x: Array, state: Array) -> Array:
        """Pass forwards over a run's next samples (n,); `state` is carried on in place."""
        return sections(self._sos, x, state)

    def rows(self, forwards: Array, start: int, stop: int) -> Array:
        """Cleaned ECG and steepness of samples `start` up to `stop` of a span (n,), shape (stop − start, 2)."""
        sos, n = self._sos, len(forwards)
        y = sections(sos, forwards[::-1], np.zeros((len(sos), 2)))[::-1]
        first, last = max(start - self._reach, 0), min(stop + self._reach, n)
        clean = without_mains(y, self._triangle, first, last)[None]
        part = slice(start - first, stop - first)
        return np.stack((clean[0, part], self._excess(clean)[0, part]), axis=1)

    def many(self, forwards: Array, start: int, stop: int) -> Array:
        """As :meth:`rows`, of spans (k, n) that have the margin on either side: shape (k · (stop − start), 2)."""
        y = sosfilt(self._sos, forwards[:, ::-1], axis=1)[:, ::-1]
        y = y[:, start - self.margin : stop + self.margin]
        half = len(self._triangle) // 2
        clean = np.convolve(y.ravel(), self._triangle, mode="same").reshape(y.shape)[:, half : y.shape[1] - half]
        part = slice(self._reach, self._reach + stop - start)
        return np.stack((clean[:, part], self._excess(clean)[:, part]), axis=2).reshape(-1, 2)

    def _excess(self, clean: Array) -> Array:
        """Steepness over its threshold."""
        steep = np.zeros_like(clean)
        if clean.shape[1] > 1:
            inner = steep[:, 1:-1]
            np.abs(clean[:, 2:] - clean[:, :-2], out=inner)
            inner *= 0.5
            steep[:, 0], steep[:, -1] = np.abs(clean[:, 1] - clean[:, 0]), np.abs(clean[:, -1] - clean[:, -2])
        near = _mean(steep, self._near)
        near -= QRS_WEIGHT * _mean(near, self._mean)
        return near


def _mean(x: Array, size: int) -> Array:
    """Mean of `size` samples around each, along rows; their first and last sample go on."""
    before, n = size // 2 + 1, x.shape[1]
    total = np.empty((len(x), n + size))
    total[:, 1:before] = x[:, :1]
    total[:, 0] = 0.0
    total[:, before : before + n] = x
    total[:, before + n :] = x[:, -1:]
    np.add.accumulate(total, axis=1, out=total)
    out = total[:, size:] - total[:, :-size]
    out /= size
    return out


class QrsFilter:
    """Filters one run.

    Parameters
    ----------
    rate : float
        Hz.
    block, after : int
        Length of a block and of what is known behind it, in samples.
    """

    def __init__(self, rate: float, block: int, after: int) -> None:
        self._operation = QrsOperation(rate)
        self._block, self._after = block, after
        self._forwards = Tail()
        self._state: Array | None = None
        self._done = 0

    @property
    def wants(self) -> int:
        """Samples that complete the next block."""
        return self._done + self._block + self._after - self._forwards.stop

    def push(self, x: Array) -> list[Block]:
        """Take the run's next samples (finite); give the blocks that became complete."""
        if len(x):
            if self._state is None:
                self._state = self._operation.begin(float(x[0]))
            self._forwards.append(self._operation.forwards(x, self._state))
        out = []
        while self.wants <= 0:
            out.append(self._compute(self._done + self._block))
            self._forwards.drop(self._done - self._operation.margin)
        return out

    def flush(self) -> list[Block]:
        """End the run; give its remaining blocks, the last one possibly short. Push nothing afterwards."""
        out = []
        while self._done < self._forwards.stop:
            out.append(self._compute(min(self._done + self._block, self._forwards.stop)))
        return out

    def _compute(self, stop: int) -> Block:
        start = self._done
        first = max(start - self._operation.margin, 0)
        span = self._forwards.between(first, start + self._block + self._after)
        self._done = stop
        return Block(start, self._operation.rows(span, start - first, stop - first))
