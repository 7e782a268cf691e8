"""Artefacts and ectopic beats in a series of beats, and the series without them (Lipponen & Tarvainen 2019).

The method looks at each interval's change and at its distance from the local median, each in units of a threshold that
follows the series (5.2 quartile deviations of 91 beats around), and tells four things apart: an *ectopic* beat, a
*missed* beat, an *extra* beat, and a beat that is too *long or short*.

Contract
--------
- Raw times are never changed. :func:`classify` says what each beat is; :func:`corrected` makes the other series.
- A stream has no future: :class:`Classifier` is told how far it may look, the rest of the 91 beats lies before. What
  is said of a beat depends on the beats before it, and on those given with it, on nothing else; so on a grid laid by the
  run it is the same under any chunking, and it is never taken back.
- With the whole series given at once (:func:`classify`) the windows are centred, as in the paper.

Source: Lipponen & Tarvainen 2019, J Med Eng Technol 43:173, figure 1 and equations 1–5.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from feltsense.dsp.intervals import quantile, quantile_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BeatClass", "Classifier", "classify", "corrected", "stands_out"]

_SLOPE, _INTERCEPT = 0.13, 0.17
"""c1 and c2 of the paper: the borders of ectopic patterns."""
_ALPHA = 5.2
"""Quartile deviations → threshold: 3.32 standard deviations of a normal distribution."""
_THRESHOLD_BEATS, _MEDIAN_BEATS = 91, 11
"""Beats of the threshold and of the local median."""
_FAR = 3.0
"""Thresholds from the local median at which a beat is too long or too short."""
_LEAST_BEATS = 11
"""Fewer intervals make no quartiles: nothing is called an artefact."""
_LOW_SIDE = 2.0
"""Short intervals count double: an interval can grow without limit, but not shrink."""


class BeatClass(IntEnum):
    """What a beat is: a property of it and the interval before it."""

    NORMAL = 0
    ECTOPIC = 1
    MISSED = 2
    """A beat is missing in the interval before."""
    EXTRA = 3
    """This is not a beat."""
    LONG_SHORT = 4


def _quartile_threshold(size: NDArray[np.float64]) -> float:
    ordered = np.sort(size)
    return _ALPHA * (quantile(ordered, 0.75) - quantile(ordered, 0.25)) / 2.0


def _local_median(interval: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of 11 intervals around each; where there is no future, the past fills the window."""
    n, half = len(interval), _MEDIAN_BEATS // 2
    out = np.empty(n)
    windows = interval[np.arange(n - 2 * half)[:, None] + np.arange(_MEDIAN_BEATS)]
    windows.sort(axis=1)
    out[half : n - half] = windows[:, half]
    out[n - half :] = out[n - half - 1]
    for i in range(half):
        ordered = sorted(interval[: i + half + 1].tolist())
        middle = len(ordered) // 2
        out[i] = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2.0
    return out


