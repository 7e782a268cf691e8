"""Short expressions as events: when one begins, where it is strongest, and when it is over.

A measure (:mod:`feltsense.vision.mesh`) of a face is at its usual level most of the time. An expression is a stretch in
which it leaves that level: it begins at 3 robust standard deviations from the median of the last half minute, and ends
below 1.5. Everything is causal and goes row by row, so that the same rows give the same events however they came.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.event import Event, EventKind
from feltsense.core.face_row import AT
from feltsense.core.timeline import NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feltsense.core.chunk import Chunk

__all__ = ["ExpressionFinder"]

MEASURES = ("mouth_open", "mouth_width", "corner_raise", "brow_raise", "brow_gap", "nose_lip")
BEGIN, END = 3.0, 1.5
"""Robust standard deviations; between them nothing begins and nothing ends."""
LEAST_SPREAD = 0.01
"""Inter-ocular units: what a mesh's landmarks jitter by."""
LEARN_S, MEMORY_S = 5.0, 30.0
"""Seconds before the usual level is known, and over which it is taken."""
LEAST_S, LONGEST_S = 0.04, 4.0
"""From micro-expressions (1/25 s) to the longest of felt ones (Ekman 2003: 4 s); longer is a pose, or speech."""


@dataclass(slots=True)
class _Course:
    """One measure over time."""

    past: deque[tuple[int, float]] = field(default_factory=deque)
    onset_ns: int | None = None
    apex: tuple[int, float] = (0, 0.0)

    def take(self, t_ns: int, value: float) -> tuple[int, int, float, int] | None:
        """Onset, apex, size at the apex and end of the expression that has just ended, if one has."""
        while self.past and self.past[0][0] < t_ns - MEMORY_S * NS:
            self.past.popleft()
        known = bool(self.past) and self.past[-1][0] - self.past[0][0] >= LEARN_S * NS
        away = self._away(value) if known else 0.0
        if self.onset_ns is None:
            if abs(away) < BEGIN:
                self.past.append((t_ns, value))
                return None
            self.onset_ns, self.apex = t_ns, (t_ns, away)
            return None
        if abs(away) >= END and np.sign(away) == np.sign(self.apex[1]):
            if abs(away) > abs(self.apex[1]):
                self.apex = (t_ns, away)
            if t_ns - self.onset_ns > LONGEST_S * NS:
                # Not over after so long: it is the new usual level, which is learned from here on.
                self.onset_ns = None
                self.past.clear()
            return None
        onset, self.onset_ns = self.onset_ns, None
        self.past.append((t_ns, value))
        if t_ns - onset < LEAST_S * NS:
            return None
        return onset, *self.apex, t_ns

    def _away(self, value: float) -> float:
        x = np.array([v for _, v in self.past])
        middle = float(np.median(x))
        spread = max(1.4826 * float(np.median(np.abs(x - middle))), LEAST_SPREAD)
        return (value - middle) / spread


class ExpressionFinder:
    """Finds short expressions in a camera's rows."""

    def __init__(self) -> None:
        self._courses: dict[str, _Course] = {}
        self._segment = -1

    def push(self, chunk: Chunk) -> list[Event]:
        """Take the next rows; give the events of the expressions that have ended.

        Returns
        -------
        list of Event
            Three for each expression, of kind ``expression``: text is ``<measure> onset``, ``apex`` or ``end``, value the
            distance at the apex from the usual level, in robust standard deviations with its sign.
        """
        if chunk.segment != self._segment:
            # A gap: what was going on then is unknown.
            self._courses = {name: _Course() for name in MEASURES}
            self._segment = chunk.segment
        return [e for t, row in zip(chunk.times.tolist(), chunk.values, strict=True) for e in self._row(t, row)]

    def _row(self, t_ns: int, row: np.typing.NDArray[np.float64]) -> Iterator[Event]:
        for name, course in self._courses.items():
            value = float(row[AT[name]])
            found = course.take(t_ns, value) if np.isfinite(value) else None
            if found is not None:
                onset, apex, size, end = found
                for t, moment in ((onset, "onset"), (apex, "apex"), (end, "end")):
                    yield Event(t, EventKind.EXPRESSION, size, f"{name} {moment}")
