"""Fitting a network's weights: Adam over shuffled batches, gradients by autograd (numpy alone, no torch).

autograd differentiates the very functions that answer later, so there is no second implementation to disagree with.
It installs in seconds and weighs a thousandth of torch; networks of this size would not profit from more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from feltsense.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

__all__ = ["Recipe", "cross_entropy", "descend", "need_extra"]

FIRST, SECOND = 0.9, 0.999
"""Adam's memories (Kingma & Ba 2015, algorithm 1)."""
LAST_RATE: Final = 0.1
"""Share of the rate that is left in the last step: it falls in a line, so that the end does not depend on the batch."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to descend: steps, rows of a batch, rate, L2 penalty per batch, seed."""

    steps: int
    batch: int
    rate: float
    penalty: float
    seed: int


def need_extra() -> None:
    """Say at once if a network cannot be trained.

    Raises
    ------
    MissingExtraError
        If autograd is not installed.
    """
    try:
        import autograd  # noqa: F401
    except ImportError:
        raise MissingExtraError("neural", "training a cross-modal network") from None


def cross_entropy(margins: Any, truth: NDArray[np.float64], weight: NDArray[np.float64], xp: Any) -> Any:
    """Weighted mean of −log p(true class), of margins against the first class."""
    full = xp.concatenate([xp.zeros((len(truth), 1)), margins], axis=1)
    top = xp.max(full, axis=1, keepdims=True)
    log_sum = xp.log(xp.sum(xp.exp(full - top), axis=1)) + top[:, 0]
    return xp.sum(weight * (log_sum - xp.sum(full * truth, axis=1))) / len(truth)


def descend(
    weights: Mapping[str, NDArray[np.float64]],
    loss: Callable[[Mapping[str, Any], NDArray[np.int64], np.random.Generator, Any], Any],
    rows: int,
    recipe: Recipe,
) -> dict[str, NDArray[np.float64]]:
    """Weights after training.

    Parameters
    ----------
    weights : mapping of str to ndarray
        Where to begin; not changed.
    loss : callable
        Of (weights, numbers of a batch's rows, random numbers for what is dropped, numpy to compute with).
    rows : int
        How many there are.
    recipe : Recipe
        How.
    """
    need_extra()
    import autograd.numpy as xp
    from autograd import grad

    rng = np.random.default_rng(recipe.seed)
    w = {k: np.array(v) for k, v in weights.items()}
    moments = {k: (np.zeros_like(v), np.zeros_like(v)) for k, v in w.items()}
    size = min(recipe.batch, rows)
    slope = grad(lambda theta, some: loss(theta, some, rng, xp))
    order = np.empty(0, np.int64)
    for step in range(1, recipe.steps + 1):
        if len(order) < size:
            order = rng.permutation(rows)
        some, order = order[:size], order[size:]
        gradient = slope(w, some)
        fall = 1.0 - (1.0 - LAST_RATE) * (step - 1) / max(recipe.steps - 1, 1)
        rate = recipe.rate * fall * np.sqrt(1.0 - SECOND**step) / (1.0 - FIRST**step)
        for name, value in w.items():
            # Matrices are shrunk towards 0; vectors are not.
            g = gradient[name] + recipe.penalty / size * value if value.ndim > 1 else gradient[name]
            m, v = moments[name]
            m += (1.0 - FIRST) * (g - m)
            v += (1.0 - SECOND) * (g * g - v)
            value -= rate * m / (np.sqrt(v) + 1e-8)
    return w
