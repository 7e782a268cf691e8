"""Fit on one side of each split, answer for the people of the other, and set the guards beside the figure.

Rules
-----
- The model of a split is what :func:`feltsense.train.fit.fit` makes of its learning side: exactly what ``feltsense
  train`` without the judged people writes.
- Windows that overlap the person's calibration, or lie next to it, are scored in no arm.
- A window counts where it has a label and an answer; how many have none is reported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.bundle import SUFFIX
from feltsense.errors import LeakError
from feltsense.evaluate import metrics
from feltsense.evaluate.apply import PIECE_S, answer, rearranged
from feltsense.fusion.late import probabilities
from feltsense.train.card import card
from feltsense.train.examples import HOP_S
from feltsense.train.fit import fit
from feltsense.train.parallel import side_by_side
from feltsense.train.splits import SubjectSplits
from feltsense.train.stacking import smooth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from feltsense.bundle.schema import Model
    from feltsense.evaluate.apply import Answers
    from feltsense.train.examples import Line
    from feltsense.train.splits import Cohort, SubjectSplit
    from feltsense.train.targets import Target

__all__ = ["PIECE_S", "SHUFFLES", "Arm", "Fold", "arms", "evaluate", "of_model"]

SHUFFLES = 10
"""Rearranged timelines a person."""


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """Windows that were scored in one way.

    Attributes
    ----------
    subject, time_s : ndarray, shape (n,)
        Whose, and when the window ended, seconds since the recording's first sample.
    truth : ndarray of int64, shape (n,)
        Class number.
    probability : ndarray, shape (n, classes)
        What was said.
    """

    subject: NDArray[np.str_]
    time_s: NDArray[np.float64]
    truth: NDArray[np.int64]
    probability: NDArray[np.float64]

    @classmethod
    def joined(cls, arms: Sequence[Arm]) -> Arm:
        """Several arms as one."""
        return cls(*(np.concatenate([getattr(a, n) for a in arms]) for n in ("subject", "time_s", "truth", "probability")))

    def figures(self, decided: int, *, interval: bool = True, matched: bool = True) -> dict[str, Any]:
        """All metrics; `decided` is the class that AUROC and calibration are about.

        `interval`: with bootstrap intervals. `matched`: with the time-matched AUROC, which means nothing where the
        order of a timeline is not its own.
        """
        said = self.probability.argmax(axis=1)
        hit = self.truth == decided
        score = self.probability[:, decided]
        weight = len(hit) / np.maximum(np.bincount(self.truth), 1)[self.truth]
        out: dict[str, Any] = {
            "windows": len(self.truth),
            "balanced_accuracy": metrics.balanced_accuracy(self.truth, said),
            "auroc": metrics.auroc(hit, score),
            "macro_f1": metrics.macro_f1(self.truth, said),
            "accuracy": metrics.accuracy(self.truth, said),
            "brier": metrics.brier(self.truth, self.probability),
            "calibration_error_equal_shares": metrics.calibration_error(hit, score, weight),
        }
        if matched:
            out["time_matched_auroc"] = metrics.time_matched_auroc(hit, score, self.time_s, self.subject)
        if interval:
            out["balanced_accuracy_95"] = metrics.bootstrap_interval(
                self.subject, lambda r: metrics.balanced_accuracy(self.truth[r], said[r])
            )
            out["auroc_95"] = metrics.bootstrap_interval(self.subject, lambda r: metrics.auroc(hit[r], score[r]))
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One person's answers, of a model that never saw the person.

    Attributes
    ----------
    subject : str
        Who was left out.
    arms : mapping of str to Arm
        Name of the arm → its windows.
    unanswered, windows : int
        Scored windows without an answer, and all of them.
    """

    subject: str
    arms: dict[str, Arm] = field(default_factory=dict)
    unanswered: int = 0
    windows: int = 0


def evaluate(
    splits: SubjectSplits, target: Target, training: Mapping[str, Any], kept: Path | None = None
) -> Iterator[Fold]:
    """Everyone judged in turn, in the order of the splits.

    Parameters
    ----------
    splits : SubjectSplits
        Who is learned from and who is judged (:mod:`feltsense.train.splits`).
    target : Target
        What to estimate.
    training : mapping
        Where the data come from; goes into the bundles that are kept.
    kept : Path, optional
        Folder for the bundle of each split.

    Raises
    ------
    LeakError
        If the data come in any other way than through splits.
    """
    if not isinstance(splits, SubjectSplits):
        msg = f"evaluate() takes data only through SubjectSplits (feltsense.train.splits), got {type(splits).__name__}"
        raise LeakError(msg)
    done = side_by_side(partial(_run_split, splits, target, dict(training), kept), range(len(splits)))
    return (fold for folds in done for fold in folds)


