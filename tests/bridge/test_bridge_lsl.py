"""A Lab Streaming Layer outlet as chunks: the account on stamps made by hand, and an outlet in the same process."""

import os
import sys
import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.chunk import GapReason, StreamInfo
from feltsense.core.recording import Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS
from feltsense.errors import InputError, LinkError, MissingExtraError
from feltsense_bridge.errors import LostError, NotFoundError
from feltsense_bridge.lsl_account import OFFSET_NS, LslAccount
from feltsense_bridge.transport_lsl import LslInlet

T0 = 1_700_000_000 * NS
RATE = 100
STEP = NS // RATE
READS = 400
"""Reads of at most 0.1 s before a test gives up."""


def account(jitter=0.0, signal="ecg", rate=RATE):
    return LslAccount(StreamInfo("lsl.x", spec(signal, rate)), jitter)


def push(target, places, arrival_ns=T0):
    stamps = np.array(places, dtype=np.int64) * STEP + NS
    return target.push(np.array(places, dtype=float)[:, None], stamps, T0, arrival_ns)


# ---------------------------------------------------------------- the account


def test_times_are_the_stamps_moved_by_the_offset():
    target = account()
    [chunk] = push(target, range(5))
    assert (chunk.segment, chunk.start, chunk.gap) == (0, 0, None)
    np.testing.assert_array_equal(chunk.time.times(0, 5), T0 + NS + np.arange(5) * STEP)
    np.testing.assert_array_equal(chunk.time.device_times(0, 5), NS + np.arange(5) * STEP)
    assert chunk.time.uncertainty(3) == OFFSET_NS


def test_a_hole_in_the_stamps_is_a_gap_that_is_counted():
    target = account()
    chunks = push(target, [0, 1, 2, 5, 6])
    assert [len(c) for c in chunks] == [3, 2]
    gap = chunks[1].gap
    assert (gap.samples, gap.upper, gap.reason) == (2, 2, GapReason.LINK)
    counters = target.counters
    assert (counters.received, counters.missing, counters.missing_upper, counters.gaps) == (5, 2, 2, 1)


@given(st.integers(7, 5000))
@settings(max_examples=60, deadline=None)
def test_bounds_hold_the_truth_under_jitter(lost):
    target = account(jitter=0.05)
    [_, after] = push(target, [0, 1, 2, 3 + lost])
    assert 1 <= after.gap.samples <= lost <= after.gap.upper


