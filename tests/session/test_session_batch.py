"""Batch: the stream's numbers to the last bit, over any window and hop, filtered once."""

import numpy as np
import pytest

from cardiac_cases import T0, beat_times, e4, e4_eda, mitdb, one_stream, recording, synthetic_ecg, synthetic_ppg
from feltsense.batch import Batch
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.timeline import NS, TimeMap
from feltsense.core.vector import Reason
from feltsense.datasets.synthetic import participant
from feltsense.dsp import peaks
from feltsense.features import _batch_ecg
from feltsense.session import extract


def assert_same(rec, window, hop, modalities=None, batch=None):
    batch = batch or Batch(rec, modalities=modalities)
    table = batch.table(window=window, hop=hop)
    expected = list(extract(rec, window=window, hop=hop, modalities=modalities))
    assert len(table) == len(expected)
    for (w, v), (x, y) in zip(table, expected, strict=True):
        assert w == x
        assert np.array_equal(v.values, y.values, equal_nan=True), [
            (n, a, b) for n, a, b in zip(v.schema.names, v.values, y.values, strict=True) if a != b and a == a
        ]
        assert v.reasons == y.reasons
        assert np.array_equal(v.quality, y.quality)
        assert v.quality_reasons == y.quality_reasons
    return table


@pytest.mark.parametrize(("name", "rate"), [("100", 130), ("105", 250)])
def test_real_records(data_dir, name, rate):
    x, _ = mitdb(data_dir, name, rate)
    rec = recording(one_stream("ecg", x[: 900 * rate], rate))
    batch = Batch(rec, modalities=["ecg"])
    for window, hop in ((60.0, 7.0), (10.0, 13.3), (150.0, 30.0)):
        assert_same(rec, window, hop, ["ecg"], batch)


def broken(seconds=420, rate=130):
    x = synthetic_ecg(beat_times(seconds), seconds, rate)
    x[60 * rate : 62 * rate] = np.nan
    x[100 * rate : 140 * rate] = 0.0
    x[160 * rate : 175 * rate] = 25.0
    x[200 * rate] = x[200 * rate + 3] = np.nan
    x[230 * rate : 290 * rate] *= -1.0
    x[300 * rate : 330 * rate] += np.random.default_rng(0).standard_normal(30 * rate)
    x[350 * rate : 350 * rate + 40] = 8.0
    return x


@pytest.mark.parametrize("rate", [130, 77.7])
def test_gaps_rails_flat_and_turned_leads(rate):
    x = broken(rate=130) if rate == 130 else synthetic_ecg(beat_times(200), 200, rate)
    table = assert_same(recording(one_stream("ecg", x, rate)), 60.0, 3.0, ["ecg"])
    assert np.isfinite(table.values).any()


@pytest.mark.parametrize("x", [np.zeros(9000), np.ones(50), np.full(9000, np.nan), np.arange(9000.0) % 7])
def test_degenerate_signals(x):
    assert_same(recording(one_stream("ecg", x, 130)), 60.0, 5.0, ["ecg"])


def test_a_rate_too_low_for_beats():
    table = assert_same(recording(one_stream("ecg", np.ones(3000), 30)), 60.0, 5.0, ["ecg"])
    assert {Reason.NOT_SUPPORTED} == set(table.row(0)[1].reasons)


