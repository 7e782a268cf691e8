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
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.fft import rfft
from scipy.linalg.lapack import dgtsv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

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
_PIECES = 5
"""Numbers of a piece of a spline: four coefficients, and where it begins."""
_LEAST_POINTS = 8
"""Fewer intervals make no spectrum."""
_TOGETHER = 128
"""Series computed as rows of one array: a quarter of a megabyte each, which stays in the cache."""
_LENGTHS_KEPT = 256
"""Lengths of series whose bins are remembered: those of a session's windows vary by some ten."""


class Powers(NamedTuple):
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


def band_powers(at_s: Array, nn_ms: Array) -> Powers:
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
    return _bands_of(_spline(at_s, nn_ms))


def band_powers_rows(series: Sequence[tuple[Array, Array]]) -> Array:
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
    """One-sided: the sum over all bins is the variance of the series; for four times the window's spectrum."""
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
    return _Bins(first, last, cuts, 2.0 / (16.0 * n * n * 0.375), breath, round(_BREATH_NEAR_HZ * n / _RATE))


def _bands(x: Array) -> Array:
    """Power in the bands, and the breath's frequency, of series of n points, shape (k, n) → (k, 4)."""
    n = x.shape[1]
    bins = _bins(n)
    power = _power(x - np.add.reduce(x, axis=1, keepdims=True) / n, bins)
    out = np.empty((len(x), 4))
    for column, (low, high) in enumerate(pairwise(bins.cuts)):
        np.add.reduce(power[:, low:high], axis=1, out=out[:, column])
    out[:, 3] = _breaths(power, bins, n)
    return out


def _bands_of(x: Array) -> Powers:
    """As :func:`_bands`, of one series, shape (n,): the same bits."""
    n = len(x)
    bins = _bins(n)
    power = _power(x - float(np.add.reduce(x)) / n, bins)
    vlf, lf, hf = [float(np.add.reduce(power[low:high])) for low, high in pairwise(bins.cuts)]
    return Powers(vlf, lf, hf, _breath(power.tolist(), bins, n) if len(power) - 1 - bins.breath >= 1 else math.nan)


def _power(x: Array, bins: _Bins) -> Array:
    """Power of the kept bins of series without a mean, along the last axis."""
    first, last = bins.first, bins.last
    plain = rfft(x)
    # A periodic Hann window in time is this in frequency: here four times as large, which `scale` takes back.
    hann = plain[..., first:last] * 2.0
    hann -= plain[..., first - 1 : last - 1] + plain[..., first + 1 : last + 1]
    parts = hann.view(np.float64)
    parts *= parts
    power: Array = parts[..., ::2] + parts[..., 1::2]
    power *= bins.scale
    return power


def _breaths(power: Array, bins: _Bins, n: int) -> Array:
    """Frequency of the one peak that stands out in the band of breathing, of each row of bins."""
    rows, count = power.shape
    low, near = bins.breath, bins.near
    if count - 1 - low < 1:
        return np.full(rows, np.nan)
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


def _spline_rows(x: Array, y: Array) -> tuple[Array, NDArray[np.int64]]:
    """Cubic splines (not-a-knot) through the rows, at points 1/rate apart from each row's first knot to its last.

    Returns
    -------
    points : ndarray, shape (m,)
        One row's after the other's.
    size : ndarray of int64, shape (k,)
        How many each row has.
    """
    since = x - x[:, :1]
    reached = np.ceil(since * _RATE).astype(np.int64)
    size = reached[:, -1]
    begin = np.cumsum(size) - size
    at = np.arange(int(size.sum()), dtype=np.float64)
    at -= begin.repeat(size)
    pieces = _pieces(x, y, since).reshape(_PIECES, -1)
    return _evaluated(pieces, (reached[:, 1:] - reached[:, :-1]).ravel(), at), size


def _spline(x: Array, y: Array) -> Array:
    """As :func:`_spline_rows`, of one row, shape (n,): the same bits."""
    since = x - x[0]
    reached = np.ceil(since * _RATE).astype(np.int64)
    at = np.arange(int(reached[-1]), dtype=np.float64)
    return _evaluated(_pieces(x, y, since), reached[1:] - reached[:-1], at)


def _evaluated(pieces: Array, count: NDArray[np.int64], at: Array) -> Array:
    """Points of the pieces, `count` of each, at so many periods since their row's first knot; `at` is changed."""
    out: Array
    out, b, c, d, knot = pieces.repeat(count, axis=1)
    at /= _RATE
    at -= knot
    for less in (b, c, d):
        out *= at
        out += less
    return out


def _pieces(x: Array, y: Array, since: Array) -> Array:
    """Coefficients from the cube down, and the beginning, of each piece of splines along the last axis.

    Source of the equations: de Boor 1978, A Practical Guide to Splines, chapter IV; here for a sixth of the second
    derivatives at the knots, of which those at the ends follow from their two neighbours.
    """
    step = x[..., 1:] - x[..., :-1]
    rise = y[..., 1:] - y[..., :-1]
    rise /= step
    bend = np.empty(x.shape)
    bend[..., 1:-1] = _bends(step, rise[..., 1:] - rise[..., :-1])
    for end, one, two in ((0, 1, 2), (-1, -2, -3)):
        share = _column(step, end) / _column(step, one)
        bend[..., end] = (1.0 + share) * _column(bend, one) - share * _column(bend, two)
    out = np.empty((_PIECES, *step.shape))
    a, b, c, d, knot = out
    np.subtract(bend[..., 1:], bend[..., :-1], out=a)
    np.multiply(bend[..., :-1], 3.0, out=b)
    np.add(a, b, out=c)
    c *= step
    np.subtract(rise, c, out=c)
    a /= step
    d[:], knot[:] = y[..., :-1], since[..., :-1]
    return out


def _column(x: Array, i: int) -> Any:
    """Column i of rows; of one row a plain float, which takes a tenth of the time and comes to the same bits."""
    return x.item(i) if x.ndim == 1 else x[..., i]


def _bends(step: Array, turn: Array) -> Array:
    """A sixth of the second derivatives at the inner knots, from their distances and the turns of the slope there."""
    diagonal = step[..., 1:] + step[..., :-1]
    diagonal *= 2.0
    # All rows are one system: a zero between two rows keeps them apart, to the last bit.
    beside = np.zeros((2, *diagonal.shape))
    below, above = beside
    beside[..., :-1] = step[..., 1:-1]
    for end, beside_end, coupled, off in ((0, 1, 0, above), (-1, -2, -2, below)):
        outer, inner = _column(step, end), _column(step, beside_end)
        share = outer / inner
        diagonal[..., end] += outer * (1.0 + share)
        off[..., coupled] = inner - outer * share
    flat = below.ravel()[:-1], diagonal.ravel(), above.ravel()[:-1], turn.ravel()
    solved: Array = dgtsv(*flat, True, True, True, True)[3]
    return solved.reshape(turn.shape)