class _Series:
    """Normalised changes of intervals `first`..`stop` of a series, and their deviations where they are asked for."""

    def __init__(self, interval: NDArray[np.float64], first: int, stop: int) -> None:
        n = len(interval)
        self.interval, self._first, self._stop = interval, first, stop
        change = np.diff(interval, prepend=interval[:1])
        self.change = np.zeros(n)
        threshold = self._thresholds(change)
        for i, unit in threshold.items():
            self.change[i] = change[i] / unit if unit > 0.0 else 0.0

    def _thresholds(self, x: NDArray[np.float64]) -> dict[int, float]:
        """Threshold of each place that is looked at, from the sizes of x around it."""
        n, reach = len(x), _THRESHOLD_BEATS // 2
        begin = max(self._first - _THRESHOLD_BEATS - 2, 0)
        out, span, threshold = {}, (0, 0), 0.0
        for i in range(max(self._first - 1, 0), min(self._stop + 2, n)):
            b = min(i + reach + 1, n)
            a = max(b - _THRESHOLD_BEATS, begin)
            if (a, b) != span:  # near the end of what is known, all beats have the same window
                span, threshold = (a, b), _quartile_threshold(np.abs(x[a:b]))
            out[i] = threshold
        return out

    @cached_property
    def _deviations(self) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[int, float]]:
        """Local medians, distances from them, and the distances' thresholds."""
        median = _local_median(self.interval)
        away = self.interval - median
        away = np.where(away < 0.0, _LOW_SIDE * away, away)
        return median, away, self._thresholds(away)

    def _near(self, offsets: tuple[int, ...], i: int) -> list[float]:
        """Changes around i; where the series ends, the nearest one that is there."""
        last = len(self.change) - 1
        return [float(self.change[min(max(i + k, 0), last)]) for k in offsets]

    def ectopic(self, i: int) -> bool:
        """Whether the change at i and those beside it alternate as an ectopic beat makes them."""
        x = float(self.change[i])
        beside = self._near((-1, 1), i)
        if x > 1.0:
            return max(beside) < -_SLOPE * x - _INTERCEPT
        return x < -1.0 and min(beside) > -_SLOPE * x + _INTERCEPT

    def misplaced(self, i: int) -> BeatClass:
        """Long, short, missed, extra or none of them."""
        x = float(self.change[i])
        after = self._near((1, 2), i)
        long = x > 1.0 and min(after) < -1.0
        short = x < -1.0 and max(after) > 1.0
        median, distance, units = self._deviations
        size, middle, unit = float(self.interval[i]), float(median[i]), units[i]
        far = unit > 0.0 and abs(float(distance[i])) / unit > _FAR
        if not (long or short or far):
            return BeatClass.NORMAL
        if short and i + 1 < len(self.interval) and abs(size + float(self.interval[i + 1]) - middle) < unit:
            return BeatClass.EXTRA
        if long and abs(size / 2.0 - middle) < unit:
            return BeatClass.MISSED
        return BeatClass.LONG_SHORT

    def neighbour_too(self, i: int) -> bool:
        """Whether the next beat must be looked at with this one."""
        one, two = self._near((1, 2), i)
        return i + 1 < len(self.interval) and abs(one) < abs(two)


def _walk(series: _Series, first: int, stop: int, classes: NDArray[np.int8]) -> None:
    """Classify beats first..stop; what an earlier beat said of its neighbour stays."""
    for i in range(first, stop):
        if classes[i] or abs(series.change[i]) <= 1.0:
            continue
        if series.ectopic(i):
            classes[i] = BeatClass.ECTOPIC
            continue
        classes[i] = series.misplaced(i)
        if i + 1 < stop and series.neighbour_too(i) and not classes[i + 1]:
            classes[i + 1] = series.misplaced(i + 1)


def classify(interval_ms: NDArray[np.float64]) -> NDArray[np.int8]:
    """What each beat of a whole series is.

    Parameters
    ----------
    interval_ms : ndarray, shape (n,)
        Interval before each beat, finite, of one gapless run.

    Returns
    -------
    ndarray of int8, shape (n,)
        :class:`BeatClass`.
    """
    classes = np.zeros(len(interval_ms), np.int8)
    if len(interval_ms) >= _LEAST_BEATS:
        _walk(_Series(interval_ms, 0, len(interval_ms)), 0, len(interval_ms), classes)
    return classes


