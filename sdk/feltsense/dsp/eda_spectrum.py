"""Power of electrodermal activity in the band of sympathetic control.

Definition (after Posada-Quintero 2016, Ann Biomed Eng 44:3124): conductance in segments of 64 s that overlap by half,
each less its line, Hann periodogram in µS² (the sum over all bins is the variance), averaged; *EDASymp* is its power in
0.045–0.25 Hz, *EDASympN* that as a share of the power above 0.01 Hz. There the signal is decimated to 2 Hz first; here
the bins are taken as they are, which is the same band without a second filter.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SYMPATHETIC_SECONDS", "sympathetic"]

SYMPATHETIC_SECONDS = 64.0
"""A segment: three periods of the band's lower edge."""
_BAND_HZ, _TOTAL_HZ = (0.045, 0.25), (0.01, 1.0)


def sympathetic(x: NDArray[np.float64], rate: float) -> tuple[float, float]:
    """EDASymp in µS² and EDASympN; NaN where x is shorter than a segment or does not vary.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Conductance without a gap, µS.
    rate : float
        Hz.
    """
    n = round(SYMPATHETIC_SECONDS * rate)
    if len(x) < n or n < 4:
        return math.nan, math.nan
    count = 1 + (len(x) - n) // (n // 2)
    parts = np.array([x[k * (n // 2) : k * (n // 2) + n] for k in range(count)])
    t = np.arange(n) - 0.5 * (n - 1)
    parts = parts - parts.mean(axis=1, keepdims=True)
    parts = parts - ((parts * t).sum(axis=1) / (t * t).sum())[:, None] * t
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n) / n)
    power = (np.abs(np.fft.rfft(parts * hann, axis=1)) ** 2).mean(axis=0) * 2.0 / (n * float(np.sum(hann * hann)))
    hz = np.fft.rfftfreq(n, 1.0 / rate)
    band, total = (float(power[(hz >= a) & (hz < b)].sum()) for a, b in (_BAND_HZ, _TOTAL_HZ))
    return band, band / total if total > 0.0 else math.nan
