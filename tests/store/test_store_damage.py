"""Whatever is wrong with a file: one error, one line, which says what, where and what to do."""

import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Stream
from feltsense.errors import RecordingError
from feltsense.store import Writer, is_felt, read, write
from feltsense.store.rows import COLUMNS
from feltsense.store.schema import checksum
from same_recording import T0, assert_same, infos, live_chunks


class Good(tuple):
    """(recording, bytes of its file), with a name that fits in a report."""

    def __repr__(self):
        return "good"


@pytest.fixture(scope="module")
def good():
    """A recording, and its file's bytes."""
    rng = np.random.default_rng(3)
    streams = {i.id: Stream.from_chunks(i, live_chunks(i, rng)) for i in infos()}
    recording = Recording("S01", streams, tuple(Event(T0 + k, EventKind.NOTE, k, "n" * k) for k in range(40)), {"a": "b"})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "good.felt")
        write(path, recording)
        yield Good((recording, path.read_bytes()))


@pytest.fixture
def path(tmp_path, good):
    path = tmp_path / "s.felt"
    path.write_bytes(good[1])
    return path


def refused(path, *words):
    with pytest.raises(RecordingError) as e:
        read(path)
    message = str(e.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    for word in words:
        assert word in message
    return message


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00", b"hello\n" * 100, b"PK\x03\x04", bytes(200)])
def test_foreign_files(tmp_path, content):
    path = tmp_path / "x.felt"
    path.write_bytes(content)
    refused(path, "feltsense import")
    assert not is_felt(path)
    with pytest.raises(RecordingError, match="feltsense import"):
        Writer.resume(path)
    assert path.read_bytes() == content


def test_a_foreign_database(tmp_path):
    path = tmp_path / "x.felt"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE chunk (a)")
    db.close()
    refused(path, "not a .felt file")


def test_missing_folder_and_impossible_names(tmp_path):
    refused(tmp_path / "no.felt", "cannot be read", "check the name")
    refused(tmp_path, "is a folder")
    refused(tmp_path / "a\0b", "cannot be read")
    assert not is_felt(tmp_path)


@pytest.mark.parametrize("keep", [0.02, 0.3, 0.5, 0.9, 0.99])
def test_a_truncated_file(path, good, keep):
    path.write_bytes(good[1][: int(len(good[1]) * keep)])
    refused(path, "cut off" if keep > 0.02 else "")


def change(path, sql, *values):
    db = sqlite3.connect(path)
    db.execute(sql, values)
    db.commit()
    db.close()


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE chunk SET data = zeroblob(length(data)) WHERE key = 5", ("table chunk, row 5", "checksum")),
        ("UPDATE chunk SET anchors = zeroblob(40) WHERE key = 5", ("table chunk, row 5", "checksum")),
        ("UPDATE chunk SET gap_samples = gap_samples + 1 WHERE gap_samples IS NOT NULL", ("table chunk", "checksum")),
        ("UPDATE stream SET rate = '65/1' WHERE key = 1", ("table stream, row 1", "checksum")),
        ("UPDATE event SET text = 'x' WHERE key = 3", ("table event, row 3", "checksum")),
        ("UPDATE metadata SET value = 'x'", ("table metadata, row 1", "checksum")),
        ("DELETE FROM chunk WHERE key = 1", ("table chunk has", "but the last is row")),
        ("DELETE FROM event WHERE key = 7", ("table event has 39 rows, but the last is row 40",)),
        ("DELETE FROM stream WHERE key = 1", ("table stream has 3 rows",)),
        ("DELETE FROM stream WHERE key = 4", ("table chunk names stream 4",)),
        ("DELETE FROM event WHERE key = 40", ("table event has 39 rows of 40",)),
        ("DELETE FROM chunk WHERE key = (SELECT max(key) FROM chunk)", ("table chunk has",)),
        ("DELETE FROM total", ("table total has no row",)),
        ("DELETE FROM about", ("no subject",)),
        ("DROP TABLE event", ("no such table: event",)),
        ("ALTER TABLE event DROP COLUMN text", ("no such column: text",)),
        ("PRAGMA user_version = 9", ("schema 9", "reads up to 2", "update feltsense")),
        ("PRAGMA user_version = 0", ("schema version is 0",)),
    ],
)
def test_altered_rows(path, sql, words):
    # Many rows a segment, so that single ones can be missed.
    recording = read(path)
    path.unlink()
    with Writer(path, recording.subject, recording.metadata) as writer:
        for stream in recording.streams.values():
            writer.declare(stream.info)
            for chunk in stream.chunks(0.2):
                writer.append(chunk)
        for event in recording.events:
            writer.event(event)
    assert_same(read(path), recording)
    change(path, sql)
    refused(path, *words)


@pytest.mark.parametrize(
    ("table", "changes", "words"),
    [
        ("chunk", {"codec": "zstd"}, ("row 1", "codec 'zstd'", "update feltsense")),
        ("chunk", {"sealed": 1}, ("row 1", "encrypted", "update feltsense")),
        ("chunk", {"n": 1}, ("row 1", "that the row has")),
        ("chunk", {"n": -1}, ("row 1", "does not continue")),
        ("chunk", {"start": 7}, ("row 1", "does not continue")),
        ("chunk", {"data": b"123"}, ("row 1",)),
        ("chunk", {"anchors": b""}, ("row 1", "at least one anchor")),
        ("chunk", {"anchors": b"1" * 17}, ("row 1",)),
        ("chunk", {"map_rate": ""}, ("row 1", "irregular")),
        ("chunk", {"map_rate": "1/0"}, ("row 1",)),
        ("chunk", {"gap_reason": "aliens", "gap_samples": 1, "gap_upper": 1}, ("row 1", "aliens")),
        ("chunk", {"gap_reason": "link", "gap_samples": None}, ("row 1",)),
        ("stream", {"kind": "aura"}, ("kind 'aura'", "update feltsense")),
        ("stream", {"unit": "V"}, ("row 1", "in V")),
        ("stream", {"rate": "fast"}, ("row 1", "fast")),
        ("stream", {"rate": "1/0"}, ("row 1",)),
        ("event", {"kind": "party"}, ("row 1", "party")),
    ],
)
def test_rows_that_are_whole_but_make_no_sense(path, table, changes, words):
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    row = dict(db.execute(f"SELECT * FROM {table} WHERE key = 1").fetchone()) | changes  # noqa: S608
    fields = [row[name] for name in COLUMNS[table]]
    sets = ", ".join(f"{name} = ?" for name in COLUMNS[table])
    db.execute(f"UPDATE {table} SET {sets}, crc = ? WHERE key = 1", (*fields, checksum(*fields)))  # noqa: S608
    db.commit()
    db.close()
    refused(path, *words)


def refused_or_same(path, recording):
    try:
        back = read(path)
    except RecordingError:
        refused(path)
    else:
        assert_same(back, recording)


@settings(max_examples=150)
@given(data=st.data())
def test_mutated_files_are_refused_or_the_same(good, data):
    recording, content = good
    mutated = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        mutated[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    if data.draw(st.booleans()):
        del mutated[data.draw(st.integers(0, len(mutated))) :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.felt")
        path.write_bytes(mutated)
        refused_or_same(path, recording)


@settings(max_examples=150)
@given(st.integers(0, 10**6), st.integers(0, 255))
def test_a_flipped_byte_is_noticed_or_changes_nothing(good, at, value):
    recording, content = good
    at %= len(content)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.felt")
        path.write_bytes(content[:at] + bytes([value]) + content[at + 1 :])
        refused_or_same(path, recording)
        with suppress(RecordingError):
            Writer.resume(path).close()
