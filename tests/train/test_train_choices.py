"""Constants that a fit chooses: by loss on people who were not learned from, and told in the bundle and the report."""

from dataclasses import replace

import numpy as np
import pytest

from feltsense.evaluate.page import html
from feltsense.evaluate.protocol import Plan, evaluate
from feltsense.evaluate.result import result
from feltsense.train.card import card
from feltsense.train.choices import ADAPTIVE_KAPPAS_S, chosen_families
from feltsense.train.fit import LIMITS, fit
from feltsense.train.margins import Fit, Rows
from feltsense.train.splits import Cohort, everyone, grouped_k_fold
from feltsense.train.stacking import fit as stacked
from feltsense.train.targets import HALF_LIVES_S, target
from train_lines import people

STRESS = replace(target("stress", ["rest", "stress"]), modalities=("eda",))
PEOPLE, WINDOWS = 12, 160


def rows(block):
    """Windows of people whose state lasts `block` of them."""
    n = PEOPLE * WINDOWS
    y = np.tile(np.repeat([0, 1], block), n // (2 * block)).astype(np.int64)
    here, flags = np.repeat(np.arange(PEOPLE), WINDOWS), np.ones(n, np.bool_)
    stop = np.tile(60 + 30.0 * np.arange(WINDOWS), PEOPLE)
    return Rows(
        np.zeros((n, 1)), np.ones((n, 1), np.bool_), np.ones((n, 1)), y, flags, flags, np.zeros(1, np.int64),
        np.array([f"P{i:02d}" for i in here]), here, stop, flags, np.zeros(n, np.bool_), 2,
    )  # fmt: skip


def expert(kind, margins):
    return Fit("eda", np.array([0]), kind, 1.0, margins[:, None])


def evidence(r, noise, seed):
    return 2.0 * r.y - 1 + np.random.default_rng(seed).normal(0, noise, len(r.y))


def test_memory_is_as_long_as_states_last():
    chosen = {}
    for block in (2, 20):
        r = rows(block)
        chosen[block] = stacked(r, [expert("linear", evidence(r, 2.0, 0))], STRESS, LIMITS).half_life_s
    assert chosen[2] == min(HALF_LIVES_S)
    assert chosen[20] == max(HALF_LIVES_S)


def test_a_family_that_says_the_same_twice_is_left_out_and_one_that_adds_is_kept():
    r = rows(8)
    first = expert("neural", evidence(r, 2.0, 0))
    same = expert("linear", first.margins[:, 0] + np.random.default_rng(1).normal(0, 1.0, len(r.y)))
    other = expert("linear", evidence(r, 2.1, 2))
    assert chosen_families(r, [first, same], STRESS, LIMITS) == ("neural",)
    assert chosen_families(r, [first, other], STRESS, LIMITS) == ("neural", "linear")
    assert chosen_families(r, [expert("neural", evidence(r, 4.0, 3)), other], STRESS, LIMITS)[0] == "linear"


def test_the_bundle_says_what_was_chosen():
    fitted = fit(everyone(Cohort(people(4))), target("stress", ["rest", "stress"]))
    chosen = fitted.model.training["chosen"]
    assert chosen["adaptive_kappa_s"] == fitted.model.adaptive.kappa in ADAPTIVE_KAPPAS_S
    assert chosen["smoothing_half_life_s"] == fitted.model.half_life_s in HALF_LIVES_S
    assert {m.expert.kind for m in fitted.model.members} <= set(chosen["families"].split("+"))


def test_an_evaluation_tells_steps_families_and_choices():
    whole = target("stress", ["rest", "stress"])
    splits = grouped_k_fold(Cohort(people(6), "made up"), 2, 0)
    done = list(evaluate(splits, whole, {}, Plan(draws=0, steps=True)))
    body = result(done, whole, {"data": "made up"}, plan=Plan(draws=0, steps=True))
    assert [(s["second"], s["first"]) for s in body["steps"]] == [
        ("step_raw", "step_rest"), ("step_rest", "step_adaptive"), ("step_adaptive", "rest"),
    ]  # fmt: skip
    assert {f["second"] for f in body["families"]} == {"family_linear", "family_neural", "family_trees"}
    total = sum(s["balanced_accuracy"] for s in body["steps"])
    raw, all_of_it = (body["figures"][n]["balanced_accuracy"] for n in ("step_raw", "rest"))
    assert total == pytest.approx(all_of_it - raw, abs=1e-5)
    assert all(sum(body["chosen"][n].values()) == 6 for n in ("adaptive_kappa_s", "smoothing_half_life_s", "families"))
    text = card(fit(everyone(splits.cohort), whole).model, body)
    assert "the person's own past over rest known" in text
    assert "adaptive_kappa_s: " in text
    assert "Step: rest known" in html(body)
