"""Beats of one stream, found, measured, judged and kept: what the cardiac modalities share.

Contract
--------
- Everything advances on a grid of blocks of 2 s laid from a run's first sample. After block k is filtered, the
  beats of block k − 2 are compared with their neighbours' median shape, then the intervals of block k − 3 with their
  neighbours' median. So each beat is judged knowing about 3 s after it, its interval about 2 s, and the answer
  depends on the run only.
- Lag: three blocks and the one that is filling, 8 s, the filter's context of 1.5 s, and the longest upstroke of the
  wave: 9.5 s for ECG, 10.1 s for PPG at most (:meth:`BeatLine.final_ns`). At a run's end all becomes final at once.
- Memory: what windows may still ask for (:meth:`BeatLine.forget`) and some 30 s of samples.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from feltsense.dsp.blocks import Block, Tail, samples
from feltsense.dsp.correction import Classifier
from feltsense.dsp.intervals import IntervalRule, middle
from feltsense.quality.beats import likeness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.dsp.cells import Cells
    from feltsense.dsp.runs import Piece
    from feltsense.dsp.waves import Wave

__all__ = ["BeatLine", "BeatRule", "Beats"]

BLOCK_SECONDS = 2.0
BEFORE_SECONDS = 4.0
"""Four time constants of the slowest pole of a 0.5 Hz high-pass of fifth order."""
AFTER_SECONDS = 1.5
SHAPE_BLOCKS = 2
"""Blocks of look-ahead for the template."""
RHYTHM_BLOCKS = 1
"""Blocks of look-ahead for the local median of intervals, after the beats in them were judged."""
SHAPE_SECONDS = 20.0
"""Look-back for the template: some 15–30 beats; a shape changes within a minute when the arm moves."""
RHYTHM_SECONDS = 10.0
"""Look-back for the local median."""
_NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True)
class BeatRule:
    """When a beat is trusted and when an interval is valid.

    Attributes
    ----------
    trusted : float
        Least likeness of both beats of a valid interval.
    interval : IntervalRule
        Plausible intervals.
    corrects : bool
        Whether artefacts and ectopic beats are classified (:mod:`feltsense.dsp.correction`).
    """

    trusted: float
    interval: IntervalRule
    corrects: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Beats:
    """The beats of one window, in order.

    Attributes
    ----------
    t_ns : ndarray of int64, shape (n,)
        Session times.
    interval_ms : ndarray, shape (n,)
        Time since the beat before; NaN where there is none in the run.
    valid : ndarray of bool, shape (n,)
        Whether that interval is valid and lies in the window.
    likeness : ndarray, shape (n,)
        Correlation of the beat with its template.
    pair : ndarray, shape (n,)
        The lower likeness of the interval's two beats.
    measures : ndarray, shape (n, m)
        What was measured of each.
    kinds : ndarray of int8, shape (n,)
        :class:`~feltsense.dsp.correction.BeatClass`; all normal where the rule does not ask for it.
    """

    t_ns: NDArray[np.int64]
    interval_ms: NDArray[np.float64]
    valid: NDArray[np.bool_]
    likeness: NDArray[np.float64]
    pair: NDArray[np.float64]
    measures: NDArray[np.float64]
    kinds: NDArray[np.int8]


class BeatLine:
    """Beats of one stream across its runs.

    Parameters
    ----------
    wave : Wave
        How beats are found and measured.
    rule : BeatRule
        Which of them to trust.
    rate : float
        Hz.
    spectrum : Cells, optional
        Fed with the filtered wave, column `spectrum_column`.
    spectrum_column : int, optional
        Column of the detector's operation.
    """

    _INTERVAL, _VALID, _LIKE, _PAIR, _KIND, _MEASURES = 0, 1, 2, 3, 4, 5

    def __init__(
        self, wave: Wave, rule: BeatRule, rate: float, spectrum: Cells | None = None, spectrum_column: int = 0
    ) -> None:
        self._wave, self._rule, self._rate = wave, rule, rate
        self._spectrum, self._spectrum_column = spectrum, spectrum_column
        self._times = Tail(0, np.int64)
        self._rows = Tail(self._MEASURES + len(wave.measures))
        self._run: _Run | None = None
        self._number = -1

    def push(self, piece: Piece) -> None:
        """Take the next samples."""
        if piece.run != self._number:
            self.end()
            self._number = piece.run
            self._run = _Run(self._wave, self._rule, self._rate)
            if self._spectrum is not None:
                self._spectrum.begin()
        if self._run is not None:
            self._keep(self._run, self._run.push(piece))
        if piece.ends:
            self.end()

    def end(self) -> None:
        """End the run: everything becomes final."""
        if self._run is not None:
            self._keep(self._run, self._run.flush())
            self._run = None

    def final_ns(self) -> int | None:
        """Time before which no beat will change; None between runs."""
        return None if self._run is None else self._run.final_ns

    def between(self, start_ns: int, stop_ns: int) -> Beats:
        """Beats in [start_ns, stop_ns)."""
        times = self._times.rows
        a, b = (int(i) for i in times.searchsorted((start_ns, stop_ns)))
        rows = self._rows.rows[a:b]
        valid = rows[:, self._VALID] > 0.0
        valid[:1] = False  # the first interval began before the window
        return Beats(
            times[a:b],
            rows[:, self._INTERVAL],
            valid,
            rows[:, self._LIKE],
            rows[:, self._PAIR],
            rows[:, self._MEASURES :],
            rows[:, self._KIND].astype(np.int8),
        )

    @property
    def wants(self) -> int:
        """Samples that complete the next block: with fewer, nothing becomes known."""
        return 1 if self._run is None else self._run.wants

    def forget(self, before_ns: int) -> None:
        """Drop the beats before a time."""
        n = self._times.start + int(self._times.rows.searchsorted(before_ns))
        self._times.drop(n)
        self._rows.drop(n)

    def _keep(self, run: _Run, blocks: list[Block]) -> None:
        for block in blocks:
            if self._spectrum is not None:
                stamps = run.stamps.between(block.start, block.start + len(block.values))
                self._spectrum.push(block.values[:, self._spectrum_column], stamps[:, 0])
        beats = run.taken()
        if beats:
            self._times.append(np.array([b.t_ns for b in beats]))
            self._rows.append(
                np.array([(b.interval, b.valid, b.likeness, b.pair, b.kind, *b.measures) for b in beats], dtype=np.float64)
            )
        if blocks:
            run.forget()


@dataclass(slots=True)
class _Known:
    """What is known of one beat so far."""

    at: int
    t_ns: int
    device_ns: int
    measures: tuple[float, ...]
    likeness: float = math.nan
    interval: float = math.nan
    pair: float = math.nan
    valid: bool = False
    kind: int = 0


_AT = attrgetter("at")


class _Run:
    """One run: peaks waiting to be measured, beats waiting to be judged.

    A block has two or three beats: plain numbers in a list take a fraction of the time that columns of arrays take.
    """

    def __init__(self, wave: Wave, rule: BeatRule, rate: float) -> None:
        self._wave, self._rule = wave, rule
        self._detector = wave.detector()
        self._block = samples(BLOCK_SECONDS, rate)
        self._filter = self._detector.blocks(self._block, samples(BEFORE_SECONDS, rate), samples(AFTER_SECONDS, rate))
        self._back = samples(SHAPE_SECONDS, rate), samples(RHYTHM_SECONDS, rate)
        self._filtered = Tail(wave.columns)
        self._waiting: list[int] = []
        self.stamps = Tail(2, np.int64)
        """Session and device time of each sample."""
        self._known: list[_Known] = []
        self._first = 0
        """Number of the first of them in the run."""
        self._shapes = Tail(wave.shape)
        self._classifier = Classifier() if rule.corrects else None
        self._ready = self._taken = 0
        self._shaped = self._done = 0
        self._final = 0
        self._final_ns: int | None = None

    @property
    def final_ns(self) -> int:
        if self._final_ns is None:
            at = max(self._final - self._wave.behind, 0)
            self._final_ns = int(self.stamps.between(at, at + 1)[0, 0])
        return self._final_ns

    @property
    def wants(self) -> int:
        return self._filter.wants

    def push(self, piece: Piece) -> list[Block]:
        stamps = np.empty((len(piece.t_ns), 2), np.int64)
        stamps[:, 0], stamps[:, 1] = piece.t_ns, piece.device_ns
        self.stamps.append(stamps)
        blocks = self._filter.push(piece.values[:, 0])
        for block in blocks:
            self._step(block)
        return blocks

    def flush(self) -> list[Block]:
        blocks = self._filter.flush()
        for block in blocks:
            self._step(block)
        self._measure(self._filtered.stop + self._wave.ahead)
        while self._shaped < self._filtered.stop:
            self._judge_shapes()
        while self._done < self._filtered.stop:
            self._judge_rhythm()
        return blocks

    def taken(self) -> list[_Known]:
        """Beats that became final since the last call."""
        a, self._taken = self._taken - self._first, self._ready
        return self._known[a : self._ready - self._first]

    def _step(self, block: Block) -> None:
        self._filtered.append(block.values)
        self._waiting += self._detector.advance(block)
        self._measure(self._filtered.stop)
        if self._filtered.stop >= self._shaped + (SHAPE_BLOCKS + 1) * self._block:
            self._judge_shapes()
            if self._shaped >= self._done + (RHYTHM_BLOCKS + 1) * self._block:
                self._judge_rhythm()
                self._final, self._final_ns = self._done, None

    def _measure(self, until: int) -> None:
        """Measure the waiting peaks whose surroundings are there."""
        # Two peaks may snap to one crest; and what was judged stays judged.
        last = max(self._known[-1].at if self._known else -1, self._shaped - 1)
        while self._waiting and self._waiting[0] + self._wave.ahead <= until:
            beat = self._wave.measure(self._filtered.rows, self._filtered.start, self._waiting.pop(0))
            if beat is None or beat.at <= last:
                continue
            last = beat.at
            whole = math.floor(beat.fiducial)
            stamps = self.stamps.between(whole, whole + 2).tolist()
            (t0, d0), (t1, d1) = stamps[0], stamps[-1]
            part = beat.fiducial - whole
            t_ns, device_ns = t0 + round(part * (t1 - t0)), d0 + round(part * (d1 - d0))
            self._known.append(_Known(beat.at, t_ns, device_ns, beat.measures))
            self._shapes.append(beat.shape[None])

    def _place(self, sample: int) -> int:
        """Place of the first kept beat whose peak is at or after a sample."""
        return bisect_left(self._known, sample, key=_AT)

    def _judge_shapes(self) -> None:
        """Likeness, interval and pair of the next block's beats."""
        start, stop = self._shaped, self._shaped + self._block
        a, b = self._place(start), self._place(stop)
        if b > a:
            first = self._first
            near = self._place(start - self._back[0]), self._place(self._filtered.stop)
            like = likeness(
                self._shapes.between(first + a, first + b), self._shapes.between(first + near[0], first + near[1])
            )
            before = self._known[a - 1] if a else None
            for beat, alike in zip(self._known[a:b], like.tolist(), strict=True):
                beat.likeness = alike
                if before is not None:
                    beat.interval = (beat.device_ns - before.device_ns) / _NS_PER_MS
                    beat.pair = min(alike, before.likeness)
                before = beat
        self._shaped = stop

    def _judge_rhythm(self) -> None:
        """Validity of the next block's intervals."""
        start, stop = self._done, self._done + self._block
        trusted, rule = self._rule.trusted, self._rule.interval
        a, b = self._place(start), self._place(stop)
        low, high = rule.low_ms, rule.high_ms
        near = self._known[self._place(start - self._back[1]) : self._place(self._shaped)]
        plausible = sorted([x.interval for x in near if x.pair > trusted and low <= x.interval <= high])
        if len(plausible) >= rule.least:
            median = middle(plausible)
            for beat in self._known[a:b]:
                size = beat.interval
                near_it = abs(size - median) <= rule.deviation * median
                beat.valid = beat.pair > trusted and near_it and low <= size <= high
        self._classify(a, b)
        self._ready = self._first + b
        self._done = stop

    def _classify(self, a: int, b: int) -> None:
        """Classes of the beats `a` up to `b`, by their intervals and the known ones after them."""
        if self._classifier is None or b <= a:
            return
        judged = self._known[a : self._place(self._shaped)]
        first = int(math.isnan(judged[0].interval))  # the first beat of a run has no interval
        interval = np.array([beat.interval for beat in judged])
        kinds = self._classifier.advance(interval[first : b - a], interval[b - a :])
        for beat, kind in zip(judged[first : b - a], kinds.tolist(), strict=True):
            beat.kind = kind

    def forget(self) -> None:
        """Drop what no beat to come needs."""
        self._filtered.drop(self._filtered.stop - self._wave.ahead - self._wave.behind - 2 * self._block)
        self.stamps.drop(min(self._final - self._wave.behind, self._filtered.start))
        oldest = self._place(self._done - max(self._back))
        # One beat more: the next interval is measured from it.
        drop = min(self._first + oldest, self._taken) - 1 - self._first
        if drop > 0:
            del self._known[:drop]
            self._first += drop
            self._shapes.drop(self._first)
