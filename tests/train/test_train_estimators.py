"""Experts as scikit-learn estimators: scikit-learn's own suite, and the same numbers as the bundle's experts."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from feltsense.experts.linear import Linear
from feltsense.train.estimators import LinearExpert, TreesExpert


@parametrize_with_checks([LinearExpert(strength=1.0), TreesExpert(rounds=40)])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_has_nothing_to_object(estimator, check):
    check(estimator)


def test_they_are_the_experts():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 4)), rng.integers(0, 2, 300)
    x[rng.random(x.shape) < 0.1] = np.nan
    mine = LinearExpert(0.03).fit(x, y)
    np.testing.assert_array_equal(mine.decision_function(x), Linear.fit(x, y, 2, 0.03).margins(x)[:, 0])
    for model in (mine, TreesExpert(10).fit(x, y)):
        p = model.predict_proba(x)
        np.testing.assert_allclose(p.sum(axis=1), 1.0)
        np.testing.assert_allclose(np.log(p[:, 1] / p[:, 0]), model.decision_function(x), atol=1e-9)
    three = rng.integers(0, 3, 300)
    assert TreesExpert(10).fit(x, np.array(["a", "b", "c"])[three]).predict_proba(x).shape == (300, 3)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="one class only"):
        LinearExpert().fit(np.zeros((3, 1)), [1, 1, 1])
