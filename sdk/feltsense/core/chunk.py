"""A piece of one stream, and the account of what is missing before it.

Rules
-----
- A chunk is contiguous: its samples are numbers ``start .. start + n`` of its segment.
- **Every gap starts a new segment.** Inside a segment nothing is missing, so filters may run through it and
  intervals may be formed; across segments neither. ``gap`` of a segment's first chunk says how much was lost.
- Values are float64, shape (n, channels), read-only. NaN is "the device sent no number for this sample".
- Times come from the segment's :class:`~feltsense.core.timeline.TimeMap`; a chunk never has times of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.timeline import TimeMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.core.signals import SignalSpec

__all__ = ["Chunk", "Gap", "GapReason", "StreamInfo"]


class GapReason(StrEnum):
    """Why samples are missing."""

    LINK = "link"
    """Frames were lost on the radio while connected."""
    DISCONNECT = "disconnect"
    """The connection was down."""
    STALL = "stall"
    """Connected, but the device sent nothing."""
    RESTART = "restart"
    """The device's clock or the recorder started anew; how much is missing is not known exactly."""
    OVERFLOW = "overflow"
    """A bounded buffer was full: the consumer was too slow."""
    CORRUPT = "corrupt"
    """Frames arrived damaged and were refused."""
    SOURCE = "source"
    """The imported file says so."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples that are missing before a segment.

    Attributes
    ----------
    samples : int
        How many are missing at least.
    upper : int
        How many at most; equal to `samples` where the protocol decides it.
    reason : GapReason
        Why.
    """

    samples: int
    upper: int
    reason: GapReason

    def __post_init__(self) -> None:
        if not 0 <= self.samples <= self.upper:
            msg = f"a gap needs 0 <= samples <= upper, got {self.samples} and {self.upper}"
            raise ValueError(msg)

    @property
    def exact(self) -> bool:
        """Whether the protocol decides how many samples are missing."""
        return self.samples == self.upper


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """One stream of a session: its id, signal and device.

    Attributes
    ----------
    id : str
        Unique in its session, ``<device>.<stream>``: two accelerometers are two streams.
    spec : SignalSpec
        What it delivers.
    device : str
        Name of the device, for people.
    """

    id: str
    spec: SignalSpec
    device: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Contiguous samples of one stream.

    Attributes
    ----------
    stream : StreamInfo
        The stream.
    segment : int
        Number of the segment; grows by one at each gap.
    start : int
        Index of the first sample within the segment.
    values : ndarray of float64, shape (n, channels)
        Samples in the unit of the signal; read-only.
    time : TimeMap
        The segment's map, or the part of it that decides these samples' times.
    gap : Gap or None
        On the first chunk of a segment: what is missing before it.
    """

    stream: StreamInfo
    segment: int
    start: int
    values: NDArray[np.float64]
    time: TimeMap
    gap: Gap | None = None

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64)
        if values.ndim == 1:
            values = values[:, None]
        if values.ndim != 2 or values.shape[1] != self.stream.spec.width:
            msg = f"{self.stream.id}: values must have shape (n, {self.stream.spec.width}), got {values.shape}"
            raise ValueError(msg)
        if np.isinf(values).any():
            msg = f"{self.stream.id}: values must be finite, or NaN where the device sent none"
            raise ValueError(msg)
        if values.flags.writeable:
            # A view of somebody's buffer could change under us: frozen means frozen.
            values = values.copy()
            values.setflags(write=False)
        object.__setattr__(self, "values", values)
        if self.start < 0 or self.segment < 0 or (self.gap is not None and self.start != 0):
            msg = f"{self.stream.id}: a gap belongs to the first chunk of a segment"
            raise ValueError(msg)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def stop(self) -> int:
        """Index after the last sample, within the segment."""
        return self.start + len(self.values)

    @property
    def times(self) -> NDArray[np.int64]:
        """Session times of the samples, in ns."""
        return self.time.times(self.start, self.stop)

    @property
    def start_ns(self) -> int:
        """Session time of the first sample."""
        return self.time.time_at(self.start)

    @property
    def last_ns(self) -> int:
        """Session time of the last sample."""
        return self.time.time_at(self.stop - 1)

    @property
    def stop_ns(self) -> int:
        """Session time at which the last sample's period ends (irregular: just after the last sample)."""
        # Asked of the map: adding a rounded period to a rounded time would end a minute one nanosecond early.
        return self.last_ns + 1 if self.stream.spec.rate is None else self.time.time_at(self.stop)

    def cut(self, a: int, b: int) -> Chunk:
        """Samples `a` up to `b` of this chunk, as a chunk of the same segment."""
        start = self.start + a
        return Chunk(self.stream, self.segment, start, self.values[a:b], self.time, self.gap if a == 0 else None)
