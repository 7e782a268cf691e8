"""Training the cross-modal attention network: with modalities dropped and qualities worsened, so that neither surprises.

A quarter of the modalities of a row are dropped (with their past, since a sensor that is off has none), gates are
scaled by up to a half, a fifth of the pasts are forgotten (a session's beginning). Where a dropped modality was really
there, its token is what imagination is taught; half of the dropped ones are then filled with what was imagined, so that
the network knows both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from feltsense.crossmodal._descent import Recipe, cross_entropy, descend, need_extra
from feltsense.crossmodal.attention import Attention, embedded, filled, forward, imagine, start

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["RECIPE", "Seen", "fit", "need_extra"]

DROP, WORSE, FORGET, FILL = 0.25, 0.5, 0.2, 0.5
IMAGINATION: Final = 0.3
"""Weight of the imagined tokens' squared error beside the cross-entropy."""
RECIPE: Final = Recipe(steps=200, batch=256, rate=5e-3, penalty=0.02, seed=20)
"""Steps, not passes: a cohort of any size takes some seconds a network."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Rows to learn from.

    Attributes
    ----------
    score : ndarray, shape (n, inputs)
        Standings, NaN where missing.
    gate : ndarray, shape (n, modalities)
        0 where absent, else in (0, 1].
    past : ndarray of int64, shape (n, steps)
        Row of each earlier window, −1 where there is none.
    owner : ndarray of int64, shape (inputs,)
        Modality of each input.
    """

    score: NDArray[np.float64]
    gate: NDArray[np.float64]
    past: NDArray[np.int64]
    owner: NDArray[np.int64]


def fit(
    seen: Seen, y: NDArray[np.int64], weight: NDArray[np.float64], learn: NDArray[np.int64], *, aggregate: str = "cls",
    recipe: Recipe = RECIPE,
) -> Attention:
    """Fit a network on the rows `learn`; it imagines nothing until its gain has been shown.

    Parameters
    ----------
    seen : Seen
        All rows.
    y, weight : ndarray, shape (rows to learn from,)
        Class numbers, each there at least once, and weights with mean 1.
    learn : ndarray of int64, shape (rows to learn from,)
        Their numbers.
    aggregate : str
        How tokens become a vector.
    recipe : Recipe
        How to descend.

    Raises
    ------
    MissingExtraError
        If autograd is not installed.
    """
    score = np.where(np.isnan(seen.score), 0.0, seen.score)
    need_extra()
    from autograd.tracer import getval

    truth = np.eye(int(y.max()) + 1)[y]
    modalities = seen.gate.shape[1]
    begin = start(score.shape[1], modalities, truth.shape[1], np.random.default_rng(recipe.seed))

    def loss(w: Mapping[str, Any], some: NDArray[np.int64], rng: np.random.Generator, xp: Any) -> Any:
        rows = learn[some]
        kept = _dropped(seen.gate[rows], rng)
        past = np.where(rng.random((len(rows), 1)) < FORGET, -1, seen.past[rows])
        everyone = np.concatenate([rows[:, None], np.maximum(past, 0)], axis=1)
        token = embedded(w, score[everyone.ravel()], seen.owner, xp)
        token = xp.reshape(token, (len(rows), 1 + past.shape[1], modalities, -1))
        gate = np.where(kept, seen.gate[rows] * rng.uniform(1.0 - WORSE, 1.0, kept.shape), 0.0)
        gates = np.where((past >= 0)[:, :, None] & kept[:, None, :], seen.gate[np.maximum(past, 0)], 0.0)
        fill = ~kept & np.asarray(kept.any(axis=1))[:, None] & (rng.random(kept.shape) < FILL)
        now, open_ = filled(w, token[:, 0], gate, fill, xp)
        margins, _ = forward(w, (now, open_, token[:, 1:], gates), aggregate, xp)
        taught = ((seen.gate[rows] > 0.0) & ~kept)[:, :, None]
        plain = {k: getval(v) for k, v in w.items()}
        goal = embedded(plain, score[rows], seen.owner)
        wrong = xp.where(taught, imagine(w, token[:, 0], gate, xp) - goal, 0.0)
        said = cross_entropy(margins, truth[some], weight[some], xp)
        return said + IMAGINATION * xp.sum(wrong * wrong) / (taught.sum() * goal.shape[2] + 1.0)

    fitted = descend(begin, loss, len(learn), recipe)
    return Attention(seen.owner, fitted, aggregate, np.zeros(modalities, np.bool_))


def _dropped(gate: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Who stays (n, modalities): present, not dropped; a row whose last one would go keeps all it has."""
    there = gate > 0.0
    kept = there & (rng.random(gate.shape) >= DROP)
    return np.where(np.asarray(kept.any(axis=1))[:, None], kept, there)
