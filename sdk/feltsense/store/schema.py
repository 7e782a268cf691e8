"""What is in a ``.felt`` file: tables, versions, checksums, and the packing of anchors.

Rules
-----
- ``application_id`` says that it is ours, ``user_version`` which schema. Schema *n* is the first *n* scripts of
  :data:`MIGRATIONS`; a script that was released is never changed, and each is noted in the table ``migration``.
- ``chunk`` is append-only, and its rows are in the order in which they were appended. ``data`` holds the values,
  row by row, as little-endian float64 where ``codec`` is ``f8``; other codecs, and encryption (``sealed``), have
  their columns already, so that they come without another layout.
- ``anchors`` holds five little-endian int64 an anchor: index, device, arrival, session time, uncertainty. Only
  those that the segment's earlier rows do not hold: a segment's anchors are its rows' anchors, one after another.
- Numbers that JSON or SQLite would round are text: a rate is ``"num/den"``, empty where there is none.
"""

from __future__ import annotations

import zlib
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.timeline import TimeMap

if TYPE_CHECKING:
    import sqlite3

    from numpy.typing import NDArray

__all__ = [
    "APPLICATION_ID",
    "CODEC",
    "HEADER",
    "MIGRATIONS",
    "checksum",
    "from_rate",
    "is_ours",
    "migrate",
    "pack_anchors",
    "time_map",
    "to_rate",
    "unpack_anchors",
]

APPLICATION_ID = int.from_bytes(b"felt", "big")
HEADER = 100
"""Length of SQLite's file header (its file format, section 1.3)."""
_MAGIC = b"SQLite format 3\x00"
_ID_AT = slice(68, 72)
CODEC = "f8"
"""Values as they are, little-endian float64."""
_ANCHOR_COLUMNS = 5

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE migration (version INTEGER PRIMARY KEY, written_by TEXT NOT NULL);
    CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL);
    CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL);
    CREATE TABLE stream (
        key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, unit TEXT NOT NULL,
        channels INTEGER NOT NULL, rate TEXT NOT NULL, device TEXT NOT NULL, crc INTEGER NOT NULL
    );
    CREATE TABLE chunk (
        key INTEGER PRIMARY KEY, stream INTEGER NOT NULL REFERENCES stream (key), segment INTEGER NOT NULL,
        start INTEGER NOT NULL, n INTEGER NOT NULL, codec TEXT NOT NULL, sealed INTEGER NOT NULL, data BLOB NOT NULL,
        map_rate TEXT NOT NULL, anchors BLOB NOT NULL,
        gap_samples INTEGER, gap_upper INTEGER, gap_reason TEXT, crc INTEGER NOT NULL
    );
    CREATE INDEX chunk_of_stream ON chunk (stream, key);
    CREATE TABLE event (
        key INTEGER PRIMARY KEY, t_ns INTEGER NOT NULL, kind TEXT NOT NULL, value REAL NOT NULL, text TEXT NOT NULL,
        crc INTEGER NOT NULL
    );
    """,
)


def is_ours(header: bytes) -> bool:
    """Whether a file's first :data:`HEADER` bytes are those of a ``.felt`` file."""
    return header.startswith(_MAGIC) and header[_ID_AT] == b"felt"


def migrate(db: sqlite3.Connection) -> None:
    """Bring an open file to the newest schema, in the caller's transaction."""
    from feltsense import __version__

    (done,) = db.execute("PRAGMA user_version").fetchone()
    for version, script in enumerate(MIGRATIONS[done:], done + 1):
        for statement in script.split(";"):
            db.execute(statement)
        db.execute("INSERT INTO migration VALUES (?, ?)", (version, f"feltsense {__version__}"))
    # Pragmas take no parameters; both are our own integers.
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def checksum(*fields: object) -> int:
    """CRC-32 over a row's fields, lengths included, so that no byte can move from one field to the next."""
    crc = 0
    for field in fields:
        raw = field if isinstance(field, bytes) else repr(field).encode()
        crc = zlib.crc32(raw, zlib.crc32(b"%d:" % len(raw), crc))
    return crc


def from_rate(rate: Fraction | None) -> str:
    """Rate as text."""
    return "" if rate is None else f"{rate.numerator}/{rate.denominator}"


def to_rate(text: str) -> Fraction | None:
    """Rate of a text; ValueError or ZeroDivisionError where it is none."""
    return Fraction(text) if text else None


def pack_anchors(time: TimeMap, after: int | None) -> bytes:
    """Anchors of a map whose index is above `after` (None: all), as bytes."""
    columns = np.stack([time.index, time.device_ns, time.arrival_ns, time.t_ns, time.unc_ns], axis=1)
    if after is not None:
        columns = columns[time.index > after]
    return columns.astype("<i8").tobytes()


def unpack_anchors(raw: bytes) -> NDArray[np.int64]:
    """Anchors of bytes, shape (k, 5); ValueError where the length is none of anchors."""
    return np.frombuffer(raw, "<i8").astype(np.int64, copy=False).reshape(-1, _ANCHOR_COLUMNS)


def time_map(rate: Fraction | None, anchors: NDArray[np.int64]) -> TimeMap:
    """Map of unpacked anchors; ValueError where they are no map's."""
    return TimeMap(rate, *anchors.T)
