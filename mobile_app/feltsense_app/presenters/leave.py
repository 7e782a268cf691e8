"""Leaving: pause, withdraw with what is to become of the data, erase. As easy as it was to begin (GDPR 7(3)).

Rules
-----
- Nothing is done at the first touch: what will happen is said, and done when it is confirmed.
- Withdrawing stops every stream at once, before anything is asked about the data.
- After erasing, what was erased is shown as it was proven, not as it was intended.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from feltsense.errors import FeltsenseError
from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Choice", "Keeper", "LeavePresenter", "LeaveState", "Proof"]


class Choice(StrEnum):
    """What can be asked for."""

    WITHDRAW_KEEP = "withdraw_keep"
    """Leave the study; what was given until now may be used."""
    WITHDRAW_ERASE = "withdraw_erase"
    """Leave the study, and erase what is on this phone."""
    ERASE = "erase"
    """Erase what was recorded, and stay in the study."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What an erasure did, and what was looked for afterwards.

    Attributes
    ----------
    files : int
        Overwritten and removed; none is left.
    pieces, searched : int
        Pieces of the recordings that were looked for, none of them found, and the bytes in which.
    key : bool
        Whether there was a key, and it was destroyed.
    """

    files: int = 0
    pieces: int = 0
    searched: int = 0
    key: bool = False


class Keeper(Protocol):
    """Who keeps the data."""

    def stop(self) -> None:
        """Stop every stream at once."""

    def withdraw(self) -> None:
        """Record that consent was withdrawn."""

    def erase(self) -> Proof:
        """Erase all recordings and the baseline; gives what was proven, or raises what went wrong."""


@dataclass(frozen=True, slots=True)
class LeaveState:
    """What the leaving screen shows.

    Attributes
    ----------
    asked : Choice or None
        What waits for a confirmation.
    done : Choice or None
        What was done.
    proof : Proof or None
        What was proven of the erasure.
    trouble : str
        Why it could not be done, in words.
    """

    asked: Choice | None = None
    done: Choice | None = None
    proof: Proof | None = None
    trouble: str = ""


class LeavePresenter(Presenter[LeaveState]):
    """Leave.

    Parameters
    ----------
    keeper : Keeper
        Who keeps the data.
    left : callable
        Called when the person is out of the study.
    """

    def __init__(self, keeper: Keeper, left: Callable[[], None]) -> None:
        super().__init__(LeaveState())
        self._keeper, self._left = keeper, left

    def ask(self, choice: Choice) -> None:
        """The person touched one of the choices."""
        self._set(asked=choice, done=None, proof=None, trouble="")

    def cancel(self) -> None:
        """Better not."""
        self._set(asked=None)

    def confirm(self) -> None:
        """Do what was asked."""
        choice = self.state.asked
        if choice is None:
            return
        proof = None
        try:
            self._keeper.stop()
            if choice is not Choice.ERASE:
                self._keeper.withdraw()
            if choice is not Choice.WITHDRAW_KEEP:
                proof = self._keeper.erase()
        except (FeltsenseError, OSError) as error:
            self._set(asked=None, trouble=str(error))
            return
        self._set(asked=None, done=choice, proof=proof)
        if choice is not Choice.ERASE:
            self._left()
