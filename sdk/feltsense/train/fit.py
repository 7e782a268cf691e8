"""Fitting a model: one function, the same for the shipped bundle and for every fold of an evaluation.

Rules
-----
- Everything is fitted on the learning side of the split and on nothing else: population, spread, penalties, number of
  trees, fusion weights, calibration, the scaling for missing modalities, the conformal limit.
- What judges a choice is out-of-fold: people are split into 5 groups, and the windows of a group are judged by
  experts that never saw its people.
- Classes are weighted to equal shares everywhere, so that probabilities mean "if both were as likely", and the
  decision is the more probable class.
- Constants that are chosen (:mod:`feltsense.train.choices`; the smoothing in :mod:`feltsense.train.stacking`) are chosen by
  these, too, in every fit anew; what was chosen goes into the bundle.
- Experts and fusion see order-randomised timelines (:mod:`feltsense.train.timelines`), so that what runs along (the
  adaptive baseline, the smoothing) cannot teach them the order of a protocol.
- The fusion is fitted on the smoothed out-of-fold evidence: slope and offset of the calibration (Platt 1999) are in
  its weights and base. Weights are ≥ 0.
- Deterministic: one thread, a fixed seed, people in order of their names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.bundle.schema import Member, Model
from feltsense.core.modality import base, length_of, lengths
from feltsense.core.utterance import WHOLE
from feltsense.errors import MissingExtraError, ModelDataError
from feltsense.fusion.adaptive import Adaptive
from feltsense.fusion.inputs import CLIP, Normaliser
from feltsense.train import stacking
from feltsense.train.choices import ADAPTIVE_KAPPAS_S, chosen_families, chosen_kappa, chosen_lengths
from feltsense.train.examples import HOP_S, only_lengths, usable
from feltsense.train.inputs import plan
from feltsense.train.joint import candidate, whole
from feltsense.train.margins import BOOSTED, Fit, Rows, fit_expert, out_of_fold
from feltsense.train.splits import only_split
from feltsense.train.timelines import Timeline, calm_only, rearranged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.train.examples import Line
    from feltsense.train.inputs import Plan
    from feltsense.train.splits import SubjectSplit
    from feltsense.train.targets import Target

__all__ = ["FOLDS", "SEED", "Fitted", "fit", "need_extra"]

FOLDS = 5
SEED = 20
KAPPA_S = 30.0
"""Seconds of rest that the population counts as. On the training people a longer one is as good (30, 60 and 120 s
lie within .01 of balanced accuracy), because they share a device and a laboratory. A person with another device has
levels far outside that population, and κ = 120 s left a third of the difference in after 4 minutes of rest."""
NEVER_S = 1e9
"""The population's weight of a model that does not adapt: thirty years."""
FLOOR_S = 30.0
"""Laplace's seconds on either side; 10 and 60 s give the same to .003."""
COPIES = 4
"""Rearranged timelines of each recording to learn from."""
ENOUGH = 320
"""Recordings of which one timeline each teaches as much as more: with so many people it is people who differ. What one
process holds while fitting then grows by some 0.2 MB a person's hour."""
FAMILIES = ("neural", "linear")
"""Families of experts to choose from; trees are compared in the report, and cost ten times as much of the bundle."""
LIMITS = stacking.Limits(least=0.05, full=0.3, need=1 / 3)
"""With fewer of a modality's inputs than a third it is mostly the training mean that speaks."""
LEAST_SUBJECTS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fitted model.

    Attributes
    ----------
    model : Model
        What it is.
    stack : list of callable
        Margins of each expert as its own library computes them, for the parity gate.
    """

    model: Model
    stack: list[Callable[[NDArray[np.float64]], NDArray[np.float64]]]


def fit(
    split: SubjectSplit, target: Target, *, calibrated: bool = True, adaptive: bool = True,
    families: Sequence[str] = FAMILIES, training: Mapping[str, Any] | None = None,
) -> Fitted:
    """Fit a model.

    Parameters
    ----------
    split : SubjectSplit
        Its learning side is learned from; the other is not looked at.
    target : Target
        What to estimate.
    calibrated : bool
        Whether people's rest is used; False fits the model of people who never rest (an arm of evaluations).
    adaptive : bool
        Whether what people have shown so far is used; False leaves everyone among the training people for good.
    families : sequence of str
        Families of experts to choose from.
    training : mapping, optional
        Where the data come from; goes into the bundle.

    Raises
    ------
    ModelDataError
        If there are too few people, or a class nobody has.
    MissingExtraError
        If scikit-learn or lightgbm is not installed.
    """
    need_extra()
    split = only_split(split, "fit()")
    lines = split.learn.lines
    subjects = _check(lines, target)
    if set(lengths(lines[0].schema.modalities)) - set(target.further_s):
        lines = tuple(only_lengths(x, target.further_s) for x in lines)
    groups = [x.judge.people for x in split.inner(FOLDS, SEED)]
    layout, normaliser, baseline, rows, fits = _experts(lines, target, groups, (calibrated, adaptive), families)
    further = lengths(layout.windows)
    kept_lengths = chosen_lengths(rows, fits, target, LIMITS, [length_of(layout.windows[f.columns[0]]) for f in fits])
    if set(kept_lengths) != set(further):
        # What is not worth its features is not computed in use: inputs are chosen anew without it.
        lines = tuple(only_lengths(x, kept_lengths) for x in lines)
        layout, normaliser, baseline, rows, fits = _experts(lines, target, groups, (calibrated, adaptive), families)
    folds = [np.isin(rows.subject, people) for people in groups]
    trial = candidate(rows, fits, target, LIMITS, folds) if target.joint and len(target.modalities) > 1 else None
    stacked = stacking.fit(rows, fits, target, LIMITS, trial.margins if trial else None)
    # An expert whose weight came out as 0 says nothing: it is not carried along.
    kept = [i for i in range(len(fits)) if stacked.fusion.weight[i] > 0]
    experts = [fit_expert(rows, fits[i]) for i in kept]
    members = tuple(Member(fits[i].modality, fits[i].columns, e) for i, (e, _) in zip(kept, experts, strict=True))
    chosen: dict[str, Any] = {f"{layout.windows[f.columns[0]]}.{f.kind}": f.setting for f in fits}
    chosen |= {
        "families": "+".join(dict.fromkeys(f.kind for f in fits)), "adaptive_kappa_s": baseline.kappa,
        **({"further_windows_s": "+".join(f"{s:g}" for s in kept_lengths) or "none"} if further else {}),
        "smoothing_half_life_s": stacked.half_life_s, "missing_rescale": stacked.fusion.rescale,
    }  # fmt: skip
    notes = {
        "shares": _shares(lines, target),
        "subjects": list(subjects), "seed": SEED, "windows": int(sum((x.y >= 0).sum() for x in lines)),
        "chosen": chosen, "boosting": dict(BOOSTED), "caution": stacked.caution,
        **({"lean": stacked.lean} if len(target.classes) > 2 else {}),
        **({"joint": trial.notes} if trial else {}),
    }
    model = Model(
        target.name, target.classes, target.decision, target.modalities, layout.features, layout.names, normaliser,
        baseline, members, stacking.only(stacked.fusion, kept), stacking.HOLD, stacked.plausible,
        target.window_s, stacked.half_life_s,
        {**(training or {}), **notes}, whole(trial, rows, target, stacked.joint) if trial else None,
    )
    return Fitted(model, [s for _, s in experts])


def _experts(
    lines: Sequence[Line], target: Target, groups: Sequence[Sequence[str]], use: tuple[bool, bool], families: Sequence[str]
) -> tuple[Plan, Normaliser, Adaptive, Rows, list[Fit]]:
    """Inputs, what they are compared with, and experts out of fold: of each modality one over each length of window."""
    calibrated, adaptive = use
    layout = plan(lines[0].schema)
    normaliser = _normaliser(lines, layout, calibrated)
    baseline = _adaptive(lines, layout, normaliser, calibrated)
    kappas = ADAPTIVE_KAPPAS_S if adaptive else (NEVER_S,)
    candidates = _rows(lines, layout, (normaliser, baseline), target, (calibrated, kappas))
    folds = [np.isin(candidates[kappas[0]].subject, people) for people in groups]
    kappa = chosen_kappa(candidates, target, folds, LIMITS)
    rows = candidates[kappa]
    fits: list[Fit] = []
    for modality in target.modalities:
        for window in sorted({w for w in layout.windows if base(w) == modality}):
            columns = np.flatnonzero([w == window for w in layout.windows])
            fits += [out_of_fold(rows, modality, columns, kind, folds) for kind in families]
    used = chosen_families(rows, fits, target, LIMITS) if len(families) > 1 else tuple(families)
    return layout, normaliser, replace(baseline, kappa=kappa), rows, [f for f in fits if f.kind in used]


def need_extra() -> None:
    """Say at once if fitting is not possible, before an hour of recordings is read.

    Raises
    ------
    MissingExtraError
        If scikit-learn or lightgbm is not installed.
    """
    try:
        import lightgbm  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError:
        raise MissingExtraError("train", "fitting a model") from None


def _check(lines: Sequence[Line], target: Target) -> tuple[str, ...]:
    subjects = tuple(sorted({x.subject for x in lines}))
    if len(subjects) < LEAST_SUBJECTS:
        msg = f"a model needs at least {LEAST_SUBJECTS} people to learn from, got {len(subjects)}"
        raise ModelDataError(msg)
    for k, name in enumerate(target.classes):
        people = {x.subject for x in lines if np.any(x.y == k)}
        if len(people) < 2:
            msg = f"class {name!r} has labelled windows of {len(people)} people; at least 2 are needed"
            raise ModelDataError(msg)
    for line in lines:
        if line.schema.names != lines[0].schema.names:
            odd = sorted(set(line.schema.names) ^ set(lines[0].schema.names))
            msg = f"{line.path} has other features than {lines[0].path}: {', '.join(odd[:6])}"
            raise ModelDataError(msg)
    for modality in target.modalities:
        if not any(usable(x, modality) for x in lines):
            others = ",".join(m for m in target.modalities if m != modality)
            mend = f"leave it out with --modalities {others}" if others else "there is nothing else to learn from"
            msg = f"none of the {len(subjects)} people to learn from has a usable window of {modality}: {mend}"
            raise ModelDataError(msg)
    return subjects


def _shares(lines: Sequence[Line], target: Target) -> dict[str, float]:
    """How common each class was: the prior that gives back the training data's own base rates."""
    counts = np.bincount(np.concatenate([x.y[x.y >= 0] for x in lines]), minlength=len(target.classes))
    return {c: float(n / counts.sum()) for c, n in zip(target.classes, counts, strict=True)}


