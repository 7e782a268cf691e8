"""A few labels of a person's own: how the model's logit is to be read for this person.

The smoothed logit s becomes (a·s + b)/T. The three are the mode of their posterior: a log-normal prior around 1 for a
and T, a normal one around 0 for b, and the labels as likelihood. Where two classes make a and T the same thing, a
stays 1. With few labels little is freed:

=====================================  =================================================
labels                                 learned
=====================================  =================================================
of one class only                      nothing: they say nothing about the border
fewer than 5 of some class             b
5 or more of each class                b, T, and with more than two classes a
=====================================  =================================================

Classes count alike, however many labels each has: that is what the model's logit means, and how common a class is where
the model is used is told at run time (:mod:`feltsense.fusion.prior`). Neighbouring windows say nearly the same thing
twice: `weight` lets a label count as the share of its window that is new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.profile import Calibrator
from feltsense.errors import InputError
from feltsense.fusion.late import probabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FEW", "learn"]

FEW = 5
"""Labels of each class from which on a slope can be told from chance."""
SPREAD_OFFSET, SPREAD_LOG = 1.0, 0.3
"""Standard deviations of the priors: a border at a probability between .27 and .73, a slope a third off, are nothing
unusual; further out, labels must say so many times."""


def learn(
    logit: NDArray[np.float64], y: NDArray[np.int64], target: str, weight: NDArray[np.float64] | None = None
) -> Calibrator | None:
    """Learn a calibrator; None where the labels cannot teach one.

    Parameters
    ----------
    logit : ndarray, shape (n, classes − 1)
        Smoothed logits of the labelled windows, as the model gives them without a calibrator.
    y : ndarray of int64, shape (n,)
        Class numbers.
    target : str
        Of the model.
    weight : ndarray, shape (n,), optional
        Of each label; default 1.

    Raises
    ------
    InputError
        If a label is no class of the model, or there is not one for each window.
    """
    from scipy.optimize import minimize

    others = logit.shape[1]
    if len(logit) != len(y) or (weight is not None and len(weight) != len(y)):
        msg = f"{len(y)} labels for {len(logit)} windows: give one for each window"
        raise InputError(msg)
    if len(y) and (y.min() < 0 or y.max() > others):
        msg = f"label {int(y.max() if y.max() > others else y.min())} is no class of target {target} (0 to {others})"
        raise InputError(msg)
    usable = np.isfinite(logit).all(axis=1)
    logit, y = logit[usable], y[usable]
    w = np.ones(len(y)) if weight is None else weight[usable]
    counts = np.bincount(y, minlength=others + 1)
    if (counts > 0).sum() < 2:
        return None
    free = counts.min() >= FEW
    # As models are fitted: classes at equal shares. Else it would be learned how common they were among the labels.
    w = w * (w.sum() / (counts > 0).sum() / np.bincount(y, w, minlength=others + 1)[y])
    truth = np.eye(others + 1)[y]

    def parts(theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        offset, rest = theta[:others], theta[others:]
        temperature = float(np.exp(rest[0])) if free else 1.0
        slope = np.exp(rest[1:]) if free and others > 1 else np.ones(others)
        return slope, offset, temperature

    def loss(theta: NDArray[np.float64]) -> float:
        slope, offset, temperature = parts(theta)
        p = probabilities((slope * logit + offset) / temperature)
        said = -(w * np.log(np.maximum((p * truth).sum(axis=1), 1e-300))).sum()
        prior = (theta[:others] ** 2).sum() / SPREAD_OFFSET**2 + (theta[others:] ** 2).sum() / SPREAD_LOG**2
        return float(said + prior / 2)

    size = others + ((1 + (others if others > 1 else 0)) if free else 0)
    found = minimize(loss, np.zeros(size), method="BFGS", options={"gtol": 1e-7})
    slope, offset, temperature = parts(np.asarray(found.x))
    return Calibrator(
        tuple(slope.tolist()), tuple(offset.tolist()), temperature, tuple(int(c) for c in counts), target
    )
