"""The rate of a pulse wave from its spectrum, and how far it stands out.

The rate is where most power lies within
the width that a beating heart has (its rate wanders by some beats a minute), refined by the wave's own phase, so that it
is the mean rate of the time looked at and not that of its strongest moment. A heart changes its rate within a minute: a
long wave is looked at in overlapping stretches, through which :func:`ridge` follows the line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import maximum_filter1d

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["BAND_HZ", "Spectrum", "decibels", "mean_rate", "ridge", "spectrum"]

BAND_HZ = (0.7, 3.5)
"""42–210 bpm."""
SNR_HZ = 0.1
"""Half width of the bands about the rate and its double that count as pulse (de Haan & Jeanne 2013, section III-D)."""
_AROUND_HZ = (0.4, 4.0)
"""What is looked at besides: a maximum must be one among its neighbours outside the band, too. The flank of a head that
sways at 0.5 Hz is no slow heart."""
MOST_STEP_HZ = 0.1
"""How much a rate changes from one stretch to the next (ten seconds later) at most: 6 bpm."""
_LOBE = 2.0
"""Half width of a Hann window's main lobe, in units of 1/length: a short wave cannot be narrower."""
_BIN_HZ = 1.0 / 256.0
"""Spacing of the padded spectrum: a quarter of a beat a minute."""
_TINY = 1e-30


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Power of a wave in the heart's band and somewhat around it.

    Attributes
    ----------
    hz, power : ndarray, shape (k,)
        Frequencies and power, any unit.
    half_hz : float
        Half width of what counts as one line.
    """

    hz: Array
    power: Array
    half_hz: float

    @classmethod
    def mean(cls, spectra: Sequence[Spectrum]) -> Spectrum:
        """Mean of spectra of one length, each at the same power in the band: no method outweighs the others."""
        first = spectra[0]
        power = sum((s.power / (float(s.power[s._inside].sum()) + _TINY) for s in spectra), np.zeros(len(first.hz)))
        return cls(first.hz, power / len(spectra), first.half_hz)

    def smooth(self) -> Array:
        """Power within the width of a line, shape (k,)."""
        width = max(1, round(self.half_hz / 2.0 / (self.hz[1] - self.hz[0])))
        return np.convolve(self.power, np.hanning(2 * width + 1), mode="same")

    def peak(self) -> float:
        """Frequency of the line with most power; NaN where there is none inside the band."""
        smooth = self.smooth()
        top = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:]) & self._inside[1:-1]
        at = 1 + np.flatnonzero(top)
        return float(self.hz[at[int(np.argmax(smooth[at]))]]) if len(at) else float("nan")

    @property
    def _inside(self) -> NDArray[np.bool_]:
        return np.asarray((self.hz >= BAND_HZ[0]) & (self.hz <= BAND_HZ[1]))

    def share(self, hz: float) -> float:
        """Share of the band's power that lies about a rate and its double, 0..1."""
        line = (np.abs(self.hz - hz) < self.half_hz) | (np.abs(self.hz - 2.0 * hz) < self.half_hz)
        return float(self.power[line & self._inside].sum()) / (float(self.power[self._inside].sum()) + _TINY)


def ridge(spectra: Sequence[Spectrum]) -> list[float]:
    """Frequency of the line in each of successive spectra: the course with most power that does not jump.

    Parameters
    ----------
    spectra : sequence of Spectrum
        Of overlapping stretches, in order of time, on one grid of frequencies.

    Returns
    -------
    list of float
        NaN in all where the course's strongest point is no maximum inside the band.
    """
    if len(spectra) == 1:
        return [spectra[0].peak()]
    inside = spectra[0]._inside
    reach = round(MOST_STEP_HZ / (spectra[0].hz[1] - spectra[0].hz[0]))
    scores = [np.where(inside, s.smooth(), 0.0) for s in spectra]
    best = [scores[0]]
    for score in scores[1:]:
        best.append(score + maximum_filter1d(best[-1], 2 * reach + 1, mode="constant"))
    at = int(np.argmax(best[-1]))
    course = [at]
    for before in best[-2::-1]:
        low = max(at - reach, 0)
        at = low + int(np.argmax(before[low : at + reach + 1]))
        course.append(at)
    course.reverse()
    hz = spectra[0].hz
    # A course along the band's edge is the flank of something outside.
    edge = sum(_flank(spectra[k].smooth(), i, float(scores[k][i])) for k, i in enumerate(course))
    return [float("nan")] * len(course) if 2 * edge > len(course) else [float(hz[i]) for i in course]


def _flank(smooth: Array, i: int, score: float) -> bool:
    return bool(smooth[i - 1] > score or smooth[i + 1] > score)


def decibels(share: float) -> float:
    """A share of the power as the ratio to the rest, dB."""
    return 10.0 * float(np.log10((share + _TINY) / (1.0 - share + _TINY)))


def spectrum(wave: Array, rate: float) -> Spectrum:
    """Hann periodogram of a wave, in the heart's band and somewhat around it.

    Parameters
    ----------
    wave : ndarray, shape (n,)
        Pulse wave.
    rate : float
        Hz.
    """
    points = 1 << int(np.ceil(np.log2(max(rate / _BIN_HZ, len(wave)))))
    hz = np.fft.rfftfreq(points, 1.0 / rate)
    inside = (hz >= _AROUND_HZ[0]) & (hz <= _AROUND_HZ[1])
    line = np.fft.rfft((wave - wave.mean()) * np.hanning(len(wave)), points)[inside]
    return Spectrum(hz[inside].astype(np.float64), line.real**2 + line.imag**2, max(SNR_HZ, _LOBE * rate / len(wave)))


def mean_rate(wave: Array, rate: float, hz: float, half_hz: float, part: slice = slice(None)) -> float:
    """Mean frequency of a wave near a known one, Hz: the slope of its phase, where it is strong.

    Parameters
    ----------
    wave : ndarray, shape (n,)
        Pulse wave.
    rate : float
        Hz.
    hz, half_hz : float
        Where the line is, and how wide.
    part : slice, optional
        Samples over which the mean is taken; the others are its surroundings.
    """
    n = len(wave)
    points = 1 << int(np.ceil(np.log2(2 * n)))
    line = np.fft.fft(wave - wave.mean(), points)
    # One-sided and smooth about the rate: the analytic wave of this line alone.
    away = (np.fft.fftfreq(points, 1.0 / rate) - hz) / (2.0 * half_hz)
    line *= np.where(np.abs(away) < 1.0, 0.5 + 0.5 * np.cos(np.pi * away), 0.0)
    z = np.fft.ifft(line)[:n][part]
    step = z[1:] * np.conj(z[:-1])
    size = np.abs(step)
    # Every moment counts the same but those in which the wave is weak: the mean is over time, not over strength.
    size = np.minimum(size, float(np.median(size)))
    weight = float(size.sum())
    return float((size * np.angle(step)).sum()) / weight * rate / (2.0 * np.pi) if weight > 0.0 else float("nan")
