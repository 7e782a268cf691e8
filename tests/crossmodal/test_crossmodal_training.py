"""What only several modalities know together is learned, kept where people gain, and answered alike everywhere."""

from dataclasses import replace

import numpy as np
import pytest

from crossmodal_cohorts import exclusive_or
from feltsense.bundle.run import Inputs, NumpyRunner
from feltsense.bundle.write import write
from feltsense.crossmodal import training
from feltsense.crossmodal.memory import Memory, earlier, looked_back, starts
from feltsense.evaluate.apply import answer
from feltsense.train import fit as fitting
from feltsense.train.card import card
from feltsense.train.splits import Cohort, everyone
from feltsense.train.targets import Target
from train_lines import people

# Each window is judged alone: the label changes every other minute.
ODD = Target("odd", ("rest", "one"), "one", ("ppg", "eda"), half_lives=(0.0,))


def fit(lines, target):
    return fitting.fit(everyone(Cohort(lines)), target)


def right(model, lines, **options):
    hits = [answer(model, x, **options).probability.argmax(axis=1)[x.scored] == x.y[x.scored] for x in lines]
    return np.concatenate(hits).mean()


@pytest.fixture(scope="module")
def together():
    return fit(exclusive_or(8, 100), replace(ODD, joint="cls"))


@pytest.fixture(scope="module")
def new_people():
    return exclusive_or(14, 100)[8:]


def test_exclusive_or_is_learned_together_and_by_no_sum(together, new_people):
    alone = fit(exclusive_or(8, 100), ODD)
    assert abs(right(alone.model, new_people) - 0.5) < 0.1
    assert right(together.model, new_people) >= 0.95
    notes = together.model.training["joint"]
    assert notes["kept"]
    assert notes["gain"]["low"] > 0.3
    # Two independent modalities: nothing is known of one from the other.
    assert not together.model.joint.network.imagines.any()


def test_bundle_passes_the_gate_and_the_card_tells_the_gain(together, tmp_path):
    text = card(together.model)
    assert write(tmp_path / "a.feltbundle", together.model, text, together.stack).passed()
    assert (tmp_path / "a.feltbundle").stat().st_size < 1e6
    assert "Joint part" in text


def test_without_a_gain_over_people_it_is_left_out():
    """Two modalities that say the same: a sum says all there is."""
    result = fit(people(3, windows=40), Target("mood", ("rest", "stress"), "stress", ("ppg", "eda"), joint="mean"))
    notes = result.model.training["joint"]
    assert notes["kept"] == (notes["gain"]["low"] > 0)
    assert (result.model.joint is None) == (not notes["kept"])


def test_same_seed_same_network():
    rng = np.random.default_rng(0)
    seen = training.Seen(rng.normal(0, 1, (90, 4)), np.ones((90, 2)), np.full((90, 3), -1), np.array([0, 0, 1, 1]))
    quick = replace(training.RECIPE, steps=5)
    nets = [training.fit(seen, np.arange(90) % 2, np.ones(90), np.arange(90), recipe=quick) for _ in range(2)]
    assert all(np.array_equal(nets[0].weights[k], nets[1].weights[k]) for k in nets[0].weights)


def test_session_memory_is_the_batchs_at_every_hop():
    rng = np.random.default_rng(1)
    for hop in (5.0, 10.0, 30.0, 7.0):
        stop = 60.0 + hop * np.arange(40)
        known = np.arange(40) >= 11
        token, gate = rng.normal(0, 1, (40, 2, 3)), rng.uniform(0, 1, (40, 2))
        tokens, gates = looked_back(token, gate, earlier(stop, starts(known)))
        memory = Memory((np.zeros((1, 3, 2, 3)), np.zeros((1, 3, 2))))
        for i in range(40):
            if i == 11:
                memory = Memory((np.zeros((1, 3, 2, 3)), np.zeros((1, 3, 2))))
            one = memory.at(int(stop[i] * 1e9))
            np.testing.assert_array_equal(one[0][0], tokens[i])
            np.testing.assert_array_equal(one[1][0], gates[i])
            memory.add(int(stop[i] * 1e9), token[i], gate[i])


def test_what_was_is_part_of_what_is_looked_at(together, new_people):
    """Tokens of the windows before change the answer, and a window without a past is answered too."""
    model, line = together.model, new_people[0]
    rows = Inputs.of(model, line.x[:, model.columns(line.schema)], line.quality)
    runner = NumpyRunner(model)
    first = runner.run(rows)
    tokens, gates = looked_back(first.token, first.gate, earlier(line.stop_s, starts(line.known)))
    after = runner.run(replace(rows, tokens=tokens, gates=gates))
    np.testing.assert_array_equal(first.logit[0], after.logit[0])
    assert np.any(first.logit[5:] != after.logit[5:])
