"""Labels that mean nothing: what a model makes of them is what it can make of nothing.

The model is fitted anew on labels dealt out anew within each recording, and on labels turned around in time as a
whole, in which runs stay runs. People are judged in at most :data:`GROUPS` groups: chance does not depend on how many
others were learned from, and twelve draws of every person by itself would take an hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.evaluate.apply import answer
from feltsense.evaluate.arms import Arm, Fold
from feltsense.train.fit import fit
from feltsense.train.splits import SubjectSplit, grouped_k_fold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.bundle.schema import Model
    from feltsense.train.examples import Line
    from feltsense.train.splits import Cohort, SubjectSplits
    from feltsense.train.targets import Target

__all__ = ["GROUPS", "SHIFTED", "SHUFFLED", "grouped", "judge_null", "shift_null", "shifted", "shuffled", "wanted"]

GROUPS = 5
SHUFFLED, SHIFTED = "shuffled_labels", "shifted_labels"
DRAWS_SHUFFLED = 3
"""Most draws of shuffled labels: they vary little, since a window's label says nothing about the next."""

_DEALT, _MOVED, _TURNED = 1, 2, 3
"""Streams of random numbers: one control's draws never move another's."""
LEAST_TURN = 0.1
"""Part of the session by which labels are turned at least, either way, so that they do not lie where they were."""
TURNS = 200


def wanted(draws: int) -> list[tuple[str, int]]:
    """Kinds and numbers of the draws, for so many of turned labels."""
    return [(SHUFFLED, d) for d in range(min(draws, DRAWS_SHUFFLED))] + [(SHIFTED, d) for d in range(draws)]


def grouped(splits: SubjectSplits, seed: int) -> SubjectSplits:
    """Splits for the draws: the same, or fewer."""
    few = splits.source is not None or len(splits) <= GROUPS
    return splits if few else grouped_k_fold(splits.cohort, GROUPS, seed, splits.most)


def judge_null(given: tuple[SubjectSplits, Target, int], job: tuple[str, int, int]) -> list[Fold]:
    """Fit on one side of a split with labels that mean nothing; answers about the people of the other."""
    (splits, target, seed), (kind, draw, number) = given, job
    split = splits[number]
    if kind == SHUFFLED:
        split = SubjectSplit(split.name, shuffled(split.learn, seed, draw), split.judge)
    else:
        source = None if splits.source is None else shifted(splits.source, seed, draw)
        split = splits.of(shifted(splits.cohort, seed, draw), source)[number]
    model, name = fit(split, target).model, f"{kind}_{draw + 1}"
    return [
        Fold(s, {name: Arm.joined([_answers(model, x) for x in split.judge.only((s,)).lines])})
        for s in split.judge.people
    ]


def _answers(model: Model, line: Line) -> Arm:
    said = answer(model, line)
    return Arm.of(line, line.scored & said.present, said.probability)


def shuffled(cohort: Cohort, seed: int, draw: int) -> Cohort:
    """Scored labels dealt out anew within each recording."""

    def label(i: int, line: Line) -> NDArray[np.int64]:
        y = line.y.copy()
        y[line.scored] = np.random.default_rng([seed, draw, i, _DEALT]).permutation(y[line.scored])
        return y

    return cohort.relabelled(label)


def shifted(cohort: Cohort, seed: int, draw: int) -> Cohort:
    """Labels after the calibration turned around in time, as a whole: runs stay runs, at the wrong time."""

    def label(i: int, line: Line) -> NDArray[np.int64]:
        y = line.y.copy()
        resting = np.flatnonzero(line.resting)
        after = np.arange(int(resting[-1]) + 1 if len(resting) else 0, len(y))
        y[after] = np.roll(y[after], _turn(len(after), np.random.default_rng([seed, draw, i, _MOVED])))
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
