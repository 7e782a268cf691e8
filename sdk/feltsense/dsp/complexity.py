"""Order in a series of intervals: sample entropy and the short-term scaling exponent of its fluctuations.

Definitions
-----------
- Sample entropy: m = 2, r = 0.2 standard deviations (n − 1), after Richman & Moorman 2000, Am J Physiol 278:H2039.
- DFA α1: windows of 4–11 beats that overlap by half, after Peng 1995, Chaos 5:82, as NeuroKit2 computes it.

Entropy compares only pairs that are near after sorting (a tenth of all). Windows that move on over one series have both in
a fraction of the time: :mod:`feltsense.dsp.repeats`.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from feltsense.dsp.intervals import mean_sd
from feltsense.dsp.spectrum import STILL_MS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = [
    "LEAST_BEATS",
    "SEGMENTS",
    "dfa_short",
    "entropy_of",
    "exponent_of",
    "radius_of",
    "sample_entropy",
    "segments",
]

_SAMPEN_LENGTH, _SAMPEN_RADIUS = 2, 0.2
_SLACK_MS = 1e-6
"""A sum rounds otherwise than a difference: pairs that are so near to the radius are compared exactly."""
_DFA_BEATS = range(4, 12)
_DFA_STILL_MS2 = 1e-8
"""Variance of a segment that counts as none."""
_LONGEST = _DFA_BEATS[-1]
LEAST_BEATS = _LONGEST + 1
"""Fewer make no segment of the longest kind."""
SEGMENTS = len(_DFA_BEATS)
_LENGTHS_KEPT = 64
"""Lengths of series whose segments' places are remembered: those of one session vary by a few dozen."""
_TOGETHER = 64
"""Intervals whose segments are computed at once."""


def sample_entropy(nn_ms: Array) -> float:
    """Sample entropy of the intervals; NaN where no pattern repeats.

    Parameters
    ----------
    nn_ms : ndarray, shape (n,)
        NN intervals of one piece.
    """
    m = len(nn_ms) - _SAMPEN_LENGTH
    radius = radius_of(nn_ms) if m > 1 else 0.0
    if not radius:
        return math.nan
    order = nn_ms[:m].argsort()
    here, after, last = nn_ms[order], nn_ms[order + 1], nn_ms[order + 2]
    each = np.arange(m)
    stop = here.searchsorted(here + (radius + _SLACK_MS), side="right")
    count = stop - each - 1
    # Every pair of patterns once: with each of the ordered, those that follow within the radius.
    one = each.repeat(count)
    two = np.arange(len(one)) + (stop - count.cumsum()).repeat(count)
    # ``take`` has the same numbers in two thirds of plain indexing's time.
    apart = after.take(two)
    apart -= after.take(one)
    near = np.abs(apart, out=apart) <= radius
    if np.logical_or.reduce(here[stop - 1] > here + (radius - _SLACK_MS)):
        near &= here.take(two) - here.take(one) <= radius
    near_at = near.nonzero()[0]
    patterns = len(near_at)
    repeated = int(np.count_nonzero(np.abs(last.take(one.take(near_at)) - last.take(two.take(near_at))) <= radius))
    return entropy_of(repeated, patterns)


def radius_of(nn_ms: Array) -> float:
    """How near patterns must be to each other to repeat, ms; 0 for a series that stands still."""
    spread = mean_sd(nn_ms)[1]
    return _SAMPEN_RADIUS * spread if spread > STILL_MS else 0.0


def entropy_of(repeated: int, patterns: int) -> float:
    """Sample entropy, of so many pairs of patterns that are near, and so many of them that stay near; NaN without any."""
    return -math.log(repeated / patterns) if repeated else math.nan


def _detrended(beats: int) -> Array:
    """Matrix from 11 intervals to the profile about its line of the last `beats` of them, shape (beats, 11)."""
    x = np.arange(beats) - 0.5 * (beats - 1)
    line = np.eye(beats) - 1.0 / beats - x[:, None] * x / (x * x).sum()
    out = np.zeros((beats, _LONGEST))
    out[:, -beats:] = line @ np.tri(beats)
    return out


