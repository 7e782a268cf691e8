"""One EDA stream as rows that a window can be cut from: conductance, tonic, phasic, band, responses, verdicts.

What cannot be skin ends a run (:mod:`feltsense.quality.eda`): filters start anew behind it, so a lost contact does
not ring through the minutes after it. Rows are numbered by run and found by session time.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from feltsense.core.timeline import NS
from feltsense.dsp.blocks import Tail, samples
from feltsense.dsp.cells import Cells
from feltsense.dsp.eda import LEAST_RATE, LEAST_SCR_RATE, WARM_UP_S, ScrDetector, conductance_filter, slow_filter
from feltsense.dsp.runs import RunSplitter
from feltsense.dsp.strip import Strip
from feltsense.features._eda_numbers import LEVEL, LEVELS, SLOWS, levels, slows
from feltsense.quality.eda import BEND_CELL_S, BEND_S, EdaGate, Skin, bends, smoothness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk
    from feltsense.core.window import Window
    from feltsense.dsp.blocks import Block, BlockFilter
    from feltsense.dsp.eda import Scr
    from feltsense.dsp.runs import Piece

    Array = NDArray[np.float64]

__all__ = ["EdaLine", "Rows"]

_NEVER, _AHEAD = -(2**62), 2**62
_HOLD_S = 2.0
"""Samples are held for so long at a run's beginning; then until they complete a block of the slow filters."""


class Rows(NamedTuple):
    """What a window of EDA holds.

    Attributes
    ----------
    verdicts : ndarray of uint8, shape (n,)
        One a sample that the device sent (or said it could not), numbers in ``quality.eda.REASONS``.
    marked : bool
        Whether a verdict is other than ok.
    t_ns : ndarray of int64, shape (m,)
        Session times of the usable samples.
    level : ndarray of float64, shape (4, m)
        What is kept of their conductance: :func:`~feltsense.features._eda_numbers.levels`.
    slow_t_ns : ndarray of int64, shape (k,)
        Usable samples whose slow filters have settled.
    slow : ndarray of float64, shape (4, k)
        What is kept of tonic, phasic and band: :func:`~feltsense.features._eda_numbers.slows`.
    amplitudes, rise_s : ndarray of float64, shape (r,)
        Responses with a usable onset in the window: amplitude in µS, onset to summit in s.
    recovery_s : ndarray of float64, shape (h,)
        Half recoveries that happen in the window, in s since the summit.
    smooth : float
        ``quality.eda.smoothness`` of the window's half seconds; 1 below 1 Hz.
    """

    verdicts: NDArray[np.uint8]
    marked: bool
    t_ns: NDArray[np.int64]
    level: Array
    slow_t_ns: NDArray[np.int64]
    slow: Array
    amplitudes: Array
    rise_s: Array
    recovery_s: Array
    smooth: float


class _Run:
    """The filters of one run, and the times of its samples that are not out yet."""

    def __init__(self, number: int, rate: float) -> None:
        self.number = number
        self.level: BlockFilter = conductance_filter(rate)
        self.slow: BlockFilter | None = slow_filter(rate) if rate >= LEAST_RATE else None
        self.scr: ScrDetector | None = ScrDetector(rate) if rate >= LEAST_SCR_RATE else None
        self.t = Tail(0, np.int64)
        self.done = 0
        """Sample of the run before which nothing will change."""

    @property
    def decided(self) -> int:
        """As :attr:`done`, of what the filters have given so far."""
        done = self.level.done
        if self.slow is not None:
            done = min(done, self.slow.done)
        return done if self.scr is None else min(done, self.scr.decided)


