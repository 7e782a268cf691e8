"""Whether a rhythm in the skin's colour is a pulse; otherwise there is no heart rate.

Noise has a strongest rhythm, too. It is a pulse when it stands out from all others, and when two methods that drop
moving light differently find the same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from feltsense.core.vector import Reason

__all__ = ["Evidence", "judge"]

LEAST_SNR_DB = 3.0
"""Measured on faces without a pulse, 20 s, moved, lit and compressed: the strongest rhythm reached 0.8 dB; that of noise
alone −3 dB."""
SHORT_S, SHORT_DB = 20.0, 3.0
"""A wave of 10 s has half as many independent rhythms: noise alone reached 3 dB; so it needs 6."""
LONG_S, LONG_DB = 38.0, 1.0
"""Of three stretches and more noise makes no course that stands out: below −4 dB in a minute; 2 dB will do."""
SLOW_HZ, SLOW_DB = 0.8, 3.0
"""Below 48 bpm breathing's and swaying's overtones lie, too: what is so slow must stand out by 6 dB."""
SINGLE_DB = 3.0
"""More that one method needs that has no other beside it."""
MOST_APART_BPM = 5.0
"""POS and CHROM differ by less on a pulse."""


class Evidence(NamedTuple):
    """What speaks for a pulse.

    Attributes
    ----------
    seconds : float
        Length of the wave.
    hz : float
        Its rate.
    snr_db : float
        Power of the strongest rhythm and its double over all other.
    agree_bpm : float
        Difference between two methods.
    methods : int
        How many there were.
    """

    seconds: float
    hz: float
    snr_db: float
    agree_bpm: float
    methods: int


def judge(evidence: Evidence) -> Reason:
    """``ok`` when it is a pulse, else why not."""
    least = LEAST_SNR_DB + SHORT_DB * max(SHORT_S / evidence.seconds - 1.0, 0.0)
    least -= LONG_DB if evidence.seconds >= LONG_S else 0.0
    least += (SLOW_DB if evidence.hz < SLOW_HZ else 0.0) + (SINGLE_DB if evidence.methods < 2 else 0.0)
    if not np.isfinite(evidence.snr_db) or evidence.snr_db < least:
        return Reason.NOISE
    return Reason.OK if evidence.agree_bpm < MOST_APART_BPM else Reason.DISAGREE
