"""Named filter designs, by rate: each is an operation for a block filter.

A design is asked for with the stream's own rate and says which rates it can serve; nothing here has a default
rate. All are zero-phase: a beat's time must not depend on its frequency content.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import butter, sosfilt_zi

from feltsense.dsp.blocks import zero_phase

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.dsp.blocks import Operation

__all__ = [
    "ECG_LEAST_RATE",
    "PPG_LEAST_RATE",
    "bandpass",
    "ecg_clean",
    "highpass",
    "lowpass",
    "mains_triangle",
    "without_mains",
]

ECG_LEAST_RATE = 60.0
"""Hz; a QRS complex has its energy at 5–25 Hz: below about 60 Hz its peak cannot be placed to a few ms."""
PPG_LEAST_RATE = 20.0
"""Hz; the pulse wave reaches 8 Hz: below 20 Hz its upstroke has fewer than three samples."""

ECG_CUT_HZ, ECG_ORDER = 0.5, 5
"""High-pass of NeuroKit2's ECG cleaning: removes baseline wander, leaves the QRS complex's shape."""
_MAINS_HZ = 50.0
"""A moving average one mains period long has its zeros at the mains frequency and its multiples."""
_MAINS_LEAST_RATE = 100.0
"""Below it a mains period is less than two samples; then two samples are averaged."""
PULSE_HZ, PULSE_ORDER = (0.5, 8.0), 2
"""Band of Elgendi 2013 for systolic peaks."""
FINE_HZ = (0.5, 5.0)
"""Band in which upstroke, amplitude and shape of a wrist pulse repeat from beat to beat: above it is mostly noise."""


def _both_ways(sos: NDArray[np.float64]) -> Operation:
    return partial(zero_phase, sos, zi=sosfilt_zi(sos))


def highpass(rate: float, cut_hz: float, order: int) -> Operation:
    """Butterworth high-pass, run forwards and backwards."""
    return _both_ways(butter(order, cut_hz, "highpass", fs=rate, output="sos"))


def lowpass(rate: float, cut_hz: float, order: int) -> Operation:
    """Butterworth low-pass, run forwards and backwards."""
    return _both_ways(butter(order, cut_hz, "lowpass", fs=rate, output="sos"))


def bandpass(rate: float, band_hz: tuple[float, float], order: int) -> Operation:
    """Butterworth band-pass, run forwards and backwards."""
    return _both_ways(butter(order, band_hz, "bandpass", fs=rate, output="sos"))


def ecg_clean(rate: float) -> Operation:
    """ECG without baseline wander and mains hum: the cleaning that NeuroKit2 calls "neurokit".

    Parameters
    ----------
    rate : float
        Hz, at least :data:`ECG_LEAST_RATE`.
    """
    return partial(_clean, highpass(rate, ECG_CUT_HZ, ECG_ORDER), mains_triangle(rate))


def mains_triangle(rate: float) -> NDArray[np.float64]:
    """Weights that take the mains hum out of an ECG, an odd number of them."""
    width = int(rate / _MAINS_HZ) if rate >= _MAINS_LEAST_RATE else 2
    box = np.full(width, 1.0 / width)
    # Forwards and backwards with a box is one pass with a triangle.
    return np.convolve(box, box)


def _clean(drift: Operation, triangle: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return without_mains(drift(x), triangle, 0, len(x))


def without_mains(y: NDArray[np.float64], triangle: NDArray[np.float64], start: int, stop: int) -> NDArray[np.float64]:
    """Samples `start` up to `stop` smoothed by :func:`mains_triangle`; y is continued by its first and last value."""
    if stop <= start:
        return y[:0]
    half = len(triangle) // 2
    before, after = max(half - start, 0), max(stop + half - len(y), 0)
    part = y[max(start - half, 0) : stop + half]
    if before or after:
        part = np.concatenate((np.full(before, y[0]), part, np.full(after, y[-1])))
    smooth: NDArray[np.float64] = np.convolve(part, triangle, mode="valid")
    return smooth
