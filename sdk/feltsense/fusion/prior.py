"""How common each class is where a model is used: an input at run time, not a property of the training data.

Models are fitted with classes at equal shares, so that rare ones are found; their probabilities mean "if all classes were
equally likely", and the label is the most probable class under that. Where shares are known (daily life is calmer than a
laboratory), p(k | x) ∝ p_equal(k | x) · π_k (Bayes; Saerens 2002, Neural Comput 14:21) gives probabilities that are
calibrated there.

The label of two classes stays: the rare one would otherwise never be told. With more classes, near to each other, most
windows that look like a rare class are of a common one, and labels at equal shares are too many of it: there a label leans
towards the shares, argmax p_equal(k | x) · π_k^lean, by as much as the training's inner folds found best for the mean F1 of
the classes (0: not at all, 1: the most probable class).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["LEANS", "leaning", "shares_of", "under"]

LEANS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""To choose from; a finer step changes less than another sample of people."""

_SUM = 1e-6


def shares_of(prior: Mapping[str, float], classes: Sequence[str]) -> NDArray[np.float64]:
    """Shares in the order of the classes.

    Raises
    ------
    InputError
        If a class is missing or unknown, a share is not above 0, or they do not add up to 1.
    """
    odd = sorted(set(prior) ^ set(classes))
    if odd:
        msg = f"prior: {', '.join(odd)} is not in both the prior and the model's classes ({', '.join(classes)})"
        raise InputError(msg)
    out = np.array([float(prior[c]) for c in classes])
    if not np.all(out > 0.0) or abs(out.sum() - 1.0) > _SUM:
        msg = f"prior: shares are above 0 and add up to 1, got {', '.join(f'{c}={prior[c]:g}' for c in classes)}"
        raise InputError(msg)
    return out


def leaning(probability: NDArray[np.float64], shares: NDArray[np.float64], lean: float) -> NDArray[np.float64]:
    """What labels are the largest of (n, classes), of probabilities at equal shares."""
    return under(probability, shares**lean)


def under(probability: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities (n, classes) where classes have these shares, of probabilities at equal shares."""
    moved = probability * shares
    out: NDArray[np.float64] = moved / moved.sum(axis=1, keepdims=True)
    return out
