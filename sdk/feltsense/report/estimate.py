"""The model's estimates over a session, as counts and runs: what it said, and when it said nothing and why.

Shares are over the windows that do not overlap the calibration interval: there the answer would be circular. Windows
without a decision are counted by their reason, windows whose set leaves another class open are counted as such.
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
    from feltsense.core.profile import RestInterval

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

    calibration: bool = False
    """Whether the window overlaps the calibration interval."""

    @property
    def state(self) -> str:
        """The decision; ``calibration``; or empty for none."""
        return CALIBRATION if self.calibration else self.label

    @property
    def open(self) -> bool:
        """Whether a decision leaves another class open."""
        return bool(self.state) and not self.calibration and len(self.set) > 1


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
    open : int
        Decided windows outside calibration in which another class cannot be ruled out.
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
    open: int
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


def estimate(predictions: Sequence[Prediction], t0_ns: int, rests: Sequence[RestInterval] = ()) -> Estimate | None:
    """Gather predictions of one target; None without any.

    Parameters
    ----------
    predictions : sequence of Prediction
        What the model said.
    t0_ns : int
        The recording's first sample.
    rests : sequence of RestInterval
        Where the baseline was learned; a window in it may be silent for a reason of its own.
    """
    if not predictions:
        return None
    ordered = sorted(predictions, key=lambda p: p.start_ns)
    about = _about(ordered)
    resting = [p.reason == CALIBRATION or _overlaps(p, rests) for p in ordered]
    points = tuple(
        EstimatePoint(
            (p.start_ns - t0_ns) / NS,
            (p.stop_ns - t0_ns) / NS,
            p.probabilities.get(about, math.nan),
            "" if p.abstained else p.label,
            p.set,
            p.reason,
            inside,
        )
        for p, inside in zip(ordered, resting, strict=True)
    )
    outside = [p for p in points if not p.calibration]
    labels = Counter(p.label for p in outside if p.label)
    silent = Counter(p.reason or "undecided" for p in outside if not p.label)
    return Estimate(
        target=ordered[0].target,
        about=about,
        points=points,
        labels=tuple(sorted(labels.items())),
        silent=tuple(sorted(silent.items())),
        open=sum(p.open for p in outside),
        calibration=len(points) - len(outside),
        drivers=_drivers([p for p, inside in zip(ordered, resting, strict=True) if p.label == about and not inside]),
    )


def _overlaps(prediction: Prediction, rests: Sequence[RestInterval]) -> bool:
    return any(prediction.start_ns < r.stop_ns and r.start_ns < prediction.stop_ns for r in rests)


def _about(predictions: Sequence[Prediction]) -> str:
    """The class that the target names, else the last one (the first is the reference)."""
    classes = next((tuple(p.probabilities) for p in predictions if p.probabilities), ())
    target = predictions[0].target
    return target if target in classes or not classes else classes[-1]


def _drivers(decided: Sequence[Prediction]) -> tuple[tuple[str, float], ...]:
    names = list(dict.fromkeys(n for p in decided for n in p.contributions))
    means = [(n, sum(p.contributions.get(n, 0.0) for p in decided) / len(decided)) for n in names]
    return tuple(sorted(means, key=lambda m: -abs(m[1])))
