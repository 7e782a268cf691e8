"""How far two sensors' clocks are apart, found where both see the same thing.

Sensors of one session share its clock as well as their transport allows; a file from a camera, or an audio recorder that
nobody synchronised, does not. Where both saw the same course (a heart rate by camera and by ECG) or the same moments (a
clap, heard and felt), the offset is found here, with its uncertainty.

Convention: an offset is what must be *added to the second's times* to lay it on the first's. Nothing is moved: the caller
decides, and may refuse an offset whose uncertainty is too large for the purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["Offset", "offset_of_courses", "offset_of_moments", "onsets"]

GRID_S = 0.25
"""Step in which offsets of courses are tried; a parabola finds the place between."""
LEAST_OVERLAP_S = 20.0
"""Shorter courses agree by chance at some offset."""
LEAST_LIKENESS = 0.4
"""Correlation below which two courses are not the same thing."""
CERTAIN = 3.5
"""Standard errors of Fisher's z: one in 4,000 by chance, at one offset; a search tries some ten independent ones."""
LOBE, UNLIKE = 0.7, 0.9
"""Shares of the best likeness: where its lobe ends, and from where on another lobe makes the answer no answer."""
TREND_S = 60.0
"""Trends slower than this are taken out."""
HOLE_S = 3.0
"""Seconds from the nearest value beyond which a course is not known."""
_LEAST_POINTS = 8
_BLOCKS = 8
_COVER, _COVER_BLOCKS = 2.0, 2.365
"""Standard errors that hold 95 % of the errors; of the jackknife, with seven degrees of freedom."""
MATCH_S = 0.1
"""Moments that are the same lie within this, once aligned: sound reaches two metres in 6 ms, a hand's jolt lasts 50 ms."""
FLOOR_S = 0.002
"""Least uncertainty of moments: the frames in which they are found."""


@dataclass(frozen=True, slots=True)
class Offset:
    """How far two clocks are apart.

    Attributes
    ----------
    seconds : float
        To be added to the second's times; NaN where it cannot be told.
    uncertainty_s : float
        Half width of an interval that holds 95 % of the errors; NaN with it.
    likeness : float
        Correlation of the courses, or share of the moments that found a partner, at this offset.
    """

    seconds: float
    uncertainty_s: float
    likeness: float


_UNKNOWN = float("nan")


def offset_of_courses(
    first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike], *, most: float, step: float | None = None
) -> Offset:
    """Offset between two courses of the same quantity (heart rates of ECG and camera, acceleration of two sensors).

    Parameters
    ----------
    first, second : tuple of array_like, shape (n,) and (n,)
        Times in s, ascending, and values; NaN where there is none. Values need not be in the same unit.
    most : float
        Largest offset that is looked for, s.
    step : float, optional
        Step of the grid, s; default a quarter of a second. Choose it below the course's own time scale.

    Returns
    -------
    Offset
        NaN where the courses overlap by less than 20 s, are not alike (correlation below 0.4, or no more than chance),
        or are nearly as alike at another offset.

    Raises
    ------
    InputError
        If times do not ascend, lengths differ, or `most` or `step` is not positive.

    Notes
    -----
    Slow trends (over a minute) are taken out: they are alike in anybody at nearly any offset. The offset is the top of a
    parabola through the lobe where the correlation is largest. It must not be chance: with n independent values (Bartlett
    1946, J R Stat Soc B 8:27: N over the sum of the products of both autocorrelations) Fisher's z of the correlation is to
    reach 3.5 of its standard errors. The uncertainty is from the jackknife over eight blocks of the time, which needs no
    model of the noise (Künsch 1989, Ann Statist 17:1217).
    """
    grid = GRID_S if step is None else step
    if not (most > 0.0 and grid > 0.0):
        msg = f"most and step are seconds above 0, got {most} and {step}"
        raise InputError(msg)
    a, b = (_course(*c, grid) for c in (first, second))
    if min(len(a[0]), len(b[0])) < _LEAST_POINTS:
        return Offset(_UNKNOWN, _UNKNOWN, 0.0)
    reach = int(np.ceil(most / grid))
    shifts: Array = np.arange(-reach - 1, reach + 2, dtype=np.float64) * grid
    pairs = [_paired(a, b, float(s), grid) for s in shifts]
    like = np.array([_correlation(*p) for p in pairs])
    k = 1 + int(np.argmax(like[1:-1]))
    best = float(like[k])
    edge = not like[k - 1] <= best >= like[k + 1]
    lobe = _lobe(like, k)
    rival = max(like[: lobe.start].max(initial=-1.0), like[lobe.stop :].max(initial=-1.0)) > UNLIKE * best
    if edge or rival or best < LEAST_LIKENESS or lobe.stop - lobe.start < 3 or not _certain(*pairs[k], best):
        return Offset(_UNKNOWN, _UNKNOWN, max(best, 0.0))
    found = np.array([_summit(shifts, pairs, lobe, left_out) for left_out in range(_BLOCKS)])
    error = np.sqrt((_BLOCKS - 1) / _BLOCKS * float(np.sum((found - found.mean()) ** 2)))
    whole = _summit(shifts, pairs, lobe, None)
    return Offset(whole, max(_COVER_BLOCKS * float(error), grid / 10.0), best)


