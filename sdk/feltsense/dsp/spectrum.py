"""Power of a tachogram in the bands of heart rate variability, in ms², and the two slow indices of its order.

Definitions
-----------
- Spectrum: NN intervals at the times of their beats, a cubic spline through them at 4 Hz, mean removed, Hann periodogram
  scaled so that its sum is the variance. Absolute power: nothing is normalised, so windows can be compared.
- VLF 0.0033–0.04 Hz, LF 0.04–0.15 Hz, HF 0.15–0.4 Hz (Task Force 1996, Circulation 93:1043).
- Sample entropy: m = 2, r = 0.2 standard deviations (n − 1), after Richman & Moorman 2000, Am J Physiol 278:H2039.
- DFA α1: windows of 4–11 beats that overlap by half, after Peng 1995, Chaos 5:82, as NeuroKit2 computes it.

Intervals that are left out (ectopic beats) leave a hole that the spline crosses; a gap is not crossed: a series is one
gapless piece.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
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
    "dfa_short",
    "sample_entropy",
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
_SAMPEN_LENGTH, _SAMPEN_RADIUS = 2, 0.2
_DFA_BEATS = range(4, 12)
_DFA_STILL_MS2 = 1e-8
"""Variance of a segment that counts as none."""


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
    return Powers(*band_powers_rows([(at_s[None], nn_ms[None])])[0].tolist())


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
    none = np.empty(0)
    parts = [
        _spline_rows(at, nn) if at.shape[1] >= _LEAST_POINTS else (none, np.zeros(len(at), np.int64)) for at, nn in series
    ]
    points = np.concatenate([p for p, _ in parts])
    size = np.concatenate([n for _, n in parts])
    start = np.cumsum(size) - size
    out = np.full((len(size), 4), np.nan)
    for n in np.unique(size[size > 0]).tolist():
        same = size == n
        x = points[start[same][:, None] + np.arange(n)]
        x -= x.mean(axis=1, keepdims=True)
        borders = [math.ceil(hz * n / _RATE - 1e-9) for hz in (VLF_HZ[0], VLF_HZ[1], LF_HZ[1], HF_HZ[1])]
        first, last = max(borders[0], 1), min(math.ceil(_BREATH_HZ[1] * n / _RATE), n // 2)
        plain = np.fft.rfft(x, axis=1)
        # A periodic Hann window in time is this in frequency; its mean square is 3/8.
        hann = 0.5 * plain[:, first:last] - 0.25 * (plain[:, first - 1 : last - 1] + plain[:, first + 1 : last + 1])
        # One-sided: the sum over all bins is the variance of the series.
        power = (hann.real**2 + hann.imag**2) * (2.0 / (n * n * 0.375))
        cuts = [min(max(k - first, 0), power.shape[1]) for k in borders]
        for column, (low, high) in enumerate(pairwise(cuts)):
            out[same, column] = power[:, low:high].sum(axis=1)
        out[same, 3] = _breaths(power, first, n)
    return out


def _breaths(power: NDArray[np.float64], first: int, n: int) -> NDArray[np.float64]:
    """Frequency of the one peak that stands out in the band of breathing, of each row of bins from `first` on."""
    low = max(math.ceil(_BREATH_HZ[0] * n / _RATE) - first, 1)
    band = power[:, low:-1]
    out = np.full(len(power), np.nan)
    if band.shape[1] < 1:
        return out
    k = low + np.argmax(band, axis=1)
    row, near = np.arange(len(power)), round(_BREATH_NEAR_HZ * n / _RATE)
    total = np.concatenate((np.zeros((len(power), 1)), np.cumsum(power[:, low:], axis=1)), axis=1)
    inside = total[row, np.minimum(k - low + near + 1, total.shape[1] - 1)] - total[row, np.maximum(k - low - near, 0)]
    before, at, after = power[row, k - 1], power[row, k], power[row, k + 1]
    alone = (at > before) & (at >= after) & (inside >= _BREATH_SHARE * total[:, -1])
    bend = np.where(alone, before - 2.0 * at + after, 1.0)
    out[alone] = ((first + k + 0.5 * (before - after) / bend) * (_RATE / n))[alone]
    return out


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
    dx = np.diff(x, axis=1)
    rise = np.diff(y, axis=1) / dx
    first, last = dx[:, 0] + dx[:, 1], dx[:, -2] + dx[:, -1]
    diagonal = np.concatenate((dx[:, 1:2], 2.0 * (dx[:, :-1] + dx[:, 1:]), dx[:, -2:-1]), axis=1)
    # All rows are one system: a zero between two rows keeps them apart, to the last bit.
    between = np.zeros((len(x), 1))
    above = np.concatenate((first[:, None], dx[:, :-1], between), axis=1)
    below = np.concatenate((dx[:, 1:], last[:, None], between), axis=1)
    right = np.empty_like(x)
    right[:, 1:-1] = 3.0 * (dx[:, 1:] * rise[:, :-1] + dx[:, :-1] * rise[:, 1:])
    right[:, 0] = ((dx[:, 0] + 2.0 * first) * dx[:, 1] * rise[:, 0] + dx[:, 0] ** 2 * rise[:, 1]) / first
    right[:, -1] = (dx[:, -1] ** 2 * rise[:, -2] + (2.0 * last + dx[:, -1]) * dx[:, -2] * rise[:, -1]) / last
    slope = dgtsv(below.ravel()[:-1], diagonal.ravel(), above.ravel()[:-1], right.ravel())[3].reshape(x.shape)
    bend = (slope[:, :-1] + slope[:, 1:] - 2.0 * rise) / dx
    square, cube = (rise - slope[:, :-1]) / dx - bend, bend / dx
    reached = np.ceil((x - x[:, :1]) * _RATE).astype(np.int64)
    size = reached[:, -1]
    count = np.diff(reached, axis=1).ravel()
    begin = np.cumsum(size) - size
    at = (np.arange(int(size.sum())) - np.repeat(begin, size)) / _RATE - np.repeat((x - x[:, :1])[:, :-1].ravel(), count)
    a, b, c, d = (np.repeat(v.ravel(), count) for v in (cube, square, slope[:, :-1], y[:, :-1]))
    points: NDArray[np.float64] = ((a * at + b) * at + c) * at + d
    return points, size


def sample_entropy(nn_ms: NDArray[np.float64]) -> float:
    """Sample entropy of the intervals; NaN where no pattern repeats.

    Parameters
    ----------
    nn_ms : ndarray, shape (n,)
        NN intervals of one piece; memory grows with n².
    """
    n = len(nn_ms)
    spread = float(nn_ms.std(ddof=1)) if n > _SAMPEN_LENGTH + 1 else 0.0
    if spread <= STILL_MS:
        return float("nan")
    radius = _SAMPEN_RADIUS * spread
    near = np.abs(nn_ms[:, None] - nn_ms[None, :]) <= radius
    m = n - _SAMPEN_LENGTH
    short = near[:m, :m] & near[1 : m + 1, 1 : m + 1]
    both = short & near[2:, 2:]
    patterns, repeated = int(short.sum()) - m, int(both.sum()) - m
    return float(-np.log(repeated / patterns)) if patterns > 0 and repeated > 0 else float("nan")


def dfa_short(nn_ms: NDArray[np.float64]) -> float:
    """Short-term scaling exponent α1 of the intervals; NaN for a series that does not fluctuate.

    Parameters
    ----------
    nn_ms : ndarray, shape (n,)
        NN intervals of one piece.
    """
    n = len(nn_ms)
    if n <= _DFA_BEATS[-1] or float(nn_ms.std(ddof=1)) <= STILL_MS:
        return float("nan")
    profile = np.cumsum(nn_ms - nn_ms.mean())
    size, fluctuation = [], []
    for beats in _DFA_BEATS:
        parts = profile[np.arange(0, n - beats, beats // 2)[:, None] + np.arange(beats)]
        x = np.arange(beats) - 0.5 * (beats - 1)
        parts = parts - parts.mean(axis=1, keepdims=True)
        slope = np.sum(parts * x, axis=1) / np.sum(x * x)
        variance = np.mean((parts - slope[:, None] * x) ** 2, axis=1)
        variance = variance[variance > _DFA_STILL_MS2]
        if not len(variance):
            return float("nan")
        size.append(np.log2(beats))
        fluctuation.append(0.5 * np.log2(variance.mean()))
    a, b = np.array(size), np.array(fluctuation)
    return float(np.sum((a - a.mean()) * (b - b.mean())) / np.sum((a - a.mean()) ** 2))
