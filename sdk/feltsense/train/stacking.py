"""Fusion weights, calibration and limits from out-of-fold margins.

The evidence of each expert is masked, faded and smoothed as it will be in use; then one logistic regression with
weights ≥ 0 (L-BFGS-B) finds how much each is worth. Since smoothing and fusion are linear, its slope and offset are
the calibration as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize

from feltsense.fusion.late import Fusion, probabilities
from feltsense.fusion.prior import LEANS, leaning
from feltsense.train.margins import class_weights, log_loss
from feltsense.train.running import decided, smooth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from feltsense.train.margins import Fit, Rows
    from feltsense.train.targets import Target

__all__ = ["Limits", "Stacked", "begin", "correction", "evidence_of", "fit", "judged_by", "only", "smoothed", "weights_of"]

RIDGE = 0.01
"""Pull of the weights towards equal ones, in units of the mean log-loss: experts of a modality are near copies of
each other, and their split would otherwise be noise."""
FLATTEN = 1e-3
"""Pull of each weight towards 1, an expert's own log-odds, in the same units: where classes part without an error there
would be no end to how sure the fusion is."""
RESCALES = (0.0, 0.5, 1.0)
HOLD = 0.1
"""Advantage of the decision before, in logits: 0, 0.1, 0.2 and 0.3 lie within .006 of balanced accuracy."""
CALM_ALARMS = 0.19
"""Largest share of false alarms, out of fold, of people who stay calm: what is asked for is one in five at most, and the
people left out must keep it, too."""
MOST_CAUTION, CAUTION_STEPS = 3.0, 9
"""A base is lowered by no more than this, found to 0.006."""
COVERAGE = 0.9
"""Share of a person's windows whose true class the conformal set holds, for this share of people."""


class Limits(NamedTuple):
    """When a modality counts: least quality, full quality, and the share of its inputs that must be there."""

    least: float
    full: float
    need: float


@dataclass(frozen=True, slots=True, eq=False)
class Stacked:
    """A fusion and what was found with it: among it the smoothing.

    Its base was lowered by `caution` for calm people; `plausible` is the probability from which on a class is; `joint`
    is the weight of the joint part, 0 without one; `lean` how far labels lean towards shares that are told.
    """

    fusion: Fusion
    half_life_s: float
    caution: float
    plausible: float
    joint: float = 0.0
    lean: float = 0.0


def only(fusion: Fusion, kept: Sequence[int]) -> Fusion:
    """The fusion of some of the experts."""
    index = np.array(kept, np.int64)
    return replace(fusion, member=fusion.member[index], weight=fusion.weight[index])


def fit(
    rows: Rows, fits: Sequence[Fit], target: Target, limits: Limits,
    joint: NDArray[np.float64] | None = None,
) -> Stacked:
    """Fit the fusion.

    Parameters
    ----------
    rows : Rows
        All windows.
    fits : sequence of Fit
        Experts with out-of-fold margins.
    target : Target
        Modalities, and the half-lives to choose from.
    limits : Limits
        When a modality counts.
    joint : ndarray, shape (n, classes − 1), optional
        Out-of-fold margins of a joint part, scaled as in use.
    """
    plain, finite, present = begin(rows, fits, target, limits)
    modalities, anyone = len(target.modalities), np.asarray(present.any(axis=1))
    judged = judged_by(rows, present)
    y = rows.y[judged]
    tried = []
    for half_life in target.half_lives:
        evidence = evidence_of(rows, fits, plain, present, half_life)
        weight, base = weights_of(evidence[judged], y, rows.classes)
        loss = log_loss(np.einsum("nek,e->nk", evidence[judged], weight) + base, y, rows.classes)
        tried.append((loss, half_life, evidence, weight, base))
    _, half_life, evidence, weight, base = min(tried, key=lambda t: t[:2])
    fusion = replace(plain, weight=weight, base=base)
    fusion = replace(fusion, share=_share(evidence[judged], fusion, modalities))
    fusion = replace(fusion, rescale=_rescale(evidence, fusion, rows, judged))
    said = fusion([f.margins for f in fits], finite, rows.quality).logit
    worth = 0.0
    if joint is not None:
        extra = smoothed(joint, rows, anyone, half_life)
        worth, shift = correction(evidence, extra, (weight, base), rows, judged)
        fusion = replace(fusion, base=base + shift)
        said = said + shift + worth * joint
    logit = smoothed(said, rows, anyone, half_life)
    caution = _caution(logit, rows, anyone)
    fusion = replace(fusion, base=fusion.base - caution)
    answered = rows.scored & anyone
    p = decided(logit - caution, anyone, rows.known, HOLD, rows.line)
    plausible = _plausible(p[answered], rows.y[answered], rows.subject[answered])
    return Stacked(fusion, half_life, caution, plausible, worth, _lean(p[answered], rows.y[answered]))


