"""Beat intervals: which of them are trustworthy, and time-domain variability from those that are.

Rules
-----
- An interval is a number of milliseconds between two beats of one run; there is none across a gap.
- An interval is *valid* when both its beats are trusted, its length is plausible, and it is close to the median
  of the intervals around it. Invalid intervals are left out; nothing is put in their place.
- Successive differences are formed only between intervals that are next to each other and both valid.
- Definitions equal NeuroKit2's ``hrv_time`` where nothing is left out (tested to 1e-9).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "DIFFERENCES",
    "IntervalRule",
    "TimeDomain",
    "described",
    "difference",
    "differences",
    "mean_sd",
    "middle",
    "near_median",
    "ordered_at",
    "quantile",
    "quantile_rows",
    "successive",
    "time_domain",
]

_SQRT2 = math.sqrt(2.0)
_ACROSS, _ALONG, _SQUARE, _OVER_50, _OVER_20 = range(5)
"""Rows of :func:`differences`: across and along the Poincaré plot's line of identity, square, and whether large."""
DIFFERENCES = 5
_SORTED = 512
"""Up to so many numbers are sorted sooner than partitioned."""
MAD_TO_SD = 1.4826
"""Median absolute deviation → standard deviation of a normal distribution."""


@dataclass(frozen=True, slots=True)
class IntervalRule:
    """When an interval is plausible.

    Attributes
    ----------
    low_ms, high_ms : float
        Shortest and longest interval.
    deviation : float
        Largest distance from the local median, as a share of it.
    least : int
        Fewest plausible intervals that make a local median; with fewer, nothing can be judged.
    """

    low_ms: float
    high_ms: float
    deviation: float
    least: int = 5


def quantile(ordered: NDArray[np.float64], q: float) -> float:
    """Quantile `q` (0..1) of sorted numbers, interpolated linearly: numpy's ``percentile`` in a tenth of its time.

    Parameters
    ----------
    ordered : ndarray, shape (n,)
        In ascending order; NaN comes back where there are none.
    q : float
        0.5 is the median.
    """
    last = len(ordered) - 1
    if last < 0:
        return math.nan
    at = q * last
    low = int(at)
    if low == last:
        return float(ordered[low])
    # Plain floats: numpy's scalars take ten times as long, to the same bits.
    below, above = ordered[low : low + 2].tolist()
    return float(below + (above - below) * (at - low))


def ordered_at(x: NDArray[np.float64], *shares: float) -> NDArray[np.float64]:
    """Numbers in such an order that :func:`quantile` of each share of them is right; the longer ones are not sorted wholly.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Numbers, n > 0.
    *shares : float
        The quantiles that will be asked for, 0..1.
    """
    last = len(x) - 1
    if last < _SORTED:
        return np.sort(x)
    out = x.copy()
    out.partition(_places(last, shares))
    return out


@lru_cache(maxsize=256)
def _places(last: int, shares: tuple[float, ...]) -> tuple[int, ...]:
    """Where the numbers beside each share of `last` + 1 sorted ones are."""
    low = [int(q * last) for q in shares]
    return tuple(sorted({*low, *(min(k + 1, last) for k in low)}))


def middle(ordered: list[float]) -> float:
    """Median of at least one number in ascending order: as :func:`quantile`, of a list."""
    last = len(ordered) - 1
    low = last // 2
    return ordered[low] if last % 2 == 0 else ordered[low] + (ordered[low + 1] - ordered[low]) * 0.5


def quantile_rows(ordered: NDArray[np.float64], q: float) -> NDArray[np.float64]:
    """As :func:`quantile`, of each row of sorted numbers, shape (k, n) with n > 0: the same bits."""
    last = ordered.shape[1] - 1
    at = q * last
    low = int(at)
    below, above = ordered[:, low], ordered[:, min(low + 1, last)]
    out: NDArray[np.float64] = below + (above - below) * (at - low)
    return out


def near_median(interval_ms: NDArray[np.float64], around_ms: NDArray[np.float64], rule: IntervalRule) -> NDArray[np.bool_]:
    """Which intervals are plausible and close to the median of those around them.

    Parameters
    ----------
    interval_ms : ndarray, shape (n,)
        Intervals to judge; NaN is never valid.
    around_ms : ndarray, shape (m,)
        Plausible intervals of the neighbourhood, these included.
    rule : IntervalRule
        Limits.
    """
    if len(around_ms) < rule.least:
        return np.zeros(len(interval_ms), np.bool_)
    median = quantile(np.sort(around_ms), 0.5)
    near = np.abs(interval_ms - median) <= rule.deviation * median
    return near & (interval_ms >= rule.low_ms) & (interval_ms <= rule.high_ms)


