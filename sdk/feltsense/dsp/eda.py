"""Electrodermal activity: one definition of level, tonic, phasic and response, for every rate from 4 Hz up.

Definitions (x in µS; all filters zero-phase Butterworth, on blocks of a fixed grid)
------------------------------------------------------------------------------------
- *conductance*: x low-passed at 1 Hz (order 4); the skin answers no faster, what is above is noise.
- *tonic*: conductance low-passed at 0.05 Hz (order 2); *phasic* = conductance − tonic, which is the zero-phase
  high-pass at 0.05 Hz: tonic and phasic add up to the conductance, exactly.
- *band*: what lies in 0.045–0.25 Hz (Posada-Quintero 2016: sympathetic), as the difference of two low-passes.
- *local*: conductance less its own average over 12 s around; unlike the phasic it has no ringing and no edge.
- *response* (SCR): a summit of the local conductance that nothing within 1 s exceeds; its onset is the lowest point
  since the summit before, at most 5 s back, and its amplitude the height between the two (trough to peak). Local,
  because a response on the falling flank of another has a trough only where the slope around is taken away. And the
  conductance itself must rise ever slower towards the summit: on the flank of a decay it never does, whatever is
  subtracted. Thresholds are absolute, in µS: a threshold relative to the largest response in hand makes the count
  depend on the window.
- *rise time*: onset to summit; *half recovery*: summit to the moment at which half the amplitude is lost, if that
  comes before the next summit. It belongs to the moment at which it happens: to wait for it would hold up estimates.

Slow filters look 6 s ahead, not the 18 s that would make a block equal to the whole record: on 20 recordings of an
hour the correlation of phasic with the whole-record filter is 0.996–0.998, and an estimate comes 12 s earlier.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from feltsense.dsp.blocks import BlockFilter, Tail, samples
from feltsense.dsp.filters import lowpass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.dsp.blocks import Block, Operation

    Array = NDArray[np.float64]

__all__ = [
    "BAND",
    "LEAST_RATE",
    "LEAST_SCR_RATE",
    "LOCAL",
    "LONGEST_RECOVERY_S",
    "PHASIC",
    "SCR_LEAST_SLOWING",
    "SCR_LEAST_US",
    "SCR_LONGEST_RISE_S",
    "TONIC",
    "WARM_UP_S",
    "Recovery",
    "Scr",
    "ScrDetector",
    "conductance_filter",
    "slow_filter",
]

LEAST_RATE = 1.0
"""Hz; the fastest of the slow filters cuts at 0.25 Hz and needs room below half the rate."""
LEAST_SCR_RATE = 4.0
"""Hz; a response rises within 0.5–5 s: below 4 Hz the fast ones have no shape."""
SCR_LEAST_US = 0.01
"""µS; the least amplitude that laboratories count, about ten times the resolution of wrist devices."""
SCR_LONGEST_RISE_S = 5.0
"""A response rises in 0.5–5 s (Boucsein 2012); what rises longer is drift of the level."""
SCR_LEAST_SLOWING = 0.1
"""Least loss of slope from the steepest moment to the summit, in amplitudes per second: a third of what a half sine that
rises for 5 s loses."""
SUMMIT_S = 1.0
"""A summit is the highest point within this on either side: sudomotor bursts closer than that merge."""
LONGEST_RECOVERY_S = 20.0
"""A half recovery takes 1–10 s (Boucsein 2012); what takes twice as long is drift."""
WARM_UP_S = 10.0
"""Within this of a run's start the slow filters are off by 0.25–0.44 of the phasic's standard deviation."""

TONIC, PHASIC, BAND, LOCAL = range(4)
"""Columns of :func:`slow_filter`."""

_LEVEL_HZ, _LEVEL_ORDER = 1.0, 4
_TONIC_HZ, _SLOW_ORDER = 0.05, 2
_BAND_HZ = (0.045, 0.25)

# Blocks and their context, in s. The 1 Hz filter forgets within 2 s; the slow ones have a time constant of 4.5 s.
_LEVEL_BLOCK, _LEVEL_BEFORE, _LEVEL_AFTER = 2.0, 4.0, 2.0
_SLOW_BLOCK, _SLOW_BEFORE, _SLOW_AFTER = 4.0, 30.0, 6.0
_LOCAL_HALF = _SLOW_AFTER
"""Half the average's length: as far as the slow filters look ahead anyway."""


class Scr(NamedTuple):
    """One skin conductance response.

    Attributes
    ----------
    onset, summit : int
        Sample numbers in the run.
    amplitude : float
        Trough to peak, in µS.
    """

    onset: int
    summit: int
    amplitude: float


class Recovery(NamedTuple):
    """The moment at which a response has lost half its amplitude.

    Attributes
    ----------
    at : int
        Sample number in the run.
    samples : int
        Samples since its summit.
    """

    at: int
    samples: int


def conductance_filter(rate: float) -> BlockFilter:
    """Conductance (n,) of a run sampled at `rate` Hz."""
    return BlockFilter(
        _level_operation(rate),
        samples(_LEVEL_BLOCK, rate),
        samples(_LEVEL_BEFORE, rate),
        samples(_LEVEL_AFTER, rate),
        linear=True,
    )


def slow_filter(rate: float) -> BlockFilter:
    """Tonic, phasic, band and local, as columns (n, 4), of a run sampled at `rate` Hz (:data:`LEAST_RATE` or more)."""
    slow = [lowpass(rate, cut, _SLOW_ORDER) for cut in (_TONIC_HZ, *_BAND_HZ) if cut < rate / 2]
    return BlockFilter(
        partial(_slow, _level_operation(rate), slow, samples(_LOCAL_HALF, rate)),
        samples(_SLOW_BLOCK, rate),
        samples(_SLOW_BEFORE, rate),
        samples(_SLOW_AFTER, rate),
        linear=True,
    )


