"""What the app needs to know of a study."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense_app.presenters.consent import Asked
    from feltsense_app.presenters.pair import Place
    from feltsense_app.presenters.prompts import Prompt

__all__ = ["Kind", "Question", "StudyView"]


class Kind(StrEnum):
    """How a question is answered."""

    GRID = "grid"
    """Valence and arousal in one touch; the answer is ``"valence,arousal"``, each from -1 to 1."""
    SLIDER = "slider"
    CHOICE = "choice"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes
    ----------
    id : str
        Of the question.
    kind : Kind
        How it is answered.
    text : str
        In the study's words.
    choices : tuple of str
        Of a choice; the two ends of a slider.
    branch : mapping of str to str
        Answer → the question that comes next; an empty id ends the prompt. Other answers go on in the prompt's order.
    """

    id: str
    kind: Kind
    text: str
    choices: tuple[str, ...] = ()
    branch: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StudyView:
    """A study, as the app shows it.

    Attributes
    ----------
    id, title, contact : str
        Whose study it is.
    crisis : str
        What to do in a crisis, in the study's words.
    consent_text, consent_version : str
        What is agreed to.
    asked : tuple of Asked
        Streams.
    places : tuple of Place
        Sensors.
    prompts : tuple of Prompt
        When it asks.
    questions : mapping of str to Question
        What it asks.
    until : str
        Last day on which it can be joined, ``YYYY-MM-DD``; empty: it has none.
    """

    id: str
    title: str
    contact: str
    crisis: str
    consent_text: str
    consent_version: str
    asked: tuple[Asked, ...]
    places: tuple[Place, ...]
    prompts: tuple[Prompt, ...] = ()
    questions: Mapping[str, Question] = field(default_factory=dict)
    until: str = ""

    def following(self, prompt: str, answers: tuple[tuple[str, str], ...]) -> str:
        """Id of the question that comes after these answers; empty when the prompt is done."""
        order = next(p.questions for p in self.prompts if p.id == prompt)
        if not answers:
            return order[0]
        last, value = answers[-1]
        branch = self.questions[last].branch
        if value in branch:
            return branch[value]
        later = order[order.index(last) + 1 :] if last in order else ()
        given = {q for q, _ in answers}
        return next((q for q in later if q not in given), "")
