"""What is to be estimated: classes, and which modalities may be evidence for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feltsense import features
from feltsense.core.modality import over
from feltsense.errors import ModelDataError
from feltsense.train.tasks import REST, task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feltsense.train.tasks import Task

__all__ = ["Target", "target"]

NO_EVIDENCE = frozenset({"skin_temperature", "motion", "intervals"})
"""Modalities that gate and describe, and are no evidence of a state of mind: temperature drifts with the time since
the strap was put on and motion goes with speech and gesture, so both tell a protocol's clock, not a feeling."""

WINDOW_S = 60.0
HALF_LIVES_S = (10.0, 15.0, 20.0, 30.0)
"""Memories of the smoothing to choose from: longer ones only pay where states last ten minutes, and answer late."""


@dataclass(frozen=True, slots=True)
class Target:
    """A target.

    Attributes
    ----------
    name : str
        For example ``"stress"``.
    classes : tuple of str
        The first is the reference.
    decision : str
        Class that contributions point to.
    modalities : tuple of str
        Who may be evidence.
    window_s : float
        Window length.
    further_s : tuple of float
        Lengths of shorter windows that end at the same moment, whose features are inputs beside.
    half_lives : tuple of float
        Memories of the smoothing, in seconds, that a fit chooses from; the first judges its other choices.
    joint : str
        How a joint part puts its tokens together (:data:`feltsense.crossmodal.AGGREGATES`); empty: none is tried.
    """

    name: str
    classes: tuple[str, ...]
    decision: str
    modalities: tuple[str, ...]
    window_s: float = WINDOW_S
    half_lives: tuple[float, ...] = HALF_LIVES_S
    joint: str = ""
    further_s: tuple[float, ...] = ()

    @property
    def watched(self) -> tuple[str, ...]:
        """Modalities of the features: those that may be evidence, then each over the further windows."""
        return (*self.modalities, *(over(m, s) for m in self.modalities for s in self.further_s))

    @property
    def rest(self) -> str | None:
        """The class of known rest, from which people are calibrated; None if the target has none."""
        return REST if REST in self.classes else None


def target(name: str, labels: Iterable[str]) -> Target:
    """The target `name` with the labels that the data have.

    Raises
    ------
    ModelDataError
        If the labels do not make at least two classes, or are not those of the task.
    """
    found = sorted(set(labels))
    if len(found) < 2:
        both = ": rest and stress, both needed," if name == "stress" else " are needed,"
        msg = f"target {name}: at least two labels{both} the data have: {', '.join(found) or 'none'}"
        raise ModelDataError(msg)
    known = task(name)
    variant = known.variant(found) if known is not None else None
    if known is not None and (variant is not None or known.closed):
        return _of(known, variant, found)
    # Rest, where there is one, is the reference that the others are compared with.
    classes = tuple(sorted(found, key=lambda c: (c != REST, c)))
    anyone = tuple(m for m in features.modalities() if m not in NO_EVIDENCE)
    return Target(name, classes, classes[1], known.modalities if known is not None else anyone)


def _of(known: Task, name: str | None, found: list[str]) -> Target:
    """A task's target with the classes that the data have, in the task's order."""
    if name is None:
        ways = "; or ".join(", ".join(c) for c in known.variants.values())
        msg = (
            f"target {known.name} has the labels {ways} (two of them at least); the data have: {', '.join(found)}; "
            "rename them, or give the target a name of your own"
        )
        raise ModelDataError(msg)
    order = known.variants[name]
    classes = tuple(c for c in ((REST, *order) if REST not in order else order) if c in found)
    decision = known.decision[name] if known.decision[name] in classes[1:] else classes[-1]
    return Target(known.name, classes, decision, known.modalities, further_s=known.further_s)