def _level_operation(rate: float) -> Operation:
    """Low-pass at 1 Hz; a copy where the rate itself already is one."""
    return np.copy if rate <= 2 * _LEVEL_HZ else lowpass(rate, _LEVEL_HZ, _LEVEL_ORDER)


def _slow(level_of: Operation, slow: list[Operation], half: int, x: Array) -> Array:
    level = level_of(x)
    tonic, below, upto = (low(level) for low in slow)
    return np.stack([tonic, level - tonic, upto - below, level - _average(level, half)], axis=1)


def _average(x: Array, half: int) -> Array:
    """Mean of `half` samples on either side; beyond a run's end it is continued by its point reflection, as a line is."""
    half = min(half, len(x) - 1)
    aside = [(half, half)] + [(0, 0)] * (x.ndim - 1)
    total = np.cumsum(np.pad(x, aside, mode="reflect", reflect_type="odd"), axis=0)
    total = np.concatenate((np.zeros_like(total[:1]), total))
    mean: Array = (total[2 * half + 1 :] - total[: len(x)]) / (2 * half + 1)
    return mean


class ScrDetector:
    """Finds the responses of one run in the rows of :func:`slow_filter`, as far as they are decided.

    A response is a function of the run's samples only: it does not depend on how they were cut.

    Parameters
    ----------
    rate : float
        Hz, :data:`LEAST_SCR_RATE` or more.
    """

    def __init__(self, rate: float) -> None:
        self._near = samples(SUMMIT_S, rate)
        self._rise = samples(SCR_LONGEST_RISE_S, rate)
        self._patience = samples(LONGEST_RECOVERY_S, rate)
        self._slowing = SCR_LEAST_SLOWING / rate
        self._x = Tail()
        self._level = Tail()
        self._next = 1
        self._before = 0
        self._falling: tuple[int, float] | None = None
        self._watched = 0
        self.recoveries: list[Recovery] = []
        """Half recoveries since the list was last emptied, in order."""

    @property
    def decided(self) -> int:
        """All responses with an onset before this sample are known, and all half recoveries."""
        # A summit to come rises from the last low or from a later one.
        lo = max(self._before, self._next - self._rise)
        flank = self._x.between(lo, self._next)
        return lo + len(flank) - 1 - int(np.argmin(flank[::-1])) if len(flank) else lo

    def push(self, block: Block) -> list[Scr]:
        """Take the next block of slow rows; give the responses that became certain."""
        self._x.append(block.values[:, LOCAL])
        self._level.append(block.values[:, TONIC] + block.values[:, PHASIC])
        return self._search(self._x.stop - self._near)

    def flush(self) -> list[Scr]:
        """End the run: give what can still be had. A rise that the end cuts off is no response."""
        return self._search(self._x.stop - 1)

    def _search(self, stop: int) -> list[Scr]:
        """Look at the candidates before `stop`, each with all its neighbours in hand, or with the run's end."""
        found: list[Scr] = []
        if stop <= self._next:
            return found
        for summit in self._summits(self._next, stop):
            self._watch(summit)
            lo = max(self._before, summit - self._rise)
            flank = self._x.between(lo, summit + 1)
            onset = lo + len(flank) - 1 - int(np.argmin(flank[::-1]))
            amplitude = float(flank[-1] - flank[onset - lo])
            self._before = summit
            if amplitude >= SCR_LEAST_US and self._slows(onset, summit, amplitude):
                found.append(Scr(onset, summit, amplitude))
                self._falling = summit, float(flank[-1]) - 0.5 * amplitude
        self._watch(stop)
        self._next = stop
        for tail in (self._x, self._level):
            tail.drop(stop - max(self._rise, self._near) - 1)
        return found

    def _slows(self, onset: int, summit: int, amplitude: float) -> bool:
        """Whether the conductance rises ever slower towards the summit: a response, and not the flank of a decay."""
        steps = np.diff(self._level.between(onset, summit + 2))
        return float(steps.max() - steps[-1]) >= self._slowing * amplitude

    def _watch(self, stop: int) -> None:
        """Look for the half recovery of the last response among the samples before `stop`."""
        start, self._watched = self._watched, stop
        if self._falling is None:
            return
        summit, half = self._falling
        below = np.flatnonzero(self._x.between(max(start, summit), stop) <= half)
        if len(below):
            at = max(start, summit) + int(below[0])
            if at - summit <= self._patience:
                self.recoveries.append(Recovery(at, at - summit))
            self._falling = None

    def _summits(self, a: int, b: int) -> list[int]:
        """Samples in [a, b) that are above all within the neighbourhood before and not below any of the one after."""
        near, first = self._near, max(a - self._near, 0)
        x = self._x.between(first, b + near)
        here = x[a - first : b - first]
        # Few samples are above the one before; only those are compared with all around.
        before, after = x[a - first - 1 : b - first - 1], x[a - first + 1 : b - first + 1]
        rises = here[: len(after)] >= after
        rises &= before[: len(after)] < here[: len(after)]
        values = x.tolist()
        out = []
        for i in rises.nonzero()[0].tolist():
            at = a - first + i
            top = values[at]
            if top > max(values[max(at - near, 0) : at]) and top >= max(values[at + 1 : at + 1 + near]):
                out.append(a + i)
        return out
