"""The beats of one stream as windows ask for them: what belongs to a beat is worked out once, when it has become final.

A beat stays in sixty windows of a minute that move on by a second. Here it adds its interval, its differences from the
interval before and its likeness to strips of which every window is a slice; how many NN, differences, corrected beats and
beginnings of runs there were so far is counted along, so that a window subtracts two numbers. Which of a window's
intervals count does not depend on it but for its first beat's: that began before the window.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from feltsense.dsp.intervals import DIFFERENCES, difference
from feltsense.dsp.strip import Strip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.core.window import Window
    from feltsense.features._cardiac import Heart
    from feltsense.quality.beats import Limits

    Array = NDArray[np.float64]

__all__ = ["Held", "NnLine", "Piece", "longest_piece"]


class _Count(NamedTuple):
    """How many there were up to a beat, itself included."""

    nn: int = 0
    differences: int = 0
    corrected: int = 0
    begun: int = 0
    """Beats that begin a run and have no interval."""


class Piece(NamedTuple):
    """The longest piece of a window without a gap.

    Attributes
    ----------
    interval_ms : ndarray, shape (n,)
        Its intervals.
    valid : ndarray, shape (n,)
        Above 0 where an interval is NN.
    nn : ndarray, shape (m,)
        Those.
    first : int
        Number of the first of them among the stream's NN.
    """

    interval_ms: Array
    valid: Array
    nn: Array
    first: int


class Held(NamedTuple):
    """What a window holds.

    Attributes
    ----------
    beats : int
        Beats.
    corrected : int
        How many of them are not normal.
    likeness : ndarray, shape (beats,)
        Likeness of each, as it counts for the quality: 0..1.
    nn : ndarray, shape (n,)
        NN intervals, ms.
    pairs : ndarray, shape (5, m)
        :func:`~feltsense.dsp.intervals.differences` of neighbours among them.
    piece : Piece
        The longest piece.
    """

    beats: int
    corrected: int
    likeness: Array
    nn: Array
    pairs: Array
    piece: Piece


class NnLine:
    """The beats of one stream, in order.

    Parameters
    ----------
    heart : Heart
        Where they come from.
    limits : Limits
        How their likeness counts.
    """

    _INTERVAL, _VALID, _ALIKE = range(3)

    def __init__(self, heart: Heart, limits: Limits) -> None:
        self._heart, self._limits = heart, limits
        self._upto = self._last = -(2**63)
        self._times: list[int] = []
        self._counts: list[_Count] = []
        self._base, self._first = _Count(), 0
        self._before = 0.0, False
        self._beats, self.nn, self._pairs = Strip(3), Strip(1), Strip(DIFFERENCES)

    def within(self, window: Window) -> Held:
        """What a window holds; it is final, and ends no earlier than those before."""
        if window.stop_ns > self._upto:
            self._take(max(self._heart.final_ns(), window.stop_ns))
        a, b = bisect_left(self._times, window.start_ns), bisect_left(self._times, window.stop_ns)
        beats = self._beats.between(self._first + a, self._first + b)
        if b - a < 2:
            none = self._pairs.between(self._pairs.stop, self._pairs.stop)
            nothing = none[0]
            return Held(b - a, 0, beats[self._ALIKE], nothing, none, Piece(nothing, nothing, nothing, 0))
        before = self._counts[a - 1] if a else self._base
        first, second, last = self._counts[a], self._counts[a + 1], self._counts[b - 1]
        nn = self.nn.between(first.nn, last.nn)[0]
        pairs = self._pairs.between(second.differences, last.differences)
        p, q = (0, b - a) if first.begun == last.begun else longest_piece(beats[self._INTERVAL])
        piece = Piece(beats[self._INTERVAL, p + 1 : q], beats[self._VALID, p + 1 : q], nn, first.nn)
        if (p, q) != (0, b - a):
            begin, end = self._counts[a + p].nn, self._counts[a + q - 1].nn
            piece = piece._replace(nn=self.nn.between(begin, end)[0], first=begin)
        return Held(b - a, last.corrected - before.corrected, beats[self._ALIKE], nn, pairs, piece)

    def _take(self, stop_ns: int) -> None:
        """Take the beats that became final."""
        found = self._heart.between(self._last, stop_ns)
        self._upto = stop_ns
        times = found.t_ns.tolist()
        known = int(bool(times) and times[0] == self._last)
        if len(times) == known:
            return
        n, m, corrected, begun = self._counts[-1] if self._counts else self._base
        interval, valid = found.interval_ms.tolist(), found.valid.tolist()
        kinds = found.kinds.tolist()
        nn, pairs = [], []
        last, counted = self._before
        for i in range(known, len(times)):
            size = interval[i]
            if valid[i]:
                nn.append(size)
                n += 1
                if counted:
                    pairs.append(difference(last, size))
                    m += 1
            last, counted = size, valid[i]
            corrected += kinds[i] > 0
            begun += size != size
            self._counts.append(_Count(n, m, corrected, begun))
        self._times += times[known:]
        self._last, self._before = times[-1], (last, counted)
        self._keep(interval[known:], valid[known:], found.likeness[known:].tolist())
        self.nn.append(np.array([nn]))
        if pairs:
            self._pairs.append(np.array(pairs).T)

    def _keep(self, interval: list[float], valid: list[bool], likeness: list[float]) -> None:
        low, reach = self._limits.alien, self._limits.alike - self._limits.alien
        alike = [min(max((x - low) / reach, 0.0), 1.0) for x in likeness]
        self._beats.append(np.array((interval, valid, alike)))

    def forget(self, before_ns: int) -> None:
        """Drop the beats before a time."""
        k = bisect_left(self._times, before_ns)
        if not k:
            return
        self._base = self._counts[k - 1]
        del self._times[:k], self._counts[:k]
        self._first += k
        self._beats.drop(self._first)
        self.nn.drop(self._base.nn)
        self._pairs.drop(self._base.differences)


def longest_piece(interval_ms: Array) -> tuple[int, int]:
    """First beat of the longest piece without a gap, and the one after its last."""
    begins = (np.flatnonzero(np.isnan(interval_ms[1:])) + 1).tolist()
    pieces = list(pairwise((0, *begins, len(interval_ms))))
    return max(pieces, key=lambda p: float(interval_ms[p[0] + 1 : p[1]].sum()))
