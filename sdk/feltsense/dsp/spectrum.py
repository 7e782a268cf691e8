"""Power of a tachogram in the bands of heart rate variability, in ms².

Definitions
-----------
- Spectrum: NN intervals at the times of their beats, a cubic spline through them at 4 Hz, mean removed, Hann periodogram
  scaled so that its sum is the variance. Absolute power: nothing is normalised, so windows can be compared.
- VLF 0.0033–0.04 Hz, LF 0.04–0.15 Hz, HF 0.15–0.4 Hz (Task Force 1996, Circulation 93:1043).

Intervals that are left out (ectopic beats) leave a hole that the spline crosses; a gap is not crossed: a series is one
gapless piece.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.fft import rfft
from scipy.linalg.lapack import dgtsv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "HF_HZ",
    "LF_HZ",
    "STILL_MS",
    "VLF_HZ",
    "Powers",
    "band_powers",
    "band_powers_rows",
]

VLF_HZ, LF_HZ, HF_HZ = (0.0033, 0.04), (0.04, 0.15), (0.15, 0.4)
_RATE = 4.0
"""Hz; twice the fastest heart's Nyquist frequency of its own intervals."""
STILL_MS = 0.1
"""Standard deviation of intervals that is that of timing alone (a fiftieth of a sample at 250 Hz): a metronome, whose
ratios, entropy and scaling mean nothing. The stiffest transplanted heart varies by 1 ms and more."""
_BREATH_HZ = (0.12, 0.5)
"""7–30 breaths a minute: above the slow wave of blood pressure at 0.1 Hz."""
_BREATH_NEAR_HZ, _BREATH_SHARE = 0.03, 0.5
"""A breath rate is one where at least half of the band's power lies so near to it."""
_LEAST_POINTS = 8
"""Fewer intervals make no spectrum."""
_TOGETHER = 128
"""Series computed as rows of one array: a quarter of a megabyte each, which stays in the cache."""
_LENGTHS_KEPT = 256
"""Lengths of series whose bins are remembered: those of a session's windows vary by some ten."""


@dataclass(frozen=True, slots=True)
class Powers:
    """Power of a tachogram, ms²; NaN for a series too short to have a spectrum."""

    vlf: float
    lf: float
    hf: float
    breath_hz: float
    """Frequency at which breathing moves the intervals; NaN where no single one does."""

    @property
    def total(self) -> float:
        """All three bands together."""
        return self.vlf + self.lf + self.hf


def band_powers(at_s: NDArray[np.float64], nn_ms: NDArray[np.float64]) -> Powers:
    """Power in the three bands.

    Parameters
    ----------
    at_s : ndarray, shape (n,)
        Time of the beat that ends each interval, ascending.
    nn_ms : ndarray, shape (n,)
        NN intervals.
    """
    if len(nn_ms) < _LEAST_POINTS:
        return Powers(*(math.nan,) * 4)
    return Powers(*_bands(_spline_rows(at_s[None], nn_ms[None])[0][None])[0].tolist())


