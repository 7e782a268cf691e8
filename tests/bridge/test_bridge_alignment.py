"""Taps that two sensors feel: the shift between them, and when there is none to be told."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from radio_cases import T0, noise, stream

from feltsense.core.timeline import NS
from feltsense.errors import InputError
from feltsense_bridge.alignment import align, taps

AT = np.array([3.0, 4.1, 4.9, 6.6, 7.3, 9.2])


def felt(at, rate, shift=0.0, seed=0, seconds=12):
    """Acceleration of a sensor that is worn, with taps of 30 ms."""
    t = np.arange(seconds * rate) / rate
    values = np.random.default_rng(seed).normal(0, 0.02, (len(t), 3))
    values[:, 2] += 1
    for tap in at:
        values[:, 2] += 3 * np.exp(-(((t - tap - shift) / 0.02) ** 2))
    return stream(f"d{seed}.acc", "acc", values, rate)


@given(st.floats(-1.5, 1.5), st.integers(0, 99))
@settings(max_examples=40)
def test_the_shift_is_found_within_its_uncertainty(shift, seed):
    found = align(felt(AT, 100, seed=seed), felt(AT, 52, shift, seed=seed + 1))
    assert found.taps == len(AT)
    assert found.offset_s == pytest.approx(shift, abs=0.01)
    assert abs(found.offset_s - shift) <= 2 * found.uncertainty_s


def test_taps_are_where_they_were():
    at = (taps(felt(AT, 100)) - T0) / NS
    np.testing.assert_allclose(at, AT, atol=0.005)


def test_one_sensor_missed_a_tap_and_felt_another():
    found = align(felt(AT, 100), felt([*AT[1:], 10.7], 52, 0.2, seed=1))
    assert found.taps == len(AT) - 1
    assert found.offset_s == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("at", [[], [3.0, 4.1], np.arange(2, 10, 0.5)], ids=["none", "two", "as regular as a clock"])
def test_what_does_not_tell_is_refused(at):
    with pytest.raises(InputError, match="tap both at once"):
        align(felt(at, 100), felt(at, 52, 0.1, seed=1))


def test_only_acceleration_feels():
    with pytest.raises(InputError, match="acceleration"):
        taps(stream("x.eda", "eda", noise("eda", 5)))
