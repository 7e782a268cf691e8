"""Which screen comes when, as a table.

::

    join → consent → permissions → pair → wizard → neutral → home ⇄ live, results, prompt, settings, leave
                                                                      any ──withdrawn──▶ goodbye → join

Where somebody is after a restart follows from what was done (:class:`Done`), not from what was shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AFTER", "RECORDED", "SIDE", "Done", "FlowPresenter", "FlowState", "Page", "resume"]


class Page(StrEnum):
    """A screen."""

    JOIN = "join"
    CONSENT = "consent"
    PERMISSIONS = "permissions"
    PAIR = "pair"
    WIZARD = "wizard"
    NEUTRAL = "neutral"
    HOME = "home"
    LIVE = "live"
    RESULTS = "results"
    PROMPT = "prompt"
    SETTINGS = "settings"
    LEAVE = "leave"
    GOODBYE = "goodbye"


SIDE: Final = (Page.LIVE, Page.RESULTS, Page.PROMPT, Page.SETTINGS, Page.LEAVE)
"""Reached from home, and left to home."""

RECORDED: Final = (Page.WIZARD, Page.NEUTRAL, Page.HOME, *SIDE)
"""On these it is recorded."""

AFTER: Final[Mapping[Page, Page]] = MappingProxyType(
    {
        Page.JOIN: Page.CONSENT,
        Page.CONSENT: Page.PERMISSIONS,
        Page.PERMISSIONS: Page.PAIR,
        Page.PAIR: Page.WIZARD,
        Page.WIZARD: Page.NEUTRAL,
        Page.NEUTRAL: Page.HOME,
        Page.GOODBYE: Page.JOIN,
        **dict.fromkeys(SIDE, Page.HOME),
    }
)
"""What comes when a screen is done."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, as it is kept.

    Attributes
    ----------
    joined, consented, allowed, paired, rested, neutral : bool
        The steps, each of which needs those before it.
    """

    joined: bool = False
    consented: bool = False
    allowed: bool = False
    paired: bool = False
    rested: bool = False
    neutral: bool = False


def resume(done: Done) -> Page:
    """Where to go on after a start of the app."""
    steps = (
        (done.joined, Page.JOIN),
        (done.consented, Page.CONSENT),
        (done.allowed, Page.PERMISSIONS),
        (done.paired, Page.PAIR),
        (done.rested, Page.WIZARD),
        (done.neutral, Page.NEUTRAL),
    )
    return next((page for was, page in steps if not was), Page.HOME)


@dataclass(frozen=True, slots=True)
class FlowState:
    """Which screen is shown."""

    page: Page


class FlowPresenter(Presenter[FlowState]):
    """Move through the app.

    Parameters
    ----------
    page : Page
        Where to begin, see :func:`resume`.
    """

    def __init__(self, page: Page) -> None:
        super().__init__(FlowState(page))

    def done(self) -> None:
        """The screen is done."""
        self._set(page=AFTER.get(self.state.page, self.state.page))

    def go(self, page: Page) -> bool:
        """Open a side screen, from home or another one; False where that is not possible."""
        here = self.state.page
        if page in SIDE and here in (Page.HOME, *SIDE):
            self._set(page=page)
            return True
        return False

    def back(self) -> bool:
        """The phone's back button; False: nothing left to go back to, the app may go to the background."""
        if self.state.page in SIDE:
            self._set(page=Page.HOME)
            return True
        return False

    def withdrawn(self) -> None:
        """The person left the study."""
        self._set(page=Page.GOODBYE)

    def again(self) -> None:
        """Rest again, from home or its side screens."""
        if self.state.page in (Page.HOME, *SIDE):
            self._set(page=Page.WIZARD)
