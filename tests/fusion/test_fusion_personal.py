"""A few labels: what they change, what they must not, and how far the calibration is then from perfect."""

import numpy as np
import pytest

from calibration_people import LABELS, one_error
from feltsense.errors import InputError
from feltsense.fusion.personal import FEW, learn

PEOPLE = 500


def errors(labels, seed=0, people=PEOPLE):
    """Mean per-user calibration error of: the model as it is, with labels, and a model that is perfect."""
    rng = np.random.default_rng(seed)
    return np.mean([one_error(rng, [labels]) for _ in range(people)], axis=0)


def test_after_twenty_labels_the_error_is_near_the_floor_of_a_perfect_model():
    before, after, floor = errors(LABELS)
    assert after < before
    assert after <= floor + 0.02, (before, after, floor)


def test_more_labels_and_fewer_never_make_it_worse():
    whole = [errors(n, seed=1, people=150) for n in (0, 4, 9, 12, 20)]
    before = whole[0][0]
    for _, after, _ in whole:
        assert after <= before + 0.005


def test_one_class_teaches_nothing_and_few_labels_an_offset_alone():
    logit = np.linspace(-2, 2, 12)[:, None]
    assert learn(logit, np.zeros(12, np.int64), "stress") is None
    few = learn(logit, np.array([0] * 10 + [1] * 2), "stress")
    assert few.temperature == 1.0
    assert few.slope == (1.0,)
    assert few.offset != (0.0,)
    many = learn(logit, np.array([0] * 6 + [1] * 6), "stress")
    assert min(many.labels) >= FEW
    assert many.temperature != 1.0


def test_three_classes_have_a_slope_each():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 8)
    logit = np.stack([3.0 * (y == 1), 1.0 * (y == 2)], axis=1) - 1 + rng.normal(0, 0.5, (24, 2))
    found = learn(logit, y, "mood")
    assert len(found.slope) == len(found.offset) == 2
    assert found.labels == (8, 8, 8)


def test_missing_answers_are_left_out_and_wrong_labels_refused():
    logit = np.array([[np.nan], [1.0], [-1.0]])
    assert learn(logit, np.array([1, 1, 0]), "stress").labels == (1, 1)
    with pytest.raises(InputError, match="no class"):
        learn(logit, np.array([0, 1, 2]), "stress")
    with pytest.raises(InputError, match="one for each window"):
        learn(logit, np.array([0, 1]), "stress")
