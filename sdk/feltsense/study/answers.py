"""A participant's answers as events, so that a report has them beside the physiology.

A number is one event. A place on a grid is two, ``prompt.valence`` and ``prompt.arousal``. Words have no number and are no
event here: they stand in the app's own log.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from feltsense.core.event import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["answer_events"]

_GRID = ("valence", "arousal")


def answer_events(t_ns: int, answers: Iterable[tuple[str, str]]) -> tuple[Event, ...]:
    """Events of answered questions.

    Parameters
    ----------
    t_ns : int
        When they were given, Unix ns.
    answers : iterable of (str, str)
        Question and answer, as an app has them: ``"40"``, ``"0.5,-0.2"`` of a grid, or words.
    """
    out = []
    for question, text in answers:
        numbers = _numbers(text)
        names = [question] if len(numbers) == 1 else [f"{question}.{name}" for name in _GRID]
        if len(numbers) == len(names):
            out += [Event(t_ns, EventKind.ANSWER, value, name) for name, value in zip(names, numbers, strict=True)]
    return tuple(out)


def _numbers(text: str) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        return []
    return found if all(map(math.isfinite, found)) else []
