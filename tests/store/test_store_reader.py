"""Reading a part gives what the whole has there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Stream
from feltsense.core.timeline import NS
from feltsense.errors import RecordingError, UnknownNameError
from feltsense.store import DataKey, Reader, read, write
from same_recording import T0, infos, live_chunks

KEY = DataKey.new()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    rng = np.random.default_rng(5)
    streams = {i.id: Stream.from_chunks(i, live_chunks(i, rng, segments=4, samples=3000)) for i in infos()}
    events = tuple(Event(T0 + k * NS, EventKind.NOTE, k, "n") for k in range(200))
    path = tmp_path_factory.mktemp("reader") / "s.felt"
    write(path, Recording("P", streams, events, {"a": "b"}), key=KEY)
    return path


@settings(max_examples=60)
@given(start=st.floats(-5, 800), length=st.floats(0, 200))
def test_any_span(file, start, length):
    whole = read(file, KEY)
    a = T0 + int(start * NS)
    b = a + int(length * NS)
    with Reader(file, KEY) as reader:
        assert set(reader.infos) == set(whole.streams)
        part = reader.between(a, b)
    assert part.events == tuple(e for e in whole.events if a <= e.t_ns < b)
    for name, stream in whole.streams.items():
        expected, got = [], []
        for source, out in ((stream, expected), (part.streams.get(name), got)):
            for s in source.segments if source else ():
                t = s.time.times(0, len(s.values))
                d = s.time.device_times(0, len(s.values))
                inside = (t >= a) & (t < b)
                if inside.any():
                    gap = s.gap if inside[0] else None
                    out.append((s.number, gap, s.values[inside].tobytes(), t[inside].tobytes(), d[inside].tobytes()))
        assert got == expected


def test_only_some_streams_and_unknown_ones(file):
    with Reader(file, KEY) as reader:
        (name,) = reader.between(0, 2**62, ["h10.rr"]).streams
        assert name == "h10.rr"
        with pytest.raises(UnknownNameError, match="pulse"):
            reader.between(0, 1, ["pulse"])


def test_damage_elsewhere_does_not_matter_and_here_it_does(file, tmp_path):
    import sqlite3

    path = tmp_path / "d.felt"
    path.write_bytes(file.read_bytes())
    db = sqlite3.connect(path)
    key, to = db.execute("SELECT key, to_ms FROM chunk WHERE stream = 1 ORDER BY key LIMIT 1").fetchone()
    db.execute("UPDATE chunk SET body = zeroblob(length(body)) WHERE key = ?", (key,))
    db.commit()
    db.close()
    origin = min(s.start_ns for s in read(file, KEY).streams.values())
    with Reader(path, KEY) as reader:
        reader.between(origin + (to + 2000) * 10**6, 2**62, ["h10.ecg"])
        with pytest.raises(RecordingError, match=f"table chunk, row {key}"):
            reader.between(0, 2**62, ["h10.ecg"])
    with pytest.raises(RecordingError):
        read(path, KEY)
