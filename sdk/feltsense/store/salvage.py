"""What is left of a damaged recording, in a new file, with an account of every sample that is not in it.

Rules
-----
- The damaged file is only read. Rows are taken from its pages (:mod:`~feltsense.store.carve`), each against its
  checksum and its seal: nothing damaged is taken.
- Where rows are lost a new segment begins, whose gap says ``corrupt``. Inside a segment the loss is exact; across the
  seam of two it lies between what the rows tell and what the time between them allows.
- Every commit counted what it acknowledged: what the rows of a stream do not account for is told as lost, too.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feltsense.core.chunk import Chunk, Gap, GapReason, StreamInfo
from feltsense.core.signals import CATALOGUE, SignalSpec
from feltsense.core.timeline import NS, TimeMap
from feltsense.errors import KeyStoreError, RecordingError
from feltsense.store import schema
from feltsense.store.carve import carve
from feltsense.store.reader import event_of, gap_of, unpack_row
from feltsense.store.rows import Rows
from feltsense.store.seal import Seal
from feltsense.store.writer import Writer

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from feltsense.store.seal import DataKey

    Found = dict[str, dict[int, list[Any]]]

__all__ = ["Salvaged", "StreamSalvage", "salvage"]

_ABOUT = {"probe", "subject", "origin"}


@dataclass(frozen=True, slots=True)
class StreamSalvage:
    """What became of a stream.

    Attributes
    ----------
    kept : int
        Samples in the new file.
    lost : int or None
        Samples that were acknowledged and are gone; None where the count of them is gone, too.
    breaks : int
        Places where samples are gone.
    """

    id: str
    kept: int
    lost: int | None
    breaks: int


@dataclass(frozen=True, slots=True)
class Salvaged:
    """The account of a salvage."""

    streams: tuple[StreamSalvage, ...]
    events: int
    events_lost: int | None
    notes: tuple[str, ...] = field(default=())


def salvage(path: str | os.PathLike[str], out: str | os.PathLike[str], key: DataKey | None = None) -> Salvaged:
    """Save what is left of a damaged recording.

    Parameters
    ----------
    path : str or path-like
        The damaged file; it stays as it is.
    out : str or path-like
        File to make; it must not exist.
    key : DataKey, optional
        Of an encrypted recording; what is saved is encrypted with it, too.

    Raises
    ------
    RecordingError
        If nothing is left, or `out` exists.
    KeyStoreError
        If the recording is encrypted and the key is missing or another one.
    """
    where = Path(path)
    try:
        found = _found(where, key)
    except OSError as e:
        msg = f"{where}: cannot be read ({e.strerror}); check the name"
        raise RecordingError(msg) from e
    infos = dict(_streams(found))
    if not infos and not found["event"]:
        msg = f"{where}: nothing is left in it: no stream and no event could be read; restore the file from a copy"
        raise RecordingError(msg)
    totals = _totals(found)
    about: dict[str, str] = dict(found["about"].values())
    metadata = dict(found["metadata"].values()) | {"salvaged.from": where.name}
    notes = [] if "subject" in about else ["the pseudonym is gone"]
    streams = []
    with Writer(out, about.get("subject", "unknown"), metadata, key) as writer:
        for number, info in infos.items():
            total = totals.get("samples", {}).get(str(number), 0 if totals else None)
            streams.append(_save(writer, where, info, found, number, total))
        for k, fields in sorted(found["event"].items()):
            writer.event(event_of(where, k, *fields))
    for number, samples in totals.get("samples", {}).items():
        if int(number) not in infos:
            streams.append(StreamSalvage(f"stream {number} (its name is gone)", 0, samples, 1))
    events = totals.get("event")
    lost = None if events is None else max(0, events - len(found["event"]))
    if not totals:
        notes.append("the count of what was acknowledged is gone: losses at the end of a stream cannot be told")
    return Salvaged(tuple(streams), len(found["event"]), lost, tuple(notes))


def _found(path: Path, key: DataKey | None) -> Found:
    """The best version of every row that can be read."""
    import sqlite3

    cells = [(row, columns) for row, columns in carve(path) if columns]
    seal = _seal(path, cells, key)
    rows = Rows(sqlite3.connect(":memory:"), path, seal)
    found: Found = defaultdict(dict)
    try:
        for row, columns in cells:
            for table, shaped in _shapes(columns):
                try:
                    fields = rows.fields(table, row, *shaped)
                except RecordingError:
                    continue
                if table == "about" and not (seal or fields[0] in _ABOUT):
                    continue
                if table == "metadata" and not seal and fields[0] in _ABOUT and row in found["about"]:
                    continue
                if _better(table, fields, found[table].get(row)):
                    found[table][row] = fields
    finally:
        rows.db.close()
    return found


def _seal(path: Path, cells: list[tuple[int, list[Any]]], key: DataKey | None) -> Seal | None:
    named = (c for _, c in cells if len(c) == 4 and c[0] is None and all(isinstance(x, str) for x in c[1:3]))
    locks = {(str(c[1]), str(c[2])) for c in named if c[3] == schema.checksum(*c[1:3])}
    sealed = any(len(c) > 5 and isinstance(c[-1], bytes) for _, c in cells)
    if key is None and (locks or sealed):
        msg = f"{path}: is encrypted; give the folder of the keys (FELTSENSE_KEYS) and the passphrase"
        raise KeyStoreError(msg)
    if key is None:
        return None
    for recording, key_id in locks:
        if key_id != key.id:
            msg = f"{path}: is encrypted with key {key_id}, not with {key.id}; nothing was opened"
            raise KeyStoreError(msg)
        return Seal(key, recording)
    msg = f"{path}: the name that its rows are sealed to is gone, and with it what they hold; restore the file from a copy"
    raise RecordingError(msg)


def _shapes(c: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Tables that a record may be a row of, with its columns in our order: fields, body, checksum."""
    n, first = len(c), c[0]
    if first is not None:
        if n in (3, 4):
            body = c[3] if n == 4 else None
            yield "about", [c[0], c[1], body, c[2]]
            yield "metadata", [c[0], c[1], body, c[2]]
    elif n == 4:
        yield "total", [c[1], c[2], c[3]]
    elif n in (6, 7):
        # SQLite keeps a whole number in a REAL column as an integer.
        value = float(c[3]) if isinstance(c[3], int) else c[3]
        yield "event", [c[1], c[2], value, c[4], c[6] if n == 7 else None, c[5]]
    elif n in (8, 9):
        yield "stream", [*c[1:7], c[8] if n == 9 else None, c[7]]
    elif n in (14, 17):
        later = c[14:17] if n == 17 else [None, None, None]
        yield "chunk", [*c[1:13], *later, c[13]]


