"""Reading a ``.felt`` file: verify every row, join the rows to segments; or only those of a span of time.

Rules
-----
- Rows of a segment are concatenated, values and anchors alike: what comes out does not depend on the rows' cut.
- Whatever is wrong with a file, the error is a :class:`~feltsense.errors.RecordingError` that names the file, the
  table and the row.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from feltsense.core.chunk import Gap, GapReason, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.timeline import TimeMap
from feltsense.errors import RecordingError, UnknownNameError
from feltsense.store import codec, schema
from feltsense.store.opening import check_totals, explained, keyless, load_streams, opened
from feltsense.store.rows import Rows, damaged, lock_of, row_checked

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Any

    from numpy.typing import NDArray

    from feltsense.store.seal import DataKey

    Row = tuple[Any, ...]

__all__ = ["Reader", "key_id", "read", "read_segments"]

_MS = 1_000_000


def read(path: str | os.PathLike[str], key: DataKey | None = None) -> Recording:
    """Read a ``.felt`` file.

    Parameters
    ----------
    path : str or path-like
        The file; it may still be being recorded (what is committed is read).
    key : DataKey, optional
        Of an encrypted recording.

    Raises
    ------
    RecordingError
        If it is missing, a folder, something else, of a newer schema, truncated or damaged.
    KeyStoreError
        If it is encrypted and the key is missing or wrong.
    """
    where = Path(path)
    with opened(where, key, whole=True) as (rows, version):
        about = {name: value for _, name, value in rows.all("about")}
        if "subject" not in about:
            raise damaged(where, "table about has no subject")
        infos = load_streams(rows)
        streams = {info.id: Stream(info, tuple(read_segments(rows, k, info))) for k, info in infos.items()}
        events = tuple(event_of(where, *row) for row in rows.all("event"))
        metadata = {name: value for _, name, value in rows.all("metadata")}
        if lost := {row[0] for row in rows.db.execute("SELECT DISTINCT stream FROM chunk")} - set(infos):
            raise damaged(where, f"table chunk names stream {lost.pop()!r}, which table stream does not have")
        # Last: a damaged row names itself, which says more than a count.
        check_totals(rows, version)
    return Recording(about["subject"], streams, events, metadata)


def key_id(path: str | os.PathLike[str]) -> str | None:
    """The key that seals a recording, None where it is plain.

    Raises
    ------
    RecordingError
        If it is no ``.felt`` file, or damaged.
    """
    with keyless(Path(path)) as db:
        lock = lock_of(db, Path(path))
    return None if lock is None else lock[1]


class Reader:
    """An open recording, of which parts are read: a minute of a day costs a minute's rows.

    Parameters
    ----------
    path : str or path-like
        The file.
    key : DataKey, optional
        Of an encrypted recording.

    Raises
    ------
    RecordingError, KeyStoreError
        As :func:`read`; damage is noticed in the rows that are read.
    """

    def __init__(self, path: str | os.PathLike[str], key: DataKey | None = None) -> None:
        self.path = Path(path)
        with ExitStack() as stack:
            self._rows, _ = stack.enter_context(opened(self.path, key, whole=False))
            about = {name: value for _, name, value in self._rows.all("about")}
            self.subject: str = about.get("subject", "")
            self.metadata: dict[str, str] = {name: value for _, name, value in self._rows.all("metadata")}
            self._infos = load_streams(self._rows)
            with row_checked(self.path, "about", 0):
                self._origin = int(about.get("origin", 0))
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._stack.close()

    @property
    def infos(self) -> dict[str, StreamInfo]:
        """Id → stream."""
        return {info.id: info for info in self._infos.values()}

    def between(self, start_ns: int, stop_ns: int, streams: Iterable[str] | None = None) -> Recording:
        """Samples and events of ``[start_ns, stop_ns)``.

        Parameters
        ----------
        start_ns, stop_ns : int
            Session time.
        streams : iterable of str, optional
            Only these.

        Raises
        ------
        UnknownNameError
            If there is no such stream.
        RecordingError
            If a row that is needed is damaged.
        """
        wanted = set(self.infos) if streams is None else set(streams)
        for name in wanted - set(self.infos):
            raise UnknownNameError("stream", name, tuple(self.infos))
        # One millisecond either way, for the rounding of a row's first and last time.
        near = ((start_ns - self._origin) // _MS - 1, (stop_ns - self._origin) // _MS + 1)
        where = "WHERE stream = ? AND (to_ms IS NULL OR to_ms >= ?) AND (at_ms IS NULL OR at_ms <= ?)"
        out = {}
        with explained(self.path):
            for key, info in self._infos.items():
                if info.id in wanted:
                    found = read_segments(self._rows, key, info, (where, (key, *near)))
                    parts = (_part(segment, start, start_ns, stop_ns) for start, segment in found)
                    out[info.id] = Stream(info, tuple(p for p in parts if p is not None))
            events = [event_of(self.path, *row) for row in self._rows.all("event")]
        return Recording(self.subject, out, tuple(e for e in events if start_ns <= e.t_ns < stop_ns), self.metadata)


def read_segments(rows: Rows, key: int, info: StreamInfo, only: tuple[str, Row] | None = None) -> Iterator[Any]:
    """Segments of a stream; with `only` (a condition), the (first sample, piece of a segment) of the rows that meet it."""
    run: list[Row] = []
    where, values = only or ("WHERE stream = ?", (key,))
    for row in rows.all("chunk", where, values):
        at, _, number, start, n, *_ = row
        with row_checked(rows.path, "chunk", at):
            fresh = not run or number != run[-1][2]
            expected = 0 if fresh else run[-1][3] + run[-1][4]
            if (start != expected and not (only and fresh)) or n < 0 or start < 0 or (run and number < run[-1][2]):
                msg = f"segment {number}, sample {start} of {info.id} does not continue the row before"
                raise ValueError(msg)
        if fresh and run:
            yield _joined(rows.path, info, run, only is not None)
            run = []
        run.append(row)
    if run:
        yield _joined(rows.path, info, run, only is not None)


def event_of(path: Path, key: int, t_ns: int, kind_name: str, value: float, text: str) -> Event:
    """Event of a row."""
    with row_checked(path, "event", key):
        return Event(t_ns, EventKind(kind_name), value, text)


def unpack_row(path: Path, info: StreamInfo, row: Row) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Values and anchors of one row."""
    at, _, _, _, n, kind, sealed, data, _, anchors = row[:10]
    with row_checked(path, "chunk", at):
        if kind not in (schema.PLAIN, schema.PACKED) or sealed:
            what = "is encrypted in a way" if sealed else f"has codec {kind!r}"
            msg = f"{path}: table chunk, row {at}, {what} that this program cannot read; update feltsense"
            raise RecordingError(msg)
        if kind == schema.PACKED:
            # Besides the samples' own, one anchor before and one behind decide their times.
            return codec.unpack_values(data, n, info.spec.width), codec.unpack_anchors(anchors, n + 3)
        values = np.frombuffer(data, "<f8").astype(np.float64, copy=False).reshape(-1, info.spec.width)
        if len(values) != n:
            msg = f"holds {len(values)} samples of {info.id}, not {n}"
            raise ValueError(msg)
        return values, schema.unpack_plain_anchors(anchors)


