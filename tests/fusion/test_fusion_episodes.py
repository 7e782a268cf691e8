"""Episodes: when a state began, was strongest and ended; causal, honest about silence, the same at every hop."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.prediction import Prediction
from feltsense.core.timeline import NS
from feltsense.errors import InputError
from feltsense.fusion.episodes import BRIDGE_S, ENTER, LEAST_S, LEAVE, Episodes


def window(end_s, p=None, target="stress", abstained=False):
    chances = {} if p is None else {"rest": 1 - p, "stress": p}
    end = round(end_s * NS)
    return Prediction(target, end - 60 * NS, end, chances, "", (), abstained or p is None, "", 1.0, {}, {}, "m")


def found(windows, hop_s, states=("stress",)):
    episodes = Episodes(states, hop_s)
    return [*episodes.push(*windows), *episodes.finish()], episodes.summary()


def course(values, hop_s=10.0):
    return [window(60 + hop_s * k, p) for k, p in enumerate(values)]


def test_onset_peak_end_and_delay_of_one_episode():
    (e,), (s,) = found(course([0.1] * 3 + [0.6, 0.8, 0.9, 0.9, 0.45, 0.7, 0.42, 0.3, 0.1]), 10.0)
    assert [t / NS for t in (e.onset_ns, e.peak_ns, e.end_ns, e.told_ns)] == [90, 110, 160, 160]
    assert (e.peak, e.answered_s, e.bridged_s, e.onset_seen, e.end_seen) == (0.9, 70.0, 0.0, True, True)
    assert e.mean == pytest.approx((0.6 + 0.8 + 0.9 + 0.9 + 0.45 + 0.7 + 0.42) / 7)
    assert (s.episodes, s.brief, s.seconds, s.answered_s, s.longest_s) == (1, 0, 70.0, 120.0, 70.0)
    assert s.share == pytest.approx(70 / 120)


def test_a_probability_that_trembles_around_a_half_is_one_episode():
    (e,), _ = found(course([0.1, *[0.52, 0.48] * 10, 0.1]), 10.0)
    assert e.answered_s == 200.0


def test_between_the_two_lines_nothing_begins():
    assert found(course([0.1] + [(ENTER + LEAVE) / 2] * 30), 10.0)[0] == []


def test_what_is_too_short_is_counted_and_not_listed():
    out, (s,) = found(course([0.1] + [0.9] * 5 + [0.1] * 3), 10.0)
    assert out == []
    assert (s.episodes, s.brief, s.seconds) == (0, 1, 0.0)
    assert math.isnan(s.longest_s)


def test_a_short_silence_is_bridged_and_marked():
    quiet = int(BRIDGE_S / 10)
    (e,), (s,) = found(course([0.1] + [0.9] * 6 + [None] * quiet + [0.8] * 6 + [0.1]), 10.0)
    assert e.bridged_s == BRIDGE_S
    assert e.answered_s == 120.0
    assert (e.end_ns - e.onset_ns) / NS == 180.0
    assert s.answered_s == 140.0
    assert e.mean == pytest.approx(0.85)


def test_a_long_silence_ends_it_at_the_last_answer_and_the_next_begins_unseen():
    quiet = int(BRIDGE_S / 10) + 1
    windows = course([0.1] + [0.9] * 8 + [None] * quiet + [0.8] * 8 + [0.1])
    (a, b), _ = found(windows, 10.0)
    assert (a.end_seen, a.end_ns / NS, b.onset_seen, b.end_seen) == (False, 140.0, False, True)
    assert (a.told_ns - a.end_ns) / NS == BRIDGE_S + 20
    # Windows that never came are the same silence as windows without an answer.
    (c, d), _ = found([w for w in windows if w.probabilities], 10.0)
    assert (c.end_ns, d.onset_ns, d.end_ns) == (a.end_ns, b.onset_ns, b.end_ns)


def test_a_silence_that_it_does_not_come_back_from_is_not_bridged():
    (e,), _ = found(course([0.1] + [0.9] * 8 + [None] * 3 + [0.1] * 3), 10.0)
    assert (e.end_ns / NS, e.bridged_s, e.end_seen) == (140.0, 0.0, False)


def test_an_abstention_with_probabilities_is_silence():
    windows = course([0.1] + [0.9] * 8 + [0.1] * 3)
    windows[4] = window(100, 0.9, abstained=True)
    (e,), (s,) = found(windows, 10.0)
    assert (e.bridged_s, s.answered_s) == (10.0, 110.0)


def test_a_state_that_is_there_from_first_to_last_answer_has_neither_begin_nor_end():
    (e,), (s,) = found(course([0.9] * 20), 10.0)
    assert (e.onset_seen, e.end_seen, s.episodes) == (False, False, 1)


def test_each_class_by_itself_and_nothing_without_answers():
    out, (rest, stress) = found(course([0.1] * 10 + [0.9] * 10), 10.0, ("rest", "stress"))
    assert [e.state for e in out] == ["rest", "stress"]
    assert (rest.episodes, stress.episodes) == (1, 1)
    out, (none,) = found(course([None] * 10), 10.0)
    assert out == []
    assert math.isnan(none.share)


chances = st.one_of(st.none(), st.floats(0, 1))


@settings(max_examples=60, deadline=None)
@given(st.lists(chances, max_size=120), st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_the_same_however_the_windows_were_grouped(values, sizes):
    windows = course(values)
    whole, summary = found(windows, 10.0)
    episodes, out, at = Episodes(["stress"], 10.0), [], 0
    for k in range(len(windows)):
        size = sizes[k % len(sizes)]
        out += episodes.push(*windows[at : at + size])
        at += size
    assert [*out, *episodes.finish()] == whole
    assert episodes.summary() == summary
    for e in whole:
        assert e.onset_ns <= e.peak_ns <= e.end_ns <= e.told_ns
        assert e.answered_s >= LEAST_S
        assert e.answered_s + e.bridged_s == (e.end_ns - e.onset_ns) / NS


@settings(max_examples=40, deadline=None)
@given(st.lists(chances, min_size=1, max_size=80), st.data())
def test_what_was_told_does_not_depend_on_what_comes_later(values, data):
    windows = course(values)
    cut = data.draw(st.integers(0, len(windows)))
    whole = Episodes(["stress"], 10.0).push(*windows)
    told = [e for e in whole if cut and e.told_ns <= windows[cut - 1].stop_ns]
    assert Episodes(["stress"], 10.0).push(*windows[:cut]) == told


@pytest.mark.parametrize("period", [570.0, 700.0, 911.0])
def test_hops_of_5_10_and_30_s_find_the_same_episodes_within_the_coarser_hop(period):
    def p(t):
        return 0.5 + 0.4 * math.sin(2 * math.pi * t / period) + 0.04 * math.sin(2 * math.pi * t / 240.0)

    all_of = {hop: found([window(60 + k * hop, p(k * hop)) for k in range(int(3600 / hop) + 1)], hop) for hop in (5, 10, 30)}
    fine = all_of[5][0]
    assert len(fine) >= 4
    for hop in (10, 30):
        out, (s,) = all_of[hop]
        assert len(out) == len(fine)
        assert s.share == pytest.approx(all_of[5][1][0].share, abs=0.03)
        for a, b in zip(fine, out, strict=True):
            assert abs(a.onset_ns - b.onset_ns) <= hop * NS
            assert abs(a.end_ns - b.end_ns) <= hop * NS
            assert a.peak == pytest.approx(b.peak, abs=0.02)


def test_bad_input_is_told():
    with pytest.raises(InputError, match="at least one class"):
        Episodes([], 5.0)
    with pytest.raises(InputError, match="hop above 0"):
        Episodes(["stress"], 0.0)
    with pytest.raises(InputError, match="in order"):
        Episodes(["stress"], 5.0).push(window(60, 0.1), window(60, 0.1))
    with pytest.raises(InputError, match="its own Episodes"):
        Episodes(["stress"], 5.0).push(window(60, 0.1), window(65, 0.1, "engagement"))
    with pytest.raises(InputError, match="no class joy; it has rest, stress"):
        Episodes(["joy"], 5.0).push(window(60, 0.1))
