"""Leaks that cannot be written: each is refused with its reason, by the type that data have to pass."""

from dataclasses import replace

import numpy as np
import pytest

import feltsense
from feltsense.errors import LeakError, ModelDataError
from feltsense.evaluate.protocol import evaluate
from feltsense.train.fit import fit
from feltsense.train.splits import (
    Cohort,
    SubjectSplit,
    cross_dataset,
    everyone,
    grouped_k_fold,
    leave_one_subject_out,
)
from feltsense.train.targets import target
from feltsense.train.traces import alike, traces
from train_lines import cohort, line, people

STRESS = target("stress", ["rest", "stress"])


def copy(recording, change):
    """The recording with another signal, made sample by sample."""
    streams = {
        name: replace(s, segments=tuple(replace(g, values=change(g.values)) for g in s.segments))
        for name, s in recording.streams.items()
    }
    return replace(recording, streams=streams)


@pytest.fixture(scope="module")
def recordings():
    return [feltsense.participant(seed=i, minutes=7) for i in range(4)]


@pytest.mark.parametrize("take", [fit, evaluate])
def test_data_come_only_through_a_split(take):
    for smuggled in (people(5), cohort(5), None):
        with pytest.raises(LeakError, match="only through"):
            take(smuggled, STRESS, training={})


def test_a_person_on_both_sides():
    every = cohort(5)
    with pytest.raises(LeakError, match="P1, P2 would be learned from and judged"):
        SubjectSplit("x", every, every.only(("P1", "P2")))
    with pytest.raises(LeakError, match="two cohorts"):
        SubjectSplit("x", every.lines, every.only(("P1",)))


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x,
        lambda x: x[len(x) // 3 :],
        lambda x: 3.0 * x + 7.0,
        lambda x: (x - x.mean(axis=0)) / x.std(axis=0),
    ],
    ids=["same", "cut", "rescaled", "standardised"],
)
def test_a_person_under_two_names(recordings, change):
    marks = [traces(r) for r in recordings] + [traces(copy(recordings[0], change))]
    lines = [replace(x, traces=t) for x, t in zip(people(5), marks, strict=True)]
    with pytest.raises(LeakError, match=r"P0 \(P0.felt\) and P4 \(P4.felt\) hold the same signal"):
        Cohort(lines)
    with pytest.raises(LeakError, match="hold the same signal"):
        cross_dataset(Cohort(lines[:3]), Cohort(lines[3:]))
    again = replace(lines[4], subject="P0")
    with pytest.raises(LeakError, match="give each recording once"):
        Cohort([*lines[:4], again])


def test_different_people_share_no_print(recordings):
    marks = [traces(r) for r in recordings]
    assert all(len(t.prints) > 100 for t in marks)
    assert len(np.unique(np.concatenate([t.prints for t in marks]))) == sum(len(t.prints) for t in marks)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda x: (x - x.mean(axis=0)) / x.std(axis=0), "has mean .* in every recording"),
        (lambda x: (x - x.min(axis=0)) / np.ptp(x, axis=0), "runs from exactly 0 to 1 in every recording"),
    ],
    ids=["z-score", "min-max"],
)
def test_whole_session_normalisation_of_raw_signals(recordings, change, why):
    marks = [traces(copy(r, change)) for r in recordings]
    lines = [replace(x, traces=t) for x, t in zip(people(4), marks, strict=True)]
    with pytest.raises(LeakError, match=why):
        Cohort(lines)
    Cohort([replace(x, traces=traces(r)) for x, r in zip(people(4), recordings, strict=True)])


def test_calibration_cannot_be_scored():
    """What is scored follows from the seconds of rest: there is nothing to set."""
    one = line("A", 0)
    start, stop = one.stop_s - one.window_s, one.stop_s
    assert np.array_equal(one.resting, start < 270.0)
    # One window's length lies between the calibration and the first judged window.
    assert start[one.scored].min() == 330.0
    assert not (one.resting & one.scored).any()
    with pytest.raises(TypeError):
        replace(one, resting=np.zeros(len(one.y), bool))
    later = replace(one, rest_s=((600.0, 870.0),))
    assert not ((stop > 540.0 + 1e-9) & (start < 930.0 - 1e-9) & later.scored).any()
    assert (later.scored & (start < 480.0)).any()


def test_leave_one_out_and_groups():
    every = cohort(7)
    splits = leave_one_subject_out(every)
    assert [s.judge.people for s in splits] == [(p,) for p in every.people]
    assert all(len(s.learn.people) == 6 for s in splits)
    groups = grouped_k_fold(every, 3, 1)
    assert sorted(p for g in groups for p in g.judge.people) == list(every.people)
    assert [g.groups for g in (groups, grouped_k_fold(every, 3, 1))] == [groups.groups] * 2
    inner = splits[0].inner(3, 1)
    assert all("P0" not in (*i.learn.people, *i.judge.people) for i in inner)
    assert not set(inner[0].learn.people) & set(inner[0].judge.people)
    assert splits[1:3][0].name == "P1"


def test_of_many_people_the_same_ones_are_drawn_whoever_else_is_there():
    every = cohort(30)
    windows = len(every.lines[0].y)
    assert every.drawn(0) is every
    assert every.drawn(30 * windows) is every
    drawn = every.drawn(26 * windows - 1)
    assert len(drawn.people) == 25
    assert len(every.drawn(windows).people) == 20
    gone = drawn.people[0]
    others = every.only(set(every.people) - {gone}).drawn(25 * windows)
    assert set(drawn.people) - {gone} < set(others.people)
    assert len(others.people) == 25
    # A fold learns from those whom a training without its person draws.
    splits = leave_one_subject_out(every, 25 * windows)
    (fold,) = (s for s in splits if s.name == gone)
    assert fold.learn.people == everyone(every.only(set(every.people) - {gone}), 25 * windows).learn.people
    assert splits.kind == f"leave one person out, learned from {25 * windows} windows at most"
    assert "at most" not in leave_one_subject_out(every).kind


def test_other_data_sets_and_nobody():
    a, b = Cohort(people(4)[:2], "a"), Cohort(people(4)[2:], "b")
    (split,) = cross_dataset(a, b)
    assert (split.learn.people, split.judge.people) == (a.people, b.people)
    assert everyone(a).judge.people == ()
    with pytest.raises(LeakError, match="would be learned from and judged"):
        list(cross_dataset(a, Cohort(people(4)[1:])))


def test_what_makes_no_cohort():
    with pytest.raises(ModelDataError, match="at least 4 people, got 1: P0"):
        leave_one_subject_out(cohort(1))
    with pytest.raises(ModelDataError, match="9 groups of 5 people"):
        grouped_k_fold(cohort(5), 9, 1)
    with pytest.raises(ModelDataError, match="no recording is as long"):
        Cohort([])
    with pytest.raises(ModelDataError, match="windows of 30 s and of 60 s"):
        Cohort([line("A", 0), replace(line("B", 1), window_s=30.0)])
    with pytest.raises(LeakError, match="made of Line objects"):
        Cohort(["A"])


def test_slow_signals_are_recognised_too(recordings):
    """Skin conductance alone, at a few samples a second."""
    def slow(r):
        return replace(r, streams={n: s for n, s in r.streams.items() if s.info.spec.name == "eda"})

    a, b = (traces(slow(r)) for r in recordings[:2])
    assert len(a.prints) > 5
    assert alike(a, traces(copy(slow(recordings[0]), lambda x: 2.0 * x[200:])))
    assert not alike(a, b)
