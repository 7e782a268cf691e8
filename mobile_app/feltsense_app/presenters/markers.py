"""Event markers: one touch says that something happened now, a second says what.

The moment is that of the first touch: a person who looks for the right word must not move it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feltsense.core.event import Event, EventKind
from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MarkersPresenter", "MarkersState"]

MOST = 200
"""Characters of a note."""


@dataclass(frozen=True, slots=True)
class MarkersState:
    """What the marker button shows.

    Attributes
    ----------
    pending_ns : int or None
        The moment of the first touch, while the word is chosen.
    count : int
        Marks set in this session.
    """

    pending_ns: int | None = None
    count: int = 0


class MarkersPresenter(Presenter[MarkersState]):
    """Set marks.

    Parameters
    ----------
    clock : callable
        Session time, Unix ns.
    keep : callable
        Told the event; it must store it.
    """

    def __init__(self, clock: Callable[[], int], keep: Callable[[Event], None]) -> None:
        super().__init__(MarkersState())
        self._clock, self._keep = clock, keep

    def press(self) -> None:
        """Something happened now."""
        if self.state.pending_ns is None:
            self._set(pending_ns=self._clock())

    def say(self, what: str) -> None:
        """What it was; an empty text is fine."""
        if self.state.pending_ns is not None:
            self._keep(Event(self.state.pending_ns, EventKind.MARKER, 0.0, what.strip()[:MOST]))
            self._set(pending_ns=None, count=self.state.count + 1)

    def cancel(self) -> None:
        """It was a slip."""
        self._set(pending_ns=None)
