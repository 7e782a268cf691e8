"""Erasing: destroy the key, overwrite and remove what was recorded, then search for it.

Rules
-----
- The key goes first: from that moment every copy of an encrypted recording, wherever it is, is unreadable, whatever
  happens to the rest.
- A file is overwritten with zeros and synced before it is removed. (On flash memory the medium may keep old cells for
  a while: there the destroyed key is what counts, and plain recordings should not be made.)
- Nothing is believed: afterwards the folder is searched for the pseudonym, the key, and pieces of what the files held.
  What is found is an error that names the file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.errors import KeyStoreError, RecordingError, StudyError
from feltsense.store import Vault, is_felt, key_id, read, write
from feltsense.store.keys import overwrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from feltsense.store import DataKey

__all__ = ["Erased", "erase_participant", "erase_streams"]

_BESIDE = ("-wal", "-shm", "-journal", ".part", ".erasing")
_NEEDLE = 64
"""Bytes of each piece that is searched for; so many random bytes are found by chance never."""
_PIECES = 16
_SHORTEST = 6
"""A pseudonym shorter than this is found anywhere by chance, and is not searched for."""


@dataclass(frozen=True, slots=True)
class Erased:
    """The proof of an erasure.

    Attributes
    ----------
    subject : str
        Whose data.
    key : str
        Id of the destroyed key; empty where there was none.
    files : tuple of str
        Files that were overwritten and removed.
    searched : int
        Bytes that were searched afterwards.
    needles : int
        Pieces that were searched for; none was found.
    """

    subject: str
    key: str
    files: tuple[str, ...]
    searched: int
    needles: int


def erase_participant(folder: str | os.PathLike[str], subject: str, vault: Vault | None = None) -> Erased:
    """Erase all that is recorded of a participant in a folder, and the key.

    Parameters
    ----------
    folder : str or path-like
        Recordings, in it or below.
    subject : str
        Pseudonym.
    vault : Vault, optional
        The participants' keys; without it only plain recordings are erased.

    Raises
    ------
    StudyError
        If there is nothing of the participant, or something is still found afterwards.
    KeyStoreError
        If the key cannot be destroyed.
    """
    where = Path(folder)
    if not where.is_dir():
        msg = f"{where}: is no folder; name the folder of the recordings"
        raise StudyError(msg)
    known = vault.subjects() if vault is not None else {}
    key = known.get(subject, "")
    files = [p for p in sorted(where.rglob("*")) if p.is_file() and is_felt(p) and _is_of(p, subject, key)]
    if not files and not key:
        msg = f"{where}: nothing of {subject!r} is here, neither a recording nor a key; known: {', '.join(known) or 'none'}"
        raise StudyError(msg)
    needles = list(_needles(subject, files))
    if key and vault is not None:
        vault.destroy(subject)
        needles.append(key.encode())
    for path in files:
        for side in (path, *(Path(f"{path}{s}") for s in _BESIDE)):
            _remove(side)
    folders = [where] if vault is None else [where, vault.folder]
    searched = _search(folders, needles)
    if key and vault is not None:
        _gone(vault, key)
    return Erased(subject, key, tuple(str(p) for p in files), searched, len(needles))


def erase_streams(path: str | os.PathLike[str], streams: Iterable[str], key: DataKey | None = None) -> Erased:
    """Take streams out of a recording: it is written anew without them, and the old file is overwritten.

    Raises
    ------
    StudyError
        If there is no such stream, or something of it is still found afterwards.
    RecordingError, KeyStoreError
        If the recording cannot be read.
    """
    from dataclasses import replace

    where = Path(path)
    recording = read(where, key)
    gone = set(streams)
    if missing := gone - set(recording.streams):
        msg = f"{where}: has no stream {sorted(missing)[0]!r}; its streams: {', '.join(recording.streams)}"
        raise StudyError(msg)
    old = where.with_name(f"{where.name}.erasing")
    needles = list(_pieces(where, _numbers(where, gone, key)))
    kept = replace(recording, streams={k: s for k, s in recording.streams.items() if k not in gone})
    new = where.with_name(f"{where.name}.new")
    write(new, kept, key=key)
    # Both names exist at every moment until the old one is zeros: a crash loses nothing, and leaves nothing unseen.
    where.replace(old)
    new.replace(where)
    _remove(old)
    searched = _search([where.parent], needles)
    return Erased(recording.subject, "", (str(where),), searched, len(needles))


def _is_of(path: Path, subject: str, key: str) -> bool:
    try:
        sealed = key_id(path)
        return sealed == key if sealed is not None else read(path).subject == subject
    except (RecordingError, KeyStoreError):
        # Damaged: whose it is its bytes may still say.
        raw = path.read_bytes()
        return any(len(n) >= _SHORTEST and n in raw for n in (subject.encode(), key.encode()))


def _needles(subject: str, files: Iterable[Path]) -> Iterator[bytes]:
    if len(subject) >= _SHORTEST:
        yield subject.encode()
    for path in files:
        yield from _pieces(path)


def _pieces(path: Path, streams: Iterable[int] | None = None) -> Iterator[bytes]:
    """Pieces of a file that are its own: of its rows (of some streams), as they lie there."""
    import sqlite3
    from contextlib import closing

    log = Path(f"{path}-wal")
    # Without a log SQLite is told to make none.
    how = "mode=ro" if log.exists() else "mode=ro&immutable=1"
    # Integers of our own; all streams without.
    which = "" if streams is None else f"WHERE stream IN ({', '.join(map(str, streams))})"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)) as db:
            names = {row[1] for row in db.execute("PRAGMA table_info(chunk)")}
            held = "coalesce(body, data)" if "body" in names else "data"
            rows = db.execute(f"SELECT {held} FROM chunk {which} ORDER BY key").fetchall()  # noqa: S608
    except sqlite3.Error:
        rows = []
    raw = path.read_bytes() + (log.read_bytes() if log.exists() else b"")
    # A piece across the end of a page does not lie in the file as one.
    yield from (piece for piece in _some([bytes(r[0]) for r in rows]) if piece in raw)


def _numbers(path: Path, streams: set[str], key: DataKey | None) -> list[int]:
    from feltsense.store.opening import load_streams, opened

    with opened(path, key, whole=False) as (rows, _):
        return [k for k, info in load_streams(rows).items() if info.id in streams]


def _some(blobs: list[bytes]) -> Iterator[bytes]:
    """Of all rows, evenly: the middle of each, which is packed or sealed and like no other."""
    blobs = [b for b in blobs if len(b) >= _NEEDLE]
    for blob in blobs[:: max(1, len(blobs) // _PIECES)]:
        middle = (len(blob) - _NEEDLE) // 2
        yield blob[middle : middle + _NEEDLE]


def _remove(path: Path) -> None:
    if path.exists():
        overwrite(path)
        path.unlink()


def _search(folders: Iterable[Path], needles: list[bytes]) -> int:
    """Search every file in folders; how many bytes."""
    searched = 0
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if not path.is_file():
                continue
            raw = path.read_bytes()
            searched += len(raw)
            for needle in needles:
                if needle in raw:
                    msg = f"{path}: still holds a piece of what was to be erased; remove this file by hand and erase again"
                    raise StudyError(msg)
    return searched


def _gone(vault: Vault, key: str) -> None:
    try:
        vault.by_id(key)
    except KeyStoreError:
        return
    msg = f"{vault.folder}: key {key} still opens after it was destroyed; remove it by hand"
    raise StudyError(msg)
