"""Bootstraps that draw people, with all their windows: windows of one person are not independent.

95 % percentile intervals (Efron & Tibshirani 1993, ch. 13). Every figure over the same people sees the same draws, so
that differences are paired.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["BOOTSTRAPS", "auroc_interval", "bootstrap_interval", "gain_interval", "recall_interval"]

BOOTSTRAPS = 2000
_LEVELS = (0.025, 0.975)


def _drawn(people: int, seed: int) -> NDArray[np.int64]:
    """How often each person is in each draw (draws, people)."""
    picked = np.random.default_rng(seed).integers(0, people, (BOOTSTRAPS, people))
    out = np.zeros((BOOTSTRAPS, people), np.int64)
    np.add.at(out, (np.arange(BOOTSTRAPS)[:, None], picked), 1)
    return out


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return float("nan"), float("nan")
    low, high = np.quantile(finite, _LEVELS)
    return float(low), float(high)


def bootstrap_interval(
    subject: NDArray[np.str_], figure: Callable[[NDArray[np.int64]], float], seed: int = 0
) -> tuple[float, float]:
    """Interval of any figure.

    Parameters
    ----------
    subject : ndarray of str, shape (n,)
        Whose window.
    figure : callable
        Row numbers → figure.
    seed : int
        Of the draw.
    """
    rows = [np.flatnonzero(subject == s) for s in np.unique(subject)]
    if not rows:
        return float("nan"), float("nan")
    drawn = _drawn(len(rows), seed)
    return _span(np.array([figure(np.concatenate([rows[i] for i in np.repeat(np.arange(len(rows)), w)])) for w in drawn]))


def _recalls(
    subject: NDArray[np.str_], truth: NDArray[np.int64], said: NDArray[np.int64], seed: int
) -> NDArray[np.float64]:
    """Balanced accuracy of every draw: from each person's counts, without touching a window again."""
    who, mine = np.unique(subject, return_inverse=True)
    classes = int(truth.max(initial=0)) + 1
    place = mine * classes + truth
    there = np.bincount(place, minlength=len(who) * classes).reshape(len(who), classes)
    hit = np.bincount(place, truth == said, minlength=len(who) * classes).reshape(len(who), classes)
    drawn = _drawn(len(who), seed)
    n = drawn @ there
    recall = (drawn @ hit) / np.maximum(n, 1)
    out: NDArray[np.float64] = np.where(n > 0, recall, 0.0).sum(axis=1) / np.maximum((n > 0).sum(axis=1), 1)
    return out


def recall_interval(
    subject: NDArray[np.str_], truth: NDArray[np.int64], said: NDArray[np.int64], seed: int = 0
) -> tuple[float, float]:
    """Interval of the balanced accuracy."""
    return _span(_recalls(subject, truth, said, seed)) if len(truth) else (float("nan"), float("nan"))


def gain_interval(
    subject: NDArray[np.str_], truth: NDArray[np.int64], said: tuple[NDArray[np.int64], NDArray[np.int64]], seed: int = 0
) -> tuple[float, float]:
    """Interval of a difference in balanced accuracy, first less second, paired over people."""
    first, second = said
    return _span(_recalls(subject, truth, first, seed) - _recalls(subject, truth, second, seed))


def auroc_interval(
    subject: NDArray[np.str_], hit: NDArray[np.bool_], score: NDArray[np.float64], seed: int = 0
) -> tuple[float, float]:
    """Interval of the AUROC: sorted once, then weighted by how often each person is drawn."""
    if not len(hit):
        return float("nan"), float("nan")
    who, mine = np.unique(subject, return_inverse=True)
    _, level = np.unique(score, return_inverse=True)
    top = int(level.max()) + 1
    values = np.full(BOOTSTRAPS, np.nan)
    for k, drawn in enumerate(_drawn(len(who), seed)):
        weight = drawn[mine].astype(np.float64)
        yes = np.bincount(level[hit], weight[hit], minlength=top)
        no = np.bincount(level[~hit], weight[~hit], minlength=top)
        pairs = yes.sum() * no.sum()
        if pairs > 0:
            values[k] = (yes * (np.cumsum(no) - 0.5 * no)).sum() / pairs
    return _span(values)
