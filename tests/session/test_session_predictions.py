"""A session's predictions: probabilities, contributions, memory in seconds, missing modalities, any cut."""

from dataclasses import replace

import numpy as np
import pytest

from feltsense import bundle
from feltsense.bundle.run import NumpyRunner
from feltsense.calibration import REST_HOP_S, calibrate, learn_rest
from feltsense.core.profile import RestInterval, UserProfile
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.timeline import NS, to_ns
from feltsense.datasets.synthetic import participant
from feltsense.errors import InputError
from feltsense.fusion.late import APART_S
from feltsense.session import Session, predict


@pytest.fixture(scope="module")
def recording():
    return participant(3, protocol=[("rest", 150.0), ("stress", 90.0)])


@pytest.fixture(scope="module")
def model():
    return bundle.load()


@pytest.fixture(scope="module")
def profile(recording, model):
    return calibrate(recording, [interval(recording, 5, 125)], model)


@pytest.fixture(scope="module")
def said(recording, model, profile):
    return list(predict(recording, model, profile, 10.0))


def interval(recording, a, b):
    return RestInterval(recording.start_ns + to_ns(a), recording.start_ns + to_ns(b))


def table(predictions):
    return [
        (
            p.start_ns, dict(p.probabilities), p.label, p.set, p.abstained, p.reason, p.quality, dict(p.logits),
            dict(p.contributions),
        )
        for p in predictions
    ]


def without(recording, *names, change=None):
    streams = {k: v for k, v in recording.streams.items() if k not in names}
    if change is not None:
        name, function = change
        old = streams[name]
        segments = tuple(Segment(function(s.values), s.time, s.gap, s.number) for s in old.segments)
        streams[name] = Stream(old.info, segments)
    return Recording(recording.subject, streams, recording.events)


def test_every_window_is_there_and_adds_up(recording, said):
    assert [p.start_ns for p in said] == [recording.start_ns + k * 10 * NS for k in range(len(said))]
    assert len(said) >= 17
    for p in said:
        assert sum(p.probabilities.values()) == pytest.approx(1.0, abs=1e-12)
        assert sum(p.contributions.values()) == pytest.approx(p.logits["stress"], abs=1e-9)
        assert p.logits["rest"] == 0.0
        assert p.contributions["joint"] == 0.0
        assert set(p.set) >= {max(p.probabilities, key=p.probabilities.get)}
        assert p.set in (("rest",), ("stress",), ("rest", "stress"))
        if not p.abstained:
            assert p.label == max(p.probabilities, key=p.probabilities.get)


def test_windows_that_overlap_the_rest_keep_probabilities_and_have_no_label(recording, said):
    for p in said:
        overlaps = (p.start_ns - recording.start_ns) / NS < 125
        assert (p.reason == "calibration") == overlaps
        assert p.abstained == overlaps
        assert (p.label == "") == overlaps
        assert p.probabilities


def test_each_window_goes_on_from_the_answer_half_a_minute_before(recording, model, profile):
    for hop in (10.0, 30.0):
        apart, told = round(APART_S / hop), []
        rate = np.log(2) * APART_S / model.model.half_life_s
        left = np.exp(-rate)
        new = 1 - (1 - left) / rate
        for p in predict(recording, model, profile, hop):
            now = p.logits["stress"]
            smoothed, held = now, 0.0
            if len(told) >= apart:
                then, before, held = told[-apart]
                smoothed = left * then + (1 - left - new) * before + new * now
            assert p.probabilities["stress"] == pytest.approx(1 / (1 + np.exp(-smoothed - held)), abs=1e-9)
            told.append((smoothed, now, model.model.hold * (1 if p.probabilities["stress"] > 0.5 else -1)))


def test_at_every_hop_the_same_is_said_at_the_same_time(recording, model, profile):
    """But for what was seen in between: without that, to the last bits."""
    forgetful = replace(model.model, adaptive=replace(model.model.adaptive, kappa=1e12))
    plain = replace(model, model=forgetful, runner=NumpyRunner(forgetful))
    said = {
        hop: {p.stop_ns: p.probabilities["stress"] for p in predict(recording, plain, profile, hop)}
        for hop in (5.0, 10.0, 30.0)
    }
    assert len(said[30.0]) >= 6
    for hop in (5.0, 10.0):
        assert [said[hop][t] for t in said[30.0]] == pytest.approx(list(said[30.0].values()), abs=1e-6)


