"""R peaks: annotated records and NeuroKit2, inverted leads, premature beats, noise, any cut."""

import numpy as np
import pytest

from cardiac_cases import beat_times, matched, mitdb, synthetic_ecg
from feltsense.dsp.blocks import samples
from feltsense.dsp.peaks import QrsDetector

TRIM = 10.0
NEAR = 0.05
RATES = (130, 250, 360)


def detect(x, rate, cuts=()):
    detector = QrsDetector(rate)
    f = detector.blocks(samples(2.0, rate), samples(4.0, rate), samples(1.5, rate))
    peaks = [p for part in np.split(x, cuts) for b in f.push(part) for p in detector.advance(b)]
    peaks += [p for b in f.flush() for p in detector.advance(b)]
    return np.array(peaks, dtype=int), detector


def score(found, truth, seconds):
    """Sensitivity and positive predictive value at ±50 ms, without the first and last 10 s."""
    inner = [t[(t > TRIM) & (t < seconds - TRIM)] for t in (found, truth)]
    return matched(found, inner[1], NEAR), matched(truth, inner[0], NEAR)


def neurokit(x, rate):
    import neurokit2 as nk

    return np.asarray(nk.ecg_peaks(nk.ecg_clean(x, sampling_rate=rate), sampling_rate=rate)[1]["ECG_R_Peaks"])


def sample_for_sample(found, theirs, truth, rate):
    """Share of NeuroKit2's beats that match the annotation and that we have within a sample."""
    right = theirs[[np.abs(truth - t).min() <= NEAR for t in theirs / rate]]
    return matched(found, right[(right > TRIM * rate) & (right < right[-1] - TRIM * rate)], 1)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("sign", [1, -1])
def test_record_100(data_dir, rate, sign):
    x, truth = mitdb(data_dir, "100", rate)
    found, detector = detect(sign * x, rate)
    assert detector.inverted == (sign < 0)
    sensitivity, predictive = score(found / rate, truth, len(x) / rate)
    assert sensitivity >= 0.999
    assert predictive >= 0.999
    assert sample_for_sample(found, neurokit(x, rate), truth, rate) >= 0.995


@pytest.mark.parametrize("rate", RATES)
def test_noisy_record_105_at_least_as_neurokit(data_dir, rate):
    x, truth = mitdb(data_dir, "105", rate)
    found, _ = detect(x, rate)
    theirs = neurokit(x, rate)
    ours, reference = (score(p / rate, truth, len(x) / rate) for p in (found, theirs))
    assert ours[0] >= reference[0]
    assert ours[1] >= reference[1]
    assert sample_for_sample(found, theirs, truth, rate) >= 0.995


def with_premature_beats(seconds, rate, every=6):
    """Every sixth beat is early, wide, tall and without a P wave; a pause follows."""
    times = beat_times(seconds, spread=0.01)
    early = np.arange(every, len(times) - 1, every)
    times[early] -= 0.3
    normal = np.delete(times, early)
    t = np.arange(int(seconds * rate)) / rate
    x = synthetic_ecg(normal, seconds, rate)
    for b in times[early]:
        x += 1.6 * np.exp(-0.5 * ((t - b) / 0.035) ** 2) - 0.5 * np.exp(-0.5 * ((t - b - 0.22) / 0.06) ** 2)
    return x, times


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("sign", [1, -1])
def test_premature_beats(rate, sign):
    x, truth = with_premature_beats(240, rate)
    found, detector = detect(sign * x, rate)
    assert detector.inverted == (sign < 0)
    sensitivity, predictive = score(found / rate, truth, 240)
    assert min(sensitivity, predictive) >= 0.995
    assert sample_for_sample(found, neurokit(x, rate), truth, rate) >= 0.995


@pytest.mark.parametrize("rate", RATES)
def test_muscle_noise(rate):
    truth = beat_times(240)
    x = synthetic_ecg(truth, 240, rate)
    # As strong as the ECG itself (0 dB), 10–40 Hz.
    from scipy.signal import butter, sosfilt

    noise = sosfilt(butter(2, (10, 40), "bandpass", fs=rate, output="sos"), np.random.default_rng(1).normal(size=len(x)))
    x = x + noise * (x.std() / noise.std())
    found, _ = detect(x, rate)
    theirs = neurokit(x, rate)
    ours, reference = (score(p / rate, truth, 240) for p in (found, theirs))
    assert min(ours) >= min(*reference, 0.99)
    assert sample_for_sample(found, theirs, truth, rate) >= 0.995


def test_an_inverted_lead_gives_the_same_peaks_under_any_cut():
    x = -synthetic_ecg(beat_times(60), 60, 130)
    whole, _ = detect(x, 130)
    upright, _ = detect(-x, 130)
    assert np.array_equal(whole, upright)
    for size in (1, 97, 1000):
        assert np.array_equal(detect(x, 130, range(size, len(x), size))[0], whole)


def test_a_lead_that_is_turned_round_is_followed():
    truth = beat_times(120)
    x = synthetic_ecg(truth, 120, 130)
    x[60 * 130 :] *= -1
    found, detector = detect(x, 130)
    assert detector.inverted
    late = truth[(truth > 75) & (truth < 118)]
    assert matched(found / 130, late, 0.01) == 1.0


def test_deep_s_waves_do_not_turn_a_lead():
    t = np.arange(120 * 130) / 130
    x = synthetic_ecg(beat_times(120), 120, 130)
    for b in beat_times(120):
        x -= 0.9 * np.exp(-0.5 * ((t - b - 0.035) / 0.012) ** 2)
    assert not detect(x, 130)[1].inverted