def successive(interval_ms: NDArray[np.float64], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Differences of neighbouring intervals that are both valid, ms.

    Parameters
    ----------
    interval_ms : ndarray, shape (n,)
        All intervals in order, valid or not; NaN where there is none (the first beat after a gap).
    valid : ndarray of bool, shape (n,)
        Which to use.
    """
    both = valid[1:] & valid[:-1]
    return (interval_ms[1:] - interval_ms[:-1])[both]


class TimeDomain(NamedTuple):
    """Time-domain variability of NN intervals, ms unless said otherwise; NaN where it needs more intervals.

    Definitions: Task Force 1996, Circulation 93:1043; pNNx as NeuroKit2, with the number of intervals below the
    line; SD1 and SD2 as the spread across and along the identity line of the Poincaré plot.
    """

    n: int
    """Number of intervals."""
    differences: int
    """Number of successive differences."""
    mean_nn: float
    median_nn: float
    min_nn: float
    max_nn: float
    sdnn: float
    rmssd: float
    sdsd: float
    pnn50: float
    """Percent."""
    pnn20: float
    """Percent."""
    cvnn: float
    """SDNN / mean, 1."""
    cvsd: float
    """RMSSD / mean, 1."""
    mad_nn: float
    iqr_nn: float
    sd1: float
    sd2: float


def time_domain(interval_ms: NDArray[np.float64], valid: NDArray[np.bool_]) -> TimeDomain:
    """Time-domain variability of the valid intervals.

    Parameters
    ----------
    interval_ms : ndarray, shape (n,)
        All intervals in order (their neighbourhood decides which differences exist).
    valid : ndarray of bool, shape (n,)
        Which to use; never true where the interval is NaN.
    """
    pairs = valid[1:] & valid[:-1]
    return described(interval_ms[valid], differences(interval_ms[:-1][pairs], interval_ms[1:][pairs]))


def differences(earlier_ms: NDArray[np.float64], later_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """What :func:`described` needs of neighbouring intervals, shape (5, n): computed once, however many windows hold them.

    Parameters
    ----------
    earlier_ms, later_ms : ndarray, shape (n,)
        Intervals and those that follow them, ms.
    """
    out = np.empty((DIFFERENCES, len(later_ms)))
    d = np.subtract(later_ms, earlier_ms, out=out[_ACROSS])
    np.add(later_ms, earlier_ms, out=out[_ALONG])
    out[_ALONG] /= _SQRT2
    np.multiply(d, d, out=out[_SQUARE])
    size = np.abs(d)
    np.greater(size, 50.0, out=out[_OVER_50], casting="unsafe")
    np.greater(size, 20.0, out=out[_OVER_20], casting="unsafe")
    return out


def difference(earlier_ms: float, later_ms: float) -> tuple[float, ...]:
    """As :func:`differences`, of one pair: the same bits."""
    d = later_ms - earlier_ms
    return d, (later_ms + earlier_ms) / _SQRT2, d * d, float(abs(d) > 50.0), float(abs(d) > 20.0)


def described(nn: NDArray[np.float64], pairs: NDArray[np.float64]) -> TimeDomain:
    """Time-domain variability of NN intervals, shape (n,), and of :func:`differences` between them, shape (5, m)."""
    nan = math.nan
    n, m = len(nn), pairs.shape[1]
    if not n:
        return TimeDomain(0, 0, *(nan,) * 15)
    mean, sdnn = mean_sd(nn)
    ordered = np.sort(nn)
    median = quantile(ordered, 0.5)
    away = nn - median
    np.abs(away, out=away)
    away.sort()
    rmssd = pnn50 = pnn20 = sdsd = sd2 = nan
    if m:
        across, along, squares, over_50, over_20 = np.add.reduce(pairs, axis=1).tolist()
        rmssd = math.sqrt(squares / m)
        pnn50, pnn20 = 100.0 * over_50 / (m + 1), 100.0 * over_20 / (m + 1)
    if m > 1:
        centred = np.empty((2, m))
        np.subtract(pairs[_ACROSS], across / m, out=centred[0])
        np.subtract(pairs[_ALONG], along / m, out=centred[1])
        centred *= centred
        across, along = np.add.reduce(centred, axis=1).tolist()
        sdsd, sd2 = math.sqrt(across / (m - 1)), math.sqrt(along / (m - 1))
    return TimeDomain(
        n,
        m,
        mean,
        median,
        float(ordered[0]),
        float(ordered[-1]),
        sdnn,
        rmssd,
        sdsd,
        pnn50,
        pnn20,
        sdnn / mean,
        rmssd / mean,
        MAD_TO_SD * quantile(away, 0.5),
        quantile(ordered, 0.75) - quantile(ordered, 0.25),
        sdsd / _SQRT2,
        sd2,
    )


def mean_sd(x: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation (n − 1): numpy's in half their time, to the same bits.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Numbers; of fewer than two the deviation is NaN, of none the mean, too.
    """
    n = len(x)
    if n < 2:
        return float(x[0]) if n else math.nan, math.nan
    mean = float(np.add.reduce(x)) / n
    c = x - mean
    c *= c
    return mean, math.sqrt(float(np.add.reduce(c)) / (n - 1))
