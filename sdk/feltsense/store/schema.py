"""What is in a ``.felt`` file: tables, versions, checksums.

Rules
-----
- ``application_id`` says that it is ours, ``user_version`` which schema. Schema *n* is the first *n* scripts of
  :data:`MIGRATIONS`; a script that was released is never changed, and each is noted in the table ``migration``.
- ``chunk`` is append-only but for each stream's last row, which is written again as it grows. Rows of a stream are in
  the order in which they were appended. ``codec`` ``f8`` is schema 1's: values as little-endian float64, and only
  those anchors that the segment's earlier rows do not hold, five little-endian int64 each. ``z1`` is
  :mod:`~feltsense.store.codec`'s, and each row holds every anchor that decides its samples' times.
- ``at_ms`` and ``to_ms``, a row's first and last time in milliseconds from the recording's origin, are for finding it.
- In a sealed recording ``body`` holds the row (:mod:`~feltsense.store.rows`), the other columns hold nothing but a
  chunk's place; ``lock`` names the recording and the key. ``total`` counts what every commit acknowledged.
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
    "HEADER",
    "MIGRATIONS",
    "PACKED",
    "PAGE",
    "PLAIN",
    "checksum",
    "from_rate",
    "is_ours",
    "migrate",
    "time_map",
    "to_rate",
    "unpack_plain_anchors",
]

APPLICATION_ID = int.from_bytes(b"felt", "big")
HEADER = 100
"""Length of SQLite's file header (its file format, section 1.3)."""
_MAGIC = b"SQLite format 3\x00"
_ID_AT = slice(68, 72)
PLAIN, PACKED = "f8", "z1"
"""Codecs of a chunk: schema 1's, and today's."""
PAGE = 8192
"""Bytes a page: five rows of ECG fill one; on SQLite's 4096 a quarter of each page would be left over."""
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
    """
    ALTER TABLE about ADD COLUMN body BLOB;
    ALTER TABLE metadata ADD COLUMN body BLOB;
    ALTER TABLE stream ADD COLUMN body BLOB;
    ALTER TABLE event ADD COLUMN body BLOB;
    ALTER TABLE chunk ADD COLUMN at_ms INTEGER;
    ALTER TABLE chunk ADD COLUMN to_ms INTEGER;
    ALTER TABLE chunk ADD COLUMN body BLOB;
    CREATE TABLE total (key INTEGER PRIMARY KEY, value TEXT NOT NULL, body BLOB, crc INTEGER NOT NULL);
    CREATE TABLE lock (key INTEGER PRIMARY KEY, recording TEXT NOT NULL, key_id TEXT NOT NULL, crc INTEGER NOT NULL);
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


def unpack_plain_anchors(raw: bytes) -> NDArray[np.int64]:
    """Anchors of bytes, shape (k, 5); ValueError where the length is none of anchors."""
    return np.frombuffer(raw, "<i8").astype(np.int64, copy=False).reshape(-1, _ANCHOR_COLUMNS)


def time_map(rate: Fraction | None, anchors: NDArray[np.int64]) -> TimeMap:
    """Map of unpacked anchors; ValueError where they are no map's."""
    return TimeMap(rate, *anchors.T)
