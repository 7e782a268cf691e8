"""Compare recordings bit for bit, and make recordings as a live session would."""

import numpy as np

from feltsense.core.chunk import Chunk, Gap, GapReason, StreamInfo
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap

T0 = 1_700_000_000 * NS + 123_456_789
COLUMNS = ("index", "device_ns", "arrival_ns", "t_ns", "unc_ns")


def assert_same(a, b, anchors=True):
    """`a`, which was read, equals `b` in all that it says; `anchors` False: in all times, however anchored."""
    assert a.subject == b.subject
    assert a.events == b.events
    assert dict(a.metadata) == dict(b.metadata)
    assert set(a.streams) == set(b.streams)
    for name, one in a.streams.items():
        other = b.streams[name]
        assert one.info == other.info
        assert [(s.number, s.gap, len(s.values)) for s in one.segments] == [
            (s.number, s.gap, len(s.values)) for s in other.segments
        ]
        for s, t in zip(one.segments, other.segments, strict=True):
            assert s.values.tobytes() == t.values.tobytes()
            assert s.values.shape == t.values.shape
            assert not s.values.flags.writeable
            n = len(s.values)
            np.testing.assert_array_equal(s.time.times(0, n), t.time.times(0, n))
            np.testing.assert_array_equal(s.time.device_times(0, n), t.time.device_times(0, n))
            assert s.time.rate == t.time.rate
            if anchors:
                for column in COLUMNS:
                    np.testing.assert_array_equal(getattr(s.time, column), getattr(t.time, column))


def live_chunks(info, rng, segments=3, samples=200):
    """Chunks as a link makes them: frames of any length, each with the anchors known when it came, gaps between."""
    at = T0 + int(rng.integers(0, NS))
    clock = int(rng.integers(0, 2**40))
    for number in range(segments):
        gap = None
        if number:
            lost = int(rng.integers(0, 50))
            gap = Gap(lost, lost + int(rng.integers(0, 3)), list(GapReason)[rng.integers(len(GapReason))])
            at += int(rng.integers(NS, 20 * NS))
        n = int(rng.integers(1, samples))
        time = _map(info, rng, n, at, clock)
        values = rng.normal(size=(n, info.spec.width))
        values[rng.random(values.shape) < 0.05] = np.nan
        a = 0
        while a < n:
            b = min(n, a + int(rng.integers(1, 40)))
            known = time.between(a, b)
            keep = known.index < b
            yield Chunk(info, number, a, values[a:b], TimeMap(known.rate, *(getattr(known, c)[keep] for c in COLUMNS)),
                        gap if a == 0 else None)  # fmt: skip
            a = b
        at, clock = int(time.t_ns[-1]), int(time.device_ns[-1])


def _map(info, rng, n, at, clock):
    rate = info.spec.rate
    if rate is None:
        index = np.arange(n)
        steps = rng.integers(NS // 4, 3 * NS, n)
    else:
        index = np.unique(np.concatenate([[0], rng.integers(0, n, max(1, n // 20))]))
        period = NS * rate.denominator // rate.numerator
        steps = np.diff(index, prepend=0) * (period + int(rng.integers(-1000, 1000)))
    device = clock + np.cumsum(steps)
    t = np.maximum.accumulate(at + np.cumsum(steps) + rng.integers(0, 1000, len(index)))
    return TimeMap(rate, index, device, t + rng.integers(0, 10**8, len(index)), t, rng.integers(0, 10**7, len(index)))


def infos():
    """A session's streams: one channel, three channels, a rate that is no integer, and no rate."""
    return (
        StreamInfo("h10.ecg", spec("ecg", 130), "Polar H10 ÄÖ"),
        StreamInfo("h10.acc", spec("acc", "12773/500"), "Polar H10 ÄÖ"),
        StreamInfo("board.eda", spec("eda", 4)),
        StreamInfo("h10.rr", spec("rr", None), "Polar H10 ÄÖ"),
    )
