"""One beat measured: where exactly it is, what it looks like, how large it is.

A pulse is timed at its steepest upstroke, the fiducial that a drifting baseline and a broad crest move least; an
R wave at its crest. Both get a parabola through three samples: at 64–130 Hz whole samples would put milliseconds of
invented variability into RMSSD.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from feltsense.dsp.blocks import samples
from feltsense.dsp.peaks import PulseDetector, QrsDetector, parabola, parabolas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.dsp.blocks import Block

__all__ = ["Beat", "Detector", "Pulse", "Pulses", "Qrs", "Wave"]


class Beat(NamedTuple):
    """One measured beat.

    Attributes
    ----------
    at : int
        Sample number of its peak in the run.
    fiducial : float
        Position that stands for its time, between samples.
    shape : ndarray, shape (m,)
        Standardised waveform around the peak: mean 0, standard deviation 1.
    measures : tuple of float
        What else was measured, in the order of :attr:`Wave.measures`.
    """

    at: int
    fiducial: float
    shape: NDArray[np.float64]
    measures: tuple[float, ...]


class Pulses(NamedTuple):
    """Many measured beats of a pulse wave: columns of :class:`Beat`, and which of the asked peaks they are."""

    of: NDArray[np.int64]
    at: NDArray[np.int64]
    fiducial: NDArray[np.float64]
    shapes: NDArray[np.float64]
    measures: NDArray[np.float64]


class Filter(Protocol):
    """What filters a run block by block."""

    @property
    def wants(self) -> int:
        """Samples that complete the next block."""

    def push(self, x: NDArray[np.float64]) -> list[Block]:
        """Take the run's next samples; give the blocks that became complete."""

    def flush(self) -> list[Block]:
        """End the run; give its remaining blocks."""


class Detector(Protocol):
    """What finds peaks block by block."""

    def blocks(self, block: int, before: int, after: int) -> Filter:
        """The filter of a run, of such a length of blocks and context."""

    def advance(self, block: Block) -> list[int]:
        """Peaks that are decided in this block."""


class Wave(Protocol):
    """How beats of one kind of signal are found and measured."""

    ahead: int
    """Samples after a peak that a measurement may look at; shorter ones happen at a run's end only."""
    behind: int
    """Samples before a peak that a beat's fiducial may lie."""
    columns: int
    """Columns of the filter's blocks."""
    shape: int
    """Length of a shape."""
    measures: tuple[str, ...]
    """Names of the measures."""

    def detector(self) -> Detector:
        """Make a detector for a new run."""

    def measure(self, y: NDArray[np.float64], first: int, at: int) -> Beat | None:
        """Measure the beat at peak `at`.

        Parameters
        ----------
        y : ndarray, shape (n, columns)
            Rows of the filter, from sample `first` of the run.
        first, at : int
            Sample numbers.

        Returns
        -------
        Beat or None
            None where the run is too short around it, or there is no wave.
        """


def _standard(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64] | None]:
    """Mean of a waveform, and the waveform with mean 0 and standard deviation 1; None where it stands still."""
    mean = float(np.add.reduce(x)) / len(x)
    centred = x - mean
    spread = math.sqrt(float(np.add.reduce(centred * centred)) / len(x))
    if not spread > 0.0:
        return mean, None
    centred /= spread
    return mean, centred


