"""Offsets between sensors: recovered with an uncertainty that holds, or not told at all."""

import numpy as np
import pytest

from feltsense.alignment import offset_of_courses, offset_of_moments, onsets
from feltsense.errors import InputError


def course(rng, seconds=320.0, step=5.0):
    """A heart rate that wanders as a person's does, as a function of time."""
    knots = np.arange(-60.0, seconds + 60.0, step)
    return knots, 72 + np.cumsum(rng.normal(0, 1.5, len(knots)))


@pytest.mark.parametrize("offset", [-20.0, -3.3, 0.0, 7.8, 25.0])
def test_two_heart_rates_find_their_offset(offset):
    """ECG's, beat by beat, and a camera's, every second with 1 bpm of noise and holes."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        knots, level = course(rng)
        beats = np.cumsum(rng.normal(0.85, 0.03, 350))
        camera = np.arange(5.0, 300.0, 1.0)
        rate = np.interp(camera, knots, level) + rng.normal(0, 1.0, len(camera))
        rate[(camera > 60) & (camera < 80)] = np.nan
        found = offset_of_courses((beats, np.interp(beats, knots, level)), (camera - offset, rate), most=40.0)
        assert abs(found.seconds - offset) <= max(2 * found.uncertainty_s, 0.5)
        assert found.uncertainty_s < 2.0
        assert found.likeness > 0.5


def test_the_uncertainty_holds_the_error_in_nearly_all_cases():
    inside = []
    for seed in range(40):
        rng = np.random.default_rng(100 + seed)
        knots, level = course(rng)
        t = np.arange(0.0, 240.0, 1.0)
        first = np.interp(t, knots, level) + rng.normal(0, 1.0, len(t))
        second = np.interp(t, knots, level) + rng.normal(0, 1.0, len(t))
        found = offset_of_courses((t, first), (t - 4.0, second), most=20.0)
        if np.isfinite(found.seconds):
            inside.append(abs(found.seconds - 4.0) <= found.uncertainty_s)
    assert len(inside) >= 38, "nearly always told"
    assert np.mean(inside) >= 0.88


def test_courses_of_two_people_have_no_offset():
    told = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        t = np.arange(0.0, 170.0, 1.0)
        one, other = (np.interp(t, *course(np.random.default_rng(s))) for s in (seed, seed + 1000))
        one, other = (x + rng.normal(0, 1.0, len(t)) for x in (one, other))
        told += np.isfinite(offset_of_courses((t, one), (t, other), most=5.0).seconds)
    assert told <= 4


def test_what_cannot_be_told():
    t = np.arange(0.0, 100.0)
    wave = np.sin(2 * np.pi * t / 10)
    assert np.isnan(offset_of_courses((t, wave), (t, wave), most=30.0).seconds), "a rhythm is alike at every period"
    assert np.isnan(offset_of_courses((t, wave), (t, np.full(100, 3.0)), most=5.0).seconds)
    assert np.isnan(offset_of_courses((t[:10], wave[:10]), (t, wave), most=5.0).seconds)
    assert np.isnan(offset_of_courses(([], []), (t, wave), most=5.0).seconds)
    with pytest.raises(InputError, match="ascending times"):
        offset_of_courses((t[::-1], wave), (t, wave), most=5.0)
    with pytest.raises(InputError, match="above 0"):
        offset_of_courses((t, wave), (t, wave), most=0.0)


def claps(times, rate, rng, channels=1):
    """A signal with a jolt at each time."""
    t = np.arange(0.0, 60.0, 1.0 / rate)
    x = rng.normal(0, 0.01, (len(t), channels))
    for c in times:
        after = (t >= c) & (t < c + 0.05)
        x[after] += 1.5 * np.exp(-(t[after] - c) / 0.02)[:, None]
    return t, x if channels > 1 else x[:, 0]


@pytest.mark.parametrize("offset", [-4.2, 0.0, 11.37])
def test_claps_in_sound_and_acceleration(offset):
    rng = np.random.default_rng(1)
    moments = np.array([20.0, 23.1, 27.7, 33.2])
    heard = onsets(*claps(moments, 2000, rng))
    t, x = claps(np.append(moments, 41.0) - offset, 100, rng, 3)
    felt = onsets(t, x)
    assert len(heard) == 4
    assert len(felt) == 5, "one jolt without a sound"
    found = offset_of_moments(heard, felt, most=15.0)
    assert found.seconds == pytest.approx(offset, abs=0.012)
    assert abs(found.seconds - offset) <= found.uncertainty_s + 0.01, "a sample of acceleration is 10 ms"
    assert found.likeness == 1.0


def test_one_clap_is_enough_and_two_that_differ_are_not():
    one = offset_of_moments([10.0], [12.5], most=5.0)
    assert (one.seconds, one.uncertainty_s) == (-2.5, 0.1)
    assert np.isnan(offset_of_moments([10.0, 20.0], [12.0, 25.0], most=8.0).seconds)
    assert np.isnan(offset_of_moments([10.0], [100.0], most=5.0).seconds)
    assert np.isnan(offset_of_moments([], [1.0], most=5.0).seconds)
    assert np.isnan(offset_of_moments(np.arange(10.0), np.arange(10.0), most=1.5).seconds) is np.False_
    with pytest.raises(InputError, match="ascending seconds"):
        offset_of_moments([2.0, 1.0], [1.0], most=5.0)


def test_silence_has_no_onset():
    t = np.arange(0.0, 10.0, 0.01)
    assert len(onsets(t, np.zeros(1000))) == 0
    assert len(onsets([0.0], [1.0])) == 0
    assert len(onsets(t, np.random.default_rng(0).normal(size=1000))) == 0
    with pytest.raises(InputError, match="as many values"):
        onsets(t, np.zeros(5))
