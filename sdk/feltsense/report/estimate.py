"""The model's estimates over a session, as counts and runs: what it said, and when it said nothing and why.

A window is *scored* when it lies neither in the calibration interval nor before it was possible to say anything
(no modality present). Shares are over scored windows; every other window is counted by its reason.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feltsense.core.timeline import NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feltsense.core.prediction import Prediction

__all__ = ["CALIBRATION", "Estimate", "EstimatePoint", "estimate"]

CALIBRATION = "calibration"
"""Reason of windows that overlap the calibration interval (design section 6)."""


@dataclass(frozen=True, slots=True)
class EstimatePoint:
    """One window's estimate.

    Attributes
    ----------
    start_s, stop_s : float
        The window, seconds from the recording's first sample.
    probability : float
        Of the class that is decided about; NaN where no modality was present.
    label : str
        The decision, empty when there is none.
    set : tuple of str
        Classes that cannot be ruled out.
    reason : str
        Why there is no decision, or ``calibration``.
    """

    start_s: float
    stop_s: float
    probability: float
    label: str
    set: tuple[str, ...]
    reason: str

    @property
    def state(self) -> str:
        """The decision; ``calibration``; or empty for none."""
        return CALIBRATION if self.reason == CALIBRATION else self.label


@dataclass(frozen=True, slots=True)
class Estimate:
    """All estimates of a session for one target.

    Attributes
    ----------
    target, about : str
        The target, and the class whose probability is shown.
    points : tuple of EstimatePoint
        In order of time.
    labels : tuple of (str, int)
        Windows outside calibration with each decision.
    silent : tuple of (str, int)
        Windows outside calibration without a decision, by reason.
    calibration : int
        Windows that overlap the calibration interval.
    drivers : tuple of (str, float)
        Mean contribution of each part to the logit over the windows decided as `about`, largest first.
    """

    target: str
    about: str
    points: tuple[EstimatePoint, ...]
    labels: tuple[tuple[str, int], ...]
    silent: tuple[tuple[str, int], ...]
    calibration: int
    drivers: tuple[tuple[str, float], ...]

    @property
    def outside(self) -> int:
        """Windows outside the calibration interval."""
        return len(self.points) - self.calibration

    @property
    def decided(self) -> int:
        """Windows outside the calibration interval with a decision."""
        return sum(n for _, n in self.labels)


def estimate(predictions: Sequence[Prediction], t0_ns: int) -> Estimate | None:
    """Gather predictions of one target; None without any."""
    if not predictions:
        return None
    ordered = sorted(predictions, key=lambda p: p.start_ns)
    about = _about(ordered)
    points = tuple(
        EstimatePoint(
            (p.start_ns - t0_ns) / NS,
            (p.stop_ns - t0_ns) / NS,
            p.probabilities.get(about, math.nan),
            "" if p.abstained else p.label,
            p.set,
            p.reason,
        )
        for p in ordered
    )
    outside = [p for p in points if p.reason != CALIBRATION]
    labels = Counter(p.label for p in outside if p.label)
    silent = Counter(p.reason or "undecided" for p in outside if not p.label)
    return Estimate(
        target=ordered[0].target,
        about=about,
        points=points,
        labels=tuple(sorted(labels.items())),
        silent=tuple(sorted(silent.items())),
        calibration=len(points) - len(outside),
        drivers=_drivers([p for p in ordered if p.label == about and p.reason != CALIBRATION]),
    )


def _about(predictions: Sequence[Prediction]) -> str:
    """The class that the target names, else the last one (the first is the reference)."""
    classes = next((tuple(p.probabilities) for p in predictions if p.probabilities), ())
    target = predictions[0].target
    return target if target in classes or not classes else classes[-1]


def _drivers(decided: Sequence[Prediction]) -> tuple[tuple[str, float], ...]:
    names = list(dict.fromkeys(n for p in decided for n in p.contributions))
    means = [(n, sum(p.contributions.get(n, 0.0) for p in decided) / len(decided)) for n in names]
    return tuple(sorted(means, key=lambda m: -abs(m[1])))
