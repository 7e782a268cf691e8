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
from feltsense.evaluate.apply import answers, calm_only, inputs_of, own_seed, rearranged, silenced
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

    Saying = Callable[[Sequence[Line]], list[NDArray[np.float64]]]

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
        fold.arms["raw"] = _answered(judges.raw, mine, calibrated=False)
        fold.arms["time_only"] = _scored(_each(judges.clock), mine)
        fold.arms["time_only_order_randomised"] = _shuffled(_each(judges.clock), mine)
        if judges.motion is not None:
            fold.arms["motion_only"] = _scored(_each(judges.motion), mine)
        fold.arms["late_fusion"] = _scored(_each(judges.plain), mine)
        fold.curves["late_fusion"] = _curve(_each(judges.plain), mine, seed)
        for name, model, known in judges.without:
            fold.arms[name] = _answered(model, mine, calibrated=known)
        leak = np.concatenate([judges.teller(x) for x in mine])
        out.append(replace(fold, chosen=judges.model.training["chosen"], time_leak=leak))
    return out


def answers_of(model: Model, mine: Sequence[Line], subject: str, seed: int) -> Fold:
    """One person's answers, of all arms that need nothing but the model."""
    votes = [x.votes[x.scored] for x in mine if x.votes is not None]
    about = {k: v for x in mine for k, v in x.about.items()}
    arms, windows = _arms(model, mine), sum(int(x.scored.sum()) for x in mine)
    return Fold(
        subject, arms, {"model": _curve(_smoothed(model), mine, seed)}, np.empty((0, 2)),
        windows - len(arms["rest"].truth), windows, about, np.concatenate(votes) if votes else None,
        sum(int((x.y < 0).sum()) for x in mine),
    )


def _arms(model: Model, mine: Sequence[Line]) -> dict[str, Arm]:
    """Arms that need nothing but the model: calibrated or not, rearranged, calm only, modalities alone and left out."""
    quiet = [calm_only(x, HOP_S, 0) for x in mine]
    calm = zip(mine, quiet, answers(model, [moved for moved, _ in quiet]), strict=True)
    out = {
        "rest": _answered(model, mine),
        "rest_model_without_profile": _answered(model, mine, calibrated=False),
        "order_randomised": _shuffled(_smoothed(model), mine),
        "calm_only": Arm.joined([Arm.of(m, x.scored[order] & a.present, a.probability) for x, (m, order), a in calm]),
    }
    without: dict[frozenset[str], Arm] = {}
    for m in model.modalities:
        others = frozenset(model.modalities) - {m}
        if others:
            # Of two modalities one alone is the other left out.
            for name, gone in ((f"{m}_alone", others), (f"without_{m}", frozenset({m}))):
                if gone not in without:
                    without[gone] = _answered(model, mine, without=sorted(gone))
                out[name] = without[gone]
    return out


def _each(say: Callable[[Line], NDArray[np.float64]]) -> Saying:
    """Probabilities of a control, timeline by timeline."""
    return lambda lines: [say(x) for x in lines]


def _smoothed(model: Model) -> Saying:
    """Those of a model, all timelines at once."""
    return lambda lines: [a.probability for a in answers(model, lines)]


def _scored(say: Saying, mine: Sequence[Line]) -> Arm:
    """Every scored window of a person's recordings, also one about which nothing is known."""
    return Arm.joined([Arm.of(x, x.scored, p) for x, p in zip(mine, say(mine), strict=True)])


def _answered(model: Model, mine: Sequence[Line], *, calibrated: bool = True, without: Sequence[str] = ()) -> Arm:
    """Scored windows that a model has an answer about."""
    said = answers(model, mine, calibrated=calibrated, without=without)
    return Arm.joined([Arm.of(x, x.scored & a.present, a.probability) for x, a in zip(mine, said, strict=True)])


def _shuffled(say: Saying, mine: Sequence[Line]) -> Arm:
    """Answers on rearranged timelines, of the windows that are scored on the true one."""
    moved = [(x, *rearranged(x, HOP_S, seed)) for x in mine for seed in range(SHUFFLES)]
    said = say([new for _, new, _ in moved])
    return Arm.joined([Arm.of(new, x.scored[order], p) for (x, new, order), p in zip(moved, said, strict=True)])


def _curve(say: Saying, mine: Sequence[Line], seed: int) -> list[Arm]:
    """Answers with ever more missing."""
    gone = [silenced(x, _silent(x, level, seed)) for level in LEVELS for x in mine]
    said = say(gone)
    parts = [Arm.of(x, x.scored, p) for x, p in zip(gone, said, strict=True)]
    return [Arm.joined(parts[i : i + len(mine)]) for i in range(0, len(parts), len(mine))]


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
