"""The network against a slow reading of its formulas, its masks, its gradients, and its twin in the graph."""

from dataclasses import replace

import numpy as np
import pytest

from bundle_models import make
from feltsense.bundle import parity
from feltsense.bundle._graph import build
from feltsense.bundle.run import Inputs, NumpyRunner, OnnxRunner
from feltsense.bundle.schema import pack, unpack
from feltsense.crossmodal import AGGREGATES
from feltsense.crossmodal._descent import cross_entropy
from feltsense.crossmodal.attention import HEADS, TRUST, WIDTH, Attention, embedded, forward, start
from feltsense.crossmodal.joint import Joint
from feltsense.errors import BundleError
from feltsense.fusion.shapley import shapley

OWNER = np.array([0, 0, 1, 2, 2])
STEPS = 3


def network(seed=0, *, aggregate="cls", classes=3, owner=OWNER, imagines=False):
    rng = np.random.default_rng(seed)
    modalities = owner.max() + 1
    weights = {k: v + rng.normal(0, 0.1, v.shape) for k, v in start(len(owner), modalities, classes, rng).items()}
    return Attention(owner, weights, aggregate, np.full(modalities, imagines))


def windows(seed=0, n=40, modalities=3):
    rng = np.random.default_rng(seed)
    gate = np.where(rng.random((n, modalities)) < 0.3, 0.0, rng.uniform(0.05, 1.0, (n, modalities)))
    gate[0] = 0.0
    gates = np.where(rng.random((n, STEPS, modalities)) < 0.5, 0.0, rng.uniform(0.05, 1.0, (n, STEPS, modalities)))
    return rng.normal(0, 1, (n, len(OWNER))), gate, rng.normal(0, 1, (n, STEPS, modalities, WIDTH)), gates


def slow(w, score, gate, tokens, gates, aggregate):
    """One window, key by key, as the header of the module says it."""

    def norm(v, name):
        return (v - v.mean()) / np.sqrt(v.var() + 1e-5) * w[name][0] + w[name][1]

    now = [gate[m] * (sum(score[i] * w["embed"][i] for i in np.flatnonzero(m == OWNER)) + w["modality"][m]) + w["age"][0]
           for m in range(len(gate))]
    keys = [(w["cls"], 0.0)] + [(t, np.log(g)) for t, g in zip(now, gate, strict=True) if g > 0]
    for s in range(STEPS):
        keys += [(g * tokens[s, m] + w["age"][s + 1], np.log(g)) for m, g in enumerate(gates[s]) if g > 0]
    out = []
    for query in [w["cls"], *(t for t, g in zip(now, gate, strict=True) if g > 0)]:
        mixed = []
        for part in np.split(np.arange(WIDTH), HEADS):
            q = (norm(query, "norm_in") @ w["query"])[part]
            score_of = [q @ (norm(k, "norm_in") @ w["key"])[part] / np.sqrt(len(part)) + bias for k, bias in keys]
            share = np.exp(np.array(score_of) - max(score_of))
            share /= share.sum()
            mixed.append(sum(a * (norm(k, "norm_in") @ w["value"])[part] for a, (k, _) in zip(share, keys, strict=True)))
        h = query + np.concatenate(mixed) @ w["out"]
        hidden = np.maximum(norm(h, "norm_mid") @ w["inner"] + w["inner_bias"], 0)
        out.append(h + hidden @ w["outer"] + w["outer_bias"])
    there = [g for g in gate if g > 0]
    if not there:
        return np.zeros(w["head"].shape[1])
    vector = {"cls": out[0], "mean": np.average(out[1:], axis=0, weights=there), "max": np.max(out[1:], axis=0),
              "min": np.min(out[1:], axis=0)}[aggregate]
    return norm(vector, "norm_out") @ w["head"] + w["head_bias"]


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_it_is_what_its_formulas_say(aggregate):
    net = network(aggregate=aggregate)
    score, gate, tokens, gates = windows()
    assert (gate == 0).all(axis=1).any()
    margins, looked, _ = net.look(net.tokens(score), gate, tokens, gates)
    for i in range(len(score)):
        theirs = slow(net.weights, score[i], gate[i], tokens[i], gates[i], aggregate)
        np.testing.assert_allclose(margins[i], theirs, atol=1e-9)
    assert looked.shape == (40, HEADS, 4, 1 + 3 * (1 + STEPS))
    np.testing.assert_allclose(looked.sum(axis=-1), 1.0)


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_what_is_absent_or_before_the_beginning_cannot_influence_it(aggregate):
    net = network(1, aggregate=aggregate)
    score, gate, tokens, gates = windows(1)
    margins, looked, _ = net.look(net.tokens(score), gate, tokens, gates)
    other = np.where(gate[:, OWNER] > 0, score, 1e6)
    elsewhere = np.where(gates[..., None] > 0, tokens, -1e6)
    again, _, _ = net.look(net.tokens(other), gate, elsewhere, gates)
    np.testing.assert_array_equal(margins, again)
    columns = np.concatenate([np.ones((40, 1)), gate, gates.reshape(40, -1)], axis=1)
    assert np.all(looked.transpose(0, 3, 1, 2)[columns == 0.0] == 0.0)


