"""What came and what did not: each stream's samples, its gaps with time, length and reason.

Rules
-----
- Counts are those of :meth:`feltsense.core.recording.Stream.account`: received + missing = expected.
- Coverage is the share of the *recording's whole length* in which the stream has a finite sample, so that a
  stream that began late or stopped early shows it although it has no gap inside.
- Times are seconds from the recording's first sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.timeline import NS

if TYPE_CHECKING:
    from feltsense.core.recording import Recording, Stream

__all__ = ["GapLine", "StreamLine", "stream_lines"]


@dataclass(frozen=True, slots=True)
class GapLine:
    """One gap of one stream.

    Attributes
    ----------
    stream : str
        Stream id.
    start_s, stop_s : float
        When, in seconds from the recording's first sample: last sample's end to next sample.
    samples, upper : int
        How many samples are missing, at least and at most.
    reason : str
        Value of :class:`~feltsense.core.chunk.GapReason`.
    """

    stream: str
    start_s: float
    stop_s: float
    samples: int
    upper: int
    reason: str

    @property
    def seconds(self) -> float:
        """How long."""
        return self.stop_s - self.start_s


@dataclass(frozen=True, slots=True)
class StreamLine:
    """One stream and its account.

    Attributes
    ----------
    id, signal, unit, device : str
        What it is.
    rate : float or None
        Nominal samples per second; None where samples come when they come.
    received, missing, missing_upper, unreadable : int
        Samples that came, that are missing (at least, at most), and that came without a number (NaN).
    coverage : float or None
        Share of the recording's length with a finite sample, 0..1; None for irregular streams.
    spans : tuple of (float, float)
        Start and stop of each gapless run, seconds from the recording's first sample.
    gaps : tuple of GapLine
        Every gap, in order of time.
    """

    id: str
    signal: str
    unit: str
    device: str
    rate: float | None
    received: int
    missing: int
    missing_upper: int
    unreadable: int
    coverage: float | None
    spans: tuple[tuple[float, float], ...]
    gaps: tuple[GapLine, ...]


def stream_lines(recording: Recording) -> tuple[StreamLine, ...]:
    """Account of every stream, by stream id."""
    return tuple(_line(recording, recording.streams[name]) for name in sorted(recording.streams))


def _line(recording: Recording, stream: Stream) -> StreamLine:
    t0 = recording.start_ns
    account = stream.account()
    rate = stream.info.spec.rate
    # A camera's row without landmarks, a radar's frame with one person of three, are there.
    there = sum(int(np.isfinite(s.values).any(axis=1).sum()) for s in stream.segments)
    spans, gaps = _runs(stream, t0)
    coverage = None if rate is None else min(1.0, there / (recording.seconds * float(rate)))
    return StreamLine(
        id=stream.info.id,
        signal=stream.info.spec.name,
        unit=stream.info.spec.unit,
        device=stream.info.device,
        rate=None if rate is None else float(rate),
        received=account.received,
        missing=account.missing,
        missing_upper=account.missing_upper,
        unreadable=account.received - there,
        coverage=coverage,
        spans=spans,
        gaps=gaps,
    )


def _runs(stream: Stream, t0: int) -> tuple[tuple[tuple[float, float], ...], tuple[GapLine, ...]]:
    spans: list[tuple[float, float]] = []
    gaps: list[GapLine] = []
    rate = stream.info.spec.rate
    reached: float | None = None
    for segment in stream.segments:
        start = (segment.time.time_at(0) - t0) / NS
        if segment.gap is not None:
            # Before the first sample of all nothing marks the gap's begin but the number of samples it swallowed.
            guess = start - (segment.gap.samples / float(rate) if rate is not None else 0.0)
            begin = max(0.0, guess) if reached is None else reached
            reason = str(segment.gap.reason)
            gaps.append(GapLine(stream.info.id, min(begin, start), start, segment.gap.samples, segment.gap.upper, reason))
        reached = start
        # A segment may have lost all its samples: it still has its gap to tell.
        if len(segment.values):
            reached = (segment.chunk(stream.info, 0, len(segment.values)).stop_ns - t0) / NS
            spans.append((start, reached))
    return tuple(spans), tuple(gaps)
