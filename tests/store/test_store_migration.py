"""Files of every earlier schema open, as they were, and go on."""

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from recorders import ACC, ECG, T0, frame

from feltsense.core.chunk import Chunk, Gap, GapReason, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.errors import KeyStoreError, RecordingError
from feltsense.store import DataKey, Reader, Writer, key_id, read
from feltsense.store.schema import checksum
from same_recording import assert_same

SCHEMA_1 = Path(__file__).parents[1] / "data" / "schema_1.felt"
"""Written by the program of that time, with the calls that `expected` repeats."""
RR = StreamInfo("h10.rr", spec("rr", None), "Polar H10")


def expected():
    late = Chunk(ECG, 1, 0, np.arange(50) / 7, TimeMap.uniform(T0 + 60 * NS, ECG.spec.rate), Gap(100, 101, GapReason.LINK))
    streams = {
        ECG.id: Stream.from_chunks(ECG, [*(frame(ECG, k) for k in range(12)), late]),
        ACC.id: Stream.from_chunks(ACC, [frame(ACC, k) for k in range(12)]),
        RR.id: Stream.from_chunks(
            RR, [Chunk(RR, 0, 0, np.array([0.8, np.nan, 0.81]), TimeMap.irregular(T0 + np.arange(3) * NS))]
        ),
    }
    events = tuple(Event(T0 + k, EventKind.MARKER, float(k), f"mark {k}") for k in range(12))
    return Recording("P 07 ä", streams, events, {"firmware": "1.2", "sensor": "Polar H10 0A1B2C3D"})


def test_schema_1_reads_as_it_was_written_and_stays_as_it_is():
    before = SCHEMA_1.read_bytes()
    assert_same(read(SCHEMA_1), expected())
    assert key_id(SCHEMA_1) is None
    with Reader(SCHEMA_1) as file:
        part = file.between(T0 + 2 * NS - 1000, T0 + 3 * NS - 1000, [ECG.id])
    np.testing.assert_array_equal(part.stream(ECG.id).segments[0].values[:, 0], np.arange(260, 390))
    assert SCHEMA_1.read_bytes() == before


def test_schema_1_goes_on(tmp_path):
    path = tmp_path / "old.felt"
    path.write_bytes(SCHEMA_1.read_bytes())
    with Writer.resume(path) as writer:
        writer.declare(ECG)
        writer.append(Chunk(ECG, 0, 0, np.ones(130), TimeMap.uniform(T0 + 70 * NS, ECG.spec.rate)))
        writer.event(Event(T0, EventKind.NOTE, 0.0, "later"))
    back = read(path)
    old = expected()
    for name, stream in old.streams.items():
        for was, now in zip(stream.segments, back.stream(name).segments, strict=name != ECG.id):
            assert was.values.tobytes() == now.values.tobytes()
            np.testing.assert_array_equal(was.time.times(0, len(was.values)), now.time.times(0, len(now.values)))
    added = back.stream(ECG.id).segments[-1]
    assert (added.number, len(added.values), added.gap.reason) == (2, 130, GapReason.RESTART)
    assert len(back.events) == len(old.events) + 1
    with pytest.raises(RecordingError, match="damaged"):
        _without_the_last_row(path)


def _without_the_last_row(path):
    import sqlite3

    db = sqlite3.connect(path)
    db.execute("DELETE FROM chunk WHERE key = (SELECT max(key) FROM chunk)")
    db.commit()
    db.close()
    read(path)


def test_schema_1_is_never_taken_for_encrypted(tmp_path):
    path = tmp_path / "old.felt"
    path.write_bytes(SCHEMA_1.read_bytes())
    with pytest.raises(KeyStoreError, match="not encrypted"):
        Writer.resume(path, DataKey.new())
    with pytest.raises(KeyStoreError, match="not encrypted"):
        read(path, DataKey.new())
    assert path.read_bytes() == SCHEMA_1.read_bytes()


def test_a_file_that_counts_less_of_itself_reads_and_goes_on(tmp_path):
    path = tmp_path / "early.felt"
    with Writer(path, "P", {"firmware": "1"}) as writer:
        writer.declare(ECG)
        writer.append(frame(ECG, 0))
    db = sqlite3.connect(path, isolation_level=None)
    (text,) = db.execute("SELECT value FROM total").fetchone()
    early = json.dumps({k: v for k, v in json.loads(text).items() if k not in ("about", "metadata")})
    db.execute("UPDATE total SET value = ?, crc = ?", (early, checksum(early)))
    db.close()
    assert read(path).metadata == {"firmware": "1"}
    with Writer.resume(path) as writer:
        writer.event(Event(T0, EventKind.NOTE, 0.0, "on"))
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("DELETE FROM metadata")
    db.close()
    with pytest.raises(RecordingError, match="table metadata has 0 rows of 1"):
        read(path)
