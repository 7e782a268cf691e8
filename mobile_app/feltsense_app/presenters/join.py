"""Joining: a code becomes a study and a pseudonym, or a sentence that says what is wrong with the code.

A code is what a QR code holds or what was typed; reading it is given from outside, so that this presenter knows no
file format. Nothing is stored before the person has seen the study's title and said yes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feltsense.errors import FeltsenseError
from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from collections.abc import Callable

    from feltsense_app.presenters.study import StudyView

__all__ = ["Invitation", "JoinPresenter", "JoinState"]


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a code says.

    Attributes
    ----------
    study : StudyView
        The study.
    source : str
        The study file's text, to be kept.
    pseudonym : str
        Of the participant; empty: the person types one.
    """

    study: StudyView
    source: str
    pseudonym: str = ""


@dataclass(frozen=True, slots=True)
class JoinState:
    """What the join screen shows.

    Attributes
    ----------
    title, contact : str
        Of the study that was found; empty before.
    pseudonym : str
        As found or typed.
    trouble : str
        What is wrong with the code, in words.
    scanning : bool
        Whether the camera looks for a code.
    """

    title: str = ""
    contact: str = ""
    pseudonym: str = ""
    trouble: str = ""
    scanning: bool = False

    @property
    def ready(self) -> bool:
        """Whether the study can be joined."""
        return bool(self.title and self.pseudonym.strip())


class JoinPresenter(Presenter[JoinState]):
    """Join a study.

    Parameters
    ----------
    read : callable
        Code → invitation; raises FeltsenseError with what is wrong and what to do.
    joined : callable
        Told the invitation and the pseudonym.
    look : callable, optional
        Lets the camera look; what it sees comes to :meth:`saw`.
    """

    def __init__(
        self,
        read: Callable[[str], Invitation],
        joined: Callable[[Invitation, str], None],
        look: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(JoinState())
        self._read, self._joined, self._look = read, joined, look
        self._found: Invitation | None = None

    def enter(self, code: str) -> None:
        """A code was scanned or typed."""
        try:
            self._found = self._read(code.strip())
        except FeltsenseError as error:
            self._found = None
            self._set(title="", contact="", trouble=str(error))
            return
        study = self._found.study
        self._set(title=study.title, contact=study.contact, trouble="")
        if self._found.pseudonym:
            self._set(pseudonym=self._found.pseudonym)

    def scan(self) -> None:
        """Let the camera look for a code; twice is once."""
        if not self.state.scanning:
            self._set(scanning=True, trouble="")
            self._look()

    def saw(self, code: str, trouble: str = "") -> None:
        """The camera has seen a code, or `trouble` says why not."""
        self._set(scanning=False, trouble=trouble)
        if not trouble:
            self.enter(code)

    def name(self, pseudonym: str) -> None:
        """The pseudonym as typed so far."""
        self._set(pseudonym=pseudonym[:64])

    def join(self) -> bool:
        """Say yes; False while there is nothing to say yes to."""
        if self._found is None or not self.state.ready:
            return False
        self._joined(self._found, self.state.pseudonym.strip())
        return True
