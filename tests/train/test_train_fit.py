"""Fitting: the same data give the same model, nobody's own data reach the model of their fold, missing is normal."""

from dataclasses import replace

import numpy as np
import pytest

from feltsense import features
from feltsense.bundle import archive
from feltsense.bundle._graph import build
from feltsense.bundle.write import write
from feltsense.core.vector import FeatureSchema
from feltsense.errors import ModelDataError
from feltsense.evaluate.apply import answer
from feltsense.evaluate.protocol import Plan, evaluate
from feltsense.fusion.late import decay, lead
from feltsense.train import fit as fitting
from feltsense.train.card import card
from feltsense.train.running import decided, smooth
from feltsense.train.splits import Cohort, everyone, leave_one_subject_out
from feltsense.train.targets import Target, target
from train_lines import line, people

STRESS = target("stress", ["rest", "stress"])


def fit(lines, target, **options):
    return fitting.fit(everyone(Cohort(lines)), target, **options)


def folds_of(lines, training, kept):
    return evaluate(leave_one_subject_out(Cohort(lines)), STRESS, training, Plan(draws=0, kept=kept))


@pytest.fixture(scope="module")
def cohort():
    return people(5)


@pytest.fixture(scope="module")
def fitted(cohort):
    return fit(cohort, STRESS, training={"data": "made up"})


def sealed(fit_result):
    return archive.seal(fit_result.model, build(fit_result.model), card(fit_result.model))


def test_same_data_same_bytes_in_any_order(cohort, fitted):
    again = fit(list(reversed(cohort)), STRESS, training={"data": "made up"})
    assert sealed(again) == sealed(fitted)


def test_it_learns_what_is_there_and_passes_the_gate(cohort, fitted, tmp_path):
    parity = write(tmp_path / "a.feltbundle", fitted.model, card(fitted.model), fitted.stack)
    assert parity.passed()
    new = line("new", 7)
    said = answer(fitted.model, new).probability.argmax(axis=1)
    assert (said[new.scored] == new.y[new.scored]).mean() > 0.85
    assert np.all(fitted.model.fusion.weight > 0)
    assert len(fitted.model.members) >= 2
    assert fitted.model.fusion.share.sum() == pytest.approx(1.0)
    assert 0 < fitted.model.plausible < 1
    assert fitted.model.training["subjects"] == [f"P{i}" for i in range(5)]


def test_a_fold_is_what_training_without_the_person_gives(cohort, tmp_path):
    folds = list(folds_of(cohort[:4], {"data": "made up"}, tmp_path))
    assert [f.subject for f in folds] == ["P0", "P1", "P2", "P3"]
    alone = fit([x for x in cohort[:4] if x.subject != "P2"], STRESS, training={"data": "made up"})
    write(tmp_path / "alone", alone.model, card(alone.model), alone.stack)
    assert (tmp_path / "alone").read_bytes() == (tmp_path / "P2.feltbundle").read_bytes()


def test_the_person_left_out_cannot_touch_the_fold(cohort, tmp_path):
    """Whatever the held-out person's windows are, the fold's model stays the same to the byte."""
    for folder, first in (("a", cohort[0]), ("b", replace(cohort[0], x=cohort[0].x * 50, y=1 - cohort[0].y.clip(0)))):
        (tmp_path / folder).mkdir()
        next(iter(folds_of([first, *cohort[1:4]], {}, tmp_path / folder)))
    assert (tmp_path / "a" / "P0.feltbundle").read_bytes() == (tmp_path / "b" / "P0.feltbundle").read_bytes()


def test_labels_of_the_calibrated_rest_are_only_rest(cohort):
    assert all((x.y[x.resting & (x.y >= 0)] == 0).all() for x in cohort)
    assert not any((x.scored & x.resting).any() for x in cohort)


def test_three_classes_by_the_same_code(tmp_path):
    three = Target("mood", ("rest", "amused", "stress"), "stress", ("ppg", "eda"))
    lines = [line(f"P{i}", i, windows=90, classes=3) for i in range(4)]
    result = fit(lines, three)
    assert write(tmp_path / "m.feltbundle", result.model, card(result.model), result.stack).passed()
    p = answer(result.model, lines[0]).probability
    assert p.shape == (90, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)


def missing(one, modality):
    mine = np.array([n.startswith(f"{modality}.") for n in one.schema.names])
    here = np.array([m != modality for m in one.schema.modalities])
    return replace(one, quality=one.quality * here, x=np.where(mine, np.nan, one.x))


def test_people_whose_modality_is_missing_are_learned_from(cohort):
    gone = [missing(x, "eda") for x in cohort[:2]] + cohort[2:]
    said = answer(fit(gone, STRESS).model, gone[0])
    assert said.present.all()
    assert np.isfinite(said.probability).all()


def test_without_anyones_rest_it_still_fits(cohort):
    width = len(cohort[0].rest_mean)
    nobody = [replace(x, rest_mean=np.full(width, np.nan), rest_seconds=np.zeros(width)) for x in cohort]
    assert np.isfinite(answer(fit(nobody, STRESS).model, nobody[0]).probability).all()


