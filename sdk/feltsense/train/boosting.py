"""Boosted trees at study scale: settings and folds searched side by side, LightGBM itself on all workers of a cluster.

Rules
-----
- Rows are windows, inputs are features and their distances from the person's rest; NaN is missing; classes are weighted
  to equal shares. Windows that calibrate, or lie next to them, are neither learned from nor judged.
- Nested: each outer group of people is judged by trees whose setting the other people chose among themselves. What
  everybody chooses is reported beside it, and its own figure is not: it would be the luckiest of :data:`SETTINGS`.
- The search gives the same on one process and on a cluster, to the bit: every fit is one job on one thread.
- The last fit, of everybody's windows, is spread over the workers where there are several (``tree_learner=data``). Each
  worker then finds the splits of its own rows, sums are added up in another order, and bagging draws on each worker:
  probabilities differ by some hundredths from those of one process, and from another number of workers.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from feltsense.errors import ModelDataError
from feltsense.evaluate.metrics import auroc, balanced_accuracy
from feltsense.train.margins import class_weights
from feltsense.train.parallel import ALONE
from feltsense.train.splits import everyone, only_split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from feltsense.train.examples import Line
    from feltsense.train.parallel import Crew
    from feltsense.train.splits import Cohort, SubjectSplit, SubjectSplits
    from feltsense.train.targets import Target

__all__ = ["SETTINGS", "Setting", "Tuned", "boost", "inputs", "tune"]

INNER = 4
"""Groups of the learning side by which a setting is chosen."""


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """What is searched: leaves of a tree, least windows in a leaf, trees."""

    leaves: int
    least: int
    rounds: int

    def parameters(self, classes: int) -> dict[str, Any]:
        """As LightGBM names them; shallow and slow, as in :mod:`feltsense.train.margins`."""
        goal = {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
        return {
            **goal, "num_leaves": self.leaves, "min_child_samples": self.least, "learning_rate": 0.05,
            "colsample_bytree": 0.6, "subsample": 0.7, "subsample_freq": 1, "reg_lambda": 5.0, "max_bin": 63,
            "deterministic": True, "force_row_wise": True, "seed": 20, "verbosity": -1,
        }  # fmt: skip


ROUNDS: Final = (40, 80, 160)
SETTINGS: Final = tuple(Setting(n, m, r) for n, m, r in product((3, 7, 15), (20, 160), ROUNDS))
"""Of one fit all :data:`ROUNDS` are judged."""


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """What was found.

    Attributes
    ----------
    setting : Setting
        What everybody's windows choose.
    chosen : tuple of Setting
        What the others of each outer group chose.
    losses : dict of Setting to float
        Mean out-of-fold loss of every setting over everybody.
    subject, truth, probability : ndarray, shapes (n,), (n,), (n, classes)
        Everybody's windows, judged by trees of others with a setting that others chose.
    booster : lightgbm.Booster
        Fitted on everybody with `setting`.
    """

    setting: Setting
    chosen: tuple[Setting, ...]
    losses: dict[Setting, float]
    subject: NDArray[np.str_]
    truth: NDArray[np.int64]
    probability: NDArray[np.float64]
    booster: Any

    def figures(self, decided: int) -> dict[str, float]:
        """Nested balanced accuracy and AUROC."""
        hit, score = self.truth == decided, self.probability[:, decided]
        return {
            "balanced_accuracy": balanced_accuracy(self.truth, self.probability.argmax(axis=1)), "auroc": auroc(hit, score),
        }


def inputs(line: Line) -> NDArray[np.float64]:
    """What the trees see of a recording (n, 2 · features)."""
    return np.concatenate([line.x, line.x - line.rest_mean], axis=1)


def tune(
    splits: SubjectSplits, target: Target, crew: Crew = ALONE,
    watch: Callable[[Iterator[Any], int], Iterator[Any]] | None = None,
) -> Tuned:
    """Search, judge, and fit on everybody.

    Parameters
    ----------
    splits : SubjectSplits
        Outer groups of people.
    target : Target
        What is estimated.
    crew : Crew
        Who does the work.
    watch : callable, optional
        Is given results as they come and how many there will be, and passes them on.

    Raises
    ------
    ModelDataError
        If a class is missing in somebody's learning side, or too few people are left to choose by.
    """
    _enough(splits)
    outer = [s.learn for s in splits] + [splits.cohort]
    jobs = [(o, i, n, m) for o in range(len(outer)) for i in range(INNER) for n, m in _shapes()]
    found = crew.map(_lose, (outer, target), jobs)
    told = list(watch(found, len(jobs)) if watch is not None else found)
    chosen, losses = [], {}
    for o in range(len(outer)):
        losses = {s: _mean(told, jobs, o, s) for s in SETTINGS}
        chosen.append(min(SETTINGS, key=lambda s: (losses[s], s)))
    said = list(crew.map(_answer, (splits, target), list(enumerate(chosen[:-1]))))
    x, y = _rows(splits.cohort, target)
    booster = boost(x, y, len(target.classes), chosen[-1], crew)
    subject, truth, probability = (np.concatenate(part) for part in zip(*said, strict=True))
    return Tuned(chosen[-1], tuple(chosen[:-1]), losses, subject, truth, probability, booster)


def _shapes() -> list[tuple[int, int]]:
    return sorted({(s.leaves, s.least) for s in SETTINGS})


def _mean(told: Sequence[dict[int, float]], jobs: Sequence[tuple[int, ...]], outer: int, s: Setting) -> float:
    mine = [t[s.rounds] for t, j in zip(told, jobs, strict=True) if j[0] == outer and j[2:] == (s.leaves, s.least)]
    return float(np.mean(mine))


def _lose(given: tuple[Sequence[Cohort], Target], job: tuple[int, int, int, int]) -> dict[int, float]:
    """Loss of one tree's shape on one inner group, for each number of rounds."""
    (outer, target), (o, i, leaves, least) = given, job
    split = everyone(outer[o]).inner(INNER, 0)[i]
    booster = _fit(split, target, Setting(leaves, least, max(ROUNDS)))
    x, y = _rows(split.judge, target)
    weight = class_weights(y, len(target.classes))
    out = {}
    for rounds in ROUNDS:
        p = _probability(booster, x, rounds)[np.arange(len(y)), y]
        out[rounds] = float(np.average(-np.log(np.maximum(p, 1e-12)), weights=weight))
    return out