@pytest.mark.parametrize("seconds", [0.37, 7.0])
def test_any_cut_gives_the_same_bits(recording, model, profile, said, seconds):
    session = Session(recording.infos(), model, profile, 10.0, recording.start_ns)
    assert table(session.run(recording.items(seconds))) == table(said)


def test_live_without_known_start_is_the_same(recording, model, profile, said):
    session = Session(recording.infos(), model, profile, 10.0)
    live = [p for item in recording.items() for p in session.push(item)]
    early = len(live)
    live += session.finish()
    assert table(live) == table(said)
    assert early > len(said) - 3, "answers must come while the session runs"
    assert session.start_ns == recording.start_ns


def test_before_the_first_rest_the_population_stands_in(recording, model):
    late = calibrate(recording, [interval(recording, 70, 140)], model)
    nobody = table(predict(recording, model, None, 10.0))
    known = table(predict(recording, model, late, 10.0))
    for a, b in zip(nobody, known, strict=True):
        end = (a[0] - recording.start_ns) / NS + 60
        assert (a == b) == (end <= 70), end
    # From a session that came later, nothing is known yet.
    other = replace(late, intervals=(RestInterval(recording.stop_ns + NS, recording.stop_ns + 100 * NS),))
    assert table(predict(recording, model, other, 10.0)) == nobody


@pytest.mark.parametrize(("gone", "left"), [("board.eda", "ppg"), ("board.ppg", "eda")])
def test_a_missing_modality_says_nothing_and_the_other_answers(recording, model, profile, said, gone, left):
    name = gone.removeprefix("board.")
    answers = list(predict(without(recording, gone), model, profile, 10.0))
    assert len(answers) == len(said)
    for p, whole in zip(answers, said, strict=True):
        assert p.contributions[name] == 0.0
        assert p.contributions[left] != 0.0
        assert p.probabilities != whole.probabilities
        assert sum(p.contributions.values()) == pytest.approx(p.logits["stress"], abs=1e-9)


def test_nan_counts_as_missing(recording, model, profile):
    absent = list(predict(without(recording, "board.eda"), model, profile, 10.0))
    nan = list(predict(without(recording, change=("board.eda", lambda v: np.full_like(v, np.nan))), model, profile, 10.0))
    assert [dict(p.probabilities) for p in nan] == [dict(p.probabilities) for p in absent]


def test_shuffling_one_modality_changes_its_part_only(recording, model, profile, said):
    rng = np.random.default_rng(0)
    mixed = list(predict(without(recording, change=("board.eda", rng.permutation)), model, profile, 10.0))
    for p, whole in zip(mixed, said, strict=True):
        assert p.contributions["ppg"] == whole.contributions["ppg"]
        assert p.contributions["eda"] != whole.contributions["eda"]


def test_temperature_motion_and_ecg_are_no_evidence(recording, model, profile, said):
    names = [s for s in recording.streams if s not in ("board.ppg", "board.eda")]
    fewer = predict(without(recording, *names), model, profile, 10.0)
    assert [dict(p.probabilities) for p in fewer] == [dict(p.probabilities) for p in said]


def test_nothing_present_gives_no_answer_and_its_reason(recording, model, profile):
    answers = list(predict(without(recording, "board.ppg", "board.eda"), model, profile, 10.0))
    assert answers
    for p in answers:
        assert (p.label, dict(p.probabilities), p.set, p.abstained) == ("", {}, (), True)
        assert p.reason == "ppg:no_signal eda:no_signal"


def test_a_calibration_means_seconds_of_rest(recording, model, profile):
    mean, seconds = model.rest(profile)
    windows = [k for k in range(100) if REST_HOP_S * k >= 5 and REST_HOP_S * k + 60 <= 125]
    # 13 windows of 60 s, one every 5 s, span the two minutes from 5 to 125 s.
    assert max(seconds) == (len(windows) - 1) * REST_HOP_S + 60 == 120
    assert np.isfinite(mean).any()
    assert model.rest(UserProfile.from_json(profile.to_json()))[0].tobytes() == mean.tobytes()