def test_what_cannot_be_learned_is_said(cohort):
    with pytest.raises(ModelDataError, match="at least 3 people"):
        fit(cohort[:2], STRESS)
    with pytest.raises(ModelDataError, match="'stress' has labelled windows of 0 people"):
        fit([replace(x, y=np.zeros_like(x.y)) for x in cohort], STRESS)
    with pytest.raises(ModelDataError, match="of the 5 people to learn from has a usable window of eda: leave it out"):
        fit([missing(x, "eda") for x in cohort], STRESS)
    with pytest.raises(ModelDataError, match="both needed"):
        target("stress", ["rest"])
    with pytest.raises(ModelDataError, match="at least two labels"):
        target("mood", ["happy"])


def test_generic_target_starts_with_rest_and_leaves_gates_out():
    t = target("mood", ["sad", "happy", "rest"])
    assert t.classes == ("rest", "happy", "sad")
    assert t.decision == "happy"
    assert not {"motion", "skin_temperature"} & set(t.modalities)


def test_smoothing_skips_what_is_not_there_and_starts_anew_with_another_baseline():
    logit = np.array([[1.0], [3.0], [5.0], [7.0], [9.0]])
    stop = 60 + 30.0 * np.arange(5)
    present = np.array([True, True, False, True, True])
    known = np.array([False, False, False, False, True])
    out = smooth(logit, present, known, stop, 30.0)[:, 0]
    first = 0.5 * 1 + lead(30.0, 30.0) * 1 + (0.5 - lead(30.0, 30.0)) * 3
    later = 0.25 * first + lead(60.0, 30.0) * 3 + (0.75 - lead(60.0, 30.0)) * 7
    assert out.tolist() == pytest.approx([1.0, first, first, later, 9.0])
    assert decay(5.0, 30.0) ** 6 == pytest.approx(decay(30.0, 30.0))


def test_timelines_side_by_side_are_as_one_by_one():
    rng = np.random.default_rng(5)
    line = rng.integers(0, 4, 60)
    logit, stop = rng.normal(size=(60, 2)), 30.0 * np.arange(60)
    present, known = rng.random(60) < 0.8, rng.random(60) < 0.9
    together = smooth(logit, present, known, stop, 40.0, line)
    held = decided(together, present, known, 0.5, line)
    for i in range(4):
        m = line == i
        alone = smooth(logit[m], present[m], known[m], stop[m], 40.0)
        np.testing.assert_array_equal(together[m], alone)
        np.testing.assert_array_equal(held[m], decided(alone, present[m], known[m], 0.5))


def test_smoothing_means_the_same_at_every_hop():
    """Of a logit that runs in straight lines between the windows of the coarse hop, both see the same mean."""
    knots = np.random.default_rng(0).normal(0, 1, 20)
    ends = {}
    for hop in (5.0, 10.0, 30.0):
        stop = np.arange(0.0, 570.1, hop)
        logit = np.interp(stop, 30.0 * np.arange(20), knots)[:, None]
        all_there = np.ones(len(stop), bool)
        out = smooth(logit, all_there, all_there, stop, 30.0)[:, 0]
        ends[hop] = out[:: int(30 / hop)]
    np.testing.assert_allclose(ends[5.0], ends[30.0], atol=1e-12)
    np.testing.assert_allclose(ends[10.0], ends[30.0], atol=1e-12)


def test_each_length_of_window_has_an_expert_of_its_own(tmp_path):
    """What only the last half minute shows is found, as part of its modality."""
    rng = np.random.default_rng(5)
    lines = []
    for who in people(6, effect=0.0):
        wide = FeatureSchema([(m, features.extractor(m).specs) for m in ("ppg", "eda", "ppg@30s", "eda@30s")])
        k = len(who.schema.names)
        late = np.abs(rng.normal(10, 1, who.x.shape) + 1.5 * (np.arange(len(who.y)) // 10 % 2)[:, None])
        lines.append(replace(
            who, schema=wide, x=np.concatenate([who.x, late], axis=1), quality=np.tile(who.quality, 2),
            rest_mean=np.tile(who.rest_mean, 2), rest_seconds=np.tile(who.rest_seconds, 2),
        ))  # fmt: skip
        assert len(wide.names) == 2 * k
    target = replace(STRESS, further_s=(30.0,))
    fitted = fit(lines, target)
    model = fitted.model
    assert model.watched == ("ppg", "eda", "ppg@30s", "eda@30s")
    late = [all("@30s." in model.inputs[c] for c in m.columns) for m in model.members]
    early = [all("@30s." not in model.inputs[c] for c in m.columns) for m in model.members]
    assert all(a or b for a, b in zip(late, early, strict=True))
    assert {"ppg@30s", "eda@30s"} <= {n.partition(".")[0] for n in model.training["chosen"]}
    assert any(late)

    def right(given):
        return (answer(model, given).probability.argmax(axis=1) == given.y)[given.scored].mean()

    mixed = rng.permutation(len(lines[0].y))
    x = lines[0].x
    assert right(lines[0]) > 0.9
    assert right(replace(lines[0], x=np.concatenate([x[mixed, :k], x[:, k:]], axis=1))) > 0.85
    assert right(replace(lines[0], x=np.concatenate([x[:, :k], x[mixed, k:]], axis=1))) < 0.75
    said = answer(model, lines[0])
    alone = answer(model, lines[0], without=("ppg",))
    assert not np.array_equal(alone.logit, said.logit)
    assert write(tmp_path / "m.feltbundle", model, card(model, None), fitted.stack).passed
