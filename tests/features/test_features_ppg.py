"""PPG features: known beats, real wrists against the published heart rate, and the public conformance suite."""

import numpy as np
import pytest

from cardiac_cases import beat_times, e4, one_stream, recording, synthetic_ppg, table
from feltsense.core.vector import Reason
from feltsense.features.ppg import PpgFeatures
from feltsense.testing import check_extractor, rechunk, with_gap

RATE = 64


def synthetic(times, seconds, rate=RATE, **kw):
    return recording(one_stream("ppg", synthetic_ppg(times, seconds, rate, **kw), rate))


def labels(folder, subject):
    rows = np.genfromtxt(folder / "stress-predict" / "labels.csv", delimiter=",", names=True, dtype=None, encoding="utf8")
    rows = rows[rows["subject"] == subject]
    return rows["unix_time_s"].astype(float), rows["hr_bpm"].astype(float)


@pytest.mark.parametrize("rate", [25, 64, 100])
def test_known_intervals(rate):
    times = beat_times(180, spread=0.02)
    windows, x, quality, _ = table(synthetic(times, 180, rate), "ppg", hop=10)
    interval = np.diff(times) * 1000
    assert quality.min() > 0.9
    assert np.abs(x["hr"] - 60e3 / np.median(interval)).max() < 2.0
    assert np.abs(x["hr_spectral"] - 60e3 / interval.mean()).max() < 4.0
    assert np.median(x["prv_rmssd"]) == pytest.approx(np.sqrt(np.mean(np.diff(interval) ** 2)), rel=0.2)
    assert np.median(x["prv_sdnn"]) == pytest.approx(interval.std(), rel=0.15)
    assert len(windows) == 13


def test_a_slowing_pulse_has_a_negative_slope():
    times = np.cumsum(np.linspace(0.7, 1.0, 140))
    _, x, _, _ = table(synthetic(times, 115), "ppg", hop=10)
    # 300 ms over the whole recording, on average
    assert np.allclose(x["hr_slope"], -300 / times[-1], rtol=0.2)


def test_every_wrist_window_is_answered(data_dir):
    finite, count = 0, 0
    for subject in ("S02", "S09", "S14"):
        _, x, quality, _ = table(e4(data_dir, subject), "ppg", hop=30)
        finite += int(np.isfinite(x["hr"]).sum())
        count += len(quality)
        assert (quality > 0).mean() > 0.9
    assert finite / count >= 0.9


def test_heart_rate_agrees_with_the_published_one(data_dir):
    differences = []
    for subject in ("S05", "S14"):
        t, hr = labels(data_dir, subject)
        windows, x, _, _ = table(e4(data_dir, subject), "ppg", hop=30)
        for w, mine in zip(windows, x["hr"], strict=True):
            inside = (t >= w.start_ns / 1e9) & (t < w.stop_ns / 1e9)
            if inside.sum() > 48:
                differences.append(mine - np.nanmedian(hr[inside]))
    assert len(differences) > 100
    assert np.nanmedian(np.abs(differences)) < 4.0


def test_acceleration_explains_and_changes_nothing():
    times = beat_times(120)
    rng = np.random.default_rng(0)
    pulse = one_stream("ppg", synthetic_ppg(times, 120, RATE) + 80 * rng.normal(size=120 * RATE), RATE)
    acc = one_stream("acc", rng.normal(size=(120 * 32, 3)), 32)
    _, x, _, without = table(recording(pulse), "ppg")
    _, y, _, beside = table(recording(pulse, acc), "ppg")
    assert all(np.array_equal(x[k], y[k], equal_nan=True) for k in x)
    assert without[0].quality_reasons[0] in (Reason.NOISE, Reason.ARTEFACT)
    assert beside[0].quality_reasons[0] is Reason.MOTION


def test_variability_asks_for_more_than_a_heart_rate():
    times = beat_times(120)
    noise = 60 * np.random.default_rng(1).normal(size=120 * RATE)
    _, x, quality, _ = table(recording(one_stream("ppg", synthetic_ppg(times, 120, RATE) + noise, RATE)), "ppg")
    assert np.isfinite(x["hr"]).all()
    assert np.isfinite(x["prv_rmssd"]).sum() <= np.isfinite(x["hr"]).sum()
    short = table(synthetic(times, 120), "ppg", window=20)[3][0]
    assert short.reason("ppg.prv_rmssd") is Reason.TOO_SHORT
    assert short.reason("ppg.hr") is Reason.OK
    assert quality.max() < 0.9


def test_what_is_final_trails_the_signal_by_ten_seconds_at_most():
    rec = synthetic(beat_times(60), 60)
    extractor = PpgFeatures({"ppg": rec.stream("dev.ppg").info})
    lags = []
    for chunk in rec.chunks(0.25):
        extractor.push(chunk)
        lags.append((chunk.stop_ns - extractor.final_ns("dev.ppg")) / 1e9)
    assert max(lags) < 10.1
    extractor.close("dev.ppg")
    assert extractor.final_ns("dev.ppg") == chunk.stop_ns


def test_a_ppg_that_is_too_slow_says_so():
    _, _, quality, vectors = table(recording(one_stream("ppg", np.zeros(1000), 10)), "ppg")
    assert set(vectors[0].reasons) == {Reason.NOT_SUPPORTED}
    assert not quality.any()


def test_conformance():
    rng = np.random.default_rng(2)
    acc = one_stream("acc", 0.01 * rng.normal(size=(90 * 32, 3)), 32)
    check_extractor(PpgFeatures, recording(*synthetic(beat_times(90), 90).streams.values(), acc))


def test_any_cut_of_a_real_recording_gives_the_same_bits(data_dir):
    rec = with_gap(e4(data_dir, "S09"), "e4.ppg", 400.0, 3e4)
    rec = with_gap(with_gap(rec, "e4.acc", 400.0, 3e4), "e4.ppg", 200.0, 205.0)
    one = table(rec, "ppg", hop=5)[3]
    other = table(rec, "ppg", hop=5, items=rechunk(rec, seed=5))[3]
    assert [v.values.tobytes() for v in one] == [v.values.tobytes() for v in other]
    assert [v.quality.tobytes() for v in one] == [v.quality.tobytes() for v in other]
