"""A small neural network: one hidden layer of rectified units, several of them from different starts as one.

margin = b₂ + W₂ · max(0, b₁ + W₁ · x), where a missing input counts as its training mean: a mean of networks is one
network whose hidden units are all of theirs. Fitted in numpy, all starts at once; no torch, neither here nor there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.experts import Emitter

__all__ = ["EXPERT", "Neural"]

HIDDEN = 16
STARTS = 3
"""Networks that are averaged: one alone depends on its random start."""
EPOCHS = 20
"""Forty are as good (within .002 of AUROC) and take twice as long."""
RATE, BATCH = 3e-3, 512
FIRST, SECOND = 0.9, 0.999
"""Adam's memories."""
_NAMES = ("fill", "inner", "inner_bias", "outer", "bias")


@dataclass(frozen=True, slots=True, eq=False)
class Neural:
    """A fitted network.

    Attributes
    ----------
    fill : ndarray, shape (features,)
        What a missing input counts as.
    inner, inner_bias : ndarray, shape (features, hidden), (hidden,)
        First layer; standardisation is folded in.
    outer, bias : ndarray, shape (hidden, classes − 1), (classes − 1,)
        Second layer, against the first class.
    """

    kind: ClassVar[str] = "neural"
    fill: NDArray[np.float64]
    inner: NDArray[np.float64]
    inner_bias: NDArray[np.float64]
    outer: NDArray[np.float64]
    bias: NDArray[np.float64]

    @classmethod
    def fit(
        cls, z: NDArray[np.float64], y: NDArray[np.int64], weight: NDArray[np.float64], penalty: float, seed: int
    ) -> Self:
        """Fit with an L2 penalty.

        Parameters
        ----------
        z : ndarray, shape (n, features)
            NaN where missing.
        y : ndarray, shape (n,)
            Class numbers, each there at least once.
        weight : ndarray, shape (n,)
            Of each row.
        penalty : float
            Of the squared weights, per row of a batch of :data:`BATCH`.
        seed : int
            Of the first start; the others follow.
        """
        seen = np.isfinite(z)
        count = np.maximum(seen.sum(axis=0), 1)
        mean = np.where(seen, z, 0.0).sum(axis=0) / count
        variance = np.where(seen, (z - mean) ** 2, 0.0).sum(axis=0) / count
        scale = np.where(variance > 0, np.sqrt(variance), 1.0)
        first, b1, second, b2 = _train(np.where(seen, (z - mean) / scale, 0.0), y, weight, penalty, seed)
        inner = first / scale[:, None]
        return cls(
            mean,
            np.concatenate(list(inner), axis=1),
            np.concatenate(list(b1 - (mean / scale) @ first)),
            np.concatenate(list(second[:, :, 1:] - second[:, :, :1])) / STARTS,
            (b2[:, 1:] - b2[:, :1]).mean(axis=0),
        )

    def margins(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Margins (n, classes − 1)."""
        hidden = np.maximum(np.where(np.isnan(z), self.fill, z) @ self.inner + self.inner_bias, 0.0)
        out: NDArray[np.float64] = hidden @ self.outer + self.bias
        return out

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything it is."""
        return {name: getattr(self, name) for name in _NAMES}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Inverse of :meth:`arrays`."""
        return cls(*(np.asarray(arrays[n], dtype=np.float64) for n in _NAMES))

    def emit(self, graph: Emitter, z: str) -> str:
        """Two layers in double: as exact as numpy."""
        filled = graph.op("Where", graph.op("IsNaN", z), graph.constant(self.fill), z)
        hidden = graph.op("Add", graph.op("MatMul", filled, graph.constant(self.inner)), graph.constant(self.inner_bias))
        hidden = graph.op("Max", hidden, graph.constant(np.zeros(1)))
        return graph.op("Add", graph.op("MatMul", hidden, graph.constant(self.outer)), graph.constant(self.bias))


def _train(
    x: NDArray[np.float64], y: NDArray[np.int64], weight: NDArray[np.float64], penalty: float, seed: int
) -> tuple[NDArray[np.float64], ...]:
    """All starts side by side: weights and biases of both layers, each with the start as its first axis.

    Weighted cross-entropy with an L2 penalty on the weights, by Adam (Kingma & Ba 2015, algorithm 1) over shuffled
    batches; the number of epochs is part of the regularisation. Starts as Glorot & Bengio 2010, eq. 16.
    """
    rng = np.random.default_rng(seed)
    n, width = x.shape
    truth = np.eye(int(y.max()) + 1)[y]
    shapes = ((STARTS, width, HIDDEN), (STARTS, 1, HIDDEN), (STARTS, HIDDEN, truth.shape[1]), (STARTS, 1, truth.shape[1]))
    bounds = [np.sqrt(6.0 / sum(s[1:])) for s in (shapes[0], shapes[0], shapes[2], shapes[2])]
    theta = [rng.uniform(-b, b, s) for b, s in zip(bounds, shapes, strict=True)]
    moments = [(np.zeros(s), np.zeros(s)) for s in shapes]
    size, step = min(BATCH, n), 0
    for _ in range(EPOCHS):
        order = np.stack([rng.permutation(n) for _ in range(STARTS)])
        for begin in range(0, n - size + 1, size):
            step += 1
            some = order[:, begin : begin + size]
            gradient = _gradient(theta, x[some], truth[some], weight[some] / size, penalty / size)
            rate = RATE * np.sqrt(1.0 - SECOND**step) / (1.0 - FIRST**step)
            for value, (m, v), g in zip(theta, moments, gradient, strict=True):
                m += (1.0 - FIRST) * (g - m)
                v += (1.0 - SECOND) * (g * g - v)
                value -= rate * m / (np.sqrt(v) + 1e-8)
    first, b1, second, b2 = theta
    return first, b1[:, 0], second, b2[:, 0]


def _gradient(
    theta: list[NDArray[np.float64]], x: NDArray[np.float64], truth: NDArray[np.float64], weight: NDArray[np.float64],
    penalty: float,
) -> tuple[NDArray[np.float64], ...]:
    """Gradient of the loss of a batch (starts, rows, …)."""
    first, b1, second, b2 = theta
    hidden = np.maximum(x @ first + b1, 0.0)
    out = hidden @ second + b2
    # Class by class: numpy's own reduction over so short an axis takes longer than all the rest.
    top = reduce(np.maximum, (out[:, :, k] for k in range(out.shape[2])))
    e = np.exp(out - top[:, :, None])
    total = reduce(np.add, (e[:, :, k] for k in range(e.shape[2])))
    error = (e / total[:, :, None] - truth) * weight[:, :, None]
    back = np.where(hidden > 0, error @ second.swapaxes(1, 2), 0.0)
    return (
        x.swapaxes(1, 2) @ back + penalty * first, back.sum(axis=1, keepdims=True),
        hidden.swapaxes(1, 2) @ error + penalty * second, error.sum(axis=1, keepdims=True),
    )


EXPERT = Neural
