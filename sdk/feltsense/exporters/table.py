"""CSV and Parquet: one long table, a row a sample and channel, exact times, and the way back without loss.

Columns: ``stream, kind, rate, device, segment, gap_samples, gap_upper, gap_reason, index, t_ns, device_ns, channel, value``.
Times are Unix nanoseconds; ``gap_*`` stand on a segment's first row. Values are written so that they read back to the same
bits (NaN as an empty field). Events and metadata are rows of the streams ``(event)`` and ``(metadata)``. What is lost:
which samples were the anchors of the time map, arrival times and uncertainties.
"""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.core.chunk import Gap, GapReason, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import TimeMap
from feltsense.errors import ImportFormatError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["COLUMNS", "ENDINGS", "EXPORTER", "read_table"]

ENDINGS = (".csv", ".parquet")
COLUMNS = (
    "stream", "kind", "rate", "device", "segment", "gap_samples", "gap_upper", "gap_reason",
    "index", "t_ns", "device_ns", "channel", "value",
)  # fmt: skip
_EVENT, _META, _SUBJECT = "(event)", "(metadata)", "(subject)"


def EXPORTER(recording: Recording, out: Path) -> None:  # noqa: N802 (its name is the registry's)
    """Write the table."""
    if out.name.lower().endswith(".csv"):
        with out.open("x", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(_rows(recording))
        return
    arrow = _arrow()
    columns = list(zip(*_rows(recording), strict=True))
    table = arrow.table({n: arrow.array([str(v) for v in c]) for n, c in zip(COLUMNS, columns, strict=True)})
    arrow.parquet.write_table(table, out, compression="zstd")


def read_table(path: Path) -> Recording:
    """Read a table back.

    Raises
    ------
    ImportFormatError
        If it is none of ours, or damaged.
    """
    try:
        if path.name.lower().endswith(".parquet"):
            table = _arrow().parquet.read_table(path)
            columns = tuple(table.column_names)
            rows: Iterable[Any] = zip(*(table.column(n).to_pylist() for n in columns), strict=True)
        else:
            lines = csv.reader(path.read_text(encoding="utf-8").splitlines(keepends=True))
            columns = tuple(next(lines, ()))
            rows = lines
        if columns != COLUMNS:
            msg = f"{path}: is no table of ours: its columns are not {', '.join(COLUMNS)}"
            raise ImportFormatError(msg)
        return _recording(rows)
    except (OSError, ValueError, KeyError, ArithmeticError, csv.Error) as e:
        msg = f"{path}: cannot be read as a table of ours ({' '.join(str(e).split())}); export it again"
        raise ImportFormatError(msg) from e


def _rows(recording: Recording) -> Iterator[tuple[Any, ...]]:
    yield (_SUBJECT, *[""] * 11, recording.subject)
    for key, value in recording.metadata.items():
        yield (_META, key, *[""] * 10, value)
    for e in recording.events:
        yield (_EVENT, str(e.kind), *[""] * 7, e.t_ns, "", repr(e.value), e.text)
    for stream in recording.streams.values():
        info = stream.info
        rate = "" if info.spec.rate is None else str(info.spec.rate)
        for s in stream.segments:
            n = len(s.values)
            t, device = s.time.times(0, n).tolist(), s.time.device_times(0, n).tolist()
            gap = ("", "", "") if s.gap is None else (s.gap.samples, s.gap.upper, str(s.gap.reason))
            about = (info.id, info.spec.name, rate, info.device, s.number)
            for i, row in enumerate(s.values.tolist()):
                for channel, value in zip(info.spec.kind.channels, row, strict=True):
                    text = "" if math.isnan(value) else repr(value)
                    yield (*about, *(gap if i == 0 else ("", "", "")), i, t[i], device[i], channel, text)


def _recording(rows: Iterable[Any]) -> Recording:
    subject, metadata, events = "", {}, []
    found: dict[str, dict[int, list[Any]]] = {}
    infos: dict[str, StreamInfo] = {}
    for row in rows:
        if len(row) != len(COLUMNS):
            msg = f"a row has {len(row)} fields, not {len(COLUMNS)}"
            raise ValueError(msg)
        name = row[0]
        if name == _SUBJECT:
            subject = row[12]
        elif name == _META:
            metadata[row[1]] = row[12]
        elif name == _EVENT:
            events.append(Event(int(row[9]), EventKind(row[1]), float(row[11]), row[12]))
        else:
            if name not in infos:
                infos[name] = StreamInfo(name, spec(row[1], row[2] or None), row[3])
            found.setdefault(name, {}).setdefault(int(row[4]), []).append(row)
    streams = {}
    for name, segments in found.items():
        made = [_segment(infos[name], number, rows) for number, rows in sorted(segments.items())]
        streams[name] = Stream(infos[name], tuple(made))
    return Recording(subject, streams, tuple(events), metadata)


def _segment(info: StreamInfo, number: int, rows: list[Any]) -> Segment:
    width = info.spec.width
    values = np.array([float(r[12]) if r[12] else math.nan for r in rows]).reshape(-1, width)
    values.setflags(write=False)
    first = rows[::width]
    if [int(r[8]) for r in first] != list(range(len(first))):
        msg = f"samples of {info.id}, segment {number}, are missing or out of order"
        raise ValueError(msg)
    t = np.array([int(r[9]) for r in first], np.int64)
    device = np.array([int(r[10]) for r in first], np.int64)
    index = np.arange(len(first))
    time = TimeMap(info.spec.rate, index, device, t, t, np.zeros(len(t), np.int64))
    lost = first[0][5:8]
    gap = Gap(int(lost[0]), int(lost[1]), GapReason(lost[2])) if lost[2] else None
    return Segment(values, time, gap, number)


def _arrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("scale", "Parquet") from None
    return pyarrow