def test_segments_with_clocks_of_their_own():
    x = synthetic_ecg(beat_times(200), 200, 130)
    info = one_stream("ecg", x, 130).info
    n = 100 * 130
    late = T0 + 112 * NS
    drift = TimeMap(info.spec.rate, *(np.array(c, np.int64) for c in (
        [0, n // 2, n], [0, 50 * NS, 100 * NS], [late, late + 50_010 * NS // 1000, late + 100 * NS],
        [late, late + 50_010 * NS // 1000, late + 100 * NS], [0, 0, 0],
    )))  # fmt: skip
    stream = Stream(info, (
        Segment(x[:n, None], TimeMap.uniform(T0, info.spec.rate)), Segment(x[n:, None], drift, None, 1)
    ))  # fmt: skip
    assert_same(Recording("S00", {info.id: stream}), 60.0, 4.0, ["ecg"])


def test_a_stream_that_stalled_within_a_segment_is_played_as_it_came():
    rec = recording(one_stream("ecg", synthetic_ecg(beat_times(150), 150, 130), 130))
    stalled = Recording(rec.subject, rec.streams, (Event(T0 + 80 * NS, EventKind.STALLED, "dev.ecg"),))
    assert_same(stalled, 30.0, 10.0, ["ecg"])


def test_all_modalities_of_a_participant():
    rec = participant(3, protocol=[("rest", 100), ("stress", 60)])
    table = assert_same(rec, 60.0, 20.0)
    assert {"ecg", "eda", "motion", "ppg", "skin_temperature"} <= set(table.schema.modalities)
    assert_same(rec, 60.0, 20.0, ["eda", "ecg"])


def test_a_modality_without_a_stream_is_missing(data_dir):
    table = assert_same(e4_eda(data_dir, "S05"), 60.0, 300.0, ["eda", "ecg"])
    assert table.row(0)[1].reason("ecg.hr") is Reason.NO_SIGNAL


def test_more_complexes_than_their_mean_length_remembers(monkeypatch):
    # Bursts of noise are full of short stretches, some of which are refused: the mean's memory says which.
    x = broken()
    usual = Batch(recording(one_stream("ecg", x, 130)), modalities=["ecg"]).beats().t_ns
    monkeypatch.setattr(peaks, "QRS_MEMORY", 12)
    assert_same(recording(one_stream("ecg", x, 130)), 60.0, 20.0, ["ecg"])
    assert not np.array_equal(usual, Batch(recording(one_stream("ecg", x, 130)), modalities=["ecg"]).beats().t_ns)


def test_filtered_once_whatever_is_asked(monkeypatch):
    calls = []
    whole = _batch_ecg.run_beats
    monkeypatch.setattr(_batch_ecg, "run_beats", lambda *a: calls.append(1) or whole(*a))
    batch = Batch(recording(one_stream("ecg", synthetic_ecg(beat_times(90), 90, 130), 130)), modalities=["ecg"])
    assert [len(batch.table(window=w, hop=h)) for w, h in ((60, 10), (30, 1), (100, 1))] == [4, 61, 0]
    assert len(calls) == 1


def broken_pulse(rate, seconds=260):
    x = synthetic_ppg(beat_times(seconds), seconds, rate)
    second = int(rate)
    x[60 * second : 62 * second] = np.nan
    x[80 * second : 95 * second] = 0.0
    x[110 * second : 118 * second] = 2e7
    x[130 * second] = x[130 * second + 3] = np.nan
    x[140 * second : 170 * second] += 80.0 * np.random.default_rng(0).standard_normal(30 * second)
    x[180 * second : 190 * second] *= 30.0
    return x


@pytest.mark.parametrize("rate", [25, 64, 77.7, 128])
def test_a_pulse_wave_with_gaps_rails_and_noise(rate):
    table = assert_same(recording(one_stream("ppg", broken_pulse(rate), rate)), 60.0, 7.0, ["ppg"])
    assert np.isfinite(table.values).any()


@pytest.mark.parametrize("subject", ["S05", "S14"])
def test_real_wrists(data_dir, subject):
    rec = e4(data_dir, subject)
    streams = {
        k: Stream(s.info, tuple(_until(x, 600 * int(s.info.spec.hz)) for x in s.segments)) for k, s in rec.streams.items()
    }
    assert_same(Recording(rec.subject, streams), 60.0, 11.0, ["ppg"])


def _until(segment, n):
    return Segment(segment.values[:n], segment.time)


@pytest.mark.parametrize(
    "x", [np.zeros(4000), np.ones(50), np.full(4000, np.nan), np.arange(4000.0) % 7, np.repeat([0.0, 1e6], 2000), np.ones(1)]
)
def test_degenerate_pulse_waves(x):
    assert_same(recording(one_stream("ppg", x, 64)), 20.0, 5.0, ["ppg"])


@pytest.mark.parametrize("seed", range(12))
def test_what_is_no_pulse_wave(seed):
    # Noise, walks, steps, growing oscillations: peaks close to each other, at a run's ends, on plateaus.
    rng = np.random.default_rng(seed)
    n, rate = int(rng.integers(1, 4000)), (20, 64, 100)[seed % 3]
    x = (
        10.0 ** rng.integers(-9, 7) * rng.normal(size=n),
        np.cumsum(rng.normal(size=n)),
        1e6 * rng.integers(0, 3, size=n),
        np.exp(np.linspace(0.0, rng.uniform(-30.0, 15.0), n)) * np.sin(np.arange(n) / rate * rng.uniform(0.5, 20.0)),
    )[seed % 4]
    assert_same(recording(one_stream("ppg", x, rate)), 10.0, 3.0, ["ppg"])


def test_a_pulse_wave_that_stalls_within_a_segment():
    rec = recording(one_stream("ppg", synthetic_ppg(beat_times(100), 100, 64), 64))
    stalled = Recording(rec.subject, rec.streams, (Event(T0 + 50 * NS, EventKind.STALLED, "dev.ppg"),))
    assert_same(stalled, 30.0, 10.0, ["ppg"])
