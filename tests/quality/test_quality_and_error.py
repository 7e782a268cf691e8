"""Quality is worth something: the lower it is, the larger the error; and clean signals get their numbers."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from cardiac_cases import beat_times, one_stream, recording, synthetic_ecg, synthetic_ppg, table
from feltsense.core.vector import Reason
from feltsense.datasets.synthetic import participant
from feltsense.features import extractor
from feltsense.session import extract

ECG_HZ, SECONDS = 130, 240
BINS = (0.0, 0.3, 0.6, 0.9, 1.01)


def noise(kind, seed):
    """Muscle (20–60 Hz) or motion (1–10 Hz), of the ECG's own power."""
    band = (20, 60) if kind == "muscle" else (1, 10)
    x = np.random.default_rng(seed).normal(size=ECG_HZ * SECONDS)
    y = sosfilt(butter(2, band, "bandpass", fs=ECG_HZ, output="sos"), x)
    return y / y.std()


def test_error_of_rmssd_falls_as_quality_rises():
    """Mean |error| of RMSSD in bins of quality, over two kinds of noise at seven strengths; a missing value is no error."""
    times = beat_times(SECONDS, seed=2)
    clean = synthetic_ecg(times, SECONDS, ECG_HZ)
    rows = []
    for kind in ("muscle", "motion"):
        for seed, decibel in enumerate((24, 12, 6, 3, 0, -3, -6)):
            x = clean + noise(kind, seed) * clean.std() * 10 ** (-decibel / 20)
            windows, values, quality, _ = table(recording(one_stream("ecg", x, ECG_HZ)), "ecg", window=30.0, hop=15.0)
            t0 = windows[0].start_ns
            for w, rmssd, q in zip(windows, values["rmssd"], quality, strict=True):
                a = (w.start_ns - t0) / 1e9
                inside = times[(times >= a) & (times < a + 30.0)]
                d = np.diff(np.diff(inside)) * 1e3
                rows.append((q, abs(rmssd - np.sqrt(np.mean(d * d)))))
    q, error = np.array(rows).T
    given = np.isfinite(error)
    means = [float(np.mean(error[given & (q >= a) & (q < b)])) for a, b in pairwise(BINS)]
    share = [float(np.mean(given[(q >= a) & (q < b)])) for a, b in pairwise(BINS)]
    assert means == sorted(means, reverse=True), (means, share)
    assert means[-1] < 3.0
    # Bad windows are mostly refused, good ones never.
    assert share == sorted(share), share
    assert share[-1] == 1.0


@pytest.mark.parametrize(("modality", "rate", "make"), [("ecg", 130, synthetic_ecg), ("ppg", 64, synthetic_ppg)])
@pytest.mark.parametrize("window", [60.0, 300.0])
def test_clean_beats_give_every_feature_whose_minimum_is_met(modality, rate, make, window):
    seconds = int(window) + 120
    x = make(beat_times(seconds), seconds, rate)
    _, values, _, _ = table(recording(one_stream(modality, x, rate)), modality, window=window, hop=30.0)
    for spec in extractor(modality).specs:
        # That no breathing stands out in random intervals is an answer.
        if spec.min_seconds <= window and spec.name != "resp_rate":
            assert np.isfinite(values[spec.name]).mean() >= 0.95, spec.name


def test_a_clean_participant_gives_every_feature_whose_minimum_is_met():
    found = list(extract(participant(seed=3, minutes=8.0), window=60.0, hop=15.0))
    for name, spec in zip(found[0][1].schema.names, found[0][1].schema.specs, strict=True):
        reasons = [v.reason(name) for _, v in found]
        # No response at all in a minute is an answer, not a failure.
        answered = [r in (Reason.OK, Reason.NONE_FOUND) for r in reasons]
        if spec.min_seconds <= 60.0:
            assert np.mean(answered) >= 0.95, (name, reasons)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_hardly_any_beats_give_no_variability(count):
    times = 10.0 + 0.8 * np.arange(count)
    x = synthetic_ecg(times, 60, ECG_HZ)
    _, values, _, vectors = table(recording(one_stream("ecg", x, ECG_HZ)), "ecg", window=30.0, hop=15.0)
    for name in ("hr", "rmssd", "sdnn", "lf", "hf", "sampen", "sd1_sd2", "cvi"):
        assert np.isnan(values[name]).all(), name
    assert all(Reason.OK not in (v.reason("ecg.hr"), v.quality_reasons[0]) for v in vectors)


def test_a_metronome_has_a_rate_and_no_made_up_variability():
    times = 0.6 + 104 / ECG_HZ * np.arange(160)
    x = synthetic_ecg(times, 125, ECG_HZ, noise=0.0)
    _, values, _, _ = table(recording(one_stream("ecg", x, ECG_HZ)), "ecg", window=120.0, hop=5.0)
    assert values["hr"][0] == pytest.approx(75.0, abs=0.01)
    assert values["rmssd"][0] < 0.5
    assert values["lf"][0] < 0.5
    for name in ("lf_hf", "lf_nu", "hf_ln", "sampen", "dfa_alpha1", "sd1_sd2", "csi", "cvi", "resp_rate"):
        assert np.isnan(values[name]).all(), name