def _summit(shifts: Array, pairs: list[tuple[Array, Array, Array]], lobe: slice, left_out: int | None) -> float:
    """Top of a parabola through a lobe of the correlation; without one of the blocks of time."""
    middle = pairs[(lobe.start + lobe.stop) // 2][0]
    begin, length = float(middle[0]), float(middle[-1] - middle[0]) + 1e-9
    like = []
    for t, x, y in pairs[lobe]:
        # Blocks of the same time at all offsets.
        keep = np.floor((t - begin) / length * _BLOCKS) != (-1 if left_out is None else left_out)
        like.append(_correlation(t[keep], x[keep], y[keep]))
    at = shifts[lobe]
    centre = float(at.mean())
    bend, slope, _ = np.polyfit(at - centre, like, 2)
    top = -slope / (2.0 * bend) if bend < 0.0 else 0.0
    return centre + float(np.clip(top, at[0] - centre, at[-1] - centre))


def _certain(t: Array, x: Array, y: Array, r: float) -> bool:
    """Whether a correlation is more than the chance of two smooth courses."""
    lags = len(x) // 4
    alike = [_self(x, k) * _self(y, k) for k in range(1, lags)]
    # Up to where the product first vanishes: beyond, it is noise.
    end = next((i for i, p in enumerate(alike) if p <= 0.0), len(alike))
    independent = len(x) / (1.0 + 2.0 * sum(alike[:end]))
    return independent > 4.0 and float(np.arctanh(min(r, 0.9999))) * np.sqrt(independent - 3.0) >= CERTAIN


def _self(x: Array, lag: int) -> float:
    x = x - x.mean()
    return float(np.sum(x[lag:] * x[:-lag]) / max(float(np.sum(x * x)), 1e-12))


def _lobe(like: Array, k: int) -> slice:
    """The offsets about the best one that are nearly as good as it."""
    low = like < LOBE * like[k]
    left, right = np.flatnonzero(low[:k]), np.flatnonzero(low[k:])
    return slice(int(left[-1]) + 1 if len(left) else 0, k + int(right[0]) if len(right) else len(like))


def _course(times: ArrayLike, values: ArrayLike, grid: float) -> tuple[Array, Array]:
    """Checked, without holes, without its slow trend."""
    t, x = np.asarray(times, np.float64), np.asarray(values, np.float64)
    if t.ndim != 1 or t.shape != x.shape or (np.diff(t) <= 0.0).any() or not np.isfinite(t).all():
        msg = f"a course is ascending times and as many values, got shapes {t.shape} and {x.shape}"
        raise InputError(msg)
    seen = np.isfinite(x)
    t, x = t[seen], x[seen]
    if len(t) < _LEAST_POINTS:
        return t, x
    even = np.arange(t[0], t[-1], grid)
    total = np.concatenate(([0.0], np.cumsum(np.interp(even, t, x))))
    half = round(TREND_S / 2.0 / grid)
    low = np.maximum(np.arange(len(even)) - half, 0)
    high = np.minimum(np.arange(len(even)) + half + 1, len(even))
    return t, x - np.interp(t, even, (total[high] - total[low]) / (high - low))


def _paired(a: tuple[Array, Array], b: tuple[Array, Array], shift: float, grid: float) -> tuple[Array, Array, Array]:
    """Times, the first's values and the second's, moved by `shift`; empty where they overlap too little.

    Where either has no value within some seconds, neither counts.
    """
    start, stop = max(a[0][0], b[0][0] + shift), min(a[0][-1], b[0][-1] + shift)
    if stop - start < LEAST_OVERLAP_S:
        return np.empty(0), np.empty(0), np.empty(0)
    t = np.arange(start, stop, max(grid, 0.5))
    near = (_distance(a[0], t) <= HOLE_S) & (_distance(b[0], t - shift) <= HOLE_S)
    t = t[near]
    return t, np.interp(t, *a), np.interp(t - shift, *b)


def _distance(times: Array, t: Array) -> Array:
    """How far each t is from the nearest of the times."""
    k = np.clip(np.searchsorted(times, t), 1, len(times) - 1)
    return np.asarray(np.minimum(np.abs(t - times[k - 1]), np.abs(times[k] - t)))


def _correlation(t: Array, x: Array, y: Array) -> float:
    """Correlation; −1 where there is too little or nothing varies."""
    if len(t) < _LEAST_POINTS:
        return -1.0
    x, y = x - x.mean(), y - y.mean()
    power = float(np.sum(x * x) * np.sum(y * y))
    return float(np.sum(x * y)) / float(np.sqrt(power)) if power > 0.0 else -1.0


def offset_of_moments(first: ArrayLike, second: ArrayLike, *, most: float) -> Offset:
    """Offset between two lists of moments that both sensors saw (claps: :func:`onsets` of sound and of acceleration).

    Parameters
    ----------
    first, second : array_like, shape (n,) and (m,)
        Seconds, ascending. Moments that only one saw do no harm, while those that both saw are the larger part of the
        shorter list.
    most : float
        Largest offset that is looked for, s.

    Returns
    -------
    Offset
        Where most moments find a partner within 0.1 s; the median of their differences, its uncertainty from their spread.
        NaN where no offset pairs more than half of the shorter list, or two offsets pair as many. A single clap is enough
        where each list has only one within `most`; its uncertainty is then the 0.1 s of a match.

    Raises
    ------
    InputError
        If the moments do not ascend, or `most` is not positive.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.ndim != 1 or b.ndim != 1 or (np.diff(a) <= 0.0).any() or (np.diff(b) <= 0.0).any() or not most > 0.0:
        msg = f"moments are ascending seconds, and most is above 0; got shapes {a.shape} and {b.shape}, {most}"
        raise InputError(msg)
    if not len(a) or not len(b):
        return Offset(_UNKNOWN, _UNKNOWN, 0.0)
    tried = np.sort((a[:, None] - b[None, :]).ravel())
    tried = tried[np.abs(tried) <= most]
    if not len(tried):
        return Offset(_UNKNOWN, _UNKNOWN, 0.0)
    pairs = [_pairs(a, b, float(s)) for s in tried]
    count = np.array([len(p) for p in pairs])
    best = int(count.max())
    likeness = best / min(len(a), len(b))
    rivals = tried[count == best]
    if 2 * best <= min(len(a), len(b)) or np.ptp(rivals) > 2.0 * MATCH_S:
        return Offset(_UNKNOWN, _UNKNOWN, likeness)
    # Of equal numbers of pairs, the offset with the least spread.
    chosen = min((p for p in pairs if len(p) == best), key=lambda p: float(np.abs(p - np.median(p)).sum()))
    middle = float(np.median(chosen))
    if best < 2:
        return Offset(middle, MATCH_S, likeness)
    spread = 1.4826 * float(np.median(np.abs(chosen - middle)))
    # A median's standard error is 1.25 of a mean's.
    return Offset(middle, max(_COVER * 1.25 * spread / np.sqrt(best), FLOOR_S), likeness)


def _pairs(a: Array, b: Array, shift: float) -> Array:
    """Differences first − second of moments that are each other's nearest within a match."""
    moved = b + shift
    near = np.abs(a[:, None] - moved[None, :])
    i, j = near.argmin(axis=0), near.argmin(axis=1)
    mutual = [(i[k], k) for k in range(len(b)) if j[i[k]] == k and near[i[k], k] <= MATCH_S]
    return np.array([a[p] - b[q] for p, q in mutual])


def onsets(times: ArrayLike, values: ArrayLike, *, rise: float = 8.0, apart: float = 0.3) -> Array:
    """Moments at which a signal jumps: claps in sound, jolts in acceleration.

    Parameters
    ----------
    times : array_like, shape (n,)
        Seconds, ascending.
    values : array_like, shape (n,) or (n, c)
        The signal; several channels count by the length of their change.
    rise : float, optional
        How many times the usual change (the 90th percentile) a jump must reach.
    apart : float, optional
        Seconds between jumps; the first of several is the one.

    Returns
    -------
    ndarray, shape (k,)
        Seconds.
    """
    t, x = np.asarray(times, np.float64), np.asarray(values, np.float64)
    x = x[:, None] if x.ndim == 1 else x
    if t.ndim != 1 or len(t) != len(x) or (np.diff(t) <= 0.0).any():
        msg = f"a signal is ascending times and as many values, got shapes {t.shape} and {x.shape}"
        raise InputError(msg)
    if len(t) < 2:
        return np.empty(0)
    size = np.sqrt(np.sum(np.diff(x, axis=0) ** 2, axis=1))
    size = np.where(np.isfinite(size), size, 0.0)
    level = rise * float(np.percentile(size, 90))
    loud = np.flatnonzero(size > max(level, 1e-12))
    found: list[float] = []
    for k in loud.tolist():
        if not found or t[k + 1] - found[-1] > apart:
            found.append(float(t[k + 1]))
    return np.array(found)
