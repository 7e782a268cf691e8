"""What the report adds: floors, robustness, comparisons, raters, the ledger, groups; each against a count by hand."""

import json

import numpy as np
import pytest

from feltsense.cli import main
from feltsense.errors import InputError
from feltsense.evaluate import answers, ledger, metrics
from feltsense.evaluate.arms import Arm, Fold
from feltsense.evaluate.compare import paired
from feltsense.evaluate.nulls import shift_null
from feltsense.evaluate.raters import agreement
from feltsense.evaluate.reliability import calibration, risk_coverage
from feltsense.evaluate.robustness import effective, relative


def arm(truth, p, people=4):
    n = len(truth)
    subject = np.repeat([f"P{i}" for i in range(people)], -(-n // people))[:n]
    p = np.asarray(p, float)
    return Arm(subject, np.zeros(n), 30.0 * np.arange(n), np.asarray(truth, np.int64), np.stack([1 - p, p], axis=1))


def drawn(n, seed=0, honest=True):
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.02, 0.98, n)
    truth = rng.random(n) < (p if honest else p**3)
    return arm(truth.astype(int), p)


def test_robustness_is_multibenchs():
    assert relative([0.8] * 11) == pytest.approx(0.8)
    assert relative(np.linspace(1, 0, 11)) == pytest.approx(0.5)
    # Plain late fusion moved to the same clean score: what is left is the difference in shape.
    assert effective([0.8, 0.8, 0.8], [0.7, 0.6, 0.5]) == pytest.approx(0.1 + 0.2)
    assert effective([0.8, 0.7], [0.6, 0.5]) == pytest.approx(0.0)


def test_a_calibrated_model_lies_on_its_floor_and_another_does_not():
    good, bad = calibration(drawn(4000), 1, 0)["pooled"], calibration(drawn(4000, honest=False), 1, 0)["pooled"]
    assert good["error"] < 1.5 * good["floor_95"]
    assert bad["error"] > 1.3 * bad["floor_95"]
    few = calibration(drawn(60), 1, 0)
    # On few windows even a perfect model looks badly calibrated, a person at a time most of all.
    assert few["pooled"]["floor"] > 2 * good["floor"]
    assert few["person_mean_floor"] > few["pooled"]["floor"]
    assert calibration(drawn(60), 1, 0) == few


def test_risk_coverage_answers_the_surest_first_and_ties_together():
    a = arm([1, 1, 0, 1], [0.9, 0.8, 0.7, 0.4])
    told = risk_coverage(a)
    assert told["aurc"] == pytest.approx(np.mean([0, 0, 1 / 3, 2 / 4]))
    assert told["at"][0]["error"] == pytest.approx(0.5)
    tied = risk_coverage(arm([1, 0], [0.8, 0.8]))
    assert tied["aurc"] == pytest.approx(0.5)


def test_paired_comparison_by_hand_and_what_cannot_be_compared():
    truth = np.tile([0, 1], 20)
    good, bad = arm(truth, np.where(truth == 1, 0.9, 0.1)), arm(truth, np.full(40, 0.9))
    told = paired(good, bad, 0)
    assert told["balanced_accuracy"] == 0.5
    assert told["balanced_accuracy_95"] == (0.5, 0.5)
    assert (told["better_for"], told["worse_for"], told["people"], told["windows"]) == (4, 0, 4, 40)
    half = Arm(*(getattr(bad, f)[:20] for f in ("subject", "start_unix", "time_s", "truth", "probability")))
    assert paired(good, half, 0)["windows"] == 20
    with pytest.raises(InputError, match="disagree about the truth of 40"):
        paired(good, arm(1 - truth, np.full(40, 0.9)), 0)
    with pytest.raises(InputError, match="no window in common"):
        paired(good, Arm(bad.subject, bad.start_unix + 1e6, bad.time_s, bad.truth, bad.probability), 0)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_answers_go_through_a_file(tmp_path, kind):
    a = drawn(40)
    path = tmp_path / f"a.{kind}"
    answers.write(path, [Fold("P0", {"rest": a, "raw": drawn(40, 1)})], ("rest", "stress"))
    back = answers.read(path, "rest", ("rest", "stress"))
    for f in ("subject", "time_s", "truth", "probability"):
        np.testing.assert_array_equal(getattr(back, f), getattr(a, f))
    assert paired(a, back, 0)["balanced_accuracy"] == 0.0
    with pytest.raises(InputError, match="has no answers of 'none'; it has raw, rest"):
        answers.read(path, "none", ("rest", "stress"))
    path.write_bytes(b"no table")
    with pytest.raises(InputError):
        answers.read(path, "rest", ("rest", "stress"))


def test_two_files_of_answers_are_compared_from_the_command_line(tmp_path, capsys):
    truth = np.tile([0, 1], 20)
    right, wrong = arm(truth, np.where(truth == 1, 0.9, 0.1)), arm(truth, np.full(40, 0.9))
    a, b, c, out = (tmp_path / n for n in ("a.csv", "b.csv", "c.csv", "o.json"))
    answers.write(a, [Fold("P0", {"rest": right, "without_eda": wrong})], ("rest", "stress"))
    answers.write(b, [Fold("P0", {"rest": wrong})], ("rest", "stress"))
    answers.write(c, [Fold("P0", {"rest": wrong})], ("calm", "stress"))
    assert main(["compare", str(a), str(b), "--out", str(out)]) == 0
    assert "+0.500 [+0.500, +0.500], better for 4 of 4 people" in capsys.readouterr().out
    assert json.loads(out.read_text())["balanced_accuracy"] == 0.5
    assert main(["compare", str(a), str(a), "--with-row", "without_eda"]) == 0
    assert "better for 4 of 4" in capsys.readouterr().out
    assert main(["compare", str(a), str(c)]) == 2
    assert "about calm, stress" in capsys.readouterr().err
    assert main(["compare", str(a), str(tmp_path / "none.csv")]) == 2
    assert "no table of answers" in capsys.readouterr().err
    assert main(["compare", str(b), str(b), "--row", "raw"]) == 2
    assert "has no answers of 'raw'; it has rest" in capsys.readouterr().err


def test_answers_that_run_in_stretches_do_not_beat_turned_labels():
    truth = np.tile(np.repeat([0, 1], 15), 4)
    own = arm(truth, np.where(truth == 1, 0.8, 0.2))
    null = shift_null(own, 0)
    assert abs(null.mean() - 0.5) < 0.1
    assert null.max() < 1.0
    np.testing.assert_array_equal(null, shift_null(own, 0))


def test_raters_by_hand():
    # Three raters, two classes: unanimous, two against one, one against two.
    votes = np.array([[3.0, 0], [2, 1], [1, 2], [np.nan, np.nan]])
    told = agreement(votes, np.array([0, 0, 1, 0]))
    assert told["windows"] == 3
    assert told["unanimous"] == pytest.approx(1 / 3)
    assert told["pairwise_agreement"] == pytest.approx((1 + 1 / 3 + 1 / 3) / 3)
    chance = (6 / 9) ** 2 + (3 / 9) ** 2
    assert told["fleiss_kappa"] == pytest.approx((5 / 9 - chance) / (1 - chance))
    assert told["ceiling"] == pytest.approx(np.mean([np.mean([1, 2 / 3]), 2 / 3]))
    soft = agreement(np.array([[0.7, 0.3], [0.2, 0.8]]), np.array([0, 1]))
    assert soft["fleiss_kappa"] is None
    assert soft["ceiling"] == pytest.approx(0.75)


def test_the_ledger_counts_others_and_nobody_twice(tmp_path):
    path, people = tmp_path / ledger.NAME, ["A", "B"]

    def tried(ba, who=people, target="stress"):
        return ledger.record(path, who, {"target": target}, {"balanced_accuracy": ba, "auroc": ba})

    assert tried(0.7) == {"kept": True, "others": 0, "best_other": None}
    assert tried(0.7)["others"] == 0
    assert tried(0.75) == {"kept": True, "others": 1, "best_other": 0.7}
    assert tried(0.8)["others"] == 2
    # Evaluating an early one again gives the report that it gave.
    assert tried(0.75)["others"] == 1
    assert len(path.read_text().splitlines()) == 3
    assert tried(0.9, ["A", "C"])["others"] == tried(0.9, people, "mood")["others"] == 0
    path.write_text("damaged\n" + path.read_text())
    assert tried(0.85)["others"] == 3
    assert json.loads(path.read_text().splitlines()[-1])["n"] == 2


def test_a_ledger_that_cannot_be_written_is_said(tmp_path):
    entry = ledger.record(tmp_path / "none" / "l.jsonl", ["A"], {"target": "t"}, {"balanced_accuracy": 0.7, "auroc": 0.7})
    assert entry == {"kept": False, "others": 0, "best_other": None}
    assert ledger.record(tmp_path, ["A"], {"target": "t"}, {"balanced_accuracy": 0.7, "auroc": 0.7})["others"] is None


def test_undefined_figures_are_named():
    truth, said = np.array([0, 0, 1]), np.array([0, 0, 0])
    assert metrics.undefined(truth, said, ("rest", "stress", "joy")) == [
        "precision of stress: never said, counts 0", "joy: neither there nor said, left out",
    ]
    assert metrics.undefined(said, truth, ("rest", "stress"))[0].startswith("recall of stress: never there")
    assert metrics.review_f1(truth, said) == pytest.approx(2 * (1 / 3) * 0.5 / (1 / 3 + 0.5))
