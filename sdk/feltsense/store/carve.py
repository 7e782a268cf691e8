"""Rows out of the pages of a damaged file, without SQLite: what is left where the structure is gone.

Rules
-----
- Every page of the file and every frame of its log is looked at; a page that is a leaf of a table gives its cells.
  (SQLite's file format, sections 1.6, 2.1 and 4.) Nothing that a page says is trusted: a cell that makes no sense is
  left out, and every row has a checksum over its fields that only a true row has.
- A row may be found several times, as it grew: who calls chooses.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from feltsense.store import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["carve"]

_LEAF = 0x0D
_SIZES = {n: n for n in range(5)} | {5: 6, 6: 8, 7: 8, 8: 0, 9: 0}
_PAGES = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)
_WAL_HEAD, _FRAME_HEAD = 32, 24
_MOST_COLUMNS = 40


def carve(path: Path) -> Iterator[tuple[int, list[Any]]]:
    """(row number, columns as they lie on disk) of every row that can be found."""
    raw = path.read_bytes()
    size = _page_size(raw)
    versions = [(n // size + 1, raw[n : n + size]) for n in range(0, len(raw), size)]
    latest = dict(versions)
    for number, page in _log(path.with_name(f"{path.name}-wal"), size):
        versions.append((number, page))
        latest[number] = page
    for number, page in versions:
        yield from _cells(page, 100 if number == 1 else 0, latest, size)


def _page_size(raw: bytes) -> int:
    told = int.from_bytes(raw[16:18], "big")
    told = 65536 if told == 1 else told
    return told if told in _PAGES else schema.PAGE


def _log(path: Path, size: int) -> Iterator[tuple[int, bytes]]:
    """(page, content) of the frames of a log that belong to its present run."""
    if not path.exists():
        return
    raw = path.read_bytes()
    salt = raw[16:24]
    for at in range(_WAL_HEAD, len(raw) - _FRAME_HEAD - size + 1, _FRAME_HEAD + size):
        if raw[at + 8 : at + 16] == salt:
            yield int.from_bytes(raw[at : at + 4], "big"), raw[at + _FRAME_HEAD : at + _FRAME_HEAD + size]


def _cells(page: bytes, head: int, pages: Mapping[int, bytes], size: int) -> Iterator[tuple[int, list[Any]]]:
    if len(page) < size or page[head] != _LEAF:
        return
    count = min(int.from_bytes(page[head + 3 : head + 5], "big"), (size - head - 8) // 2)
    for i in range(count):
        (at,) = struct.unpack_from(">H", page, head + 8 + 2 * i)
        try:
            yield _cell(page, at, pages, size)
        except (IndexError, ValueError, KeyError, struct.error):
            continue


def _cell(page: bytes, at: int, pages: Mapping[int, bytes], size: int) -> tuple[int, list[Any]]:
    length, at = _varint(page, at)
    row, at = _varint(page, at)
    most = size - 35
    if length > len(pages) * size:
        msg = "longer than the file"
        raise ValueError(msg)
    if length <= most:
        return row, _record(page[at : at + length])
    least = (size - 12) * 32 // 255 - 23
    here = least + (length - least) % (size - 4)
    here = here if here <= most else least
    parts, left = [page[at : at + here]], length - here
    (following,) = struct.unpack_from(">I", page, at + here)
    while left:
        beyond = pages[following]
        (following,) = struct.unpack_from(">I", beyond, 0)
        parts.append(beyond[4 : 4 + min(left, size - 4)])
        left -= min(left, size - 4)
    return row, _record(b"".join(parts))


def _record(raw: bytes) -> list[Any]:
    head, at = _varint(raw, 0)
    kinds = []
    while at < head:
        kind, at = _varint(raw, at)
        kinds.append(kind)
    if at != head or len(kinds) > _MOST_COLUMNS:
        msg = "no record"
        raise ValueError(msg)
    out: list[Any] = []
    for kind in kinds:
        size = (kind - 12) // 2 if kind >= 12 else _SIZES[kind]
        field = raw[at : at + size]
        if len(field) != size:
            msg = "cut off"
            raise ValueError(msg)
        out.append(_value(kind, field))
        at += size
    return out


def _value(kind: int, field: bytes) -> Any:
    if kind == 0:
        return None
    if kind >= 12:
        return bytes(field) if kind % 2 == 0 else field.decode()
    if kind == 7:
        return struct.unpack(">d", field)[0]
    return kind - 8 if kind >= 8 else int.from_bytes(field, "big", signed=True)


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = 0
    for i in range(9):
        byte = raw[at + i]
        if i == 8:
            value = value << 8 | byte
            return (value - (1 << 64) if value >> 63 else value), at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + i + 1
    raise ValueError(at)
