"""ECG features: known intervals, artefacts left out, what is missing is said, and the public conformance suite."""

import numpy as np
import pytest

from cardiac_cases import T0, beat_times, mitdb, one_stream, recording, synthetic_ecg, table
from feltsense.core.vector import Reason
from feltsense.dsp.intervals import time_domain
from feltsense.features.ecg import EcgFeatures
from feltsense.testing import check_extractor, rechunk, with_gap, with_values

RATE = 130


def synthetic(times, seconds, **kw):
    return recording(one_stream("ecg", synthetic_ecg(times, seconds, RATE, **kw), RATE))


def truth(times, window):
    """Time-domain variability of the known beats in a window."""
    a, b = ((ns - T0) / 1e9 for ns in (window.start_ns, window.stop_ns))
    interval = np.diff(times[(times >= a) & (times < b)]) * 1000
    return time_domain(interval, np.ones(len(interval), bool))


@pytest.mark.parametrize("seed", [0, 1])
def test_known_intervals(seed):
    times = beat_times(180, seed=seed)
    windows, x, _, _ = table(synthetic(times, 180), "ecg", hop=10)
    for i, window in enumerate(windows):
        t = truth(times, window)
        assert x["hr"][i] == pytest.approx(60e3 / t.mean_nn, abs=0.5)
        assert x["sdnn"][i] == pytest.approx(t.sdnn, abs=max(2.0, 0.05 * t.sdnn))
        assert x["rmssd"][i] == pytest.approx(t.rmssd, abs=max(2.0, 0.05 * t.rmssd))
        assert x["coverage"][i] > 0.95
        assert x["artefact_fraction"][i] < 0.05


def test_record_100_against_intervals_of_its_annotations(data_dir):
    x, beats = mitdb(data_dir, "100", RATE)
    windows, values, quality, _ = table(recording(one_stream("ecg", x, RATE)), "ecg", hop=30)
    assert quality.min() > 0.9
    too_short = {"lf", "lf_hf", "lf_nu", "hf_nu", "vlf", "total_power", "sampen", "dfa_alpha1"}
    assert all(np.isfinite(v).all() for name, v in values.items() if name not in too_short | {"hf", "hf_ln", "resp_rate"})
    assert np.isfinite(values["hf"]).mean() >= 0.95
    assert all(np.isnan(values[name]).all() for name in too_short)
    hr = np.array([60e3 / truth(beats, w).mean_nn for w in windows])
    assert np.abs(values["hr"] - hr).max() < 1.5
    # Premature beats are left out with their intervals: RMSSD falls to that of the sinus rhythm.
    assert 25 < np.median(values["rmssd"]) < 35


def test_an_ectopic_beat_takes_its_two_intervals_and_no_more():
    times = beat_times(62, spread=0.005)
    early = times.copy()
    early[30] -= 0.35
    x, y = (table(synthetic(t, 62), "ecg")[1] for t in (times, early))
    assert y["artefact_fraction"][0] * 69 == pytest.approx(x["artefact_fraction"][0] * 69 + 2, abs=0.3)
    assert y["rmssd"][0] == pytest.approx(x["rmssd"][0], abs=2.0)


def test_nothing_is_formed_across_a_gap():
    times = beat_times(120, spread=0.005)
    whole = synthetic(times, 120)
    broken = with_gap(whole, "dev.ecg", 30.0, 45.0)
    _, x, quality, vectors = table(broken, "ecg", hop=5)
    assert np.nanmax(x["max_nn"]) < 1100
    assert vectors[3].quality_reasons[0] is Reason.GAP
    assert quality[3] < 0.8
    assert x["coverage"][3] < 0.8
    assert np.isfinite(x["hr"]).all()


def test_reasons_for_what_is_missing():
    times = beat_times(120)
    rec = with_gap(synthetic(times, 120), "dev.ecg", 20.0, 110.0)
    _, _, _, vectors = table(rec, "ecg", window=60, hop=10)
    assert vectors[1].reason("ecg.sdnn") is Reason.GAP
    assert vectors[2].reason("ecg.hr") is Reason.NO_SIGNAL
    _, _, _, vectors = table(synthetic(times, 120), "ecg", window=15, hop=10)
    assert vectors[3].reason("ecg.sdnn") is Reason.TOO_SHORT
    assert vectors[3].reason("ecg.hr") is Reason.OK
    flat = with_values(synthetic(times, 120), "dev.ecg", 0.0, 130.0, 0.0)
    assert table(flat, "ecg")[3][0].reason("ecg.hr") is Reason.FLATLINE


def test_an_ecg_that_is_too_slow_says_so():
    _, _, _, vectors = table(recording(one_stream("ecg", np.zeros(4000), 50)), "ecg")
    assert set(vectors[0].reasons) == {Reason.NOT_SUPPORTED}


