"""Is this speech that can be measured? A verdict on a window's rows, with the worst reason.

| reason | when | quality |
|---|---|---|
| `no_signal` | no row | 0 |
| `flatline` | digital silence | 0 |
| `no_speech` | less than 0.3 s of speech, or 0.1 s of it voiced | 0 |
| `gap` | rows are missing | their share |
| `saturated` | over 1 % of the samples of loud rows are clipped | falls to 0 at 10 % |
| `wrong_rate` | pitch, syllables and spectrum are all too fast or too slow: half or twice of a voice | 0.3 |
| `music` | notes: pitch stands still and jumps, without the pauses of syllables | 0.2 |
| `noise` | speech stands out from the pauses by less than 10 dB, or nowhere falls and is hardly periodic | 0.5 |
| `not_supported` | the sound's rate carries nothing above 7 kHz: a telephone's | 0.6 |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.vector import Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["Sound", "judge"]

LEAST_SPEECH, LEAST_VOICED = 30, 10
"""Rows: two syllables, one short vowel."""
_CLIPPED, _RUINED = 0.01, 0.10
_SNR_DB, _REACH_DB, _PERIODIC = 10.0, 12.0, 0.7
"""Speech 10 dB above its pauses; without pauses, an utterance that nowhere falls by 12 dB and is not periodic either."""
_BAND_HZ = 7000.0
"""The consonants' power ends there; mel bands reach to 8 kHz."""
_USUAL = ((165.0, 0.35), (5.0, 0.25), (700.0, 0.35))
"""Median pitch in Hz, peaks of loudness a second, median centroid of voiced rows in Hz: the middle of adults, and the
deviation of its logarithm over people and feelings."""
_PACE = 0.5
"""Mean logarithm of how much faster than usual all three are. Anger and grief stay within ±.4; sound of 44.1 kHz that is
said to have 16 gets beyond on most voices. A rate that is wrong by less, or a deep voice at twice its rate, is not seen."""
_STEADY_ST, _STEADY_ROWS, _STEADY_SHARE = 0.3, 20, 0.6
"""Speech moves by 0.3 st within 0.2 s nearly always; a note does not (vibrato aside)."""
_LEAST_NOTES = 2


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """What a verdict looks at; arrays have one entry a row.

    Attributes
    ----------
    level, peak, clipped : ndarray
        dB re full scale, largest absolute sample, share of samples at full scale.
    active, voiced : ndarray of bool
        Rows of speech.
    semitones, periodicity : ndarray
        Pitch (NaN where unvoiced) and normalised autocorrelation.
    bandwidth : float
        Hz that the sound's rate could carry.
    pitch_hz, peaks_s, centroid_hz : float
        Median pitch, peaks of loudness a second, median centroid of voiced rows.
    coverage : float
        Share of the window's rows that are there.
    """

    level: Array
    peak: Array
    clipped: Array
    active: Mask
    voiced: Mask
    semitones: Array
    periodicity: Array
    bandwidth: float
    pitch_hz: float
    peaks_s: float
    centroid_hz: float
    coverage: float


def judge(sound: Sound) -> tuple[float, Reason]:
    """Quality 0..1 and the worst reason."""
    if not len(sound.level):
        return 0.0, Reason.NO_SIGNAL
    if not sound.peak.any():
        return 0.0, Reason.FLATLINE
    if sound.active.sum() < LEAST_SPEECH or sound.voiced.sum() < LEAST_VOICED:
        return 0.0, Reason.NO_SPEECH
    noisy = _noisy(sound)
    verdicts = [
        (_clipping(sound), Reason.SATURATED),
        # The spectrum of noise is nobody's either.
        (0.3 if abs(_pace(sound)) > _PACE and not noisy else 1.0, Reason.WRONG_RATE),
        (0.2 if _notes(sound) else 1.0, Reason.MUSIC),
        (0.5 if noisy else 1.0, Reason.NOISE),
        (min(1.0, sound.coverage), Reason.GAP),
        (0.6 if sound.bandwidth < _BAND_HZ else 1.0, Reason.NOT_SUPPORTED),
    ]
    worst = min(verdicts, key=lambda v: v[0])
    return worst if worst[0] < 1.0 else (1.0, Reason.OK)


def _clipping(sound: Sound) -> float:
    share = float(sound.clipped[sound.active].mean())
    return 1.0 if share < _CLIPPED else max(0.0, 1.0 - share / _RUINED)


def _pace(sound: Sound) -> float:
    """Logarithm of how much faster than a voice this is; 0 where it cannot be told."""
    measured = (sound.pitch_hz, sound.peaks_s, sound.centroid_hz)
    if not all(m > 0.0 for m in measured):
        return 0.0
    weights = np.array([sd**-2 for _, sd in _USUAL])
    ratios = np.log([m / usual for m, (usual, _) in zip(measured, _USUAL, strict=True)])
    return float(weights @ ratios / weights.sum())


def _notes(sound: Sound) -> bool:
    """Whether most voiced time stands still at two or more pitches."""
    st = sound.semitones
    still = np.zeros(len(st), np.bool_)
    levels: list[float] = []
    a = 0
    while a + _STEADY_ROWS <= len(st):
        part = st[a : a + _STEADY_ROWS]
        if np.isfinite(part).all() and np.ptp(part) <= _STEADY_ST:
            still[a : a + _STEADY_ROWS] = True
            levels.append(round(float(np.median(part))))
            a += _STEADY_ROWS
        else:
            a += 1
    voiced = int(sound.voiced.sum())
    return voiced > 0 and still.sum() > _STEADY_SHARE * voiced and len(set(levels)) >= _LEAST_NOTES


def _noisy(sound: Sound) -> bool:
    quiet = sound.level[~sound.active]
    loud = float(np.median(sound.level[sound.voiced]))
    close = len(quiet) > 0 and loud - float(np.median(quiet)) < _SNR_DB
    flat = loud - float(np.percentile(sound.level, 10)) < _REACH_DB
    return close or (flat and float(np.median(sound.periodicity[sound.active])) < _PERIODIC)

