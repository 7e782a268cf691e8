"""CSV files whose meaning a JSON schema declares (:mod:`feltsense.importers._schema` has its format).

Rules
-----
- An empty cell, ``nan`` and ``NA`` are NaN: the device sent no number. Every other cell must be a decimal number.
- Times must grow. A stream with a rate and a time column is timed by the column; a step of more than one and a half
  periods is a gap, and a new segment. Nothing is resampled.
"""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from feltsense.core.chunk import Gap, GapReason
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.timeline import NS, TimeMap
from feltsense.errors import ImportFormatError
from feltsense.importers._schema import TIME_UNITS, iso_ns, read_schema
from feltsense.importers._table import check_options, is_number, strip_mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.importers._schema import CsvSchema, CsvStream

__all__ = ["IMPORTER"]

_MISSING = frozenset({"", "nan", "NaN", "NA"})
_GAP_PERIODS = 1.5
"""A step above this many periods is a gap: half a period is what a jittering time stamp may be off."""
_BEYOND_NS = 2**62
"""No time is as far from 1970 as this (146 years), so that sums of times stay within int64."""


class _Table(NamedTuple):
    """A file's lines: their numbers and cells, and the columns' positions by name."""

    where: str
    lines: list[int]
    rows: list[list[str]]
    names: dict[str | int, int]


def read_csv(source: Path, subject: str, options: Mapping[str, str]) -> Recording:
    """Import CSV files.

    Parameters
    ----------
    source : Path
        The file, or the folder of the files that the schema names.
    subject : str
        Pseudonym.
    options : mapping of str to str
        ``schema``: path of the JSON schema.

    Raises
    ------
    ImportFormatError
        If the schema or a file breaks its rules; the message names the field, or the file and line.
    """
    check_options("csv", options, ("schema",))
    if "schema" not in options:
        msg = f"{source}: a CSV file says nothing about itself; name a JSON schema with --schema"
        raise ImportFormatError(msg)
    declared = read_schema(Path(options["schema"]))
    tables: dict[Path, _Table] = {}
    streams: dict[str, Stream] = {}
    for stream in declared.streams:
        path = (source if source.is_dir() else source.parent) / stream.file if stream.file else source
        if path not in tables:
            tables[path] = _read(path, declared)
        streams[stream.info.id] = _stream(stream, tables[path])
    return Recording(subject, streams, (), {"importer": "csv", "source": source.resolve().name})


IMPORTER = read_csv


def _read(path: Path, declared: CsvSchema) -> _Table:
    try:
        text = strip_mark(path.read_bytes()).decode("utf-8")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=declared.delimiter, strict=True)
    except (OSError, ValueError, TypeError) as e:
        msg = f"{path}: cannot be read ({getattr(e, 'strerror', None) or e}); check its name and that it is UTF-8"
        raise ImportFormatError(msg) from e
    lines: list[int] = []
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row:
                lines.append(reader.line_num)
                rows.append(row)
    except csv.Error as e:
        msg = f"{path}, line {reader.line_num}: {e}; correct the line"
        raise ImportFormatError(msg) from e
    width = len(rows[0]) if rows else 0
    names: dict[str | int, int] = {i + 1: i for i in range(width)}
    if declared.header and rows:
        names = {name.strip(): i for i, name in enumerate(rows[0])}
        if len(names) != width:
            msg = f"{path}, line {lines[0]}: a column name is there twice; rename one"
            raise ImportFormatError(msg)
        del rows[0], lines[0]
    if not rows:
        msg = f"{path}: holds no samples; check the file{' and its header line' if declared.header else ''}"
        raise ImportFormatError(msg)
    for line, row in zip(lines, rows, strict=True):
        if len(row) != width:
            msg = f"{path}, line {line}: has {len(row)} columns, expected {width}; correct or remove the line"
            raise ImportFormatError(msg)
    return _Table(str(path), lines, rows, names)


