"""Sets that hold the truth for people, not for windows on average."""

import numpy as np
import pytest

from calibration_people import LABELS, inside, one_covered
from feltsense.train.stacking import _plausible


def cohort(rng, people, labels):
    """Probabilities, truth and owner of everybody's windows after the labelled ones."""
    said = [one_covered(rng, labels) for _ in range(people)]
    subject = np.repeat([f"P{i:03d}" for i in range(people)], [len(y) for _, y in said])
    return np.concatenate([p for p, _ in said]), np.concatenate([y for _, y in said]), subject


@pytest.mark.parametrize("labels", [0, LABELS])
@pytest.mark.parametrize("known", [20, 60])
def test_few_people_have_less_than_80_percent(known, labels):
    """Of 300 new people with 580 windows each, at most 5 % are covered in less than 80 %; sets are told on `known`."""
    rng = np.random.default_rng([known, labels])
    limit = _plausible(*cohort(rng, known, labels))
    p, y, subject = cohort(rng, 300, labels)
    sets = inside(p, limit)
    hit = sets[np.arange(len(y)), y]
    coverage = np.array([hit[subject == s].mean() for s in np.unique(subject)])
    assert (coverage < 0.8).mean() <= 0.05
    assert (coverage >= 0.9).mean() >= 0.75
    assert sets.sum(axis=1).mean() < 1.7
