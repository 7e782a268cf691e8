"""Time: how a sample's index in its segment becomes a device time and a session time.

Contract
--------
- All times inside are integer nanoseconds; session time is Unix time (UTC).
- A :class:`TimeMap` is an immutable list of *anchors*: "sample ``index`` was taken at ``device_ns`` by the
  device's clock, which is ``t_ns`` of session time, give or take ``unc_ns``; it arrived at ``arrival_ns``".
  Between two anchors times are interpolated in integer arithmetic; after the last they run at the nominal
  rate. So a sample's time depends on its two neighbouring anchors only and never on how a stream was cut
  into chunks; it is never estimated again.
- **Intervals are measured in device time** (the clock that paced the converter), **placement in session
  time** (the clock that all streams share): while a :class:`ClockMap` still learns the offset its steps
  must not leak into RR intervals.

How a device's clock becomes session time is :mod:`feltsense.core.clock_map`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["NS", "TimeMap", "to_ns", "to_seconds"]

NS = 1_000_000_000
"""Nanoseconds in a second."""


def to_ns(seconds: float) -> int:
    """Round seconds to integer nanoseconds."""
    return round(seconds * NS)


def to_seconds(ns: int) -> float:
    """Nanoseconds as seconds."""
    return ns / NS


def _column(values: ArrayLike) -> NDArray[np.int64]:
    array = np.array(values, dtype=np.int64, ndmin=1)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True, eq=False)
class TimeMap:
    """Sample index → device time and session time, for one segment.

    Attributes
    ----------
    rate : Fraction or None
        Nominal rate that times run at after the last anchor; None (irregular) needs an anchor a sample.
    index : ndarray of int64, shape (k,)
        Anchored sample indices, strictly increasing; the first is at or before the segment's first sample.
    device_ns, arrival_ns, t_ns, unc_ns : ndarray of int64, shape (k,)
        Device time, arrival time, session time and the uncertainty of the session time at each anchor.
    """

    rate: Fraction | None
    index: NDArray[np.int64]
    device_ns: NDArray[np.int64]
    arrival_ns: NDArray[np.int64]
    t_ns: NDArray[np.int64]
    unc_ns: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name in ("index", "device_ns", "arrival_ns", "t_ns", "unc_ns"):
            object.__setattr__(self, name, _column(getattr(self, name)))
        if not len(self.index):
            msg = "a time map needs at least one anchor"
            raise ValueError(msg)
        if len({len(self.index), len(self.device_ns), len(self.arrival_ns), len(self.t_ns), len(self.unc_ns)}) != 1:
            msg = "all columns of a time map have the same length"
            raise ValueError(msg)
        if np.any(np.diff(self.index) <= 0) or np.any(np.diff(self.t_ns) < 0):
            msg = "anchors must increase in index and never go back in time"
            raise ValueError(msg)

    @classmethod
    def uniform(cls, start_ns: int, rate: Fraction) -> TimeMap:
        """Map of a file: one clock, sample 0 at `start_ns`, an exact rate."""
        return cls(rate, _column(0), _column(start_ns), _column(start_ns), _column(start_ns), _column(0))

    @classmethod
    def irregular(cls, t_ns: ArrayLike, start: int = 0) -> TimeMap:
        """Map of samples that each have their own time."""
        t = _column(t_ns)
        return cls(None, np.arange(start, start + len(t)), t, t, t, np.zeros(len(t), np.int64))

    def times(self, start: int, stop: int) -> NDArray[np.int64]:
        """Session times of samples `start` up to `stop` (exclusive), in ns."""
        return self._interpolate(self.t_ns, np.arange(start, stop, dtype=np.int64))

    def device_times(self, start: int, stop: int) -> NDArray[np.int64]:
        """Device times of samples `start` up to `stop` (exclusive), in ns."""
        return self._interpolate(self.device_ns, np.arange(start, stop, dtype=np.int64))

    def both_times(self, start: int, stop: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """:meth:`times` and :meth:`device_times` of the same samples."""
        t = self.times(start, stop)
        if len(self.index) == 1 and self.rate is not None:
            # One anchor: both clocks run by the rate, a constant apart.
            return t, t + (self.device_ns[0] - self.t_ns[0])
        return t, self.device_times(start, stop)

    def time_at(self, index: int) -> int:
        """Session time of one sample, in ns."""
        if len(self.index) == 1 and self.rate is not None:
            # The map of a file, asked for once a chunk: no array is worth making.
            numerator, denominator = self.rate.as_integer_ratio()
            since: int = (index - self.index.item()) * NS * denominator // numerator
            return int(self.t_ns.item()) + since
        return int(self.times(index, index + 1)[0])

    def at(self, position: float) -> tuple[int, int]:
        """Session and device time of a position between samples (a sub-sample fiducial), in ns."""
        whole = int(np.floor(position))
        part = position - whole
        t = self.times(whole, whole + 2)
        d = self.device_times(whole, whole + 2)
        return int(t[0]) + round(part * int(t[1] - t[0])), int(d[0]) + round(part * int(d[1] - d[0]))

    def uncertainty(self, index: int) -> int:
        """Uncertainty of the session time of a sample, in ns: that of the anchor at or after it."""
        return int(self.unc_ns[min(int(np.searchsorted(self.index, index)), len(self.index) - 1)])

    def between(self, start: int, stop: int) -> TimeMap:
        """Keep only the anchors that decide the times of samples `start` up to `stop`."""
        lo = max(int(np.searchsorted(self.index, start, side="right")) - 1, 0)
        hi = min(int(np.searchsorted(self.index, stop, side="left")) + 1, len(self.index))
        if lo == 0 and hi == len(self.index):
            return self
        part = slice(lo, max(hi, lo + 1))
        return TimeMap(
            self.rate, self.index[part], self.device_ns[part], self.arrival_ns[part], self.t_ns[part], self.unc_ns[part]
        )

    def joined(self, later: TimeMap) -> TimeMap:
        """The map continued by `later`, a map of the same segment (shared anchors once)."""
        fresh = later.index > self.index[-1]
        if not fresh.any():
            return self
        return TimeMap(
            self.rate,
            np.concatenate([self.index, later.index[fresh]]),
            np.concatenate([self.device_ns, later.device_ns[fresh]]),
            np.concatenate([self.arrival_ns, later.arrival_ns[fresh]]),
            np.concatenate([self.t_ns, later.t_ns[fresh]]),
            np.concatenate([self.unc_ns, later.unc_ns[fresh]]),
        )

    def _interpolate(self, column: NDArray[np.int64], i: NDArray[np.int64]) -> NDArray[np.int64]:
        if len(self.index) == 1 and self.rate is not None:
            return np.asarray(column[0] + _elapsed(i - self.index[0], self.rate))
        left = np.clip(np.searchsorted(self.index, i, side="right") - 1, 0, len(self.index) - 1)
        offset = i - self.index[left]
        last = left == len(self.index) - 1
        out = column[left].copy()
        inner = ~last & (offset > 0)
        if inner.any():
            at = left[inner]
            span = self.index[at + 1] - self.index[at]
            whole, rest = np.divmod(column[at + 1] - column[at], span)
            # Split, because (time between anchors) x (samples) leaves 64 bits when anchors are hours apart.
            out[inner] += whole * offset[inner] + rest * offset[inner] // span
        after = (last & (offset != 0)) | (~last & (offset < 0))
        if after.any():
            if self.rate is None:
                msg = "an irregular time map has no times outside its anchors"
                raise ValueError(msg)
            out[after] += _elapsed(offset[after], self.rate)
        return out


def _elapsed(samples: NDArray[np.int64], rate: Fraction) -> NDArray[np.int64]:
    """Nanoseconds that `samples` last: exactly floor(samples · 10⁹ / rate), within 64 bits."""
    ticks = samples * rate.denominator
    # numpy divides by one number with multiplications, but only in ``//``.
    seconds = ticks // rate.numerator
    return np.asarray(seconds * NS + (ticks - seconds * rate.numerator) * NS // rate.numerator)
