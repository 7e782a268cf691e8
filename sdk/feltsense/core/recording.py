"""A recording in memory: what one person's sensors delivered, what is missing, and what happened.

Rules
-----
- A stream is a list of :class:`Segment`; inside a segment nothing is missing, before it its gap says what is.
- ``received + gaps = expected`` for each stream, as counts of samples (:meth:`Recording.account`).
- :meth:`Recording.items` plays the recording in the order in which its pieces became known (:class:`Order`). The
  order of pieces decides nothing but when an answer comes: any cut of the same recording gives the same windows,
  features and predictions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.chunk import Chunk, Gap, StreamInfo
from feltsense.core.timeline import NS, TimeMap, to_ns
from feltsense.errors import RecordingError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from feltsense.core.event import Event

__all__ = ["Account", "Order", "Recording", "Segment", "Stream"]

CHUNK_SECONDS = 5.0
"""Length of the chunks in which a recording is played unless asked otherwise: half the work of chunks of 1 s, and the
same result."""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A gapless run of one stream.

    Attributes
    ----------
    values : ndarray of float64, shape (n, channels)
        All samples.
    time : TimeMap
        Their times.
    gap : Gap or None
        What is missing before the first sample.
    number : int
        The segment's number in its stream.
    """

    values: NDArray[np.float64]
    time: TimeMap
    gap: Gap | None = None
    number: int = 0

    def chunk(self, stream: StreamInfo, a: int, b: int) -> Chunk:
        """Samples `a` up to `b` as a chunk."""
        return Chunk(stream, self.number, a, self.values[a:b], self.time, self.gap if a == 0 else None)


@dataclass(frozen=True, slots=True)
class Account:
    """How many samples of a stream came and how many did not.

    Attributes
    ----------
    received : int
        Samples in the recording.
    missing, missing_upper : int
        Samples lost, at least and at most.
    gaps : int
        Number of gaps.
    """

    received: int
    missing: int
    missing_upper: int
    gaps: int

    @property
    def expected(self) -> int:
        """Samples that the sensor produced (at least): received + missing."""
        return self.received + self.missing


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """One stream of a recording."""

    info: StreamInfo
    segments: tuple[Segment, ...]

    @classmethod
    def from_chunks(cls, info: StreamInfo, chunks: Iterable[Chunk]) -> Stream:
        """Join chunks, given in order, to segments.

        Raises
        ------
        RecordingError
            If a chunk does not continue its segment.
        """
        segments: list[Segment] = []
        run: list[Chunk] = []
        for chunk in chunks:
            if run and chunk.segment != run[-1].segment:
                segments.append(_join(run))
                run = []
            if chunk.start != (run[-1].stop if run else 0):
                msg = (
                    f"{info.id}: segment {chunk.segment} continues at sample {chunk.start}, "
                    f"expected {run[-1].stop if run else 0}; a gap must start a new segment"
                )
                raise RecordingError(msg)
            run.append(chunk)
        if run:
            segments.append(_join(run))
        return cls(info, tuple(segments))

    @property
    def start_ns(self) -> int:
        """Time of the first sample."""
        return self.segments[0].time.time_at(0)

    @property
    def stop_ns(self) -> int:
        """Time at which the last sample's period ends."""
        last = self.segments[-1]
        return last.chunk(self.info, len(last.values) - 1, len(last.values)).stop_ns

    def account(self) -> Account:
        """Count what came and what did not."""
        gaps = [s.gap for s in self.segments if s.gap is not None]
        return Account(
            sum(len(s.values) for s in self.segments), sum(g.samples for g in gaps), sum(g.upper for g in gaps), len(gaps)
        )

    def chunks(self, seconds: float = CHUNK_SECONDS) -> Iterator[Chunk]:
        """Play the stream in chunks of about `seconds`."""
        for segment in self.segments:
            n = len(segment.values)
            if self.info.spec.rate is None:
                yield from self._irregular(segment, to_ns(seconds))
                continue
            step = max(1, round(float(self.info.spec.rate) * seconds))
            for a in range(0, n, step):
                yield segment.chunk(self.info, a, min(a + step, n))

    def _irregular(self, segment: Segment, span_ns: int) -> Iterator[Chunk]:
        t = segment.time.times(0, len(segment.values))
        a = 0
        while a < len(t):
            b = max(int(np.searchsorted(t, t[a] + span_ns)), a + 1)
            yield segment.chunk(self.info, a, b)
            a = b


