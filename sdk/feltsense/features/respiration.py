"""Respiration from a belt: rate, its steadiness, depth, and the share of inspiration.

A breath belongs to the window in which it ends and lies wholly. Depth is in the belt's own counts, so only its
variation is a feature. Respiration from an ECG needs no belt: its series, one value a beat, goes through
:func:`feltsense.dsp.breathing.series_rate`. High-frequency heart rate variability should be read beside the rate: below
9 breaths a minute its power lies in the low band.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feltsense.core.timeline import NS
from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.dsp.blocks import Tail, samples
from feltsense.dsp.breathing import LEAST_RATE, BreathDetector, breath_filter
from feltsense.dsp.cells import Cells
from feltsense.dsp.runs import RunSplitter
from feltsense.features._gate import Spans, collect
from feltsense.quality.respiration import LEAST_QUALITY, faults, judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.window import Window
    from feltsense.dsp.blocks import Block, BlockFilter

    Array = NDArray[np.float64]

__all__ = ["EXTRACTOR", "Respiration"]

_LEAST_S = 24.0
"""A window of 30 s of which a fifth may be missing."""
_LEAST_BREATHS = 4
_FAULT_S, _FAULT_STEP_S = 4.0, 2.0
"""Stretches that are looked at for a flat line: longer than the pause after a breath."""
_VLEMINCX = "Vlemincx 2013, Biol Psychol 93:24"
_NEVER = -(2**62)
_START, _LENGTH, _RISE, _DEPTH = range(4)


class Respiration:
    """Features of one belt."""

    requires: ClassVar[str] = "respiration"
    uses: ClassVar[tuple[str, ...]] = ()
    specs: ClassVar[tuple[FeatureSpec, ...]] = (
        FeatureSpec("rate", "1/min", "60 / mean length of the breaths", _VLEMINCX, _LEAST_S),
        FeatureSpec("length_cv", "1", "Standard deviation of the breaths' lengths over their mean", _VLEMINCX, _LEAST_S),
        FeatureSpec("depth_cv", "1", "Standard deviation of the breaths' depths over their mean", _VLEMINCX, _LEAST_S),
        FeatureSpec("inspiration_share", "1", "Mean share of a breath from trough to summit", _VLEMINCX, _LEAST_S),
        FeatureSpec("breaths", "1", "Breaths that lie in the window", _VLEMINCX, _LEAST_S),
    )

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        spec = streams[self.requires].spec
        self._rate, self._range = spec.hz, (spec.kind.low, spec.kind.high)
        self._split = RunSplitter()
        self._spans = Spans(round(NS / self._rate))
        self._faults = Cells(faults(self._rate), samples(_FAULT_S, self._rate), samples(_FAULT_STEP_S, self._rate), 2)
        self._ends = Tail(0, np.int64)
        self._rows = Tail(4)
        self._run: _Run | None = None
        self._number = -1
        self._last_ns = _NEVER

    def push(self, chunk: Chunk) -> None:
        """Take the next samples."""
        for piece in self._split.push(chunk):
            if self._rate < LEAST_RATE:
                continue
            piece = piece._replace(values=piece.values.clip(*self._range))
            self._spans.push(piece)
            if piece.run != self._number:
                self._end()
                self._number, self._run = piece.run, _Run(self._rate)
                self._faults.begin()
            self._faults.push(piece.values[:, 0], piece.t_ns)
            if self._run is not None:
                self._keep(self._run, self._run.push(piece.values[:, 0], piece.t_ns))
            if piece.ends:
                self._end()
        if len(chunk):
            self._last_ns = chunk.stop_ns

    def close(self, stream_id: str) -> None:
        """End the segment: a breath that goes on is lost."""
        self._split.close()
        self._end()

    def final_ns(self, stream_id: str) -> int:
        """Up to 12 s behind the newest sample: the filter's block and look-ahead."""
        return self._last_ns if self._run is None else self._run.final_ns

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        n = self._ends.start + int(np.searchsorted(self._ends.rows, before_ns))
        self._ends.drop(n)
        self._rows.drop(n)
        self._spans.forget(before_ns)
        self._faults.forget(before_ns)

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        if self._rate < LEAST_RATE:
            return Extracted.nothing(len(self.specs), Reason.NOT_SUPPORTED)
        a, b = (int(i) for i in np.searchsorted(self._ends.rows, (window.start_ns, window.stop_ns)))
        rows = self._rows.rows[a:b]
        # Whole breaths only: the first may have begun before the window.
        rows = rows[self._ends.rows[a:b] - np.round(rows[:, _LENGTH] * NS).astype(np.int64) >= window.start_ns]
        length, depth = np.ascontiguousarray(rows[:, _LENGTH]), np.ascontiguousarray(rows[:, _DEPTH])
        present_s = self._spans.overlap_ns(window) / NS
        # A breath is cut off at either end.
        edge = float(length.mean()) if len(length) else 0.0
        spanned = float(length.sum()) / max(present_s - edge, 1e-3)
        cells = self._faults.within(window.start_ns, window.stop_ns)
        flat = float(cells.any(axis=1).mean()) if len(cells) else 0.0
        verdict = judge(length, depth, min(1.0, present_s / window.seconds), spanned, flat)
        reason = _missing(window, present_s, len(rows), verdict)
        values = dict.fromkeys((s.name for s in self.specs), float("nan"))
        if reason is Reason.OK:
            values = {
                "rate": 60.0 / float(length.mean()),
                "length_cv": float(length.std(ddof=1) / length.mean()),
                "depth_cv": float(depth.std(ddof=1) / depth.mean()),
                "inspiration_share": float(np.minimum(rows[:, _RISE] / length, 1.0).mean()),
                "breaths": float(len(rows)),
            }
        return collect(self.specs, values, dict.fromkeys(values, reason), verdict)

    def _end(self) -> None:
        if self._run is not None:
            self._keep(self._run, self._run.flush())
            self._run = None

    def _keep(self, run: _Run, blocks: list[Block]) -> None:
        for block in blocks:
            for breath in run.detector.push(block):
                start, stop = run.times(breath.start), run.times(breath.stop)
                self._ends.append(np.array([stop]))
                self._rows.append(
                    np.array([[breath.start, (stop - start) / NS, breath.rise / self._rate, breath.depth]])
                )
        run.forget()


def _missing(window: Window, present_s: float, breaths: int, verdict: tuple[float, Reason]) -> Reason:
    quality, worst = verdict
    if window.seconds < _LEAST_S:
        return Reason.TOO_SHORT
    if present_s <= 0.0:
        return Reason.NO_SIGNAL
    if present_s < _LEAST_S:
        return Reason.GAP
    if breaths < _LEAST_BREATHS or quality < LEAST_QUALITY:
        return Reason.NONE_FOUND if worst is Reason.OK else worst
    return Reason.OK


class _Run:
    """One run: its filter, detector, and the times of its samples."""

    def __init__(self, rate: float) -> None:
        self._filter: BlockFilter = breath_filter(rate)
        self.detector = BreathDetector(rate)
        self._t = Tail(0, np.int64)

    def push(self, x: Array, t_ns: NDArray[np.int64]) -> list[Block]:
        self._t.append(t_ns)
        return self._filter.push(x)

    def flush(self) -> list[Block]:
        return self._filter.flush()

    def times(self, sample: int) -> int:
        return int(self._t.between(sample, sample + 1)[0])

    @property
    def final_ns(self) -> int:
        return self.times(self._filter.done)

    def forget(self) -> None:
        self._t.drop(min(self.detector.open_since, self._filter.done) - 1)


EXTRACTOR = Respiration
