"""Beats against annotations, against NeuroKit2, and against times that are known exactly."""

import numpy as np
import pytest

from cardiac_cases import beat_times, matched, mitdb, synthetic_ecg, synthetic_ppg
from feltsense.dsp.blocks import samples
from feltsense.dsp.peaks import PulseDetector, QrsDetector, parabola
from feltsense.dsp.waves import Pulse, Qrs

TRIM = 10.0
"""First and last seconds, in which a batch filter is at its edge."""


def detect(detector, x, rate):
    f = detector.blocks(samples(2.0, rate), samples(4.0, rate), samples(1.5, rate))
    return np.array([p for b in f.push(x) + f.flush() for p in detector.advance(b)], dtype=int)


@pytest.mark.parametrize("rate", [360, 250, 130])
def test_record_100_against_its_annotations(data_dir, rate):
    x, truth = mitdb(data_dir, "100", rate)
    found = detect(QrsDetector(rate), x, rate) / rate
    inside = [t[(t > TRIM) & (t < len(x) / rate - TRIM)] for t in (truth, found)]
    assert matched(found, inside[0], 0.05) >= 0.995
    assert matched(truth, inside[1], 0.05) >= 0.995


def test_noisy_record_105_against_its_annotations(data_dir):
    x, truth = mitdb(data_dir, "105", 130)
    found = detect(QrsDetector(130), x, 130) / 130
    assert matched(found, truth, 0.05) >= 0.98
    assert matched(truth, found, 0.05) >= 0.98


@pytest.mark.parametrize("record", ["100", "105"])
def test_peaks_equal_the_batch_method_to_a_sample(data_dir, record):
    nk = pytest.importorskip("neurokit2")
    x, _ = mitdb(data_dir, record, 130)
    found = detect(QrsDetector(130), x, 130)
    theirs = nk.ecg_peaks(nk.ecg_clean(x, sampling_rate=130), sampling_rate=130)[1]["ECG_R_Peaks"]
    theirs = np.asarray(theirs)[10:-10]
    assert matched(found, theirs, 1) >= 0.995


@pytest.mark.parametrize("rate", [64, 130, 250])
def test_synthetic_r_waves_are_timed_to_a_fraction_of_a_sample(rate):
    truth = beat_times(120)[:-1]
    x = synthetic_ecg(truth, 120, rate)
    detector = Qrs(rate).detector()
    f = detector.blocks(samples(2.0, rate), samples(4.0, rate), samples(1.5, rate))
    blocks = f.push(x) + f.flush()
    rows = np.concatenate([b.values for b in blocks])
    peaks = [p for b in blocks for p in detector.advance(b)]
    beats = [Qrs(rate).measure(rows, 0, p) for p in peaks]
    fiducials = np.array([b.fiducial for b in beats if b is not None]) / rate
    middle = truth[(truth > 1) & (truth < 118)]
    assert len(fiducials) - len(truth) in (0, -1, -2)
    assert matched(fiducials, middle, 0.005) == 1.0


@pytest.mark.parametrize("rate", [25, 64, 100])
def test_synthetic_pulses_are_found_and_measured(rate):
    truth = beat_times(120)
    x = synthetic_ppg(truth, 120, rate)
    wave = Pulse(rate)
    detector = wave.detector()
    rows = detector.operation(x)
    beats = [wave.measure(rows, 0, int(p)) for p in detect(PulseDetector(rate), x, rate)]
    found = np.array([b.fiducial for b in beats if b is not None]) / rate
    middle = truth[(truth > 2) & (truth < 117)]
    # The steepest upstroke of a Gaussian lies one width before its crest.
    lag = found[np.clip(np.searchsorted(found, middle), 0, len(found) - 1)] - middle
    assert np.all(np.abs(lag - np.median(lag)) < 0.02)
    assert abs(np.median(lag) - 0.21) < 0.05
    amplitude, rise, width = np.median([b.measures for b in beats if b is not None], axis=0)
    assert 60 < amplitude < 140
    assert 0.1 < rise < 0.4
    assert 0.05 < width < 0.4


def test_a_flat_line_and_hum_have_no_beats():
    for x in (np.zeros(2000), np.full(2000, 7.5), np.linspace(0, 5, 2000), 0.004 * np.sin(np.arange(2000))):
        assert not len(detect(QrsDetector(130), x, 130))


def test_peaks_equal_the_batch_method_on_a_pulse_wave(data_dir):
    nk = pytest.importorskip("neurokit2")
    x = np.loadtxt(data_dir / "stress-predict" / "S05" / "BVP.csv")[2:][: 64 * 600]
    theirs = np.asarray(nk.ppg_findpeaks(nk.ppg_clean(x, sampling_rate=64), sampling_rate=64)["PPG_Peaks"])
    # The thresholds differ by design (running mean power instead of the record's): on wrist data a few per cent.
    assert matched(detect(PulseDetector(64), x, 64), theirs[10:-10], 1) >= 0.95


def test_parabola_finds_the_vertex():
    for at in (-0.4, 0.0, 0.3):
        y = [-((k - at) ** 2) for k in (-1, 0, 1)]
        assert parabola(*y) == pytest.approx(at)
    assert parabola(1.0, 1.0, 1.0) == 0.0
    assert abs(parabola(0.0, 1.0, 1.999)) <= 0.5


def test_a_foot_at_a_runs_very_start_has_no_upstroke():
    wave = Pulse(64)
    fine = np.concatenate((np.linspace(1.0, -1.0, 2), np.linspace(-1.0, 3.0, 26), np.linspace(3.0, -2.0, 100)))
    rows = np.column_stack((fine, fine, fine, fine, fine))
    at = int(np.argmax(fine))
    assert wave.measure(rows, 0, at) is None
    assert not len(wave.measure_many(fine, fine, np.array([at]), np.array([len(fine)])).of)
