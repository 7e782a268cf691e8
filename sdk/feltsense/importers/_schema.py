"""The schema of CSV files: which column of which file is which signal, read from JSON and checked field by field.

Format
------
::

    {
      "start": "2024-05-01T10:00:00+02:00",
      "delimiter": ",",
      "header": true,
      "streams": [
        {"id": "watch.eda", "kind": "eda", "file": "eda.csv", "columns": ["EDA"], "rate": 4, "scale": 1.0},
        {"id": "watch.acc", "kind": "acc", "columns": ["x", "y", "z"], "time": "t", "time_unit": "ms", "rate": "32"},
        {"id": "watch.rr", "kind": "rr", "columns": ["rr_ms"], "time": "t", "time_unit": "ms", "scale": 0.001}
      ]
    }

- ``columns``: one for each channel of the kind; names of the header line, or numbers from 1 where ``header`` is false.
- ``scale``: factor from the file's numbers to the kind's unit; default 1.
- ``rate`` alone: evenly sampled from ``start`` on (of the stream, else of the schema; Unix seconds, or ISO 8601, UTC
  unless it has an offset). ``time`` alone: an irregular stream, each sample at its own time. Both: sampled at the
  rate, timed by the column; a step of more than one and a half periods is a gap.
- ``time_unit``: ``s``, ``ms``, ``us``, ``ns`` (Unix time, or counted from ``start`` where there is one) or ``iso``.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from feltsense.core.chunk import StreamInfo
from feltsense.core.signals import CATALOGUE, spec
from feltsense.core.timeline import NS
from feltsense.errors import ImportFormatError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TIME_UNITS", "CsvSchema", "CsvStream", "iso_ns", "read_schema"]

TIME_UNITS = {"s": NS, "ms": NS // 1000, "us": NS // 1_000_000, "ns": 1, "iso": 0}
"""Nanoseconds of one unit; 0: a date and time."""
_TOP = {"start", "delimiter", "header", "streams"}
_FIELDS = {"id", "kind", "file", "columns", "rate", "time", "time_unit", "scale", "start", "device"}


@dataclass(frozen=True, slots=True)
class CsvStream:
    """One stream: where its numbers are and what they mean.

    Attributes
    ----------
    info : StreamInfo
        The stream.
    file : str
        Its file, empty: the one that was named on the command line.
    columns : tuple of str or int
        Its columns.
    scale : float
        Factor to the unit.
    time : str, int or None
        Column of times.
    time_unit : str
        A key of :data:`TIME_UNITS`.
    start_ns : int or None
        Time of the first sample, or the origin of the time column.
    """

    info: StreamInfo
    file: str
    columns: tuple[str | int, ...]
    scale: float
    time: str | int | None
    time_unit: str
    start_ns: int | None


@dataclass(frozen=True, slots=True)
class CsvSchema:
    """All streams, and how the files are written."""

    streams: tuple[CsvStream, ...]
    delimiter: str
    header: bool


def read_schema(path: Path) -> CsvSchema:
    """Read and check a schema.

    Raises
    ------
    ImportFormatError
        If it is missing, no JSON, or a field is wrong; the message names the field.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as e:
        msg = f"{path}: cannot be read ({e.strerror}); name the JSON schema of the CSV files"
        raise ImportFormatError(msg) from e
    except (ValueError, RecursionError) as e:
        msg = f"{path}: is no JSON ({e}); correct it"
        raise ImportFormatError(msg) from e
    if not isinstance(document, dict) or not isinstance(document.get("streams"), list) or not document["streams"]:
        msg = f"{path}: expected an object with a list 'streams' that is not empty"
        raise ImportFormatError(msg)
    _known(path, "", document, _TOP)
    delimiter, header = document.get("delimiter", ","), document.get("header", True)
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n' or not isinstance(header, bool):
        msg = f"{path}: 'delimiter' must be one character (no quote or line end), 'header' true or false"
        raise ImportFormatError(msg)
    streams: list[CsvStream] = []
    for number, entry in enumerate(document["streams"]):
        where = f"{path}, streams[{number}]"
        try:
            stream = _stream(path, where, entry, document.get("start"), header)
        except (ValueError, TypeError, OverflowError, KeyError) as e:
            what = f"field {e} is missing" if isinstance(e, KeyError) else e
            msg = f"{where}: {what}; correct the schema"
            raise ImportFormatError(msg) from e
        if any(stream.info.id == s.info.id for s in streams):
            msg = f"{where}: id {stream.info.id!r} is there twice; each stream has its own"
            raise ImportFormatError(msg)
        streams.append(stream)
    return CsvSchema(tuple(streams), delimiter, header)


