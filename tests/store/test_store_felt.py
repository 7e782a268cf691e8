"""What goes into a .felt file comes out, bit for bit, however it was cut."""

import math
import os
import stat
import tempfile
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.chunk import Chunk, Gap, GapReason, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.errors import RecordingError
from feltsense.store import Writer, is_felt, read, write
from feltsense.store import schema as felt_schema
from same_recording import T0, assert_same, infos, live_chunks

EDA = infos()[2]
RR = infos()[3]


def session(seed):
    """Chunks of all streams in a random interleaving, and the recording that they are."""
    rng = np.random.default_rng(seed)
    queues = {i: list(live_chunks(i, rng)) for i in infos()}
    streams = {i.id: Stream.from_chunks(i, q) for i, q in queues.items()}
    kinds = list(EventKind)
    events = tuple(
        Event(T0 + int(rng.integers(10**11)), kinds[rng.integers(len(kinds))], rng.normal(), "äß 心") for _ in "abc"
    )
    chunks = []
    while any(queues.values()):
        left = [q for q in queues.values() if q]
        chunks.append(left[rng.integers(len(left))].pop(0))
    return chunks, Recording("P 01", streams, events, {"firmware": "1.2", "": "\n\0"})


def eda(n=8, start=0, segment=0, gap=None, at=T0):
    return Chunk(EDA, segment, start, np.arange(start, start + n, dtype=float), TimeMap.uniform(at, EDA.spec.rate), gap)


def recording(n=8, **more):
    return Recording("S", {EDA.id: Stream.from_chunks(EDA, [eda(n)])}, **more)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "s.felt"


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_live_chunks_come_back_bit_for_bit(seed):
    chunks, expected = session(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "s.felt")
        with Writer(path, "P 01", expected.metadata) as writer:
            for info in infos():
                writer.declare(info)
            for n, chunk in enumerate(chunks):
                writer.append(chunk)
                if n % 7 == seed % 7:
                    writer.commit()
            for event in expected.events:
                writer.event(event)
        assert_same(read(path), expected)


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 60), min_size=1))
def test_any_cut_of_a_recording_is_the_same_recording(seed, cuts):
    _, expected = session(seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, cut = Path(folder, "whole.felt"), Path(folder, "cut.felt")
        write(whole, expected)
        with Writer(cut, expected.subject, expected.metadata) as writer:
            for stream in expected.streams.values():
                writer.declare(stream.info)
                for segment in stream.segments:
                    a = k = 0
                    while a < len(segment.values):
                        b = min(len(segment.values), a + cuts[k % len(cuts)])
                        writer.append(segment.chunk(stream.info, a, b))
                        a, k = b, k + 1
            for event in expected.events:
                writer.event(event)
        assert_same(read(whole), expected)
        assert_same(read(cut), expected)


@given(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(), st.text(), st.text())
@settings(max_examples=60)
def test_any_event_subject_and_metadata_come_back(t_ns, value, text, subject, key):
    try:
        (text + subject + key).encode()
    except UnicodeEncodeError:
        return
    event = Event(t_ns, EventKind.NOTE, value, text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "s.felt")
        with Writer(path, subject, {key: text}) as writer:
            writer.event(event)
        back = read(path)
    assert (back.events, back.subject, dict(back.metadata)) == ((event,), subject, {key: text})


def test_special_values_keep_their_bits(path):
    odd = np.frombuffer(np.array([0x7FF8_0000_0000_0001, 0xFFF8_0000_DEAD_BEEF, 0x8000_0000_0000_0000, 1], "<u8"), "<f8")
    with Writer(path, "S") as writer:
        writer.declare(EDA)
        writer.append(Chunk(EDA, 0, 0, odd, TimeMap.uniform(T0, EDA.spec.rate)))
    assert read(path).stream(EDA.id).segments[0].values.tobytes() == odd.tobytes()


def test_a_segment_that_lost_everything_keeps_its_gap(path):
    full = Stream.from_chunks(EDA, [eda()])
    empty = Segment(np.empty((0, 1)), TimeMap.uniform(T0 + 9 * NS, EDA.spec.rate), Gap(3, 5, GapReason.LINK), 1)
    expected = Recording("S", {EDA.id: Stream(EDA, (*full.segments, empty))})
    write(path, expected)
    assert_same(read(path), expected)


def test_a_map_of_another_rate_than_the_nominal_one_is_kept(path):
    time = TimeMap.uniform(T0, Fraction(4001, 1000))
    with Writer(path, "S") as writer:
        writer.declare(EDA)
        writer.append(Chunk(EDA, 0, 0, np.zeros(100), time))
    np.testing.assert_array_equal(read(path).stream(EDA.id).segments[0].time.times(0, 100), time.times(0, 100))


def test_what_is_not_committed_is_not_there_and_what_is_can_be_read_during_the_session(path):
    with Writer(path, "S") as writer:
        writer.declare(EDA)
        writer.append(eda(8))
        writer.commit()
        writer.append(eda(4, 8))
        assert read(path).account()[EDA.id].received == 8
    assert read(path).account()[EDA.id].received == 12


def test_an_error_in_the_session_keeps_what_was_recorded(path):
    def interrupted():
        with Writer(path, "S") as writer:
            writer.declare(EDA)
            writer.append(eda(8))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert read(path).account()[EDA.id].received == 8


def test_closed_file_is_one_file_and_reading_leaves_nothing(path):
    write(path, recording())
    before = path.stat()
    read(path)
    assert os.listdir(path.parent) == [path.name]
    assert path.stat() == before or path.stat().st_mtime_ns == before.st_mtime_ns
    assert is_felt(path)


@contextmanager
def powerless(folder):
    """Without the right to write in `folder`: as another user where the tests run as root."""
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="permissions of folders are tested on POSIX")
@pytest.mark.parametrize("crashed", [False, True])
def test_reading_needs_no_permission_to_write(crashed):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "s.felt"
        writer = Writer(folder / "live.felt", "S")
        writer.declare(EDA)
        writer.append(eda(8))
        writer.commit()
        # Copied with its log, without shared memory: what a crash leaves on another machine.
        for suffix in ("", "-wal"):
            Path(f"{path}{suffix}").write_bytes(Path(f"{writer.path}{suffix}").read_bytes())
        writer.close()
        if not crashed:
            Writer.resume(path).close()
        for file in folder.iterdir():
            file.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
        with powerless(folder):
            assert read(path).account()[EDA.id].received == 8
        assert Path(f"{path}-wal").exists() == crashed


