"""What one row of a voice stream is: 10 ms of sound as measures, without the waveform.

Contract
--------
- Row k of a segment stands for ``[k · 10 ms, (k + 1) · 10 ms)`` of sound; its analysis windows are centred in it.
- A measure that only a voiced row has (period, formants, harmonics) is 0 in the others; ``f0`` of 0 is the mark of an
  unvoiced row, as in Praat. Nothing reads those measures without asking for it.
- There is no phase and no sample in a row. It still tells much of what was said and who said it: treat a recording of
  rows as a recording of the voice.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

__all__ = ["BANDS", "ROW_RATE", "VOICE_CHANNELS", "column"]

ROW_RATE: Final = Fraction(100)
"""Rows a second: the step of the analysis is 10 ms, the usual of speech analysis."""

BANDS: Final = 26
"""Mel bands of 20–8,000 Hz: the usual of speech recognition (HTK), enough for 13 cepstral coefficients."""

VOICE_CHANNELS: Final = (
    # Level in dB re full scale; largest absolute sample; share of samples at full scale; 1 where the detector hears speech.
    # Bandwidth is what the sound's rate could carry, Hz.
    "level", "peak", "clipped", "speech", "bandwidth",
    # Fundamental frequency in Hz and normalised autocorrelation at its period.
    "f0", "periodicity",
    # Sums over the glottal cycles that begin in the row: pairs, |change of period|, periods, their sum, the same for
    # amplitudes. They are sums so that a window of any length has its jitter and shimmer over all of its cycles.
    "pairs", "period_change", "periods", "period_sum", "period_error", "amplitude_change", "amplitude_sum",
    # Formants and bandwidths in Hz.
    "f1", "f2", "f3", "b1", "b2", "b3",
    # Harmonics and cepstrum, dB.
    "h1_h2", "h1_a1", "h1_a2", "h1_a3", "cpp", "tilt",
    # Shape of the spectrum.
    "alpha_ratio", "hammarberg", "slope_0_500", "slope_500_1500", "centroid", "spread", "entropy", "flux",
    "rolloff25", "rolloff50", "rolloff75", "rolloff90", "high_1k", "high_4k", "crossings",
    # Power in each mel band, dB re full scale.
    *(f"band{i}" for i in range(1, BANDS + 1)),
)  # fmt: skip
"""Columns of a row."""


def column(name: str) -> int:
    """Position of a measure in a row."""
    return VOICE_CHANNELS.index(name)
