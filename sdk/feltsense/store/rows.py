"""Rows: fields in and out of a table, each row with its checksum and, in a sealed recording, its seal.

Rules
-----
- A row's checksum is over all of its columns, so that damage is noticed without the key.
- In a sealed recording a row's fields are in ``body``, sealed to their place. Of a chunk its place stays readable
  (stream, segment, sample, how many, when), and is under the seal as well.
- A plain row in a sealed recording is refused: it is somebody else's.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from feltsense.errors import KeyStoreError, RecordingError
from feltsense.store import schema
from feltsense.store.seal import Seal, pack_fields, unpack_fields

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from feltsense.store.seal import DataKey

    Row = tuple[Any, ...]

__all__ = ["COLUMNS", "RESTORE", "Rows", "damaged", "lock_of", "row_checked", "row_sum", "seal_of"]

RESTORE = "restore the file from a copy, or save what is left with: feltsense salvage FILE --out NEW.felt"
"""What to do with a damaged file."""
_CHUNK = "stream segment start n codec sealed data map_rate anchors gap_samples gap_upper gap_reason at_ms to_ms"
COLUMNS: dict[str, tuple[str, ...]] = {
    "about": ("key", "value"),
    "metadata": ("key", "value"),
    "stream": ("id", "kind", "unit", "channels", "rate", "device"),
    "chunk": tuple(_CHUNK.split()),
    "event": ("t_ns", "kind", "value", "text"),
    "total": ("value",),
}
_LATER = {"chunk": 2}
"""Columns that schema 1 did not have: without a value they are not in the checksum."""
_PLACE = (0, 1, 2, 3, 12, 13)
"""Fields of a chunk that stay readable."""


class Rows:
    """The tables of one open file.

    Parameters
    ----------
    db : sqlite3.Connection
        The file.
    path : Path
        Its name, for errors.
    seal : Seal, optional
        Of a sealed recording.
    """

    def __init__(self, db: sqlite3.Connection, path: Path, seal: Seal | None = None) -> None:
        self.db = db
        self.path = path
        self.seal = seal

    def put(self, table: str, key: int, fields: Row, *, again: bool = False) -> None:
        """Insert a row, or write it again."""
        if not self.db.in_transaction:
            # SQLite itself rolled back (disk full): going on would leave a hole that no gap accounts for.
            msg = f"{self.path}: an earlier write failed; what was committed is safe: go on with Writer.resume"
            raise RecordingError(msg)
        row = self._row(table, key, fields)
        names = (*COLUMNS[table], "body", "crc")
        # Names are this module's own; values are parameters.
        if again:
            sql = f"UPDATE {table} SET {', '.join(f'{n} = ?' for n in names)} WHERE rowid = ?"  # noqa: S608
            self.db.execute(sql, (*row, key))
        else:
            sql = f"INSERT INTO {table} ({', '.join(names)}, rowid) VALUES ({', '.join('?' * len(names))}, ?)"  # noqa: S608
            self.db.execute(sql, (*row, key))

    def all(self, table: str, where: str = "", values: Row = ()) -> Iterator[Row]:
        """(row, fields…) of a table in the order of writing, each against its checksum and its seal."""
        names = ", ".join((*COLUMNS[table], "body", "crc"))
        # Names and conditions are this package's own; values are parameters.
        cursor = self.db.execute(f"SELECT rowid, {names} FROM {table} {where} ORDER BY rowid", values)  # noqa: S608
        key = 0
        while True:
            with row_checked(self.path, table, key, after=True):
                row = cursor.fetchone()
            if row is None:
                return
            key = row[0]
            yield (key, *self.fields(table, *row))

    def fields(self, table: str, key: int, *row: Any) -> list[Any]:
        """Fields of a row as it is in the file, checked and opened."""
        *columns, body, crc = row
        with row_checked(self.path, table, key):
            if crc != row_sum(table, columns, body):
                msg = "the checksum does not fit"
                raise ValueError(msg)
            if (body is None) != (self.seal is None):
                msg = "is sealed in a recording that is not" if self.seal is None else "is not sealed in a recording that is"
                raise ValueError(msg)
            if self.seal is None:
                return columns
            fields = unpack_fields(self.seal.open(body, self._bound(table, key, columns)))
            if table == "chunk":
                fields = [*columns[:4], *fields, *columns[12:]]
            if len(fields) != len(columns):
                msg = "has another number of fields"
                raise ValueError(msg)
            return fields

    def _row(self, table: str, key: int, fields: Row) -> Row:
        columns, body = list(fields), None
        if self.seal is not None:
            columns = _neutral(table, key, fields)
            hidden = fields[4:12] if table == "chunk" else fields
            body = self.seal.seal(pack_fields(hidden), self._bound(table, key, columns))
        return (*columns, body, row_sum(table, columns, body))

    def _bound(self, table: str, key: int, columns: list[Any]) -> bytes:
        assert self.seal is not None  # noqa: S101 (asked for sealed rows only)
        return self.seal.place(table, key, *([columns[i] for i in _PLACE] if table == "chunk" else []))


def lock_of(db: sqlite3.Connection, path: Path) -> tuple[str, str] | None:
    """(recording, key id) of a sealed file, None of a plain one."""
    rows = db.execute("SELECT recording, key_id, crc FROM lock").fetchall()
    if not rows:
        return None
    recording, key_id, crc = rows[0]
    if len(rows) != 1 or crc != schema.checksum(recording, key_id):
        raise damaged(path, "table lock, row 1: the checksum does not fit")
    return recording, key_id


def seal_of(db: sqlite3.Connection, path: Path, key: DataKey | None) -> Seal | None:
    """The seal of an open file.

    Raises
    ------
    KeyStoreError
        If it is sealed and the key is missing or another one, or it is plain and a key was given.
    """
    lock = lock_of(db, path)
    if lock is None:
        if key is not None:
            msg = f"{path}: is not encrypted, and a key was given; leave the key out if that is what you expect"
            raise KeyStoreError(msg)
        return None
    recording, key_id = lock
    if key is None:
        msg = f"{path}: is encrypted with key {key_id}; give the folder of the keys (FELTSENSE_KEYS) and the passphrase"
        raise KeyStoreError(msg)
    if key.id != key_id:
        msg = f"{path}: is encrypted with key {key_id}, not with {key.id}; nothing was opened"
        raise KeyStoreError(msg)
    return Seal(key, recording)


@contextmanager
def row_checked(path: Path, table: str, key: int, *, after: bool = False) -> Iterator[None]:
    """Say which row it was."""
    import sqlite3

    try:
        yield
    except (ValueError, TypeError, ArithmeticError, KeyError, MemoryError, sqlite3.Error) as e:
        raise damaged(path, f"table {table}, {'after row' if after else 'row'} {key}: {e}") from e


def damaged(path: Path, what: str) -> RecordingError:
    """The error of a damaged file."""
    return RecordingError(f"{path}: is damaged or cut off: {' '.join(what.split())}; {RESTORE}")


def row_sum(table: str, columns: list[Any], body: bytes | None) -> int:
    """Checksum of a row."""
    if body is not None:
        return schema.checksum(*columns, body)
    if later := _LATER.get(table):
        while later and columns[-1] is None:
            columns, later = columns[:-1], later - 1
    return schema.checksum(*columns)


def _neutral(table: str, key: int, fields: Row) -> list[Any]:
    """What a sealed row's readable columns hold: a chunk's place, and nothing of the others."""
    if table == "chunk":
        return [*fields[:4], "", 1, b"", "", b"", None, None, None, *fields[12:]]
    if table == "event":
        return [0, "", 0.0, ""]
    # The first column is unique in its table.
    return [str(key), *("" if isinstance(f, str) else 0 for f in fields[1:])]
