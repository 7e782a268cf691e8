"""Opening a ``.felt`` file for reading, without writing anything, and what must hold of it as a whole.

Rules
-----
- Nothing is written, not even by SQLite: a closed file is opened as immutable (no permission needed beyond reading
  it), a file with a log beside it (crashed, or being recorded) read-only, and from a copy where even that needs a
  writable folder.
- An older schema is brought up to date in memory; the file stays as it is.
- What every commit acknowledged is counted in the file: rows that vanished are noticed, also the last ones.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.core.chunk import StreamInfo
from feltsense.core.signals import CATALOGUE, SignalSpec
from feltsense.errors import RecordingError
from feltsense.store import schema
from feltsense.store.rows import Rows, damaged, row_checked, seal_of

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Iterator

    from feltsense.store.seal import DataKey

__all__ = [
    "check_header",
    "check_totals",
    "check_version",
    "check_whole",
    "explained",
    "is_felt",
    "keyless",
    "load_streams",
    "opened",
    "totals_of",
]

_BESIDE = ("-wal", "-shm", "-journal")


def is_felt(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a ``.felt`` file, by its first bytes."""
    try:
        with Path(path).open("rb") as file:
            return schema.is_ours(file.read(schema.HEADER))
    except OSError:
        return False


def check_header(path: Path) -> None:
    """Refuse what is not a ``.felt`` file.

    Raises
    ------
    RecordingError
        If the path is missing, a folder, unreadable, or another kind of file.
    """
    try:
        with path.open("rb") as file:
            header = file.read(schema.HEADER)
    except IsADirectoryError as e:
        msg = f"{path}: is a folder, not a .felt file; name the file in it"
        raise RecordingError(msg) from e
    except (OSError, ValueError) as e:
        msg = f"{path}: cannot be read ({getattr(e, 'strerror', None) or e}); check the name"
        raise RecordingError(msg) from e
    if not schema.is_ours(header):
        what = "is empty" if not header else "is not a .felt file"
        msg = f"{path}: {what}; other formats become one by: feltsense import FORMAT SOURCE --out FILE.felt"
        raise RecordingError(msg)


