"""From a span of sound to rows (:mod:`feltsense.core.voice_row`): a pure function.

The path of the pitch looks at the whole span, so that a row in the middle of a second does not depend on where the
second was cut; everything else is measured in the rows that are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from feltsense.core.voice_row import BANDS, ROW_RATE, VOICE_CHANNELS, column
from feltsense.dsp.voice import pitch
from feltsense.dsp.voice.cycles import SUMS, cycles
from feltsense.dsp.voice.formants import formants
from feltsense.dsp.voice.harmonics import cepstral_peak, harmonic_levels
from feltsense.dsp.voice.spectrum import TRANSFORM, WINDOW, db, describe, flux, mel_power, power_spectra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["HOP", "RATE", "analyse"]

RATE: Final = 16_000.0
"""Hz that the analysis runs at: all that speech needs, and what most corpora have."""
HOP: Final = int(RATE / ROW_RATE)
_FULL_SCALE = 0.999
"""Share of full scale at which a sample counts as clipped: one step below the largest of 8 bits would be .992, of 16 bits
.99997; players that limit stop in between."""
_LEVEL = 400
"""Samples (25 ms) of the level: short enough for a syllable."""
_SPEECH_BELOW, _SPEECH_LEAST = 35.0, -90.0
"""dB below the span's loudest row that speech may be, and the least level of all: soft consonants are 30 dB below the
vowels of their word, and −90 dB is the noise of 16 bits."""


def _frames(x: Array, size: int, rows: int) -> Array:
    """Frames of `size` samples centred in rows of HOP samples; zeros beyond the ends."""
    before = size // 2 - HOP // 2
    padded = np.concatenate((np.zeros(before), x[: rows * HOP], np.zeros(size)))
    return sliding_window_view(padded, size)[::HOP][:rows]


def analyse(x: Array, first: int, stop: int, bandwidth: float) -> Array:
    """Rows of a span.

    Parameters
    ----------
    x : ndarray, shape (rows · HOP,)
        Sound at 16 kHz, full scale ±1.
    first, stop : int
        Rows to give; the rest of the span is context.
    bandwidth : float
        Half of the rate that the sound came at, in Hz.

    Returns
    -------
    ndarray, shape (stop − first, channels)
    """
    rows = len(x) // HOP
    x = x[: rows * HOP]
    part = slice(first, stop)
    wide = _frames(x, round(pitch.WINDOW_S * RATE), rows)
    loudest = np.abs(wide).max(axis=1)
    track = pitch.path(pitch.candidates(wide, RATE), loudest / max(float(loudest.max()), 1e-12), RATE)
    out = np.zeros((stop - first, len(VOICE_CHANNELS)))
    level = db(np.square(_frames(x, _LEVEL, rows)).mean(axis=1))
    cells = x.reshape(rows, HOP)[part]
    voiced = track.lag[part] > 0.0
    put = _Row(out)
    put("level", level[part])
    put("peak", np.abs(cells).max(axis=1))
    put("clipped", (np.abs(cells) >= _FULL_SCALE).mean(axis=1))
    put("bandwidth", np.full(stop - first, bandwidth))
    put("speech", (level[part] > max(float(level.max()) - _SPEECH_BELOW, _SPEECH_LEAST)).astype(float))
    put("crossings", (np.diff(cells < 0.0, axis=1)).mean(axis=1))
    put("f0", np.where(voiced, RATE / np.maximum(track.lag[part], 1.0), 0.0))
    put("periodicity", np.clip(track.strength[part], 0.0, 1.0))
    at = column("pairs")
    out[:, at : at + SUMS] = cycles(x, track.lag, HOP, RATE, part)[part]
    # One frame more in front: the flux of the first row needs its neighbour.
    before = min(first, 1)
    power = power_spectra(_frames(x, WINDOW, rows)[first - before : stop])
    put("flux", flux(power)[before:])
    power = power[before:]
    for name, values in describe(power, RATE).items():
        put(name, values)
    out[:, -BANDS:] = db(mel_power(power, BANDS, RATE))
    _voiced(out, power, np.flatnonzero(voiced))
    return out


class _Row:
    """Writes columns by name."""

    def __init__(self, out: Array) -> None:
        self._out = out

    def __call__(self, name: str, values: Array) -> None:
        self._out[:, column(name)] = values


def _voiced(out: Array, power: Array, where: NDArray[np.int64]) -> None:
    """Measures that only voiced rows have."""
    if not len(where):
        return
    mine = np.ascontiguousarray(power[where])
    frequency, bandwidth = formants(mine, RATE, TRANSFORM)
    a = column("f1")
    out[where, a : a + 3], out[where, a + 3 : a + 6] = frequency, bandwidth
    levels = db(mine)
    b = column("h1_h2")
    out[where, b : b + 4] = harmonic_levels(levels, out[where, column("f0")], frequency, RATE / TRANSFORM)
    out[where, column("cpp")] = cepstral_peak(levels, RATE)