class TestWriterRefuses:
    def test_an_existing_file(self, path):
        write(path, recording())
        for attempt in (lambda: Writer(path, "S"), lambda: write(path, recording(4))):
            with pytest.raises(RecordingError, match=r"s\.felt: already exists.*choose another name"):
                attempt()
        assert read(path).account()[EDA.id].received == 8

    def test_a_folder_that_does_not_exist(self, path):
        with pytest.raises(RecordingError, match=r"cannot be made.*choose a folder"):
            Writer(path / "deeper.felt", "S")
        with pytest.raises(RecordingError, match="already exists"):
            write(path.parent, recording(), overwrite=True)

    def test_a_stream_that_was_not_declared_or_differs(self, path):
        with Writer(path, "S") as writer:
            with pytest.raises(RecordingError, match=r"'board\.eda' was not declared"):
                writer.append(eda())
            writer.declare(EDA)
            writer.declare(EDA)
            with pytest.raises(RecordingError, match="already there as"):
                writer.declare(StreamInfo(EDA.id, spec("eda", 8)))

    @pytest.mark.parametrize(("segment", "start"), [(1, 9), (1, 0), (0, 8), (2, 4)])
    def test_a_chunk_that_does_not_continue(self, path, segment, start):
        with Writer(path, "S") as writer:
            writer.declare(EDA)
            writer.append(eda(8, 0, 0))
            writer.append(eda(8, 0, 1, Gap(1, 1, GapReason.LINK)))
            with pytest.raises(RecordingError, match="does not continue segment 1, sample 8"):
                writer.append(eda(8, start, segment))
            writer.append(eda(8, 8, 1))

    def test_values_that_sqlite_cannot_hold(self, path):
        with Writer(path, "S") as writer:
            with pytest.raises(RecordingError, match="NaN"):
                writer.event(Event(0, EventKind.NOTE, math.nan))
            with pytest.raises(RecordingError, match="cannot be written"):
                writer.event(Event(2**70, EventKind.NOTE))
            with pytest.raises(RecordingError, match="cannot be written"):
                writer.event(Event(0, EventKind.NOTE, 0.0, "\udc80"))
            writer.event(Event(1, EventKind.NOTE, -0.0))
        assert read(path).events == (Event(1, EventKind.NOTE),)
        with pytest.raises(RecordingError):
            Writer(path.with_name("t.felt"), "\udc80")
        assert not path.with_name("t.felt").exists()

    def test_a_second_writer_and_work_after_the_end(self, path, monkeypatch):
        monkeypatch.setattr("feltsense.store.writer.BUSY_S", 0.05)
        with Writer(path, "S") as writer:
            with pytest.raises(RecordingError, match="stop the other process"):
                Writer.resume(path)
            writer.declare(EDA)
        writer.close()
        with pytest.raises(RecordingError, match="closed"):
            writer.append(eda())

    def test_a_full_disk_and_loses_nothing_that_was_acknowledged(self, path):
        writer = Writer(path, "S")
        writer.declare(EDA)
        writer.append(eda(8))
        writer.commit()
        writer._db.execute(f"PRAGMA max_page_count = {writer._db.execute('PRAGMA page_count').fetchone()[0]}")
        with pytest.raises(RecordingError, match="check the disk"):
            writer.append(eda(10**5, 8))
        writer.close()
        assert read(path).account()[EDA.id].received == 8


