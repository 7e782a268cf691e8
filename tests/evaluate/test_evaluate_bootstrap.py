"""Bootstraps over people: the fast ways give what the plain way gives, draw for draw."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.evaluate import bootstrap, metrics

SOME = st.integers(0, 10_000)


def windows(seed, people=5, classes=2):
    rng = np.random.default_rng(seed)
    subject = np.repeat([f"S{i}" for i in range(people)], 12)
    return subject, rng.integers(0, classes, len(subject)), rng.integers(0, 6, len(subject)).astype(float), rng


def test_it_draws_people():
    subject = np.repeat(["A", "B"], 50)
    value = np.repeat([0.0, 1.0], 50)
    low, high = bootstrap.bootstrap_interval(subject, lambda r: float(value[r].mean()))
    assert (low, high) == (0.0, 1.0)
    assert bootstrap.bootstrap_interval(subject, lambda r: float(value[r].mean())) == (low, high)
    assert np.isnan(bootstrap.bootstrap_interval(np.empty(0, str), len)).all()


@settings(max_examples=3, deadline=None)
@given(SOME)
def test_counts_give_the_same_as_drawing_windows(seed):
    subject, truth, score, rng = windows(seed, classes=3)
    said, other = rng.integers(0, 3, len(truth)), rng.integers(0, 3, len(truth))
    plain = bootstrap.bootstrap_interval(subject, lambda r: metrics.balanced_accuracy(truth[r], said[r]), 4)
    assert bootstrap.recall_interval(subject, truth, said, 4) == pytest.approx(plain)
    gain = bootstrap.bootstrap_interval(
        subject, lambda r: metrics.balanced_accuracy(truth[r], said[r]) - metrics.balanced_accuracy(truth[r], other[r]), 4
    )
    assert bootstrap.gain_interval(subject, truth, (said, other), 4) == pytest.approx(gain)
    hit = truth == 1
    plain = bootstrap.bootstrap_interval(subject, lambda r: metrics.auroc(hit[r], score[r]), 4)
    assert bootstrap.auroc_interval(subject, hit, score, 4) == pytest.approx(plain)
