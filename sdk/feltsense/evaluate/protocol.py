"""Fit on one side of each split, answer for the people of the other, and set the guards beside the figure.

Rules
-----
- The model of a split is what :func:`feltsense.train.fit.fit` makes of its learning side: exactly what ``feltsense
  train`` without the judged people writes.
- Windows that overlap the person's calibration, or lie next to it, are scored in no arm.
- A window counts where it has a label and an answer; how many have none is reported.
- Every draw has its own seed, made of the run's seed and the number of the draw: the order of the work, and who does
  it, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from feltsense.bundle import SUFFIX
from feltsense.core.modality import base
from feltsense.errors import LeakError
from feltsense.evaluate.apply import PIECE_S, answer, calm_only, inputs_of, own_seed, rearranged, silenced
from feltsense.evaluate.arms import Arm, Fold
from feltsense.evaluate.keeping import folds_from, folds_parts
from feltsense.evaluate.nulls import grouped, judge_null, wanted
from feltsense.evaluate.plain import Clock, LateFusion, Motion, TimeTeller
from feltsense.evaluate.steps import variants
from feltsense.train.card import card
from feltsense.train.examples import HOP_S
from feltsense.train.fit import fit
from feltsense.train.parallel import ALONE
from feltsense.train.resume import digest_of
from feltsense.train.splits import SubjectSplits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from feltsense.bundle.schema import Model
    from feltsense.train.examples import Line
    from feltsense.train.parallel import Crew
    from feltsense.train.resume import Kept
    from feltsense.train.splits import Cohort
    from feltsense.train.targets import Target

    Saying = Callable[[Line], tuple[NDArray[np.float64], NDArray[np.bool_]]]

__all__ = ["LEVELS", "PIECE_S", "SHUFFLES", "Plan", "evaluate", "of_model"]

S = TypeVar("S")
T = TypeVar("T")

SHUFFLES = 10
"""Rearranged timelines a person."""
LEVELS = tuple(round(0.1 * i, 1) for i in range(11))
"""Shares of the modalities that are missing, along the curves (MultiBench's grid)."""
DRAWS = 12
"""Fits on labels that are turned around: as many as it takes to see the spread of luck."""
_SILENCE = 4
_FOLD, _NULL = "fold", "null"
SILENT_S = 300.0
"""A sensor falls silent for so long at a time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How an evaluation is run, apart from the data.

    Attributes
    ----------
    seed : int
        Of everything that is drawn.
    draws : int
        How often the model is fitted anew on labels turned around the session, and on shuffled ones (at most three
        times).
    steps : bool
        Whether the model is fitted without some of its steps as well, to tell what each is worth.
    kept : Path or None
        Folder for the bundle of each split.
    work : Kept or None
        Where folds that were done before are taken up, and new ones kept.
    watch : callable, optional
        Is given the results as they come, how many there will be and what is done, and passes them on: to show how
        far the work is.
    """

    seed: int = 0
    draws: int = DRAWS
    steps: bool = False
    kept: Path | None = None
    work: Kept | None = None
    watch: Callable[[Iterator[list[Fold]], int, str], Iterator[list[Fold]]] | None = None


def evaluate(
    splits: SubjectSplits, target: Target, training: Mapping[str, Any], plan: Plan | None = None, crew: Crew = ALONE
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
    plan : Plan, optional
        How.
    crew : Crew
        Who does the work; the figures do not depend on it.

    Raises
    ------
    LeakError
        If the data come in any other way than through splits.
    """
    if not isinstance(splits, SubjectSplits):
        msg = f"evaluate() takes data only through SubjectSplits (feltsense.train.splits), got {type(splits).__name__}"
        raise LeakError(msg)
    return _evaluated(splits, target, training, plan or Plan(), crew)


def _evaluated(
    splits: SubjectSplits, target: Target, training: Mapping[str, Any], plan: Plan, crew: Crew
) -> Iterator[Fold]:
    """Folds that were kept are taken up, the others done; what means nothing comes first."""
    coarse = grouped(splits, plan.seed)
    jobs = [(kind, draw, group) for kind, draw in wanted(plan.draws) for group in range(len(coarse))]
    nothing: dict[str, dict[str, Arm]] = {}
    for folds in _done(_Work(_NULL, judge_null, (coarse, target, plan.seed), jobs, "labels that mean nothing"), plan, crew):
        for fold in folds:
            nothing.setdefault(fold.subject, {}).update(fold.arms)
    given = (splits, target, dict(training), replace(plan, work=None, watch=None))
    for folds in _done(_Work(_FOLD, _judge, given, range(len(splits)), "fit and score"), plan, crew):
        for fold in folds:
            yield replace(fold, arms={**fold.arms, **nothing.get(fold.subject, {})})


@dataclass(frozen=True, slots=True, eq=False)
class _Work(Generic[S, T]):
    """Jobs of a kind: ``judge(given, job)`` gives folds."""

    kind: str
    judge: Callable[[S, T], list[Fold]]
    given: S
    jobs: Sequence[T]
    what: str


def _done(todo: _Work[S, T], plan: Plan, crew: Crew) -> Iterator[list[Fold]]:
    """Results of the jobs, in order: taken up where they were kept."""
    results = _results(todo, plan, crew)
    return plan.watch(results, len(todo.jobs), todo.what) if plan.watch is not None else results


def _results(todo: _Work[S, T], plan: Plan, crew: Crew) -> Iterator[list[Fold]]:
    work = plan.work
    run = _digest(todo.given) if work is not None else ""
    keys = [f"{run}-{'-'.join(str(x) for x in job) if isinstance(job, tuple) else job}" for job in todo.jobs]
    # A bundle that is to be written comes from fitting: then nothing is taken up.
    there = [work is not None and (plan.kept is None or todo.kind == _NULL) and work.has(todo.kind, k) for k in keys]
    fresh = crew.map(todo.judge, todo.given, [j for j, done in zip(todo.jobs, there, strict=True) if not done])
    for job, key, done in zip(todo.jobs, keys, there, strict=True):
        parts = work.get(todo.kind, key) if work is not None and done else None
        folds = folds_from(parts) if parts is not None else todo.judge(todo.given, job) if done else next(fresh)
        if work is not None and parts is None:
            work.put(todo.kind, key, folds_parts(folds))
        yield folds


def _digest(given: Any) -> str:
    """Digest of all that folds depend on."""
    splits, *more = given
    data = (*splits.cohort.lines, *(splits.source.lines if splits.source is not None else ()))
    plain = [replace(x, kept=None, draws=0) if isinstance(x, Plan) else x for x in more]
    return digest_of(*plain, splits.groups, *data)


def _judge(given: tuple[SubjectSplits, Target, Mapping[str, Any], Plan], number: int) -> list[Fold]:
    splits, target, training, plan = given
    return judge(splits, target, training, plan, number)


def judge(
    splits: SubjectSplits, target: Target, training: Mapping[str, Any], plan: Plan, number: int
) -> list[Fold]:
    """Fit on one side of split `number`, answer for the people of the other."""
    split = splits[number]
    fitted = fit(split, target, training=training)
    if plan.kept is not None:
        from feltsense.bundle.write import write

        write(plan.kept / f"{split.name}{SUFFIX}", fitted.model, card(fitted.model), fitted.stack)
    raw = fit(split, target, calibrated=False).model
    clock, motion, plain = (
        Clock.fit(split, len(target.classes)), Motion.fit(split, len(target.classes)), LateFusion.fit(split, target),
    )
    teller = TimeTeller.fit(split, partial(inputs_of, fitted.model))
    without = list(variants(split, target, fitted.model)) if plan.steps else []
    out = []
    for subject in split.judge.people:
        mine = split.judge.only((subject,)).lines
        fold = _scored(fitted.model, mine, subject, plan.seed)
        fold.arms["raw"] = _joined(mine, partial(_answered, raw, calibrated=False))
        fold.arms["time_only"] = _joined(mine, _counted(clock))
        fold.arms["time_only_order_randomised"] = Arm.joined([_shuffled(clock, x, s) for x in mine for s in range(SHUFFLES)])
        if motion is not None:
            fold.arms["motion_only"] = _joined(mine, _counted(motion))
        fold.arms["late_fusion"] = _joined(mine, _counted(plain))
        fold.curves["late_fusion"] = _curve(plain, mine, plan.seed)
        for name, model, known in without:
            fold.arms[name] = _joined(mine, partial(_answered, model, calibrated=known))
        leak = np.concatenate([teller(x) for x in mine])
        out.append(replace(fold, chosen=fitted.model.training["chosen"], time_leak=leak))
    return out


def of_model(cohort: Cohort, model: Model, seed: int = 0) -> list[Fold]:
    """Everyone's answers of one model that is already there."""
    return [_scored(model, cohort.only((s,)).lines, s, seed) for s in cohort.people]


def _scored(model: Model, mine: Sequence[Line], subject: str, seed: int) -> Fold:
    """What needs nothing but the model."""
    silent = sum(int((x.scored & ~answer(model, x).present).sum()) for x in mine)
    votes = [x.votes[x.scored] for x in mine if x.votes is not None]
    about = {k: v for x in mine for k, v in x.about.items()}
    return Fold(
        subject, arms(model, mine), {"model": _curve(_smoothed(model), mine, seed)}, np.empty((0, 2)), silent,
        sum(int(x.scored.sum()) for x in mine), about, np.concatenate(votes) if votes else None,
        sum(int((x.y < 0).sum()) for x in mine),
    )


def arms(model: Model, mine: Sequence[Line]) -> dict[str, Arm]:
    """Arms that need nothing but the model: calibrated or not, rearranged, calm only, modalities alone and left out."""
    out = {
        "rest": _joined(mine, partial(_answered, model)),
        "rest_model_without_profile": _joined(mine, partial(_answered, model, calibrated=False)),
        "order_randomised": Arm.joined([_shuffled(_smoothed(model), x, seed) for x in mine for seed in range(SHUFFLES)]),
        "calm_only": Arm.joined([_calm(model, x) for x in mine]),
    }
    for m in model.modalities:
        gone = [other for other in model.modalities if other != m]
        if gone:
            out[f"{m}_alone"] = _joined(mine, partial(_answered, model, without=gone))
            out[f"without_{m}"] = _joined(mine, partial(_answered, model, without=(m,)))
    return out


def _counted(say: Callable[[Line], NDArray[np.float64]]) -> Saying:
    """Answers that there always are."""
    return lambda line: (say(line), line.scored)


def _joined(mine: Sequence[Line], say: Saying) -> Arm:
    """One way of answering, over a person's recordings; `say` gives probabilities and which windows count."""
    return Arm.joined([Arm.of(x, keep, p) for x in mine for p, keep in (say(x),)])


def _answered(
    model: Model, line: Line, *, calibrated: bool = True, without: Sequence[str] = ()
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    said = answer(model, line, calibrated=calibrated, without=without)
    return said.probability, line.scored & said.present


def _smoothed(model: Model) -> Callable[[Line], NDArray[np.float64]]:
    return lambda line: answer(model, line).probability


def _shuffled(say: Callable[[Line], NDArray[np.float64]], line: Line, seed: int) -> Arm:
    """Answers on a rearranged timeline, of the windows that are scored on the true one."""
    moved, order = rearranged(line, HOP_S, seed)
    return Arm.of(moved, line.scored[order], say(moved))


def _calm(model: Model, line: Line) -> Arm:
    quiet, order = calm_only(line, HOP_S, 0)
    said = answer(model, quiet)
    return Arm.of(quiet, line.scored[order] & said.present, said.probability)


def _curve(say: Callable[[Line], NDArray[np.float64]], mine: Sequence[Line], seed: int) -> list[Arm]:
    """Answers with ever more missing; every scored window counts, also one about which nothing is known."""
    out = []
    for level in LEVELS:
        gone = [silenced(x, _silent(x, level, seed)) for x in mine]
        out.append(Arm.joined([Arm.of(x, x.scored, say(x)) for x in gone]))
    return out


def _silent(line: Line, level: float, seed: int) -> NDArray[np.bool_]:
    """Stretches of five minutes in which modalities are missing, each by itself, with probability `level`.

    What is missing at one level is missing at every higher one.
    """
    long = max(1, int(SILENT_S / HOP_S))
    n, own = len(line.y), list(dict.fromkeys(base(m) for m in line.schema.modalities))
    drawn = own_seed(line, seed, _SILENCE).random((-(-n // long) if n else 0, len(own))) < level
    # A modality falls silent over every length of window at once.
    drawn = drawn[:, [own.index(base(m)) for m in line.schema.modalities]]
    out: NDArray[np.bool_] = np.repeat(drawn, long, axis=0)[:n]
    return out