def iso_ns(text: str) -> int:
    """Unix ns of an ISO 8601 moment, UTC unless it has an offset; ValueError where it is none."""
    moment = datetime.fromisoformat(text.strip())
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def _stream(path: Path, where: str, entry: Any, start: Any, header: bool) -> CsvStream:
    if not isinstance(entry, dict):
        msg = "expected an object"
        raise TypeError(msg)
    _known(path, where, entry, _FIELDS)
    columns, time, unit = entry["columns"], entry.get("time"), entry.get("time_unit", "s")
    rate, scale = entry.get("rate"), entry.get("scale", 1.0)
    kind_name, texts = entry["kind"], [entry["id"], entry.get("file", ""), entry.get("device", "")]
    if not isinstance(kind_name, str) or kind_name not in CATALOGUE:
        msg = f"unknown kind {kind_name!r}; known: {', '.join(CATALOGUE)}"
        raise ValueError(msg)
    if not all(isinstance(t, str) for t in texts) or not entry["id"]:
        msg = "'id', 'file' and 'device' must be text, and 'id' not empty"
        raise ValueError(msg)
    if not isinstance(columns, list) or not all(
        _is_column(c, header) for c in [*columns, *([] if time is None else [time])]
    ):
        msg = f"'columns' must be a list and 'time' one of {'names' if header else 'numbers from 1'}"
        raise ValueError(msg)
    if len(columns) != len(CATALOGUE[kind_name].channels):
        msg = (
            f"{kind_name} has the channels {', '.join(CATALOGUE[kind_name].channels)}, but {len(columns)} columns are named"
        )
        raise ValueError(msg)
    if unit not in TIME_UNITS:
        msg = f"time_unit {unit!r} is none of {', '.join(TIME_UNITS)}"
        raise ValueError(msg)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not math.isfinite(scale) or scale == 0:
        msg = f"'scale' must be a number other than 0, not {scale!r}"
        raise ValueError(msg)
    if isinstance(rate, bool) or not isinstance(rate, int | float | str | None):
        msg = f"'rate' must be a number or text like '256/10', not {rate!r}"
        raise ValueError(msg)
    start_ns = _start(entry.get("start", start))
    if time is None and (rate is None or start_ns is None):
        msg = "needs either 'rate' and 'start', or 'time'"
        raise ValueError(msg)
    info = StreamInfo(entry["id"], spec(kind_name, rate), texts[2])
    return CsvStream(info, texts[1], tuple(columns), float(scale), time, unit, start_ns)


def _is_column(value: Any, header: bool) -> bool:
    return isinstance(value, str) if header else isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _start(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, str):
        return iso_ns(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**63 / NS:
        msg = f"'start' must be Unix seconds or ISO 8601, not {value!r}"
        raise ValueError(msg)
    return round(Fraction(value).limit_denominator(1_000_000) * NS)


def _known(path: Path, where: str, entry: dict[str, Any], fields: set[str]) -> None:
    for name in entry:
        if name not in fields:
            msg = f"{where or path}: unknown field {name!r}; known: {', '.join(sorted(fields))}"
            raise ImportFormatError(msg)
