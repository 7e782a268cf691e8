"""Logistic regression or discriminant on standardised inputs; a missing input counts as its training mean.

margin = b + Σ w·(x where finite, else the training mean): standardisation is folded into w and b.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.experts import Emitter

__all__ = ["EXPERT", "Linear"]


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A fitted linear classifier.

    Attributes
    ----------
    fill : ndarray, shape (features,)
        What a missing input counts as.
    weight : ndarray, shape (features, classes − 1)
        Per unit of the input.
    bias : ndarray, shape (classes − 1,)
        Margin where all inputs are 0.
    """

    kind: ClassVar[str] = "linear"
    fill: NDArray[np.float64]
    weight: NDArray[np.float64]
    bias: NDArray[np.float64]

    @classmethod
    def fit(cls, z: NDArray[np.float64], y: NDArray[np.int64], classes: int, strength: float) -> Self:
        """Fit with an L2 penalty, classes weighted to equal shares.

        Parameters
        ----------
        z : ndarray, shape (n, features)
            NaN where missing.
        y : ndarray, shape (n,)
            Class numbers.
        classes : int
            How many there are.
        strength : float
            Inverse of the penalty (scikit-learn's C).
        """
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000, tol=1e-8)
        return cls._of(model, z, y, classes)

    @classmethod
    def discriminant(cls, z: NDArray[np.float64], y: NDArray[np.int64], classes: int, shrinkage: float) -> Self:
        """Fit a linear discriminant, classes equally likely: for more inputs than people have windows.

        Parameters
        ----------
        z, y, classes
            As in :meth:`fit`.
        shrinkage : float
            How far the covariance is moved to that of inputs that do not go together, 0 to 1 (Friedman 1989, J Am Stat
            Assoc 84:165).
        """
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        there = len(np.unique(y))
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage, priors=[1.0 / there] * there)
        return cls._of(model, z, y, classes)

    @classmethod
    def _of(cls, model: Any, z: NDArray[np.float64], y: NDArray[np.int64], classes: int) -> Self:
        """Fit a linear model of scikit-learn's on standardised inputs."""
        seen = np.isfinite(z)
        count = np.maximum(seen.sum(axis=0), 1)
        mean = np.where(seen, z, 0.0).sum(axis=0) / count
        variance = np.where(seen, (z - mean) ** 2, 0.0).sum(axis=0) / count
        # An input that never varies says nothing: scale 1 keeps it at 0 instead of dividing by 0.
        scale = np.where(variance > 0, np.sqrt(variance), 1.0)
        model.fit(np.where(seen, (z - mean) / scale, 0.0), y)
        if classes == 2:
            weight, bias = model.coef_.T, model.intercept_
        else:
            weight, bias = (model.coef_[1:] - model.coef_[0]).T, model.intercept_[1:] - model.intercept_[0]
        weight = np.asarray(weight, dtype=np.float64) / scale[:, None]
        return cls(mean, weight, np.asarray(bias, dtype=np.float64) - mean @ weight)

    def margins(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Margins (n, classes − 1)."""
        out: NDArray[np.float64] = np.where(np.isnan(z), self.fill, z) @ self.weight + self.bias
        return out

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything it is."""
        return {"fill": self.fill, "weight": self.weight, "bias": self.bias}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Inverse of :meth:`arrays`."""
        return cls(*(np.asarray(arrays[n], dtype=np.float64) for n in ("fill", "weight", "bias")))

    def emit(self, graph: Emitter, z: str) -> str:
        """Where, MatMul, Add in double: as exact as numpy."""
        filled = graph.op("Where", graph.op("IsNaN", z), graph.constant(self.fill), z)
        return graph.op("Add", graph.op("MatMul", filled, graph.constant(self.weight)), graph.constant(self.bias))


EXPERT = Linear
