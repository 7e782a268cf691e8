"""A pulse wave in its two bands and how far it stands out from its beat, for one span of samples or many at once.

Columns of the operation: wave 0.5–8 Hz, fine wave 0.5–5 Hz, excess of the clipped and squared wave's average over a
systolic peak above that over a beat (Elgendi 2013, PLoS ONE 8:e76585), that square, and the raw samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, sosfilt_zi

from feltsense.dsp.blocks import zero_phase, zero_phase_rows
from feltsense.dsp.filters import FINE_HZ, PULSE_HZ, PULSE_ORDER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["PULSE_BEAT_SECONDS", "PULSE_PEAK_SECONDS", "PulseOperation"]

PULSE_PEAK_SECONDS, PULSE_BEAT_SECONDS = 0.111, 0.667
"""Width of a systolic peak and of a beat (Elgendi 2013, table of optima)."""


class PulseOperation:
    """The operation of a block filter, and the same of many spans as rows of an array.

    Parameters
    ----------
    rate : float
        Hz, at least :data:`~feltsense.dsp.filters.PPG_LEAST_RATE`.
    """

    def __init__(self, rate: float) -> None:
        self._bands = [(sos, sosfilt_zi(sos)) for sos in (_band(rate, hz) for hz in (PULSE_HZ, FINE_HZ))]
        self._peak, self._beat = max(round(PULSE_PEAK_SECONDS * rate), 1), round(PULSE_BEAT_SECONDS * rate)

    def __call__(self, x: Array) -> Array:
        """Columns of a span (n,), shape (n, 5)."""
        wave, fine = (zero_phase(sos, x, zi) for sos, zi in self._bands)
        power = np.square(np.maximum(wave, 0.0))
        return np.column_stack((wave, fine, self._excess(power), power, x))

    def many(self, x: Array, start: int, stop: int) -> Array:
        """Columns but the last of samples `start` up to `stop` of spans (k, n), shape (k · (stop − start), 4)."""
        wave, fine = (zero_phase_rows(sos, x, zi) for sos, zi in self._bands)
        power = np.square(np.maximum(wave, 0.0))
        columns = (wave, fine, self._excess(power), power)
        return np.stack([c[:, start:stop] for c in columns], axis=2).reshape(-1, len(columns))

    def _excess(self, power: Array) -> Array:
        near, around = (uniform_filter1d(power, size, mode="nearest") for size in (self._peak, self._beat))
        out: Array = near - around
        return out


def _band(rate: float, hz: tuple[float, float]) -> Array:
    sos: Array = butter(PULSE_ORDER, hz, "bandpass", fs=rate, output="sos")
    return sos