def _better(table: str, new: list[Any], old: list[Any] | None) -> bool:
    if old is None:
        return True
    if table == "chunk":
        return bool(new[3] > old[3])
    return table == "total" and _sum(new) >= _sum(old)


def _sum(fields: list[Any]) -> int:
    total = json.loads(fields[0])
    return int(total["event"]) + int(sum(total["samples"].values()))


def _totals(found: Found) -> dict[str, Any]:
    return next((json.loads(fields[0]) for fields in found["total"].values()), {})


def _streams(found: Found) -> Iterator[tuple[int, StreamInfo]]:
    for number, (name, kind, _, _, rate, device) in sorted(found["stream"].items()):
        if kind in CATALOGUE:
            yield number, StreamInfo(name, SignalSpec(CATALOGUE[kind], schema.to_rate(rate)), device)


@dataclass(slots=True)
class _Before:
    """The row before: its number, segment, where it ends in the damaged file and in the new one, and when."""

    row: int
    number: int
    stop: int
    segment: int
    stop_here: int
    stopped_ns: int


def _save(writer: Writer, path: Path, info: StreamInfo, found: Found, number: int, total: int | None) -> StreamSalvage:
    """Write a stream's rows; the account of it."""
    writer.declare(info)
    kept = lost = breaks = 0
    before: _Before | None = None
    for row in sorted((k, *r) for k, r in found["chunk"].items() if r[0] == number):
        start, n = row[3], row[4]
        try:
            values, anchors = unpack_row(path, info, row)
            time = schema.time_map(schema.to_rate(row[8]), anchors)
            at_ns, stopped_ns = (int(t) for t in (time.time_at(start), time.time_at(start + max(n - 1, 0))))
        except (RecordingError, ValueError, ArithmeticError):
            continue
        gap, gone, segment, here = None, 0, 0, 0
        if before is not None and (before.number, before.stop) == (row[2], start):
            segment, here = before.segment, before.stop_here
        else:
            segment = 0 if before is None else before.segment + 1
            whole = all(k in found["chunk"] for k in range(before.row + 1 if before else row[0], row[0]))
            gap, gone = _seam(info, row, before, at_ns, whole)
        writer.append(Chunk(info, segment, here, values, _shifted(time, here - start), gap))
        before = _Before(row[0], row[2], start + n, segment, here + n, stopped_ns)
        kept, lost, breaks = kept + n, lost + gone, breaks + bool(gone)
    if total is None:
        return StreamSalvage(info.id, kept, None, breaks)
    rest = max(0, total - kept - lost)
    return StreamSalvage(info.id, kept, lost + rest, breaks + bool(rest))


def _seam(info: StreamInfo, row: Any, before: _Before | None, at_ns: int, whole: bool) -> tuple[Gap | None, int]:
    """The gap before a row that does not continue the row before it, and how many acknowledged samples it swallows."""
    start = row[3]
    if before is not None and before.number == row[2]:
        return Gap(start - before.stop, start - before.stop, GapReason.CORRUPT), start - before.stop
    own = gap_of(row) if start == 0 else None
    if start == 0 and whole:
        return own, 0
    # Rows are missing across the seam of two segments: the time between what is left bounds their samples.
    rate = info.spec.rate
    least = start if own is None else own.samples
    away = 0.0 if before is None or rate is None else (at_ns - before.stopped_ns) * float(rate) / NS
    return Gap(least, max(least, 0 if own is None else own.upper, math.ceil(away)), GapReason.CORRUPT), start


def _shifted(time: TimeMap, by: int) -> TimeMap:
    return TimeMap(time.rate, time.index + by, time.device_ns, time.arrival_ns, time.t_ns, time.unc_ns)
