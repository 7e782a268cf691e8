"""The baseline wizard: some minutes of rest, judged while they pass, and "again" if it was no rest.

Rules
-----
- Every window that was measured says whether it was usable (its quality) and calm (its motion); both are shown at once,
  so that a loose strap is put right in the first minute and not after the fifth.
- It was rest if at least :data:`USABLE` of the windows were usable and at least :data:`CALM` of them were calm.
- Time that was not recorded (a sensor out of reach) does not count.
- Whether it was rest is never judged by what the model says of it: that would be the model grading itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Phase", "RestWindow", "WizardPresenter", "WizardState"]

REST_S = 240.0
"""Length of the rest: 3 to 5 minutes is where calibration gains level off (Tervonen et al. 2023)."""
USABLE = 0.7
"""Least share of usable windows; below, a baseline stands on too little of the rest."""
CALM = 0.8
"""Least share of calm windows: somebody who walks for a fifth of the time is not at rest."""
QUALITY = 0.5
"""From this quality on a window is usable."""


class Phase(StrEnum):
    """Where the wizard stands."""

    INTRO = "intro"
    RESTING = "resting"
    AGAIN = "again"
    """It was no rest; the reason is in the state."""
    LEARNING = "learning"
    """The baseline is computed."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class RestWindow:
    """One window of the rest.

    Attributes
    ----------
    stop_ns : int
        Its end.
    quality : float
        0 to 1, of what the model needs.
    moving : bool
        Whether motion was too strong for rest.
    reason : str
        Why the quality is low; empty where it is not.
    """

    stop_ns: int
    quality: float
    moving: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WizardState:
    """What the wizard shows.

    Attributes
    ----------
    phase : Phase
        Where it stands.
    share : float
        Of the rest that has passed, 0 to 1.
    left_s : int
        Seconds left.
    feedback : str
        Key of the sentence about now: settle, good, move, signal.
    reason : str
        In :attr:`Phase.AGAIN`: key of the sentence that says why.
    usable, calm : float
        Shares so far.
    """

    phase: Phase = Phase.INTRO
    share: float = 0.0
    left_s: int = int(REST_S)
    feedback: str = "wizard.settle"
    reason: str = ""
    usable: float = 0.0
    calm: float = 0.0


class WizardPresenter(Presenter[WizardState]):
    """Guide through the rest.

    Parameters
    ----------
    clock : callable
        Session time, Unix ns.
    learn : callable
        Told start and stop (ns) of a rest that was one; its outcome comes to :meth:`learned`.
    finished : callable
        Called when the person leaves the last page.
    rest_s : float
        Seconds of rest.
    """

    def __init__(
        self,
        clock: Callable[[], int],
        learn: Callable[[int, int], None],
        finished: Callable[[], None],
        rest_s: float = REST_S,
    ) -> None:
        super().__init__(WizardState(left_s=int(rest_s)))
        self._clock, self._learn, self._finished = clock, learn, finished
        self._rest_ns = int(rest_s * 1e9)
        self._start_ns = 0
        self._windows: list[RestWindow] = []

    def begin(self) -> None:
        """Start to rest, or start again."""
        self._start_ns = self._clock()
        self._windows.clear()
        self._set(phase=Phase.RESTING, share=0.0, left_s=int(self._rest_ns / 1e9), feedback="wizard.settle", reason="",
                  usable=0.0, calm=0.0)  # fmt: skip

    def measured(self, window: RestWindow) -> None:
        """A window was measured; those that began before the rest do not count."""
        if self.state.phase is not Phase.RESTING or window.stop_ns <= self._start_ns:
            return
        self._windows.append(window)
        n = len(self._windows)
        usable = sum(w.quality >= QUALITY for w in self._windows) / n
        calm = sum(not w.moving for w in self._windows) / n
        feedback = "wizard.move" if window.moving else "wizard.signal" if window.quality < QUALITY else "wizard.good"
        self._set(usable=usable, calm=calm, feedback=feedback)

    def tick(self) -> None:
        """Time has passed; call it about once a second."""
        if self.state.phase is not Phase.RESTING:
            return
        past = max(self._clock() - self._start_ns, 0)
        self._set(share=min(past / self._rest_ns, 1.0), left_s=max(round((self._rest_ns - past) / 1e9), 0))
        if past >= self._rest_ns:
            self._judge()

    def interrupted(self) -> None:
        """A sensor that the model needs was lost: the rest has a hole."""
        if self.state.phase is Phase.RESTING:
            self._set(phase=Phase.AGAIN, reason="wizard.again.lost")

    def learned(self, failure: str = "") -> None:
        """The baseline is there, or why not."""
        if failure:
            self._set(phase=Phase.AGAIN, reason="wizard.again.learn")
        else:
            self._set(phase=Phase.DONE)

    def close(self) -> bool:
        """Leave the wizard; False before it is done. Who comes back later rests again."""
        if self.state.phase is Phase.DONE:
            self._finished()
            self._set(phase=Phase.INTRO, share=0.0, left_s=int(self._rest_ns / 1e9))
            return True
        return False

    def _judge(self) -> None:
        if not self._windows or self.state.usable < USABLE:
            self._set(phase=Phase.AGAIN, reason="wizard.again.signal")
        elif self.state.calm < CALM:
            self._set(phase=Phase.AGAIN, reason="wizard.again.move")
        else:
            self._set(phase=Phase.LEARNING)
            self._learn(self._start_ns, self._start_ns + self._rest_ns)
