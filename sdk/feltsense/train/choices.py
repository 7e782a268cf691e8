"""Constants that a fit chooses by itself, on its learning side, by what was said about people who were not learned from.

So a figure of an evaluation is nested: the constants of a fold were chosen by the inner folds of its learning side, and
the person it is judged by had no part in it. What each fold chose stands in the bundle (``training.chosen``) and in the
report.

Rules
-----
- The loss is the mean negative log-probability of the true class at equal shares, after the calibration.
- Of equal losses the first candidate wins; candidates stand in the order of preference.
- The weight of the population is chosen with linear experts: it changes the inputs of all families alike, and these
  cost a hundredth of a second. Sessions in which nothing happens count, too: there a light population lets a person's
  own calm ups and downs look like a lot.
- Families of experts: the one with the least loss, and another beside it only where the gain over people is above zero
  with 95 % confidence (paired t interval). Experts that say the same thing twice are not carried along.
- Further windows that end with the main one: as many of the target's, from its first on, as have the least loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense.fusion.late import probabilities
from feltsense.train.margins import class_weights, log_loss, out_of_fold
from feltsense.train.stacking import begin, evidence_of, judged_by, weights_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.train.margins import Fit, Rows
    from feltsense.train.stacking import Limits
    from feltsense.train.targets import Target

__all__ = ["ADAPTIVE_KAPPAS_S", "chosen_families", "chosen_kappa", "chosen_lengths"]

ADAPTIVE_KAPPAS_S: Final = (600.0, 300.0, 1200.0)
"""Seconds that the population counts as in the adaptive baseline, from 5 to 20 minutes; ten are the published recipe's 20
windows of 30 s."""
QUICK: Final = (0.003,)
"""Inverse penalty of the experts that judge these."""
Z_95: Final = 1.96


def chosen_kappa(
    candidates: Mapping[float, Rows], target: Target, folds: Sequence[NDArray[np.bool_]], limits: Limits
) -> float:
    """The population's weight with which linear experts have the least loss."""
    if len(candidates) < 2:
        return next(iter(candidates))
    losses = {}
    for kappa, rows in candidates.items():
        fits = [
            out_of_fold(rows, m, np.flatnonzero(rows.owner == i), "linear", folds, QUICK)
            for i, m in enumerate(target.modalities) if (rows.owner == i).any()
        ]  # fmt: skip
        evidence, judged = _evidence(rows, fits, target, limits)
        weight, base = weights_of(evidence[judged], rows.y[judged], rows.classes)
        everyone = judged | rows.calm
        logit = np.einsum("nek,e->nk", evidence[everyone], weight) + base
        losses[kappa] = log_loss(logit, rows.y[everyone], rows.classes)
    return min(losses, key=lambda k: losses[k])


def chosen_families(rows: Rows, fits: Sequence[Fit], target: Target, limits: Limits) -> tuple[str, ...]:
    """The family with the least loss, and those that add to it for certain."""
    kinds = list(dict.fromkeys(f.kind for f in fits))
    each = _each(rows, fits, target, limits)
    losses: dict[tuple[str, ...], NDArray[np.float64]] = {(k,): each([f.kind == k for f in fits]) for k in kinds}
    best: tuple[str, ...] = min(losses, key=lambda k: float(losses[k].mean()))
    now = losses[best]
    for kind in sorted(set(kinds) - set(best), key=lambda k: float(losses[(k,)].mean())):
        more = each([f.kind in (*best, kind) for f in fits])
        gain = now - more
        error = float(gain.std(ddof=1)) / np.sqrt(len(gain)) if len(gain) > 1 else np.inf
        if float(gain.mean()) - Z_95 * error > 0:
            best, now = (*best, kind), more
    return best


def chosen_lengths(
    rows: Rows, fits: Sequence[Fit], target: Target, limits: Limits, lengths: Sequence[float | None]
) -> tuple[float, ...]:
    """How many of the target's further windows are worth their features, in its order: those with the least loss.

    `lengths` says over which each expert is, None for the window itself.
    """
    there = [s for s in target.further_s if s in lengths]
    if not there:
        return ()
    each = _each(rows, fits, target, limits)
    some = [tuple(there[:count]) for count in range(len(there) + 1)]
    losses = {kept: float(each([s is None or s in kept for s in lengths]).mean()) for kept in some}
    return min(some, key=lambda kept: losses[kept])


def _each(
    rows: Rows, fits: Sequence[Fit], target: Target, limits: Limits
) -> Callable[[Sequence[bool]], NDArray[np.float64]]:
    """What gives the loss of each person, out of fold, with some of the experts."""
    evidence, judged = _evidence(rows, fits, target, limits)
    y, people = rows.y[judged], rows.subject[judged]

    def each(some: Sequence[bool]) -> NDArray[np.float64]:
        mine = evidence[judged][:, np.flatnonzero(some)]
        weight, base = weights_of(mine, y, rows.classes)
        p = probabilities(np.einsum("nek,e->nk", mine, weight) + base)[np.arange(len(y)), y]
        lost = class_weights(y, rows.classes) * -np.log(np.maximum(p, 1e-12))
        return np.array([lost[people == s].mean() for s in np.unique(people)])

    return each


def _evidence(
    rows: Rows, fits: Sequence[Fit], target: Target, limits: Limits
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Evidence of each expert as the fusion sees it (n, experts, classes − 1), and the windows to judge by."""
    fusion, _, present = begin(rows, fits, target, limits)
    return evidence_of(rows, fits, fusion, present, target.half_lives[0]), judged_by(rows, present)
