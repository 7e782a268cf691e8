"""Empatica E4: the folder or zip of CSV files that its software exports.

Format
------
- One file a signal; line 1 is the Unix time of the first sample (fractions allowed), line 2 the rate, both once a
  column; then one sample a line. ACC is in 1/64 g (the device's README).
- ``IBI.csv``: line 1 the start and the word IBI, then seconds since the start and the beat interval. The device
  leaves out beats that it does not trust, so an interval that does not reach back to the beat before starts a new
  segment. ``tags.csv``: a Unix time a line, one each press of the button; it has no header. ``HR.csv`` is an average
  of the same beats over 10 s and not read.
- The first EDA sample is 0.0 µS, an artefact of the device: kept as it is, the quality index knows.
- A modality that is missing is fine, and said in the note.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.chunk import Gap, GapReason, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import IRREGULAR, SignalSpec, kind
from feltsense.core.timeline import NS, TimeMap
from feltsense.errors import ImportFormatError
from feltsense.importers._bundle import read_files
from feltsense.importers._table import check_options, is_number, read_table, strip_mark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["IMPORTER", "is_folder", "is_zip", "name_of"]

_ZIP = b"PK"
DEVICE = "Empatica E4"
_SIGNALS = {
    # file: stream, kind, unit a count, highest rate. The E4 samples at 64, 4, 4 and 32 Hz; four times that leaves
    # room for relatives, and tells a missing rate line in TEMP.csv (a sample of 20–40 °C in its place) from a rate.
    "BVP.csv": ("e4.bvp", "ppg", 1.0, 256),
    "EDA.csv": ("e4.eda", "eda", 1.0, 16),
    "TEMP.csv": ("e4.temp", "skin_temperature", 1.0, 16),
    "ACC.csv": ("e4.acc", "acc", 1.0 / 64.0, 128),
}
_IBI, _TAGS = "IBI.csv", "tags.csv"
_EARLIEST, _LATEST = 10**8, 10**10
"""Unix times that a start may have (1973 to 2286): a rate or a sample in its place is far below."""
_TICK_S = 1 / 64
"""The E4 counts beat intervals in BVP samples: intervals that join are within one."""
_UNEVEN_S = 60.0
"""Signals of one E4 end within seconds of each other; a minute apart, a file was cut."""


def is_folder(path: Path) -> bool:
    """Whether a folder holds an E4's signals, complete or not."""
    return path.is_dir() and any((path / name).is_file() for name in _SIGNALS)


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip does; a damaged one is for the importer to complain about."""
    try:
        with path.open("rb") as file:
            return file.read(len(_ZIP)) == _ZIP
    except OSError:
        return False


def name_of(source: Path) -> str:
    """Name of a folder or zip, for want of a subject."""
    return source.resolve().stem if source.is_file() else source.resolve().name


def read_e4(source: Path, subject: str, options: Mapping[str, str]) -> Recording:
    """Import an E4 folder or zip.

    Parameters
    ----------
    source : Path
        Folder, or zip of its files (in it or in one inner folder).
    subject : str
        Pseudonym.
    options : mapping of str to str
        None are known.

    Raises
    ------
    ImportFormatError
        If there is no signal, or a file is damaged; the message names file and line.
    """
    check_options("e4", options, ())
    files = read_files(source, (*_SIGNALS, _IBI, _TAGS))
    if not any(name in files for name in _SIGNALS):
        msg = f"{source}: holds no signal of an Empatica E4; expected one of {', '.join(_SIGNALS)}"
        raise ImportFormatError(msg)
    streams = {
        _SIGNALS[name][0]: _signal(data, f"{source}/{name}", name) for name, data in files.items() if name in _SIGNALS
    }
    notes = [f"{name} is absent" for name in _SIGNALS if name not in files]
    stops = {k: s.stop_ns for k, s in streams.items()}
    latest = max(stops.values())
    notes += [f"{k} ends {(latest - t) / NS:.0f} s early" for k, t in stops.items() if latest - t > _UNEVEN_S * NS]
    beats = _beats(files.get(_IBI, b""), f"{source}/{_IBI}")
    if beats is not None:
        streams[beats.info.id] = beats
    events = _tags(files.get(_TAGS, b""), f"{source}/{_TAGS}")
    first = min(s.start_ns for s in streams.values())
    outside = sum(not first <= e.t_ns <= latest for e in events)
    notes += [f"{outside} of {len(events)} tags lie outside the recording"] if outside else []
    metadata = {"importer": "e4", "source": source.resolve().name, "note": "; ".join(notes)}
    return Recording(subject, streams, events, {k: v for k, v in metadata.items() if v})


IMPORTER = read_e4


def _signal(data: bytes, where: str, name: str) -> Stream:
    stream_id, kind_name, scale, highest = _SIGNALS[name]
    what = kind(kind_name)
    columns = len(what.channels)
    lines = strip_mark(data).split(b"\n", 2)
    start = _unix(_same(lines, 0, columns, where, "the start as a Unix time, like 1644227574.00"), f"{where}, line 1")
    text = _same(lines, 1, columns, where, "the rate, like 64.000000")
    rate = Fraction(text) if "e" not in text.lower() else Fraction(0)
    if not 0 < rate <= highest or rate.denominator != 1:
        msg = f"{where}, line 2: {text} cannot be the rate (a whole number up to {highest}); is the rate line missing?"
        raise ImportFormatError(msg)
    values = read_table(lines[2] if len(lines) > 2 else b"", where, 3, columns)
    if not len(values):
        msg = f"{where}, line 3: no samples after the rate; remove the file to import the others without it"
        raise ImportFormatError(msg)
    info = StreamInfo(stream_id, SignalSpec(what, rate), DEVICE)
    return Stream(info, (_segment(values * scale, TimeMap.uniform(start, rate)),))


def _segment(values: NDArray[np.float64], time: TimeMap, gap: Gap | None = None, number: int = 0) -> Segment:
    values.setflags(write=False)
    return Segment(values, time, gap, number)


def _same(lines: list[bytes], at: int, columns: int, where: str, expected: str) -> str:
    """The one value of a header line that repeats it once a column."""
    # latin-1 decodes every byte; what is no number is refused below.
    line = lines[at].decode("latin-1").strip() if at < len(lines) else ""
    cells = [c.strip() for c in line.split(",")]
    if not is_number(cells[0]) or len(set(cells)) != 1 or len(cells) != columns:
        found = "nothing" if not line else repr(line[:60])
        msg = f"{where}, line {at + 1}: found {found}, expected {expected}{f', {columns} times' if columns > 1 else ''}"
        raise ImportFormatError(f"{msg}; export the file again")
    return cells[0]


def _unix(text: str, where: str) -> int:
    """Unix seconds as nanoseconds, exactly."""
    if not is_number(text) or not _EARLIEST <= float(text) <= _LATEST:
        msg = f"{where}: {text[:60]!r} is not a Unix time like 1644227574.00; is a line missing?"
        raise ImportFormatError(msg)
    return round(Fraction(text) * NS)


def _beats(data: bytes, where: str) -> Stream | None:
    head, _, body = strip_mark(data).partition(b"\n")
    if not body.strip():
        return None
    cells = head.decode("latin-1").split(",")
    if len(cells) != 2 or cells[1].strip().upper() != "IBI":
        msg = f"{where}, line 1: found {head[:60]!r}, expected the start and the word IBI; export the file again"
        raise ImportFormatError(msg)
    start = _unix(cells[0].strip(), f"{where}, line 1")
    table = read_table(body, where, 2, 2)
    since, interval = table[:, 0], table[:, 1]
    bad = (since < 0) | (since > _LATEST) | (interval <= 0) | (np.diff(since, prepend=-1.0) <= 0)
    if bad.any():
        msg = f"{where}, line {2 + int(np.argmax(bad))}: times must grow and intervals be positive; remove the line"
        raise ImportFormatError(msg)
    what = kind("rr")
    info = StreamInfo("e4.ibi", SignalSpec(what, IRREGULAR), DEVICE)
    missing = np.diff(since, prepend=since[:1]) - interval
    cuts = np.flatnonzero(np.abs(missing[1:]) > _TICK_S) + 1
    t_ns = start + np.rint(since * NS).astype(np.int64)
    segments = []
    for number, (a, b) in enumerate(zip([0, *cuts], [*cuts, len(table)], strict=True)):
        gap = _lost(float(missing[a]), what.low, what.high) if number else None
        segments.append(_segment(interval[a:b, None].copy(), TimeMap.irregular(t_ns[a:b]), gap, number))
    return Stream(info, tuple(segments))


def _lost(seconds: float, shortest: float, longest: float) -> Gap:
    """Beats in a time without any: what plausible intervals allow; none in less than the shortest."""
    least = int(np.ceil(seconds / longest)) if seconds >= shortest else 0
    return Gap(least, max(int(seconds / shortest), 0), GapReason.SOURCE)


def _tags(data: bytes, where: str) -> tuple[Event, ...]:
    lines = strip_mark(data).decode("latin-1").replace("\r\n", "\n").split("\n")
    cells = ((number, line.strip()) for number, line in enumerate(lines, 1))
    return tuple(Event(_unix(cell, f"{where}, line {number}"), EventKind.MARKER) for number, cell in cells if cell)
