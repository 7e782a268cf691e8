"""Time maps in exact integers; the clock map against a seeded corpus of radio delays."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feltsense.core.clock_map import ClockMap
from feltsense.core.timeline import NS, TimeMap, to_ns, to_seconds

RATES = st.sampled_from([Fraction(4), Fraction(64), Fraction(130), Fraction(360), Fraction(129, 4), Fraction(1, 3)])


@given(RATES, st.integers(0, 2**61), st.integers(0, 10**7))
def test_uniform_map_is_exact_at_any_index(rate, start, index):
    time = TimeMap.uniform(start, rate)
    assert time.time_at(index) == start + index * NS * rate.denominator // rate.numerator


@given(st.integers(1, 10**8), st.integers(1, 100_000), st.integers(0, 10**9))
def test_odd_rates_and_long_recordings_stay_exact(numerator, denominator, index):
    rate = Fraction(numerator, denominator)
    if rate < Fraction(1, 60) or index / rate > 10**8:
        return
    exact = index * NS * rate.denominator // rate.numerator
    time = TimeMap.uniform(0, rate)
    assert time.time_at(index) == exact == int(time.times(index, index + 1)[0])
    two = TimeMap(rate, [0, 10**9], [0, 10**17], [0, 10**17], [0, 10**17], [0, 0])
    assert two.time_at(index) == index * 10**17 // 10**9


@st.composite
def anchored(draw):
    steps = draw(st.lists(st.tuples(st.integers(1, 90), st.integers(1, 10**9)), min_size=1, max_size=12))
    index = np.concatenate([[0], np.cumsum([a for a, _ in steps])])
    t = np.concatenate([[0], np.cumsum([b for _, b in steps])])
    shift = draw(st.integers(-(10**9), 10**9))
    return TimeMap(Fraction(130), index, t + shift, t + 5, t, np.full(len(t), 7))


@given(anchored(), st.data())
def test_a_times_depend_only_on_the_two_anchors_around_it(time, data):
    n = int(time.index[-1]) + 1
    whole = time.times(0, n)
    assert np.all(np.diff(whole) >= 0)
    assert np.array_equal(whole[time.index], time.t_ns)
    a = data.draw(st.integers(0, n - 1))
    b = data.draw(st.integers(a + 1, n))
    part = time.between(a, b)
    assert np.array_equal(part.times(a, b), whole[a:b])
    assert np.array_equal(part.device_times(a, b), time.device_times(0, n)[a:b])


@given(anchored(), st.data())
def test_joining_pieces_gives_the_whole(time, data):
    if len(time.index) < 3:
        return
    k = data.draw(st.integers(1, len(time.index) - 1))
    cols = (time.index, time.device_ns, time.arrival_ns, time.t_ns, time.unc_ns)
    left = TimeMap(time.rate, *(c[: k + 1] for c in cols))
    right = TimeMap(time.rate, *(c[k:] for c in cols))
    joined = left.joined(right)
    n = int(time.index[-1]) + 1
    assert np.array_equal(joined.times(0, n), time.times(0, n))
    assert np.array_equal(joined.arrival_ns, time.arrival_ns)


def test_a_position_between_samples_has_both_times():
    time = TimeMap(Fraction(10), [0, 10], [0, NS], [0, NS], [100, 100 + 2 * NS], [0, 0])
    assert time.at(2.5) == (100 + NS // 2, NS // 4)


def test_maps_refuse_what_goes_backwards_and_irregular_ones_do_not_extrapolate():
    with pytest.raises(ValueError, match="never go back"):
        TimeMap(Fraction(1), [0, 1], [0, 1], [0, 1], [5, 4], [0, 0])
    with pytest.raises(ValueError, match="at least one"):
        TimeMap(Fraction(1), [], [], [], [], [])
    with pytest.raises(ValueError, match="same length"):
        TimeMap(Fraction(1), [0, 1], [0], [0, 1], [0, 1], [0, 1])
    with pytest.raises(ValueError, match="irregular"):
        TimeMap.irregular([1, 2, 3]).times(0, 4)


def test_frozen_means_frozen():
    source = np.array([0])
    time = TimeMap(Fraction(1), source, source, source, source, source)
    source[0] = 9
    assert time.time_at(0) == 0
    with pytest.raises(ValueError, match="read-only"):
        time.t_ns[0] = 1


def test_seconds_and_nanoseconds_round_trip():
    assert to_ns(0.1) == 100_000_000
    assert to_seconds(to_ns(1234.5)) == 1234.5


def test_clock_map_never_runs_backwards_whatever_arrives():
    rng = np.random.default_rng(5)
    clock = ClockMap()
    device = np.cumsum(rng.integers(0, NS, 500))
    last = -(10**30)
    for d in device:
        mapped = clock.update(int(d), int(d + rng.integers(0, 3 * NS)))
        assert mapped.t_ns > last
        assert mapped.unc_ns > 0
        last = mapped.t_ns
