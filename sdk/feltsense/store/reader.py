"""Reading a ``.felt`` file: verify every row, join the rows to segments.

Rules
-----
- Nothing is written, not even by SQLite: a closed file is opened as immutable (no permission needed beyond reading
  it), a file with a log beside it (crashed, or being recorded) read-only, and from a copy where even that needs a
  writable folder.
- Rows of a segment are concatenated, values and anchors alike: what comes out does not depend on the rows' cut.
- Whatever is wrong with a file, the error is a :class:`~feltsense.errors.RecordingError` that names the file, the
  table and the row.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.chunk import Gap, GapReason, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import CATALOGUE, SignalSpec
from feltsense.errors import RecordingError
from feltsense.store import schema

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Iterator
    from typing import Any

    Row = tuple[Any, ...]

__all__ = ["RESTORE", "check_header", "check_version", "check_whole", "is_felt", "load_streams", "read", "row_checked"]

RESTORE = "restore the file from a copy, or save what is left with: sqlite3 FILE .recover"
"""What to do with a damaged file."""
_BESIDE = ("-wal", "-shm", "-journal")
_COLUMNS = {
    "about": "key, value",
    "metadata": "key, value",
    "stream": "id, kind, unit, channels, rate, device",
    "chunk": "stream, segment, start, n, codec, sealed, data, map_rate, anchors, gap_samples, gap_upper, gap_reason",
    "event": "t_ns, kind, value, text",
}


def is_felt(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a ``.felt`` file, by its first bytes."""
    try:
        with Path(path).open("rb") as file:
            return schema.is_ours(file.read(schema.HEADER))
    except OSError:
        return False


def read(path: str | os.PathLike[str]) -> Recording:
    """Read a ``.felt`` file.

    Parameters
    ----------
    path : str or path-like
        The file; it may still be being recorded (what is committed is read).

    Raises
    ------
    RecordingError
        If it is missing, a folder, something else, of a newer schema, truncated or damaged.
    """
    where = Path(path)
    check_header(where)
    with _explained(where), _opened(where) as db:
        check_version(db, where)
        check_whole(db, where)
        about = {key: value for _, key, value in _rows(db, where, "about")}
        if "subject" not in about:
            raise _damaged(where, "table about has no subject")
        infos = load_streams(db, where)
        streams = {info.id: Stream(info, tuple(_segments(db, where, key, info))) for key, info in infos.items()}
        events = tuple(_event(where, *row) for row in _rows(db, where, "event"))
        metadata = {key: value for _, key, value in _rows(db, where, "metadata")}
        if lost := {row[0] for row in db.execute("SELECT DISTINCT stream FROM chunk")} - set(infos):
            raise _damaged(where, f"table chunk names stream {lost.pop()!r}, which table stream does not have")
    return Recording(about["subject"], streams, events, metadata)


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
        raise _damaged(path, f"its schema version is {version}")


def load_streams(db: sqlite3.Connection, path: Path) -> dict[int, StreamInfo]:
    """Key in the file → stream."""
    infos: dict[int, StreamInfo] = {}
    for key, name, kind_name, unit, channels, rate, device in _rows(db, path, "stream"):
        with row_checked(path, "stream", key):
            if kind_name not in CATALOGUE:
                msg = f"{path}: stream {name} is of kind {kind_name!r}, which this program does not know; update feltsense"
                raise RecordingError(msg)
            what = CATALOGUE[kind_name]
            if (what.unit, len(what.channels)) != (unit, channels):
                msg = f"{kind_name} has {len(what.channels)} channels in {what.unit}, in the file {channels} in {unit}"
                raise ValueError(msg)
            infos[key] = StreamInfo(name, SignalSpec(what, schema.to_rate(rate)), device)
    return infos


