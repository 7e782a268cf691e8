"""Short expressions as events: when one begins, where it is strongest, and when it is over.

A measure of a face (:mod:`feltsense.vision.mesh`), or a muscle's blendshape, is at its usual level most of the time. An
expression is a stretch in which it leaves that level: it begins at 3 robust standard deviations from the median of the
last half minute, and ends below 1.5. Everything is causal and goes row by row, so that the same rows give the same events
however they came.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense.core.blendshapes import MUSCLES
from feltsense.core.event import Event, EventKind
from feltsense.core.face_row import AT
from feltsense.core.timeline import NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk

__all__ = ["APEX", "END", "MEASURES", "ONSET", "ExpressionFinder"]

ONSET, APEX, END = " onset", " apex", " end"
"""What an event's text ends with."""
_MEASURED = ("mouth_open", "mouth_width", "corner_raise", "brow_raise", "brow_gap", "nose_lip")
_MOVED = (
    "mouth_smile", "mouth_frown", "mouth_stretch", "mouth_press", "mouth_upper_up", "jaw_open", "brow_down", "brow_inner_up",
    "brow_outer_up", "cheek_squint", "nose_sneer", "eye_wide",
)  # fmt: skip
MEASURES: Final[Mapping[str, Mapping[str, tuple[int, ...]]]] = {
    "face": {name: (AT[name],) for name in _MEASURED},
    "blendshapes": {name: MUSCLES[name] for name in _MOVED},
}
"""What is followed in each kind of row, and the columns whose mean it is. Blinks, gaze and speech's lips are none."""
LEAVES, RETURNS = 3.0, 1.5
"""Robust standard deviations; between them nothing begins and nothing ends."""
LEAST_SPREAD = {"face": 0.01, "blendshapes": 0.03}
"""What a mesh's landmarks jitter by, in inter-ocular units; a third of a movement that can be seen, of one."""
REFRESH_S = 0.25
"""The usual level is of half a minute: it is taken anew four times a second, not for every frame."""
LEARN_S, MEMORY_S = 5.0, 30.0
"""Seconds before the usual level is known, and over which it is taken."""
LEAST_S, LONGEST_S = 0.04, 4.0
"""From micro-expressions (1/25 s) to the longest of felt ones (Ekman 2003: 4 s); longer is a pose, or speech."""


@dataclass(slots=True)
class _Course:
    """One measure over time."""

    least: float
    past: deque[tuple[int, float]] = field(default_factory=deque)
    usual: tuple[float, float] = (0.0, 1.0)
    taken_ns: int | None = None
    onset_ns: int | None = None
    apex: tuple[int, float] = (0, 0.0)

    def take(self, t_ns: int, value: float) -> tuple[int, int, float, int] | None:
        """Onset, apex, size at the apex and end of the expression that has just ended, if one has."""
        while self.past and self.past[0][0] < t_ns - MEMORY_S * NS:
            self.past.popleft()
        known = bool(self.past) and self.past[-1][0] - self.past[0][0] >= LEARN_S * NS
        away = self._away(t_ns, value) if known else 0.0
        if self.onset_ns is None:
            if abs(away) < LEAVES:
                self.past.append((t_ns, value))
                return None
            self.onset_ns, self.apex = t_ns, (t_ns, away)
            return None
        if abs(away) >= RETURNS and np.sign(away) == np.sign(self.apex[1]):
            if abs(away) > abs(self.apex[1]):
                self.apex = (t_ns, away)
            if t_ns - self.onset_ns > LONGEST_S * NS:
                # Not over after so long: it is the new usual level, which is learned from here on.
                self.onset_ns = None
                self.past.clear()
                self.taken_ns = None
            return None
        onset, self.onset_ns = self.onset_ns, None
        self.past.append((t_ns, value))
        if t_ns - onset < LEAST_S * NS:
            return None
        return onset, *self.apex, t_ns

    def _away(self, t_ns: int, value: float) -> float:
        if self.taken_ns is None or t_ns - self.taken_ns >= REFRESH_S * NS:
            x = np.array([v for _, v in self.past])
            middle = float(np.median(x))
            self.usual = middle, max(1.4826 * float(np.median(np.abs(x - middle))), self.least)
            self.taken_ns = t_ns
        return (value - self.usual[0]) / self.usual[1]


class ExpressionFinder:
    """Finds short expressions in rows of kind ``face`` or ``blendshapes``."""

    def __init__(self) -> None:
        self._courses: dict[str, _Course] = {}
        self._segment = -1

    def push(self, chunk: Chunk) -> list[Event]:
        """Take the next rows; give the events of the expressions that have ended.

        Returns
        -------
        list of Event
            Three for each expression, of kind ``expression``: text is ``<name> onset``, ``apex`` or ``end``, value the
            distance at the apex from the usual level, in robust standard deviations with its sign.
        """
        kind = chunk.stream.spec.name
        if chunk.segment != self._segment:
            # A gap: what was going on then is unknown.
            self._courses = {name: _Course(LEAST_SPREAD[kind]) for name in MEASURES[kind]}
            self._segment = chunk.segment
        values = {name: _mean(chunk.values, columns) for name, columns in MEASURES[kind].items()}
        times = chunk.times.tolist()
        return [e for i, t in enumerate(times) for name, y in values.items() for e in self._row(t, name, y[i])]

    def _row(self, t_ns: int, name: str, value: float) -> Iterator[Event]:
        found = self._courses[name].take(t_ns, value) if np.isfinite(value) else None
        if found is not None:
            onset, apex, size, end = found
            for t, moment in ((onset, ONSET), (apex, APEX), (end, END)):
                yield Event(t, EventKind.EXPRESSION, size, f"{name}{moment}")


def _mean(rows: NDArray[np.float64], columns: tuple[int, ...]) -> list[float]:
    """Mean of one or two columns: the same bits however many rows there are."""
    out: list[float] = ((rows[:, columns[0]] + rows[:, columns[-1]]) / 2.0).tolist()
    return out