def begin(
    rows: Rows, fits: Sequence[Fit], target: Target, limits: Limits
) -> tuple[Fusion, NDArray[np.float64], NDArray[np.bool_]]:
    """A fusion before its weights are known; finite inputs and who is present (n, modalities)."""
    others, modalities = rows.classes - 1, len(target.modalities)
    sizes = np.bincount(rows.owner, minlength=modalities)
    fusion = Fusion(
        np.array([target.modalities.index(f.modality) for f in fits], np.int64), np.ones(len(fits)), np.zeros(others),
        np.full(modalities, 1.0 / modalities), np.ceil(limits.need * sizes), 0.0, limits.least, limits.full,
    )
    finite = np.stack([rows.usable[:, rows.owner == m].sum(axis=1) for m in range(modalities)], axis=1).astype(np.float64)
    return fusion, finite, fusion.present(finite, rows.quality)


def judged_by(rows: Rows, present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Scored windows where everyone is present; where that is never, where anyone is."""
    everyone = np.asarray(present.all(axis=1))
    out: NDArray[np.bool_] = rows.scored & (everyone if everyone[rows.scored].any() else present.any(axis=1))
    return out


def _caution(smoothed: NDArray[np.float64], rows: Rows, present: NDArray[np.bool_]) -> float:
    """How far the base must be lowered until people who stay calm have few enough false alarms, out of fold.

    The threshold that balances a laboratory's mix of rest and stress flags a calm hour too often, since what counts as
    high is learned from the hour itself. How strong another laboratory's stressor is nobody can know beforehand; what
    calm people look like is known from everyone.
    """
    judged = rows.calm & present
    if not judged.any():
        return 0.0
    some = np.isin(rows.line, np.unique(rows.line[judged]))
    logit, there, known, line = smoothed[some], present[some], rows.known[some], rows.line[some]

    def alarms(caution: float) -> float:
        p = decided(logit - caution, there, known, HOLD, line)
        return float((p[judged[some]].argmax(axis=1) > 0).mean())

    low, high = 0.0, MOST_CAUTION
    if alarms(low) <= CALM_ALARMS:
        return low
    for _ in range(CAUTION_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if alarms(middle) <= CALM_ALARMS else (middle, high)
    return high


def _lean(p: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """How far labels of more than two classes lean towards the shares: with the best mean F1, out of fold."""
    if p.shape[1] < 3:
        return 0.0
    shares = np.maximum(np.bincount(y, minlength=p.shape[1]), 1) / max(len(y), 1)
    return max(LEANS, key=lambda lean: (_f1(leaning(p, shares, lean).argmax(axis=1), y, p.shape[1]), -lean))


def _f1(said: NDArray[np.int64], y: NDArray[np.int64], classes: int) -> float:
    """Mean F1 of the classes."""
    both = np.bincount(y[said == y], minlength=classes)
    return float((2 * both / np.maximum(np.bincount(y, minlength=classes) + np.bincount(said, minlength=classes), 1)).mean())


def smoothed(x: NDArray[np.float64], rows: Rows, present: NDArray[np.bool_], half_life: float) -> NDArray[np.float64]:
    """Exponential means over everybody's timelines."""
    return smooth(x, present, rows.known, rows.stop_s, half_life, rows.line)


def evidence_of(
    rows: Rows, fits: Sequence[Fit], fusion: Fusion, present: NDArray[np.bool_], half_life: float
) -> NDArray[np.float64]:
    """Masked, faded, smoothed margins of all experts (n, experts, classes − 1)."""
    gain = fusion.gain(present, rows.quality)
    stacked = np.stack([gain[:, m, None] * f.margins for m, f in zip(fusion.member, fits, strict=True)], axis=1)
    n, experts, others = stacked.shape
    flat = smoothed(stacked.reshape(n, experts * others), rows, np.asarray(present.any(axis=1)), half_life)
    return flat.reshape(n, experts, others)


def correction(
    evidence: NDArray[np.float64], extra: NDArray[np.float64], fitted: tuple[NDArray[np.float64], NDArray[np.float64]],
    rows: Rows, judged: NDArray[np.bool_],
) -> tuple[float, NDArray[np.float64]]:
    """Weight ≥ 0 of a joint part (its evidence: (n, classes − 1)) and shift of the base, on top of a fitted fusion.

    The additive experts stay as they were fitted alone: a joint part that took their weight would leave nothing to say
    where all but one modality are missing.
    """
    weight, base = fitted
    given = np.einsum("nek,e->nk", evidence[judged], weight) + base
    worth, shift = weights_of(extra[judged][:, None], rows.y[judged], rows.classes, given)
    return float(worth[0]), shift


def weights_of(
    evidence: NDArray[np.float64], y: NDArray[np.int64], classes: int, given: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights ≥ 0 (experts,) and base (classes − 1,) of evidence (n, experts, classes − 1), beside a `given` logit."""
    experts = evidence.shape[1]
    share = class_weights(y, classes) / len(y)
    truth = np.eye(classes)[y]

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weight, base = theta[:experts], theta[experts:]
        p = probabilities(np.einsum("nek,e->nk", evidence, weight) + base + (0.0 if given is None else given))
        value = -float((share * np.log(np.maximum((p * truth).sum(axis=1), 1e-300))).sum())
        error = share[:, None] * (p - truth)[:, 1:]
        away = weight - weight.mean()
        pull = 2 * RIDGE * away + 2 * FLATTEN * (weight - 1.0)
        gradient = np.concatenate([np.einsum("nk,nek->e", error, evidence) + pull, error.sum(axis=0)])
        return value + RIDGE * float((away**2).sum()) + FLATTEN * float(((weight - 1.0) ** 2).sum()), gradient

    bounds = [(0.0, None)] * experts + [(None, None)] * (classes - 1)
    start = np.concatenate([np.full(experts, 0.5), np.zeros(classes - 1)])
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-12, "gtol": 1e-8})
    return np.asarray(found.x[:experts]), np.asarray(found.x[experts:])


def _share(evidence: NDArray[np.float64], fusion: Fusion, modalities: int) -> NDArray[np.float64]:
    spread = np.zeros(modalities)
    for m in range(modalities):
        mine = fusion.member == m
        spread[m] = np.einsum("nek,e->nk", evidence[:, mine], fusion.weight[mine]).std()
    total = float(spread.sum())
    return spread / total if total > 0 else np.full(modalities, 1.0 / modalities)


def _rescale(evidence: NDArray[np.float64], fusion: Fusion, rows: Rows, judged: NDArray[np.bool_]) -> float:
    """Which scaling of the others answers best when one modality is taken away, out of fold."""
    modalities = len(fusion.share)
    if modalities < 2:
        return RESCALES[0]
    losses = dict.fromkeys(RESCALES, 0.0)
    for gone in range(modalities):
        left = fusion.member != gone
        logit = np.einsum("nek,e->nk", evidence[:, left], fusion.weight[left])[judged]
        share = max(1.0 - float(fusion.share[gone]), 0.05)
        for r in RESCALES:
            losses[r] += log_loss(logit * share**-r + fusion.base, rows.y[judged], rows.classes)
    return min(RESCALES, key=lambda r: (losses[r], r))


def _plausible(p: NDArray[np.float64], y: NDArray[np.int64], subject: NDArray[np.str_]) -> float:
    """Limit at which sets hold the truth in 90 % of the windows, for 90 % of people.

    Windows of a person are not exchangeable, people are: the quantile is taken over people (each person's own 90 %
    quantile of 1 − p(true), then the ⌈0.9·(n + 1)⌉-th smallest of these, as in split conformal prediction).
    """
    miss = 1.0 - p[np.arange(len(y)), y]
    people = np.sort([np.quantile(miss[subject == s], COVERAGE) for s in np.unique(subject)])
    rank = min(int(np.ceil(COVERAGE * (len(people) + 1))), len(people))
    return float(1.0 - people[rank - 1])
