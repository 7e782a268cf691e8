"""Windows that were scored in one way, and their figures."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.evaluate import metrics
from feltsense.evaluate.bootstrap import auroc_interval, recall_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.train.examples import Line

__all__ = ["Arm", "Fold", "equal_shares"]


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """Windows that were scored in one way.

    Attributes
    ----------
    subject : ndarray of str, shape (n,)
        Whose.
    start_unix, time_s : ndarray, shape (n,)
        Which recording of theirs (Unix time of its first sample), and when in it the window ended, in seconds.
    truth : ndarray of int64, shape (n,)
        Class number.
    probability : ndarray, shape (n, classes)
        What was said.
    """

    subject: NDArray[np.str_]
    start_unix: NDArray[np.float64]
    time_s: NDArray[np.float64]
    truth: NDArray[np.int64]
    probability: NDArray[np.float64]

    @classmethod
    def of(cls, line: Line, keep: NDArray[np.bool_], probability: NDArray[np.float64]) -> Arm:
        """The windows `keep` of a recording."""
        n = int(keep.sum())
        return cls(np.full(n, line.subject), np.full(n, line.start_unix), line.stop_s[keep], line.y[keep], probability[keep])

    @classmethod
    def joined(cls, arms: Sequence[Arm]) -> Arm:
        """Several arms as one."""
        return cls(*(np.concatenate([getattr(a, f.name) for a in arms]) for f in fields(cls)))

    @property
    def said(self) -> NDArray[np.int64]:
        """The more probable class."""
        out: NDArray[np.int64] = self.probability.argmax(axis=1)
        return out

    def figures(self, decided: int, *, interval: bool = True, matched: bool = True) -> dict[str, Any]:
        """All metrics; `decided` is the class that AUROC and calibration are about.

        `interval`: with bootstrap intervals. `matched`: with the time-matched AUROC, which means nothing where the
        order of a timeline is not its own.
        """
        said, hit, score = self.said, self.truth == decided, self.probability[:, decided]
        out: dict[str, Any] = {
            "windows": len(self.truth),
            "balanced_accuracy": metrics.balanced_accuracy(self.truth, said),
            "auroc": metrics.auroc(hit, score),
            "macro_f1": metrics.macro_f1(self.truth, said),
            "accuracy": metrics.accuracy(self.truth, said),
            "macro_precision": metrics.macro_precision(self.truth, said) if len(said) else float("nan"),
            "macro_recall": metrics.macro_recall(self.truth, said) if len(said) else float("nan"),
            "review_f1": metrics.review_f1(self.truth, said),
            "brier": metrics.brier(self.truth, self.probability) if len(said) else float("nan"),
            "calibration_error_equal_shares": (
                metrics.calibration_error(hit, score, equal_shares(self.truth)) if len(said) else float("nan")
            ),
        }
        if matched:
            out["time_matched_auroc"] = metrics.time_matched_auroc(hit, score, self.time_s, self.subject)
        if interval:
            out["balanced_accuracy_95"] = recall_interval(self.subject, self.truth, said)
            out["auroc_95"] = auroc_interval(self.subject, hit, score)
        return out


def equal_shares(truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weight of each window, so that the classes have equal shares."""
    out: NDArray[np.float64] = len(truth) / np.maximum(np.bincount(truth), 1)[truth]
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One person's answers, of models that never saw the person.

    Attributes
    ----------
    subject : str
        Who was judged.
    arms : dict of str to Arm
        Name of the arm → its windows.
    curves : dict of str to list of Arm
        Name of a model → its answers with ever more of the modalities missing.
    time_leak : ndarray, shape (n, 2)
        Of calm windows: time since the start, and what a ridge regression on the model's inputs takes it for.
    unanswered, windows : int
        Scored windows without an answer, and all of them.
    unlabelled : int
        Windows that no label covers: judged by nobody.
    about : mapping of str to str
        Groups that are known.
    votes : ndarray, shape (n, classes), or None
        Raters' votes of the scored windows.
    chosen : mapping
        Constants that the model's fit chose on the learning side.
    """

    subject: str
    arms: dict[str, Arm] = field(default_factory=dict)
    curves: dict[str, list[Arm]] = field(default_factory=dict)
    time_leak: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    unanswered: int = 0
    windows: int = 0
    about: Mapping[str, str] = field(default_factory=dict)
    votes: NDArray[np.float64] | None = None
    unlabelled: int = 0
    chosen: Mapping[str, Any] = field(default_factory=dict)
