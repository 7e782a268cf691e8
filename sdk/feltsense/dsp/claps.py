"""Two clocks laid on each other by claps: sharp events that a microphone hears and a wrist feels.

Method
------
Impulses are where an envelope rises to half of a peak that stands far above the rest. Every pair of one impulse of each
sensor votes for an offset; the true one gets a vote of each clap, others only by chance. Unevenly spaced claps have one
answer. Evenly spaced ones have several: that is said, not guessed.

The uncertainty (95 %) holds the spacing of the samples of both sensors and the scatter of the pairs; sound takes 3 ms for
a metre, which nothing here can see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Impulses", "Offset", "clap_offset", "impulses"]

LEAST_PAIRS = 3
"""Two claps have one interval, which chance repeats; three uneven ones have not."""
_PEAK, _OVER = 0.3, 8.0
"""Of the largest, and times the median of the envelope: what a clap is at least."""
_APART_S = 0.15
"""Nobody claps faster than six times a second."""
_TOGETHER_S = 0.03
"""Pairs within this of each other vote for the same offset: half a sample of 25 Hz, and the rise of a clap."""
_RIVAL = 0.7
"""Share of the winner's votes from which a second offset makes the answer ambiguous."""


@dataclass(frozen=True, slots=True, eq=False)
class Impulses:
    """Sharp events of one sensor.

    Attributes
    ----------
    times : ndarray, shape (n,)
        Seconds on the sensor's own clock.
    period : float
        Seconds between its samples.
    """

    times: Array
    period: float


@dataclass(frozen=True, slots=True)
class Offset:
    """What must be added to the second clock to get the first.

    Attributes
    ----------
    seconds, uncertainty : float
        Offset, and half the width of its 95 % interval.
    pairs : int
        Claps that both sensors have.
    """

    seconds: float
    uncertainty: float
    pairs: int


def impulses(envelope: Array, start: float, period: float) -> Impulses:
    """Find claps in an envelope: absolute sound, or the absolute change of an acceleration's magnitude.

    Parameters
    ----------
    envelope : ndarray, shape (n,)
        Not negative.
    start, period : float
        Time of the first sample, and seconds between samples.
    """
    x = np.nan_to_num(np.asarray(envelope, np.float64))
    if not len(x):
        return Impulses(np.empty(0), period)
    least = max(_PEAK * float(x.max()), _OVER * float(np.median(x)), 1e-12)
    found: list[float] = []
    apart = max(1, round(_APART_S / period))
    i = 0
    while i < len(x):
        if x[i] < least:
            i += 1
            continue
        stop = min(i + apart, len(x))
        peak = i + int(x[i:stop].argmax())
        half = x[peak] / 2.0
        k = peak
        while k > 0 and x[k - 1] > half:
            k -= 1
        # Between the sample below half of the peak and the first above it.
        part = (x[k] - half) / (x[k] - x[k - 1]) if k > 0 and x[k] > x[k - 1] else 0.0
        found.append(start + (k - min(float(part), 1.0)) * period)
        i = peak + apart
    return Impulses(np.array(found), period)


def clap_offset(first: Impulses, second: Impulses) -> Offset:
    """Lay the second clock on the first.

    Raises
    ------
    InputError
        If fewer than three claps are common to both, or their spacing allows more than one answer.
    """
    gaps = np.sort(np.subtract.outer(first.times, second.times).ravel())
    votes = np.searchsorted(gaps, gaps + _TOGETHER_S, "right") - np.arange(len(gaps)) if len(gaps) else np.empty(0, np.int64)
    if not len(votes) or votes.max() < LEAST_PAIRS:
        most = int(votes.max(initial=0))
        msg = f"claps: {most} common to both sensors; clap at least {LEAST_PAIRS} times, unevenly, with the worn hand"
        raise InputError(msg)
    best = int(votes.argmax())
    mine = gaps[best : best + int(votes[best])]
    rivals = votes[np.abs(gaps - np.median(mine)) > 2.0 * _TOGETHER_S]
    if rivals.max(initial=0) >= max(_RIVAL * len(mine), LEAST_PAIRS):
        msg = f"claps: {len(mine)} and {int(rivals.max())} pairs fit two different offsets; clap again, unevenly"
        raise InputError(msg)
    spread = 1.4826 * float(np.median(np.abs(mine - np.median(mine))))
    # A rise is somewhere within a sample of either sensor; what is common to all claps does not average out.
    grain = np.hypot(first.period, second.period) / np.sqrt(12.0)
    sigma = np.sqrt(grain * grain + spread * spread / len(mine))
    return Offset(float(np.median(mine)), float(2.0 * sigma), len(mine))