_DETRENDED = np.concatenate([_detrended(b) for b in _DFA_BEATS])
_WITHIN = np.arange(_LONGEST)
_WHOLE = np.array([np.arange(_LONGEST - 1) >= b - 1 for b in _DFA_BEATS])
"""Which segments that end at the first intervals of a series do not begin before it."""
_GROUPS = np.cumsum([0, *_DFA_BEATS][:-1])
_SIZES = np.array(_DFA_BEATS, dtype=np.float64)
_LOG_BEATS = np.log2(_SIZES)
_LEVER = 0.5 * (_LOG_BEATS - _LOG_BEATS.mean()) / ((_LOG_BEATS - _LOG_BEATS.mean()) ** 2).sum()
"""Least-squares slope over the logarithm of the lengths, as weights of variances."""


def segments(nn_ms: Array, skip: int = 0) -> Array:
    """Fluctuation of the segments that end at each interval, ms²: one row a length of 4–11 beats, shape (8, n − skip).

    0 where a segment begins before the series, or stands still. A profile is taken about its line, so the mean that is taken
    off the intervals first does not matter; here it is the last interval of each segment.

    Parameters
    ----------
    nn_ms : ndarray, shape (n,)
        NN intervals.
    skip : int, optional
        How many of the first ones are there for the segments of the others only.
    """
    n = len(nn_ms)
    known = np.concatenate((np.zeros(_LONGEST - 1), nn_ms))
    out = np.empty((SEGMENTS, n - skip))
    for at in range(skip, n, _TOGETHER):
        last = min(at + _TOGETHER, n)
        rows = known[np.arange(at, last)[:, None] + _WITHIN] - nn_ms[at:last, None]
        # No matrix product: it may add up in another order for another number of rows.
        rest = np.add.reduce(rows[:, None] * _DETRENDED, axis=2)
        rest *= rest
        np.divide(np.add.reduceat(rest, _GROUPS, axis=1), _SIZES, out=out[:, at - skip : last - skip].T)
    if skip < _LONGEST - 1:
        part = out[:, : _LONGEST - 1 - skip]
        part *= _WHOLE[:, skip : skip + part.shape[1]]
    out *= out > _DFA_STILL_MS2
    return out


class _Places(NamedTuple):
    """Segments of a series of one length: where they are in :func:`segments`, and where those of each length begin."""

    at: NDArray[np.intp]
    """Row after row: one index takes half the time of two."""
    group: NDArray[np.intp]
    each: Array
    """How many there are of each length."""


@lru_cache(maxsize=_LENGTHS_KEPT)
def _places(n: int) -> _Places:
    """Half-overlapping segments of each length, as NeuroKit2 places them."""
    columns = [np.arange(b - 1, n - 1, b // 2) for b in _DFA_BEATS]
    count = np.array([len(c) for c in columns])
    row = np.repeat(np.arange(SEGMENTS), count)
    return _Places(row * n + np.concatenate(columns), np.cumsum(count) - count, count.astype(np.float64))


def exponent_of(fluctuations: Array) -> float:
    """α1 of a series whose :func:`segments` are given, shape (8, n); NaN where those of a length all stand still."""
    places = _places(fluctuations.shape[1])
    own = fluctuations.ravel().take(places.at)
    count = places.each
    if np.count_nonzero(own) < len(own):
        count = np.add.reduceat(own > 0.0, places.group, dtype=np.float64)
        if not count.all():
            return math.nan
    return float(np.add.reduce(_LEVER * np.log2(np.add.reduceat(own, places.group) / count)))


def dfa_short(nn_ms: Array) -> float:
    """Short-term scaling exponent α1 of the intervals; NaN for a series that does not fluctuate.

    Parameters
    ----------
    nn_ms : ndarray, shape (n,)
        NN intervals of one piece.
    """
    if len(nn_ms) < LEAST_BEATS or not radius_of(nn_ms):
        return math.nan
    return exponent_of(segments(nn_ms))
