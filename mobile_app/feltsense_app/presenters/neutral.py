"""The wizard's last steps: a neutral face and a sentence read aloud, each judged while it is taken.

Rules
-----
- Only what the study asks for and the person agreed to is a step; where there is none the page is left at once.
- What the camera and the microphone give is judged as it comes, so that a light is switched on in the first seconds.
- Every step can be left out at any time. What does not work (no camera here) is said, and the way on is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["At", "NeutralPresenter", "NeutralState", "Step", "steps"]


class Step(StrEnum):
    """What is taken."""

    FACE = "face"
    VOICE = "voice"


class At(StrEnum):
    """Where a step stands."""

    INTRO = "intro"
    TAKING = "taking"
    AGAIN = "again"
    """It could not be used; the reason is in the state."""
    NOTHING = "nothing"
    """There is no camera or microphone that can be used."""
    DONE = "done"


STREAMS = {"face": Step.FACE, "camera": Step.FACE, "voice": Step.VOICE, "microphone": Step.VOICE}
"""A study's stream → its step."""
LENGTH_S = {Step.FACE: 15.0, Step.VOICE: 12.0}
"""Seconds of each: some blinks of a face; a sentence of two lines at a slow reader's pace."""


def steps(streams: Sequence[str]) -> tuple[Step, ...]:
    """Steps for what was agreed to, the face first."""
    wanted = {STREAMS[s] for s in streams if s in STREAMS}
    return tuple(s for s in Step if s in wanted)


@dataclass(frozen=True, slots=True)
class NeutralState:
    """What the page shows.

    Attributes
    ----------
    step : Step
        Which one.
    at : At
        Where it stands.
    seconds : int
        How long it takes.
    share : float
        Of it that has passed, 0 to 1.
    feedback : str
        Key of the sentence about now; in :attr:`At.AGAIN` of the reason.
    why : str
        In :attr:`At.NOTHING`: what is wrong, as the device says it.
    """

    step: Step = Step.FACE
    at: At = At.INTRO
    seconds: int = int(LENGTH_S[Step.FACE])
    share: float = 0.0
    feedback: str = "neutral.settle"
    why: str = ""


class NeutralPresenter(Presenter[NeutralState]):
    """Guide through the steps.

    Parameters
    ----------
    take : callable
        Told to take a step; what comes of it is told to :meth:`looked` and :meth:`taken`.
    stop : callable
        Told to stop taking; nothing of it is wanted any more.
    finished : callable
        Called when no step is left.
    """

    def __init__(self, take: Callable[[Step], None], stop: Callable[[], None], finished: Callable[[], None]) -> None:
        super().__init__(NeutralState())
        self._take, self._stop, self._finished = take, stop, finished
        self._left: tuple[Step, ...] = ()

    def begin(self, wanted: Sequence[Step]) -> None:
        """Show the first of these steps; with none of them it is finished."""
        self._left = tuple(wanted)
        self._next()

    def start(self) -> None:
        """The person is ready, for the first time or again."""
        if self.state.at in (At.INTRO, At.AGAIN):
            self._set(at=At.TAKING, share=0.0, feedback="neutral.settle", why="")
            self._take(self.state.step)

    def looked(self, share: float, feedback: str) -> None:
        """So much has passed, and so it looks."""
        if self.state.at is At.TAKING:
            self._set(share=min(max(share, 0.0), 1.0), feedback=feedback)

    def taken(self, reason: str = "") -> None:
        """It was taken; `reason` is the key of why it cannot be used."""
        if self.state.at is At.TAKING:
            self._set(at=At.AGAIN if reason else At.DONE, share=1.0, feedback=reason)

    def nothing(self, why: str) -> None:
        """There is nothing to take it with."""
        if self.state.at is At.TAKING:
            self._set(at=At.NOTHING, why=why)

    def go_on(self) -> bool:
        """Leave a step that is over, or that cannot be; False otherwise."""
        over = self.state.at in (At.DONE, At.NOTHING)
        if over:
            self._next()
        return over

    def skip(self) -> None:
        """Leave this step out, also while it is taken."""
        self._stop()
        self._next()

    def _next(self) -> None:
        if not self._left:
            self._finished()
            return
        step, *left = self._left
        self._left = tuple(left)
        self._set(step=step, at=At.INTRO, seconds=int(LENGTH_S[step]), share=0.0, feedback="neutral.settle", why="")
