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

__all__ = ["SPANS_S", "LivePresenter", "LiveState"]

SPANS_S: Mapping[str, float] = {"ecg": 6.0, "ppg": 6.0, "eda": 60.0, "skin_temperature": 60.0, "respiration": 30.0}
"""Signal → seconds on the screen; others are not drawn."""
COLUMNS = 240
"""Columns of a trace: two dots each, about what 360 dp can show."""


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
    """Keep the last seconds of every stream that can be drawn."""

    def __init__(self) -> None:
        super().__init__(LiveState())
        self._chunks: dict[str, deque[Chunk]] = {}

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
        while kept[0].stop_ns < chunk.stop_ns - int(SPANS_S[signal] * 1e9):
            kept.popleft()
        streams = self.state.streams
        if all(name != s for s, _, _ in streams):
            self._set(streams=(*streams, (name, signal, chunk.stream.spec.unit)))
        if self.state.visible:
            self._set(drawn=self.state.drawn + 1)

    def trace(self, name: str, columns: int = COLUMNS) -> tuple[NDArray[np.float64], float, float]:
        """What to draw of a stream.

        Parameters
        ----------
        name : str
            Stream id.
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
        span = int(SPANS_S[kept[-1].stream.spec.name] * 1e9)
        times = np.concatenate([c.time.times(c.start, c.stop) for c in kept])
        values = np.concatenate([c.values[:, 0] for c in kept])
        place = (times - (kept[-1].stop_ns - span)) * columns // span
        seen = (place >= 0) & (place < columns) & np.isfinite(values)
        place, values = place[seen], values[seen]
        np.fmin.at(out[:, 0], place, values)
        np.fmax.at(out[:, 1], place, values)
        if not place.size:
            return out.ravel(), float("nan"), float("nan")
        samples = kept[-1].stream.spec.hz * span / 1e9
        return _bridged(out, math.ceil(columns / samples)).ravel(), float(values.min()), float(values.max())


def _bridged(pairs: NDArray[np.float64], apart: int) -> NDArray[np.float64]:
    """Repeat a value over the columns up to the next, where a slow stream has fewer samples than columns.

    Only as far as samples are apart: a longer hole is a gap and stays one.
    """
    last, age = np.full(2, np.nan), apart
    for k, pair in enumerate(pairs):
        if np.isfinite(pair[0]):
            last, age = pair, 0
        else:
            age += 1
            if age < apart:
                pairs[k] = last
    return pairs
