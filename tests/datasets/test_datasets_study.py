"""Synthetic studies: the truth that was asked for is the truth in the data, each property alone."""

from dataclasses import replace

import numpy as np
import pytest

from feltsense.datasets.study import Spread, lines, recordings
from feltsense.errors import InputError
from feltsense.evaluate.metrics import auroc
from feltsense.train.splits import Cohort
from feltsense.train.targets import Target, target

STRESS = target("stress", ["rest", "stress"])
PLAIN = Spread(0.0, 0.0, 1.0, 0.0, 0.0, 1, 0.0, True, 0.0, 0.0)


def separation(people):
    """AUROC of the best-aimed sum of features, person by person: does stress show?"""
    out = []
    for p in people:
        s = p.line.scored
        score = np.nansum((p.line.x - np.nanmean(p.line.x[~s], axis=0))[s] * np.sign(p.gain), axis=1)
        out.append(auroc(p.line.y[s] == 1, score))
    return np.array(out)


def test_the_same_arguments_give_the_same_people_and_more_of_them_begin_with_these():
    a, b = lines(3, STRESS, seed=4), lines(5, STRESS, seed=4)
    for p, q in zip(a, b, strict=False):
        np.testing.assert_array_equal(p.line.x, q.line.x)
        np.testing.assert_array_equal(p.offset, q.offset)
    assert not np.array_equal(lines(1, STRESS, seed=5)[0].line.x, a[0].line.x, equal_nan=True)


def test_windows_labels_and_rest_are_as_in_recordings():
    line = lines(1, STRESS, PLAIN)[0].line
    assert line.stop_s[0] == 60.0
    assert np.all(np.diff(line.stop_s) == 30.0)
    assert line.resting.sum() == 9
    assert set(np.unique(line.y)) == {-1, 0, 1}
    # Ten minutes of rest come first, and a window that straddles a border has no label.
    assert np.all(line.y[line.stop_s <= 600.0] == 0)
    assert line.y[line.stop_s == 630.0] == -1
    Cohort([p.line for p in lines(4, STRESS)])


def test_effect_is_what_can_be_found():
    assert separation(lines(6, STRESS, PLAIN)).mean() > 0.9
    assert abs(separation(lines(30, STRESS, replace(PLAIN, effect=0.0))).mean() - 0.5) < 0.06
    assert np.isfinite(separation(lines(6, STRESS, replace(PLAIN, non_responders=1.0)))).all()


def test_offsets_and_devices_separate_people_not_states():
    def levels(spread):
        people = lines(40, STRESS, spread)
        return np.array([np.nanmean(p.line.x[p.line.resting], axis=0) for p in people]), people

    def apart(x):
        return np.nanmedian(np.nanstd(x, axis=0))

    alike, _ = levels(PLAIN)
    unlike, people = levels(replace(PLAIN, offset=3.0))
    assert apart(unlike) > 2 * apart(alike)
    name = people[0].line.schema.names.index("ppg.hr")
    assert np.corrcoef(unlike[:, name], [p.offset[name] for p in people])[0, 1] > 0.95
    made, people = levels(replace(PLAIN, devices=2, device=5.0))
    device = np.array([p.device for p in people])
    assert set(device) == {0, 1}
    assert {p.line.about["device"] for p in people} == {"make 1", "make 2"}
    between = abs(made[device == 0].mean(axis=0) - made[device == 1].mean(axis=0))
    assert np.median(between / made[device == 0].std(axis=0)) > 3


def test_drift_is_the_slope_asked_for():
    people = lines(30, STRESS, replace(PLAIN, effect=0.0, drift=3.0))
    name = people[0].line.schema.names.index("ppg.hr")
    found = [np.polyfit(p.line.stop_s / 3600, p.line.x[:, name], 1)[0] for p in people]
    assert np.corrcoef(found, [p.drift[name] for p in people])[0, 1] > 0.9


def test_order_is_one_or_everybodys_own():
    assert len({p.order for p in lines(6, STRESS, PLAIN)}) == 1
    own = lines(6, STRESS, replace(PLAIN, order_fixed=False))
    assert len({p.order for p in own}) > 1
    assert all(sorted(p.order) == sorted(own[0].order) for p in own)


def test_missing_is_nan_with_quality_0_and_never_everything():
    people = lines(60, STRESS, replace(PLAIN, missing_modality=0.5, missing_stretch=0.2))
    assert {len(p.there) for p in people} <= {0, 1, 2}
    assert {1, 2} <= {len(p.there) for p in people}
    for p in people[:10]:
        for j, m in enumerate(p.line.schema.modalities):
            mine = [i for i, o in enumerate(p.line.schema.owner) if o == m]
            np.testing.assert_array_equal(np.isnan(p.line.x[:, mine]).all(axis=1), p.line.quality[:, j] == 0.0)


def test_more_classes():
    three = Target("mood", ("rest", "amused", "stress"), "stress", ("ppg", "eda"))
    assert set(np.unique(lines(1, three)[0].line.y)) == {-1, 0, 1, 2}


def test_signals_carry_order_response_device_and_gaps():
    spread = Spread(order_fixed=False, devices=2, missing_stretch=0.5, non_responders=0.5)
    made = list(recordings(4, spread, seed=3, minutes=10))
    again = next(iter(recordings(4, spread, seed=3, minutes=10)))
    np.testing.assert_array_equal(
        again.recording.streams["board.eda"].segments[0].values, made[0].recording.streams["board.eda"].segments[0].values
    )
    assert len({tuple(p.label for p in m.truth.phases) for m in made}) > 1
    assert len({m.recording.metadata["make"] for m in made}) == 2
    assert len({m.recording.metadata["reactivity"] for m in made}) == 2
    gaps = [s.account().gaps for m in made for s in m.recording.streams.values()]
    assert max(gaps) > 0
    for m in made:
        for s in m.recording.streams.values():
            # Every sample keeps its time, and what is missing between is said.
            spanned = (s.stop_ns - s.start_ns) / 1e9 * s.info.spec.hz
            assert abs(s.account().expected - spanned) < 1e-3
            assert [g.number for g in s.segments] == list(range(len(s.segments)))
    whole = next(recordings(1, Spread(missing_stretch=0.0), minutes=7))
    assert all(len(s.segments) == 1 for s in whole.recording.streams.values())


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"n": 1, "seed": -1}, {"n": 1, "minutes": 5.0}, {"n": 1, "minutes": float("nan")}]
)
def test_what_is_no_study(wrong):
    with pytest.raises(InputError, match="a study needs"):
        lines(target=STRESS, **wrong)