def stands_out(
    interval_ms: NDArray[np.float64], start: NDArray[np.int64], stop: NDArray[np.int64], known: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """In which stretches of a run a beat may be other than normal: where no change exceeds its threshold, none is.

    Parameters
    ----------
    interval_ms : ndarray, shape (n,)
        Intervals of the run.
    start, stop : ndarray of int64, shape (k,)
        Stretches of beats, as they would be given to :class:`Classifier` one after the other.
    known : ndarray of int64, shape (k,)
        How far the series is known then.
    """
    change = np.abs(np.diff(interval_ms, prepend=interval_ms[:1]))
    threshold = np.zeros(len(start))
    full = known >= _THRESHOLD_BEATS
    if full.any():
        rows = np.lib.stride_tricks.sliding_window_view(change, _THRESHOLD_BEATS)[known[full] - _THRESHOLD_BEATS]
        ordered = np.sort(rows, axis=1)
        threshold[full] = _ALPHA * (quantile_rows(ordered, 0.75) - quantile_rows(ordered, 0.25)) / 2.0
    for i in np.flatnonzero(~full & (known >= _LEAST_BEATS)).tolist():
        threshold[i] = _quartile_threshold(change[: known[i]])
    each = np.repeat(threshold, stop - start)
    mine = np.concatenate([np.arange(a, b) for a, b in zip(start.tolist(), stop.tolist(), strict=True)])
    with np.errstate(divide="ignore", invalid="ignore"):
        large = (change[mine] / each > 1.0) & (each > 0.0)
    out = np.bincount(np.repeat(np.arange(len(start)), stop - start)[large], minlength=len(start)) > 0
    # So much look-ahead would give the beats different windows.
    return out | (known - start >= _THRESHOLD_BEATS // 2)


def _any_large(known_ms: NDArray[np.float64], first: int, stop: int) -> bool:
    """As :func:`stands_out`, of one stretch at the end of what is known: most stretches need no closer look."""
    if len(known_ms) - first >= _THRESHOLD_BEATS // 2:
        return True
    change = np.empty(len(known_ms))
    change[0] = 0.0
    np.subtract(known_ms[1:], known_ms[:-1], out=change[1:])
    change = np.abs(change)
    threshold = _quartile_threshold(change[-_THRESHOLD_BEATS:])
    return threshold > 0.0 and float(change[first:stop].max()) / threshold > 1.0


class Classifier:
    """Classifies the beats of one run as they come, with the look-ahead that it is given.

    Parameters
    ----------
    past_ms : ndarray, shape (n,), optional
        Intervals of the run that were classified before.
    """

    def __init__(self, past_ms: NDArray[np.float64] | None = None) -> None:
        past = np.empty(0) if past_ms is None else past_ms
        self._past: NDArray[np.float64] = past[-(_THRESHOLD_BEATS + _MEDIAN_BEATS) :]

    def advance(self, interval_ms: NDArray[np.float64], ahead_ms: NDArray[np.float64]) -> NDArray[np.int8]:
        """Classes of the run's next beats.

        Parameters
        ----------
        interval_ms : ndarray, shape (n,)
            Intervals before them; the first beat of a run has none, and is not given.
        ahead_ms : ndarray, shape (m,)
            Intervals that follow them, as far as they are known; they are given again when they are due.
        """
        n, first = len(interval_ms), len(self._past)
        known = np.concatenate((self._past, interval_ms, ahead_ms))
        classes = np.zeros(len(known), np.int8)
        if n and len(known) >= _LEAST_BEATS and _any_large(known, first, first + n):
            _walk(_Series(known, first, first + n), first, first + n, classes)
        self._past = known[: first + n][-(_THRESHOLD_BEATS + _MEDIAN_BEATS) :]
        return classes[first : first + n]


def corrected(times_ms: NDArray[np.float64], classes: NDArray[np.int8]) -> NDArray[np.float64]:
    """Times of the beats without artefacts: extra ones removed, missed ones put in, misplaced ones moved.

    Parameters
    ----------
    times_ms : ndarray, shape (n,)
        Times of the beats of one gapless run.
    classes : ndarray of int8, shape (n,)
        Their classes; the first and the last beat stay where they are.
    """
    keep = classes != BeatClass.EXTRA
    keep[[0, -1]] = True
    times, kinds = times_ms[keep].astype(np.float64), classes[keep]
    missed = np.flatnonzero(kinds[1:] == BeatClass.MISSED) + 1
    inserted = 0.5 * (times[missed - 1] + times[missed])
    times, kinds = np.insert(times, missed, inserted), np.insert(kinds, missed, BeatClass.NORMAL)
    for kind in (BeatClass.ECTOPIC, BeatClass.LONG_SHORT):
        at = np.flatnonzero(kinds[1:-1] == kind) + 1
        # An ectopic beat is put right first: the beat after it is often long only because of it.
        times[at] = 0.5 * (times[at - 1] + times[at + 1])
    return np.sort(times)
