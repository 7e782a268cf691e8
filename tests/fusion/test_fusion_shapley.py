"""Shapley values: all of the answer is shared out, nothing is given to who is not there."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from bundle_models import make
from feltsense.bundle import parity
from feltsense.bundle._graph import build
from feltsense.bundle.run import Inputs, NumpyRunner, OnnxRunner
from feltsense.errors import InputError
from feltsense.fusion.shapley import shapley


def row(rows, i):
    return Inputs(*(getattr(rows, n)[i : i + 1] for n in Inputs.__dataclass_fields__))


class Table:
    """A made-up game of any number of modalities: v(S) from a table."""

    name = "table"

    def __init__(self, values):
        self.values = values

    def run(self, inputs):
        bits = ((inputs.quality > 0) << np.arange(inputs.quality.shape[1])).sum(axis=1)

        class Out:
            logit = self.values[bits][:, None]

        return Out()


@pytest.mark.parametrize("rescale", [0.0, 1.0])
def test_efficiency_and_both_runners(rescale):
    model, _ = make(seed=3, rescale=rescale)
    rows = parity.rows(model)
    runners = NumpyRunner(model), OnnxRunner(build(model))
    for i in range(40):
        one = row(rows, i)
        one = replace(one, quality=np.nan_to_num(one.quality))
        values = [shapley(r, one, 0) for r in runners]
        np.testing.assert_allclose(*values, atol=1e-6)
        out = runners[0].run(one)
        assert values[0].sum() == pytest.approx(out.logit[0, 0] - model.fusion.base[0], abs=1e-6)
        if rescale == 0.0:
            np.testing.assert_allclose(values[0], out.contribution[0, 1:-1, 0], atol=1e-9)


def test_it_is_the_mean_over_all_orders_of_arrival():
    rng = np.random.default_rng(1)
    game = Table(rng.normal(0, 1, 16))
    model, _ = make()
    one = replace(row(parity.rows(model), 0), quality=np.ones((1, 4)))
    expected = np.zeros(4)
    for order in permutations(range(4)):
        bits = 0
        for m in order:
            expected[m] += (game.values[bits | 1 << m] - game.values[bits]) / 24
            bits |= 1 << m
    np.testing.assert_allclose(shapley(game, one, 0), expected, atol=1e-12)


def test_two_windows_are_refused():
    model, _ = make()
    with pytest.raises(InputError, match="one window"):
        shapley(NumpyRunner(model), parity.rows(model), 0)