def _stream(declared: CsvStream, table: _Table) -> Stream:
    values = np.stack([_numbers(table, c, empty=True) for c in declared.columns], axis=1) * declared.scale
    if np.isinf(values).any():
        line = table.lines[int(np.argmax(np.isinf(values).any(axis=1)))]
        msg = f"{table.where}, line {line}: a number of {declared.info.id} is too large; correct the line"
        raise ImportFormatError(msg)
    rate = declared.info.spec.rate
    if declared.time is None:
        # The schema's reader has made sure of both.
        if rate is None or declared.start_ns is None:
            raise AssertionError
        return Stream(declared.info, (_segment(values, TimeMap.uniform(declared.start_ns, rate)),))
    t_ns = _times(declared, table)
    if rate is None:
        return Stream(declared.info, (_segment(values, TimeMap.irregular(t_ns)),))
    return Stream(declared.info, tuple(_timed(values, t_ns, rate)))


def _timed(values: NDArray[np.float64], t_ns: NDArray[np.int64], rate: Fraction) -> list[Segment]:
    """Segments of samples that a rate paced and a column timed."""
    steps = np.diff(t_ns) * float(rate) / NS
    cuts = np.flatnonzero(steps > _GAP_PERIODS) + 1
    segments = []
    for number, (a, b) in enumerate(zip([0, *cuts], [*cuts, len(t_ns)], strict=True)):
        t = t_ns[a:b]
        time = TimeMap(rate, np.arange(len(t)), t, t, t, np.zeros(len(t), np.int64))
        lost = max(round(float(steps[a - 1])) - 1, 0) if number else 0
        segments.append(_segment(values[a:b].copy(), time, Gap(lost, lost, GapReason.SOURCE) if number else None, number))
    return segments


def _segment(values: NDArray[np.float64], time: TimeMap, gap: Gap | None = None, number: int = 0) -> Segment:
    values.setflags(write=False)
    return Segment(values, time, gap, number)


def _column(table: _Table, name: str | int) -> list[str]:
    if name not in table.names:
        known = ", ".join(str(n) for n in table.names)
        msg = f"{table.where}: has no column {name!r}; it has {known}"
        raise ImportFormatError(msg)
    at = table.names[name]
    return [row[at].strip() for row in table.rows]


def _numbers(table: _Table, name: str | int, *, empty: bool) -> NDArray[np.float64]:
    cells = _column(table, name)
    out = np.empty(len(cells))
    for i, cell in enumerate(cells):
        if is_number(cell):
            out[i] = float(cell)
        elif empty and cell in _MISSING:
            out[i] = np.nan
        else:
            msg = f"{table.where}, line {table.lines[i]}: {cell[:40]!r} in column {name!r} is not a number; correct it"
            raise ImportFormatError(msg)
    return out


def _times(declared: CsvStream, table: _Table) -> NDArray[np.int64]:
    """Session times of the lines, in ns."""
    if declared.time is None:
        raise AssertionError
    unit = TIME_UNITS[declared.time_unit]
    origin = declared.start_ns or 0
    out = np.empty(len(table.rows), np.int64)
    for i, cell in enumerate(_column(table, declared.time)):
        try:
            # Exact: a float has no nanoseconds left in a Unix time of today.
            t = origin + round(Fraction(cell) * unit) if unit and is_number(cell) else iso_ns(cell) if not unit else None
        except (ValueError, OverflowError):
            t = None
        if t is None or abs(t) > _BEYOND_NS:
            msg = f"{table.where}, line {table.lines[i]}: {cell[:40]!r} is no time in {declared.time_unit!r}; correct it"
            raise ImportFormatError(msg)
        if i and t <= out[i - 1]:
            msg = f"{table.where}, line {table.lines[i]}: the time is not after the line before; sort or remove the line"
            raise ImportFormatError(msg)
        out[i] = t
    return out