class EdaLine:
    """Chunks of one EDA stream in, rows of any window out.

    Parameters
    ----------
    rate : float
        Hz.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._warm = round(WARM_UP_S * rate)
        self._gate = EdaGate(rate)
        self._split = RunSplitter()
        self._run: _Run | None = None
        self._segment = -1
        self._held: list[Chunk] = []
        self._final: int | None = None
        self._waits = self._hold = samples(_HOLD_S, rate)
        self._last_ns = _NEVER
        self._last_level: tuple[float, int] | None = None
        self._level = _Timed(Strip(LEVELS))
        self._slow = _Timed(Strip(SLOWS))
        self._scr = _Timed(Tail(2))
        self._recovery = _Timed(Tail())
        lag = round(BEND_S * rate)
        cell = samples(BEND_CELL_S, rate)
        self._bends = Cells(partial(bends, lag=lag), cell + 2 * lag, cell, 1, together=True) if lag else None
        self._skin = Skin(self._bends) if self._bends is not None else None
        self._reach_ns = round((lag - 0.5) / rate * NS)

    def push(self, chunk: Chunk) -> None:
        """Take the next samples."""
        if not len(chunk):
            return
        if chunk.segment != self._segment:
            self.close()
            self._segment = chunk.segment
        self._held.append(chunk)
        self._waits -= len(chunk)
        if self._waits <= 0:
            self._work()

    def _work(self) -> None:
        """Work off what is held: seconds at once cost little more than a sample."""
        if not self._held:
            return
        self._final = None
        held, self._held = self._held, []
        last = held[-1]
        self._last_ns = last.stop_ns
        x = np.concatenate([c.values for c in held])[:, 0]
        if all(c.time is last.time for c in held):
            t_ns = last.time.times(held[0].start, last.stop)
        else:
            t_ns = np.concatenate([c.times for c in held])
        broken = self._gate.push(x, t_ns)
        if broken.any():
            x = np.where(broken, np.nan, x)
        for piece in self._split.take(self._segment, x[:, None], t_ns, t_ns):
            self._take(piece)
        # With fewer samples than complete the next block of the slow filters, nothing more becomes final.
        slow = self._run.slow if self._run is not None else None
        self._waits = self._hold if slow is None else slow.wants

    def _take(self, piece: Piece) -> None:
        if self._run is None or piece.run != self._run.number:
            self._end_run()
            self._run = _Run(piece.run, self.rate)
            if self._bends is not None:
                self._bends.begin()
        run = self._run
        x = piece.values[:, 0]
        if self._bends is not None:
            self._bends.push(x, piece.t_ns)
        run.t.append(piece.t_ns)
        self._store(run, run.level.push(x), [] if run.slow is None else run.slow.push(x))
        if piece.ends:
            self._end_run()

    def _store(self, run: _Run, level: list[Block], slow: list[Block], ends: bool = False) -> None:
        found: list[Scr] = []
        if level:
            x = level[0].values if len(level) == 1 else np.concatenate([block.values for block in level])
            t_ns = run.t.between(level[0].start, level[0].start + len(x))
            self._level.append(t_ns, levels(x, t_ns, self.rate, self._last_level))
            self._last_level = float(x[-1]), int(t_ns[-1])
        for block in slow:
            found += [] if run.scr is None else run.scr.push(block)
            warm = max(self._warm, block.start)
            stop = block.start + len(block.values)
            if warm < stop:
                self._slow.append(run.t.between(warm, stop), slows(block.values[warm - block.start :]))
        if ends and run.scr is not None:
            found += run.scr.flush()
        for scr in found:
            row = np.array([[scr.amplitude, (scr.summit - scr.onset) / self.rate]])
            self._scr.append(run.t.between(scr.onset, scr.onset + 1), row)
        if run.scr is not None:
            for recovery in run.scr.recoveries:
                seconds = np.array([recovery.samples / self.rate])
                self._recovery.append(run.t.between(recovery.at, recovery.at + 1), seconds)
            run.scr.recoveries.clear()
        run.done = run.decided
        run.t.drop(run.done)

    def _end_run(self) -> None:
        if self._run is not None:
            run, self._run = self._run, None
            self._store(run, run.level.flush(), [] if run.slow is None else run.slow.flush(), ends=True)

    def close(self) -> None:
        """End the segment."""
        self._work()
        self._final = None
        self._end_run()
        self._waits = self._hold
        self._split.close()
        self._gate.close()

    def final_ns(self) -> int:
        """Session time before which nothing will change."""
        if self._final is None:
            final = _AHEAD
            waiting = self._gate.waiting_ns
            if waiting is not None:
                final = min(final, waiting)
            if self._run is not None:
                final = min(final, int(self._run.t.between(self._run.done, self._run.done + 1)[0]))
            self._final = final
        return min(self._final, self._held[0].start_ns if self._held else self._last_ns)

    def between(self, windows: Sequence[Window]) -> list[Rows]:
        """The rows of each window; each table is searched once for all of them."""
        edges = np.array([(w.start_ns, w.stop_ns) for w in windows])
        verdicts = self._gate.between(edges)
        tables = [rows.between(edges) for rows in (self._level, self._slow, self._scr, self._recovery)]
        marked = [bool(np.count_nonzero(codes)) for _, codes in verdicts]
        smooth = self._smooth(edges, verdicts, marked)
        out = []
        for (t, codes), spoilt, level, slow, scr, recovery, even in zip(verdicts, marked, *tables, smooth, strict=True):
            if spoilt:
                slow_good, level_good = _good(t, codes, slow[0]), _good(t, codes, level[0])
                slow = slow[0][slow_good], slow[1].compress(slow_good, axis=1)
                level_t = level[0][level_good]
                level = level_t, levels(level[1][LEVEL, level_good], level_t, self.rate)
                scr, recovery = _usable(t, codes, *scr), _usable(t, codes, *recovery)
            amplitudes, rises = scr[1].T
            out.append(Rows(codes, spoilt, level[0], level[1], slow[0], slow[1], amplitudes, rises, recovery[1], even))
        return out

    def _smooth(
        self, edges_ns: NDArray[np.int64], verdicts: list[tuple[NDArray[np.int64], NDArray[np.uint8]]], marked: list[bool]
    ) -> list[float]:
        """Smoothness of the usable half seconds of each window."""
        if self._bends is None or self._skin is None:
            return [1.0] * len(marked)
        out = []
        # A cell is in the window with all but the samples that it only leans on.
        reached = self._bends.numbers_of(np.add(edges_ns, (-self._reach_ns, self._reach_ns))) if len(marked) else []
        for cells, (t, codes), spoilt in zip(reached, verdicts, marked, strict=True):
            if spoilt:
                span = self._bends.times(*cells)
                good = _good(t, codes, (span[:, 0] + span[:, 1]) // 2)
                out.append(smoothness(self._bends.numbered(*cells)[good, 0]))
            else:
                out.append(self._skin.smoothness(*cells))
        return out

    def responses(self, start_ns: int, stop_ns: int) -> tuple[NDArray[np.int64], Array]:
        """Usable responses with their onset in [start_ns, stop_ns): onsets (k,); amplitude in µS and rise in s (k, 2)."""
        edges = np.array([(start_ns, stop_ns)])
        return _usable(*self._gate.between(edges)[0], *self._scr.between(edges)[0])

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        for rows in (self._gate, self._level, self._slow, self._scr, self._recovery):
            rows.forget(before_ns)
        if self._bends is not None and self._skin is not None:
            self._bends.forget(before_ns - self._reach_ns)
            self._skin.forget()


class _Timed:
    """Values with their session times, in order of time; `values` is empty, and addressed as the times are."""

    def __init__(self, values: Strip | Tail) -> None:
        self._t, self._values = Tail(0, np.int64), values

    def append(self, t_ns: NDArray[np.int64], values: Array) -> None:
        self._t.append(t_ns)
        self._values.append(values)

    def between(self, edges_ns: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], Array]]:
        times, first = self._t.rows, self._t.start
        return [(times[a:b], self._values.between(first + a, first + b)) for a, b in times.searchsorted(edges_ns).tolist()]

    def forget(self, before_ns: int) -> None:
        n = self._t.start + int(self._t.rows.searchsorted(before_ns))
        self._t.drop(n)
        self._values.drop(n)


def _good(t: NDArray[np.int64], verdicts: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which times' sample (the first at or after each) has the verdict ok."""
    return verdicts[t.searchsorted(at)] == 0 if len(at) else np.zeros(0, np.bool_)


def _usable(
    t: NDArray[np.int64], verdicts: NDArray[np.uint8], at: NDArray[np.int64], values: Array
) -> tuple[NDArray[np.int64], Array]:
    """Rows whose sample has the verdict ok."""
    good = _good(t, verdicts, at)
    return at[good], values[good]