def band_powers_rows(series: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> NDArray[np.float64]:
    """Power of many series in the three bands: the same bits as one by one.

    Parameters
    ----------
    series : sequence of (ndarray, ndarray), shapes (k, n) each
        `at_s` and `nn_ms` as in :func:`band_powers`, those of the same length as the rows of arrays.

    Returns
    -------
    ndarray, shape (rows, 4)
        The fields of :class:`Powers` of each, in the order given.
    """
    out = np.full((sum(len(at) for at, _ in series), 4), np.nan)
    done = 0
    for at, nn in series:
        mine = out[done : done + len(at)]
        done += len(at)
        if at.shape[1] < _LEAST_POINTS:
            continue
        # Those with as many points stand beside each other: rows of one array, without a copy.
        order = np.argsort(np.ceil((at[:, -1] - at[:, 0]) * _RATE), kind="stable")
        for k in range(0, len(order), _TOGETHER):
            part = order[k : k + _TOGETHER]
            points, size = _spline_rows(at[part], nn[part])
            stop = np.cumsum(size)
            for low, high in pairwise((0, *(np.flatnonzero(size[1:] != size[:-1]) + 1).tolist(), len(size))):
                n = int(size[low])
                if n:
                    rows = points[stop[low] - n : stop[high - 1]].reshape(-1, n)
                    mine[part[low:high]] = _bands(rows)
    return out


class _Bins(NamedTuple):
    """Bins of a spectrum of n points: those that are kept, and where the bands begin and end among them."""

    first: int
    last: int
    cuts: tuple[int, ...]
    scale: float
    """One-sided: the sum over all bins is the variance of the series."""
    breath: int
    """First kept bin of the band of breathing."""
    near: int


@lru_cache(maxsize=_LENGTHS_KEPT)
def _bins(n: int) -> _Bins:
    borders = [math.ceil(hz * n / _RATE - 1e-9) for hz in (VLF_HZ[0], VLF_HZ[1], LF_HZ[1], HF_HZ[1])]
    first, last = max(borders[0], 1), min(math.ceil(_BREATH_HZ[1] * n / _RATE), n // 2)
    cuts = tuple(min(max(k - first, 0), max(last - first, 0)) for k in borders)
    breath = max(math.ceil(_BREATH_HZ[0] * n / _RATE) - first, 1)
    # The mean square of a periodic Hann window is 3/8.
    return _Bins(first, last, cuts, 2.0 / (n * n * 0.375), breath, round(_BREATH_NEAR_HZ * n / _RATE))


def _bands(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power in the bands, and the breath's frequency, of series of n points, shape (k, n) → (k, 4)."""
    n = x.shape[1]
    bins = _bins(n)
    first, last = bins.first, bins.last
    plain = rfft(x - np.add.reduce(x, axis=1, keepdims=True) / n)
    # A periodic Hann window in time is this in frequency.
    hann = 0.5 * plain[:, first:last] - 0.25 * (plain[:, first - 1 : last - 1] + plain[:, first + 1 : last + 1])
    power = (hann.real**2 + hann.imag**2) * bins.scale
    out = np.empty((len(x), 4))
    for column, (low, high) in enumerate(pairwise(bins.cuts)):
        np.add.reduce(power[:, low:high], axis=1, out=out[:, column])
    out[:, 3] = _breaths(power, bins, n)
    return out


def _breaths(power: NDArray[np.float64], bins: _Bins, n: int) -> NDArray[np.float64]:
    """Frequency of the one peak that stands out in the band of breathing, of each row of bins."""
    rows, count = power.shape
    low, near = bins.breath, bins.near
    if count - 1 - low < 1:
        return np.full(rows, np.nan)
    if rows == 1:
        return np.array([_breath(power[0].tolist(), bins, n)])
    k = low + power[:, low:-1].argmax(axis=1)
    total = np.zeros((rows, count - low + 1))
    power[:, low:].cumsum(axis=1, out=total[:, 1:])
    row = np.arange(rows)
    stop, start = np.minimum(k - low + near + 1, count - low), np.maximum(k - low - near, 0)
    inside = total[row, stop] - total[row, start]
    before, at, after = power[row, k - 1], power[row, k], power[row, k + 1]
    alone = (at > before) & (at >= after) & (inside >= _BREATH_SHARE * total[:, -1])
    bend = np.where(alone, before - 2.0 * at + after, 1.0)
    return np.where(alone, (bins.first + k + 0.5 * (before - after) / bend) * (_RATE / n), np.nan)


def _breath(power: list[float], bins: _Bins, n: int) -> float:
    """As :func:`_breaths`, of one row: plain floats take a quarter of the time, and come to the same bits."""
    low, near = bins.breath, bins.near
    band = power[low:-1]
    k = low + band.index(max(band))
    before, at, after = power[k - 1 : k + 2]
    total = list(accumulate(power[low:], initial=0.0))
    inside = total[min(k - low + near + 1, len(total) - 1)] - total[max(k - low - near, 0)]
    if not (at > before and at >= after and inside >= _BREATH_SHARE * total[-1]):
        return math.nan
    return (bins.first + k + 0.5 * (before - after) / (before - 2.0 * at + after)) * (_RATE / n)


def _spline_rows(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Cubic splines (not-a-knot) through the rows, at points 1/rate apart from each row's first knot to its last.

    Source of the equations for the slopes at the knots: de Boor 1978, A Practical Guide to Splines, chapter IV.

    Returns
    -------
    points : ndarray, shape (m,)
        One row's after the other's.
    size : ndarray of int64, shape (k,)
        How many each row has.
    """
    dx = x[:, 1:] - x[:, :-1]
    rise = (y[:, 1:] - y[:, :-1]) / dx
    slope = _slopes(dx, rise)
    right, left = slope[:, 1:], slope[:, :-1]
    bend = (left + right - 2.0 * rise) / dx
    since = x - x[:, :1]
    reached = np.ceil(since * _RATE).astype(np.int64)
    size = reached[:, -1]
    count = (reached[:, 1:] - reached[:, :-1]).ravel()
    begin = np.cumsum(size) - size
    rows = (bend / dx, (rise - left) / dx - bend, left, y[:, :-1], since[:, :-1])
    a, b, c, d, knot = np.array([r.ravel() for r in rows]).repeat(count, axis=1)
    at = np.arange(len(knot), dtype=np.float64)
    if len(x) > 1:
        at -= begin.repeat(size)
    at /= _RATE
    at -= knot
    for less in (b, c, d):
        a *= at
        a += less
    return a, size


def _slopes(dx: NDArray[np.float64], rise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slopes at the knots, shape (k, n), from the knots' distances and the rises between them, (k, n − 1) each."""
    ends = dx.shape[1] - 1
    # The first and the last column, and those beside them.
    near, far, near_rise, far_rise = dx[:, ::ends], dx[:, 1 : -1 : ends - 2], rise[:, ::ends], rise[:, 1 : -1 : ends - 2]
    both = near + far
    before, after = dx[:, :-1], dx[:, 1:]
    # All rows are one system: a zero between two rows keeps them apart, to the last bit.
    below, diagonal, above, right = np.zeros((4, len(dx), ends + 2))
    below[:, :-2], below[:, -2] = after, both[:, 1]
    above[:, 0], above[:, 1:-1] = both[:, 0], before
    diagonal[:, :: ends + 1] = far
    diagonal[:, 1:-1] = 2.0 * (before + after)
    right[:, 1:-1] = 3.0 * (after * rise[:, :-1] + before * rise[:, 1:])
    right[:, :: ends + 1] = ((near + 2.0 * both) * far * near_rise + near * near * far_rise) / both
    flat = below.ravel()[:-1], diagonal.ravel(), above.ravel()[:-1], right.ravel()
    solved: NDArray[np.float64] = dgtsv(*flat, True, True, True, True)[3].reshape(right.shape)
    return solved