class Qrs:
    """Beats of an ECG: fiducial = crest of the R wave; measure = its height over the mean of its surroundings, mV.

    Parameters
    ----------
    rate : float
        Hz.
    """

    _SHAPE_SECONDS = (0.2, 0.4)
    """From the P wave's end to the T wave's crest: what repeats from beat to beat at any heart rate."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._left, self._right = (samples(s, rate) for s in self._SHAPE_SECONDS)
        self.sides = self._left, self._right
        """Samples of a shape before the peak, and from it on."""
        self.ahead = self._right + 1
        self.behind = 1
        self.columns = 2
        self.shape = self._left + self._right
        self.measures: tuple[str, ...] = ("height",)

    def detector(self) -> QrsDetector:
        """Make a detector for a new run."""
        return QrsDetector(self._rate)

    def measure(self, y: NDArray[np.float64], first: int, at: int) -> Beat | None:
        """Measure the beat at R peak `at` (see :class:`Wave`)."""
        k = at - first
        if k < self._left or k + self._right > len(y):
            return None
        around = y[k - self._left : k + self._right, 0]
        before, crest, after = around[self._left - 1 : self._left + 2].tolist()
        level, shape = _standard(around)
        return None if shape is None else Beat(at, at + parabola(before, crest, after), shape, (crest - level,))


class Pulse:
    """Beats of a pulse wave: fiducial = steepest upstroke; amplitude, rise time and width at half height.

    Parameters
    ----------
    rate : float
        Hz.
    """

    _SNAP_SECONDS = 0.125
    """How far the crest of the 0.5–5 Hz wave may lie from that of the 0.5–8 Hz wave."""
    _BEHIND_SECONDS = 0.406
    """Longest upstroke looked for."""
    _AHEAD_SECONDS = 0.75
    """Longest fall to half height looked for; a width that is longer is that long."""
    _SHAPE_SECONDS = (0.297, 0.516)
    """From the foot to the dicrotic notch."""
    WAVE, _RAW = 1, 4
    """Columns of :class:`~feltsense.dsp.peaks.PulseDetector`."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._snap = max(1, round(self._SNAP_SECONDS * rate))
        self._left, self._right = (round(s * rate) for s in self._SHAPE_SECONDS)
        self._foot = round(self._BEHIND_SECONDS * rate)
        self._fall = round(self._AHEAD_SECONDS * rate)
        self.ahead = self._fall + self._snap + 1
        self.behind = self._foot + self._snap
        self.columns = 5
        self.shape = self._left + self._right
        self.measures: tuple[str, ...] = ("amplitude", "rise", "width")

    def detector(self) -> PulseDetector:
        """Make a detector for a new run."""
        return PulseDetector(self._rate)

    def measure(self, y: NDArray[np.float64], first: int, at: int) -> Beat | None:
        """Measure the beat at systolic peak `at` (see :class:`Wave`)."""
        p = at - first
        if p < self._snap or p + self._snap >= len(y):
            return None
        wave = y[:, self.WAVE]
        k = p - self._snap + int(np.argmax(wave[p - self._snap : p + self._snap + 1]))
        if k <= self._foot or k + self._right >= len(wave):
            return None
        raw = y[k - self._left : k + self._right, self._RAW]
        _, shape = _standard(wave[k - self._left : k + self._right])
        if shape is None or raw.max() == raw.min():
            return None
        foot = k - self._foot + int(np.argmin(wave[k - self._foot : k]))
        if foot < 2:
            return None
        amplitude = float(wave[k] - wave[foot])
        steep = 0.5 * (wave[foot : k + 2] - wave[foot - 2 : k])  # gradient at foot−1 .. k
        s = 1 + int(np.argmax(steep[1:]))
        off = parabola(float(steep[s - 1]), float(steep[s]), float(steep[s + 1])) if s + 1 < len(steep) else 0.0
        # Whole samples first: a sum that depends on where the rows begin would depend on how the run was cut.
        rise = (k - foot) + parabola(float(wave[k - 1]), float(wave[k]), float(wave[k + 1]))
        width = self._width(wave, k, float(wave[foot]) + 0.5 * amplitude)
        measures = (amplitude, rise / self._rate, width / self._rate)
        return Beat(first + k, (first + foot - 1 + s) + off, shape, measures)

    def _width(self, wave: NDArray[np.float64], k: int, half: float) -> float:
        """Samples from the crest until the wave falls to `half`, at most the longest fall looked for."""
        fall = wave[k : k + self._fall]
        below = np.flatnonzero(fall < half)
        if not len(below) or below[0] == 0:
            return float(self._fall)
        m = int(below[0])
        return m - 1 + float((fall[m - 1] - half) / (fall[m - 1] - fall[m]))

    def measure_many(
        self, fine: NDArray[np.float64], raw: NDArray[np.float64], at: NDArray[np.int64], stop: NDArray[np.int64]
    ) -> Pulses:
        """Measure the beats at systolic peaks of a whole run that have a wave: the same bits as :meth:`measure`.

        Parameters
        ----------
        fine, raw : ndarray, shape (n,)
            The run's wave of 0.5–5 Hz, and its samples.
        at, stop : ndarray of int64, shape (k,)
            The peaks, and the sample before which the run is known when each is measured.
        """
        of = np.flatnonzero((at >= self._snap) & (at + self._snap < stop))
        k = at[of] - self._snap
        k += fine[_around(k, 0, 2 * self._snap + 1)].argmax(axis=1)
        whole = (k > self._foot) & (k + self._right < stop[of])
        of, k = of[whole], k[whole]
        shapes = fine[_around(k, -self._left, self._right)]
        shapes -= np.add.reduce(shapes, axis=1, keepdims=True) / self.shape
        spread = np.sqrt(np.add.reduce(shapes * shapes, axis=1) / self.shape)
        counts = raw[_around(k, -self._left, self._right)]
        foot = k - self._foot + fine[_around(k, -self._foot, 0)].argmin(axis=1)
        there = (spread > 0.0) & (counts.max(axis=1) != counts.min(axis=1)) & (foot >= 2)
        of, k, foot, shapes = of[there], k[there], foot[there], shapes[there] / spread[there, None]
        crest, deep = fine[k], fine[foot]
        amplitude = crest - deep
        rise = (k - foot) + parabolas(fine[k - 1], crest, fine[k + 1])
        width = self._widths(fine, k, deep + 0.5 * amplitude, stop[of])
        measures = np.column_stack((amplitude, rise / self._rate, width / self._rate))
        return Pulses(of, k, self._steepest(fine, k, foot), shapes, measures)

    def _steepest(
        self, wave: NDArray[np.float64], k: NDArray[np.int64], foot: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Steepest upstroke between each foot and crest."""
        near = _around(k, -self._foot, 1)
        steep = 0.5 * (wave[near + 1] - wave[near - 1])
        steep[near < foot[:, None]] = -np.inf
        q = k - self._foot + steep.argmax(axis=1)
        before, here, after = (0.5 * (wave[q + i + 1] - wave[q + i - 1]) for i in (-1, 0, 1))
        out: NDArray[np.float64] = q + np.where(q < k, parabolas(before, here, after), 0.0)
        return out

    def _widths(
        self, wave: NDArray[np.float64], k: NDArray[np.int64], half: NDArray[np.float64], stop: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """As :meth:`_width`, of each crest."""
        near = _around(k, 0, self._fall)
        fall = wave[np.minimum(near, len(wave) - 1)]
        below = (fall < half[:, None]) & (near < stop[:, None])
        m = below.argmax(axis=1)
        each, before = np.arange(len(k)), np.maximum(m - 1, 0)
        high = fall[each, before]
        with np.errstate(divide="ignore", invalid="ignore"):
            part = (high - half) / (high - fall[each, m])
        return np.where(m > 0, before + part, float(self._fall))


def _around(at: NDArray[np.int64], first: int, stop: int) -> NDArray[np.int64]:
    """Numbers of the samples from `first` up to `stop` after each place, as rows."""
    return at[:, None] + np.arange(first, stop)
