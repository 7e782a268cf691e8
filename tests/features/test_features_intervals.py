"""A device's own intervals: NeuroKit2 given the same, what the device doubts, gaps, any cut."""

import numpy as np
import pytest

from cardiac_cases import T0, beat_times, one_stream, recording
from feltsense.batch import Batch
from feltsense.core.chunk import Gap, GapReason, StreamInfo
from feltsense.core.recording import Segment, Stream
from feltsense.core.signals import IRREGULAR, spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.core.vector import Reason
from feltsense.features import _binding
from feltsense.features.intervals import EXTRACTOR
from feltsense.session import extract
from feltsense.testing import rechunk, repeated


def stream(kind, seconds=180, error=None, keep=None, seed=0):
    """Intervals of a known rhythm, each at the time of the beat that ends it."""
    beats = beat_times(seconds, seed=seed)
    interval = np.round(np.diff(beats), 3)
    values = interval[:, None] if kind == "rr" else np.column_stack((interval, np.zeros(len(interval))))
    if error is not None:
        error(values)
    info = StreamInfo(f"w.{kind}", spec(kind, IRREGULAR))
    times = T0 + np.rint(beats[1:] * NS).astype(np.int64)
    parts = [np.arange(len(values))] if keep is None else keep(times)
    segments = tuple(
        Segment(values[i], TimeMap.irregular(times[i]), None if k == 0 else Gap(0, 60, GapReason.LINK), k)
        for k, i in enumerate(parts)
    )
    return Stream(info, segments), 1e3 * values[:, 0], times


def vectors(made, window=60.0, hop=10.0):
    return list(extract(recording(made), window=window, hop=hop, modalities=["intervals"]))


@pytest.mark.parametrize("kind", ["rr", "ppi"])
def test_equals_neurokit_given_the_same_intervals(kind):
    nk = pytest.importorskip("neurokit2")
    made, interval, times = stream(kind)
    found = vectors(made)
    assert len(found) > 8
    for window, v in found:
        inside = interval[(times >= window.start_ns) & (times < window.stop_ns)][1:]
        theirs = nk.hrv_time({"RRI": inside, "RRI_Time": np.cumsum(inside) / 1e3}, sampling_rate=1000).iloc[0]
        assert v["intervals.hr"] == pytest.approx(60e3 / theirs["HRV_MeanNN"], rel=1e-9)
        for name, other in (("prv_sdnn", "SDNN"), ("prv_rmssd", "RMSSD"), ("prv_pnn50", "pNN50")):
            assert v[f"intervals.{name}"] == pytest.approx(theirs[f"HRV_{other}"], rel=1e-9, abs=1e-12)
        assert v["quality.intervals"] > 0.97
        assert v["intervals.artefact_fraction"] == 0.0


@pytest.mark.parametrize(("column", "value"), [(0, np.nan), (1, 0.031), (0, 2.5), (0, 0.45)])
def test_what_the_device_or_the_rhythm_doubts_is_left_out(column, value):
    spoilt = [60, 61, 80]

    def error(values):
        values[spoilt, column] = value

    clean = vectors(stream("ppi")[0])
    made, _, times = stream("ppi", error=error)
    for (window, v), (_, whole) in zip(vectors(made), clean, strict=True):
        inside = np.flatnonzero((times >= window.start_ns) & (times < window.stop_ns))[1:]
        bad = np.isin(inside, spoilt)
        assert v["intervals.artefact_fraction"] == pytest.approx(bad.mean(), abs=1e-12)
        assert v["intervals.prv_rmssd"] == pytest.approx(whole["intervals.prv_rmssd"], rel=0.2)
        assert v["intervals.hr"] == pytest.approx(whole["intervals.hr"], rel=0.01)
        if bad.any():
            assert v["quality.intervals"] < whole["quality.intervals"]


def test_a_gap_has_no_interval_and_no_difference():
    def without_20_s(times):
        seconds = (times - T0) / NS
        return [np.flatnonzero(seconds < 70), np.flatnonzero(seconds > 90)]

    made, interval, times = stream("rr", keep=without_20_s)
    window, v = vectors(made, hop=60.0)[1]
    first, second = (interval[i][(times[i] >= window.start_ns) & (times[i] < window.stop_ns)] for i in without_20_s(times))
    d = np.concatenate((np.diff(first[1:]), np.diff(second)))
    assert v["intervals.prv_rmssd"] == pytest.approx(np.sqrt(np.mean(d * d)), rel=1e-12)
    assert v["intervals.coverage"] == pytest.approx((first[1:].sum() + second.sum()) / 60e3, rel=1e-12)
    assert 0.55 < v["quality.intervals"] < 0.75
    assert v.reason("intervals.prv_pnn50") is Reason.GAP


