"""The joint part of a model: trained out of fold, and kept only where people gain from it.

Rules
-----
- The network's out-of-fold margins and the additive experts' are weighed together by people other than those who are
  judged. A person's gain is how much the log-loss of the person's windows falls (classes at equal shares). The part
  is kept if the 95 % interval of the mean gain, people drawn 2,000 times, lies above 0; else it is left out.
- Imagination the same: each modality is taken away where it is there, and imagining it is compared with leaving it
  out. It is imagined in use only if the interval of that gain lies above 0.
- Both gains go into the bundle's notes and card, kept or not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.crossmodal.joint import Joint
from feltsense.crossmodal.memory import earlier, looked_back, starts
from feltsense.crossmodal.training import Seen
from feltsense.crossmodal.training import fit as fit_network
from feltsense.fusion.late import probabilities
from feltsense.train import stacking
from feltsense.train.margins import class_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from feltsense.crossmodal.attention import Attention
    from feltsense.fusion.late import Fusion
    from feltsense.train.margins import Fit, Rows
    from feltsense.train.stacking import Limits
    from feltsense.train.targets import Target

__all__ = ["Candidate", "candidate", "gained", "whole"]

DRAWS = 2000
_QUANTILES = (0.025, 0.975)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A joint part on trial.

    Attributes
    ----------
    margins : ndarray, shape (n, classes − 1), or None
        Out of fold, scaled as in use; None if nobody gains from it.
    imagines : ndarray of bool, shape (modalities,)
        Whom it may imagine.
    seen : Seen
        What it learns from.
    notes : dict
        Both gains.
    """

    margins: NDArray[np.float64] | None
    imagines: NDArray[np.bool_]
    seen: Seen
    notes: dict[str, Any]


def candidate(
    rows: Rows, fits: Sequence[Fit], target: Target, limits: Limits, folds: Sequence[NDArray[np.bool_]]
) -> Candidate:
    """Train out of fold, and try.

    Parameters
    ----------
    rows : Rows
        All windows.
    fits : sequence of Fit
        The additive experts, out of fold.
    target : Target
        With its aggregation in `joint`.
    limits : Limits
        As :func:`feltsense.train.stacking.fit` takes them.
    folds : sequence of ndarray of bool
        Windows that each fold judges.
    """
    fusion, _, present = stacking.begin(rows, fits, target, limits)
    seen = _seen(rows, fusion, present)
    networks = [_network(seen, rows, rows.train & ~held, target.joint) for held in folds]
    margins = np.zeros((len(rows.y), rows.classes - 1))
    for held, network in zip(folds, networks, strict=True):
        margins[held] = _said(network, seen, present, held)
    evidence = stacking.evidence_of(rows, fits, fusion, present, target.half_lives[0])
    anyone = np.asarray(present.any(axis=1))
    joint = stacking.smoothed(margins, rows, anyone, target.half_lives[0])
    judged = rows.scored & anyone
    without, with_it = _crossed(evidence, joint, rows, judged, folds)
    gain = gained(without, with_it, rows, judged)
    notes: dict[str, Any] = {"aggregate": target.joint, "gain": gain, "kept": gain["low"] > 0.0}
    if not notes["kept"]:
        return Candidate(None, np.zeros(present.shape[1], np.bool_), seen, notes)
    weight, base = stacking.weights_of(evidence[judged], rows.y[judged], rows.classes)
    worth, shift = stacking.correction(evidence, joint, (weight, base), rows, judged)
    notes["imagined"], imagines = {}, np.zeros(present.shape[1], np.bool_)
    for m, name in enumerate(target.modalities):
        weighed = fits, np.append(weight, worth), base + shift
        found = _imagination(m, (rows, seen, present, fusion), networks, folds, weighed)
        notes["imagined"][name], imagines[m] = found, found["low"] > 0.0
    return Candidate(margins, imagines, seen, notes)


def whole(trial: Candidate, rows: Rows, target: Target, weight: float) -> Joint | None:
    """The joint part of everyone; None where it was not kept."""
    if trial.margins is None or weight <= 0.0:
        return None
    network = _network(trial.seen, rows, rows.train, target.joint)
    return Joint(replace(network, imagines=trial.imagines), weight)


