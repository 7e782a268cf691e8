"""Whatever is done to a file: what is still whole is saved as it was, and every other sample is told as lost."""

import random
import sqlite3

import numpy as np
import pytest

from feltsense.core.chunk import Gap, GapReason
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Stream
from feltsense.errors import KeyStoreError, RecordingError
from feltsense.store import DataKey, Writer, read, salvage, verify, write
from same_recording import T0, assert_same, infos, live_chunks

KEY = DataKey.new()


def recording(seed=3, samples=12000):
    rng = np.random.default_rng(seed)
    streams = {i.id: Stream.from_chunks(i, live_chunks(i, rng, samples=samples)) for i in infos()}
    return Recording("S01", streams, tuple(Event(T0 + k, EventKind.NOTE, k, "n" * k) for k in range(60)), {"a": "b"})


@pytest.fixture(scope="module", params=[None, KEY], ids=["plain", "sealed"])
def good(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "s.felt"
    write(path, recording(), key=request.param)
    return path, request.param, recording()


def check(account, saved, original):
    """Saved samples are the original ones, at their times; saved and lost are all there were."""
    for s in account.streams:
        if s.id not in original.streams:
            continue
        total = original.account()[s.id].received
        assert s.lost is None or s.kept + s.lost == total, s
        known = {}
        for segment in original.streams[s.id].segments:
            for t, v in zip(segment.time.times(0, len(segment.values)), segment.values, strict=True):
                known[int(t), v.tobytes()] = True
        if s.id not in saved.streams:
            assert s.kept == 0
            continue
        kept = 0
        for segment in saved.streams[s.id].segments:
            for t, v in zip(segment.time.times(0, len(segment.values)), segment.values, strict=True):
                assert (int(t), v.tobytes()) in known
                kept += 1
        assert kept == s.kept
    assert set(saved.events) <= set(original.events)
    if account.events_lost is not None:
        assert len(saved.events) + account.events_lost == len(original.events)


def test_a_whole_file_is_saved_whole(good, tmp_path):
    path, key, original = good
    account = salvage(path, tmp_path / "out.felt", key)
    assert all(s.lost == 0 and s.breaks == 0 for s in account.streams)
    assert (account.events, account.events_lost, account.notes) == (60, 0, ())
    back = read(tmp_path / "out.felt", key)
    assert_same(back, Recording(original.subject, original.streams, original.events, {"a": "b", "salvaged.from": "s.felt"}))
    with pytest.raises(RecordingError, match="already exists"):
        salvage(path, tmp_path / "out.felt", key)


def test_a_lost_row_is_a_gap_of_its_samples(good, tmp_path):
    path, key, original = good
    damaged = tmp_path / "d.felt"
    damaged.write_bytes(path.read_bytes())
    db = sqlite3.connect(damaged)
    same = "b.stream = a.stream AND b.segment = a.segment AND b.start = a.start + a.n"
    row, n = db.execute(f"SELECT a.key, a.n FROM chunk a JOIN chunk b ON {same} WHERE a.start > 0").fetchone()  # noqa: S608
    column = "data" if key is None else "body"
    db.execute(f"UPDATE chunk SET {column} = zeroblob(10) WHERE key = ?", (row,))  # noqa: S608
    db.commit()
    db.close()
    verdict = verify(damaged, key)
    assert any(f"table chunk, row {row}" in w for w in verdict.wrong)
    account = salvage(damaged, tmp_path / "out.felt", key)
    (hurt,) = [s for s in account.streams if s.lost]
    assert (hurt.lost, hurt.breaks) == (n, 1)
    back = read(tmp_path / "out.felt", key)
    check(account, back, original)
    gaps = [s.gap for s in back.streams[hurt.id].segments if s.gap and s.gap.reason is GapReason.CORRUPT]
    assert Gap(n, n, GapReason.CORRUPT) in gaps
    assert verify(tmp_path / "out.felt", key).wrong == ()


def test_pages_that_are_gone(good, tmp_path):
    path, key, original = good
    content = path.read_bytes()
    rng = random.Random(5)
    saved = 0
    for k in range(12):
        raw = bytearray(content)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(raw) // 8192) * 8192
            raw[at : at + 8192] = rng.randbytes(8192)
        if k % 3 == 0:
            del raw[rng.randrange(len(raw)) :]
        damaged, out = tmp_path / f"{k}.felt", tmp_path / f"{k}.out.felt"
        damaged.write_bytes(raw)
        try:
            account = salvage(damaged, out, key)
        except (RecordingError, KeyStoreError):
            assert not out.exists()
            continue
        check(account, read(out, key), original)
        saved += 1
    assert saved > 3


def test_a_crash_leaves_everything_in_the_log(tmp_path):
    original = recording(samples=500)
    path = tmp_path / "s.felt"
    writer = Writer(path, "S01", {"a": "b"}, KEY)
    for stream in original.streams.values():
        writer.declare(stream.info)
        for chunk in stream.chunks(1.0):
            writer.append(chunk)
            writer.commit()
    account = salvage(path, tmp_path / "out.felt", KEY)
    assert all(s.lost == 0 for s in account.streams)
    check(account, read(tmp_path / "out.felt", KEY), Recording("S01", original.streams))
    writer.close()


def test_nothing_left_and_no_key(good, tmp_path):
    path, key, _ = good
    bad = tmp_path / "x.felt"
    bad.write_bytes(b"SQLite format 3\0" + bytes(5000))
    with pytest.raises(RecordingError, match="nothing is left"):
        salvage(bad, tmp_path / "o.felt")
    with pytest.raises(RecordingError, match="check the name"):
        salvage(tmp_path / "no.felt", tmp_path / "o.felt")
    if key is not None:
        with pytest.raises(KeyStoreError, match="is encrypted"):
            salvage(path, tmp_path / "o.felt")
        with pytest.raises(KeyStoreError, match="not with"):
            salvage(path, tmp_path / "o.felt", DataKey.new())
    assert not (tmp_path / "o.felt").exists()


def test_verify_says_what_it_could_look_at(good, tmp_path):
    path, key, _ = good
    verdict = verify(path, key)
    assert (verdict.sealed, verdict.opened, verdict.wrong) == (key is not None, True, ())
    blind = verify(path)
    assert (blind.opened, blind.wrong, blind.rows) == (key is None, (), verdict.rows)
