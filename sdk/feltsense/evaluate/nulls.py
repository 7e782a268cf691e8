"""Labels that mean nothing: what a model makes of them is what it can make of nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.evaluate.arms import Arm
    from feltsense.train.examples import Line
    from feltsense.train.splits import Cohort

__all__ = ["shift_null", "shifted", "shuffled"]

_SHUFFLED, _SHIFTED, _TURNED = 1, 2, 3
"""Streams of random numbers: one control's draws never move another's."""
LEAST_TURN = 0.1
"""Part of the session by which labels are turned at least, either way, so that they do not lie where they were."""
TURNS = 200


def shuffled(cohort: Cohort, seed: int, draw: int) -> Cohort:
    """Scored labels dealt out anew within each recording."""

    def label(i: int, line: Line) -> NDArray[np.int64]:
        y = line.y.copy()
        y[line.scored] = np.random.default_rng([seed, draw, i, _SHUFFLED]).permutation(y[line.scored])
        return y

    return cohort.relabelled(label)


def shifted(cohort: Cohort, seed: int, draw: int) -> Cohort:
    """Labels after the calibration turned around in time, as a whole: runs stay runs, at the wrong time."""

    def label(i: int, line: Line) -> NDArray[np.int64]:
        y = line.y.copy()
        resting = np.flatnonzero(line.resting)
        after = np.arange(int(resting[-1]) + 1 if len(resting) else 0, len(y))
        y[after] = np.roll(y[after], _turn(len(after), np.random.default_rng([seed, draw, i, _SHIFTED])))
        return y

    return cohort.relabelled(label)


def _turn(n: int, rng: np.random.Generator) -> int:
    least = max(1, int(LEAST_TURN * n))
    return int(rng.integers(least, n - least + 1)) if n > 2 * least else 0


def shift_null(arm: Arm, seed: int) -> NDArray[np.float64]:
    """Balanced accuracies of the true model's answers against labels turned around in time, person by person.

    Cheaper than fitting anew, and another question: could answers that run in stretches agree this well with labels
    that run in stretches, by luck alone?
    """
    from feltsense.evaluate.metrics import balanced_accuracy

    rows = [np.flatnonzero(arm.subject == s) for s in dict.fromkeys(arm.subject.tolist())]
    said, out = arm.said, np.empty(TURNS)
    for k in range(TURNS):
        truth = arm.truth.copy()
        for i, mine in enumerate(rows):
            truth[mine] = np.roll(truth[mine], _turn(len(mine), np.random.default_rng([seed, k, i, _TURNED])))
        out[k] = balanced_accuracy(truth, said)
    return out
