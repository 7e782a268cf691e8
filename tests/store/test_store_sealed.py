"""An encrypted recording: the same recording with the key, and nothing without it."""

import sqlite3

import numpy as np
import pytest
from mutated_files import mend_checksums

from feltsense.core.chunk import Chunk, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.errors import KeyStoreError, RecordingError
from feltsense.store import DataKey, Reader, Writer, key_id, read, seal, write
from same_recording import T0, assert_same, infos, live_chunks

KEY = DataKey("00ff00ff00ff00ff", bytes(range(32)))
WORDS = ("participant-seventeen", "Polar H10", "firmware-9.9", "argument with", "skin_temperature", "wrist.eda", "marker")


def secret_recording():
    """A recording whose every text and number can be searched for."""
    eda = StreamInfo("wrist.eda", spec("eda", 4), "Polar H10")
    temperature = StreamInfo("wrist.temp", spec("skin_temperature", 1), "Polar H10")
    ramp = 3.0 + np.arange(4000) / 977
    chunks = [Chunk(eda, 0, 0, ramp, TimeMap.uniform(T0, eda.spec.rate))]
    warm = [Chunk(temperature, 0, 0, np.full(900, 33.25), TimeMap.uniform(T0, temperature.spec.rate))]
    return Recording(
        WORDS[0],
        {eda.id: Stream.from_chunks(eda, chunks), temperature.id: Stream.from_chunks(temperature, warm)},
        (Event(T0 + 7, EventKind.MARKER, 2.5, "argument with M."),),
        {"firmware": WORDS[2]},
    )


def needles(recording):
    """What of a recording must not be found in a file: texts, values and times, as they would lie there."""
    for word in WORDS:
        yield word.encode()
    for stream in recording.streams.values():
        for segment in stream.segments:
            yield segment.values[:4].tobytes()
            yield np.array([segment.time.time_at(0)], "<i8").tobytes()
            yield np.array([segment.time.time_at(0)], ">i8").tobytes()


def everything(path):
    return b"".join(p.read_bytes() for p in sorted(path.parent.iterdir()))


def test_nothing_readable_is_in_the_file_or_its_log_at_any_time(tmp_path):
    path, plain = tmp_path / "a" / "s.felt", tmp_path / "b" / "s.felt"
    path.parent.mkdir()
    plain.parent.mkdir()
    recording = secret_recording()
    seen = []
    for where, key in ((path, KEY), (plain, None)):
        with Writer(where, recording.subject, recording.metadata, key) as writer:
            for stream in recording.streams.values():
                writer.declare(stream.info)
            for item in recording.items():
                writer.append(item) if isinstance(item, Chunk) else writer.event(item)
                writer.commit()
            seen.append(everything(where))
        seen[-1] += everything(where)
    for word in WORDS:
        assert word.encode() in seen[1], "the search itself would find it"
    for needle in needles(recording):
        assert needle not in seen[0]
    assert_same(read(path, KEY), recording)


def test_any_chunks_come_back_bit_for_bit_and_parts_of_them(tmp_path):
    for seed in range(8):
        rng = np.random.default_rng(seed)
        path = tmp_path / f"{seed}.felt"
        streams = {i.id: Stream.from_chunks(i, live_chunks(i, rng)) for i in infos()}
        expected = Recording("P", streams, (), {"a": "b"})
        with Writer(path, "P", {"a": "b"}, KEY) as writer:
            for stream in expected.streams.values():
                writer.declare(stream.info)
                for n, chunk in enumerate(stream.chunks(0.7)):
                    writer.append(chunk)
                    if n % 3 == 0:
                        writer.commit()
        assert_same(read(path, KEY), expected)
        assert key_id(path) == KEY.id


def test_the_key_must_be_the_one(tmp_path):
    path = tmp_path / "s.felt"
    write(path, secret_recording(), key=KEY)
    before = path.read_bytes()
    for opens in (read, Reader, Writer.resume):
        with pytest.raises(KeyStoreError, match="is encrypted with key 00ff"):
            opens(path)
        with pytest.raises(KeyStoreError, match="not with"):
            opens(path, DataKey.new())
        with pytest.raises(RecordingError, match="seal does not open"):
            opens(path, DataKey(KEY.id, bytes(32)))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["s.felt"]


def test_resume_goes_on_sealed(tmp_path):
    path = tmp_path / "s.felt"
    recording = secret_recording()
    write(path, recording, key=KEY)
    info = recording.stream("wrist.eda").info
    with Writer.resume(path, KEY) as writer:
        writer.declare(info)
        writer.append(Chunk(info, 0, 0, np.full(8, 7.125), TimeMap.uniform(T0 + 5000 * NS, info.spec.rate)))
        writer.event(Event(T0, EventKind.NOTE, 0.0, "argument with N."))
    assert read(path, KEY).account()["wrist.eda"].received == 4008
    assert not [n for n in needles(recording) if n in everything(path)]


SWAPS = (
    "UPDATE chunk SET body = (SELECT body FROM chunk c WHERE c.key = 3) WHERE key = 2",
    "UPDATE chunk SET n = n + 1 WHERE key = 2",
    "UPDATE chunk SET segment = 1, start = 0 WHERE key = 2",
    "UPDATE chunk SET at_ms = at_ms + 1 WHERE key = 2",
    "UPDATE event SET body = (SELECT body FROM stream WHERE key = 1)",
    "UPDATE lock SET recording = 'other'",
)


@pytest.mark.parametrize("sql", SWAPS)
def test_rows_that_were_moved_do_not_open_even_with_a_checksum_that_fits(tmp_path, sql):
    path = tmp_path / "s.felt"
    write(path, secret_recording(), key=KEY)
    db = sqlite3.connect(path)
    db.execute(sql)
    mend_checksums(db)
    db.commit()
    db.close()
    with pytest.raises(RecordingError, match="seal does not open"):
        read(path, KEY)


def test_a_plain_row_in_a_sealed_recording_is_refused(tmp_path):
    path = tmp_path / "s.felt"
    write(path, secret_recording(), key=KEY)
    db = sqlite3.connect(path)
    db.execute("UPDATE event SET t_ns = 5, kind = 'note', text = 'forged', body = NULL")
    mend_checksums(db)
    db.commit()
    db.close()
    with pytest.raises(RecordingError, match="is not sealed in a recording that is"):
        read(path, KEY)


class Broken:
    """A library that encrypts nothing."""

    def __init__(self, key):
        pass

    def encrypt(self, nonce, plain, place):
        return plain + bytes(16)

    def decrypt(self, nonce, sealed, place):
        return sealed[:-16]


def test_encryption_that_is_not_in_force_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "s.felt"
    monkeypatch.setattr(seal, "_aesgcm", Broken)
    with pytest.raises(RecordingError, match="not in force"):
        Writer(path, "S", None, KEY)
    # Even where the library looks right, the file is looked into before anything is recorded.
    monkeypatch.undo()
    monkeypatch.setattr("feltsense.store.rows.Rows._row", _plainly)
    with pytest.raises(RecordingError, match="not in force"):
        Writer(path, "S", None, KEY)
    assert not path.exists()


def _plainly(self, table, key, fields):
    from feltsense.store.rows import row_sum

    return (*fields, None, row_sum(table, list(fields), None))
