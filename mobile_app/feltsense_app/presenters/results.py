"""Own results: what the model makes of the signals, why, how sure it is, and when it says nothing.

Rules
-----
- The words follow from the prediction and say no more: what moved the estimate, and which way.
- "Not sure" is said where the set holds more than one class; silence is shown with its reason, never as a calm reading.
- Before the baseline there is no result: a figure that is not calibrated to the person is not shown to the person.
- The day is kept as counts in bins of :data:`BIN_S`; nothing is stored twice.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from feltsense.core.prediction import Prediction

__all__ = ["Bin", "ResultsPresenter", "ResultsState", "Why"]

BIN_S = 300
"""Five minutes: as fine as anybody reads a day."""
BINS = 288
"""Of the last 24 hours."""
WORTH_SAYING = 0.2
"""Log odds from which a contribution is named: it moves .50 to .55."""


@dataclass(frozen=True, slots=True)
class Why:
    """One reason.

    Attributes
    ----------
    modality : str
        What moved the estimate.
    towards : bool
        Whether towards the class that the target names.
    strong : bool
        Whether it alone would move even odds beyond two to one.
    """

    modality: str
    towards: bool
    strong: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """Five minutes of the day.

    Attributes
    ----------
    start_s : int
        Unix seconds.
    named, other, silent : int
        Windows decided as the class that the target names, as another, and without a decision.
    """

    start_s: int
    named: int = 0
    other: int = 0
    silent: int = 0


@dataclass(frozen=True, slots=True)
class ResultsState:
    """What the results screen shows.

    Attributes
    ----------
    calibrated : bool
        Whether there is a baseline; without one nothing else is shown.
    sentence : str
        Key: results.none, .stress, .rest, .silent …
    label, reason : str
        The decision; why there is none.
    probability : float
        Of the class that the target names; NaN where there is none.
    sure : bool
        Whether the set holds one class.
    why : tuple of Why
        Strongest first.
    day : tuple of Bin
        The last 24 hours, oldest first.
    inference : bool
        Whether an estimate runs now: the badge.
    """

    calibrated: bool = False
    sentence: str = "results.none"
    label: str = ""
    reason: str = ""
    probability: float = float("nan")
    sure: bool = False
    why: tuple[Why, ...] = ()
    day: tuple[Bin, ...] = ()
    inference: bool = False


class ResultsPresenter(Presenter[ResultsState]):
    """Show what the session says."""

    def __init__(self) -> None:
        super().__init__(ResultsState())

    def inference(self, *, on: bool) -> None:
        """Estimating was switched on or off."""
        self._set(inference=on)

    def calibrated(self) -> None:
        """There is a baseline now."""
        self._set(calibrated=True, sentence="results.wait")

    def forget(self) -> None:
        """Everything was erased."""
        self._set(**{f.name: f.default for f in fields(ResultsState)})

    def push(self, prediction: Prediction) -> None:
        """A window was estimated; without a baseline, and during it, nothing is shown."""
        if not self.state.calibrated or prediction.reason == "calibration":
            return
        named = prediction.target if prediction.target in prediction.probabilities else ""
        silent = prediction.abstained or not prediction.label
        self._set(
            sentence="results.silent" if silent else "results.named" if prediction.label == named else "results.other",
            label=prediction.label,
            reason=prediction.reason,
            probability=prediction.probabilities.get(named, float("nan")),
            sure=len(prediction.set) == 1,
            why=() if silent else _why(prediction),
            day=_counted(self.state.day, prediction, named),
        )


def _why(prediction: Prediction) -> tuple[Why, ...]:
    parts = [(m, c) for m, c in prediction.contributions.items() if m not in ("base", "joint") and abs(c) >= WORTH_SAYING]
    return tuple(Why(m, c > 0, abs(c) >= 0.7) for m, c in sorted(parts, key=lambda p: -abs(p[1])))


def _counted(day: tuple[Bin, ...], prediction: Prediction, named: str) -> tuple[Bin, ...]:
    start = prediction.stop_ns // 10**9 // BIN_S * BIN_S
    before = next((b for b in day if b.start_s == start), Bin(start))
    silent = prediction.abstained or not prediction.label
    yes = not silent and prediction.label == named
    now = Bin(start, before.named + yes, before.other + (not silent and not yes), before.silent + silent)
    kept = (b for b in day if b.start_s != start and b.start_s > start - BINS * BIN_S)
    return (*kept, now)
