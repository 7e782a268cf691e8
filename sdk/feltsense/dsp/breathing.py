"""Breaths: found in the wave of a belt, and the rate of breathing in any series that breathing modulates.

Definitions
-----------
- *wave*: a belt's signal at 0.08–0.7 Hz (5–42 breaths a minute), zero-phase Butterworth on blocks of a fixed grid.
- *breath*: from one rise of the wave through zero to the next; its depth is summit minus the trough after it, its
  inspiration the time from the trough before to the summit. One shallower than two fifths of the median of the ten before
  it is a tremor, and part of the breath that goes on.
- *rate of a series*: the highest peak of the Hann periodogram of a series laid on 4 Hz by a cubic spline, within the same
  band; its purity is the share of the band's power within 0.04 Hz of the peak. For series that have one value a beat
  (R-wave height, RR intervals), which is what respiration derived from an ECG is made of.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.interpolate import make_interp_spline

from feltsense.dsp.blocks import BlockFilter, Tail, samples
from feltsense.dsp.filters import bandpass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.dsp.blocks import Block

    Array = NDArray[np.float64]

__all__ = ["BAND_HZ", "LEAST_RATE", "Breath", "BreathDetector", "breath_filter", "series_rate"]

BAND_HZ = (0.08, 0.7)
LEAST_RATE = 4.0
"""Hz; a breath at 42 a minute then has five samples."""
_ORDER = 2
_BLOCK_S, _BEFORE_S, _AFTER_S = 4.0, 20.0, 8.0
"""The filter's slowest time constant is 3 s; a longer look-ahead would delay every answer."""
_SHALLOW = 0.4
_MEMORY = 10
_SERIES_HZ = 4.0
_LEAST_POINTS = 8
_NEAR_HZ = 0.04


class Breath(NamedTuple):
    """One breath, in samples of the run.

    Attributes
    ----------
    start, stop : int
        Rises of the wave through zero.
    rise : float
        Samples from the trough before to the summit.
    depth : float
        In the signal's unit.
    """

    start: int
    stop: int
    rise: float
    depth: float


def breath_filter(rate: float) -> BlockFilter:
    """The wave of a run sampled at `rate` Hz (:data:`LEAST_RATE` or more)."""
    size = (samples(s, rate) for s in (_BLOCK_S, _BEFORE_S, _AFTER_S))
    return BlockFilter(bandpass(rate, BAND_HZ, _ORDER), *size)


class BreathDetector:
    """Finds the breaths of one run in its wave, block by block.

    Parameters
    ----------
    rate : float
        Hz.
    """

    def __init__(self, rate: float) -> None:
        self._longest = samples(2.0 / BAND_HZ[0], rate)
        self._wave = Tail()
        self._depths: deque[float] = deque(maxlen=_MEMORY)
        self._start: int | None = None
        self._summit = 0
        self._before = False

    @property
    def open_since(self) -> int:
        """Sample from which nothing is decided: the beginning of the breath that is going on."""
        return self._wave.stop if self._start is None else self._start

    def push(self, block: Block) -> list[Breath]:
        """Take the next block of the wave; give the breaths that ended in it."""
        first = self._wave.stop
        self._wave.append(block.values)
        up = block.values > 0.0
        rises = np.flatnonzero(up & ~np.concatenate(([self._before], up[:-1])))
        self._before = bool(up[-1])
        found = [b for i in rises.tolist() if (b := self._end(first + i)) is not None]
        self._wave.drop(min(self.open_since, self._wave.stop - 1, self._summit))
        return found

    def _end(self, at: int) -> Breath | None:
        start = self._start
        if start is None or at - start > self._longest:
            # A pause longer than the slowest breath is none, and what comes after it may be of another size.
            self._start, self._summit = at, at
            self._depths.clear()
            return None
        cycle = self._wave.between(start, at)
        summit = int(np.argmax(cycle))
        trough = float(cycle[summit:].min())
        depth = float(cycle[summit]) - trough
        if self._depths and depth < _SHALLOW * float(np.median(self._depths)):
            return None
        self._depths.append(depth)
        before = self._wave.between(self._summit, start + summit + 1)
        rise = len(before) - 1 - int(np.argmin(before))
        self._start, self._summit = at, start + summit
        return Breath(start, at, float(rise), depth)


def series_rate(at_s: Array, values: Array) -> tuple[float, float]:
    """Breathing rate of a series with one value a beat, and how pure it is.

    Parameters
    ----------
    at_s, values : ndarray, shape (n,)
        Times in ascending order, and what breathing modulates; one gapless piece of 30 s or more.

    Returns
    -------
    rate : float
        Breaths a minute; NaN where the series is too short or does not move.
    purity : float
        0..1; noise has about 0.2.
    """
    if len(values) < _LEAST_POINTS or not np.ptp(values):
        return float("nan"), 0.0
    t = np.arange(at_s[0], at_s[-1], 1.0 / _SERIES_HZ)
    x = make_interp_spline(at_s, values, k=3)(t)
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(len(t)) / len(t))
    # Zeros behind the series place the peak between the bins.
    size = 8 * len(t)
    power = np.abs(np.fft.rfft((x - x.mean()) * hann, size)) ** 2
    hz = np.fft.rfftfreq(size, 1.0 / _SERIES_HZ)
    band = (hz >= BAND_HZ[0]) & (hz <= BAND_HZ[1])
    total = float(power[band].sum())
    if total <= 0.0:
        return float("nan"), 0.0
    peak = float(hz[band][int(np.argmax(power[band]))])
    near = band & (np.abs(hz - peak) <= _NEAR_HZ)
    return 60.0 * peak, float(power[near].sum()) / total