def _run_split(
    splits: SubjectSplits, target: Target, training: Mapping[str, Any], kept: Path | None, number: int
) -> list[Fold]:
    """Fit on one side, answer for the people of the other."""
    split = splits[number]
    fitted = fit(split, target, training=training)
    if kept is not None:
        from feltsense.bundle.write import write

        write(kept / f"{split.name}{SUFFIX}", fitted.model, card(fitted.model), fitted.stack)
    raw = fit(split, target, calibrated=False).model
    clock = _clock(split, len(target.classes))
    out = []
    for subject in split.judge.people:
        mine = split.judge.only((subject,)).lines
        fold = _scored(fitted.model, mine, subject)
        fold.arms["raw"] = Arm.joined([_arm(x, answer(raw, x, calibrated=False)) for x in mine])
        fold.arms["time_only"] = Arm.joined([clock(x) for x in mine])
        out.append(fold)
    return out


def of_model(cohort: Cohort, model: Model) -> list[Fold]:
    """Everyone's answers of one model that is already there."""
    return [_scored(model, cohort.only((s,)).lines, s) for s in cohort.people]


def _scored(model: Model, mine: Sequence[Line], subject: str) -> Fold:
    silent = sum(int((x.scored & ~answer(model, x).present).sum()) for x in mine)
    return Fold(subject, arms(model, mine), silent, sum(int(x.scored.sum()) for x in mine))


def arms(model: Model, mine: Sequence[Line]) -> dict[str, Arm]:
    """Arms that need nothing but the model: calibrated, not calibrated, rearranged, each modality alone."""
    out = {
        "rest": Arm.joined([_arm(x, answer(model, x)) for x in mine]),
        "rest_model_without_profile": Arm.joined([_arm(x, answer(model, x, calibrated=False)) for x in mine]),
        "order_randomised": Arm.joined([_shuffled(model, x, seed) for x in mine for seed in range(SHUFFLES)]),
    }
    for m in model.modalities:
        gone = [other for other in model.modalities if other != m]
        if gone:
            out[f"{m}_alone"] = Arm.joined([_arm(x, answer(model, x, without=gone)) for x in mine])
    return out


def _arm(line: Line, said: Answers) -> Arm:
    keep = line.scored & said.present
    return Arm(np.full(int(keep.sum()), line.subject), line.stop_s[keep], line.y[keep], said.probability[keep])


def _shuffled(model: Model, line: Line, seed: int) -> Arm:
    said = answer(model, line)
    order = rearranged(line, HOP_S, seed)
    clock = line.stop_s[0] + HOP_S * np.arange(len(order)) if len(order) else np.empty(0)
    smoothed = smooth(said.logit[order], said.present[order], line.known[order], clock, model.half_life_s)
    keep = line.scored[order] & said.present[order]
    p = probabilities(smoothed)
    return Arm(np.full(int(keep.sum()), line.subject), clock[keep], line.y[order][keep], p[keep])


def _clock(split: SubjectSplit, classes: int) -> Callable[[Line], Arm]:
    """What a model says that sees nothing but the time since the start."""
    import lightgbm

    from feltsense.train.margins import class_weights

    t = np.concatenate([x.stop_s[x.scored] for x in split.learn.lines])[:, None]
    y = np.concatenate([x.y[x.scored] for x in split.learn.lines])
    goal = {"objective": "multiclass", "num_class": classes, "num_leaves": 15, "min_data_in_leaf": 20, "verbosity": -1}
    fixed = {"num_threads": 1, "deterministic": True, "seed": 0}
    clock = lightgbm.train({**goal, **fixed}, lightgbm.Dataset(t, y, weight=class_weights(y, classes)), 100)

    def arm(x: Line) -> Arm:
        s = x.scored
        p = np.asarray(clock.predict(x.stop_s[s][:, None])).reshape(-1, classes)
        return Arm(np.full(int(s.sum()), x.subject), x.stop_s[s], x.y[s], p)

    return arm
