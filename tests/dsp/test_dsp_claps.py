"""Clocks laid on each other by claps: within the stated uncertainty, or said to be impossible."""

import numpy as np
import pytest

from feltsense.dsp.claps import clap_offset, impulses
from feltsense.errors import InputError

AUDIO, ACC = 16_000, 52


def heard_and_felt(times, offset, seed=0, seconds=10.0):
    """A microphone and a wrist whose clock is `offset` behind."""
    rng = np.random.default_rng(seed)
    sound = 0.002 * rng.standard_normal(int(seconds * AUDIO))
    for t in times:
        a = int(t * AUDIO)
        burst = np.exp(-np.arange(1600) / 200) * rng.standard_normal(1600) * 0.5
        sound[a : a + 1600] += burst[: len(sound) - a]
    t = np.arange(int(seconds * ACC)) / ACC + rng.uniform(0, 1 / ACC)
    magnitude = 1.0 + 0.01 * rng.standard_normal(len(t))
    for clap in times:
        late = t - clap
        magnitude += 3.0 * np.exp(-np.maximum(late, 0) / 0.03) * (late >= 0)
    felt = np.abs(np.diff(magnitude))
    return impulses(np.abs(sound), 0.0, 1 / AUDIO), impulses(felt, float(t[1]) - offset, 1 / ACC)


@pytest.mark.parametrize("offset", [0.0, 1.234, -37.5])
def test_the_offset_is_within_its_uncertainty(offset):
    errors, stated = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        times = 1.0 + np.cumsum(rng.uniform(0.4, 1.6, 5))
        found = clap_offset(*heard_and_felt(times, offset, seed))
        errors.append(abs(found.seconds - offset))
        stated.append(found.uncertainty)
        assert found.pairs >= 3
    assert np.mean(np.array(errors) <= np.array(stated)) >= 0.9
    assert max(stated) < 0.05


def test_a_clap_that_one_sensor_missed_does_no_harm():
    sound, felt = heard_and_felt([1.0, 1.7, 3.1, 4.9, 7.3], 2.0)
    found = clap_offset(sound, type(felt)(felt.times[1:], felt.period))
    assert abs(found.seconds - 2.0) <= found.uncertainty
    assert found.pairs == 4


def test_even_claps_have_more_than_one_answer():
    with pytest.raises(InputError, match="unevenly"):
        clap_offset(*heard_and_felt(np.arange(1.0, 8.0, 0.8), 0.5))


@pytest.mark.parametrize("times", [[], [2.0], [2.0, 3.3]])
def test_too_few_are_said(times):
    with pytest.raises(InputError, match="at least 3"):
        clap_offset(*heard_and_felt(times, 0.5))


def test_quiet_sensors_have_no_impulses():
    assert not len(impulses(np.zeros(100), 0.0, 0.01).times)
    assert not len(impulses(np.empty(0), 0.0, 0.01).times)
    assert not len(impulses(np.full(100, np.nan), 0.0, 0.01).times)
