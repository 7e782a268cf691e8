"""Erased is erased: the key does not open, the rows are nowhere, and a search of every byte finds nothing."""

import shutil
import sqlite3

import numpy as np
import pytest

from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Stream
from feltsense.errors import KeyStoreError, StudyError
from feltsense.store import Vault, Writer, keys, read, write
from feltsense.study import erase_participant, erase_streams
from same_recording import T0, assert_same, infos, live_chunks

ALICE, BOB = "participant-alice", "participant-bob"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(keys, "SCRYPT", {"n": 2**4, "r": 8, "p": 1})


def recording(subject, seed):
    rng = np.random.default_rng(seed)
    streams = {i.id: Stream.from_chunks(i, live_chunks(i, rng, samples=2000)) for i in infos()}
    return Recording(subject, streams, (Event(T0, EventKind.NOTE, 1.0, f"a note of {subject}"),), {"device": "Polar H10"})


def rows_of(path):
    """Every row's content as it lies in the file: what a forensic search would look for."""
    db = sqlite3.connect(path)
    rows = [bytes(r[0]) for r in db.execute("SELECT coalesce(body, data) FROM chunk")]
    db.close()
    raw = path.read_bytes()
    pieces = [row[k : k + 32] for row in rows for k in range(0, len(row) - 32, 97)]
    # Those across the end of a page do not lie there as one.
    return [p for p in pieces if p in raw]


def bytes_under(folder):
    return b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_participant_is_erased_and_the_others_are_not(tmp_path, encrypted):
    vault = Vault(tmp_path / "keys", "pass")
    made = {}
    for subject, seed in ((ALICE, 1), (BOB, 2)):
        for day in range(2):
            key = vault.key(subject) if encrypted else None
            path = tmp_path / "data" / f"{seed}-{day}.felt"
            path.parent.mkdir(exist_ok=True)
            write(path, recording(subject, seed + 10 * day), key=key)
            made[path] = key
    stolen = tmp_path / "elsewhere.felt"
    shutil.copyfile(tmp_path / "data" / "1-0.felt", stolen)
    needles = [n for p in made if p.name.startswith("1") for n in rows_of(p)]
    assert len(needles) > 50
    folder = tmp_path / "data"
    assert all(n in bytes_under(folder) for n in needles), "the search itself finds what is there"
    proof = erase_participant(folder, ALICE, vault)
    left = bytes_under(folder) + bytes_under(tmp_path / "keys")
    assert not [n for n in needles if n in left]
    assert ALICE.encode() not in left
    assert sorted(p.name for p in folder.iterdir()) == ["2-0.felt", "2-1.felt"]
    assert (len(proof.files), bool(proof.key)) == (2, encrypted)
    assert proof.searched == len(left)
    for path in folder.iterdir():
        assert read(path, made[path]).subject == BOB
    if encrypted:
        with pytest.raises(KeyStoreError, match="destroyed"):
            read(stolen, vault.by_id(proof.key))
    with pytest.raises(StudyError, match="nothing of"):
        erase_participant(folder, ALICE, vault)


def test_a_recording_that_was_killed_is_erased_with_its_log(tmp_path):
    source = recording(ALICE, 3)
    path = tmp_path / "s.felt"
    writer = Writer(path, ALICE)
    for stream in source.streams.values():
        writer.declare(stream.info)
        for chunk in stream.chunks(1.0):
            writer.append(chunk)
    writer.commit()
    folder = tmp_path / "crashed"
    folder.mkdir()
    for p in tmp_path.glob("s.felt*"):
        shutil.copyfile(p, folder / p.name)
    writer.close()
    proof = erase_participant(folder, ALICE)
    assert len(proof.files) == 1
    assert bytes_under(folder) == b""


def test_a_copy_that_is_not_a_recording_is_found(tmp_path):
    write(tmp_path / "s.felt", recording(ALICE, 4))
    (tmp_path / "backup.bin").write_bytes(b"junk" + (tmp_path / "s.felt").read_bytes()[100:])
    with pytest.raises(StudyError, match=r"backup.bin: still holds"):
        erase_participant(tmp_path, ALICE)


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_stream_is_taken_out(tmp_path, encrypted):
    key = Vault(tmp_path / "keys", "pass").key(ALICE) if encrypted else None
    path = tmp_path / "data" / "s.felt"
    path.parent.mkdir()
    source = recording(ALICE, 5)
    write(path, source, key=key)
    before = rows_of(path)
    proof = erase_streams(path, ["h10.ecg"], key)
    assert proof.needles
    kept = Recording(ALICE, {k: s for k, s in source.streams.items() if k != "h10.ecg"}, source.events, source.metadata)
    assert_same(read(path, key), kept)
    assert [p.name for p in path.parent.iterdir()] == ["s.felt"]
    left = path.read_bytes()
    assert sum(n in left for n in before) < len(before) / (1000 if encrypted else 1)
    with pytest.raises(StudyError, match=r"has no stream 'h10.ecg'"):
        erase_streams(path, ["h10.ecg"], key)


def test_no_folder(tmp_path):
    with pytest.raises(StudyError, match="no folder"):
        erase_participant(tmp_path / "no", "x")
