"""A small neural network: one hidden layer of rectified units, several of them from different starts as one.

margin = b₂ + W₂ · max(0, b₁ + W₁ · x), where a missing input counts as its training mean: a mean of networks is one
network whose hidden units are all of theirs. Fitted by scikit-learn; no torch, neither here nor there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.experts import Emitter

__all__ = ["EXPERT", "Neural"]

HIDDEN = 16
STARTS = 2
"""Networks that are averaged: one alone depends on its random start."""
EPOCHS = 40
RATE, BATCH = 3e-3, 512
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
            scikit-learn's alpha.
        seed : int
            Of the first start; the others follow.
        """
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier

        seen = np.isfinite(z)
        count = np.maximum(seen.sum(axis=0), 1)
        mean = np.where(seen, z, 0.0).sum(axis=0) / count
        variance = np.where(seen, (z - mean) ** 2, 0.0).sum(axis=0) / count
        scale = np.where(variance > 0, np.sqrt(variance), 1.0)
        standard = np.where(seen, (z - mean) / scale, 0.0)
        inner, inner_bias, outer, bias = [], [], [], []
        for start in range(STARTS):
            net = MLPClassifier(
                (HIDDEN,), alpha=penalty, learning_rate_init=RATE, batch_size=min(BATCH, len(y)), max_iter=EPOCHS,
                random_state=seed + start,
            )
            with warnings.catch_warnings():
                # The number of epochs is part of the penalty: it is not meant to run until nothing changes.
                warnings.simplefilter("ignore", ConvergenceWarning)
                net.fit(standard, y, sample_weight=weight)
            (first, second), (b1, b2) = net.coefs_, net.intercepts_
            binary = second.shape[1] == 1
            inner.append(first / scale[:, None])
            inner_bias.append(b1 - (mean / scale) @ first)
            outer.append((second if binary else second[:, 1:] - second[:, :1]) / STARTS)
            bias.append(b2 if binary else b2[1:] - b2[0])
        return cls(
            mean, np.concatenate(inner, axis=1), np.concatenate(inner_bias), np.concatenate(outer), np.mean(bias, axis=0)
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


EXPERT = Neural
