"""Respiration: known breaths give known numbers; NeuroKit2's simulated belt; noise is no breathing; the contract."""

import numpy as np
import pytest

from cardiac_cases import beat_times, one_stream, recording
from feltsense.core.vector import Reason
from feltsense.dsp.breathing import series_rate
from feltsense.features import neurokit
from feltsense.features.respiration import EXTRACTOR
from feltsense.session import extract
from feltsense.testing import check_extractor

RATE = 25


def windows(x, rate=RATE, window=60.0, hop=60.0):
    rec = recording(one_stream("respiration", x, rate))
    return [v for _, v in extract(rec, window=window, hop=hop, modalities=["respiration"])]


def breathing(seconds, per_minute, rate=RATE, noise=0.02, seed=0, rise=0.5):
    """A wave that rises for a share of each breath, in counts with an offset and a drift."""
    t = np.arange(int(seconds * rate)) / rate
    phase = (t * per_minute / 60) % 1.0
    angle = np.where(phase < rise, phase / rise * np.pi, np.pi + (phase - rise) / (1 - rise) * np.pi)
    wave = -np.cos(angle) + noise * np.random.default_rng(seed).standard_normal(len(t))
    return 2000 + 150 * wave + 0.5 * t


@pytest.mark.parametrize("per_minute", [6, 9, 15, 24, 36])
@pytest.mark.parametrize("rate", [5, 25, 130])
def test_a_known_rate(per_minute, rate):
    v = windows(breathing(180, per_minute, rate), rate)[1]
    assert v["respiration.rate"] == pytest.approx(per_minute, rel=0.01)
    assert v["respiration.length_cv"] < 0.06
    assert v["respiration.depth_cv"] < 0.1
    assert v["quality.respiration"] > 0.9
    assert v["respiration.breaths"] in (per_minute - 2, per_minute - 1, per_minute)


@pytest.mark.parametrize("share", [0.35, 0.5, 0.65])
def test_the_share_of_inspiration(share):
    v = windows(breathing(180, 14, rise=share))[1]
    # The band-pass takes the harmonics that make a wave crooked: it moves the share towards a half.
    assert v["respiration.inspiration_share"] == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_simulated_belt_against_neurokit(seed):
    nk = neurokit.library()
    with neurokit.quiet():
        x = nk.rsp_simulate(duration=240, sampling_rate=50, respiratory_rate=16, random_state=seed)
        _, info = nk.rsp_peaks(nk.rsp_clean(x, sampling_rate=50), sampling_rate=50)
    peaks = np.asarray(info["RSP_Peaks"]) / 50
    apart = []
    for k, v in enumerate(windows(1000 * x, 50)):
        inside = peaks[(peaks >= 60 * k) & (peaks < 60 * (k + 1))]
        apart.append(v["respiration.rate"] - 60 / np.diff(inside).mean())
    # Either may count one pause as a breath in a minute.
    assert np.max(np.abs(apart)) < 1.3
    assert abs(np.median(apart)) < 0.4


def test_noise_is_no_breathing():
    rng = np.random.default_rng(0)
    qualities = [v["quality.respiration"] for v in windows(2000 + 100 * rng.standard_normal(600 * RATE))]
    assert np.median(qualities) < 0.3


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (np.full(60 * RATE, 2000.0), Reason.FLATLINE),
        (np.full(60 * RATE, np.nan), Reason.NO_SIGNAL),
        (np.linspace(0, 1000, 60 * RATE), None),
    ],
    ids=["flat", "nothing sent", "a ramp"],
)
def test_what_is_no_breathing_says_so(x, reason):
    v = windows(x)[0]
    assert np.isnan(v["respiration.rate"])
    assert v["quality.respiration"] < 0.3
    if reason is not None:
        assert v.reason("respiration.rate") is reason


def test_minimums_and_a_rate_too_low():
    assert windows(breathing(60, 15), window=20.0)[0].reason("respiration.rate") is Reason.TOO_SHORT
    assert windows(breathing(60, 15, 2), 2)[0].reason("respiration.rate") is Reason.NOT_SUPPORTED


def test_no_breath_is_formed_across_a_gap():
    x = breathing(120, 15)
    x[55 * RATE : 64 * RATE] = np.nan
    v = windows(x, window=120.0)[0]
    assert v["respiration.rate"] == pytest.approx(15, rel=0.02)
    assert v["respiration.breaths"] <= 27
    assert v["quality.respiration"] > 0.8


def test_keeps_the_contract():
    x = breathing(100, 13, noise=0.2)
    check_extractor(EXTRACTOR, recording(one_stream("respiration", x, RATE)), window=40.0, hop=10.0)


@pytest.mark.parametrize("per_minute", [9.0, 15.0, 22.0])
def test_the_rate_of_a_series_with_one_value_a_beat(per_minute):
    at = beat_times(60)
    height = 1.0 + 0.1 * np.sin(2 * np.pi * per_minute / 60 * at) + 0.01 * np.random.default_rng(0).standard_normal(len(at))
    rate, purity = series_rate(at, height)
    assert rate == pytest.approx(per_minute, abs=0.3)
    assert purity > 0.8
    assert series_rate(at, np.random.default_rng(1).standard_normal(len(at)))[1] < 0.5
    assert np.isnan(series_rate(at, np.ones(len(at)))[0])
