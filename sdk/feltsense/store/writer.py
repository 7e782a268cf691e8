"""Writing a ``.felt`` file: append, commit, go on after a crash.

Rules
-----
- A stream's samples are packed in rows of 10 s (fast signals) or 60 s (slow ones). A row that is not full is written
  at each commit and written again, longer, at the next: what is acknowledged is never in memory only.
- :meth:`Writer.commit` ends the transaction with ``synchronous=FULL``: it returns when the disk has it.
- With a key everything is sealed (:mod:`~feltsense.store.seal`). That it is, is looked up in the file itself before
  the first sample is taken: encryption that is not in force is an error, not a plain file.
- A writer always holds SQLite's write lock, so two cannot interleave; readers are never blocked.
- A chunk is checked when it is appended: it must continue its segment, or begin a later one at sample 0.
- A writer may be used from any thread, by one at a time (a recorder commits in a worker thread: a disk can be slow).
"""

from __future__ import annotations

import json
import math
import os
import secrets
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from feltsense.errors import KeyStoreError, RecordingError
from feltsense.store import schema
from feltsense.store.opening import check_header, check_totals, check_version, check_whole, load_streams
from feltsense.store.rows import RESTORE, Rows, row_checked, seal_of
from feltsense.store.seal import Seal
from feltsense.store.tail import Tail, tail_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.event import Event
    from feltsense.store.seal import DataKey

__all__ = ["Writer", "in_the_way", "remove"]

