"""Is this speech that can be measured? A verdict on a window's rows, with the worst reason.

| reason | when | quality |
|---|---|---|
| `no_signal` | no row | 0 |
| `flatline` | digital silence | 0 |
| `no_speech` | less than 0.3 s of speech, or none of it voiced | 0 |
| `gap` | rows are missing | their share |
| `saturated` | over 1 % of the samples of loud rows are clipped | falls to 0 at 10 % |
| `wrong_rate` | formants and pitch of nobody: the stated sampling rate is wrong | 0.1 |
| `music` | notes: pitch stands still and jumps, without the pauses of syllables | 0.2 |
| `noise` | speech stands out from the pauses by less than 10 dB, or is hardly periodic | 0.5 |
| `not_supported` | nothing above 4 kHz: a telephone's sound | 0.6 |
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

LEAST_SPEECH = 30
"""Rows of speech: two syllables."""
_CLIPPED, _RUINED = 0.01, 0.10
_SNR_DB, _PERIODIC = 10.0, 0.6
_BAND_DB = 55.0
"""Bands above 4 kHz of wideband speech come within 55 dB of the strongest band in loud rows; filtered ones do not."""
_TRACT_CM = (9.5, 24.0)
"""A child of four has 10 cm, a tall man 19 (Fitch & Giedd 1999, JASA 106:1511); formants err by 15 %."""
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
    high, low : ndarray
        Highest level of the mel bands above 4 kHz, and below.
    tract_cm : float
        Length of the vocal tract by the formants; NaN where there are none.
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
    high: Array
    low: Array
    tract_cm: float
    coverage: float


def judge(sound: Sound) -> tuple[float, Reason]:
    """Quality 0..1 and the worst reason."""
    if not len(sound.level):
        return 0.0, Reason.NO_SIGNAL
    if not sound.peak.any():
        return 0.0, Reason.FLATLINE
    if sound.active.sum() < LEAST_SPEECH or not sound.voiced.any():
        return 0.0, Reason.NO_SPEECH
    verdicts = [
        (_clipping(sound), Reason.SATURATED),
        (0.1 if _nobody(sound.tract_cm) else 1.0, Reason.WRONG_RATE),
        (0.2 if _notes(sound) else 1.0, Reason.MUSIC),
        (0.5 if _noisy(sound) else 1.0, Reason.NOISE),
        (min(1.0, sound.coverage), Reason.GAP),
        (0.6 if _narrow(sound) else 1.0, Reason.NOT_SUPPORTED),
    ]
    worst = min(verdicts, key=lambda v: v[0])
    return worst if worst[0] < 1.0 else (1.0, Reason.OK)


def _clipping(sound: Sound) -> float:
    share = float(sound.clipped[sound.active].mean())
    return 1.0 if share < _CLIPPED else max(0.0, 1.0 - share / _RUINED)


def _nobody(tract_cm: float) -> bool:
    return bool(np.isfinite(tract_cm)) and not _TRACT_CM[0] <= tract_cm <= _TRACT_CM[1]


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
    return close or float(np.median(sound.periodicity[sound.voiced])) < _PERIODIC


def _narrow(sound: Sound) -> bool:
    return float(np.percentile((sound.high - sound.low)[sound.active], 95)) < -_BAND_DB
