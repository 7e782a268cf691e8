"""Windows by index arithmetic: number k covers [t0 + k·hop, t0 + k·hop + length).

Contract
--------
t0 is the earliest sample of any stream. A window's content is the samples whose time lies in it, whatever the
chunks were. The windower only places windows; who emits them waits until every stream is final up to their end
(:class:`feltsense.session.Pipeline`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.timeline import NS, to_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk, StreamInfo

__all__ = ["StreamTail", "Window", "Windower"]


@dataclass(frozen=True, slots=True)
class Window:
    """One window of session time.

    Attributes
    ----------
    number : int
        k.
    start_ns, stop_ns : int
        First nanosecond, and the one after the last.
    """

    number: int
    start_ns: int
    stop_ns: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.stop_ns - self.start_ns) / NS

    def last(self, length_ns: int) -> Window:
        """Its last nanoseconds, as a window of their own with the same number."""
        return Window(self.number, self.stop_ns - length_ns, self.stop_ns)

    def overlaps(self, start_ns: int, stop_ns: int) -> bool:
        """Whether any moment of the window lies in [start_ns, stop_ns)."""
        return self.start_ns < stop_ns and start_ns < self.stop_ns


class Windower:
    """Places windows on the session's time.

    Parameters
    ----------
    length, hop : float
        Seconds; hop may be larger than length.
    """

    def __init__(self, length: float, hop: float) -> None:
        self.length_ns = to_ns(length)
        self.hop_ns = to_ns(hop)
        if self.length_ns <= 0 or self.hop_ns <= 0:
            msg = f"window and hop must be positive, got {length} and {hop} seconds"
            raise ValueError(msg)
        self._next = 0

    def window(self, number: int, t0_ns: int) -> Window:
        """Window `number` of a session that starts at `t0_ns`."""
        start = t0_ns + number * self.hop_ns
        return Window(number, start, start + self.length_ns)

    def any_ready(self, t0_ns: int, final_ns: int) -> bool:
        """Whether :meth:`ready` would give a window."""
        return t0_ns + self._next * self.hop_ns + self.length_ns <= final_ns

    def ready(self, t0_ns: int, final_ns: int) -> Iterator[Window]:
        """Windows that end at or before `final_ns`, each once."""
        while self.any_ready(t0_ns, final_ns):
            yield self.window(self._next, t0_ns)
            self._next += 1

    def needed_from(self, t0_ns: int) -> int:
        """Nothing before this time is needed by any window to come."""
        return t0_ns + self._next * self.hop_ns


class StreamTail:
    """The recent samples of one stream with their times, across segments: bounded by :meth:`forget`.

    For extractors that need no state of their own but the window's samples.
    """

    def __init__(self, info: StreamInfo) -> None:
        self.info = info
        self._times: list[NDArray[np.int64]] = []
        self._values: list[NDArray[np.float64]] = []

    def push(self, chunk: Chunk) -> None:
        """Append a chunk."""
        if len(chunk):
            self._times.append(chunk.times)
            self._values.append(chunk.values)

    def forget(self, before_ns: int) -> None:
        """Drop whole chunks that end before `before_ns`."""
        keep = 0
        while keep < len(self._times) and self._times[keep][-1] < before_ns:
            keep += 1
        del self._times[:keep], self._values[:keep]

    def between(self, start_ns: int, stop_ns: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times (n,) and values (n, channels) of the samples in [start_ns, stop_ns)."""
        times: list[NDArray[np.int64]] = []
        values: list[NDArray[np.float64]] = []
        for t, v in zip(self._times, self._values, strict=True):
            if t[-1] < start_ns or t[0] >= stop_ns:
                continue
            a, b = np.searchsorted(t, (start_ns, stop_ns))
            times.append(t[a:b])
            values.append(v[a:b])
        if not times:
            return np.empty(0, np.int64), np.empty((0, self.info.spec.width))
        return np.concatenate(times), np.concatenate(values)

    def coverage(self, start_ns: int, stop_ns: int) -> float:
        """Share of the window's expected samples that are there and finite, 0..1."""
        _, values = self.between(start_ns, stop_ns)
        expected = (stop_ns - start_ns) / NS * self.info.spec.hz
        return min(1.0, float(np.isfinite(values).all(axis=1).sum()) / expected)
