"""Batch.beats: the raw series as it was measured, the corrected one beside it, gaps in both, streams that stalled."""

import numpy as np
import pytest

from cardiac_cases import T0, beat_times, mitdb, one_stream, recording, synthetic_ecg
from feltsense.batch import Batch
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording
from feltsense.errors import InputError

RATE = 130


def beats_of(x):
    return Batch(recording(one_stream("ecg", x, RATE)), modalities=["ecg"]).beats()


def test_raw_intervals_are_those_of_the_beats():
    truth = beat_times(120, spread=0.01)
    found = beats_of(synthetic_ecg(truth, 120, RATE))
    assert np.isnan(found.rr_ms[0])
    assert np.allclose(np.diff(found.t_ns) / 1e6, found.rr_ms[1:], atol=1e-5)
    at = (found.t_ns - T0) / 1e9
    assert np.abs(at[:, None] - truth).min(axis=1).max() < 0.004
    assert found.nn[5:-5].all()
    assert len(found.kind) == len(found.likeness) == len(found.rr_ms)
    assert set(found.kind) == {"normal"}
    assert np.array_equal(found.corrected_t_ns, found.t_ns)
    assert np.allclose(found.corrected_rr_ms[1:], found.rr_ms[1:], atol=1e-9)


def test_a_premature_and_a_missing_beat_are_put_right_beside_the_raw_series():
    times = beat_times(240, spread=0.004)
    even = times.copy()
    times[100] -= 0.3
    times = np.delete(times, 180)
    found = beats_of(synthetic_ecg(times, 240, RATE))
    assert "ectopic" in found.kind
    assert "missed" in found.kind
    assert found.rr_ms[1:].max() > 1500
    assert not found.nn.all()
    right = (found.corrected_t_ns - T0) / 1e9
    off = np.abs(even[:, None] - right).min(axis=1)
    # The early beat and the one after its pause share what is left of 0.3 s; all others are where they were.
    assert np.delete(off, [0, 1, 100, 101, len(off) - 2, len(off) - 1]).max() < 0.005
    assert off[[100, 101]].max() < 0.2
    assert np.nanmax(found.corrected_rr_ms) < 1100
    assert len(found.corrected_t_ns) == len(found.t_ns) + 1


def test_both_series_restart_after_a_gap():
    x = synthetic_ecg(beat_times(120), 120, RATE)
    x[60 * RATE : 70 * RATE] = np.nan
    found = beats_of(x)
    for t_ns, rr in ((found.t_ns, found.rr_ms), (found.corrected_t_ns, found.corrected_rr_ms)):
        at = (t_ns - T0) / 1e9
        assert np.isnan(rr).sum() == 2
        assert at[np.isnan(rr)][1] > 70
        assert np.nanmax(rr) < 1200


def test_correction_lowers_the_variability_of_record_100(data_dir):
    found = beats_of(mitdb(data_dir, "100", RATE)[0][: 300 * RATE])
    raw, right = (float(np.sqrt(np.nanmean(np.diff(rr) ** 2))) for rr in (found.rr_ms, found.corrected_rr_ms))
    # NeuroKit2, which knows the whole record: 56.1 ms, and 30.3 once the premature atrial beats are put right.
    assert raw == pytest.approx(56.1, rel=0.03)
    assert 25.0 < right < 40.0
    assert 0.008 < np.mean([k != "normal" for k in found.kind]) < 0.03


def test_a_stream_that_stalled_and_one_without_beats():
    x = synthetic_ecg(beat_times(60), 60, RATE)
    whole = recording(one_stream("ecg", x, RATE))
    stalled = Recording("S00", whole.streams, (Event(T0 + 30 * 10**9, EventKind.STALLED, "dev.ecg"),))
    found = Batch(stalled, modalities=["ecg"]).beats()
    assert 60 < len(found.rr_ms) <= len(beats_of(x).rr_ms)
    assert len(beats_of(np.zeros(30 * RATE)).t_ns) == 0
    with pytest.raises(InputError, match="60 Hz"):
        Batch(recording(one_stream("ecg", x[::4], RATE / 4)), modalities=["ecg"]).beats()
    with pytest.raises(InputError, match="has none"):
        Batch(recording(one_stream("skin_temperature", np.full(99, 33.0), 4))).beats()
