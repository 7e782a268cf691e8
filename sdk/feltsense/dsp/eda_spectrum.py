"""Power of electrodermal activity in the band of sympathetic control.

Definition (after Posada-Quintero 2016, Ann Biomed Eng 44:3124): conductance in segments of 64 s that overlap by half,
each less its line, Hann periodogram in µS² (the sum over all bins is the variance), averaged; *EDASymp* is its power in
0.045–0.25 Hz, *EDASympN* that as a share of the power above 0.01 Hz. There the signal is decimated to 2 Hz first; here
the bins are taken as they are, which is the same band without a second filter.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SYMPATHETIC_SECONDS", "Sympathetic"]

SYMPATHETIC_SECONDS = 64.0
"""A segment: three periods of the band's lower edge."""
_BAND_HZ, _TOTAL_HZ = (0.045, 0.25), (0.01, 1.0)


class Sympathetic:
    """Power of the segments of one stream: each is transformed once, however many windows hold it.

    Parameters
    ----------
    rate : float
        Hz.
    """

    def __init__(self, rate: float) -> None:
        n = round(SYMPATHETIC_SECONDS * rate)
        self._n, self._step = n, n // 2
        t = np.arange(n) - 0.5 * (n - 1)
        hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n) / max(n, 1))
        self._line, self._spread, self._hann = t, float((t * t).sum()), hann
        self._scale = 2.0 / (n * float((hann * hann).sum())) if n else 0.0
        # A bin is in a band from its lower edge on, up to its upper edge.
        edges = np.fft.rfftfreq(max(n, 1), 1.0 / rate).searchsorted((*_BAND_HZ, *_TOTAL_HZ)).tolist()
        self._band, self._total = slice(*edges[:2]), slice(*edges[2:])
        self._known: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def power(self, t_ns: NDArray[np.int64], x: NDArray[np.float64]) -> tuple[float, float]:
        """EDASymp in µS² and EDASympN; NaN where x is shorter than a segment or does not vary.

        Parameters
        ----------
        t_ns : ndarray of int64, shape (n,)
            Times of the samples; of a segment that begins at a time it was asked for before, the answer is known.
        x : ndarray, shape (n,)
            Conductance without a gap, µS.
        """
        n, step = self._n, self._step
        if len(x) < n or n < 4:
            return math.nan, math.nan
        band = total = 0.0
        begin = t_ns[: len(x) - n + 1 : step].tolist()
        for k, t in enumerate(begin):
            powers = self._known.get(t)
            if powers is None:
                self._known[t] = powers = self._transform(x[k * step : k * step + n])
            band += powers[0]
            total += powers[1]
        band, total = band / len(begin), total / len(begin)
        return band, band / total if total > 0.0 else math.nan

    def _transform(self, part: NDArray[np.float64]) -> tuple[float, float]:
        part = part - float(np.add.reduce(part)) / self._n
        part -= float(np.add.reduce(part * self._line)) / self._spread * self._line
        part *= self._hann
        parts = np.fft.rfft(part).view(np.float64)
        parts *= parts
        # Real and imaginary parts stand side by side.
        band, total = (float(np.add.reduce(parts[2 * b.start : 2 * b.stop])) for b in (self._band, self._total))
        return band * self._scale, total * self._scale

    def forget(self, before_ns: int) -> None:
        """Drop the segments that begin before a time."""
        while self._known and next(iter(self._known)) < before_ns:
            self._known.popitem(last=False)
