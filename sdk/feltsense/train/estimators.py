"""The experts as scikit-learn estimators: ``fit(X, y)``, ``predict``, ``predict_proba``; NaN is a missing input.

They are what the bundle's experts are, without normalisation, fusion and calibration: for pipelines and searches of
one's own. Data of people belong into :func:`feltsense.evaluate.estimator.evaluate_estimator`, which splits by person.
Needs the extra ``train``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from feltsense.errors import MissingExtraError
from feltsense.experts.linear import Linear
from feltsense.experts.trees import Trees
from feltsense.fusion.late import probabilities
from feltsense.train.margins import BOOSTED, class_weights

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:
    raise MissingExtraError("train", "scikit-learn estimators") from None

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from feltsense.experts import Expert

__all__ = ["LinearExpert", "TreesExpert"]


class _ExpertClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """What the experts have in common."""

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Fit; classes are weighted to equal shares.

        Parameters
        ----------
        X : array-like, shape (n, features)
            NaN where missing.
        y : array-like, shape (n,)
            Classes.

        Raises
        ------
        ValueError
            If there is one class only, or the shapes do not fit.
        """
        x, given = validate_data(self, X, y, ensure_all_finite="allow-nan", dtype=np.float64)
        check_classification_targets(given)
        self.classes_, number = np.unique(given, return_inverse=True)
        if len(self.classes_) < 2:
            msg = f"{type(self).__name__}: one class only, {self.classes_[0]!r}: nothing to tell apart"
            raise ValueError(msg)
        self.expert_ = self._expert(x, number.astype(np.int64), len(self.classes_))
        return self

    def _expert(self, x: NDArray[np.float64], y: NDArray[np.int64], classes: int) -> Expert:
        raise TypeError(type(self).__name__)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Log-odds against the first class; for more than two classes a column each, the first of them 0."""
        check_is_fitted(self)
        x = validate_data(self, X, reset=False, ensure_all_finite="allow-nan", dtype=np.float64)
        margins = self.expert_.margins(x)
        return margins[:, 0] if len(self.classes_) == 2 else np.concatenate([np.zeros((len(x), 1)), margins], axis=1)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Probabilities (n, classes), as if the classes were as likely."""
        decided = self.decision_function(X)
        return probabilities(decided[:, None] if decided.ndim == 1 else decided[:, 1:])

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """The most probable class of each row."""
        p = self.predict_proba(X)
        chosen: NDArray[Any] = self.classes_[p.argmax(axis=1)]
        return chosen

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class LinearExpert(_ExpertClassifier):
    """Logistic regression on standardised inputs; a missing one counts as its training mean.

    Parameters
    ----------
    strength : float
        Inverse of the L2 penalty.
    """

    def __init__(self, strength: float = 0.03) -> None:
        self.strength = strength

    def _expert(self, x: NDArray[np.float64], y: NDArray[np.int64], classes: int) -> Expert:
        return Linear.fit(x, y, classes, self.strength)


class TreesExpert(_ExpertClassifier):
    """Gradient-boosted trees with the settings of the bundle's experts; a missing input has a side of its own.

    A leaf holds forty windows at least: of a few hundred rows it learns little (scikit-learn's tag ``poor_score``).

    Parameters
    ----------
    rounds : int
        Boosting rounds.
    """

    def __init__(self, rounds: int = 40) -> None:
        self.rounds = rounds

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags

    def _expert(self, x: NDArray[np.float64], y: NDArray[np.int64], classes: int) -> Expert:
        import lightgbm

        goal = {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
        fixed = {"deterministic": True, "force_row_wise": True, "num_threads": 1, "seed": 20, "verbosity": -1}
        # The expert is evaluated in float32: so it is trained.
        seen = x.astype(np.float32).astype(np.float64)
        data = lightgbm.Dataset(seen, y, weight=class_weights(y, classes))
        return Trees.from_booster(lightgbm.train({**goal, **BOOSTED, **fixed}, data, self.rounds))
