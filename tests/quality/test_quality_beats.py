"""Quality is absolute: noise is bad and a clean signal good, whatever else is in the window."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiac_cases import beat_times, e4, mitdb, one_stream, recording, synthetic_ecg, synthetic_ppg, table
from feltsense.core.vector import Reason
from feltsense.quality.beats import Evidence, Limits, judge, likeness, trace_faults
from feltsense.testing import with_values

RATES = {"ecg": 130, "ppg": 64}
SYNTHETIC = {"ecg": synthetic_ecg, "ppg": synthetic_ppg}


@pytest.mark.parametrize("kind", ["ecg", "ppg"])
@pytest.mark.parametrize("scale", [0.05, 1.0, 500.0])
def test_white_noise_is_bad(kind, scale):
    x = scale * np.random.default_rng(3).normal(size=RATES[kind] * 300)
    _, _, quality, vectors = table(recording(one_stream(kind, np.clip(x, -1e6, 1e6), RATES[kind])), kind)
    assert quality.max() < 0.3
    assert {v.quality_reasons[0] for v in vectors} <= {Reason.NOISE, Reason.SATURATED}


@pytest.mark.parametrize("kind", ["ecg", "ppg"])
def test_a_clean_signal_is_good(kind):
    x = SYNTHETIC[kind](beat_times(200), 200, RATES[kind])
    _, _, quality, vectors = table(recording(one_stream(kind, x, RATES[kind])), kind)
    assert quality.min() > 0.9
    assert {v.quality_reasons[0] for v in vectors} == {Reason.OK}


def test_record_100_is_good_and_worse_with_noise(data_dir):
    x, _ = mitdb(data_dir, "100", 130)
    x = x[: 130 * 300]
    _, _, clean, _ = table(recording(one_stream("ecg", x, 130)), "ecg")
    assert clean.min() > 0.9
    noise = np.random.default_rng(0).normal(size=len(x)) * x.std()
    medians = [np.median(table(recording(one_stream("ecg", x + k * noise, 130)), "ecg")[2]) for k in (1.0, 2.0, 4.0)]
    assert np.median(clean) > medians[0] > medians[1] > medians[2]
    assert medians[2] < 0.3


def test_most_wrist_windows_have_some_quality(data_dir):
    _, _, quality, _ = table(e4(data_dir, "S05"), "ppg", hop=30)
    assert (quality > 0).mean() > 0.95
    assert 0.3 < np.median(quality) < 0.95


@pytest.mark.parametrize("kind", ["ecg", "ppg"])
def test_the_worst_of_a_good_window_is_still_good(kind):
    """Quality of a window does not change when a far worse one follows in the same recording."""
    x = SYNTHETIC[kind](beat_times(300), 300, RATES[kind])
    good = recording(one_stream(kind, x, RATES[kind]))
    _, _, alone, _ = table(good, kind, window=60, hop=30)
    _, _, beside, vectors = table(with_values(good, f"dev.{kind}", 200.0, 300.0, None), kind, window=60, hop=30)
    assert np.array_equal(alone[:4], beside[:4])
    assert vectors[-1].quality_reasons[0] is Reason.FLATLINE
    assert beside[-1] < 0.05


def test_a_clipped_pulse_wave_is_saturated():
    x = np.clip(synthetic_ppg(beat_times(120), 120, 64), None, 25.0)
    _, _, quality, vectors = table(recording(one_stream("ppg", x, 64)), "ppg")
    assert {v.quality_reasons[0] for v in vectors} == {Reason.SATURATED}
    assert quality.max() < 0.3


@pytest.mark.parametrize("kind", ["ecg", "ppg"])
def test_absurd_values_are_saturation_not_an_overflow(kind):
    x = 1e300 * np.sign(np.sin(np.arange(RATES[kind] * 100) / 40))
    _, _, quality, vectors = table(recording(one_stream(kind, x, RATES[kind])), kind)
    assert {v.quality_reasons[0] for v in vectors} == {Reason.SATURATED}
    assert quality.max() < 0.05


def test_faults_of_a_stretch():
    wave = np.sin(np.arange(260) / 5)
    assert trace_faults(wave, 130, 0.02).tolist() == [0, 0]
    assert trace_faults(0.005 * wave, 130, 0.02).tolist() == [1, 0]
    assert trace_faults(np.full(260, 1e6), 130, 0.0).tolist() == [1, 0]
    assert trace_faults(np.minimum(wave, 0.2), 130, 0.02).tolist() == [0, 1]


def test_likeness_is_correlation_with_the_median_shape():
    rng = np.random.default_rng(0)
    shape = np.sin(np.linspace(0, 6, 50))
    beats = np.array([(b - b.mean()) / b.std() for b in shape + 0.1 * rng.normal(size=(20, 50))])
    beats[7] = rng.permutation(beats[7])
    r = likeness(beats, beats)
    template = np.median(beats, axis=0)
    assert r == pytest.approx([np.corrcoef(b, template)[0, 1] for b in beats])
    assert r[7] < 0.5 < r[[i for i in range(20) if i != 7]].min()
    assert not likeness(beats[:3], beats[:3]).any()


@settings(max_examples=100)
@given(numbers=st.tuples(*[st.floats(0, 1)] * 5), r=st.lists(st.floats(-1, 1), max_size=9), alien=st.floats(0.0, 0.6))
def test_quality_stays_between_0_and_1_and_says_why(numbers, r, alien):
    coverage, rhythm, flat, railed, moving = numbers
    quality, reason = judge(Evidence(coverage, np.array(r), rhythm, flat, railed, moving), Limits(alien, 0.9))
    assert 0.0 <= quality <= 1.0
    assert reason is not Reason.OK or quality > 0.4
