"""Prompts: when to ask, what was asked, and what came of it, logged apart.

Rules
-----
- A prompt is scheduled, shown, opened, and answered or expired; each is logged with its time when it happens, so that
  "was it delivered?" has an answer. A prompt that was due while the app did not run is logged as missed.
- The plan of a day is drawn from the study, the participant and the date: the same after a restart, other for others.
- A prompt after a detected change comes at most once in its pause.
- A clock that is set back asks nothing twice: a prompt is known by its number, not by its time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, tzinfo

__all__ = ["Due", "Logged", "Prompt", "PromptsPresenter", "PromptsState", "Stage", "plan"]

NS = 10**9
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
    at : tuple of (float, float)
        Windows of a day in hours of local time; equal ends: at that time exactly. Each gives one prompt a day.
    after_change : bool
        Whether it is also asked after a detected change.
    pause_s : float
        Least time between two that a change asked for.
    expires_s : float
        How long it can be answered.
    """

    id: str
    questions: tuple[str, ...]
    at: tuple[tuple[float, float], ...] = ()
    after_change: bool = False
    pause_s: float = 3600.0
    expires_s: float = 900.0


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One prompt at its time.

    Attributes
    ----------
    t_ns : int
        When, Unix ns.
    key : str
        Prompt, day and number: the same after a restart.
    prompt : str
        Id of the prompt.
    """

    t_ns: int
    key: str
    prompt: str


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


def plan(prompts: Sequence[Prompt], day: date, participant: str, zone: tzinfo = UTC) -> list[Due]:
    """All prompts of a day, in order.

    Parameters
    ----------
    prompts : sequence of Prompt
        Of the study.
    day : date
        In local time.
    participant : str
        Pseudonym: random times differ from person to person.
    zone : tzinfo
        Of the local time.
    """
    out = []
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    for prompt in prompts:
        for number, (start, stop) in enumerate(prompt.at):
            key = f"{prompt.id}/{day.isoformat()}/{number}"
            seed = hashlib.sha256(f"{participant}/{key}".encode()).digest()
            hours = start + (stop - start) * float(np.random.default_rng(list(seed)).random())
            when = midnight + timedelta(hours=hours)
            out.append(Due(int(when.timestamp()) * NS, key, prompt.id))
    return sorted(out)


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
        self._prompts = {p.id: p for p in prompts}
        self._participant, self._log, self._next, self._zone = participant, log, next_question, zone
        self._stages = {(x.key, x.stage) for x in past}
        self._last_change = max((x.t_ns for x in past if "/change/" in x.key), default=-(10**19))
        self._changes: list[Due] = []

    def tick(self, now_ns: int) -> None:
        """Time has passed: show what is due, expire what was not answered."""
        waiting = self.state.waiting
        if waiting is not None and now_ns >= waiting.t_ns + self._expires(waiting):
            self._say(now_ns, waiting, Stage.EXPIRED)
            self._set(waiting=None, opened=False, question="", answers=())
        for due in self._today(now_ns):
            self._say(min(now_ns, due.t_ns), due, Stage.SCHEDULED)
            if due.t_ns > now_ns or self._ended(due):
                continue
            late = now_ns - due.t_ns >= self._expires(due)
            if late:
                shown = (due.key, Stage.SHOWN) in self._stages
                self._say(now_ns, due, Stage.EXPIRED if shown else Stage.MISSED)
            elif self.state.waiting is None:
                self._say(now_ns, due, Stage.SHOWN)
                self._set(waiting=due, opened=False, question="", answers=())

    def change(self, now_ns: int) -> None:
        """The estimate changed: ask, if the study wants that and the pause is over."""
        for prompt in self._prompts.values():
            if prompt.after_change and now_ns - self._last_change >= int(prompt.pause_s * NS):
                self._last_change = now_ns
                self._changes.append(Due(now_ns, f"{prompt.id}/change/{now_ns}", prompt.id))
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
        today = datetime.fromtimestamp(now_ns / NS, self._zone).date()
        prompts = tuple(self._prompts.values())
        days = [plan(prompts, day, self._participant, self._zone) for day in (today - timedelta(days=1), today)]
        self._changes = [c for c in self._changes if not self._ended(c)]
        return sorted([*days[0], *days[1], *self._changes])

    def _expires(self, due: Due) -> int:
        return int(self._prompts[due.prompt].expires_s * NS)

    def _ended(self, due: Due) -> bool:
        return any((due.key, s) in self._stages for s in (Stage.ANSWERED, Stage.EXPIRED, Stage.MISSED))

    def _say(self, t_ns: int, due: Due, stage: Stage, answers: tuple[tuple[str, str], ...] = ()) -> None:
        if (due.key, stage) not in self._stages:
            self._stages.add((due.key, stage))
            self._log(Logged(t_ns, due.key, due.prompt, stage, answers))