def check_whole(db: sqlite3.Connection, path: Path) -> None:
    """Rows have checksums; that none of them vanished is for SQLite and for their unbroken numbers to say.

    Raises
    ------
    RecordingError
        If the file's structure is damaged or rows are missing.
    """
    (verdict,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise _damaged(path, verdict)
    for table in ("stream", "chunk", "event"):
        rows, last = db.execute(f"SELECT count(*), max(rowid) FROM {table}").fetchone()  # noqa: S608
        if rows != (last or 0):
            raise _damaged(path, f"table {table} has {rows} rows, but the last is row {last}")


def _segments(db: sqlite3.Connection, path: Path, key: int, info: StreamInfo) -> Iterator[Segment]:
    run: list[Row] = []
    for row in _rows(db, path, "chunk", key):
        at, _, number, start, n, codec, sealed, *_ = row
        with row_checked(path, "chunk", at):
            if codec != schema.CODEC or sealed:
                what = "is encrypted" if sealed else f"has codec {codec!r}"
                msg = f"{path}: table chunk, row {at}, {what}: this program cannot read that; update feltsense"
                raise RecordingError(msg)
            fresh = not run or number != run[-1][2]
            expected = 0 if fresh else run[-1][3] + run[-1][4]
            if start != expected or n < 0 or (run and number < run[-1][2]):
                msg = f"segment {number}, sample {start} of {info.id} does not continue the row before"
                raise ValueError(msg)
        if fresh and run:
            yield _segment(path, info, run)
            run = []
        run.append(row)
    if run:
        yield _segment(path, info, run)


def _segment(path: Path, info: StreamInfo, run: list[Row]) -> Segment:
    """Join the rows of one segment."""
    with row_checked(path, "chunk", run[0][0]):
        raw = b"".join(row[7] for row in run)
        values = np.frombuffer(raw, "<f8").astype(np.float64, copy=False).reshape(-1, info.spec.width)
        if len(values) != sum(row[4] for row in run):
            msg = f"holds {len(values)} samples of {info.id}, not {sum(row[4] for row in run)}"
            raise ValueError(msg)
        values.setflags(write=False)
        anchors = schema.unpack_anchors(b"".join(row[9] for row in run))
        time = schema.time_map(schema.to_rate(run[0][8]), anchors)
        time.times(0, len(values))
        samples, upper, reason = run[0][10:13]
        gap = None if reason is None else Gap(samples, upper, GapReason(reason))
        return Segment(values, time, gap, run[0][2])


def _event(path: Path, key: int, t_ns: int, kind_name: str, value: float, text: str) -> Event:
    with row_checked(path, "event", key):
        return Event(t_ns, EventKind(kind_name), value, text)


def _rows(db: sqlite3.Connection, path: Path, table: str, stream: int | None = None) -> Iterator[Row]:
    """(row, columns…) of a table in the order of writing, each against its checksum."""
    where, values = ("", ()) if stream is None else ("WHERE stream = ?", (stream,))
    # Names come from the table above, values are parameters.
    cursor = db.execute(f"SELECT rowid, {_COLUMNS[table]}, crc FROM {table} {where} ORDER BY rowid", values)  # noqa: S608
    key = 0
    while True:
        with row_checked(path, table, key, after=True):
            row = cursor.fetchone()
        if row is None:
            return
        key, *fields, crc = row
        if crc != schema.checksum(*fields):
            raise _damaged(path, f"table {table}, row {key}: the checksum does not fit")
        yield (key, *fields)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with ExitStack() as stack:
        db = stack.enter_context(closing(_open(path, stack)))
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if 0 < version < len(schema.MIGRATIONS):
            # An older schema is brought up to date in memory; the file stays as it is.
            import sqlite3

            newer = stack.enter_context(closing(sqlite3.connect(":memory:", isolation_level=None)))
            db.backup(newer)
            schema.migrate(newer)
            db = newer
        yield db


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
def _explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say about a file into our error."""
    import sqlite3

    try:
        yield
    except (sqlite3.Error, OSError, UnicodeDecodeError) as e:
        # SQLite quotes damaged names in its own words, which Python then cannot decode.
        raise _damaged(path, str(e)) from e


@contextmanager
def row_checked(path: Path, table: str, key: int, *, after: bool = False) -> Iterator[None]:
    """Say which row it was."""
    import sqlite3

    try:
        yield
    except (ValueError, TypeError, ArithmeticError, sqlite3.Error) as e:
        raise _damaged(path, f"table {table}, {'after row' if after else 'row'} {key}: {e}") from e


def _damaged(path: Path, what: str) -> RecordingError:
    return RecordingError(f"{path}: is damaged or cut off: {' '.join(what.split())}; {RESTORE}")
