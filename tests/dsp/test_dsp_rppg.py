"""Pulse waves from colours: against the papers' loops, written out; rates that move are followed."""

import numpy as np
import pytest

from feltsense.dsp import rppg
from feltsense.dsp.rate_peak import Spectrum, decibels, mean_rate, ridge, spectrum

RATE = 30.0


def colours(seconds=20.0, bpm=72.0, amp=0.004, seed=0, lamp=0.0, drift=0.05):
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    beat = np.sin(2 * np.pi * bpm / 60 * t)
    light = 1 + drift * np.sin(2 * np.pi * 0.05 * t) + lamp * np.sin(2 * np.pi * 1.6 * t)
    skin = np.array([170, 120, 100]) * (1 - amp * beat[:, None] * [0.33, 0.77, 0.53]) * light[:, None]
    return t, skin + 0.02 * rng.standard_normal((len(t), 3))


def test_pos_is_algorithm_1_of_the_paper():
    _, rgb = colours()
    n, size = len(rgb), int(np.ceil(1.6 * RATE))
    wanted = np.zeros(n)
    for end in range(size, n + 1):
        c = rgb[end - size : end] / rgb[end - size : end].mean(axis=0)
        s = c @ np.array([[0, 1, -1], [-2, 1, 1]]).T
        h = s[:, 0] + s[:, 0].std() / s[:, 1].std() * s[:, 1]
        wanted[end - size : end] += h - h.mean()
    assert rppg.pos(rgb, RATE) == pytest.approx(-wanted, abs=1e-9)


@pytest.mark.parametrize("method", [rppg.pos, rppg.chrom])
def test_a_lamp_that_flickers_is_dropped_and_the_pulse_is_kept(method):
    _, rgb = colours(lamp=0.03)
    assert spectrum(rppg.green(rgb), RATE).peak() * 60 == pytest.approx(96.0, abs=1.0), "green sees the lamp"
    found = spectrum(method(rgb, RATE), RATE)
    assert found.peak() * 60 == pytest.approx(72.0, abs=1.0)
    assert decibels(found.share(found.peak())) > 6.0


def test_all_methods_rise_when_blood_comes():
    t, rgb = colours(drift=0.0)
    beat = np.sin(2 * np.pi * 1.2 * t)
    for wave in (rppg.pos(rgb, RATE), rppg.chrom(rgb, RATE), rppg.green(rgb)):
        assert np.corrcoef(wave[60:-60], beat[60:-60])[0, 1] > 0.5


def test_frames_at_odd_times_lie_on_a_grid():
    rng = np.random.default_rng(1)
    t = np.cumsum(rng.uniform(0.02, 0.05, 400))
    x = np.sin(2 * np.pi * 1.3 * t)[:, None]
    grid = rppg.regular(t, x, RATE)
    at = t[0] + np.arange(len(grid)) / RATE
    assert np.abs(grid[:, 0] - np.sin(2 * np.pi * 1.3 * at)).max() < 0.01


def test_a_region_of_hair_counts_little():
    t, _ = colours()
    rng = np.random.default_rng(2)
    beat = np.sin(2 * np.pi * 1.2 * t)
    skin = [beat + 0.3 * rng.standard_normal(len(t)) for _ in range(5)]
    waves = np.stack([*skin, 5 * rng.standard_normal(len(t))], axis=1)
    mixed = rppg.combined(waves)
    assert np.corrcoef(mixed, beat)[0, 1] > np.corrcoef(waves.mean(axis=1), beat)[0, 1]
    assert np.corrcoef(mixed, beat)[0, 1] > 0.97


def test_short_and_silent_input_gives_zeros():
    assert not rppg.pos(np.ones((10, 3)), RATE).any()
    assert not rppg.chrom(np.ones((10, 3)), RATE).any()
    assert not rppg.levelled(np.zeros(100), RATE).any()
    assert not rppg.combined(np.zeros((100, 3))).any()
    assert np.isnan(spectrum(np.zeros(600), RATE).peak())


def test_a_ridge_follows_a_rate_and_refuses_a_flank():
    t = np.arange(int(60 * RATE)) / RATE
    bpm = 60 + 20 * t / 60
    wave = np.sin(2 * np.pi * np.cumsum(bpm / 60) / RATE)
    parts = [slice(int(a * RATE), int((a + 20) * RATE)) for a in (0, 10, 20, 30, 40)]
    course = ridge([spectrum(wave[p], RATE) for p in parts])
    assert np.array(course) * 60 == pytest.approx([63.3, 66.7, 70.0, 73.3, 76.7], abs=0.7)
    rates = [mean_rate(wave[p], RATE, hz, 0.1) * 60 for p, hz in zip(parts, course, strict=True)]
    assert rates == pytest.approx([63.3, 66.7, 70.0, 73.3, 76.7], abs=0.2)
    sway = np.sin(2 * np.pi * 0.6 * t)
    assert np.isnan(ridge([spectrum(sway[p], RATE) for p in parts])).all()
    assert np.isnan(spectrum(sway, RATE).peak())


def test_a_share_in_decibels():
    hz = np.linspace(0.7, 3.5, 281)
    power = np.where(np.abs(hz - 1.2) < 0.05, 1.0, 0.0)
    assert Spectrum(hz, power, 0.1).share(1.2) == pytest.approx(1.0)
    assert decibels(0.5) == pytest.approx(0.0)
    assert decibels(2 / 3) == pytest.approx(3.01, abs=0.01)