def test_write_replaces_only_when_told_and_as_a_whole(path, monkeypatch):
    write(path, recording(8))
    write(path, recording(12), overwrite=True)
    assert read(path).account()[EDA.id].received == 12

    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(RecordingError, match="No space left"):
        write(path, recording(4), overwrite=True)
    assert os.listdir(path.parent) == [path.name]
    assert read(path).account()[EDA.id].received == 12


class TestResume:
    def test_streams_go_on_in_a_new_segment_with_a_restart_gap(self, path):
        write(path, recording(8))
        with Writer.resume(path) as writer:
            writer.declare(EDA)
            writer.append(eda(4, at=T0 + 12 * NS))  # ended at 2 s: 10 s are missing, 40 samples
            writer.append(eda(4, 4, at=T0 + 12 * NS))
            writer.append(eda(4, 0, 1, Gap(7, 7, GapReason.LINK), at=T0 + 20 * NS))
        first, second, third = read(path).stream(EDA.id).segments
        assert (first.number, second.number, third.number) == (0, 1, 2)
        assert first.gap is None
        assert second.gap.reason is GapReason.RESTART
        assert second.gap.samples <= 40 <= second.gap.upper
        assert second.gap.upper - second.gap.samples <= 2
        assert (len(second.values), third.gap) == (8, Gap(7, 7, GapReason.LINK))

    def test_irregular_streams_and_clocks_that_went_back(self, path):
        with Writer(path, "S") as writer:
            for info in (RR, EDA):
                writer.declare(info)
            writer.append(Chunk(RR, 0, 0, np.ones(3), TimeMap.irregular(T0 + np.arange(3) * NS)))
            writer.append(eda(8))
        with Writer.resume(path) as writer:
            writer.append(Chunk(RR, 0, 0, np.ones(3), TimeMap.irregular(T0 + np.arange(12, 15) * NS)))
            writer.append(eda(8, at=T0 - 100 * NS))
        back = read(path)
        assert back.stream(RR.id).segments[1].gap == Gap(0, 40, GapReason.RESTART)
        assert back.stream(EDA.id).segments[1].gap.samples == 0

    def test_a_stream_that_is_new_or_had_nothing_has_no_gap(self, path):
        with Writer(path, "S") as writer:
            writer.declare(RR)
        with Writer.resume(path) as writer:
            writer.declare(EDA)
            writer.append(eda(8))
        assert read(path).stream(EDA.id).segments[0].gap is None

    def test_repeatedly(self, path):
        write(path, recording(8))
        for k in range(1, 6):
            with Writer.resume(path) as writer:
                writer.append(eda(8, at=T0 + k * 10 * NS))
        assert [s.number for s in read(path).stream(EDA.id).segments] == list(range(6))


def test_an_older_schema_is_brought_up_to_date(path, monkeypatch):
    write(path, recording(8))
    script = "CREATE TABLE later (a INTEGER)"
    monkeypatch.setattr(felt_schema, "MIGRATIONS", (*felt_schema.MIGRATIONS, script))
    before = path.read_bytes()
    assert_same(read(path), recording(8))
    assert path.read_bytes() == before
    Writer.resume(path).close()
    monkeypatch.undo()
    with pytest.raises(RecordingError, match="schema 3, this program reads up to 2; update feltsense"):
        read(path)
    with pytest.raises(RecordingError, match="update feltsense"):
        Writer.resume(path)
