"""Is this skin conductance? Kleckner 2018's rules, with absolute limits.

Rules
-----
- A sample is marked when it lies outside 0.05–60 µS (no skin, or more than the device can tell), when it came
  faster than 10 µS/s (contact lost or found), or when nothing at all has changed for 30 s (a stuck converter: skin
  never rests, but a coarse converter sees it rest; the longest standstill that experts call clean is 29 s, in four
  hours of a device with steps of 0.004–0.02 µS; a fine one shows 4 s at most).
- Everything within 5 s of a mark in the same segment is unusable, too.
- A NaN is a sample that the device did not send; nothing around it is to blame.
- Left out: "skin below 30 °C means not worn". Of 20 people whose wrists were worn throughout, 3 stay below 30 °C
  the whole hour, and another for 84 % of it: the rule would discard them, and the three above find lost contact.
- A verdict is a function of the segment's samples only, and is final 5 s after its sample.
- What is left is judged by its smoothness (:func:`smoothness`), a number and not a verdict: sweat ducts fill within
  seconds, electrodes slip within tenths of one. It enters the quality and changes no value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.signals import CATALOGUE
from feltsense.core.vector import Reason
from feltsense.dsp.blocks import Tail, samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.dsp.cells import Cells

__all__ = ["FLAT_S", "NEAR_S", "REASONS", "STEEPEST_US_PER_S", "EdaGate", "Skin", "bends", "smoothness"]

STEEPEST_US_PER_S = 10.0
"""Kleckner 2018, rule 2."""
NEAR_S = 5.0
"""Kleckner 2018, rule 4: what is this close to a mark is suspect."""
FLAT_S = 30.0
"""No change at all for so long is no skin."""
_SLOPE_OVER_S = 0.25
"""A slope is taken over a quarter of a second (one sample of a 4 Hz device): at high rates noise is steep."""

BEND_S = 0.5
"""A bend is a second difference over half a second: 2 samples of the slowest devices, and less than a response's rise."""
BEND_CELL_S = 0.5
"""Bends are kept as means of half seconds."""
_BEND_OVER = round(NEAR_S / BEND_CELL_S)
"""Half seconds over which bends are averaged: Kleckner's reach of an artefact."""
_BOXES = tuple(np.full(n, 1.0 / max(n, 1)) for n in range(_BEND_OVER + 1))
_ROUGH, _STEEPNESS = 0.04, 4.0
"""Root mean square of the bends over the level at which skin and artefact are equally likely, and how soon either is sure.
Halfway between clean epochs (95 % below 0.03) and artefacts (90 % above 0.02–0.06) of four recordings of daily life;
the ranking of epochs, and so the AUROC, does not depend on either. A response of a tenth of the level within 1 s has
0.035."""

REASONS = (Reason.OK, Reason.FLATLINE, Reason.ARTEFACT, Reason.SATURATED, Reason.OFF_SKIN, Reason.GAP)
"""What a verdict's number means; of several marks near a sample the highest number wins."""
_OK, _FLAT, _STEEP, _HIGH, _LOW, _MISSING = range(len(REASONS))


