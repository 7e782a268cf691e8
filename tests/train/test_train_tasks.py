"""Tasks are data: each variant trains by the same code on synthetic participants, and settings are held to the law."""

from dataclasses import replace

import numpy as np
import pytest

from feltsense import cli
from feltsense.bundle.write import write
from feltsense.datasets.study import Spread, lines
from feltsense.errors import ModelDataError
from feltsense.evaluate.apply import answer
from feltsense.evaluate.arms import Arm
from feltsense.study.schema import SETTINGS
from feltsense.train.card import card
from feltsense.train.fit import fit
from feltsense.train.splits import Cohort, everyone
from feltsense.train.targets import target
from feltsense.train.tasks import TASKS, task

# One of each task; two classes are two classes.
VARIANTS = [
    ("stress", "graded"), ("arousal-valence", "quadrants"), ("emotion", "basic"), ("engagement", "affect"),
    ("safety", "binary"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_every_task_trains_on_synthetic_people(name, variant, tmp_path):
    known = task(name)
    classes = known.variants[variant]
    chosen = target(name, classes)
    assert chosen.classes == classes
    assert chosen.decision == known.decision[variant]
    assert set(chosen.modalities) <= set(known.modalities)
    small = replace(chosen, modalities=("ppg", "eda"))
    spread = Spread(order_fixed=False, effect=1.2)
    people = [p.line for p in lines(6, small, spread, minutes=20.0 + 8.0 * len(classes))]
    result = fit(everyone(Cohort(people[:4])), small)
    if name in ("stress", "safety"):
        assert write(tmp_path / "a.feltbundle", result.model, card(result.model), result.stack).passed()
        assert known.about in card(result.model)
    right = []
    for line in people[4:]:
        said = answer(result.model, line).probability.argmax(axis=1)
        right += [(said[line.scored & (line.y == k)] == k).mean() for k in np.unique(line.y[line.scored])]
    assert np.mean(right) > 1.0 / len(classes) + 0.2, right


@pytest.mark.parametrize("known", TASKS.values(), ids=lambda t: t.name)
def test_a_task_names_what_it_is(known):
    assert known.setting in SETTINGS
    names = Arm(*(np.zeros(2) for _ in range(3)), np.array([0, 1]), np.eye(2)).figures(1, interval=False, matched=False)
    assert set(known.metrics) <= set(names)
    for variant, classes in known.variants.items():
        assert known.decision[variant] in classes[1:]
        assert known.variant(classes) == variant or set(classes) <= set(known.variants[known.variant(classes)])
    assert set(known.ordered) <= set(known.variants)


def test_labels_choose_the_variant_and_the_order_of_the_classes():
    assert target("stress", ["high", "rest", "low"]).classes == ("rest", "low", "high")
    assert target("stress", ["high", "rest", "low"]).decision == "high"
    assert target("arousal-valence", ["negative", "rest", "positive"]).classes == ("rest", "positive", "negative")
    assert target("emotion", ["sadness", "neutral"]).decision == "sadness"
    assert target("engagement", ["bored", "engaged"]).classes == ("engaged", "bored")
    # Other words for emotions are taken as they are; a closed task's labels are not.
    assert target("emotion", ["happy", "sad"]).classes == ("happy", "sad")
    with pytest.raises(ModelDataError, match="safe, warning"):
        target("safety", ["safe", "danger"])
    with pytest.raises(ModelDataError, match="rest, low, medium, high"):
        target("stress", ["rest", "amused"])


def run(capsys, *extra):
    code = cli.main(["train", "--target", "engagement", "--manifest", "nowhere.csv", "--out", "x", *extra])
    return code, capsys.readouterr().err


@pytest.mark.parametrize("where", ["education", "workplace"])
def test_where_the_law_forbids_it_no_model_is_trained(capsys, where):
    code, said = run(capsys, "--setting", where)
    assert code == 2
    assert "Article 5(1)(f)" in said
    code, said = run(capsys, "--setting", where, "--purpose", "safety")
    assert code == 2
    assert "--acknowledged WHO" in said
    # With a reason and a name it goes on to the data, and elsewhere anyway.
    for more in (("--setting", where, "--purpose", "medical", "--acknowledged", "Dr Example, 2026-01-01"), ()):
        code, said = run(capsys, *more)
        assert code == 2
        assert "nowhere.csv" in said


def test_card_tells_where_it_may_not_be_used(tmp_path):
    small = replace(target("engagement", ["distracted", "concentrated"]), modalities=("ppg", "eda"))
    people = [p.line for p in lines(3, small, minutes=30.0)]
    text = card(fit(everyone(Cohort(people)), small, training={"setting": "laboratory", "purpose": "research"}).model)
    assert "Trained for: laboratory, research." in text
    assert "prohibited in the EU" in text
