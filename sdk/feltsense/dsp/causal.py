"""R peaks at once: a causal detector for biofeedback, where a beat that is told half a second later is of no use.

The features of windows come from :class:`feltsense.dsp.peaks.QrsDetector`, which looks 1.5 s ahead and places a peak to
the sample. This one looks at nothing but the past; it tells a beat within :data:`LATENCY_S` of its R peak, places it to
some ten milliseconds, and never takes a beat back. Do not form variability from it.

Method (after Pan & Tompkins 1985, IEEE TBME 32:230, with recursive filters throughout, so that the state after a sample
does not depend on how the signal was cut): band-pass 8–20 Hz, slope, square, low-pass; a bump of that energy is a beat
when its top exceeds a share of the way from the recent noise to the recent beats, outside the refractory time. The
first two seconds learn the level.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import butter, sosfilt

from feltsense.dsp.filters import ECG_LEAST_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LATENCY_S", "CausalQrs"]

LATENCY_S = 0.2
"""Longest time from an R peak to its being told, in a rhythm without noise; a test holds it."""
_BAND_HZ, _ENVELOPE_HZ = (8.0, 20.0), 4.0
_REFRACTORY_S = 0.25
"""Two beats closer than this are one: 240 a minute."""
_SHARE, _MEMORY = 0.3, 0.125
"""Threshold as a share of the way from noise to beats, and weight of the newest top (Pan & Tompkins 1985)."""
_FORGET_S = 2.0
"""Time constant with which the beats' level falls while none comes: a lead that was pressed on is heard again."""
_LARGEST = 8.0
"""A bump counts as so many beats' energy at most: a knock on the electrode must not deafen the detector."""
_FALLEN = 0.7
"""A bump is over when its energy has fallen to this share of its top."""
_DELAY_S = 0.07
"""Delay of the energy's top behind the R peak, by the filters."""


class CausalQrs:
    """Tells R peaks as they come.

    Parameters
    ----------
    rate : float
        Hz, at least 60.

    Raises
    ------
    ValueError
        If the rate is lower.
    """

    def __init__(self, rate: float) -> None:
        if rate < ECG_LEAST_RATE:
            msg = f"R peaks need an ECG of {ECG_LEAST_RATE:g} Hz and more, got {rate:g} Hz"
            raise ValueError(msg)
        self._rate = rate
        self._band = butter(1, _BAND_HZ, "bandpass", fs=rate, output="sos")
        self._low = butter(2, _ENVELOPE_HZ, "lowpass", fs=rate, output="sos")
        self._keep = math.exp(-1.0 / (_FORGET_S * rate))
        self._delay, self._refractory = round(_DELAY_S * rate), round(_REFRACTORY_S * rate)
        self.begin()

    def begin(self) -> None:
        """Begin a new gapless run; samples are numbered from 0 again."""
        self._state = np.zeros((len(self._band), 2)), np.zeros((len(self._low), 2))
        self._first = math.nan
        self._last_y = 0.0
        self._count = 0
        self._top, self._top_at = 0.0, 0
        self._rising = False
        self._beats = self._noise = 0.0
        self._last = -self._refractory

    def push(self, x: NDArray[np.float64]) -> list[int]:
        """Take the run's next samples (finite), shape (n,), mV; give the sample numbers of the R peaks now known."""
        if not len(x):
            return []
        if math.isnan(self._first):
            self._first = float(x[0])  # an offset of the electrodes is no step
        y, band = sosfilt(self._band, x - self._first, zi=self._state[0])
        slope = np.diff(y, prepend=self._last_y) * self._rate
        self._last_y = float(y[-1])
        energy, low = sosfilt(self._low, slope * slope, zi=self._state[1])
        self._state = band, low
        return [at for value in energy.tolist() if (at := self._step(value)) is not None]

    def _step(self, energy: float) -> int | None:
        """One sample of energy; the R peak that it makes known."""
        at, self._count = self._count, self._count + 1
        self._beats *= self._keep
        self._noise *= self._keep
        if not self._rising or energy > self._top:
            if energy > self._threshold:
                self._rising, self._top, self._top_at = True, max(energy, self._top), at
            return None
        if energy > _FALLEN * self._top:
            return None
        top, peak = min(self._top, _LARGEST * self._beats) if self._beats > 0.0 else self._top, self._top_at
        self._rising, self._top = False, 0.0
        if peak - self._last < self._refractory:
            self._noise += _MEMORY * (min(top, self._beats) - self._noise)
            return None
        self._beats += max(_MEMORY, float(self._beats == 0.0)) * (top - self._beats)
        self._beats = max(self._beats, 0.5 * top)
        self._last = peak
        return max(peak - self._delay, 0)

    @property
    def _threshold(self) -> float:
        return self._noise + _SHARE * max(self._beats - self._noise, 0.0)
