"""Metrics against scikit-learn and against counting by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from feltsense.evaluate import metrics

pairs = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=3, max_size=60).filter(
    lambda p: len({t for t, _ in p}) > 1
)


@given(pairs)
def test_counts_agree_with_scikit_learn(p):
    truth, said = np.array(p).T
    if set(said.tolist()) <= set(truth.tolist()):
        assert metrics.balanced_accuracy(truth, said) == pytest.approx(sk.balanced_accuracy_score(truth, said))
    assert metrics.macro_f1(truth, said) == pytest.approx(sk.f1_score(truth, said, average="macro", zero_division=0))
    assert metrics.accuracy(truth, said) == pytest.approx(sk.accuracy_score(truth, said))
    precision = sk.precision_score(truth, said, average="macro", zero_division=0)
    recall = sk.recall_score(truth, said, average="macro", zero_division=0)
    expected = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    assert metrics.review_f1(truth, said) == pytest.approx(expected)


ranked = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=60)


@given(ranked.filter(lambda p: len({t for t, _ in p}) == 2))
def test_auroc_agrees_with_scikit_learn_ties_and_all(p):
    truth, score = np.array([t for t, _ in p]), np.array([float(s) for _, s in p])
    assert metrics.auroc(truth, score) == pytest.approx(sk.roc_auc_score(truth, score))


def test_brier_and_calibration_error():
    truth = np.array([0, 1, 1])
    p = np.array([[0.8, 0.2], [0.3, 0.7], [0.45, 0.55]])
    assert metrics.brier(truth, p) == pytest.approx(2 * np.mean([0.04, 0.09, 0.2025]))
    # Three bins of one window each: gaps 0.2, 0.3 and 0.45.
    assert metrics.calibration_error(truth == 1, p[:, 1]) == pytest.approx((0.2 + 0.3 + 0.45) / 3)


def test_a_clock_gets_one_half_at_the_same_time_of_others():
    """Everyone is stressed in the same minutes but one: the clock is right almost always, and knows nothing."""
    rng = np.random.default_rng(0)
    time = np.tile(np.arange(60) * 30.0, 10)
    subject = np.repeat([f"S{i}" for i in range(10)], 60)
    shift = np.repeat(rng.integers(-2, 3, 10), 60)
    truth = (((time / 30 + shift) // 15) % 2).astype(bool)
    clock = ((time / 30) // 15) % 2
    assert metrics.auroc(truth, clock) > 0.85
    assert metrics.time_matched_auroc(truth, clock, time, subject) == pytest.approx(0.5, abs=0.12)
    honest = truth + rng.normal(0, 0.1, len(truth))
    assert metrics.time_matched_auroc(truth, honest, time, subject) > 0.99


def test_time_matched_counts_pairs_of_different_people_only():
    truth = np.array([True, False, False, False])
    score = np.array([0.6, 0.1, 0.9, 0.6])
    time = np.array([100.0, 110.0, 130.0, 200.0])
    subject = np.array(["A", "A", "B", "B"])
    assert metrics.time_matched_auroc(truth, score, time, subject) == 0.0
    assert metrics.time_matched_auroc(truth, score, time - np.array([0, 0, 0, 80]), subject) == 0.25
    assert np.isnan(metrics.time_matched_auroc(truth, score, time * 100, subject))
