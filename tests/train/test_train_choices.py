"""Constants that a fit chooses: by loss on people who were not learned from, and told in the bundle and the report."""

from dataclasses import replace

import numpy as np
import pytest

from feltsense import features
from feltsense.core.modality import length_of, over
from feltsense.core.vector import FeatureSchema
from feltsense.evaluate.page import html
from feltsense.evaluate.protocol import Plan, evaluate
from feltsense.evaluate.result import result
from feltsense.train.card import card
from feltsense.train.choices import ADAPTIVE_KAPPAS_S, chosen_families
from feltsense.train.fit import LIMITS, fit
from feltsense.train.inputs import plan
from feltsense.train.margins import Fit, Rows
from feltsense.train.splits import Cohort, everyone, grouped_k_fold
from feltsense.train.stacking import fit as stacked
from feltsense.train.targets import HALF_LIVES_S, target
from train_lines import MODALITIES, people, schema

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


def with_last(line, seconds, values):
    """The line with features over its windows' last seconds, too."""
    names = [*line.schema.modalities, *(over(m, seconds) for m in MODALITIES)]
    return replace(
        line, schema=FeatureSchema([(m, features.extractor(m).specs) for m in names]),
        x=np.concatenate([line.x, values], axis=1), quality=np.concatenate([line.quality, line.quality[:, :2]], axis=1),
        rest_mean=np.concatenate([line.rest_mean, np.full(values.shape[1], 10.0)]),
        rest_seconds=np.concatenate([line.rest_seconds, np.full(values.shape[1], 180.0)]),
    )  # fmt: skip


@pytest.mark.parametrize(("useful", "kept"), [((True, False), "30"), ((False, True), "30+15"), ((None, None), "none")])
def test_further_windows_are_kept_as_far_as_they_are_worth_their_features(useful, kept):
    lines = []
    for i, line in enumerate(people(6, effect=0.7)):
        rng = np.random.default_rng(i)
        moved = (np.arange(len(line.y)) // 10 % 2)[:, None]
        for seconds, good in zip((30.0, 15.0), useful, strict=True):
            # None: what is there in one half of the people is turned round in the others.
            effect = (-1.0) ** i if good is None else 1.2 * good
            values = np.abs(rng.normal(10, 1, (len(line.y), len(schema().names))) + effect * moved)
            line = with_last(line, seconds, values)
        lines.append(line)
    model = fit(everyone(Cohort(lines)), target("stress", ["rest", "stress"])).model
    assert model.training["chosen"]["further_windows_s"] == kept
    assert model.further_s == (() if kept == "none" else tuple(map(float, kept.split("+"))))
    # What is known of them besides is of no consequence where the target does not ask for it.
    plain = fit(everyone(Cohort(lines)), replace(target("stress", ["rest", "stress"]), further_s=())).model
    assert plain.further_s == ()
    assert "further_windows_s" not in plain.training["chosen"]


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


def test_what_needs_longer_than_a_further_window_is_no_input_of_it():
    names = [*MODALITIES, *(over(m, s) for m in MODALITIES for s in (30.0, 15.0))]
    layout = plan(FeatureSchema([(m, features.extractor(m).specs) for m in names]))
    assert all(f.min_seconds <= (length_of(f.name) or 60.0) for f in layout.features)
    counts = {w: layout.windows.count(w) for w in names}
    assert counts["ppg"] == 16
    assert counts["eda"] == 17
    assert counts["ppg@30s"] == 16
    assert 0 < counts["eda@15s"] < counts["eda@30s"] < 17
    assert 0 < counts["ppg@15s"] < 16
