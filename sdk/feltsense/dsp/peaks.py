"""Where beats are: QRS complexes in ECG, systolic peaks in a pulse wave, and positions between samples.

Contract
--------
- A detector names the filter of its *blocks* (all that looks at neighbouring samples) and has a *state* that
  :meth:`advance` moves on, one finished block at a time, in order. The blocks lie on the run's own grid, so the peaks do
  not depend on how the run was cut into chunks.
- The batch methods use statistics of the whole record (mean QRS length, mean power). A stream has no whole: here
  they are running statistics with a bounded memory. On clean records the peaks are the same.
- A complex that straddles a block's end is decided in the block in which it ends.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import find_peaks

from feltsense.dsp.blocks import BlockFilter, Tail, samples
from feltsense.dsp.intervals import quantile
from feltsense.dsp.pulse_filter import PULSE_BEAT_SECONDS, PULSE_PEAK_SECONDS, PulseOperation
from feltsense.dsp.qrs_filter import QRS_MEAN_SECONDS, QrsFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.dsp.blocks import Block

__all__ = ["PulseDetector", "QrsDetector", "parabola", "parabolas"]

DEAD_SECONDS = 0.3
"""Two beats closer than this are one: 200 beats a minute."""
NEVER = -(2**62)

QRS_LEAST_LENGTH = 0.4
"""A complex shorter than this share of the mean complex is none."""
QRS_MEMORY = 1024
"""Complexes that the mean length is taken over, some fifteen minutes: a stream's stand-in for the mean over a whole record,
so that in a burst of noise the same stretches are refused."""
QRS_INVERTED = 1.5
"""A complex whose depth below the baseline exceeds its height so many times points down; where neither is so much larger
(an RS complex), the lead stays as it was: its fiducial must not jump between the two crests."""
QRS_POLARITY_MEMORY = 16
"""Complexes that decide a lead's polarity by majority: a run of premature beats does not turn it, a swapped lead does
within some ten seconds."""
QRS_LEAST_MV = 0.02
"""A complex lower than this is noise of the converter: the smallest QRS that monitors must find has 0.15 mV."""

PULSE_OFFSET = 0.02
"""Share of the mean power by which a wave must exceed its beat's mean (Elgendi 2013)."""
POWER_MEMORY_SECONDS = 60.0
"""Memory of that mean power: a burst of motion must not hide the quiet beats of the rest of the session."""


def parabola(before: float, at: float, after: float) -> float:
    """Vertex of the parabola through three equidistant samples, relative to the middle one, −0.5..0.5.

    Halves the quantisation of beat times below 250 Hz; 0 where the three lie on a line.
    """
    bend = before - 2.0 * at + after
    return min(0.5, max(-0.5, 0.5 * (before - after) / bend)) if bend else 0.0


def parabolas(
    before: NDArray[np.float64], at: NDArray[np.float64], after: NDArray[np.float64]
) -> NDArray[np.float64]:
    """As :func:`parabola`, of each: the same bits."""
    bend = before - 2.0 * at + after
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bend != 0.0, np.clip(0.5 * (before - after) / bend, -0.5, 0.5), 0.0)


def _most_prominent(x: NDArray[np.float64]) -> int | None:
    """Most prominent of the maxima in x; None where there is none."""
    values = x.tolist()
    maxima = [i for i in range(1, len(values) - 1) if values[i - 1] <= values[i] >= values[i + 1]]
    if len(maxima) == 1 and values[maxima[0] - 1] < values[maxima[0]] > values[maxima[0] + 1]:
        return maxima[0]
    if not maxima:
        return None
    if all(values[i - 1] < values[i] > values[i + 1] for i in maxima):
        return max(maxima, key=lambda i: _prominence(values, i))
    found, properties = find_peaks(x, prominence=(None, None))  # knows what the crest of a plateau is
    return int(found[int(np.argmax(properties["prominences"]))]) if len(found) else None


def _prominence(values: list[float], at: int) -> float:
    """Height of a maximum over the higher of the two valleys beside it, scipy's ``peak_prominences``: for a few samples."""
    top = values[at]
    valleys = []
    for beside in (values[at::-1], values[at:]):
        lowest = top
        for value in beside:
            if value > top:
                break
            lowest = min(lowest, value)
        valleys.append(lowest)
    return top - max(valleys)


class _Bumps:
    """Turns a flag per sample into stretches, and the most prominent maximum of a signal in each."""

    def __init__(self, dead: int, longest: int) -> None:
        self._signal = Tail()
        self._dead, self._longest = dead, longest
        self._begin = NEVER
        self._previous = False
        self._last = NEVER

    def stretches(self, block: Block, signal: NDArray[np.float64], flag: NDArray[np.bool_]) -> list[tuple[int, int]]:
        """Stretches (begin, end) of raised flag that end in this block; begin is the sample before the rise."""
        self._signal.append(signal)
        turns = (np.flatnonzero(flag[1:] != flag[:-1]) + 1).tolist()
        up = self._previous
        out = []
        for i in turns if bool(flag[0]) is up else (0, *turns):
            at, up = block.start + i - 1, not up
            if up:
                self._begin = at
            elif self._begin != NEVER:
                out.append((max(self._begin, 0), at))
        self._previous = bool(flag[-1])
        return out

    def peak(self, begin: int, end: int, sign: int = 1) -> int | None:
        """Most prominent crest in [begin, end), upwards or (sign −1) downwards, unless it follows the last one too soon."""
        part = self._signal.between(begin, end)
        highest = _most_prominent(part if sign > 0 else -part)
        if highest is None:
            return None
        at = begin + highest
        if at - self._last <= self._dead:
            return None
        self._last = at
        return at

    def reach(self, begin: int, end: int) -> tuple[float, float]:
        """Lowest and highest of the signal in [begin, end)."""
        part = self._signal.between(begin, end).tolist()
        return (min(part), max(part)) if part else (0.0, 0.0)

    def forget(self) -> None:
        """Keep only what a stretch that is still open can need."""
        self._signal.drop(self._signal.stop - self._longest)