class EdaGate:
    """Verdicts on the samples of one stream.

    Parameters
    ----------
    rate : float
        Hz.
    """

    def __init__(self, rate: float) -> None:
        self._lag = max(1, round(_SLOPE_OVER_S * rate))
        self._steepest = STEEPEST_US_PER_S * self._lag / rate
        self._flat = samples(FLAT_S, rate)
        self._near = samples(NEAR_S, rate)
        self._t = Tail(0, np.int64)
        self._verdicts = Tail(0, np.uint8)
        self._begin()

    def _begin(self) -> None:
        self._raw = np.full(self._lag, np.nan)
        self._still = 0
        self._marks = Tail(0, np.uint8)
        self._waiting = Tail(0, np.int64)
        self._done = 0

    def push(self, x: NDArray[np.float64], t_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Take the segment's next samples, shape (n,), with their session times.

        Returns
        -------
        ndarray of bool, shape (n,)
            Which samples cannot be skin (missing, out of range or too steep): filters must not run through them.
        """
        joined = np.concatenate([self._raw, x])
        self._waiting.append(t_ns)
        slope = np.abs(x - joined[: len(x)])
        if self._skin(x, slope):
            self._still = 0
            self._raw = joined[len(joined) - self._lag :]
            self._marks.append(np.zeros(len(x), np.uint8))
            self._decide(self._marks.stop - self._near)
            return np.zeros(len(x), np.bool_)
        steep = slope > self._steepest
        low, high = x < CATALOGUE["eda"].low, x > CATALOGUE["eda"].high
        missing = np.isnan(x)
        marks = np.zeros(len(x), np.uint8)
        for found, code in ((self._stuck(x), _FLAT), (steep, _STEEP), (high, _HIGH), (low, _LOW), (missing, _MISSING)):
            marks[found] = code
        self._raw = joined[len(joined) - self._lag :]
        self._marks.append(marks)
        self._decide(self._marks.stop - self._near)
        return np.asarray(marks > _FLAT)

    def _skin(self, x: NDArray[np.float64], slope: NDArray[np.float64]) -> bool:
        """Whether there is nothing to mark, and no sample repeats the one before: most chunks."""
        kind = CATALOGUE["eda"]
        # Comparisons are this way round because none holds for a NaN.
        if not len(x) or not (float(x.min()) >= kind.low and float(x.max()) <= kind.high):
            return False
        return float(slope.max()) <= self._steepest and x[0] != self._raw[-1] and bool((x[1:] != x[:-1]).all())

    def _stuck(self, x: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Samples before which nothing has changed for :data:`FLAT_S`."""
        n = len(x)
        before = np.concatenate([self._raw[-1:], x])
        changed = before[1:] != before[:-1]
        number = np.arange(1, n + 1)
        last = np.maximum.accumulate(np.where(changed, number, 0))
        still = np.where(last > 0, number - last, number + self._still)
        self._still = int(still[-1]) if n else self._still
        return np.asarray(still >= self._flat)

    def close(self) -> None:
        """End the segment: what is undecided is decided without what would have come."""
        self._decide(self._marks.stop)
        self._begin()

    def _decide(self, stop: int) -> None:
        if stop <= self._done:
            return
        a, near = self._done, self._near
        first, last = max(a - near, 0), min(stop + near, self._marks.stop)
        span = np.zeros(stop - a + 2 * near, np.uint8)
        offset = first - (a - near)
        span[offset : offset + last - first] = self._marks.between(first, last)
        if not span.any():
            self._settle(a, stop, np.zeros(stop - a, np.uint8))
            return
        own = span[near : near + stop - a]
        spread = np.where(span == _MISSING, _OK, span)
        verdict = np.lib.stride_tricks.sliding_window_view(spread, 2 * near + 1).max(axis=1)
        self._settle(a, stop, np.where(own == _MISSING, _MISSING, verdict).astype(np.uint8))

    def _settle(self, start: int, stop: int, verdicts: NDArray[np.uint8]) -> None:
        self._verdicts.append(verdicts)
        self._t.append(self._waiting.between(start, stop))
        self._done = stop
        self._marks.drop(stop - self._near)
        self._waiting.drop(stop)

    @property
    def waiting_ns(self) -> int | None:
        """Session time of the first sample whose verdict is open; None where none is."""
        return int(self._waiting.rows[0]) if len(self._waiting) else None

    def between(self, edges_ns: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
        """Times and verdicts (numbers in :data:`REASONS`) of the samples in each [start, stop), shape (k, 2): views."""
        times, verdicts = self._t.rows, self._verdicts.rows
        return [(times[a:b], verdicts[a:b]) for a, b in times.searchsorted(edges_ns).tolist()]

    def forget(self, before_ns: int) -> None:
        """Drop the samples before `before_ns`."""
        n = self._t.start + int(self._t.rows.searchsorted(before_ns))
        self._t.drop(n)
        self._verdicts.drop(n)


def bends(x: NDArray[np.float64], lag: int) -> NDArray[np.float64]:
    """Mean square of cells' bends (second differences over `lag` samples), relative to their levels, shape (k, 1).

    Parameters
    ----------
    x : ndarray, shape (k, n)
        Raw conductance of k cells, each with `lag` samples on either side, µS.
    lag : int
        :data:`BEND_S` in samples.
    """
    second = x[:, 2 * lag :] - 2.0 * x[:, lag:-lag] + x[:, : -2 * lag]
    second *= second
    level = np.add.reduce(x, axis=1, keepdims=True) / x.shape[1]
    np.maximum(level, CATALOGUE["eda"].low, out=level)
    bend: NDArray[np.float64] = np.add.reduce(second, axis=1, keepdims=True) / second.shape[1]
    bend /= level**2
    return bend


def smoothness(cells: NDArray[np.float64]) -> float:
    """How much a stretch looks like skin, 0..1, averaged over it; 1 where nothing is known.

    Parameters
    ----------
    cells : ndarray, shape (k,)
        :func:`bends` of its half seconds, in order.
    """
    if not len(cells):
        return 1.0
    skin = _skin(cells, min(_BEND_OVER, len(cells)))
    return float(np.add.reduce(skin)) / len(skin)


def _skin(cells: NDArray[np.float64], over: int) -> NDArray[np.float64]:
    """How much each stretch of `over` cells looks like skin, 0..1."""
    around = np.convolve(cells, _BOXES[over], "valid")
    out: NDArray[np.float64] = 1.0 / (1.0 + (around / _ROUGH**2) ** (0.5 * _STEEPNESS))
    return out


class Skin:
    """Smoothness of stretches of one stream's cells: each cell is looked at once, however many windows hold it.

    Parameters
    ----------
    cells : Cells
        :func:`bends` of the stream.
    """

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._first, self._known = 0, Tail()

    def smoothness(self, a: int, b: int) -> float:
        """As :func:`smoothness`, of the cells number `a` up to `b`."""
        if b - a < _BEND_OVER:
            return smoothness(self._cells.numbered(a, b)[:, 0])
        stop, known = b - _BEND_OVER + 1, self._first + self._known.stop
        if known < self._cells.start:
            # Windows in between had marked samples and were answered without.
            self._first = known = self._cells.start
            self._known = Tail()
        if known < stop:
            self._known.append(_skin(self._cells.numbered(known, b)[:, 0], _BEND_OVER))
        skin = self._known.between(a - self._first, stop - self._first)
        return float(np.add.reduce(skin)) / len(skin)

    def forget(self) -> None:
        """Drop what belongs to cells that are gone."""
        self._known.drop(self._cells.start - self._first)