def test_an_interval_after_a_silence_within_a_segment_is_not_valid():
    made, interval, times = stream("rr")
    times = times + 5 * NS * (np.arange(len(times)) >= 40)
    segment = Segment(made.segments[0].values, TimeMap.irregular(times))
    _, v = vectors(Stream(made.info, (segment,)), hop=60.0)[0]
    inside = np.flatnonzero(times < T0 + 60 * NS + int(1e9 * interval[0] / 1e3))
    assert v["intervals.artefact_fraction"] == pytest.approx(1 / (len(inside) - 1), abs=0.005)
    assert v["quality.intervals"] < 0.95


@pytest.mark.parametrize(
    "interval", [[], [0.8], [0.8, 0.8], [0.8] * 100, [np.nan] * 90, [9.0] * 30, [0.01] * 500, [0.0] * 40]
)
def test_degenerate_streams_say_nothing_that_means_nothing(interval):
    values = np.array(interval, float)[:, None]
    times = T0 + np.cumsum(np.nan_to_num(values[:, 0], nan=0.8) * NS + 1).astype(np.int64)
    info = StreamInfo("w.rr", spec("rr", IRREGULAR))
    made = Stream(info, (Segment(values, TimeMap.irregular(times)),) if len(values) else ())
    clock = one_stream("skin_temperature", np.full(400, 33.0), 4)
    found = list(extract(recording(made, clock), window=30.0, hop=10.0, modalities=["intervals", "skin_temperature"]))
    for _, v in found:
        names = [n for n in v.schema.names if n.startswith("intervals.")]
        if len(interval) == 100:
            assert v["intervals.prv_rmssd"] in (0.0, pytest.approx(0.0, abs=1e-9)) or np.isnan(v["intervals.prv_rmssd"])
        else:
            assert all(np.isnan(v[n]) or v[n] in (0.0, 1.0) for n in names)
            assert v["quality.intervals"] < 0.3


@pytest.mark.parametrize("kind", ["rr", "ppi"])
def test_any_cut_gives_the_same_bits_and_memory_is_bounded(kind):
    def error(values):
        values[[30, 31, 32, 77, 140], 0] = np.nan

    made = stream(kind, error=error, keep=lambda t: [np.arange(60), np.arange(70, 75), np.arange(80, len(t))])[0]
    rec = recording(made)

    def played(seed=None, sizes=None):
        items = rechunk(rec, seed=seed, sizes=sizes)
        return list(extract(rec, window=30.0, hop=5.0, modalities=["intervals"], items=items))

    whole = played()
    assert np.isfinite([v["intervals.hr"] for _, v in whole]).mean() > 0.8
    for cut in (played(sizes=[1]), played(sizes=[3, 1, 40]), *(played(seed=k) for k in range(4))):
        assert [w for w, _ in cut] == [w for w, _ in whole]
        for (_, one), (_, two) in zip(cut, whole, strict=True):
            assert one.values.tobytes() == two.values.tobytes()
            assert one.quality.tobytes() == two.quality.tobytes()
            assert one.reasons == two.reasons
    table = Batch(rec, modalities=["intervals"]).table(window=30.0, hop=5.0)
    assert all(np.array_equal(x.values, y.values, equal_nan=True) for (_, x), (_, y) in zip(table, whole, strict=True))
    ours = EXTRACTOR({kind: made.info})
    for chunk in rechunk(repeated(rec, 20), sizes=[1]):
        ours.push(chunk)
        ours.forget(chunk.last_ns - 30 * NS)
        assert len(ours._rows) < 60


def test_stands_in_for_a_waveform_and_does_not_hold_it_up():
    rr = stream("rr")[0].info
    ppg = StreamInfo("w.ppg", spec("ppg", 64))
    assert "intervals" in _binding.usual({rr.id: rr})
    assert "intervals" not in _binding.usual({rr.id: rr, ppg.id: ppg})
