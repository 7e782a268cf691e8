"""Metrics in numpy, each with its formula and source.

Classes are numbers 0 … k − 1. A class that nobody has is left out of a mean over classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "accuracy", "auroc", "balanced_accuracy", "bootstrap_interval", "brier", "calibration_error", "macro_f1",
    "review_f1", "time_matched_auroc",
]

BOOTSTRAPS = 2000
BINS = 10
MATCH_S = 31.0
"""Windows of other people count as the same time within one hop of 30 s, and a second for rounding."""


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


def review_f1(truth: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    """2PR / (P + R) of macro precision and macro recall (Opitz & Burst 2019, eq. 2): never below macro F1 by much."""
    classes = np.union1d(truth, said)
    precision = np.mean([(truth[said == k] == k).mean() if (said == k).any() else 0.0 for k in classes])
    recall = np.mean([(said[truth == k] == k).mean() if (truth == k).any() else 0.0 for k in classes])
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


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
    won = pairs = 0.0
    for i in np.flatnonzero(truth):
        others = ~truth & (np.abs(time_s - time_s[i]) <= MATCH_S) & (subject != subject[i])
        won += float((score[i] > score[others]).sum() + 0.5 * (score[i] == score[others]).sum())
        pairs += float(others.sum())
    return won / pairs if pairs else float("nan")


def bootstrap_interval(
    subject: NDArray[np.str_], figure: Callable[[NDArray[np.int64]], float], seed: int = 0
) -> tuple[float, float]:
    """95 % percentile interval of a figure when people are drawn anew (Efron & Tibshirani 1993, ch. 13).

    Parameters
    ----------
    subject : ndarray of str, shape (n,)
        Whose window: people are drawn, with all their windows, since windows of a person are not independent.
    figure : callable
        Row numbers → figure.
    seed : int
        Of the draw.
    """
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(subject == s) for s in np.unique(subject)]
    draws = []
    for _ in range(BOOTSTRAPS):
        picked = np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))])
        value = figure(picked)
        if np.isfinite(value):
            draws.append(value)
    if not draws:
        return float("nan"), float("nan")
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)
