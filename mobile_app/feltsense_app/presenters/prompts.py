"""Prompts: when to ask, what was asked, and what came of it, logged apart.

Rules
-----
- A prompt is scheduled, shown, opened, and answered or expired; each is logged with its time when it happens, so that
  "was it delivered?" has an answer. A prompt that was due while the app did not run is logged as missed.
- When a prompt comes is the study's matter (:mod:`feltsense.study.schedule`).
- A clock that is set back asks nothing twice: a prompt is known by its number, not by its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from feltsense.core.timeline import NS
from feltsense.study.schedule import after_change, changes_of, due
from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from feltsense.study.schedule import Due, When

__all__ = ["Logged", "Prompt", "PromptsPresenter", "PromptsState", "Stage"]

MOST_DAYS = 31
"""How far back prompts are looked for that came due while the app did not run."""
MOST_TEXT = 2000
"""Characters of a free answer."""


class Stage(StrEnum):
    """What happened to a prompt."""

    SCHEDULED = "scheduled"
    SHOWN = "shown"
    OPENED = "opened"
    ANSWERED = "answered"
    EXPIRED = "expired"
    MISSED = "missed"
    """It was due while the app did not run."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a study asks, and when.

    Attributes
    ----------
    id : str
        Of the prompt, in the study.
    questions : tuple of str
        Ids of its questions.
    when : When
        When it comes.
    """

    id: str
    questions: tuple[str, ...]
    when: When


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of the log.

    Attributes
    ----------
    t_ns : int
        When it happened.
    key, prompt : str
        Of which prompt.
    stage : Stage
        What happened.
    answers : tuple of (str, str)
        Question and answer; only when answered.
    """

    t_ns: int
    key: str
    prompt: str
    stage: Stage
    answers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PromptsState:
    """What is asked now.

    Attributes
    ----------
    waiting : Due or None
        The prompt that is shown.
    opened : bool
        Whether the person opened it.
    question : str
        Id of the question that is asked; empty when none is.
    answers : tuple of (str, str)
        Given so far.
    """

    waiting: Due | None = None
    opened: bool = False
    question: str = ""
    answers: tuple[tuple[str, str], ...] = ()


class PromptsPresenter(Presenter[PromptsState]):
    """Ask.

    Parameters
    ----------
    prompts : sequence of Prompt
        Of the study.
    participant : str
        Pseudonym.
    past : sequence of Logged
        The log so far: what it knows is not asked again.
    log : callable
        Told every line, at once; it must keep it.
    next_question : callable
        ``(prompt, answers) -> id`` of the next question, empty when there is none: where a study branches.
    zone : tzinfo
        Local time.
    """

    def __init__(
        self,
        prompts: Sequence[Prompt],
        participant: str,
        past: Sequence[Logged],
        log: Callable[[Logged], None],
        next_question: Callable[[str, tuple[tuple[str, str], ...]], str],
        zone: tzinfo = UTC,
    ) -> None:
        super().__init__(PromptsState())
        self._prompts = tuple(prompts)
        self._participant, self._log, self._next, self._zone = participant, log, next_question, zone
        self._stages = {(x.key, x.stage) for x in past}
        self._changes = changes_of(self._prompts, (x.key for x in past))
        self._ran_ns = max((x.t_ns for x in past), default=None)
        """When something was logged last; None once all that came due since then is known."""

    def tick(self, now_ns: int) -> None:
        """Time has passed: show what is due, expire what was not answered."""
        waiting = self.state.waiting
        if waiting is not None and now_ns >= waiting.expires_ns:
            self._say(now_ns, waiting, Stage.EXPIRED)
            self._set(waiting=None, opened=False, question="", answers=())
        for item in self._today(now_ns):
            self._say(min(now_ns, item.t_ns), item, Stage.SCHEDULED)
            if item.t_ns > now_ns or self._ended(item):
                continue
            late = now_ns >= item.expires_ns
            if late:
                shown = (item.key, Stage.SHOWN) in self._stages
                self._say(now_ns, item, Stage.EXPIRED if shown else Stage.MISSED)
            elif self.state.waiting is None:
                self._say(now_ns, item, Stage.SHOWN)
                self._set(waiting=item, opened=False, question="", answers=())

    def change(self, now_ns: int) -> None:
        """The estimate changed: ask, if the study wants that and the pause is over."""
        keys = {key for key, _ in self._stages} | {c.key for c in self._changes}
        self._changes += after_change(self._prompts, now_ns, keys, self._zone)
        self.tick(now_ns)

    def open(self, now_ns: int) -> None:
        """The person opened the prompt."""
        waiting = self.state.waiting
        if waiting is not None and not self.state.opened:
            self._say(now_ns, waiting, Stage.OPENED)
            self._set(opened=True, question=self._next(waiting.prompt, ()))

    def answer(self, value: str, now_ns: int) -> None:
        """Answer the question that is asked; the last answer ends the prompt."""
        waiting, state = self.state.waiting, self.state
        if waiting is None or not state.question:
            return
        answers = (*state.answers, (state.question, value[:MOST_TEXT]))
        following = self._next(waiting.prompt, answers)
        if following:
            self._set(question=following, answers=answers)
            return
        self._say(now_ns, waiting, Stage.ANSWERED, answers)
        self._set(waiting=None, opened=False, question="", answers=())

    def _today(self, now_ns: int) -> list[Due]:
        """What yesterday's and today's plans and changes hold: a prompt at 23:55 can be answered after midnight."""
        today, back = datetime.fromtimestamp(now_ns / NS, self._zone).date(), 1
        if self._ran_ns is not None:
            # After days without the app: what came due in them was missed, and is logged so.
            back = min(max((today - datetime.fromtimestamp(self._ran_ns / NS, self._zone).date()).days, back), MOST_DAYS)
            self._ran_ns = None
        days = [due(self._prompts, today - timedelta(days=k), self._participant, self._zone) for k in range(back + 1)]
        self._changes = [c for c in self._changes if not self._ended(c)]
        return sorted([*(item for day in days for item in day), *self._changes])

    def _ended(self, item: Due) -> bool:
        return any((item.key, s) in self._stages for s in (Stage.ANSWERED, Stage.EXPIRED, Stage.MISSED))

    def _say(self, t_ns: int, item: Due, stage: Stage, answers: tuple[tuple[str, str], ...] = ()) -> None:
        if (item.key, stage) not in self._stages:
            self._stages.add((item.key, stage))
            self._log(Logged(t_ns, item.key, item.prompt, stage, answers))
