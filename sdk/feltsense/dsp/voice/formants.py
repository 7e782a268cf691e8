"""Formants by linear prediction (Markel & Gray 1976; Burg's and the autocorrelation method agree on whole frames).

The autocorrelation comes from the part of the power spectrum below 5.5 kHz (selective linear prediction, Makhoul 1975,
Proc IEEE 63:561), which is what resampling to 11 kHz would give; five resonances are expected there (Praat's default
for adults). Below about 5 dB of harmonics-to-noise ratio they are noise: who uses them looks at the periodicity first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["formants"]

_TOP_HZ = 5500.0
_ORDER = 10
_EMPHASIS_HZ = 50.0
_SMOOTH_HZ = 40.0
"""Gaussian lag window: the frames are long enough to see single harmonics, and an unsmoothed fit would lock to them."""
_LEAST_HZ, _WIDEST_HZ = 90.0, 800.0
_COUNT = 3


def formants(power: Array, rate: float, transform: int) -> tuple[Array, Array]:
    """Frequencies and bandwidths in Hz of the first three formants.

    Parameters
    ----------
    power : ndarray, shape (frames, bins)
        Power spectra.
    rate : float
        Hz.
    transform : int
        Length of the transform.

    Returns
    -------
    frequency, bandwidth : ndarray, shape (frames, 3)
        0 where there is none.
    """
    bins = int(_TOP_HZ / rate * transform)
    own = 2.0 * bins * rate / transform
    # Pre-emphasis 1 − a·z⁻¹, applied to the spectrum.
    a = np.exp(-2.0 * np.pi * _EMPHASIS_HZ / own)
    angle = np.pi * np.arange(bins + 1) / bins
    r = fft.irfft(power[:, : bins + 1] * (1.0 + a * a - 2.0 * a * np.cos(angle)), 2 * bins, axis=1)[:, : _ORDER + 1]
    polynomial = _levinson(r * np.exp(-0.5 * np.square(2.0 * np.pi * _SMOOTH_HZ / own * np.arange(_ORDER + 1))))
    companion = np.zeros((len(r), _ORDER, _ORDER))
    companion[:, np.arange(1, _ORDER), np.arange(_ORDER - 1)] = 1.0
    companion[:, 0] = -polynomial[:, 1:]
    roots = np.linalg.eigvals(companion)
    hz = np.angle(roots) * own / (2.0 * np.pi)
    width = -np.log(np.maximum(np.abs(roots), 1e-12)) * own / np.pi
    usable = (hz > _LEAST_HZ) & (hz < _TOP_HZ - _LEAST_HZ) & (width < _WIDEST_HZ)
    order = np.argsort(np.where(usable, hz, np.inf), axis=1, kind="stable")[:, :_COUNT]
    there = np.take_along_axis(usable, order, 1)
    return (
        np.where(there, np.take_along_axis(hz, order, 1), 0.0),
        np.where(there, np.take_along_axis(width, order, 1), 0.0),
    )


def _levinson(r: Array) -> Array:
    """Prediction polynomials of many autocorrelations at once; (frames, order + 1)."""
    a = np.zeros_like(r)
    a[:, 0] = 1.0
    # A little white noise (−90 dB) keeps the recursion stable for pure tones.
    error = r[:, 0] * (1.0 + 1e-9) + 1e-30
    for i in range(1, r.shape[1]):
        k = -(a[:, :i] * r[:, i:0:-1]).sum(axis=1) / error
        mirrored = a[:, i - 1 :: -1] if i > 1 else a[:, :1]
        a[:, 1 : i + 1] += k[:, None] * mirrored[:, :i].copy()
        error = error * (1.0 - k * k)
    return a