BUSY_S = 2.0
"""How long to wait for another process's lock: its commit takes milliseconds, its session hours."""
LOG_PAGES = 128
"""Pages of the log before it goes into the file and begins anew, 1 MB: a sync of bytes that are written over takes half as
long as one of a file that grows, and fewer pages would sync the file itself more often than that gains."""
_LOG = ("", "-wal", "-shm", "-journal")


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
    key : DataKey, optional
        The participant's key: everything is encrypted with it.

    Raises
    ------
    RecordingError
        If the file exists or cannot be made, or encryption is asked for and not in force.
    """

    _closed = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        subject: str,
        metadata: Mapping[str, str] | None = None,
        key: DataKey | None = None,
    ) -> None:
        self.path = Path(path)
        self._tails: dict[str, Tail] = {}
        self._counts = {"stream": 0, "chunk": 0, "event": 0}
        self._about, self._metadata = 1, len(metadata or {})
        recording = secrets.token_hex(16)
        seal = None if key is None else Seal(key, recording)
        _make(self.path)
        with ExitStack() as undo:
            undo.callback(remove, self.path)
            self._db = _connect(self.path)
            undo.callback(self._db.close)
            self._rows = Rows(self._db, self.path, seal)
            with _explained(self.path):
                self._db.execute(f"PRAGMA page_size = {schema.PAGE}")
                self._db.execute("PRAGMA synchronous = FULL")
                # The schema is in the main file before the log begins: a file that was killed early is still ours.
                self._db.execute("BEGIN IMMEDIATE")
                schema.migrate(self._db)
                if seal is not None:
                    lock = (recording, seal.key.id)
                    self._db.execute("INSERT INTO lock VALUES (1, ?, ?, ?)", (*lock, schema.checksum(*lock)))
                probe = secrets.token_hex(16)
                self._tell("probe", probe)
                self._tell("subject", str(subject))
                for row, (name, value) in enumerate((metadata or {}).items(), 1):
                    self._rows.put("metadata", row, (str(name), str(value)))
                self._rows.put("total", 1, (self._total(),))
                self._db.execute("COMMIT")
                self._open()
            if key is not None:
                self._in_force(probe)
            undo.pop_all()

    @classmethod
    def resume(cls, path: str | os.PathLike[str], key: DataKey | None = None) -> Self:
        """Go on in an existing file, after a crash or a restart.

        The streams must be declared again; each goes on in a new segment, whose gap says ``restart`` where the
        chunk itself brings no gap.

        Raises
        ------
        RecordingError
            If it is not a ``.felt`` file, is damaged, or another process is writing it.
        KeyStoreError
            If it is encrypted and the key is missing or wrong; or a key was given and it is not.
        """
        self = cls.__new__(cls)
        self.path = Path(path)
        self._tails = {}
        check_header(self.path)
        with ExitStack() as undo:
            self._db = _connect(self.path)
            undo.callback(self._db.close)
            with _explained(self.path):
                check_version(self._db, self.path)
                (version,) = self._db.execute("PRAGMA user_version").fetchone()
                # Asked before anything is written: a wrong key changes nothing.
                seal = None
                if version > 1:
                    seal = seal_of(self._db, self.path, key)
                elif key is not None:
                    raise KeyStoreError(_not_sealed(self.path))
                self._rows = Rows(self._db, self.path, seal)
                for _ in self._rows.all("about") if version > 1 else ():
                    break
                self._open()
                schema.migrate(self._db)
                check_whole(self._db, self.path)
                check_totals(self._rows, version)
                self._counts = {t: self._count(t) for t in ("stream", "chunk", "event")}
                self._about, self._metadata = self._count("about") + 1, self._count("metadata")
                origin = next((int(v) for _, k, v in self._rows.all("about") if k == "origin"), None)
                for row, info in load_streams(self._rows).items():
                    with row_checked(self.path, "stream", row):
                        self._tails[info.id] = tail_of(self._rows, row, info)
                self._origin = origin
                if not self._count("total"):
                    self._rows.put("total", 1, (self._total(),))
                self.commit()
            undo.pop_all()
        return self

    _origin: int | None = None

    @property
    def stopped_ns(self) -> int | None:
        """After a resume: when the last sample of all streams ended, until they go on; None where there is none."""
        return max((t.stopped_ns for t in self._tails.values() if t.stopped_ns is not None), default=None)

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
                key = self._next("stream")
                self._rows.put("stream", key, row)
            self._tails[info.id] = Tail(key, info)

    def append(self, chunk: Chunk) -> None:
        """Append a chunk of a declared stream.

        Raises
        ------
        RecordingError
            If the stream was not declared, or the chunk does not continue it.
        """
        tail = self._tails.get(chunk.stream.id)
        if tail is None or (tail.info is not chunk.stream and tail.info != chunk.stream):
            msg = f"{self.path}: stream {chunk.stream.id!r} was not declared as {chunk.stream}; declare it first"
            raise RecordingError(msg)
        self._usable()
        if not len(chunk) and chunk.gap is None:
            return
        if self._origin is None:
            self._set_origin(chunk.start_ns)
        if tail.begins(chunk):
            self._flush(tail, last=True)
            tail.begin(chunk)
        for a in range(0, max(len(chunk), 1), tail.most):
            tail.push(chunk if len(chunk) <= tail.most else chunk.cut(a, min(a + tail.most, len(chunk))))
            if tail.full:
                self._flush(tail, last=True)

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
            if not -(2**63) <= row[0] < 2**63:
                msg = f"an event's time is 64 bits, not {row[0]}"
                raise OverflowError(msg)
            self._rows.put("event", self._counts["event"] + 1, row)
            self._next("event")

    def commit(self) -> None:
        """Acknowledge: when this returns, everything appended before survives a kill and a loss of power."""
        self._usable()
        self._write_open()
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
                self._write_open(last=True)
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
        self._db.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        # A row that is written again must not leave its older self in the page.
        self._db.execute("PRAGMA secure_delete = ON")
        self._db.execute("PRAGMA temp_store = MEMORY")
        self._db.execute("BEGIN IMMEDIATE")

    def _usable(self) -> None:
        if self._closed:
            msg = f"{self.path}: the writer is closed; go on with Writer.resume"
            raise RecordingError(msg)
        if not self._db.in_transaction:
            # SQLite itself rolled back (disk full): going on would leave a hole that no gap accounts for.
            msg = f"{self.path}: an earlier write failed; what was committed is safe: go on with Writer.resume"
            raise RecordingError(msg)

    def _write_open(self, last: bool = False) -> None:
        """Write the rows that are not full, and the count of everything."""
        for tail in self._tails.values():
            self._flush(tail, last)
        with _explained(self.path):
            self._rows.put("total", 1, (self._total(),), again=True)

    def _flush(self, tail: Tail, last: bool) -> None:
        if not tail.dirty and not (last and tail.row):
            return
        again = tail.row is not None
        with _explained(self.path):
            try:
                fields = tail.packed(self._origin or 0, last)
            except ValueError as e:
                msg = f"{self.path}: {tail.info.id}: {e}"
                raise RecordingError(msg) from e
            if tail.row is None:
                tail.row = self._next("chunk")
            self._rows.put("chunk", tail.row, fields, again=again)
        if last:
            tail.close_row()

    def _tell(self, name: str, value: str) -> None:
        self._rows.put("about", self._about, (name, value))
        self._about += 1

    def _set_origin(self, t_ns: int) -> None:
        with _explained(self.path):
            self._tell("origin", str(int(t_ns)))
        self._origin = int(t_ns)

    def _next(self, table: str) -> int:
        self._counts[table] += 1
        return self._counts[table]

    def _count(self, table: str) -> int:
        (n,) = self._db.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 (our own names)
        return int(n)

    def _total(self) -> str:
        samples = {str(t.key): t.written for t in self._tails.values() if t.rows}
        about = {"about": self._about - 1, "metadata": self._metadata}
        return json.dumps(self._counts | about | {"samples": samples})

    def _in_force(self, probe: str) -> None:
        """Look into the file: what was written must not be readable in it."""
        for suffix in _LOG:
            with suppress(FileNotFoundError):
                if probe.encode() in Path(f"{self.path}{suffix}").read_bytes():
                    msg = f"{self.path}: encryption was asked for and is not in force; nothing was recorded"
                    raise RecordingError(msg)


def _make(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError as e:
        raise RecordingError(in_the_way(path)) from e
    except (OSError, ValueError) as e:
        msg = f"{path}: cannot be made ({getattr(e, 'strerror', None) or e}); choose a folder that exists and is writable"
        raise RecordingError(msg) from e


def in_the_way(path: Path) -> str:
    """Why a file is not made."""
    return f"{path}: already exists and is not overwritten; choose another name or remove it"


def remove(path: Path) -> None:
    """Remove a file and its log."""
    for suffix in _LOG:
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


def _not_sealed(path: Path) -> str:
    return f"{path}: is not encrypted, and a key was given; record in a new file"
