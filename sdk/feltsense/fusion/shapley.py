"""Exact Shapley values of the modalities of one window: what each moved the answer, over every order of arrival.

v(S) is the model's logit when only the modalities of S are there (the others' quality is 0); v(∅) is its base. All
2^M coalitions are one batch. φ_m = Σ_S |S|!·(M−|S|−1)!/M! · (v(S ∪ m) − v(S)) (Shapley 1953), so that
Σ φ = v(all) − v(∅), exactly. Where the fusion only adds, φ is the contribution; where modalities stand in for each
other or act together, it shares that out fairly, and contributions do not.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from feltsense.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.bundle.run import Inputs, Runner

__all__ = ["MOST", "coalitions", "shapley"]

MOST = 10
"""Modalities: 1,024 coalitions."""
_COMMON = ("x", "rest_mean", "rest_seconds", "seen")
"""Inputs that stay one row for all coalitions: who is there changes nothing before the fusion, and to find a window's
standings once instead of 64 times is most of the time saved."""


def coalitions(modalities: int) -> NDArray[np.bool_]:
    """Who is in each coalition (2^M, M); row number = the coalition's bits."""
    return (np.arange(2**modalities)[:, None] >> np.arange(modalities) & 1).astype(np.bool_)


def shapley(runner: Runner, inputs: Inputs, decided: int) -> NDArray[np.float64]:
    """Shapley value of each modality (M,) for the logit of one class.

    Parameters
    ----------
    runner : Runner
        The model.
    inputs : Inputs
        One window.
    decided : int
        Column of the logit: class number − 1.

    Raises
    ------
    InputError
        If there is not exactly one window, or there are too many modalities.
    """
    rows, m = inputs.quality.shape
    if rows != 1 or m > MOST:
        msg = f"Shapley values are for one window and up to {MOST} modalities, got {rows} windows and {m} modalities"
        raise InputError(msg)
    there = coalitions(m)
    names = [f.name for f in fields(inputs) if f.name not in _COMMON]
    many = replace(inputs, **{n: np.repeat(getattr(inputs, n), len(there), axis=0) for n in names})
    value = runner.run(replace(many, quality=np.where(there, many.quality, 0.0))).logit[:, decided]
    size = there.sum(axis=1)
    weight = np.array([math.factorial(s) * math.factorial(m - s - 1) / math.factorial(m) for s in range(m)])
    out = np.zeros(m)
    for i in range(m):
        without = np.flatnonzero(~there[:, i])
        out[i] = (weight[size[without]] * (value[without + (1 << i)] - value[without])).sum()
    return out
