"""Sharing: a report of the last recording, made when it is asked for, and where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SharePresenter", "ShareState"]


@dataclass(frozen=True, slots=True)
class ShareState:
    """What is known of the report.

    Attributes
    ----------
    busy : bool
        Whether it is being made.
    path : str
        Where the last one is.
    trouble : str
        Why there is none, in words.
    """

    busy: bool = False
    path: str = ""
    trouble: str = ""


class SharePresenter(Presenter[ShareState]):
    """Make a report.

    Parameters
    ----------
    make : callable
        Begins to make it; its outcome comes to :meth:`made`.
    """

    def __init__(self, make: Callable[[], None]) -> None:
        super().__init__(ShareState())
        self._make = make

    def press(self) -> None:
        """Make one, unless one is being made."""
        if not self.state.busy:
            self._set(busy=True, path="", trouble="")
            self._make()

    def made(self, path: str = "", trouble: str = "") -> None:
        """It is there, or why not."""
        self._set(busy=False, path=path, trouble=trouble)
