"""Rare classes are found, and probabilities are calibrated all the same: shares are an input at run time."""

import numpy as np
import pytest

from crossmodal_cohorts import person
from feltsense import bundle
from feltsense.datasets.synthetic import participant
from feltsense.errors import InputError
from feltsense.evaluate.apply import answer, inputs_of
from feltsense.evaluate.metrics import macro_f1
from feltsense.fusion.prior import shares_of, under
from feltsense.session import predict
from feltsense.train.fit import fit
from feltsense.train.splits import Cohort, everyone
from feltsense.train.targets import Target

CLASSES = ("calm", "tense", "low")
WINDOWS = (38, 8, 5)
MOOD = Target("mood", CLASSES, "tense", ("ppg", "eda"), half_lives=(0.0,))


def cohort(n, seed, apart=1.0):
    """38 : 8 : 5 windows of three states so far apart, of which the first is also what the calibration sees."""
    out = []
    for i in range(n):
        rng = np.random.default_rng([seed, i])
        y = np.concatenate([np.zeros(9, int), rng.permutation(np.repeat([0, 1, 2], WINDOWS).repeat(2))])
        moved = apart * np.array([[0.0, 0.0], [0.88, 0.56], [-0.72, 0.8]])[y]
        out.append(person(f"P{i}", 10_000 * seed + i, ("ppg", "eda"), moved + rng.normal(0, 0.35, moved.shape), y))
    return out


def inputs(model, lines):
    """What the model's experts see, for a plain model."""
    x = np.concatenate([np.nan_to_num(inputs_of(model, line))[line.scored] for line in lines])
    return x, np.concatenate([line.y[line.scored] for line in lines])


def error(p, y):
    """Expected calibration error of every class's probability, ten bins each (class-wise ECE)."""
    out = []
    for k in range(p.shape[1]):
        cell = np.minimum((p[:, k] * 10).astype(int), 9)
        out.append(sum(abs((p[:, k] - (y == k))[cell == b].sum()) for b in range(10)) / len(y))
    return float(np.mean(out))


@pytest.fixture(scope="module")
def near():
    """People to judge whose states are near to each other."""
    return cohort(20, 2, 0.6)


@pytest.mark.parametrize(("seed", "apart"), [(1, 1.0), (1, 0.6), (3, 0.6), (4, 0.6)])
def test_macro_f1_of_class_weights_with_the_calibration_of_no_weights(seed, apart, near):
    from sklearn.linear_model import LogisticRegression

    learn, new = cohort(9, seed, apart), near if apart < 1 else cohort(40, 2)
    # Without the adaptive baseline, which the plain models have not either.
    model = fit(everyone(Cohort(learn)), MOOD, adaptive=False).model
    shares = shares_of(model.training["shares"], CLASSES)
    told = bundle.Bundle(model, bundle.NumpyRunner(model), "", "", "").with_prior(model.training["shares"])
    equal = np.concatenate([answer(model, x).probability[x.scored] for x in new])
    x, y = inputs(model, learn)
    test, truth = inputs(model, new)
    plain, weighted = (
        LogisticRegression(C=0.01, max_iter=500, class_weight=w).fit(x, y).predict_proba(test) for w in (None, "balanced")
    )
    ours = under(equal, shares)
    labels = np.array([CLASSES.index(told.label(p)) for p in equal])
    f1 = [macro_f1(truth, said) for said in (plain.argmax(axis=1), weighted.argmax(axis=1), labels)]
    ece = [error(p, truth) for p in (plain, weighted, ours)]
    assert f1[2] >= f1[1], (f1, model.training["lean"])
    assert f1[2] > f1[0], f1
    assert ece[2] <= ece[0] + 0.01, ece
    assert ece[2] < ece[1], ece


def test_bayes_by_hand_and_equal_shares_change_nothing():
    p = np.array([[0.5, 0.5], [0.9, 0.1]])
    np.testing.assert_allclose(under(p, np.array([0.9, 0.1])), [[0.9, 0.1], [0.81 / 0.82, 0.01 / 0.82]])
    np.testing.assert_allclose(under(p, np.array([0.5, 0.5])), p)


def test_a_session_has_other_probabilities_and_the_same_labels():
    recording = participant(seed=3, minutes=7)
    model = bundle.load(runner="numpy")
    plain = list(predict(recording, model, hop=30.0))
    rare = list(predict(recording, model.with_prior({"rest": 0.95, "stress": 0.05}), hop=30.0))
    assert [p.label for p in plain] == [p.label for p in rare]
    for a, b in zip(plain, rare, strict=True):
        odds = a.probabilities["stress"] / a.probabilities["rest"] * 0.05 / 0.95
        assert b.probabilities["stress"] == pytest.approx(odds / (1 + odds))


@pytest.mark.parametrize(
    ("prior", "why"),
    [({"rest": 1.0}, "stress is not in both"), ({"rest": 0.5, "joy": 0.5}, "joy, stress"),
     ({"rest": 0.7, "stress": 0.7}, "add up"), ({"rest": 1.0, "stress": 0.0}, "above 0")],
)  # fmt: skip
def test_a_prior_that_does_not_fit_is_refused(prior, why):
    with pytest.raises(InputError, match=why):
        bundle.load(runner="numpy").with_prior(prior)
