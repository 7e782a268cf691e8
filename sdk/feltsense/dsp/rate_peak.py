"""The rate of a pulse wave from its spectrum, and how far it stands out.

Pieces of a wave that a gap parts are never joined: their spectra are added. The rate is where most power lies within
the width that a beating heart has (its rate wanders by some beats a minute), refined by the wave's own phase, so that it
is the mean rate of the time looked at and not that of its strongest moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["BAND_HZ", "Spectrum", "mean_rate", "spectrum"]

BAND_HZ = (0.7, 3.5)
"""42–210 bpm."""
SNR_HZ = 0.1
"""Half width of the bands about the rate and its double that count as pulse (de Haan & Jeanne 2013, section III-D)."""
_AROUND_HZ = (0.4, 4.0)
"""What is looked at besides: a maximum must be one among its neighbours outside the band, too. The flank of a head that
sways at 0.5 Hz is no slow heart."""
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

    def peak(self) -> float:
        """Frequency of the line with most power; NaN where there is none inside the band."""
        width = max(1, round(self.half_hz / 2.0 / (self.hz[1] - self.hz[0])))
        smooth = np.convolve(self.power, np.hanning(2 * width + 1), mode="same")
        top = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:]) & self._inside[1:-1]
        at = 1 + np.flatnonzero(top)
        return float(self.hz[at[int(np.argmax(smooth[at]))]]) if len(at) else float("nan")

    @property
    def _inside(self) -> NDArray[np.bool_]:
        return np.asarray((self.hz >= BAND_HZ[0]) & (self.hz <= BAND_HZ[1]))

    def snr_db(self, hz: float) -> float:
        """Power about a rate and its double over all other power in the band, dB; NaN for no rate."""
        if not np.isfinite(hz):
            return float("nan")
        line = (np.abs(self.hz - hz) < self.half_hz) | (np.abs(self.hz - 2.0 * hz) < self.half_hz)
        mine, rest = float(self.power[line & self._inside].sum()), float(self.power[~line & self._inside].sum())
        return 10.0 * float(np.log10((mine + _TINY) / (rest + _TINY)))


def spectrum(waves: Sequence[Array], rate: float) -> Spectrum:
    """Hann periodogram of one or more pieces, in the heart's band.

    Parameters
    ----------
    waves : sequence of ndarray, shape (n,)
        Pieces of one wave.
    rate : float
        Hz.
    """
    longest = max(len(w) for w in waves)
    points = 1 << int(np.ceil(np.log2(max(rate / _BIN_HZ, longest))))
    hz = np.fft.rfftfreq(points, 1.0 / rate)
    inside = (hz >= _AROUND_HZ[0]) & (hz <= _AROUND_HZ[1])
    power = np.zeros(int(inside.sum()))
    for wave in waves:
        line = np.fft.rfft((wave - wave.mean()) * np.hanning(len(wave)), points)[inside]
        power += line.real**2 + line.imag**2
    return Spectrum(hz[inside].astype(np.float64), power, max(SNR_HZ, _LOBE * rate / longest))


def mean_rate(waves: Sequence[Array], rate: float, hz: float, half_hz: float) -> float:
    """Mean frequency of a wave near a known one, Hz: the slope of its phase, where it is strong.

    Parameters
    ----------
    waves : sequence of ndarray, shape (n,)
        Pieces of one wave.
    rate : float
        Hz.
    hz, half_hz : float
        Where the line is, and how wide.
    """
    turns = weight = 0.0
    for wave in waves:
        n = len(wave)
        points = 1 << int(np.ceil(np.log2(2 * n)))
        line = np.fft.fft(wave - wave.mean(), points)
        # One-sided and smooth about the rate: the analytic wave of this line alone.
        away = (np.fft.fftfreq(points, 1.0 / rate) - hz) / (2.0 * half_hz)
        line *= np.where(np.abs(away) < 1.0, 0.5 + 0.5 * np.cos(np.pi * away), 0.0)
        z = np.fft.ifft(line)[:n]
        step = z[1:] * np.conj(z[:-1])
        size = np.abs(step)
        turns += float((size * np.angle(step)).sum())
        weight += float(size.sum())
    return turns / weight * rate / (2.0 * np.pi) if weight > 0.0 else float("nan")
