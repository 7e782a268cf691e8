"""The end of a stream in a file that is being written: its open row, and where it stands.

A row is packed from its chunks each time it is written, so that a longer one replaces a shorter one whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.core.chunk import Gap, GapReason
from feltsense.core.timeline import NS
from feltsense.errors import RecordingError
from feltsense.store import codec, schema
from feltsense.store.reader import unpack_row

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.timeline import TimeMap
    from feltsense.store.rows import Rows

__all__ = ["Tail", "seconds_a_row", "tail_of"]

FAST_S, SLOW_S = 10.0, 60.0
"""Seconds a row. Short rows lose little to a damaged page; a slow signal's would be more overhead than data."""
SLOW_HZ = 10.0
IRREGULAR_ROW = 64
"""Samples a row of a stream without a rate: a minute of beats."""
FASTEST_IRREGULAR_HZ = 4.0
"""Bound on what an irregular stream can have missed in a restart: beats at the highest plausible heart rate, 240/min."""
_MS = 1_000_000


def seconds_a_row(info: StreamInfo) -> float:
    """Length of a stream's rows, in seconds."""
    rate = info.spec.rate
    return FAST_S if rate is not None and rate > SLOW_HZ else SLOW_S


@dataclass(slots=True)
class Tail:
    """Where a stream stands in the file."""

    key: int
    info: StreamInfo
    first: int = 0
    """Number in the file of the appended stream's segment 0."""
    segment: int = -1
    stop: int = 0
    written: int = 0
    """Samples in the file's rows, the open one included."""
    rows: int = 0
    stopped_ns: int | None = None
    """After a resume: when the last sample's period ended."""
    row: int | None = None
    """The open row's number, once it was written."""
    dirty: bool = False
    most: int = field(init=False)
    _start: int = 0
    _in_row: int = 0
    _values: list[NDArray[np.float64]] = field(default_factory=list)
    _anchors: NDArray[np.int64] | None = None
    _rate: Fraction | None = None
    _gap: Gap | None = None
    _hint: tuple[codec.Form, float] | None = None
    _map: TimeMap | None = None

    def __post_init__(self) -> None:
        rate = self.info.spec.rate
        self.most = IRREGULAR_ROW if rate is None else max(1, round(float(rate) * seconds_a_row(self.info)))

    @property
    def full(self) -> bool:
        """Whether the open row is long enough."""
        return self.stop - self._start >= self.most

    def begins(self, chunk: Chunk) -> bool:
        """Whether a chunk begins a segment.

        Raises
        ------
        RecordingError
            If it neither does nor continues the last one.
        """
        segment = self.first + chunk.segment
        fresh = segment > self.segment
        if segment < self.segment or chunk.start != (0 if fresh else self.stop):
            msg = (
                f"{chunk.stream.id}: segment {chunk.segment}, sample {chunk.start} does not continue segment "
                f"{self.segment - self.first}, sample {self.stop}; a gap must start a new segment"
            )
            raise RecordingError(msg)
        return fresh

    def begin(self, chunk: Chunk) -> None:
        """Begin a segment; the row before is closed."""
        self._gap = _restart_gap(self, chunk) if chunk.gap is None else chunk.gap
        self.segment = self.first + int(chunk.segment)
        self.stop = self._start = 0
        self._rate, self._anchors, self._map, self.stopped_ns = chunk.time.rate, None, None, None

    def push(self, chunk: Chunk) -> None:
        """Add a chunk to the open row."""
        if chunk.time is not self._map:
            # Only what a new map adds: a file's chunks share one.
            self._learn(chunk.time, chunk.start, chunk.stop)
        elif self._rate is None or len(self._map.index) > 1:
            self._learn(self._map, chunk.start, chunk.stop)
        self._values.append(chunk.values)
        self.stop = chunk.stop
        self.dirty = True

    def packed(self, origin: int, last: bool) -> tuple[Any, ...]:
        """Fields of the open row."""
        assert self._anchors is not None  # noqa: S101 (a row has a chunk)
        values = self._values[0] if len(self._values) == 1 else np.concatenate(self._values)
        self._values = [values]
        anchors = self._anchors
        n = len(values)
        ends = schema.time_map(self._rate, anchors)
        at = ends.time_at(self._start) if n else int(anchors[0, 3])
        to = ends.time_at(self.stop - 1) if n else at
        level = codec.CLOSED if last else codec.OPEN
        data, self._hint = codec.pack_values(values, level, self._hint)
        gap = self._gap if self._start == 0 else None
        lost = (None, None, None) if gap is None else (int(gap.samples), int(gap.upper), str(gap.reason))
        self.written += n - self._in_row
        self._in_row = n
        self.rows += self.row is None
        self.dirty = False
        place = (self.key, self.segment, self._start, n)
        times = (schema.from_rate(self._rate), codec.pack_anchors(anchors, level))
        span = ((at - origin) // _MS, -(-(to - origin) // _MS))
        return (*place, schema.PACKED, 0, data, *times, *lost, *span)

    def close_row(self) -> None:
        """The next chunk starts a new row."""
        self._values, self.row, self._in_row, self._start = [], None, 0, self.stop
        if self._anchors is not None:
            # The anchor at or before the next row's first sample decides its time, and may be the last there is.
            before = int(np.searchsorted(self._anchors[:, 0], self.stop, side="right")) - 1
            self._anchors = self._anchors[max(before, 0) :]

    def _learn(self, time: TimeMap, start: int, stop: int) -> None:
        near = time.between(start, stop)
        columns = np.stack([near.index, near.device_ns, near.arrival_ns, near.t_ns, near.unc_ns], axis=1)
        if self._anchors is None:
            self._anchors = columns
        elif len(fresh := columns[near.index > self._anchors[-1, 0]]):
            self._anchors = np.concatenate([self._anchors, fresh])
        self._map = time


def tail_of(rows: Rows, key: int, info: StreamInfo) -> Tail:
    """Where a stream ended in the file: its last segment, and the time at which its last sample ended."""
    count, samples, last = rows.db.execute(
        "SELECT count(*), sum(n), max(rowid) FROM chunk WHERE stream = ?", (key,)
    ).fetchone()
    if not count:
        return Tail(key, info)
    (row,) = rows.all("chunk", "WHERE rowid = ?", (last,))
    segment, start, n, codec_name = row[2], row[3], row[4], row[5]
    stop = start + n
    if codec_name == schema.PLAIN:
        # Schema 1: the row may lack the anchor that decides.
        where = "WHERE stream = ? AND length(anchors) > 0 AND segment = ?"
        *_, row = rows.all("chunk", where, (key, segment))
        anchors = schema.unpack_plain_anchors(row[9])
    else:
        anchors = unpack_row(rows.path, info, row)[1]
    index, t_ns = int(anchors[-1, 0]), int(anchors[-1, 3])
    rate = info.spec.rate
    stopped = t_ns if rate is None else t_ns + (stop - index) * NS * rate.denominator // rate.numerator
    return Tail(key, info, segment + 1, segment, stop, samples, count, stopped)


def _restart_gap(tail: Tail, chunk: Chunk) -> Gap | None:
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