def gap_of(row: Row) -> Gap | None:
    """The gap that a row begins with; ValueError where it is none."""
    samples, upper, reason = row[10:13]
    return None if reason is None else Gap(samples, upper, GapReason(reason))


def _joined(path: Path, info: StreamInfo, run: list[Row], part: bool) -> Any:
    """Join the rows of one segment."""
    pieces = [unpack_row(path, info, row) for row in run]
    number, start = run[0][2], run[0][3]
    with row_checked(path, "chunk", run[0][0]):
        values = np.concatenate([v for v, _ in pieces])
        values.setflags(write=False)
        kept: list[NDArray[np.int64]] = []
        for _, anchors in pieces:
            last = kept[-1][-1, 0] if kept else None
            fresh = anchors if last is None else anchors[anchors[:, 0] > last]
            if len(fresh):
                kept.append(fresh)
        if not kept:
            msg = "a time map needs at least one anchor"
            raise ValueError(msg)
        joined = np.concatenate(kept)
        joined[:, 0] -= start
        time = schema.time_map(schema.to_rate(run[0][8]), joined)
        time.times(0, len(values))
        segment = Segment(values, time, gap_of(run[0]), number)
    return (start, segment) if part else segment


def _part(segment: Segment, first: int, start_ns: int, stop_ns: int) -> Segment | None:
    t = segment.time.times(0, len(segment.values))
    a, b = int(np.searchsorted(t, start_ns)), int(np.searchsorted(t, stop_ns))
    if a >= b:
        return None
    time = segment.time.between(a, b)
    shifted = TimeMap(time.rate, time.index - a, time.device_ns, time.arrival_ns, time.t_ns, time.unc_ns)
    return Segment(segment.values[a:b], shifted, segment.gap if first + a == 0 else None, segment.number)
