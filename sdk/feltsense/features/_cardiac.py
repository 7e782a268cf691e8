"""The part of an extractor that ECG and PPG share: runs, beats, faults, spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.timeline import NS
from feltsense.dsp.cells import Cells
from feltsense.dsp.runs import Piece, RunSplitter
from feltsense.features._gate import Spans
from feltsense.quality.beats import Evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk
    from feltsense.core.signals import SignalSpec
    from feltsense.core.window import Window
    from feltsense.dsp.cells import Summary
    from feltsense.features._beats import BeatLine, Beats

__all__ = ["Heart"]

FAULT_SECONDS, FAULT_STEP_SECONDS = 2.0, 1.0
"""Longer than any pause between two beats at rest, so that a pause is not a flat line."""


class Heart:
    """One beat-bearing stream: chunks in, what a window must know out.

    Parameters
    ----------
    line : BeatLine
        Finds and judges its beats.
    faults : Summary
        Flat and railed stretches.
    spec : SignalSpec
        The stream's signal: its rate, and the range outside which a sample is cut to the range's edge (where it looks
        like the rail it is, instead of overflowing a square).
    """

    def __init__(self, line: BeatLine, faults: Summary, spec: SignalSpec) -> None:
        rate = spec.hz
        self._range = spec.kind.low, spec.kind.high
        self._split = RunSplitter()
        self._line = line
        size, step = round(FAULT_SECONDS * rate), max(1, round(FAULT_STEP_SECONDS * rate))
        self._faults = Cells(faults, size, step, 2, together=True)
        self._spans = Spans(round(NS / rate))
        self._run = -1
        self._last_ns = -(2**62)
        self._held: list[Chunk] = []
        self._waits = 0

    def push(self, chunk: Chunk) -> None:
        """Take the next samples; they are worked off as soon as they complete a block."""
        if not len(chunk):
            return
        if self._held and chunk.segment != self._held[0].segment:
            self._work()
        self._held.append(chunk)
        self._waits += len(chunk)
        if self._waits >= self._line.wants:
            self._work()

    def _work(self) -> None:
        if not self._held:
            return
        held, self._held, self._waits = self._held, [], 0
        last = held[-1]
        if len(held) == 1:
            values, times = last.values, last.time.both_times(last.start, last.stop)
        else:
            values = np.concatenate([c.values for c in held])
            if all(c.time is last.time for c in held):
                times = last.time.both_times(held[0].start, last.stop)
            else:
                each = [c.time.both_times(c.start, c.stop) for c in held]
                times = np.concatenate([t for t, _ in each]), np.concatenate([d for _, d in each])
        for raw in self._split.take(last.segment, values, *times):
            low, high = self._range
            inside = np.maximum(raw.values, low)
            piece = Piece(raw.run, np.minimum(inside, high, out=inside), raw.t_ns, raw.device_ns, raw.ends)
            self._spans.push(piece)
            if piece.run != self._run:
                self._run = piece.run
                self._faults.begin()
            self._faults.push(piece.values[:, 0], piece.t_ns)
            self._line.push(piece)
        self._last_ns = last.stop_ns

    def close(self) -> None:
        """End the segment."""
        self._work()
        self._split.close()
        self._line.end()

    def final_ns(self) -> int:
        """Time before which nothing will change."""
        final = self._line.final_ns()
        if final is None:
            return self._held[0].start_ns if self._held else self._last_ns
        return final

    def present_s(self, window: Window) -> float:
        """Seconds of a window in which there is signal."""
        return self._spans.overlap_ns(window) / NS

    def beats(self, window: Window) -> Beats:
        """The window's beats."""
        return self.between(window.start_ns, window.stop_ns)

    def between(self, start_ns: int, stop_ns: int) -> Beats:
        """The beats in [start_ns, stop_ns), as those of a window."""
        return self._line.between(start_ns, stop_ns)

    def evidence(self, window: Window, beats: Beats, present_s: float, moving: float = 0.0) -> Evidence:
        """What the quality of a window is judged by."""
        return self.of(window, beats.interval_ms[beats.valid], beats.likeness, present_s, moving)

    def of(
        self, window: Window, nn: NDArray[np.float64], likeness: NDArray[np.float64], present_s: float, moving: float = 0.0
    ) -> Evidence:
        """As :meth:`evidence`, of a window's valid intervals and its beats' likeness."""
        cells = self._faults.within(window.start_ns, window.stop_ns)
        flat, railed = 0.0, 0.0
        if np.count_nonzero(cells):
            flat, railed = (np.add.reduce(cells) / len(cells)).tolist()
        valid_ms = float(np.add.reduce(nn))
        # A window holds its whole beats; the rest of an interval at either end is not a fault.
        edge = valid_ms / len(nn) / 1e3 if len(nn) else 0.0
        rhythm = min(1.0, valid_ms / 1e3 / max(present_s - edge, 1e-3)) if present_s > 0.0 else 0.0
        return Evidence(min(1.0, present_s / window.seconds), likeness, rhythm, flat, railed, moving)

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        self._line.forget(before_ns)
        self._faults.forget(before_ns)
        self._spans.forget(before_ns)
