"""Six modalities: any one of them may go missing for three points at most, and with none there is no answer."""

import numpy as np
import pytest

from crossmodal_cohorts import SIX, six
from feltsense.bundle.run import Inputs, NumpyRunner
from feltsense.evaluate.apply import answer
from feltsense.evaluate.metrics import balanced_accuracy
from feltsense.train.fit import fit
from feltsense.train.splits import Cohort, everyone
from feltsense.train.targets import Target


@pytest.fixture(scope="module")
def model():
    return fit(everyone(Cohort(six(7, 100))), Target("state", ("rest", "moved"), "moved", SIX)).model


@pytest.fixture(scope="module")
def new_people():
    return six(22, 100)[7:]


def score(model, lines, without=()):
    said = np.concatenate([answer(model, x, without=without).probability.argmax(axis=1)[x.scored] for x in lines])
    return balanced_accuracy(np.concatenate([x.y[x.scored] for x in lines]), said)


def test_any_one_may_be_missing(model, new_people):
    whole = score(model, new_people)
    assert whole > 0.85
    for gone in SIX:
        assert score(model, new_people, (gone,)) >= whole - 0.03, gone


def test_one_alone_still_answers_and_none_abstains(model, new_people):
    alone = score(model, new_people, SIX[1:])
    assert alone > 0.6
    line = new_people[0]
    assert not answer(model, line, without=SIX).present.any()
    nothing = np.full((1, len(model.features)), np.nan)
    out = NumpyRunner(model).run(Inputs.of(model, nothing, np.zeros((1, 6))))
    assert out.abstain[0, 0] == 1.0
    assert np.all(out.plausible == 1.0)