def _columns(line: Line, layout: Plan) -> NDArray[np.int64]:
    return np.array([line.schema.position(f.name) for f in layout.features], np.int64)


def _normaliser(lines: Sequence[Line], layout: Plan, calibrated: bool) -> Normaliser:
    """Population of rests, and spread within a person around the person's own mean."""
    width = len(layout.names)
    plain = Normaliser(
        np.array(layout.offset), np.array(layout.left, np.int64), np.array(layout.right, np.int64),
        np.zeros(width), np.ones(width), np.zeros(width), KAPPA_S,
    )
    centres, squares = [], []
    for line in lines:
        columns = _columns(line, layout)
        t = plain.transform(line.x[:, columns])
        own = _mean(t)
        rest = plain.transform(line.rest_mean[None, columns])[0]
        centres.append(np.where(np.isfinite(rest), rest, own) if calibrated else own)
        squares.append(_mean((t - own) ** 2))
    population, variance = _mean(np.array(centres)), _mean(np.array(squares))
    # An input that never varies stays at 0 instead of being divided by 0.
    within = np.sqrt(np.where(variance > 0, variance, 1.0))
    between = np.sqrt(_mean((np.array(centres) - population) ** 2))
    return replace(plain, population=np.nan_to_num(population), within=within, between=np.nan_to_num(between))