def check_version(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a file of a newer schema.

    Raises
    ------
    RecordingError
        If the file is newer than this program.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    newest = len(schema.MIGRATIONS)
    if version > newest:
        msg = f"{path}: has schema {version}, this program reads up to {newest}; update feltsense"
        raise RecordingError(msg)
    if version < 1:
        raise damaged(path, f"its schema version is {version}")


def load_streams(rows: Rows) -> dict[int, StreamInfo]:
    """Key in the file → stream."""
    infos: dict[int, StreamInfo] = {}
    for key, name, kind_name, unit, channels, rate, device in rows.all("stream"):
        with row_checked(rows.path, "stream", key):
            if kind_name not in CATALOGUE:
                what = f"stream {name} is of kind {kind_name!r}, which this program does not know"
                msg = f"{rows.path}: {what}; update feltsense"
                raise RecordingError(msg)
            known = CATALOGUE[kind_name]
            if (known.unit, len(known.channels)) != (unit, channels):
                msg = f"{kind_name} has {len(known.channels)} channels in {known.unit}, in the file {channels} in {unit}"
                raise ValueError(msg)
            infos[key] = StreamInfo(name, SignalSpec(known, schema.to_rate(rate)), device)
    return infos


def check_whole(db: sqlite3.Connection, path: Path) -> None:
    """Rows have checksums; that none of them vanished is for SQLite and for their unbroken numbers to say.

    Raises
    ------
    RecordingError
        If the file's structure is damaged or rows are missing.
    """
    _check_size(path)
    (verdict,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise damaged(path, verdict)
    for table in ("stream", "chunk", "event"):
        rows, last = db.execute(f"SELECT count(*), max(rowid) FROM {table}").fetchone()  # noqa: S608
        if rows != (last or 0):
            raise damaged(path, f"table {table} has {rows} rows, but the last is row {last}")


def _check_size(path: Path) -> None:
    """Refuse half a download by its size: SQLite reads what is missing as zeros."""
    if any(Path(f"{path}{suffix}").exists() for suffix in _BESIDE):
        # Being written, or killed: the log has the rest.
        return
    with path.open("rb") as file:
        header = file.read(schema.HEADER)
    # SQLite's file format, 1.3.2 and 1.3.8: bytes a page (1 means 65536), pages in the file.
    page, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
    whole, there = (65536 if page == 1 else page) * pages, path.stat().st_size
    if there < whole:
        raise damaged(path, f"it is cut off, with {there} of {whole} bytes")


def check_totals(rows: Rows, version: int) -> None:
    """Compare with what the last commit counted.

    Raises
    ------
    RecordingError
        If rows or samples are missing, or the count itself is.
    """
    totals = dict(totals_of(rows))
    if not totals:
        if version < 2:
            return
        raise damaged(rows.path, "table total has no row")
    # Files of earlier releases count the first three only.
    for table in ("stream", "chunk", "event", "metadata", "about"):
        (there,) = rows.db.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        if there != totals.get(table, there):
            raise damaged(rows.path, f"table {table} has {there} rows of {totals[table]}")
    there = {str(k): n for k, n in rows.db.execute("SELECT stream, sum(n) FROM chunk GROUP BY stream")}
    if there != totals["samples"]:
        raise damaged(rows.path, f"table chunk has {there} samples a stream, not {totals['samples']}")


def totals_of(rows: Rows) -> dict[str, object]:
    """What the last commit counted; empty where nothing did."""
    for key, text in rows.all("total"):
        with row_checked(rows.path, "total", key):
            totals = json.loads(text)
            if not {"stream", "chunk", "event", "samples"} <= set(totals):
                msg = "is no count"
                raise ValueError(msg)
            return dict(totals)
    return {}


@contextmanager
def opened(path: Path, key: DataKey | None, *, whole: bool) -> Iterator[tuple[Rows, int]]:
    """Open a file: its rows, and the schema that it has on disk.

    Parameters
    ----------
    path : Path
        The file.
    key : DataKey or None
        Of a sealed recording.
    whole : bool
        Check the whole structure first; without, only what is read is checked.
    """
    check_header(path)
    with explained(path), ExitStack() as stack:
        db = stack.enter_context(closing(_open(path, stack)))
        check_version(db, path)
        if whole:
            check_whole(db, path)
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version < len(schema.MIGRATIONS):
            import sqlite3

            newer = stack.enter_context(closing(sqlite3.connect(":memory:", isolation_level=None)))
            db.backup(newer)
            schema.migrate(newer)
            db = newer
        yield Rows(db, path, seal_of(db, path, key)), version


def _open(path: Path, stack: ExitStack) -> sqlite3.Connection:
    import sqlite3

    beside = [side for suffix in _BESIDE if (side := Path(f"{path}{suffix}")).exists()]
    if not beside:
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        db.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError:
        # SQLite wants to make its shared-memory file in a folder where it may not.
        db.close()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="feltsense-")))
        for file in (path, *beside):
            if not file.name.endswith("-shm"):
                shutil.copyfile(file, folder / file.name)
        db = sqlite3.connect(folder / path.name)
    return db


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say about a file into our error."""
    import sqlite3

    try:
        yield
    except (sqlite3.Error, OSError, UnicodeDecodeError) as e:
        # SQLite quotes damaged names in its own words, which Python then cannot decode. Half a download says so.
        with suppress(OSError):
            _check_size(path)
        raise damaged(path, str(e)) from e


@contextmanager
def keyless(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file to look at what needs no key."""
    check_header(path)
    with explained(path), ExitStack() as stack:
        db = stack.enter_context(closing(_open(path, stack)))
        check_version(db, path)
        if db.execute("PRAGMA user_version").fetchone() == (1,):
            # Schema 1 has no seals, nor the table that would name one.
            db.close()
            db = stack.enter_context(closing(_empty()))
        yield db


def _empty() -> sqlite3.Connection:
    import sqlite3

    db = sqlite3.connect(":memory:", isolation_level=None)
    schema.migrate(db)
    return db
