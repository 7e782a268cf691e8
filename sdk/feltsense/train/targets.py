"""What is to be estimated: classes, and which modalities may be evidence for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feltsense import features
from feltsense.errors import ModelDataError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Target", "target"]

NO_EVIDENCE = frozenset({"skin_temperature", "motion"})
"""Modalities that gate and describe, and are no evidence of a state of mind: temperature drifts with the time since
the strap was put on and motion goes with speech and gesture, so both tell a protocol's clock, not a feeling."""

WINDOW_S = 60.0
HALF_LIFE_S = 30.0
"""Memory of the smoothing: longer ones only pay where states last ten minutes, and answer late."""

REST = "rest"


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
    window_s, half_life_s : float
        Window length, and memory of the smoothing.
    joint : str
        How a joint part puts its tokens together (:data:`feltsense.crossmodal.AGGREGATES`); empty: none is tried.
    """

    name: str
    classes: tuple[str, ...]
    decision: str
    modalities: tuple[str, ...]
    window_s: float = WINDOW_S
    half_life_s: float = HALF_LIFE_S
    joint: str = ""

    @property
    def rest(self) -> str | None:
        """The class of known rest, from which people are calibrated; None if the target has none."""
        return REST if REST in self.classes else None


def target(name: str, labels: Iterable[str]) -> Target:
    """The target `name` with the labels that the data have.

    Raises
    ------
    ModelDataError
        If the labels do not make at least two classes, or are not those of the target.
    """
    found = sorted(set(labels))
    if name == "stress":
        unknown = sorted(set(found) - {REST, "stress"})
        if unknown or len(found) < 2:
            msg = f"target stress has the labels rest and stress, both needed; the data have: {', '.join(found) or 'none'}"
            raise ModelDataError(msg)
        return Target(name, (REST, "stress"), "stress", ("ppg", "eda"))
    if len(found) < 2:
        msg = f"target {name}: at least two labels are needed, the data have: {', '.join(found) or 'none'}"
        raise ModelDataError(msg)
    # Rest, where there is one, is the reference that the others are compared with.
    classes = tuple(sorted(found, key=lambda c: (c != REST, c)))
    return Target(name, classes, classes[1], tuple(m for m in features.modalities() if m not in NO_EVIDENCE))