def _answer(
    given: tuple[SubjectSplits, Target], job: tuple[int, Setting]
) -> tuple[NDArray[np.str_], NDArray[np.int64], NDArray[np.float64]]:
    (splits, target), (number, setting) = given, job
    split = splits[number]
    x, y = _rows(split.judge, target)
    subject = np.concatenate([np.full(int(line.scored.sum()), line.subject) for line in split.judge.lines])
    return subject, y, _probability(_fit(split, target, setting), x)


def _fit(split: SubjectSplit, target: Target, setting: Setting) -> Any:
    x, y = _rows(only_split(split, "boosting").learn, target)
    if len(np.unique(y)) < len(target.classes):
        there = f"{len(np.unique(y))} of {len(target.classes)} classes"
        msg = f"without {split.name} the data have {there}: nothing to tell apart"
        raise ModelDataError(msg)
    return boost(x, y, len(target.classes), setting)


def _rows(cohort: Cohort, target: Target) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    x = [inputs(line)[line.scored] for line in cohort.lines]
    y = np.concatenate([line.y[line.scored] for line in cohort.lines])
    if not len(y):
        msg = f"nobody has a window to be judged by for {target.name}: label more than the rest that calibrates"
        raise ModelDataError(msg)
    return np.concatenate(x), y


def _probability(booster: Any, x: NDArray[np.float64], rounds: int | None = None) -> NDArray[np.float64]:
    p = np.asarray(booster.predict(x, num_iteration=rounds), np.float64)
    return np.stack([1.0 - p, p], axis=1) if p.ndim == 1 else p


def boost(
    x: NDArray[np.float64], y: NDArray[np.int64], classes: int, setting: Setting, crew: Crew = ALONE
) -> Any:
    """Fit trees: here, or spread over the workers of a cluster that has several.

    Parameters
    ----------
    x : ndarray, shape (n, inputs)
        NaN where missing.
    y : ndarray, shape (n,)
        Class numbers.
    classes : int
        How many there are.
    setting : Setting
        Of the trees.
    crew : Crew
        Who does the work.

    Returns
    -------
    lightgbm.Booster
    """
    import lightgbm

    weight = class_weights(y, classes)
    workers = 0 if crew.client is None else len(crew.client.scheduler_info(n_workers=-1)["workers"])
    if workers < 2:
        data = lightgbm.Dataset(x, y, weight=weight)
        return lightgbm.train({**setting.parameters(classes), "num_threads": 1}, data, setting.rounds)
    import dask.array

    size = -(-len(y) // workers)
    spread = [dask.array.from_array(a, chunks=(size, *a.shape[1:])) for a in (x, y, weight)]
    model = lightgbm.DaskLGBMClassifier(
        client=crew.client, tree_learner="data", n_estimators=setting.rounds, **setting.parameters(classes)
    )
    with warnings.catch_warnings():
        # LightGBM's own default, about which it warns itself.
        warnings.filterwarnings("ignore", message="Parameter n_jobs will be ignored")
        return model.fit(spread[0], spread[1], sample_weight=spread[2]).booster_


def _enough(splits: SubjectSplits) -> None:
    least = min(len(s.learn.people) for s in splits)
    if least < INNER:
        msg = f"a setting is chosen among {INNER} groups of people, but one group would leave {least} to learn from"
        raise ModelDataError(msg)
