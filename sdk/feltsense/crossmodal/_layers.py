"""Layers that the cross-modal networks share, written once for use and for training.

`xp` is numpy where a network answers and autograd's numpy where it learns, so that both are the same code. Everything
is in double. What is masked has weight exactly 0: its score is so low that its exponential underflows.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

__all__ = ["AGGREGATES", "FAR", "TINY", "attend", "feed", "mask_bias", "norm", "pooled"]

AGGREGATES: Final = ("cls", "mean", "max", "min")
"""How a sequence becomes one vector: a learned token that looks at all others, or a figure over the unmasked ones."""
FAR: Final = -1e30
"""Score of what is masked."""
TINY: Final = 1e-12
VARIANCE_FLOOR: Final = 1e-5
"""Of a layer's normalisation (Ba, Kiros & Hinton 2016): a constant vector stays finite."""


def norm(x: Any, scale_shift: Any, xp: Any = np) -> Any:
    """Layer normalisation over the last axis; `scale_shift` is (2, width)."""
    away = x - xp.mean(x, axis=-1, keepdims=True)
    spread = xp.sqrt(xp.mean(away * away, axis=-1, keepdims=True) + VARIANCE_FLOOR)
    return away / spread * scale_shift[0] + scale_shift[1]


def mask_bias(gate: Any, xp: Any = np) -> Any:
    """Addend of an attention score: log of a gate in 0..1, and :data:`FAR` where it is 0 (or no number)."""
    there = gate > 0.0
    return xp.where(there, xp.log(xp.where(there, gate, 1.0)), FAR)


def attend(query: Any, key: Any, value: Any, bias: Any, heads: int, xp: Any = np) -> tuple[Any, Any]:
    """Scaled dot-product attention in several heads (Vaswani 2017, section 3.2).

    Parameters
    ----------
    query, key, value : ndarray, shape (n, queries, width), (n, keys, width), (n, keys, width)
        Projected already.
    bias : ndarray, shape (n, keys)
        As :func:`mask_bias` gives it.
    heads : int
        Divides the width.

    Returns
    -------
    ndarray, shape (n, queries, width), and the map, shape (n, heads, queries, keys)
        A row of the map adds up to 1, or is all 0 where every key is masked.
    """
    n, _, width = query.shape
    q, k, v = (xp.transpose(xp.reshape(t, (n, -1, heads, width // heads)), (0, 2, 1, 3)) for t in (query, key, value))
    score = xp.matmul(q, xp.swapaxes(k, 2, 3)) / np.sqrt(width / heads) + bias[:, None, None, :]
    e = xp.exp(score - xp.max(score, axis=-1, keepdims=True)) * (bias > FAR)[:, None, None, :]
    looked = e / (xp.sum(e, axis=-1, keepdims=True) + TINY)
    mixed = xp.reshape(xp.transpose(xp.matmul(looked, v), (0, 2, 1, 3)), (n, -1, width))
    return mixed, looked


def feed(x: Any, inner: Any, inner_bias: Any, outer: Any, outer_bias: Any, xp: Any = np) -> Any:
    """Two layers with rectified units between."""
    return xp.matmul(xp.maximum(xp.matmul(x, inner) + inner_bias, 0.0), outer) + outer_bias


def pooled(cls: Any, h: Any, gate: Any, how: str, xp: Any = np) -> Any:
    """One vector (n, width) of a sequence h (n, length, width) and its gates (n, length); 0 where nothing is there.

    A gate weighs in the mean; for the extremes it only says who is there.
    """
    if how == "cls":
        return cls
    if how == "mean":
        return xp.sum(gate[:, :, None] * h, axis=1) / (xp.sum(gate, axis=1)[:, None] + TINY)
    there = (gate > 0.0)[:, :, None]
    some = np.any(gate > 0.0, axis=1)[:, None]
    if how == "max":
        return xp.where(some, xp.max(xp.where(there, h, FAR), axis=1), 0.0)
    return xp.where(some, xp.min(xp.where(there, h, -FAR), axis=1), 0.0)
