"""Metrics in numpy, each with its formula and source.

Classes are numbers 0 … k − 1. A class that nobody has is left out of a mean over classes. Where a precision or a
recall is 0/0 it counts 0, and :func:`undefined` says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "BINS", "FORMULAS", "accuracy", "auroc", "balanced_accuracy", "brier", "calibration_error", "macro_f1",
    "macro_precision", "macro_recall", "review_f1", "time_matched_auroc", "undefined",
]

BINS = 10
MATCH_S = 31.0
"""Windows of other people count as the same time within one hop of 30 s, and a second for rounding."""

FORMULAS: Final[Mapping[str, tuple[str, str]]] = {
    "accuracy": ("right / all (overall A)", "Sokolova & Lapalme 2009, Inf Process Manag 45:427, table 3"),
    "balanced_accuracy": (
        "mean over classes of TP / (TP + FN) (average A, macro recall)", "Brodersen 2010, ICPR, eq. 3 without the posterior",
    ),
    "macro_precision": ("P = mean over classes of TP / (TP + FP); 0/0 = 0", "Sokolova & Lapalme 2009, table 3"),
    "macro_recall": ("R = mean over classes of TP / (TP + FN); 0/0 = 0", "Sokolova & Lapalme 2009, table 3"),
    "review_f1": ("2PR / (P + R) of macro P and macro R; 0/0 = 0", "Opitz & Burst 2019, arXiv 1911.03347, eq. 2"),
    "macro_f1": ("mean over classes of 2TP / (2TP + FP + FN); 0/0 = 0", "Opitz & Burst 2019, eq. 1"),
    "auroc": (
        "P(score of a window with the class > of one without), ties half", "Hanley & McNeil 1982, Radiology 143:29",
    ),
    "time_matched_auroc": (
        "the same over pairs of different people within 31 s of the same time since the start", "docs/evaluation.md",
    ),
    "brier": ("mean over windows of Σ over classes (p − truth)²", "Brier 1950, Mon Weather Rev 78:1"),
    "calibration_error_equal_shares": (
        "Σ over 10 bins of |Σ w (truth − p)| / Σ w, classes weighted to equal shares", "Naeini 2015, AAAI, eq. 1",
    ),
    "aurc": ("area under error among the answered over the share answered", "Geifman & El-Yaniv 2017, NeurIPS"),
}
"""Figure → formula and source; every figure of a report is one of these."""


def accuracy(truth: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    """Share of windows that are right."""
    return float((truth == said).mean()) if len(truth) else float("nan")


def balanced_accuracy(truth: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    """Mean recall over classes (Brodersen 2010, ICPR, eq. 3 without the posterior)."""
    classes = np.unique(truth)
    return float(np.mean([(said[truth == k] == k).mean() for k in classes])) if len(classes) else float("nan")


def auroc(truth: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Probability that a true window scores above a false one, ties half (Hanley & McNeil 1982, Radiology 143:29)."""
    positive, negative = score[truth], np.sort(score[~truth])
    if not len(positive) or not len(negative):
        return float("nan")
    below = np.searchsorted(negative, positive, side="left")
    upto = np.searchsorted(negative, positive, side="right")
    return float((below + upto).mean() / 2 / len(negative))


def macro_f1(truth: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    """Mean over classes of 2TP / (2TP + FP + FN) (Opitz & Burst 2019, arXiv 1911.03347, eq. 1); 0/0 counts 0."""
    out = []
    for k in np.union1d(truth, said):
        hit = float(((truth == k) & (said == k)).sum())
        wrong = float((truth == k).sum() + (said == k).sum())
        out.append(2 * hit / wrong if wrong else 0.0)
    return float(np.mean(out)) if out else float("nan")


def macro_precision(truth: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    """Mean over classes of TP / (TP + FP); a class that is never said counts 0."""
    classes = np.union1d(truth, said)
    return float(np.mean([(truth[said == k] == k).mean() if (said == k).any() else 0.0 for k in classes]))


def macro_recall(truth: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    """Mean over classes of TP / (TP + FN); a class that is said and never there counts 0."""
    classes = np.union1d(truth, said)
    return float(np.mean([(said[truth == k] == k).mean() if (truth == k).any() else 0.0 for k in classes]))


def review_f1(truth: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    """2PR / (P + R) of macro precision and macro recall (Opitz & Burst 2019, eq. 2): never below macro F1 by much."""
    if not len(truth):
        return float("nan")
    precision, recall = macro_precision(truth, said), macro_recall(truth, said)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def undefined(truth: NDArray[np.int64], said: NDArray[np.int64], classes: Sequence[str]) -> list[str]:
    """Which precisions and recalls are 0/0 and were counted as 0 or left out, in words."""
    out = []
    for k, name in enumerate(classes):
        there, called = bool((truth == k).any()), bool((said == k).any())
        if there and not called:
            out.append(f"precision of {name}: never said, counts 0")
        elif called and not there:
            out.append(f"recall of {name}: never there, counts 0 in macro recall, left out of balanced accuracy")
        elif not there:
            out.append(f"{name}: neither there nor said, left out")
    return out


def brier(truth: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    """Mean squared distance of the probabilities from the truth, summed over classes (Brier 1950)."""
    return float(((probability - np.eye(probability.shape[1])[truth]) ** 2).sum(axis=1).mean())


def calibration_error(
    truth: NDArray[np.bool_], probability: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> float:
    """Expected calibration error over 10 equal bins of the probability (Naeini 2015, AAAI, eq. 1).

    Parameters
    ----------
    truth : ndarray of bool, shape (n,)
        Whether the class was there.
    probability : ndarray, shape (n,)
        What was said.
    weight : ndarray, shape (n,), optional
        Of each window; probabilities that mean "if both were as likely" are judged with classes at equal shares.
    """
    w = np.ones(len(truth)) if weight is None else weight
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    gaps = [abs(float((w[m] * (truth[m] - probability[m])).sum())) for m in (place == b for b in range(BINS))]
    return float(sum(gaps) / w.sum())


def time_matched_auroc(
    truth: NDArray[np.bool_], score: NDArray[np.float64], time_s: NDArray[np.float64], subject: NDArray[np.str_]
) -> float:
    """AUROC over pairs of different people at the same time since the start: a clock alone gets one half.

    Where everyone does the same tasks at the same minutes, a model can score by knowing the time; among windows of
    the same minute that is worth nothing.
    """
    negative = np.flatnonzero(~truth)
    negative = negative[np.argsort(time_s[negative], kind="stable")]
    clock, theirs, whose = time_s[negative], score[negative], subject[negative]
    first = np.searchsorted(clock, time_s - MATCH_S, side="left")
    last = np.searchsorted(clock, time_s + MATCH_S, side="right")
    won = pairs = 0.0
    for i in np.flatnonzero(truth):
        near = slice(int(first[i]), int(last[i]))
        other = theirs[near][whose[near] != subject[i]]
        won += float((score[i] > other).sum() + 0.5 * (score[i] == other).sum())
        pairs += len(other)
    return won / pairs if pairs else float("nan")
