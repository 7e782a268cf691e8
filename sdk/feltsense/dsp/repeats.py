"""Sample entropy and scaling exponent of windows that move on over one series: each pair and each segment is judged once.

A window of five minutes that moves on by a second keeps all but one of its intervals. What two patterns are apart, and
how much a segment fluctuates about its line, does not depend on the window; only the radius and which of them it holds do.

- :class:`Repeats`: pairs of patterns closer than a reach somewhat above the radius are remembered with their distances; a
  window counts those within its own radius. The counts are whole numbers: they equal those of
  :func:`feltsense.dsp.complexity.sample_entropy`, and so does the entropy, to the last bit.
- :class:`Fluctuations`: a profile less its mean is a profile less a line, and segments are taken about their line. So the
  fluctuation of a segment depends on its own intervals only. :func:`feltsense.dsp.complexity.dfa_short` is made of the
  same segments, in the same order.
"""

from __future__ import annotations

import math

import numpy as np

from feltsense.dsp.complexity import LEAST_BEATS, SEGMENTS, entropy_of, exponent_of, sample_entropy, segments
from feltsense.dsp.strip import Strip

__all__ = ["Fluctuations", "Repeats"]

_REACH = 1.3
"""Reach of remembered pairs over the radius they were looked for with: a radius of five minutes seldom grows by a third."""
_LOOSE = 2.5
"""Reach over the radius from which too many pairs are remembered in vain."""
_STEADY = 8
"""A window that moves on by more than a share of one in so many is counted by itself: it is quicker then."""
_TOGETHER = 64
"""Patterns compared at once with those before them."""
_AHEAD = 4
"""Intervals behind a window whose patterns are looked at with its own, if they are there: fewer calls."""
_PATTERN = 3
"""Intervals of a pattern and of what follows it."""


class Repeats:
    """Sample entropy of windows over one series.

    Parameters
    ----------
    series : Strip
        NN intervals, ms, in its one row; columns that windows to come do not hold may be dropped.
    """

    _EARLIER, _NEAR, _NEAR_TOO = range(3)

    def __init__(self, series: Strip) -> None:
        self._series = series
        self._asked = -(2**62)
        self._forget(0)

    def _forget(self, first: int) -> None:
        """Begin anew with pattern `first`, with no pairs."""
        self._pairs, self._reach = Strip(3), 0.0
        self._first = first
        self._ends: list[int] = []
        """Number of pairs up to each later pattern from `_first` on, itself included."""

    def entropy(self, first: int, n: int, radius: float) -> float:
        """Sample entropy of the `n` intervals from number `first` on: the quicker, the less they move on.

        Their :func:`~feltsense.dsp.complexity.radius_of` is given.
        """
        moved, self._asked = first - self._asked, first
        if not 0 <= moved <= n // _STEADY:
            return sample_entropy(self._series.between(first, first + n)[0])
        if not radius:
            return math.nan
        if not radius <= self._reach <= _LOOSE * radius or self._first + len(self._ends) < first:
            self._forget(first)
            self._reach = _REACH * radius
        self._look(first, min(first + n + _AHEAD, self._series.stop) - _PATTERN + 1)
        drop = first - self._first
        if drop > 0:
            self._pairs.drop(self._ends[drop - 1])
            del self._ends[:drop]
            self._first = first
        earlier, near, near_too = self._pairs.between(self._pairs.start, self._ends[n - _PATTERN])
        inside = earlier >= first
        inside &= near <= radius
        patterns = int(np.count_nonzero(inside))
        inside &= near_too <= radius
        return entropy_of(int(np.count_nonzero(inside)), patterns)

    def _look(self, first: int, stop: int) -> None:
        """Remember the pairs of the patterns up to `stop` with those before them, from `first` on."""
        at = self._first + len(self._ends)
        while at < stop:
            last = min(at + _TOGETHER, stop)
            x = self._series.between(first, last + _PATTERN - 1)[0]
            later, count = slice(at - first, last - first), last - first
            near = np.abs(x[:count] - x[later, None])
            np.maximum(near, np.abs(x[1 : count + 1] - x[1:][later, None]), out=near)
            j, i = (near <= self._reach).nonzero()
            before = i < j + (at - first)
            j, i = j[before], i[before]
            near = near[j, i]
            too = np.maximum(near, np.abs(x[i + 2] - x[j + (at - first + 2)]))
            known = self._pairs.stop
            self._pairs.append(np.array((i + float(first), near, too)))
            self._ends += (known + np.bincount(j, minlength=last - at).cumsum()).tolist()
            at = last


class Fluctuations:
    """Short-term scaling exponent α1 of windows over one series.

    Parameters
    ----------
    series : Strip
        NN intervals, ms, in its one row; columns that windows to come do not hold may be dropped.
    """

    def __init__(self, series: Strip) -> None:
        self._series = series
        self._known, self._first = Strip(SEGMENTS), 0

    def exponent(self, first: int, n: int) -> float:
        """α1 of the `n` intervals from number `first` on, which do not stand still."""
        if n < LEAST_BEATS:
            return math.nan
        at = self._first + self._known.stop
        if at < self._series.start:
            # Windows in between were answered without.
            at = self._first = self._series.start
            self._known = Strip(SEGMENTS)
        if at < first + n:
            before = min(at - self._series.start, LEAST_BEATS)
            fresh = self._series.between(at - before, self._series.stop)[0]
            self._known.append(segments(fresh, before))
        self._known.drop(self._series.start - self._first)
        return exponent_of(self._known.between(first - self._first, first + n - self._first))
