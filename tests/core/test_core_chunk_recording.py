"""Chunks are contiguous and frozen; a recording accounts for every sample and plays in any cut."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feltsense.core.chunk import Chunk, Gap, GapReason, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Order, Recording, Segment, Stream
from feltsense.core.signals import CATALOGUE, IRREGULAR, UNITS, spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.errors import InputError, RecordingError, UnknownNameError

EDA = StreamInfo("board.eda", spec("eda", 4))
ACC = StreamInfo("board.acc", spec("acc", 32))


def chunk(start=0, n=4, segment=0, gap=None, info=EDA):
    values = np.arange(start, start + n * info.spec.width, dtype=float).reshape(n, info.spec.width)
    return Chunk(info, segment, start, values, TimeMap.uniform(0, info.spec.rate), gap)


def test_every_kind_has_a_known_unit_and_a_range():
    for kind in CATALOGUE.values():
        assert kind.unit in UNITS
        assert kind.low < kind.high
        assert kind.channels


def test_rates_are_exact_and_never_made_up():
    assert spec("eda", 4.0).rate == 4
    assert spec("acc", 32.25).rate == Fraction(129, 4)
    assert spec("rr", IRREGULAR).rate is None
    with pytest.raises(ValueError, match="no rate"):
        _ = spec("rr", IRREGULAR).hz
    for bad in (0, -1, float("nan"), float("inf"), "x"):
        with pytest.raises(ValueError, match="positive and finite"):
            spec("eda", bad)
    with pytest.raises(UnknownNameError, match=r"unknown signal 'gsr'; known: acc, .*eda"):
        spec("gsr", 4)


def test_a_chunk_holds_its_own_frozen_values():
    source = np.ones((3, 1))
    c = Chunk(EDA, 0, 0, source, TimeMap.uniform(0, Fraction(4)))
    source[:] = 9
    assert c.values.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        c.values[0] = 2


def test_chunks_refuse_wrong_shapes_infinities_and_gaps_in_the_middle():
    time = TimeMap.uniform(0, Fraction(32))
    with pytest.raises(ValueError, match=r"board.acc: values must have shape \(n, 3\)"):
        Chunk(ACC, 0, 0, np.ones((4, 2)), time)
    with pytest.raises(ValueError, match="finite, or NaN"):
        Chunk(EDA, 0, 0, np.array([1, np.inf]), time)
    with pytest.raises(ValueError, match="first chunk of a segment"):
        Chunk(EDA, 0, 5, np.ones(3), time, Gap(1, 1, GapReason.LINK))
    with pytest.raises(ValueError, match="samples <= upper"):
        Gap(3, 2, GapReason.LINK)


def test_times_of_a_chunk():
    c = chunk(start=4, n=4)
    assert c.times.tolist() == [NS, NS * 5 // 4, NS * 3 // 2, NS * 7 // 4]
    assert (c.start_ns, c.last_ns, c.stop_ns) == (NS, NS * 7 // 4, 2 * NS)
    part = c.cut(1, 3)
    assert part.times.tolist() == c.times[1:3].tolist()
    assert part.start == 5


def test_a_minute_at_130_hz_ends_after_a_minute():
    info = StreamInfo("h10.ecg", spec("ecg", 130))
    whole = Stream(info, (Segment(np.zeros((7800, 1)), TimeMap.uniform(5, info.spec.rate)),))
    assert whole.stop_ns == 5 + 60 * NS
    assert [*whole.chunks(0.3)][-1].stop_ns == 5 + 60 * NS


def test_received_plus_missing_is_expected():
    gap = Gap(73, 80, GapReason.LINK)
    stream = Stream.from_chunks(EDA, [chunk(0, 4), chunk(4, 4), chunk(0, 10, segment=1, gap=gap)])
    account = stream.account()
    assert (account.received, account.missing, account.missing_upper, account.gaps) == (18, 73, 80, 1)
    assert account.expected == 91
    assert not gap.exact


def test_chunks_that_do_not_continue_are_refused():
    with pytest.raises(RecordingError, match=r"board\.eda: segment 0 continues at sample 6, expected 4"):
        Stream.from_chunks(EDA, [chunk(0, 4), chunk(6, 4)])


def recording(seed=0, seconds=100):
    rng = np.random.default_rng(seed)
    t0 = 1_700_000_000 * NS
    streams = {}
    for info, offset in ((EDA, 0.0), (ACC, 1.3)):
        n = round(info.spec.hz * seconds)
        first = Segment(rng.random((n, info.spec.width)), TimeMap.uniform(t0 + round(offset * NS), info.spec.rate))
        later = TimeMap.uniform(t0 + round((offset + seconds + 7) * NS), info.spec.rate)
        second = Segment(rng.random((n, info.spec.width)), later, Gap(round(7 * info.spec.hz), 300, GapReason.DISCONNECT), 1)
        streams[info.id] = Stream(info, (first, second))
    events = (Event(t0 + 50 * NS, EventKind.MARKER), Event(t0 + 20 * NS, EventKind.NOTE, text="a"))
    return Recording("P01", streams, events)


@given(st.floats(0.01, 400))
def test_any_cut_joins_to_the_same_recording(seconds):
    original = recording()
    pieces = list(original.chunks(seconds))
    order = Order()
    known = [order.key(p) for p in pieces]
    assert known == sorted(known)
    for stream_id, stream in original.streams.items():
        again = Stream.from_chunks(stream.info, [p for p in pieces if p.stream.id == stream_id])
        for a, b in zip(stream.segments, again.segments, strict=True):
            assert np.array_equal(a.values, b.values)
            assert np.array_equal(a.time.times(0, len(a.values)), b.time.times(0, len(b.values)))
            assert a.gap == b.gap


def test_items_come_in_the_order_in_which_they_were_known():
    items = list(recording().items(3.0))
    order = Order()
    known = [order.key(i) for i in items]
    assert known == sorted(known)
    assert sum(isinstance(i, Event) for i in items) == 2


def test_an_empty_recording_says_so():
    empty = Recording("P01", {"board.eda": Stream(EDA, ())})
    assert not empty.streams
    with pytest.raises(RecordingError, match="'P01' holds no samples"):
        _ = empty.start_ns
    with pytest.raises(InputError, match="unknown stream"):
        empty.stream("x.y")


def test_irregular_streams_are_cut_by_time():
    info = StreamInfo("strap.rr", spec("rr", IRREGULAR))
    t = np.cumsum(np.full(50, 800_000_000))
    stream = Stream(info, (Segment(np.full((50, 1), 0.8), TimeMap.irregular(t)),))
    pieces = list(stream.chunks(5.0))
    assert sum(len(p) for p in pieces) == 50
    assert np.array_equal(np.concatenate([p.times for p in pieces]), t)


@given(st.floats(0.3, 50))
def test_a_stream_that_came_back_is_known_before_whatever_another_stream_completes_later(seconds):
    original = recording()
    back = original.streams["board.eda"].segments[1].time.time_at(0)
    pieces = list(original.chunks(seconds))
    first = next(k for k, p in enumerate(pieces) if p.stream.id == "board.eda" and p.segment == 1)
    assert all(p.last_ns <= back for p in pieces[:first] if p.start)
    assert all(p.last_ns >= back for p in pieces[first:])


def test_a_stall_goes_before_the_segment_that_follows_it_even_if_that_begins_within_a_sample():
    first, second = recording().streams["board.eda"].segments
    whole = first.chunk(EDA, 0, len(first.values))
    close = Segment(second.values, TimeMap.uniform(whole.last_ns + 1, EDA.spec.rate), Gap(0, 0, GapReason.STALL), 1)
    stall = Event(whole.stop_ns, EventKind.STALLED, text="board.eda")
    items = list(Recording("P", {"board.eda": Stream(EDA, (first, close))}, (stall,)).items())
    at = items.index(stall)
    assert items[at - 1].segment == 0
    assert items[at + 1].segment == 1
