"""The gate: training stack, graph and numpy runner give one answer on rows made to break them."""

import numpy as np
import pytest

from bundle_models import booster, make
from feltsense import bundle
from feltsense.bundle import parity
from feltsense.bundle._graph import build
from feltsense.bundle.run import Inputs, NumpyRunner, OnnxRunner
from feltsense.bundle.write import write
from feltsense.errors import BundleError, ModelDataError
from feltsense.experts.linear import Linear
from feltsense.experts.trees import Trees, floor32


@pytest.mark.parametrize(
    "options",
    [
        {"seed": 1},
        {"seed": 2, "classes": ("rest", "stress", "amused")},
        {"seed": 3, "kinds": ("linear",)},
        {"seed": 4, "kinds": ("trees",), "use_missing": False},
        {"seed": 5, "rescale": 0.5},
        {"seed": 6, "kinds": ("trees",), "classes": ("a", "b", "c", "d")},
    ],
)
def test_three_implementations_agree(options):
    model, stack = make(**options)
    result = parity.check(model, build(model), stack)
    assert result.rows >= 10_000
    assert result.flips == 0
    assert result.difference <= 1e-5


def test_rows_hold_everything_that_breaks_models():
    model, _ = make()
    rows = parity.rows(model)
    owners = np.array([n.startswith("eda") for n in model.names])
    assert np.isposinf(rows.x).any()
    assert np.isneginf(rows.x).any()
    assert np.isnan(rows.x[:, owners]).all(axis=1).any()
    assert np.isnan(rows.x).all(axis=1).any()
    assert (rows.quality == 0).any()
    assert np.isnan(rows.quality).any()
    assert len(rows.x) > parity.ROWS, "no values next to thresholds"


def test_the_gate_refuses_a_model_that_is_not_what_was_trained(tmp_path):
    model, stack = make()
    wrong = [*stack[:-1], lambda z: stack[-1](z) + 1e-3]
    with pytest.raises(BundleError, match="export refused"):
        write(tmp_path / "a.feltbundle", model, "card", wrong)
    assert not list(tmp_path.iterdir())


def test_the_gate_refuses_another_graph():
    model, stack = make(seed=1)
    other, _ = make(seed=2)
    with pytest.raises(BundleError, match="export refused"):
        parity.check(model, build(other), stack)


def test_written_bundle_gives_the_same_answers_with_both_runners(tmp_path):
    model, stack = make(seed=7)
    path = tmp_path / "a.feltbundle"
    write(path, model, "# card", stack)
    rows = parity.rows(model, seed=5)
    ours = bundle.load(path, "numpy")
    theirs = bundle.load(path, "onnxruntime")
    assert (ours.runner.name, theirs.runner.name) == ("numpy", "onnxruntime")
    a, b = ours.runner.run(rows), theirs.runner.run(rows)
    np.testing.assert_allclose(a.probability, b.probability, atol=1e-6)
    np.testing.assert_allclose(a.contribution, b.contribution, atol=1e-5)
    np.testing.assert_array_equal(a.plausible, b.plausible)
    np.testing.assert_array_equal(a.abstain, b.abstain)
    direct = NumpyRunner(model).run(rows)
    np.testing.assert_array_equal(direct.probability, a.probability)


def test_one_row_is_the_same_as_many():
    model, _ = make(seed=8)
    rows = parity.rows(model)
    for runner in (NumpyRunner(model), OnnxRunner(build(model))):
        many = runner.run(rows)
        for i in range(0, 60):
            one = runner.run(Inputs(*(getattr(rows, n)[i : i + 1] for n in Inputs.__dataclass_fields__)))
            np.testing.assert_allclose(one.probability[0], many.probability[i], rtol=0, atol=1e-12)


def test_equal_models_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        model, stack = make(seed=9)
        write(tmp_path / name, model, "card", stack)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("value", [0.1, 1.0, 1e-35, -1e-35, 123456.789, -0.1, 1e300, -1e300, 0.0])
def test_thresholds_are_floored(value):
    floored = floor32(value)
    assert np.isfinite(floored)
    if abs(value) < 1e38:
        assert float(floored) <= value
        assert float(np.nextafter(floored, np.float32(np.inf))) > value


@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_trees_are_lightgbms_to_the_bit_of_a_decision(offset):
    """Large offset and small spread: where thresholds rounded to nearest flip a quarter of the rows."""
    rng = np.random.default_rng(0)
    z = offset + rng.normal(0, 0.02, (500, 3))
    z[rng.random(z.shape) < 0.1] = np.nan
    boosted = booster(z, rng.integers(0, 2, 500), 2)
    new = offset + rng.normal(0, 0.02, (1000, 3))
    new[rng.random(new.shape) < 0.2] = np.nan
    theirs = boosted.predict(new.astype(np.float32).astype(float), raw_score=True)
    np.testing.assert_allclose(Trees.from_booster(boosted).margins(new)[:, 0], theirs, atol=1e-6)


@pytest.mark.parametrize(
    "extra",
    [
        {"zero_as_missing": True},
        {"linear_tree": True},
        {"objective": "multiclassova", "num_class": 2},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
    ],
)
def test_what_cannot_be_exported_exactly_is_refused(extra):
    rng = np.random.default_rng(0)
    z, y = rng.normal(0, 1, (300, 3)), rng.integers(0, 2, 300)
    z[rng.random(z.shape) < 0.1] = 0.0
    with pytest.raises(ModelDataError, match="cannot be exported"):
        Trees.from_booster(booster(z, y, 2, **extra))


def test_linear_is_scikit_learns():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    z, y = rng.normal(3, 2, (400, 4)), rng.integers(0, 3, 400)
    ours = Linear.fit(z, y, 3, 0.1)
    standard = (z - z.mean(0)) / z.std(0)
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=2000, tol=1e-8).fit(standard, y)
    theirs = model.decision_function(standard)
    np.testing.assert_allclose(ours.margins(z), theirs[:, 1:] - theirs[:, :1], atol=1e-9)
