"""What the model says about one window, how sure it is, why, and when it would rather say nothing."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Prediction"]


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One window's estimate.

    Attributes
    ----------
    target : str
        What is estimated, for example ``"stress"``.
    start_ns, stop_ns : int
        The window.
    probabilities : mapping of str to float
        Final (smoothed, calibrated) probability of each class; empty where no modality is present.
    label : str
        The decision; empty when abstained.
    set : tuple of str
        The conformal set: classes that cannot be ruled out.
    abstained : bool
        Whether there is no decision.
    reason : str
        Why there is none, or what is special about the window (``calibration``); empty otherwise.
    quality : float
        Best quality of a modality that took part, 0..1.
    logits : mapping of str to float
        This window's fused logits before smoothing (the first class is the reference, 0).
    contributions : mapping of str to float
        ``base``, each modality and ``joint``: they add up to the logit of the class that is decided about.
    model : str
        Id of the bundle.
    imagined : tuple of str
        Modalities that are missing and of which the joint part of the model imagined what they would have said.
    """

    target: str
    start_ns: int
    stop_ns: int
    probabilities: Mapping[str, float]
    label: str
    set: tuple[str, ...]
    abstained: bool
    reason: str
    quality: float
    logits: Mapping[str, float]
    contributions: Mapping[str, float]
    model: str
    imagined: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("probabilities", "logits", "contributions"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
