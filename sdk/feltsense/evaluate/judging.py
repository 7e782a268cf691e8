"""What is fitted on the learning side of a split, and what it says of the people of the other.

Fitting is one job, judging some people by what was fitted is another: neither grows with the number of people who are
judged, and a worker that dies takes a few people's answers with it, not a fold's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.bundle import SUFFIX
from feltsense.core.modality import base
from feltsense.evaluate.apply import answer, calm_only, inputs_of, own_seed, rearranged, silenced
from feltsense.evaluate.arms import Arm, Fold
from feltsense.evaluate.plain import Clock, LateFusion, Motion, TimeTeller
from feltsense.evaluate.steps import variants
from feltsense.train.card import card
from feltsense.train.examples import HOP_S
from feltsense.train.fit import fit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from feltsense.bundle.schema import Model
    from feltsense.train.examples import Line
    from feltsense.train.splits import Cohort, SubjectSplit
    from feltsense.train.targets import Target

    Saying = Callable[[Line], tuple[NDArray[np.float64], NDArray[np.bool_]]]

__all__ = ["LEVELS", "SHUFFLES", "Judges", "answers_of", "judge", "learn"]

SHUFFLES = 10
"""Rearranged timelines a person."""
LEVELS = tuple(round(0.1 * i, 1) for i in range(11))
"""Shares of the modalities that are missing, along the curves (MultiBench's grid)."""
_SILENCE = 4
SILENT_S = 300.0
"""A sensor falls silent for so long at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Judges:
    """What was fitted on the learning side of one split.

    Attributes
    ----------
    model, raw : Model
        The model, and another for people who never rest.
    clock, motion, plain, teller
        Controls; `motion` is None where nobody's was recorded.
    without : tuple of (str, Model, bool)
        Models without some of the steps: arm, model, whether rest is used.
    """

    model: Model
    raw: Model
    clock: Clock
    motion: Motion | None
    plain: LateFusion
    teller: TimeTeller
    without: tuple[tuple[str, Model, bool], ...]


def learn(split: SubjectSplit, target: Target, training: Mapping[str, Any], *, steps: bool, kept: Path | None) -> Judges:
    """Fit the model and what stands beside it.

    Parameters
    ----------
    split : SubjectSplit
        Its learning side is learned from.
    target : Target
        What to estimate.
    training : mapping
        Where the data come from; goes into the bundle.
    steps : bool
        Whether models without some of the steps are fitted as well.
    kept : Path or None
        Folder for the bundle.
    """
    fitted = fit(split, target, training=training)
    if kept is not None:
        from feltsense.bundle.write import write

        write(kept / f"{split.name}{SUFFIX}", fitted.model, card(fitted.model), fitted.stack)
    classes = len(target.classes)
    return Judges(
        fitted.model, fit(split, target, calibrated=False).model, Clock.fit(split, classes), Motion.fit(split, classes),
        LateFusion.fit(split, target), TimeTeller.fit(split, partial(inputs_of, fitted.model)),
        tuple(variants(split, target, fitted.model)) if steps else (),
    )  # fmt: skip


def judge(judges: Judges, people: Cohort, seed: int) -> list[Fold]:
    """Answers about people who were not learned from, one :class:`Fold` a person."""
    out = []
    for subject in people.people:
        mine = people.only((subject,)).lines
        fold = answers_of(judges.model, mine, subject, seed)
        fold.arms["raw"] = _joined(mine, partial(_answered, judges.raw, calibrated=False))
        fold.arms["time_only"] = _joined(mine, _counted(judges.clock))
        fold.arms["time_only_order_randomised"] = Arm.joined(
            [_shuffled(judges.clock, x, s) for x in mine for s in range(SHUFFLES)]
        )
        if judges.motion is not None:
            fold.arms["motion_only"] = _joined(mine, _counted(judges.motion))
        fold.arms["late_fusion"] = _joined(mine, _counted(judges.plain))
        fold.curves["late_fusion"] = _curve(judges.plain, mine, seed)
        for name, model, known in judges.without:
            fold.arms[name] = _joined(mine, partial(_answered, model, calibrated=known))
        leak = np.concatenate([judges.teller(x) for x in mine])
        out.append(replace(fold, chosen=judges.model.training["chosen"], time_leak=leak))
    return out


def answers_of(model: Model, mine: Sequence[Line], subject: str, seed: int) -> Fold:
    """One person's answers, of all arms that need nothing but the model."""
    silent = sum(int((x.scored & ~answer(model, x).present).sum()) for x in mine)
    votes = [x.votes[x.scored] for x in mine if x.votes is not None]
    about = {k: v for x in mine for k, v in x.about.items()}
    return Fold(
        subject, _arms(model, mine), {"model": _curve(_smoothed(model), mine, seed)}, np.empty((0, 2)), silent,
        sum(int(x.scored.sum()) for x in mine), about, np.concatenate(votes) if votes else None,
        sum(int((x.y < 0).sum()) for x in mine),
    )


def _arms(model: Model, mine: Sequence[Line]) -> dict[str, Arm]:
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
