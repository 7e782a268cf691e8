"""Two models on the same windows of the same people: the difference, and how sure it is.

The bootstrap draws people and takes both models' answers about them (paired): what makes a person easy or hard is in
both, and drops out.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.errors import InputError
from feltsense.evaluate.bootstrap import gain_interval
from feltsense.evaluate.metrics import balanced_accuracy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.evaluate.arms import Arm

__all__ = ["paired", "pairs"]

_TIME_S = 1e-6
"""Seconds that went through a file are the same to a microsecond."""


def paired(a: Arm, b: Arm, seed: int) -> dict[str, Any]:
    """Balanced accuracy of `a` less that of `b`, over the windows that both answered.

    Raises
    ------
    InputError
        If they have no window in common, or disagree about the truth.
    """
    rows, others = _common(a, b)
    if not len(rows):
        msg = "the two have no window in common: compare answers about the same people and the same windows"
        raise InputError(msg)
    truth = a.truth[rows]
    if not np.array_equal(truth, b.truth[others]):
        msg = f"the two disagree about the truth of {int((truth != b.truth[others]).sum())} windows: compare one data set"
        raise InputError(msg)
    first, second, subject = a.said[rows], b.said[others], a.subject[rows]

    def gain(picked: NDArray[np.int64]) -> float:
        t = truth[picked]
        return balanced_accuracy(t, first[picked]) - balanced_accuracy(t, second[picked])

    each = [gain(np.flatnonzero(subject == s)) for s in dict.fromkeys(subject.tolist())]
    return {
        "balanced_accuracy": gain(np.arange(len(truth))),
        "balanced_accuracy_95": gain_interval(subject, truth, (first, second), seed),
        "windows": len(truth), "people": len(each), "better_for": int(sum(g > 0 for g in each)),
        "worse_for": int(sum(g < 0 for g in each)),
    }  # fmt: skip


def pairs(arms: Mapping[str, Arm], names: tuple[str, ...], seed: int) -> list[dict[str, Any]]:
    """All pairs of some arms."""
    there = [n for n in names if n in arms]
    return [{"first": a, "second": b, **paired(arms[a], arms[b], seed)} for a, b in combinations(there, 2)]


def _common(a: Arm, b: Arm) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if all(np.array_equal(getattr(a, n), getattr(b, n)) for n in ("subject", "start_unix", "time_s")):
        return np.arange(len(a.truth)), np.arange(len(a.truth))

    def keys(arm: Arm) -> dict[tuple[str, int, int], int]:
        steps = zip(
            arm.subject.tolist(), np.round(arm.start_unix / _TIME_S).tolist(), np.round(arm.time_s / _TIME_S).tolist(),
            strict=True,
        )
        return {(s, int(u), int(t)): i for i, (s, u, t) in enumerate(steps)}

    theirs = keys(b)
    found = [(i, theirs[k]) for k, i in keys(a).items() if k in theirs]
    return np.array([i for i, _ in found], np.int64), np.array([j for _, j in found], np.int64)