def test_a_poorer_measurement_is_looked_at_less():
    net = network(2)
    score, _, tokens, _ = windows(2)
    good, poor = np.ones((40, 3)), np.ones((40, 3)) * [1.0, 0.02, 1.0]
    none = np.zeros((40, STEPS, 3))
    _, looked, _ = net.look(net.tokens(score), good, tokens, none)
    _, less, _ = net.look(net.tokens(score), poor, tokens, none)
    assert np.all(less[:, :, 0, 2] < looked[:, :, 0, 2])
    rows, columns = net.labels(["ecg", "eda", "voice"])
    assert rows == ["CLS", "ecg", "eda", "voice"]
    assert columns[2] == "eda"
    assert columns[-1] == "voice 90 s ago"
    assert len(columns) == looked.shape[3]


def test_margins_shrink_with_the_modalities_that_are_there():
    there = np.array([[1, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0]], bool)
    assert network().shrink(there).tolist() == [1.0, 0.5, 0.0, 0.0]


def test_gradients_are_those_of_finite_differences():
    import autograd.numpy as xp
    from autograd import grad

    net = network(3)
    score, gate, tokens, gates = windows(3, n=6)
    truth, weight = np.eye(3)[np.arange(6) % 3], np.linspace(0.5, 1.5, 6)

    def loss(w, xp):
        now = embedded(w, score, OWNER, xp)
        margins, _ = forward(w, (now, gate, tokens, gates), "mean", xp)
        return cross_entropy(margins, truth, weight, xp)

    slope = grad(lambda w: loss(w, xp))(dict(net.weights))
    rng = np.random.default_rng(0)
    for name in ("embed", "modality", "age", "cls", "query", "key", "value", "out", "inner", "outer", "norm_mid", "head"):
        way = rng.normal(0, 1, net.weights[name].shape)
        moved = [loss({**net.weights, name: net.weights[name] + s * 1e-5 * way}, np) for s in (1, -1)]
        assert (slope[name] * way).sum() == pytest.approx((moved[0] - moved[1]) / 2e-5, abs=1e-6), name


def with_joint(seed, aggregate="cls", imagines=False, **options):
    model, stack = make(seed=seed, kinds=("linear",), **options)
    net = network(seed, aggregate=aggregate, classes=len(model.classes), owner=model.owner, imagines=imagines)
    return replace(model, joint=Joint(net, 0.8)), stack


@pytest.mark.parametrize(
    ("aggregate", "imagines", "classes"),
    [("cls", False, ("rest", "stress")), ("mean", True, ("rest", "stress", "amused")), ("max", True, ("a", "b")),
     ("min", False, ("a", "b", "c", "d"))],
)  # fmt: skip
def test_graph_and_numpy_agree_on_rows_made_to_break_them(aggregate, imagines, classes):
    model, stack = with_joint(4, aggregate, imagines, classes=classes)
    result = parity.check(model, build(model), stack)
    assert result.rows >= 10_000
    assert result.flips == 0
    assert result.difference <= 1e-5
    rows = parity.rows(model)
    assert (rows.gates > 0).any()
    assert (rows.gates == 0).all(axis=(1, 2)).any()


def test_the_gate_refuses_another_network():
    model, stack = with_joint(5)
    other = replace(model, joint=replace(model.joint, weight=0.81))
    with pytest.raises(BundleError, match="export refused"):
        parity.check(model, build(other), stack)


def test_contributions_add_up_and_joint_is_the_last():
    model, _ = with_joint(6)
    out = NumpyRunner(model).run(parity.rows(model))
    np.testing.assert_allclose(out.contribution.sum(axis=1), out.logit, atol=1e-9)
    assert np.any(out.contribution[:, -1] != 0.0)
    alone = out.contribution[:, 1:-1].any(axis=2).sum(axis=1) < 2
    assert np.all(out.contribution[alone, -1] == 0.0)


def test_shapley_values_share_out_what_is_joint():
    model, _ = with_joint(7)
    rows, runner = parity.rows(model), NumpyRunner(model)
    out = runner.run(rows)
    shared = 0
    for i in np.flatnonzero(np.abs(out.contribution[:, -1, 0]) > 0.05)[:10]:
        one = Inputs(*(getattr(rows, n)[i : i + 1] for n in Inputs.__dataclass_fields__))
        values = shapley(runner, one, 0)
        assert values.sum() == pytest.approx(out.logit[i, 0] - model.fusion.base[0], abs=1e-6)
        shared += not np.allclose(values, out.contribution[i, 1:-1, 0])
    assert shared


def test_imagined_is_marked_where_a_modality_is_missing_and_another_there():
    model, _ = with_joint(8, imagines=True)
    rows = parity.rows(model)
    for runner in (NumpyRunner(model), OnnxRunner(build(model))):
        out = runner.run(rows)
        np.testing.assert_array_equal(out.imagined == 1.0, (out.gate == 0.0) & (out.gate > 0.0).any(axis=1)[:, None])
    assert out.imagined.any()
    assert TRUST < 1.0


def test_a_joint_part_survives_its_file():
    model, _ = with_joint(9, "min", imagines=True)
    body, arrays = pack(model)
    assert body["version"] == 3
    again = unpack(body, arrays, "x")
    rows = parity.rows(model)
    np.testing.assert_array_equal(NumpyRunner(again).run(rows).logit, NumpyRunner(model).run(rows).logit)
    plain, _ = make(seed=9)
    assert pack(plain)[0]["version"] == 2
