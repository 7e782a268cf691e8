"""The numbers of a window of EDA: level, slopes and spread.

What belongs to one sample (its logarithm, its step from the sample before) is computed once, when the sample is kept
(:func:`levels`, :func:`slows`); a window then only adds up, centres and sorts. One window at a time: numpy's calls on arrays
of one dimension take a third of those on rows of windows, of which a live session has one or two at once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.timeline import NS
from feltsense.dsp.eda import BAND, PHASIC, TONIC
from feltsense.dsp.intervals import ordered_at, quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Ints = NDArray[np.int64]

SlowNumbers = tuple[tuple[float, float, float], tuple[float, float], float]
"""Of the tonic, of the phasic, of the band."""

__all__ = [
    "JOINED",
    "LEVEL",
    "LEVELS",
    "LOG_OFFSET_US",
    "SLOWS",
    "Line",
    "level_numbers",
    "levels",
    "slow_numbers",
    "slows",
]

LOG_OFFSET_US = 0.05
"""Added before a logarithm of conductance: the least that is skin, so that dry hands do not go to −∞."""

LEVEL, _LOG, _STEP, JOINED = range(4)
"""Rows of :func:`levels`: conductance, its logarithm, the size of its step from the sample before, whether there is one."""
LEVELS = 4
_POSITIVE = 3
SLOWS = 4
"""Rows of :func:`slows`: tonic, phasic and band, as in :mod:`feltsense.dsp.eda`, and the phasic's positive part."""
_JOIN = 1.5
"""Periods: samples further apart than this have something missing between them."""


def levels(x: Array, t_ns: Ints, rate: float, before: tuple[float, int] | None = None) -> Array:
    """What is kept of each sample of conductance, shape (4, n).

    Parameters
    ----------
    x : ndarray, shape (n,)
        Conductance, µS.
    t_ns : ndarray of int64, shape (n,)
        Session times.
    rate : float
        Hz.
    before : (float, int), optional
        Conductance and time of the sample before them.
    """
    out = np.empty((LEVELS, len(x)))
    if not len(x):
        return out
    out[LEVEL] = x
    np.maximum(x, 0.0, out=out[_LOG])
    out[_LOG] += LOG_OFFSET_US
    np.log(out[_LOG], out=out[_LOG])
    step, joined, limit = out[_STEP], out[JOINED], _JOIN * NS / rate
    np.subtract(x[1:], x[:-1], out=step[1:])
    np.less(t_ns[1:] - t_ns[:-1], limit, out=joined[1:], casting="unsafe")
    step[0] = joined[0] = 0.0
    if before is not None and t_ns[0] - before[1] < limit:
        step[0], joined[0] = x[0] - before[0], 1.0
    # Across what was left out there is no rate of change.
    step *= joined
    np.abs(step, out=step)
    return out


def slows(rows: Array) -> Array:
    """What is kept of each sample of the slow filters, shape (4, n), from their rows, shape (n, 3 or more)."""
    out = np.empty((SLOWS, len(rows)))
    out[:_POSITIVE] = rows[:, :_POSITIVE].T
    np.maximum(out[PHASIC], 0.0, out=out[_POSITIVE])
    return out


class Line:
    """Least-squares slopes over the times of a window: the moments are the last window's, where they are as far apart."""

    def __init__(self) -> None:
        self._since = b""
        self._minutes: Array = np.empty(0)
        self._spread = math.nan

    def over(self, t_ns: Ints) -> tuple[Array, float]:
        """Centred minutes, and the sum of their squares; NaN where there is only one moment."""
        since = t_ns - t_ns[0]
        same = since.tobytes()
        if same != self._since:
            minutes = since / (60 * NS)
            minutes -= float(np.add.reduce(minutes)) / len(minutes)
            self._since, self._minutes, self._spread = same, minutes, float(np.add.reduce(minutes * minutes)) or math.nan
        return self._minutes, self._spread


def level_numbers(t_ns: Ints, kept: Array, line: Line, rate: float) -> tuple[float, ...]:
    """Median, 10th percentile, deviation, range, slope, slope of the logarithm and activity of a window's conductance.

    Parameters
    ----------
    t_ns : ndarray of int64, shape (n,)
        Times of its samples, n > 0.
    kept : ndarray, shape (4, n)
        :func:`levels`.
    line : Line
        Slopes over the times.
    rate : float
        Hz.
    """
    x, _, step, joined = kept
    n = len(x)
    total = np.add.reduce(kept, axis=1).tolist()
    minutes, spread = line.over(t_ns)
    # No dot products: which of them add up in what order is up to the machine's library and where the numbers lie.
    products = np.empty((3, n))
    np.multiply(kept[:_STEP], minutes, out=products[:2])
    centred = np.subtract(x, total[LEVEL] / n, out=products[2])
    centred *= centred
    rise, logarithmic, squares = np.add.reduce(products, axis=1).tolist()
    ordered = ordered_at(x, 0.0, 0.1, 0.5, 1.0)
    # A window's first step began before it.
    steps, moved = total[JOINED] - float(joined[0]), total[_STEP] - float(step[0])
    return (
        quantile(ordered, 0.5),
        quantile(ordered, 0.1),
        math.sqrt(squares / n),
        float(ordered[-1]) - float(ordered[0]),
        rise / spread,
        logarithmic / spread,
        moved / steps * rate if steps else math.nan,
    )


def slow_numbers(t_ns: Ints, kept: Array, line: Line, seconds: float) -> SlowNumbers:
    """Mean, median and slope of a window's tonic; deviation and area of its phasic; deviation of its band.

    Parameters
    ----------
    t_ns : ndarray of int64, shape (n,)
        Times of its samples, n > 0.
    kept : ndarray, shape (4, n)
        :func:`slows`.
    line : Line
        Slopes over the times.
    seconds : float
        Length of the window.
    """
    n = len(t_ns)
    total = np.add.reduce(kept, axis=1).tolist()
    minutes, spread = line.over(t_ns)
    products = np.empty((3, n))
    np.multiply(kept[TONIC], minutes, out=products[0])
    np.subtract(kept[PHASIC], total[PHASIC] / n, out=products[1])
    np.subtract(kept[BAND], total[BAND] / n, out=products[2])
    squares = products[1:]
    squares *= squares
    rise, phasic, band = np.add.reduce(products, axis=1).tolist()
    return (
        (total[TONIC] / n, quantile(ordered_at(kept[TONIC], 0.5), 0.5), rise / spread),
        (math.sqrt(phasic / n), total[_POSITIVE] / n * seconds),
        math.sqrt(band / n),
    )
