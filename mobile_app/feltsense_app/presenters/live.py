"""Live signals: the last seconds of each stream, thinned to what a screen can show.

Rules
-----
- Bounded: each trace keeps its own few seconds and nothing more.
- Thinned by the least and the greatest value of each column, so that a heart beat is never between two dots.
- A gap is a gap: columns without samples are NaN and break the line.
- Nobody is told anything while the screen is hidden, so nothing is drawn.
- A picture is made a little further than what is seen, and shown through a window that glides over it: it is made anew when
  samples came or the window has reached its end, not for every frame.
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

__all__ = ["AHEAD", "BEHIND_S", "COLUMNS", "LEVELS", "SPANS_S", "LivePresenter", "LiveState", "Picture"]

SPANS_S: Mapping[str, float] = {"ecg": 6.0, "ppg": 6.0, "eda": 60.0, "skin_temperature": 60.0, "respiration": 30.0}
"""Signal → seconds on the screen; others are not drawn."""
BEHIND_S = 2.0
"""How far the right edge is behind the clock: sensors send about once a second, and fetch lost frames again."""
COLUMNS = 240
"""Columns of a trace: two dots each, about what 360 dp can show."""
AHEAD = 15
"""Columns beyond the right edge: with the one that is cut by each edge, 256, a size that every graphics chip takes."""
STEP_NS = 50_000_000
"""Columns that are longer than this step as a whole; shorter ones glide."""
LEVELS = 255
"""Heights of a curve that are told apart: one a pixel on the sharpest phone."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A stream for a while: what is seen now, and what will be in the next columns.

    Attributes
    ----------
    left : int
        Number of its first column, in columns since the session's clock was nought.
    levels : array of uint8, shape (COLUMNS + 1 + AHEAD, 2)
        From where to where the curve reaches in each column, 0 for `low`, 255 for `high`; the first above the second where
        there is none. Neighbours touch where samples follow each other.
    low, high : float
        Least and greatest value; NaN without samples.
    """

    left: int
    levels: NDArray[np.uint8]
    low: float
    high: float


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
        self._pictures: dict[str, Picture] = {}

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
        self._pictures.pop(name, None)
        while kept[0].stop_ns < chunk.stop_ns - int(SPANS_S[signal] * 1e9) - self.behind_ns:
            kept.popleft()
        streams = self.state.streams
        if all(name != s for s, _, _ in streams):
            self._set(streams=(*streams, (name, signal, chunk.stream.spec.unit)))
        if self.state.visible:
            self._set(drawn=self.state.drawn + 1)

    def seen(self, name: str, until_ns: int) -> tuple[Picture, float]:
        """What to show of a stream of the state.

        Parameters
        ----------
        name : str
            Stream id.
        until_ns : int
            Right edge, in session time; a screen that moves it with the clock scrolls evenly, however the samples come in
            packets.

        Returns
        -------
        Picture
            The same object until it has to be made anew.
        float
            Columns of it that are left of what is seen, 0 to `AHEAD`; whole ones for a stream that is slow, which then
            moves when a column is full, not with every frame.
        """
        column = int(SPANS_S[self._chunks[name][-1].stream.spec.name] * 1e9) // COLUMNS
        right, part = divmod(until_ns, column)
        made = self._pictures.get(name)
        if made is None or not 0 <= right - COLUMNS - made.left < AHEAD:
            made = self._pictures[name] = self._picture(name, right - COLUMNS, column)
        return made, right - COLUMNS - made.left + (part / column if column <= STEP_NS else 0.0)

    def _picture(self, name: str, left: int, column: int) -> Picture:
        columns = COLUMNS + 1 + AHEAD
        pairs, low, high = self._thinned(name, left, column, columns)
        first, last = pairs[:, 0].copy(), pairs[:, 1].copy()
        # Up or down to the neighbour before: the curve has no holes where it is steep.
        touch = np.isfinite(pairs[1:, 0]) & np.isfinite(pairs[:-1, 0])
        first[1:][touch] = np.minimum(pairs[1:, 0], pairs[:-1, 1])[touch]
        last[1:][touch] = np.maximum(pairs[1:, 1], pairs[:-1, 0])[touch]
        levels = np.empty((columns, 2), np.uint8)
        levels[:] = LEVELS, 0
        there = np.isfinite(first)
        scale = LEVELS / (high - low) if high > low else 0.0
        middle = 0.0 if high > low else LEVELS / 2
        levels[there, 0] = np.round((first[there] - low) * scale + middle)
        levels[there, 1] = np.round((last[there] - low) * scale + middle)
        return Picture(left, levels, low, high)

    def _thinned(self, name: str, left: int, column: int, columns: int) -> tuple[NDArray[np.float64], float, float]:
        """Least and greatest value of each column, NaN where there was no sample; and of all of them."""
        out, start_ns = np.full((columns, 2), np.nan), left * column
        times, values = self._piece(name)
        first, last = np.searchsorted(times, (start_ns, start_ns + columns * column))
        if first == last:
            return out, float("nan"), float("nan")
        place, values = (times[first:last] - start_ns) // column, values[first:last]
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        out[place[starts], 0] = np.minimum.reduceat(values, starts)
        out[place[starts], 1] = np.maximum.reduceat(values, starts)
        _bridge(out, math.ceil(1e9 / (self._chunks[name][-1].stream.spec.hz * column)))
        return out, float(values.min()), float(values.max())

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
