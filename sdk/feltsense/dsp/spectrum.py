"""Power of a tachogram in the bands of heart rate variability, in ms², and the two slow indices of its order.

Definitions
-----------
- Spectrum: NN intervals at the times of their beats, a cubic spline through them at 4 Hz, mean removed, Hann periodogram
  scaled so that its sum is the variance. Absolute power: nothing is normalised, so windows can be compared.
- LF 0.04–0.15 Hz, HF 0.15–0.4 Hz (Task Force 1996, Circulation 93:1043).
- Sample entropy: m = 2, r = 0.2 standard deviations (n − 1), after Richman & Moorman 2000, Am J Physiol 278:H2039.
- DFA α1: windows of 4–11 beats that overlap by half, after Peng 1995, Chaos 5:82, as NeuroKit2 computes it.

Intervals that are left out (ectopic beats) leave a hole that the spline crosses; a gap is not crossed: a series is one
gapless piece.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import make_interp_spline

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HF_HZ", "LF_HZ", "band_powers", "dfa_short", "sample_entropy"]

LF_HZ, HF_HZ = (0.04, 0.15), (0.15, 0.4)
_RATE = 4.0
"""Hz; twice the fastest heart's Nyquist frequency of its own intervals."""
_LEAST_POINTS = 8
"""Fewer intervals make no spectrum."""
_SAMPEN_LENGTH, _SAMPEN_RADIUS = 2, 0.2
_DFA_BEATS = range(4, 12)
_DFA_STILL_MS2 = 1e-8
"""Variance of a segment that counts as none."""


def band_powers(at_s: NDArray[np.float64], nn_ms: NDArray[np.float64]) -> tuple[float, float]:
    """LF and HF power, ms²; NaN for a series too short to have a spectrum.

    Parameters
    ----------
    at_s : ndarray, shape (n,)
        Time of the beat that ends each interval, ascending.
    nn_ms : ndarray, shape (n,)
        NN intervals.
    """
    if len(nn_ms) < _LEAST_POINTS:
        return float("nan"), float("nan")
    t = np.arange(at_s[0], at_s[-1], 1.0 / _RATE)
    x = make_interp_spline(at_s, nn_ms, k=3)(t)
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(len(t)) / len(t))
    spectrum = np.abs(np.fft.rfft((x - x.mean()) * hann)) ** 2
    # One-sided: the sum over all bins is the variance of the series.
    power = 2.0 * spectrum / (len(t) * float(np.sum(hann * hann)))
    hz = np.fft.rfftfreq(len(t), 1.0 / _RATE)
    low, high = (float(power[(hz >= a) & (hz < b)].sum()) for a, b in (LF_HZ, HF_HZ))
    return low, high


def sample_entropy(nn_ms: NDArray[np.float64]) -> float:
    """Sample entropy of the intervals; NaN where no pattern repeats.

    Parameters
    ----------
    nn_ms : ndarray, shape (n,)
        NN intervals of one piece; memory grows with n².
    """
    n = len(nn_ms)
    radius = _SAMPEN_RADIUS * float(nn_ms.std(ddof=1)) if n > _SAMPEN_LENGTH + 1 else 0.0
    if radius <= 0.0:
        return float("nan")
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
    if n <= _DFA_BEATS[-1]:
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
