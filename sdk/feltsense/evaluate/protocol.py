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
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from feltsense.errors import LeakError
from feltsense.evaluate.apply import PIECE_S
from feltsense.evaluate.judging import LEVELS, SHUFFLES, answers_of, judge, learn
from feltsense.evaluate.keeping import folds_from, folds_parts
from feltsense.evaluate.nulls import grouped, judge_null, wanted
from feltsense.train.parallel import ALONE
from feltsense.train.resume import digest_of
from feltsense.train.splits import SubjectSplits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from feltsense.bundle.schema import Model
    from feltsense.evaluate.arms import Arm, Fold
    from feltsense.evaluate.judging import Judges
    from feltsense.train.parallel import Crew
    from feltsense.train.resume import Kept
    from feltsense.train.splits import Cohort
    from feltsense.train.targets import Target

__all__ = ["LEVELS", "PIECE_S", "SHUFFLES", "Plan", "evaluate", "of_model"]

T = TypeVar("T")

PEOPLE = 10
"""Judged in one job: with all that is said of a person (0.4 MB an hour) it grows with no number of people."""
DRAWS = 12
"""Fits on labels that are turned around: as many as it takes to see the spread of luck."""
_FOLD, _NULL = "fold", "null"


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
    meant = (coarse, target, plan.seed)
    work = _Work(_NULL, lambda hands, todo: hands.map(judge_null, meant, todo), meant, jobs, "labels that mean nothing")
    for folds in _done(work, plan, crew):
        for fold in folds:
            nothing.setdefault(fold.subject, {}).update(fold.arms)
    given = (splits, target, dict(training), plan)

    def begin(hands: Crew, todo: Sequence[tuple[int, int]]) -> Iterator[list[Fold]]:
        # Each split that is asked for is fitted once, while others' people are judged.
        numbers = list(dict.fromkeys(number for number, _ in todo))
        fitted = zip(numbers, hands.map(_learn, (*given[:3], replace(plan, work=None, watch=None)), numbers), strict=True)
        return hands.map(_judge, (splits, plan.seed), _with_judges(fitted, todo))

    pieces = [(number, k) for number, group in enumerate(splits.groups) for k in range(-(-len(group) // PEOPLE))]
    for folds in _done(_Work(_FOLD, begin, given, pieces, "fit and score"), plan, crew):
        for fold in folds:
            yield replace(fold, arms={**fold.arms, **nothing.get(fold.subject, {})})


@dataclass(frozen=True, slots=True, eq=False)
class _Work(Generic[T]):
    """Jobs of a kind: ``begin(crew, jobs)`` gives the folds of each, in order; they depend on `given` and the job."""

    kind: str
    begin: Callable[[Crew, Sequence[T]], Iterator[list[Fold]]]
    given: tuple[Any, ...]
    jobs: Sequence[T]
    what: str


def _done(todo: _Work[T], plan: Plan, crew: Crew) -> Iterator[list[Fold]]:
    """Results of the jobs, in order: taken up where they were kept."""
    results = _results(todo, plan, crew)
    return plan.watch(results, len(todo.jobs), todo.what) if plan.watch is not None else results


def _results(todo: _Work[T], plan: Plan, crew: Crew) -> Iterator[list[Fold]]:
    work = plan.work
    run = _digest(todo.given) if work is not None else ""
    keys = [f"{run}-{'-'.join(str(x) for x in job) if isinstance(job, tuple) else job}" for job in todo.jobs]
    # A bundle that is to be written comes from fitting: then nothing is taken up.
    there = [work is not None and (plan.kept is None or todo.kind == _NULL) and work.has(todo.kind, k) for k in keys]
    fresh = todo.begin(crew, [j for j, done in zip(todo.jobs, there, strict=True) if not done])
    for job, key, done in zip(todo.jobs, keys, there, strict=True):
        parts = work.get(todo.kind, key) if work is not None and done else None
        folds = folds_from(parts) if parts is not None else next(todo.begin(ALONE, [job]) if done else fresh)
        if work is not None and parts is None:
            work.put(todo.kind, key, folds_parts(folds))
        yield folds


def _digest(given: Any) -> str:
    """Digest of all that folds depend on."""
    splits, *more = given
    data = (*splits.cohort.lines, *(splits.source.lines if splits.source is not None else ()))
    plain = [replace(x, kept=None, draws=0, work=None, watch=None) if isinstance(x, Plan) else x for x in more]
    return digest_of(*plain, splits.groups, splits.most, *data)


def _learn(given: tuple[SubjectSplits, Target, Mapping[str, Any], Plan], number: int) -> Judges:
    splits, target, training, plan = given
    return learn(splits[number], target, training, steps=plan.steps, kept=plan.kept)


def _with_judges(
    fitted: Iterator[tuple[int, Judges]], pieces: Sequence[tuple[int, int]]
) -> Iterator[tuple[Judges, int, int]]:
    """Each piece with what was fitted for its split; both are in the order of the splits."""
    at, judges = next(fitted, (-1, None))
    for number, piece in pieces:
        while at != number:
            at, judges = next(fitted)
        if judges is not None:
            yield judges, number, piece


def _judge(given: tuple[SubjectSplits, int], job: tuple[Judges, int, int]) -> list[Fold]:
    (splits, seed), (judges, number, piece) = given, job
    some = splits.groups[number][piece * PEOPLE : (piece + 1) * PEOPLE]
    return judge(judges, splits.cohort.only(some), seed)


def of_model(cohort: Cohort, model: Model, seed: int = 0) -> list[Fold]:
    """Everyone's answers of one model that is already there."""
    return [answers_of(model, cohort.only((s,)).lines, s, seed) for s in cohort.people]