class Order:
    """Where in the play of a session its pieces belong; asked for each piece once, in order within each stream.

    A chunk is known at its last sample, an event at its time, and an event goes before a chunk of the same time. The
    first chunk of a segment is known at its *first* sample: a stream that comes back is there from then on, so that
    windows which other streams complete later have it, however it is cut. (Not before the last segment's end, which
    is when the stream was said to stall.)
    """

    def __init__(self) -> None:
        self._stop_ns: dict[str, int] = {}

    def key(self, item: Chunk | Event) -> tuple[int, int]:
        """Sort key."""
        if not isinstance(item, Chunk):
            return item.t_ns, 0
        known = item.last_ns
        if item.start == 0:
            known = max(item.start_ns, self._stop_ns.get(item.stream.id, item.start_ns))
        self._stop_ns[item.stream.id] = item.stop_ns
        return known, 1


def _join(run: list[Chunk]) -> Segment:
    time = run[0].time
    for chunk in run[1:]:
        if chunk.time is not time:
            time = time.joined(chunk.time)
    values = np.concatenate([c.values for c in run]) if len(run) > 1 else run[0].values
    values.setflags(write=False)
    return Segment(values, time, run[0].gap, run[0].segment)


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What one person's sensors delivered.

    Attributes
    ----------
    subject : str
        Pseudonym.
    streams : mapping of str to Stream
        By stream id; only streams with at least one sample.
    events : tuple of Event
        In order of time.
    metadata : mapping of str to str
        Where it came from: device, firmware, source file, importer.
    """

    subject: str
    streams: Mapping[str, Stream]
    events: tuple[Event, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {k: v for k, v in self.streams.items() if any(len(s.values) for s in v.segments)}
        object.__setattr__(self, "streams", MappingProxyType(kept))
        object.__setattr__(self, "events", tuple(sorted(self.events)))
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))

    @property
    def start_ns(self) -> int:
        """t0: time of the earliest sample of any stream."""
        self._not_empty()
        return min(s.start_ns for s in self.streams.values())

    @property
    def stop_ns(self) -> int:
        """Time at which the last sample of any stream ends."""
        self._not_empty()
        return max(s.stop_ns for s in self.streams.values())

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.stop_ns - self.start_ns) / NS

    def stream(self, stream_id: str) -> Stream:
        """Look a stream up.

        Raises
        ------
        UnknownNameError
            If the recording has no such stream.
        """
        try:
            return self.streams[stream_id]
        except KeyError:
            raise UnknownNameError("stream", stream_id, tuple(self.streams)) from None

    def infos(self) -> dict[str, StreamInfo]:
        """Id → info of every stream."""
        return {k: s.info for k, s in self.streams.items()}

    def account(self) -> dict[str, Account]:
        """Id → received, missing and gaps of every stream."""
        return {k: s.account() for k, s in self.streams.items()}

    def chunks(self, seconds: float = CHUNK_SECONDS) -> Iterator[Chunk]:
        """All streams' chunks in the order in which they became known."""
        return (i for i in self.items(seconds) if isinstance(i, Chunk))

    def items(self, seconds: float = CHUNK_SECONDS) -> Iterator[Chunk | Event]:
        """Chunks and events in the order in which they became known."""
        order = Order()
        pieces: list[Chunk | Event] = [c for s in self.streams.values() for c in s.chunks(seconds)]
        # Sorting is stable: pieces of one stream that have the same key stay in order.
        return iter(sorted([*self.events, *pieces], key=order.key))

    def _not_empty(self) -> None:
        if not self.streams:
            msg = f"recording of {self.subject!r} holds no samples"
            raise RecordingError(msg)
