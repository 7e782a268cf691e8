"""What there is to estimate, as data: classes, evidence, metrics and setting of each task.

A task may have several variants (two classes or four levels); the labels of the data choose the first that has them all.
A task that is not closed takes other labels too, as they are. Any labelled data set trains one by the same command.
Only ``stress`` has data of people here, so only it ships a model; the others are proven on synthetic participants, which
says that the code works and nothing about people. A target of another name has the labels that the data have.

Sources of the classes: stress levels as in graded stress protocols; the quadrants of arousal and valence (Russell 1980,
J Pers Soc Psychol 39:1161); six basic emotions and neutral (Ekman 1992, Cogn Emot 6:169); states of learners (D'Mello &
Graesser 2012, Learn Instr 22:145) and concentration; safe and warning of a security system.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["REST", "TASKS", "Task", "task"]

REST: Final = "rest"
BODY: Final = ("ecg", "ppg", "eda", "respiration", "face", "voice", "text", "radar", "thermal_array")
"""Everything that may be evidence of a feeling; gates (skin temperature, motion) and surroundings are not."""
_USUAL: Final = ("balanced_accuracy", "macro_f1", "auroc", "calibration_error_equal_shares")


@dataclass(frozen=True, slots=True)
class Task:
    """A task.

    Attributes
    ----------
    name : str
        As ``--target`` takes it.
    about : str
        One sentence.
    variants : mapping of str to tuple of str
        Name → classes in their order, the first the reference.
    decision : mapping of str to str
        Class that each variant's contributions point to.
    modalities : tuple of str
        Who may be evidence; those that nobody has are left out with a note.
    metrics : tuple of str
        Figures of an evaluation that it is judged by.
    setting : str
        Where it is used, as a study file says it (:data:`feltsense.study.schema.SETTINGS`).
    ordered : tuple of str
        Variants whose classes are levels.
    closed : bool
        Whether other labels are refused.
    further_s : tuple of float
        Lengths of shorter windows whose features are inputs beside those of the window.
    """

    name: str
    about: str
    variants: Mapping[str, tuple[str, ...]]
    decision: Mapping[str, str]
    modalities: tuple[str, ...]
    metrics: tuple[str, ...]
    setting: str
    ordered: tuple[str, ...] = ()
    closed: bool = False
    further_s: tuple[float, ...] = ()

    def variant(self, labels: Iterable[str]) -> str | None:
        """The first variant that has all these labels; known rest may stand beside any."""
        found = set(labels)
        return next((n for n, c in self.variants.items() if found <= {*c, REST} and len(found & set(c)) >= 2), None)


def _made(*tasks: Task) -> Mapping[str, Task]:
    return MappingProxyType({t.name: t for t in tasks})


TASKS: Final = _made(
    Task(
        "stress", "Stress against rest, in two classes or in levels.",
        {"binary": (REST, "stress"), "graded": (REST, "low", "medium", "high")},
        {"binary": "stress", "graded": "high"}, ("ppg", "eda"), _USUAL, "home", ("graded",), closed=True,
        further_s=(30.0, 15.0),
    ),
    Task(
        "arousal-valence", "The quadrants of arousal and valence, or one of the two alone.",
        {
            "quadrants": ("low-positive", "low-negative", "high-positive", "high-negative"),
            "arousal": ("low-arousal", "high-arousal"), "valence": ("positive", "negative"),
        },
        {"quadrants": "high-negative", "arousal": "high-arousal", "valence": "negative"}, BODY, _USUAL, "home",
    ),
    Task(
        "emotion", "Categories of emotion.",
        {"basic": ("neutral", "happiness", "sadness", "anger", "fear", "disgust", "surprise")}, {"basic": "anger"}, BODY,
        _USUAL, "home",
    ),
    Task(
        "engagement", "Concentration and affect while learning.",
        {
            "concentration": ("distracted", "concentrated"),
            "affect": ("engaged", "bored", "confused", "frustrated", "delighted"),
        },
        {"concentration": "concentrated", "affect": "frustrated"}, BODY, _USUAL, "education",
    ),
    Task(
        "safety", "Whether somebody at a dangerous task is fit for it: safe or warning.",
        {"binary": ("safe", "warning")}, {"binary": "warning"}, BODY, _USUAL, "workplace", closed=True,
    ),
)  # fmt: skip
"""Name → task."""


def task(name: str) -> Task | None:
    """The task of a target's name; None for a target of the user's own."""
    return TASKS.get(name)
