"""Leave one out with its guards: a leak is seen, a signal is found, the report says both."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from feltsense.errors import ModelDataError
from feltsense.evaluate.apply import rearranged
from feltsense.evaluate.nulls import SHIFTED, SHUFFLED, grouped, wanted
from feltsense.evaluate.page import html
from feltsense.evaluate.protocol import Plan, evaluate
from feltsense.evaluate.result import result
from feltsense.train.splits import Cohort, leave_one_subject_out
from feltsense.train.targets import target
from train_lines import line, people

STRESS = target("stress", ["rest", "stress"])


def loso(lines, training, draws=0):
    return list(evaluate(leave_one_subject_out(Cohort(lines)), STRESS, training, Plan(draws=draws)))


@pytest.fixture(scope="module")
def body():
    done = loso(people(4), {"data": "made up"}, 1)
    return result(done, STRESS, {"data": "made up", "notice": "nobody's <b>data</b>"}, plan=Plan(draws=1))


def test_all_rows_are_there(body):
    assert set(body["figures"]) == {
        "rest", "raw", "rest_model_without_profile", "late_fusion", "ppg_alone", "eda_alone", "without_ppg", "without_eda",
        "order_randomised", "time_only", "time_only_order_randomised", "majority",
    }
    assert body["figures"]["majority"]["balanced_accuracy"] == 0.5
    # Everyone does the same at the same minute: the clock knows it all.
    assert body["figures"]["time_only"]["balanced_accuracy"] > 0.9
    assert body["figures"]["rest"]["balanced_accuracy"] > body["figures"]["raw"]["balanced_accuracy"]


def test_labels_that_mean_nothing_are_drawn_in_few_groups(body):
    """Few shuffles, which vary little; as many turns as were asked for; five groups of people at most."""
    assert wanted(12) == [(SHUFFLED, d) for d in range(3)] + [(SHIFTED, d) for d in range(12)]
    assert wanted(0) == []
    many = leave_one_subject_out(Cohort(people(8)))
    assert len(grouped(many, 0)) == 5
    assert sorted(p for g in grouped(many, 0).groups for p in g) == sorted(many.cohort.people)
    assert len(body["controls"]["shifted_labels"]["balanced_accuracy"]) == 1


def test_every_row_scores_the_same_windows_without_the_calibration(body):
    counts = {n: f["windows"] for n, f in body["figures"].items()}
    assert len(set(counts.values())) == 1, counts
    assert counts["rest"] == sum(p["windows"] for p in body["people"]) == sum(x.scored.sum() for x in people(4))
    low, high = body["figures"]["rest"]["balanced_accuracy_95"]
    assert low <= body["figures"]["rest"]["balanced_accuracy"] <= high


def test_shuffled_labels_are_worth_nothing():
    rng = np.random.default_rng(1)
    lines = [replace(x, y=np.where(x.y >= 0, rng.permutation(np.abs(x.y)), -1)) for x in people(6)]
    figures = result(loso(lines, {}), STRESS, {})["figures"]
    assert abs(figures["rest"]["balanced_accuracy"] - 0.5) < 0.12


def test_rearranged_timelines_keep_the_calibration_first_and_lose_nothing():
    one = line("A", 0)
    _, order = rearranged(one, 30.0, 3)
    assert order[:9].tolist() == list(range(9))
    kept = np.flatnonzero((one.y >= 0) | one.resting)
    assert sorted(order.tolist()) == kept.tolist()
    assert order.tolist() != kept.tolist()
    assert rearranged(one, 30.0, 3)[1].tolist() == order.tolist()
    # Pieces are label-pure and at most five minutes long.
    steps = np.flatnonzero(np.diff(order[9:]) != 1)
    for piece in np.split(order[9:], steps + 1):
        assert len(piece) <= 2 * 10


def test_page_is_one_file_with_everything_escaped(body):
    page = html(body)
    assert page.startswith("<!doctype html>")
    assert "<svg" in page
    assert "nobody&#x27;s &lt;b&gt;data&lt;/b&gt;" in page
    assert not re.search(r"(src|href)\s*=|https?://|<script|@import", page)
    for p in body["people"]:
        assert p["subject"] in page
    assert json.loads(json.dumps(body, allow_nan=False)) == body


def test_too_few_people():
    with pytest.raises(ModelDataError, match="at least 4 people"):
        loso(people(3), {})
