"""Masked late fusion: every modality says what it knows, a missing one says nothing.

Contract
--------
- A modality is *present* where its quality reaches `min_quality` and enough of its inputs are finite. A modality
  that is not present contributes exactly 0.
- Present evidence fades with quality: full from `full_quality` on, linearly less below.
- When modalities are missing, the evidence of the others is scaled by (share that is present)^−rescale: 0 leaves
  it, 1 restores the full scale. The share of a modality is its part of the spread of the logit in training.
- logit = base + Σ contributions, for every class but the first (whose logit is 0). Weights are ≥ 0.
- Smoothing is an exponential mean over time, with a half-life in seconds, of the line through the logits of windows
  that are :data:`APART_S` apart, whatever the hop: at a finer hop as many memories run side by side, each window going on
  from the one so long before it. So a decision at a time does not depend on how many windows lay in between.
- A decision holds: the class that was decided there is given `hold` in its logit, so that an estimate at the border does
  not flicker. It is part of the probability: the label is always the most probable class.
- Nothing present: no answer. The logit is the base, the smoothed logit stays what it was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["APART_S", "Fused", "Fusion", "decay", "held", "lead", "probabilities", "settled"]

APART_S = 30.0
"""Seconds between windows that remember each other: half of a window of a minute, and what models are trained at."""
LEAST_SHARE = 0.05
"""A share below this is not scaled up further: 1/20 of the evidence is not evidence."""


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """Outcome of the fusion.

    Attributes
    ----------
    present : ndarray of bool, shape (n, modalities)
        Who took part.
    contributions : ndarray, shape (n, modalities, classes − 1)
        Towards each class but the first.
    logit : ndarray, shape (n, classes − 1)
        Base plus contributions.
    """

    present: NDArray[np.bool_]
    contributions: NDArray[np.float64]
    logit: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Fusion:
    """Parameters of the fusion.

    Attributes
    ----------
    member : ndarray of int64, shape (experts,)
        Modality of each expert.
    weight : ndarray, shape (experts,)
        Weights, ≥ 0; they include the calibration's slope.
    base : ndarray, shape (classes − 1,)
        Logit of no evidence; includes the calibration's offset.
    share : ndarray, shape (modalities,)
        Parts of the spread, adding up to 1.
    need : ndarray, shape (modalities,)
        Finite inputs that a present modality has at least.
    rescale, min_quality, full_quality : float
        As in the contract above.
    """

    member: NDArray[np.int64]
    weight: NDArray[np.float64]
    base: NDArray[np.float64]
    share: NDArray[np.float64]
    need: NDArray[np.float64]
    rescale: float
    min_quality: float
    full_quality: float

    def present(self, finite: NDArray[np.float64], quality: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Who takes part: by counts of finite inputs and quality, both (n, modalities)."""
        out: NDArray[np.bool_] = (quality >= self.min_quality) & (finite >= self.need)
        return out

    def fade(self, present: NDArray[np.bool_], quality: NDArray[np.float64]) -> NDArray[np.float64]:
        """How much of each modality's evidence its quality leaves (n, modalities): 0 where it is absent, 1 at full."""
        out: NDArray[np.float64] = np.minimum(np.where(present, quality, 0.0) / self.full_quality, 1.0)
        return out

    def gain(self, present: NDArray[np.bool_], quality: NDArray[np.float64]) -> NDArray[np.float64]:
        """Factor of each modality's evidence (n, modalities)."""
        fade = self.fade(present, quality)
        # Summed one after another, as the graph does: a matrix product would round differently for one row and many.
        share = np.zeros(len(present))
        for m in range(present.shape[1]):
            share = share + np.where(present[:, m], self.share[m], 0.0)
        scale = np.power(np.minimum(np.maximum(share, LEAST_SHARE), 1.0), -self.rescale)
        out: NDArray[np.float64] = fade * scale[:, None]
        return out

    def __call__(
        self, margins: list[NDArray[np.float64]], finite: NDArray[np.float64], quality: NDArray[np.float64]
    ) -> Fused:
        """Fuse the margins of the experts, each (n, classes − 1)."""
        present = self.present(finite, quality)
        gain = self.gain(present, quality)
        contributions = np.zeros((len(gain), gain.shape[1], len(self.base)))
        for m, weight, margin in zip(self.member, self.weight, margins, strict=True):
            contributions[:, m] += gain[:, m, None] * (weight * margin)
        logit = np.broadcast_to(self.base, (len(gain), len(self.base)))
        for m in range(gain.shape[1]):
            logit = logit + contributions[:, m]
        return Fused(present, contributions, logit)


def decay(seconds: float, half_life: float) -> float:
    """What is left of the past after `seconds`."""
    return 0.5 ** (seconds / half_life) if half_life > 0 else 0.0


def lead(seconds: float, half_life: float) -> float:
    """Share of the logit before in the mean after `seconds`: with λ = ln 2 · seconds / half-life, (1 − e^−λ)/λ − e^−λ.

    ∫ over the time between two windows of e^(−λ·age) · (line from the old logit to the new) gives decay · mean before +
    lead · old logit + (1 − decay − lead) · new logit.
    """
    rate = math.log(2.0) * seconds / half_life if half_life > 0 else math.inf
    if rate <= 0:
        return 0.0
    return (1.0 - math.exp(-rate)) / rate - math.exp(-rate)


def probabilities(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of each class (n, classes) from logits of all but the first (n, classes − 1)."""
    full = np.concatenate([np.zeros((len(logit), 1)), logit], axis=1)
    e = np.exp(full - full.max(axis=1, keepdims=True))
    out: NDArray[np.float64] = e / e.sum(axis=1, keepdims=True)
    return out


def settled(logit: NDArray[np.float64], last: NDArray[np.float64], hold: float) -> NDArray[np.float64]:
    """Logits (n, classes − 1) with the advantage of the class that was decided last.

    Parameters
    ----------
    logit : ndarray, shape (n, classes − 1)
        Smoothed.
    last : ndarray, shape (n, classes)
        1 for the class that was decided last; all 0 where there was no decision yet.
    hold : float
        The advantage.
    """
    return logit + hold * (last[:, 1:] - last[:, :1])


def held(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """What was decided (n, classes): 1 for the most probable class, of equals the first."""
    out: NDArray[np.float64] = np.eye(probability.shape[1])[probability.argmax(axis=1)]
    return out
