"""Levels of harmonics, and the cepstral peak.

H1–H2 and H1–A1 to H1–A3 (Hanson 1997, JASA 101:466): the first harmonic against the second and against the strongest
harmonic at a formant; breathy and soft voices have large ones, pressed and loud voices small ones. Cepstral peak
prominence (Hillenbrand 1994, JSHR 37:769): the cepstrum's peak at the period above a line through the cepstrum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from feltsense.dsp.voice.pitch import CEILING_HZ, FLOOR_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["cepstral_peak", "harmonic_levels"]

_NEAR = 0.3
"""Periods of the fundamental around a harmonic's place in which its peak is looked for."""
_AT_FORMANT, _AT_FORMANT_HZ = 0.6, 80.0


def _highest(levels: Array, centre: Array, width: Array, step: float) -> Array:
    """Highest level within centre ± width (Hz) of each row."""
    top = levels.shape[1] - 1
    a = np.clip(((centre - width) / step).astype(np.int64), 0, top - 1)
    b = np.clip(((centre + width) / step).astype(np.int64) + 1, a + 1, top + 1)
    most = int((b - a).max(initial=1))
    index = a[:, None] + np.arange(most)
    inside = index < b[:, None]
    found = np.take_along_axis(levels, np.minimum(index, top), 1)
    out: Array = np.where(inside, found, -np.inf).max(axis=1)
    return out


def harmonic_levels(levels: Array, f0: Array, formant: Array, step: float) -> Array:
    """H1–H2, H1–A1, H1–A2 and H1–A3 in dB of voiced frames; (frames, 4).

    Parameters
    ----------
    levels : ndarray, shape (frames, bins)
        Power spectra in dB.
    f0 : ndarray, shape (frames,)
        Hz.
    formant : ndarray, shape (frames, 3)
        Hz; where there is none (0), 500, 1500 and 2500 Hz stand in, a neutral vowel's.
    step : float
        Hz a bin.
    """
    place = np.where(formant > 0.0, formant, [500.0, 1500.0, 2500.0])
    first = _highest(levels, f0, _NEAR * f0, step)
    around = np.maximum(_AT_FORMANT * f0, _AT_FORMANT_HZ)
    others = (
        _highest(levels, 2.0 * f0, _NEAR * f0, step),
        *(_highest(levels, np.ascontiguousarray(place[:, i]), around, step) for i in range(3)),
    )
    return np.stack([first - o for o in others], axis=1)


def cepstral_peak(levels: Array, rate: float) -> Array:
    """Cepstral peak prominence of frames, in dB."""
    transform = 2 * (levels.shape[1] - 1)
    a, b = int(rate / CEILING_HZ), int(rate / FLOOR_HZ) + 1
    part = fft.irfft(levels, transform, axis=1)[:, a:b]
    x = np.arange(a, b) - (a + b - 1) / 2.0
    mean = part.mean(axis=1)
    slope = (part - mean[:, None]) @ x / (x @ x)
    at = part.argmax(axis=1)
    out: Array = part.max(axis=1) - (mean + slope * x[at])
    return out