def gained(before: NDArray[np.float64], after: NDArray[np.float64], rows: Rows, judged: NDArray[np.bool_]) -> dict[str, Any]:
    """Mean over people of how much their loss (n,) falls, and its 95 % interval over people."""
    weight = class_weights(rows.y[judged], rows.classes)
    difference, subject = (before - after)[judged], rows.subject[judged]
    people = np.unique(subject)
    if not len(people):
        return {"people": 0, "mean": 0.0, "low": 0.0, "high": 0.0}
    gains = np.array([np.average(difference[subject == s], weights=weight[subject == s]) for s in people])
    drawn = gains[np.random.default_rng(0).integers(0, len(gains), (DRAWS, len(gains)))].mean(axis=1)
    low, high = np.quantile(drawn, _QUANTILES)
    return {"people": len(people), "mean": float(gains.mean()), "low": float(low), "high": float(high)}


def _seen(rows: Rows, fusion: Fusion, present: NDArray[np.bool_]) -> Seen:
    parts = []
    for number in np.unique(rows.line):
        mine = np.flatnonzero(rows.line == number)
        back = earlier(rows.stop_s[mine], starts(rows.known[mine]))
        parts.append((mine, np.where(back >= 0, mine[np.maximum(back, 0)], -1)))
    past = np.full((len(rows.y), parts[0][1].shape[1]), -1, np.int64)
    for mine, back in parts:
        past[mine] = back
    return Seen(rows.z, fusion.fade(present, rows.quality), past, rows.owner)


def _network(seen: Seen, rows: Rows, learn: NDArray[np.bool_], aggregate: str) -> Attention:
    # A window with nothing in it teaches nothing.
    some = np.flatnonzero(learn & (seen.gate > 0.0).any(axis=1))
    y = rows.y[some]
    return fit_network(seen, y, class_weights(y, rows.classes), some, aggregate=aggregate)


def _said(
    network: Attention, seen: Seen, present: NDArray[np.bool_], held: NDArray[np.bool_], without: int | None = None
) -> NDArray[np.float64]:
    """Scaled margins of some windows; `without`: with a modality taken away, now and before."""
    gate = np.array(seen.gate)
    there = np.array(present)
    if without is not None:
        gate[:, without], there[:, without] = 0.0, False
    token = network.tokens(seen.score)
    tokens, gates = looked_back(token, gate, seen.past[held])
    margins, _, _ = network.look(token[held], gate[held], tokens, gates)
    return network.shrink(there[held])[:, None] * margins


def _crossed(
    evidence: NDArray[np.float64], joint: NDArray[np.float64], rows: Rows, judged: NDArray[np.bool_],
    folds: Sequence[NDArray[np.bool_]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """−log p(true class) (n,) without and with a joint part, both weighed by people of the other folds."""
    without, with_it = np.zeros(len(evidence)), np.zeros(len(evidence))
    for held in folds:
        learn, new = judged & ~held, judged & held
        fitted = stacking.weights_of(evidence[learn], rows.y[learn], rows.classes)
        worth, shift = stacking.correction(evidence, joint, fitted, rows, learn)
        logit = np.einsum("nek,e->nk", evidence[new], fitted[0]) + fitted[1]
        without[new] = _loss(logit, rows.y[new])
        with_it[new] = _loss(logit + shift + worth * joint[new], rows.y[new])
    return without, with_it


def _loss(logit: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[np.float64]:
    out: NDArray[np.float64] = -np.log(np.maximum(probabilities(logit)[np.arange(len(y)), y], 1e-12))
    return out


def _imagination(
    m: int, parts: tuple[Rows, Seen, NDArray[np.bool_], Fusion], networks: Sequence[Attention],
    folds: Sequence[NDArray[np.bool_]], weighed: tuple[Sequence[Fit], NDArray[np.float64], NDArray[np.float64]],
) -> dict[str, Any]:
    """Gain of imagining modality m over leaving it out, where it was there and is taken away."""
    rows, seen, present, fusion = parts
    fits, weight, base = weighed
    gain = fusion.gain(present, rows.quality)
    additive = np.zeros((len(rows.y), rows.classes - 1)) + base
    for i in np.flatnonzero(fusion.member != m).tolist():
        additive = additive + weight[i] * gain[:, fusion.member[i], None] * fits[i].margins
    judged = rows.scored & present[:, m] & (present.sum(axis=1) > 1)
    out = []
    for imagines in (False, True):
        flag = np.zeros(present.shape[1], np.bool_)
        flag[m] = imagines
        margins = np.zeros_like(additive)
        for held, network in zip(folds, networks, strict=True):
            margins[held] = _said(replace(network, imagines=flag), seen, present, held, without=m)
        loss = np.zeros(len(rows.y))
        loss[judged] = _loss((additive + weight[-1] * margins)[judged], rows.y[judged])
        out.append(loss)
    return gained(out[0], out[1], rows, judged)
