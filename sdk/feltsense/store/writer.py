"""Writing a ``.felt`` file: append, commit, go on after a crash.

Rules
-----
- Rows go straight into SQLite's open transaction, which spills to disk by itself: memory does not grow with the
  session. :meth:`Writer.commit` ends the transaction with ``synchronous=FULL``: it returns when the disk has it.
- A writer always holds SQLite's write lock, so two cannot interleave; readers are never blocked.
- A chunk is checked when it is appended: it must continue its segment, or begin a later one at sample 0.
- A writer may be used from any thread, by one at a time (a recorder commits in a worker thread: a disk can be slow).
"""

from __future__ import annotations

import math
import os
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from feltsense.core.chunk import Gap, GapReason
from feltsense.core.recording import Stream
from feltsense.core.timeline import NS
from feltsense.errors import RecordingError
from feltsense.store import schema
from feltsense.store.reader import RESTORE, check_header, check_version, check_whole, load_streams, row_checked

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.event import Event
    from feltsense.core.recording import Recording

__all__ = ["Writer", "write"]

ROW_SECONDS = 60.0
"""Length of the rows that :func:`write` cuts a recording into: short enough to lose little to a damaged page."""
FASTEST_IRREGULAR_HZ = 4.0
"""Bound on what an irregular stream can have missed in a restart: beats at the highest plausible heart rate, 240/min."""
BUSY_S = 2.0
"""How long to wait for another process's lock: its commit takes milliseconds, its session hours."""
_COLUMNS = "stream, segment, start, n, codec, sealed, data, map_rate, anchors, gap_samples, gap_upper, gap_reason"


@dataclass(slots=True)
class _Tail:
    """Where a stream stands in the file."""

    key: int
    info: StreamInfo
    first: int = 0
    """Number in the file of the appended stream's segment 0."""
    segment: int = -1
    stop: int = 0
    anchored: int | None = None
    """Index of the last anchor of the segment that is in the file."""
    stopped_ns: int | None = None
    """After a resume: when the last sample's period ended."""


