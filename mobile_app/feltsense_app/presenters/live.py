"""Live signals: the last seconds of each stream, thinned to what a screen can show.

Rules
-----
- Bounded: each trace keeps its own few seconds and nothing more.
- Thinned by the least and the greatest value of each column, so that a heart beat is never between two dots.
- A gap is a gap: columns without samples are NaN and break the line.
- Nobody is told anything while the screen is hidden, so nothing is drawn.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk

__all__ = ["BEHIND_S", "SPANS_S", "LivePresenter", "LiveState"]

SPANS_S: Mapping[str, float] = {"ecg": 6.0, "ppg": 6.0, "eda": 60.0, "skin_temperature": 60.0, "respiration": 30.0}
"""Signal → seconds on the screen; others are not drawn."""
BEHIND_S = 2.0
"""How far the right edge is behind the clock: sensors send about once a second, and fetch lost frames again."""
COLUMNS = 240
"""Columns of a trace: two dots each, about what 360 dp can show."""
STEP_NS = 50_000_000
"""Columns that are longer than this step as a whole; shorter ones glide."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """What changes on the live screen.

    Attributes
    ----------
    visible : bool
        Whether the screen is shown.
    drawn : int
        Grows with everything new that is worth a redraw.
    streams : tuple of (str, str, str)
        Stream id, signal and unit, in the order in which they came.
    """

    visible: bool = False
    drawn: int = 0
    streams: tuple[tuple[str, str, str], ...] = ()


class LivePresenter(Presenter[LiveState]):
    """Keep the last seconds of every stream that can be drawn.

    Parameters
    ----------
    speed : float
        How many times faster than real time the session runs.
    """

    def __init__(self, speed: float = 1.0) -> None:
        super().__init__(LiveState())
        self.behind_ns = int(BEHIND_S * max(speed, 1.0) * 1e9)
        """How far the right edge of the picture is behind the session's clock."""
        self._chunks: dict[str, deque[Chunk]] = {}
        self._joined: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]] = {}
        """Times and values of the chunks in one piece: made anew when a chunk came, not for every picture."""

    def show(self, *, visible: bool) -> None:
        """The screen is shown, or hidden."""
        self._set(visible=visible, drawn=self.state.drawn + 1)

    def push(self, chunk: Chunk) -> None:
        """Take a chunk; cheap while the screen is hidden."""
        signal = chunk.stream.spec.name
        if signal not in SPANS_S or chunk.stream.spec.rate is None:
            return
        name = chunk.stream.id
        kept = self._chunks.setdefault(name, deque())
        kept.append(chunk)
        self._joined.pop(name, None)
        while kept[0].stop_ns < chunk.stop_ns - int(SPANS_S[signal] * 1e9) - self.behind_ns:
            kept.popleft()
        streams = self.state.streams
        if all(name != s for s, _, _ in streams):
            self._set(streams=(*streams, (name, signal, chunk.stream.spec.unit)))
        if self.state.visible:
            self._set(drawn=self.state.drawn + 1)

    def edge(self, name: str, until_ns: int) -> int:
        """Right edge of a stream's picture: that of a slow one changes when a column is full, not with every frame."""
        column = int(SPANS_S[self._chunks[name][-1].stream.spec.name] * 1e9) // COLUMNS
        return until_ns // column * column if column > STEP_NS else until_ns

    def trace(
        self, name: str, until_ns: int | None = None, columns: int = COLUMNS
    ) -> tuple[NDArray[np.float64], float, float]:
        """What to draw of a stream.

        Parameters
        ----------
        name : str
            Stream id.
        until_ns : int, optional
            Right edge of the picture, in session time; default the last sample. A screen that moves it with the clock
            scrolls evenly, however the samples come in packets.
        columns : int
            Columns of the picture.

        Returns
        -------
        array, shape (2 × columns,)
            Least and greatest value of each column, oldest first; NaN where there was no sample.
        float, float
            Least and greatest of them; NaN without samples.
        """
        out = np.full((columns, 2), np.nan)
        kept = self._chunks.get(name)
        if not kept:
            return out.ravel(), float("nan"), float("nan")
        spec = kept[-1].stream.spec
        span = int(SPANS_S[spec.name] * 1e9)
        edge = kept[-1].stop_ns if until_ns is None else until_ns
        times, values = self._piece(name)
        first, last = np.searchsorted(times, (edge - span, edge))
        if first == last:
            return out.ravel(), float("nan"), float("nan")
        place, values = (times[first:last] - (edge - span)) * columns // span, values[first:last]
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        out[place[starts], 0] = np.minimum.reduceat(values, starts)
        out[place[starts], 1] = np.maximum.reduceat(values, starts)
        _bridge(out, math.ceil(columns * 1e9 / (spec.hz * span)))
        return out.ravel(), float(values.min()), float(values.max())

    def _piece(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        if name not in self._joined:
            times = np.concatenate([c.time.times(c.start, c.stop) for c in self._chunks[name]])
            values = np.concatenate([c.values[:, 0] for c in self._chunks[name]])
            there = np.isfinite(values)
            self._joined[name] = times[there], values[there]
        return self._joined[name]


def _bridge(pairs: NDArray[np.float64], apart: int) -> None:
    """Repeat a value over the columns up to the next, where a slow stream has fewer samples than columns.

    Only as far as samples are apart: a longer hole is a gap and stays one.
    """
    columns = np.arange(len(pairs))
    last = np.maximum.accumulate(np.where(np.isfinite(pairs[:, 0]), columns, -1))
    filled = (last >= 0) & (columns - last < apart)
    pairs[filled] = pairs[last[filled]]