class QrsDetector:
    """QRS complexes by the steepness of the cleaned ECG, NeuroKit2's method "neurokit" (Makowski 2021).

    A complex is where the absolute gradient, averaged over 0.1 s, exceeds 1.5 times its own average over 0.75 s;
    its R peak is the most prominent maximum there. Unlike the batch method, complexes below 0.02 mV are refused,
    so that a flat line has no beats, and in a lead that is worn the wrong way round the most prominent minimum counts:
    the last complexes vote on the lead's polarity, those of a block before its first peak is placed.

    Parameters
    ----------
    rate : float
        Hz.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._bumps = _Bumps(round(DEAD_SECONDS * rate), samples(2 * QRS_MEAN_SECONDS, rate))
        self._lengths: deque[int] = deque()
        self._total = 0
        self._votes: deque[int] = deque(maxlen=QRS_POLARITY_MEMORY)
        self._sign = 1

    def blocks(self, block: int, before: int, after: int) -> QrsFilter:
        """The filter of a run whose blocks it looks at; what lies before a block is in the filter's state."""
        return QrsFilter(self._rate, block, after)

    @property
    def inverted(self) -> bool:
        """Whether the lead is worn the wrong way round: its complexes point down."""
        return self._sign < 0

    def advance(self, block: Block) -> list[int]:
        """R peaks of the complexes that end in this block, as sample numbers of the run."""
        clean = block.values[:, 0]
        complexes = []
        for begin, end in self._bumps.stretches(block, clean, block.values[:, 1] > 0.0):
            if self._too_short(end - begin):
                continue
            low, high = self._bumps.reach(begin, end)
            if high - low >= QRS_LEAST_MV:
                complexes.append((begin, end, low, high))
        self._vote(complexes, clean)
        peaks = [at for begin, end, *_ in complexes if (at := self._bumps.peak(begin, end, self._sign)) is not None]
        self._bumps.forget()
        return peaks

    def _too_short(self, length: int) -> bool:
        """Whether a complex is too short beside the running mean of the last ones, itself included."""
        self._lengths.append(length)
        self._total += length
        if len(self._lengths) > QRS_MEMORY:
            self._total -= self._lengths.popleft()
        return length * len(self._lengths) < QRS_LEAST_LENGTH * self._total

    def _vote(self, complexes: list[tuple[int, int, float, float]], clean: NDArray[np.float64]) -> None:
        """Let a block's complexes vote on the lead's polarity."""
        if not complexes:
            return
        level = quantile(np.sort(clean), 0.5)
        for _, _, low, high in complexes:
            height, depth = high - level, level - low
            self._votes.append(-1 if depth > QRS_INVERTED * height else int(height > QRS_INVERTED * depth))
        total = sum(self._votes)
        if 2 * abs(total) > len(self._votes):
            self._sign = 1 if total > 0 else -1


class PulseDetector:
    """Systolic peaks of a pulse wave (Elgendi 2013, PLoS ONE 8:e76585).

    The clipped and squared wave, averaged over a peak's width, must exceed its average over a beat by 2 % of the
    mean power; a wave shorter than a peak's width is none.

    Parameters
    ----------
    rate : float
        Hz.
    """

    def __init__(self, rate: float) -> None:
        self.operation = PulseOperation(rate)
        self._bumps = _Bumps(round(DEAD_SECONDS * rate), samples(3 * PULSE_BEAT_SECONDS, rate))
        self._width = round(PULSE_PEAK_SECONDS * rate)
        self._memory = POWER_MEMORY_SECONDS * rate
        self._power = self._weight = 0.0

    def blocks(self, block: int, before: int, after: int) -> BlockFilter:
        """The filter of a run whose blocks it looks at."""
        return BlockFilter(self.operation, block, before, after)

    def advance(self, block: Block) -> list[int]:
        """Systolic peaks of the waves that end in this block, as sample numbers of the run."""
        wave, excess, power = block.values[:, 0], block.values[:, 2], block.values[:, 3]
        keep = float(np.exp(-len(wave) / self._memory))
        self._power = keep * self._power + (1.0 - keep) * float(power.mean())
        self._weight = keep * self._weight + (1.0 - keep)
        flag = excess > PULSE_OFFSET * self._power / self._weight
        peaks = []
        for begin, end in self._bumps.stretches(block, wave, flag):
            at = self._bumps.peak(begin, end) if end - begin >= self._width else None
            if at is not None:
                peaks.append(at)
        self._bumps.forget()
        return peaks