def _mean(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over rows of what is finite; NaN where nothing is."""
    seen = np.isfinite(x)
    count = seen.sum(axis=0)
    total = np.where(seen, x, 0.0).sum(axis=0)
    out: NDArray[np.float64] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return out


def _adaptive(lines: Sequence[Line], layout: Plan, normaliser: Normaliser, calibrated: bool) -> Adaptive:
    """Bins from the training people's normalised inputs, as far as their baselines apply."""
    empty = Adaptive.fit(np.empty((0, len(layout.names))), NEVER_S, FLOOR_S)
    seen = []
    for x in lines:
        own = Timeline.of(x, (normaliser, empty), _columns(x, layout), calibrated=calibrated)
        seen.append(own.z[own.known])
    return Adaptive.fit(np.concatenate(seen), NEVER_S, FLOOR_S)


def _rows(
    lines: Sequence[Line], layout: Plan, parts: tuple[Normaliser, Adaptive], target: Target,
    use: tuple[bool, Sequence[float]],
) -> dict[float, Rows]:
    """Windows of every line's timelines, stacked, for each of the weights that the population may have.

    Histories, the largest by far, are one timeline's at a time.
    """
    calibrated, kappas = use
    # Utterances have no order: a copy would say the same again.
    copies = 1 if target.window_s == WHOLE else max(1, min(COPIES, ENOUGH // len(lines)))
    moved, scored, calm, usable, known = [], [], [], [], []
    standing: dict[float, list[NDArray[np.float64]]] = {k: [] for k in kappas}
    for line in lines:
        columns = _columns(line, layout)
        timelines = [(rearranged(line, HOP_S, seed), False) for seed in range(copies)]
        timelines += [(calm_only(line, HOP_S, 0), True)] if target.rest else []
        for (new, order), quiet in timelines:
            own = Timeline.of(new, parts, columns, calibrated=calibrated)
            for kappa, mine in standing.items():
                mine.append(replace(parts[1], kappa=kappa)(own.z, own.seen))
            usable.append(np.abs(own.z) < CLIP)
            known.append(own.known)
            moved.append(replace(new, x=new.x[:, :0], motion=None, votes=None))
            scored.append(line.scored[order])
            calm.append(np.full(len(order), quiet, np.bool_))
    judged, alone = np.concatenate(scored), np.concatenate(calm)
    y = np.concatenate([x.y for x in moved])
    names = [f.name for f in layout.features]
    owner = np.array([target.modalities.index(base(names[i])) for i in layout.left])
    first = Rows(
        np.empty((0, len(owner))), np.concatenate(usable),
        np.concatenate([x.quality[:, : len(target.modalities)] for x in moved]), y,
        (y >= 0) & ~alone, judged & ~alone, owner,
        np.concatenate([np.full(len(x.y), x.subject) for x in moved]),
        np.concatenate([np.full(len(x.y), i) for i, x in enumerate(moved)]),
        np.concatenate([x.stop_s for x in moved]), np.concatenate(known), judged & alone, len(target.classes),
    )
    return {kappa: replace(first, z=np.concatenate(mine)) for kappa, mine in standing.items()}
