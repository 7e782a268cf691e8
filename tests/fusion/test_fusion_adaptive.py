"""The adaptive baseline: what is said about a window depends on what came before it, in seconds, and on nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.fusion.adaptive import SCORE, Adaptive, histories

RNG = np.random.default_rng(0)
TRAINING = RNG.normal(0, 1.3, (4000, 3))


@pytest.fixture(scope="module")
def adaptive():
    return Adaptive.fit(TRAINING, 600.0, 30.0)


def nothing(adaptive, n=1):
    return np.zeros((n, *adaptive.population.shape))


def test_somebody_new_stands_among_the_training_people(adaptive):
    """Without a past, F is the training people's distribution function (by its own sorted values), floored."""
    z = RNG.normal(0, 1.3, (200, 3))
    score = adaptive(z, nothing(adaptive, 200))
    rank = np.array([np.searchsorted(np.sort(TRAINING[:, j]), z[:, j]) / len(TRAINING) for j in range(3)]).T
    expected = (600 * rank + 30) / (600 + 60)
    # The first and the last bin hold 1/32 of the people, however far their values lie apart.
    np.testing.assert_allclose(1 / (1 + np.exp(-score / SCORE)), expected, atol=1 / 32)


def test_with_a_long_past_only_the_own_past_counts(adaptive):
    own = RNG.normal(2.0, 0.4, (5000, 3))
    seen = adaptive.count(own, 30_000)[None] / 1000
    new = np.array([[1.5, 2.0, 2.6]])
    share = 1 / (1 + np.exp(-adaptive(new, seen) / SCORE))
    expected = [(own[:, j] < new[0, j]).mean() for j in range(3)]
    # Inside a bin the values are taken as spread evenly: out here, bins hold up to a third of this person.
    np.testing.assert_allclose(share[0], expected, atol=0.2)
    assert share[0, 0] < share[0, 1] < share[0, 2]


def test_scores_have_unit_spread_where_the_person_is_like_the_population(adaptive):
    """Laplace's floor takes the tails: of 660 s, 30 are never on one side."""
    uniform = (600 * np.linspace(0, 1, 10_001) + 30) / 660
    expected = (np.log(uniform / (1 - uniform)) * SCORE).std()
    assert adaptive(TRAINING, nothing(adaptive, len(TRAINING))).std() == pytest.approx(expected, abs=0.02)
    sharp = Adaptive.fit(TRAINING, 600.0, 0.01)
    assert sharp(TRAINING, nothing(sharp, len(TRAINING))).std() == pytest.approx(1.0, abs=0.08)


@given(st.lists(st.floats(-8, 8), min_size=2, max_size=12), st.integers(0, 11))
@settings(max_examples=40, deadline=None)
def test_the_future_changes_nothing(values, cut):
    a = Adaptive.fit(TRAINING[:, :1], 600.0, 30.0)
    z = np.array(values)[:, None]
    cut = min(cut, len(z))
    counted = np.ones(len(z), bool)
    whole = a(z, histories(a, z, counted, 30.0, nothing(a)[0]))
    other = z.copy()
    other[cut:] = -other[cut:] + 1
    changed = a(other, histories(a, other, counted, 30.0, nothing(a)[0]))
    np.testing.assert_array_equal(whole[:cut], changed[:cut])


def test_a_higher_value_never_stands_lower(adaptive):
    seen = adaptive.count(RNG.normal(0, 2, (50, 3)), 30_000)[None] / 1000
    line = np.repeat(np.linspace(-8, 8, 400)[:, None], 3, axis=1)
    score = adaptive(line, np.repeat(seen, 400, axis=0))
    assert np.all(np.diff(score, axis=0) >= 0)
    assert np.all(np.isfinite(score))


def test_missing_stays_missing_and_is_not_counted(adaptive):
    z = np.array([[np.nan, 0.0, np.nan]])
    assert np.isnan(adaptive(z, nothing(adaptive))).tolist() == [[True, False, True]]
    assert adaptive.count(z, 1000).sum(axis=1).tolist() == [0, 1000, 0]


def test_the_hop_does_not_change_the_meaning(adaptive):
    """Windows every 5 s that count 5 s each are windows every 30 s that count 30 s."""
    slow = np.repeat(RNG.normal(0, 1, (40, 3)), 6, axis=0)
    fine = adaptive.count(slow, 5000)
    coarse = adaptive.count(slow[::6], 30_000)
    np.testing.assert_array_equal(fine, coarse)


def test_bins_hold_what_lies_beyond_the_training_people(adaptive):
    far = np.array([[8.0, -8.0, 0.0]])
    place = adaptive.place(far)[0]
    assert place[0] == adaptive.bins - 1 or place[0] >= adaptive.bins - 3
    assert place[1] <= 2
    assert np.all(np.diff(adaptive.edges, axis=1) > 0)
    np.testing.assert_allclose(adaptive.population.sum(axis=1), 1.0)


def test_equal_training_values_still_make_bins():
    a = Adaptive.fit(np.zeros((100, 1)), 600.0, 30.0)
    assert np.all(np.diff(a.edges, axis=1) > 0)
    assert np.isfinite(a(np.array([[0.0]]), nothing(a))).all()
    empty = Adaptive.fit(np.full((5, 1), np.nan), 600.0, 30.0)
    assert np.isfinite(empty(np.array([[0.0]]), nothing(empty))).all()