def test_intervals_are_device_time_and_placement_is_session_time():
    """A session clock that runs 1 % fast moves beats between windows and leaves intervals alone."""
    from dataclasses import replace
    from fractions import Fraction

    from feltsense.core.recording import Recording, Segment, Stream
    from feltsense.core.timeline import TimeMap

    times = beat_times(120)
    rec = synthetic(times, 120)
    stream = rec.stream("dev.ecg")
    n = len(stream.segments[0].values)
    i = np.arange(0, n, 73)
    device = i * 10**9 // RATE
    time = TimeMap(Fraction(RATE), i, device, T0 + device, T0 + device * 101 // 100, np.zeros_like(i))
    fast = Recording("S", {"dev.ecg": Stream(stream.info, (Segment(stream.segments[0].values, time),))})
    slow = replace(rec)
    _, x, _, _ = table(slow, "ecg", window=100, hop=10)
    _, y, _, _ = table(fast, "ecg", window=101, hop=10)
    assert y["mean_nn"][0] == pytest.approx(x["mean_nn"][0], rel=1e-6)
    assert y["coverage"][0] == pytest.approx(x["coverage"][0] * 100 / 101, rel=1e-6)


def test_conformance():
    check_extractor(EcgFeatures, synthetic(beat_times(90), 90))


def test_any_cut_of_a_real_recording_gives_the_same_bits(data_dir):
    x, _ = mitdb(data_dir, "105", RATE)
    rec = with_gap(recording(one_stream("ecg", x[: RATE * 240], RATE)), "dev.ecg", 100.0, 103.0)
    one = table(rec, "ecg", hop=1)[3]
    other = table(rec, "ecg", hop=1, items=rechunk(rec, seed=5))[3]
    assert [v.values.tobytes() for v in one] == [v.values.tobytes() for v in other]
    assert [v.quality.tobytes() for v in one] == [v.quality.tobytes() for v in other]


def test_premature_beats_are_counted_as_corrected_and_the_raw_series_stays():
    times = beat_times(122, spread=0.005)
    early = times.copy()
    early[[60, 90, 120]] -= 0.3
    x, y = (table(synthetic(t, 122), "ecg", window=120)[1] for t in (times, early))
    assert x["corrected_fraction"][0] < 0.03
    # A premature beat is one that comes early and one that follows late.
    assert 3 <= round(y["corrected_fraction"][0] * (len(early) - 2)) <= 8
    assert y["rmssd"][0] == pytest.approx(x["rmssd"][0], abs=2.0)


def breathing(seconds):
    """Beats whose intervals swing with 450 ms² at 0.1 Hz and 200 ms² at 0.25 Hz; s."""
    t = [0.6]
    while t[-1] < seconds:
        swing = np.sqrt(900.0) * np.sin(0.2 * np.pi * t[-1]) + np.sqrt(400.0) * np.sin(0.5 * np.pi * t[-1])
        t.append(t[-1] + (850.0 + swing) / 1000)
    return np.array(t[:-1])


@pytest.mark.parametrize("window", [120, 300])
def test_power_of_a_known_rhythm_from_the_wave_itself(window):
    _, x, _, _ = table(synthetic(breathing(window + 10), window + 10, noise=0.0), "ecg", window=window)
    # An interval's swing is spread over its length: about 2 % of LF and 8 % of HF are averaged away.
    assert x["lf"][0] == pytest.approx(450, rel=0.05)
    assert x["hf"][0] == pytest.approx(200, rel=0.10)
    assert x["lf_hf"][0] == pytest.approx(x["lf"][0] / x["hf"][0])
    assert x["lf_nu"][0] == pytest.approx(x["lf"][0] / (x["lf"][0] + x["hf"][0]))
    assert np.isfinite(x["dfa_alpha1"][0])
    assert np.isfinite(x["sampen"][0]) == (window == 300)


@pytest.mark.parametrize("per_minute", [9.0, 15.0, 24.0])
@pytest.mark.parametrize("window", [60, 120])
def test_breathing_is_read_from_the_beats(per_minute, window):
    t, rng = [0.6], np.random.default_rng(1)
    while t[-1] < 200:
        swing = 0.035 * np.sin(2 * np.pi * per_minute / 60 * t[-1]) + 0.02 * np.sin(2 * np.pi * 0.09 * t[-1])
        t.append(t[-1] + 0.8 + swing + 0.004 * rng.normal())
    _, values, _, _ = table(synthetic(np.array(t[:-1]), 200), "ecg", window=window)
    assert values["resp_rate"] == pytest.approx(per_minute, abs=0.5)


def test_no_breath_rate_where_no_rhythm_stands_out():
    rng = np.random.default_rng(3)
    times = 0.6 + np.cumsum(0.8 + 0.03 * rng.normal(size=300))
    _, values, _, vectors = table(synthetic(times[times < 180], 180), "ecg", window=60)
    missing = np.isnan(values["resp_rate"])
    assert missing.mean() > 0.8
    assert {v.reason("ecg.resp_rate") for v, none in zip(vectors, missing, strict=True) if none} == {Reason.NONE_FOUND}


def test_slow_features_say_why_they_are_missing():
    rec = synthetic(beat_times(310), 310)
    short = table(rec, "ecg", window=59, hop=60)[3][0]
    assert {short.reason(f"ecg.{n}") for n in ("lf", "hf", "lf_hf", "sampen")} == {Reason.TOO_SHORT}
    minute = table(rec, "ecg", window=60, hop=60)[3][0]
    assert minute.reason("ecg.hf") is Reason.OK
    assert minute.reason("ecg.lf") is Reason.TOO_SHORT
    two = table(rec, "ecg", window=120, hop=60)[3][0]
    assert two.reason("ecg.sampen") is Reason.TOO_FEW_BEATS
    broken = table(with_gap(rec, "dev.ecg", 60.0, 65.0), "ecg", window=120, hop=60)[3][0]
    assert broken.reason("ecg.lf") is Reason.GAP
