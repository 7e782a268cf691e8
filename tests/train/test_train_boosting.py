"""Boosted trees at study scale: what is there is found, nested; a cluster searches the same and fits nearly the same."""

import numpy as np
import pytest

from feltsense.datasets.study import Spread, lines
from feltsense.errors import ModelDataError
from feltsense.train.boosting import SETTINGS, Setting, boost, inputs, tune
from feltsense.train.parallel import cluster
from feltsense.train.splits import Cohort, grouped_k_fold
from feltsense.train.targets import target

STRESS = target("stress", ["rest", "stress"])


@pytest.fixture(scope="module")
def people():
    return Cohort([p.line for p in lines(8, STRESS, Spread(order_fixed=False), minutes=25.0)], "made up")


@pytest.fixture(scope="module")
def alone(people):
    return tune(grouped_k_fold(people, 2, 0), STRESS)


def test_the_choice_is_nested_and_everything_was_tried(alone, people):
    assert set(alone.losses) == set(SETTINGS)
    assert alone.setting == min(SETTINGS, key=lambda s: (alone.losses[s], s))
    assert len(alone.chosen) == 2
    assert sorted(set(alone.subject)) == sorted(people.people)
    figures = alone.figures(1)
    assert figures["balanced_accuracy"] > 0.7
    np.testing.assert_allclose(alone.probability.sum(axis=1), 1.0)


def test_a_cluster_searches_the_same_and_lightgbm_runs_on_all_its_workers(people, alone):
    """The fit that is spread over workers is not the same to the bit; it says the same."""
    x = np.concatenate([inputs(line)[line.scored] for line in people.lines])
    with cluster(2) as crew:
        spread = tune(grouped_k_fold(people, 2, 0), STRESS, crew)
    assert spread.losses == alone.losses
    assert (spread.setting, spread.chosen) == (alone.setting, alone.chosen)
    np.testing.assert_array_equal(spread.probability, alone.probability)
    here, there = alone.booster.predict(x), spread.booster.predict(x)
    assert not np.array_equal(here, there)
    assert np.abs(here - there).mean() < 0.05
    assert ((here > 0.5) == (there > 0.5)).mean() > 0.93


def test_three_classes():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 600)
    x = y[:, None] + rng.normal(0, 0.3, (600, 2))
    assert (boost(x, y, 3, Setting(3, 20, 40)).predict(x).argmax(axis=1) == y).mean() > 0.9


def test_too_few_people_to_choose_by(people):
    few = people.only(people.people[:6])
    with pytest.raises(ModelDataError, match="one group would leave 3 to learn from"):
        tune(grouped_k_fold(few, 2, 0), STRESS)