@pytest.mark.parametrize(
    ("a", "b", "why"), [(5, 40, "too short"), (-5, 200, "outside"), (10, 9000, "outside"), (90, 90, "empty")]
)
def test_bad_rest_is_refused(recording, model, a, b, why):
    with pytest.raises(InputError, match=why):
        calibrate(recording, [interval(recording, a, b)], model)


def test_evaluation_applies_a_model_as_a_session_does(recording, model, profile):
    from feltsense.evaluate.apply import answer
    from feltsense.session import extract
    from feltsense.train.examples import Line

    pairs = list(extract(recording, window=60.0, hop=30.0, modalities=model.model.watched))
    mean, seconds = model.rest(profile)
    schema = pairs[0][1].schema
    place = model.model.columns(schema)
    full_mean, full_seconds = np.full(len(schema.names), np.nan), np.zeros(len(schema.names))
    full_mean[place], full_seconds[place] = mean, seconds
    n = len(pairs)
    learned = learn_rest(recording, [interval(recording, 5, 125)], model.model.watched, 60.0)
    rest_x = np.array([v.values for v in learned.windows])
    line = Line(
        "A", "", schema, np.array([(w.stop_ns - recording.start_ns) / NS for w, _ in pairs]),
        np.array([v.values for _, v in pairs]), np.array([v.quality for _, v in pairs]), np.zeros(n, np.int64),
        np.ones(n, bool), full_mean, full_seconds, ((5.0, 125.0),), 0.0, 60.0, rest_x=rest_x,
    )
    ours = answer(model.model, line).probability
    session = [list(p.probabilities.values()) for p in predict(recording, model, profile, 30.0)]
    np.testing.assert_allclose(ours, session, atol=1e-6)


def test_a_session_sees_its_own_past_only(recording, model, profile, said):
    """Nothing that comes later changes an answer: the first half alone gives the same first half."""
    half = recording.start_ns + 120 * NS
    session = Session(recording.infos(), model, profile, 10.0, recording.start_ns)
    early = [p for item in recording.items(5.0) if getattr(item, "stop_ns", 0) <= half for p in session.push(item)]
    assert len(early) >= 4
    assert table(early) == table(said)[: len(early)]


def test_predicting_leaves_the_profile_alone_and_gives_another(recording, model, profile):
    before = profile.to_json()
    session = Session(recording.infos(), model, profile, 10.0, recording.start_ns)
    answers = list(session.run(recording.items()))
    assert profile.to_json() == before
    after = session.profile()
    grown = sum(map(sum, after.seen.values())) - sum(map(sum, profile.seen.values()))
    assert grown > 0
    # Each counted window adds its hop to each input that was there; those of the rest were counted when it was learned.
    free = [p for p in answers if p.reason != "calibration"]
    assert grown <= len(free) * 10_000 * len(model.model.inputs)
    assert after.rest == profile.rest
    assert UserProfile.from_json(after.to_json()) == after
    more = {n: [b - a for a, b in zip(profile.seen.get(n, [0] * len(c)), c, strict=True)] for n, c in after.seen.items()}
    assert after.unsaw(more, after.bins) == profile


def test_what_was_seen_before_changes_the_answer_but_weighs_an_hour_at_most(recording, model, profile):
    session = Session(recording.infos(), model, profile, 10.0, recording.start_ns)
    list(session.run(recording.items()))
    after = session.profile()
    assert table(predict(recording, model, after, 10.0)) != table(predict(recording, model, profile, 10.0))
    huge = replace(after, seen={n: tuple(c * 1000 for c in counts) for n, counts in after.seen.items()})
    assert model.seen(huge).sum(axis=1).max() <= 3600.0 + 1e-6
    other = replace(after, bins="0" * 16)
    assert not model.seen(other).any()


def test_both_runners_agree_along_a_whole_session(recording, model, profile, said):
    ours = list(predict(recording, bundle.load(runner="numpy"), profile, 10.0))
    assert [p.label for p in ours] == [p.label for p in said]
    for a, b in zip(ours, said, strict=True):
        assert a.probabilities["stress"] == pytest.approx(b.probabilities["stress"], abs=1e-6)