def test_jitter_is_no_gap():
    target = account(jitter=0.05)
    stamps = np.array([0, 10, 45, 45, 46, 50, 60]) * (NS // 1000)
    [chunk] = target.push(np.zeros((7, 1)), stamps, T0, T0)
    assert len(chunk) == 7
    # A little back is jitter, too; session time waits.
    [chunk] = target.push(np.zeros((1, 1)), np.array([40_000_000]), T0, T0)
    assert chunk.segment == 0
    assert chunk.time.times(7, 8) == [T0 + 60_000_000]


def test_a_clock_that_began_anew_is_a_new_segment_of_unknown_loss():
    target = account()
    push(target, range(500, 510), T0)
    # Two seconds and an offset's uncertainty later, at 102 samples a second at most.
    [chunk] = push(target, range(3), T0 + NS + 509 * STEP + 2 * NS)
    assert (chunk.segment, chunk.gap.samples, chunk.gap.upper, chunk.gap.reason) == (1, 0, 211, GapReason.RESTART)
    assert (np.diff(chunk.time.times(0, 3)) >= 0).all()
    assert chunk.time.time_at(0) >= T0 + NS + 509 * STEP


def test_an_outage_is_a_segment_even_if_nothing_is_missing():
    target = account()
    push(target, range(10))
    target.interrupt()
    [chunk] = push(target, range(10, 12))
    assert (chunk.gap.samples, chunk.gap.upper, chunk.gap.reason) == (0, 0, GapReason.DISCONNECT)
    target = account(signal="rr", rate=None)
    push(target, [0, 80])
    target.interrupt()
    [chunk] = push(target, [480])
    assert chunk.gap.samples == 0
    assert chunk.gap.upper >= 15


@given(st.lists(st.integers(-30, 60), min_size=1, max_size=40), st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_cuts_change_nothing(steps, seed):
    places = np.cumsum(np.array(steps)) + 2000
    cuts = np.unique(np.random.default_rng(seed).integers(0, len(places), 5))
    whole, cut = account(jitter=0.02), account(jitter=0.02)
    parts = [c for part in np.split(places, cuts) for c in push(cut, part)]
    a, b = (Stream.from_chunks(whole.info, chunks) for chunks in (push(whole, places), parts))
    assert len(a.segments) == len(b.segments)
    for one, other in zip(a.segments, b.segments, strict=True):
        n = len(one.values)
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_array_equal(one.time.times(0, n), other.time.times(0, n))
        assert one.gap == other.gap
    assert (whole.counters.received, whole.counters.missing) == (cut.counters.received, cut.counters.missing)


# ---------------------------------------------------------------- with LSL


@pytest.fixture(scope="module")
def lsl(tmp_path_factory):
    # This machine only: by itself LSL asks the whole site by multicast. The library reads this when it is loaded.
    config = tmp_path_factory.mktemp("lsl") / "lsl_api.cfg"
    config.write_text("[multicast]\nResolveScope = machine\n[ports]\nIPv6 = disable\n")
    os.environ["LSLAPICFG"] = str(config)
    reason = 'pylsl is not installed: pip install "feltsense[lsl]"'
    library = pytest.importorskip("pylsl", reason=reason, exc_type=Exception)
    probe = f"feltsense-{uuid.uuid4().hex}"
    there = outlet(library, probe)
    if not library.resolve_byprop("name", probe, 1, 10):
        pytest.skip("LSL finds no outlet of its own process: this machine lets it not even ask itself")
    del there
    return library


@pytest.fixture
def name():
    # Unique: other outlets may be in the network.
    return f"feltsense-{uuid.uuid4().hex}"


def outlet(lsl, name, channels=1, rate=RATE, form="float32"):
    return lsl.StreamOutlet(lsl.StreamInfo(name, "test", channels, rate, form, name))


def send(out, values, places):
    for row, place in zip(values, places, strict=True):
        out.push_sample(row, 1000 + place / RATE)


def read(inlet, n):
    chunks = []
    for _ in range(READS):
        chunks += inlet.read(0.1)
        if sum(map(len, chunks)) >= n:
            return chunks
    pytest.fail(f"of {n} samples {sum(map(len, chunks))} came")


def test_an_outlet_becomes_chunks(lsl, name):
    out = outlet(lsl, name, channels=3)
    inlet = LslInlet(name, "ecg", scale=0.001, columns=[1], jitter=0)
    info = inlet.open(20)
    assert (info.id, info.spec.rate, info.device) == ("lsl.ecg", RATE, name)
    assert inlet.read(0) == []
    values = np.arange(300).reshape(100, 3).astype(float)
    values[7, 1] = np.inf
    places = [*range(60), *range(75, 115)]
    send(out, values.tolist(), places)
    stream = Stream.from_chunks(info, read(inlet, 100))
    inlet.close()
    assert [len(s.values) for s in stream.segments] == [60, 40]
    got = np.concatenate([s.values for s in stream.segments])[:, 0]
    assert np.isnan(got[7])
    np.testing.assert_allclose(np.delete(got, 7), np.delete(values[:, 1] / 1000, 7))
    device = np.concatenate([s.time.device_times(0, len(s.values)) for s in stream.segments])
    np.testing.assert_allclose(device, 1000 * NS + np.array(places) * STEP, atol=1000)
    gap = stream.segments[1].gap
    assert (gap.samples, gap.upper) == (15, 15)
    assert inlet.counters.received == 100


def test_stamps_of_now_lie_between_before_and_after(lsl, name):
    clock = iter([T0])
    out = outlet(lsl, name)
    inlet = LslInlet(name, "ecg", scale=1)
    start = lsl.local_clock()
    inlet.open(20, lambda: next(clock))
    opened = lsl.local_clock()
    stamp = lsl.local_clock()
    out.push_sample([1.0], stamp)
    [chunk] = read(inlet, 1)
    inlet.close()
    # T0 is some moment between `start` and `opened`; one machine's clock offset is next to nothing.
    t = chunk.time.time_at(0)
    assert T0 + (stamp - opened) * NS - OFFSET_NS <= t <= T0 + (stamp - start) * NS + OFFSET_NS


def test_an_outlet_that_ends_and_comes_again(lsl, name):
    out = outlet(lsl, name)
    inlet = LslInlet(name, "ecg", scale=1, by="source_id", jitter=0)
    inlet.open(20)
    send(out, [[float(k)] for k in range(10)], range(10))
    first = read(inlet, 10)
    del out
    with pytest.raises(LostError, match="open the stream again"):
        read(inlet, 1)
    with pytest.raises(LostError, match="closed"):
        inlet.read(0)
    out = outlet(lsl, name)
    inlet.open(20)
    send(out, [[10.0], [11.0]], [15, 16])
    second = read(inlet, 2)
    inlet.close()
    gap = second[0].gap
    assert (second[0].segment, gap.samples, gap.upper, gap.reason) == (first[-1].segment + 1, 5, 5, GapReason.DISCONNECT)


def test_what_does_not_fit_is_said(lsl, name):
    def refusal(signal, **options):
        out = outlet(lsl, name, **options)
        with pytest.raises(InputError) as caught:
            LslInlet(name, signal, scale=1).open(20)
        del out
        return str(caught.value)

    assert "3 channels" in refusal("ecg", channels=3)
    assert "nominal rate" in refusal("ecg", rate=0)
    assert "text" in refusal("ecg", form="string")
    with pytest.raises(NotFoundError, match="multicast"):
        LslInlet("feltsense-nobody", "ecg", scale=1).open(0.1)


def test_arguments_that_make_no_sense(lsl):
    for options in ({"scale": 0}, {"scale": float("nan")}, {"scale": 1, "jitter": -1}, {"scale": 1, "by": "colour"}):
        with pytest.raises(InputError):
            LslInlet("x", "ecg", **options)
    with pytest.raises(InputError, match="has not been opened"):
        LslInlet("x", "ecg", scale=1).read()


def test_without_pylsl_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(MissingExtraError, match=r"feltsense\[lsl\]"):
        LslInlet("x", "ecg", scale=1)
    assert issubclass(LostError, LinkError)