class Writer:
    """Appends a session to a new ``.felt`` file.

    Parameters
    ----------
    path : str or path-like
        File to make; it must not exist.
    subject : str
        Pseudonym.
    metadata : mapping of str to str, optional
        Where the data come from.

    Raises
    ------
    RecordingError
        If the file exists or cannot be made.
    """

    _closed = False

    def __init__(self, path: str | os.PathLike[str], subject: str, metadata: Mapping[str, str] | None = None) -> None:
        self.path = Path(path)
        self._tails: dict[str, _Tail] = {}
        _make(self.path)
        with ExitStack() as undo:
            undo.callback(_remove, self.path)
            self._db = _connect(self.path)
            undo.callback(self._db.close)
            with _explained(self.path):
                self._db.execute("PRAGMA synchronous = FULL")
                # The schema is in the main file before the log begins: a file that was killed early is still ours.
                self._db.execute("BEGIN IMMEDIATE")
                schema.migrate(self._db)
                self._put("about", ("key", "value"), ("subject", str(subject)))
                for key, value in (metadata or {}).items():
                    self._put("metadata", ("key", "value"), (str(key), str(value)))
                self._db.execute("COMMIT")
                self._open()
            undo.pop_all()

    @classmethod
    def resume(cls, path: str | os.PathLike[str]) -> Self:
        """Go on in an existing file, after a crash or a restart.

        The streams must be declared again; each goes on in a new segment, whose gap says ``restart`` where the
        chunk itself brings no gap.

        Raises
        ------
        RecordingError
            If it is not a ``.felt`` file, is damaged, or another process is writing it.
        """
        self = cls.__new__(cls)
        self.path = Path(path)
        self._tails = {}
        check_header(self.path)
        with ExitStack() as undo:
            self._db = _connect(self.path)
            undo.callback(self._db.close)
            with _explained(self.path):
                self._open()
                check_version(self._db, self.path)
                schema.migrate(self._db)
                check_whole(self._db, self.path)
                for key, info in load_streams(self._db, self.path).items():
                    with row_checked(self.path, "stream", key):
                        self._tails[info.id] = _tail(self._db, key, info)
                self.commit()
            undo.pop_all()
        return self

    def declare(self, info: StreamInfo) -> None:
        """Make a stream known; twice the same is fine.

        Raises
        ------
        RecordingError
            If the file has a stream of that id that is something else.
        """
        known = self._tails.get(info.id)
        if known is not None and known.info != info:
            msg = f"{self.path}: stream {info.id!r} is already there as {known.info}; record this one in a new file"
            raise RecordingError(msg)
        if known is None:
            spec = info.spec
            row = (info.id, spec.name, spec.unit, spec.width, schema.from_rate(spec.rate), info.device)
            with _explained(self.path):
                key = self._put("stream", ("id", "kind", "unit", "channels", "rate", "device"), row)
            self._tails[info.id] = _Tail(key, info)

    def append(self, chunk: Chunk) -> None:
        """Append a chunk of a declared stream.

        Raises
        ------
        RecordingError
            If the stream was not declared, or the chunk does not continue it.
        """
        tail = self._tails.get(chunk.stream.id)
        if tail is None or tail.info != chunk.stream:
            msg = f"{self.path}: stream {chunk.stream.id!r} was not declared as {chunk.stream}; declare it first"
            raise RecordingError(msg)
        if not len(chunk) and chunk.gap is None:
            return
        segment = tail.first + int(chunk.segment)
        fresh = segment > tail.segment
        if segment < tail.segment or chunk.start != (0 if fresh else tail.stop):
            msg = (
                f"{chunk.stream.id}: segment {chunk.segment}, sample {chunk.start} does not continue segment "
                f"{tail.segment - tail.first}, sample {tail.stop}; a gap must start a new segment"
            )
            raise RecordingError(msg)
        gap = _restart_gap(tail, chunk) if fresh and chunk.gap is None else chunk.gap
        time = chunk.time.between(chunk.start, chunk.stop)
        anchors = schema.pack_anchors(time, None if fresh else tail.anchored)
        lost = (None, None, None) if gap is None else (int(gap.samples), int(gap.upper), str(gap.reason))
        data = chunk.values.astype("<f8", copy=False).tobytes()
        place = (tail.key, segment, int(chunk.start), len(chunk))
        row = (*place, schema.CODEC, 0, data, schema.from_rate(chunk.time.rate), anchors, *lost)
        with _explained(self.path):
            self._put("chunk", tuple(_COLUMNS.split(", ")), row)
        last = int(time.index[-1])
        tail.anchored = last if fresh or tail.anchored is None else max(tail.anchored, last)
        tail.segment, tail.stop, tail.stopped_ns = segment, chunk.stop, None

    def event(self, event: Event) -> None:
        """Append an event.

        Raises
        ------
        RecordingError
            If its value is NaN.
        """
        if math.isnan(event.value):
            msg = f"{self.path}: event {event.kind} has the value NaN; an event without a number has 0"
            raise RecordingError(msg)
        # SQLite keeps no negative zero: adding 0 makes it the positive one, which is equal.
        row = (int(event.t_ns), str(event.kind), float(event.value) + 0.0, str(event.text))
        with _explained(self.path):
            self._put("event", ("t_ns", "kind", "value", "text"), row)

    def commit(self) -> None:
        """Acknowledge: when this returns, everything appended before survives a kill and a loss of power."""
        with _explained(self.path):
            self._db.execute("COMMIT")
            self._db.execute("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Commit and close; afterwards the session is the one file, without a log beside it. Twice is fine."""
        if self._closed:
            return
        self._closed = True
        with _explained(self.path), closing(self._db):
            if self._db.in_transaction:
                self._db.execute("COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # Also after an error: what was recorded until then is true.
        try:
            self.close()
        except RecordingError:
            if error is None:
                raise

    def _open(self) -> None:
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("BEGIN IMMEDIATE")

    def _put(self, table: str, columns: tuple[str, ...], row: tuple[object, ...]) -> int:
        if not self._db.in_transaction:
            # SQLite itself rolled back (disk full): going on would leave a hole that no gap accounts for.
            msg = f"{self.path}: an earlier write failed; what was committed is safe: go on with Writer.resume"
            raise RecordingError(msg)
        marks = ", ".join("?" * (len(row) + 1))
        # Names are this module's own; values are parameters.
        sql = f"INSERT INTO {table} ({', '.join(columns)}, crc) VALUES ({marks})"  # noqa: S608
        return int(self._db.execute(sql, (*row, schema.checksum(*row))).lastrowid or 0)


def write(path: str | os.PathLike[str], recording: Recording, *, overwrite: bool = False) -> None:
    """Write a whole recording, all or nothing.

    Parameters
    ----------
    path : str or path-like
        File to make.
    recording : Recording
        What to write.
    overwrite : bool
        Replace an existing file; until the new one is complete the old one stays.

    Raises
    ------
    RecordingError
        If the file exists and `overwrite` is false, or it cannot be made.
    """
    target = Path(path)
    if target.is_dir() or (target.exists() and not overwrite):
        raise RecordingError(_in_the_way(target))
    part = target.with_name(f"{target.name}.part")
    _remove(part)
    try:
        with Writer(part, recording.subject, recording.metadata) as writer:
            for stream in recording.streams.values():
                writer.declare(stream.info)
                for segment in stream.segments:
                    chunks = list(Stream(stream.info, (segment,)).chunks(ROW_SECONDS))
                    # A segment that lost all its samples still has its gap to tell.
                    for chunk in chunks or [segment.chunk(stream.info, 0, 0)]:
                        writer.append(chunk)
            for event in recording.events:
                writer.event(event)
        os.replace(part, target)
    except OSError as e:
        msg = f"{target}: cannot be put in place ({e.strerror})"
        raise RecordingError(msg) from e
    finally:
        _remove(part)


def _make(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError as e:
        raise RecordingError(_in_the_way(path)) from e
    except (OSError, ValueError) as e:
        msg = f"{path}: cannot be made ({getattr(e, 'strerror', None) or e}); choose a folder that exists and is writable"
        raise RecordingError(msg) from e


def _in_the_way(path: Path) -> str:
    return f"{path}: already exists and is not overwritten; choose another name or remove it"


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").unlink()


def _connect(path: Path) -> sqlite3.Connection:
    import sqlite3

    return sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors, and values that it cannot hold, into ours."""
    import sqlite3

    try:
        yield
    except sqlite3.OperationalError as e:
        mend = "stop the other process that writes it" if "locked" in str(e) else "check the disk and its free space"
        msg = f"{path}: cannot be written ({e}); {mend}"
        raise RecordingError(msg) from e
    except (sqlite3.ProgrammingError, sqlite3.DataError, OverflowError, UnicodeEncodeError) as e:
        msg = f"{path}: cannot be written ({e}); what is in the file already is safe"
        raise RecordingError(msg) from e
    except (sqlite3.Error, UnicodeDecodeError) as e:
        msg = f"{path}: cannot be written ({e}); {RESTORE}"
        raise RecordingError(msg) from e


def _tail(db: sqlite3.Connection, key: int, info: StreamInfo) -> _Tail:
    """Where a stream ended in the file: its last segment, and the time at which its last sample ended."""
    order = "WHERE stream = ? ORDER BY key DESC LIMIT 1"
    last = db.execute(f"SELECT segment, start + n, map_rate FROM chunk {order}", (key,)).fetchone()  # noqa: S608
    if last is None:
        return _Tail(key, info)
    segment, stop, _ = last
    anchored = order.replace("WHERE", "WHERE length(anchors) > 0 AND")
    (raw,) = db.execute(f"SELECT anchors FROM chunk {anchored}", (key,)).fetchone()  # noqa: S608
    index, t_ns = (int(schema.unpack_anchors(raw)[-1, c]) for c in (0, 3))
    rate = info.spec.rate
    stopped = t_ns if rate is None else t_ns + (stop - index) * NS * rate.denominator // rate.numerator
    return _Tail(key, info, segment + 1, segment, stop, None, stopped)


def _restart_gap(tail: _Tail, chunk: Chunk) -> Gap | None:
    """What the restart of the recorder may have cost: bounded by the session's clock, known to nobody exactly."""
    if tail.stopped_ns is None:
        return None
    away = max(0.0, (chunk.time.time_at(chunk.start) - tail.stopped_ns) / NS)
    rate = tail.info.spec.rate
    if rate is None:
        return Gap(0, math.ceil(away * FASTEST_IRREGULAR_HZ), GapReason.RESTART)
    # Session time was good to the uncertainty of this end; one sample either way for the unknown phase.
    slack = float(rate) * chunk.time.uncertainty(chunk.start) / NS + 1.0
    samples = away * float(rate)
    return Gap(max(0, math.floor(samples - slack)), math.ceil(samples + slack), GapReason.RESTART)
