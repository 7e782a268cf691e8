"""The same recording in another cut, and recordings with the damage that sensors and radios do.

:func:`rechunk` changes nothing that may matter; all others give a new recording. Times are seconds from the
recording's first sample. Only streams with a rate can be damaged: an irregular sample is simply absent.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.chunk import Chunk, Gap, GapReason
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.timeline import TimeMap, to_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from feltsense.core.event import Event

__all__ = ["first_seconds", "rechunk", "repeated", "with_gap", "with_values"]

_LONGEST_CUT_SECONDS = 7.0
"""Longest random chunk: longer than any block that an extractor works on."""


def rechunk(recording: Recording, *, seed: int | None = None, sizes: Sequence[int] | None = None) -> Iterator[Chunk | Event]:
    """Play a recording in another cut.

    Parameters
    ----------
    recording : Recording
        What to play.
    seed : int, optional
        Random cuts: a third of the chunks a single sample, the others up to 7 s, different for each stream.
    sizes : sequence of int, optional
        Lengths of the chunks in samples, repeated as needed; instead of a seed. Neither: one chunk a segment.

    Yields
    ------
    Chunk or Event
        In the order in which they became known.
    """
    chunks: list[Chunk] = []
    for number, stream in enumerate(recording.streams.values()):
        lengths = _lengths(stream, None if seed is None else seed + number, sizes)
        for segment in stream.segments:
            n, a = len(segment.values), 0
            while a < n:
                b = min(a + next(lengths), n)
                chunks.append(segment.chunk(stream.info, a, b))
                a = b
    chunks.sort(key=lambda c: c.last_ns)
    return heapq.merge(chunks, recording.events, key=_known_ns)


def _known_ns(item: Chunk | Event) -> int:
    return item.last_ns if isinstance(item, Chunk) else item.t_ns


def _lengths(stream: Stream, seed: int | None, sizes: Sequence[int] | None) -> Iterator[int]:
    if sizes is not None:
        return cycle(sizes)
    if seed is None:
        return cycle((2**62,))
    rate = stream.info.spec.rate
    return _random_lengths(seed, 8 if rate is None else max(2, round(_LONGEST_CUT_SECONDS * float(rate))))


def _random_lengths(seed: int, longest: int) -> Iterator[int]:
    rng = np.random.default_rng(seed)
    while True:
        yield 1 if rng.random() < 1 / 3 else int(rng.integers(1, longest + 1))


def with_gap(recording: Recording, stream_id: str, start: float, stop: float) -> Recording:
    """Without the samples of [start, stop) s, which then begin a new segment."""

    def cut(segment: Segment, a: int, b: int, number: int) -> list[Segment]:
        pieces = []
        if a > 0:
            pieces.append(replace(segment, values=segment.values[:a], number=number))
        if b < len(segment.values):
            gap = Gap(b - a, b - a, GapReason.LINK) if b > a else segment.gap
            time = _from(segment.time, b)
            pieces.append(Segment(segment.values[b:], time, gap, number + len(pieces)))
        return pieces

    return _edited(recording, stream_id, (start, stop), cut)


def with_values(recording: Recording, stream_id: str, start: float, stop: float, value: float | None) -> Recording:
    """With the samples of [start, stop) s replaced: by `value` (NaN: none was sent), or by their first one (None)."""

    def overwrite(segment: Segment, a: int, b: int, number: int) -> list[Segment]:
        values = segment.values.copy()
        if a < b:
            values[a:b] = values[a] if value is None else value
        values.setflags(write=False)
        return [replace(segment, values=values, number=number)]

    return _edited(recording, stream_id, (start, stop), overwrite)


def first_seconds(recording: Recording, seconds: float) -> Recording:
    """Only the first seconds of every stream with a rate; other streams whole."""
    for stream_id, stream in recording.streams.items():
        if stream.info.spec.rate is not None:
            recording = with_gap(recording, stream_id, seconds, recording.seconds + 1.0)
    return recording


def repeated(recording: Recording, times: int) -> Recording:
    """One recording after the other, a second apart: each stream gets new segments."""
    period = recording.stop_ns - recording.start_ns + to_ns(1.0)
    streams = {}
    for stream_id, stream in recording.streams.items():
        step = max(s.number for s in stream.segments) + 1
        segments = [
            replace(s, time=_shifted(s.time, k * period), number=s.number + k * step)
            for k in range(times)
            for s in stream.segments
        ]
        streams[stream_id] = Stream(stream.info, tuple(segments))
    return replace(recording, streams=streams, events=())


def _edited(
    recording: Recording,
    stream_id: str,
    span: tuple[float, float],
    edit: Callable[[Segment, int, int, int], list[Segment]],
) -> Recording:
    """Apply an edit of samples a up to b to every segment of a stream."""
    stream = recording.stream(stream_id)
    start_ns, stop_ns = (recording.start_ns + to_ns(s) for s in span)
    segments: list[Segment] = []
    for segment in stream.segments:
        t = segment.time.times(0, len(segment.values))
        a, b = (int(i) for i in np.searchsorted(t, (start_ns, stop_ns)))
        segments += edit(segment, a, b, segments[-1].number + 1 if segments else 0)
    return replace(recording, streams={**recording.streams, stream_id: Stream(stream.info, tuple(segments))})


def _from(time: TimeMap, first: int) -> TimeMap:
    """Make the map of a segment that begins at sample `first` of another."""
    if first == 0:
        return time
    part = time.between(first, int(time.index[-1]) + 1)
    # Anchors before the new first sample stay out: an index is never negative.
    t, device = part.times(first, first + 1), part.device_times(first, first + 1)
    later = part.index > first
    head = max(int(np.searchsorted(part.index, first, side="right")) - 1, 0)

    def column(at: int, values: np.typing.NDArray[np.int64]) -> np.typing.NDArray[np.int64]:
        return np.concatenate(([at], values[later]))

    return TimeMap(
        part.rate,
        column(0, part.index - first),
        column(int(device[0]), part.device_ns),
        column(int(part.arrival_ns[head]), part.arrival_ns),
        column(int(t[0]), part.t_ns),
        column(int(part.unc_ns[head]), part.unc_ns),
    )


def _shifted(time: TimeMap, by_ns: int) -> TimeMap:
    return TimeMap(time.rate, time.index, time.device_ns + by_ns, time.arrival_ns + by_ns, time.t_ns + by_ns, time.unc_ns)
