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
- A :class:`ClockMap` turns device time into session time, frame by frame, causally: the smallest delay seen
  in each 10 s, and a line through those minima over 300 s. The radio can only delay a frame, so the lower
  envelope of (arrival − device) is the clock offset plus one constant delay that nothing can observe.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["NS", "ClockMap", "Mapped", "TimeMap", "to_ns", "to_seconds"]

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

    def time_at(self, index: int) -> int:
        """Session time of one sample, in ns."""
        if len(self.index) == 1 and self.rate is not None:
            # The map of a file, asked for once a chunk: no array is worth making.
            return int(self.t_ns[0]) + (index - int(self.index[0])) * NS * self.rate.denominator // self.rate.numerator
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
    seconds, rest = np.divmod(samples * rate.denominator, rate.numerator)
    return np.asarray(seconds * NS + rest * NS // rate.numerator)


@dataclass(frozen=True, slots=True)
class Mapped:
    """A device time on the session's clock: estimate and uncertainty (of 95 % of the errors), in ns."""

    t_ns: int
    unc_ns: int


class ClockMap:
    """Device time → session time by a minimum-delay envelope, causally; never backwards in any stream.

    Minima of (arrival − device) over 10 s of device time, a least-squares line over the last 300 s of minima.
    One map serves all streams that share a device's clock: they teach it together, and each is kept from running
    backwards on its own (frames of two streams do not arrive in the order of their last samples).

    Parameters
    ----------
    pace : float, optional
        Seconds of device time between minima.
    memory : float, optional
        Seconds of device time that the line looks back.
    jitter : float, optional
        Seconds by which delays differ, assumed until enough was seen.
    drift : float, optional
        Share by which the device's clock may be off at most.

    Notes
    -----
    Some minima are no minima: a link that stood still for longer than the pace lets nothing through in time. Such a
    point lies above another one by more than the clock can drift between the two; it is left out. When the newest six
    would all be left out, delays have shifted for good, and what was before is forgotten.

    The stated uncertainty is that of 95 % of the frames, about *device time plus the least delay of this radio*: the
    estimate is off by no more. With n frames spread evenly over a delay range R, the least of them lies above the
    range's foot by less than R (1 - 0.05^(1/n)) in 95 of 100 cases, and by R / (n + 1) in the mean. The end of a line
    through k points with residual σ has the standard error 2σ / √k. The least delay itself (some 10 ms) nothing can
    observe, so it is in neither.
    """

    PACE_S = 10.0
    MEMORY_S = 300.0
    MIN_POINTS = 6
    """Fewer minima than this give an offset, not a slope: a slope over less than a minute is mostly jitter."""
    JITTER_S = 0.045
    """The longest connection interval that phones ask for."""
    DRIFT = 500e-6
    """No crystal is worse, whatever its temperature."""
    FLOOR_NS = 500_000
    """Least uncertainty that is ever stated: stacks and schedulers stamp arrivals no better than to half a millisecond."""
    WANDER = 10e-6
    """How fast the line loses its worth after its last point: temperature moves a crystal by 5 to 10 ppm."""
    LIKELY_DRIFT = 50e-6
    """While the drift is not known yet, the offset of an older frame is trusted to this: sensors' crystals are that good."""
    MISSED = 0.05
    """Share of errors that may lie beyond the stated uncertainty."""
    COVER = 2.0
    """Standard errors on either side that leave so few outside."""
    MIN_PACE = 2
    """Where the estimate steps back, session time still runs at 1/2 of device time: samples never pile up on one moment."""

    def __init__(
        self, pace: float = PACE_S, memory: float = MEMORY_S, *, jitter: float = JITTER_S, drift: float = DRIFT
    ) -> None:
        self._pace = to_ns(pace)
        self._memory = to_ns(memory)
        self._jitter = to_ns(jitter)
        self._drift = drift
        # Per stream: session time of its last frame, and its device time (None: before a reset).
        self._last: dict[str, tuple[int, int | None]] = {}
        self.reset()

    def reset(self) -> None:
        """Forget what the device's clock was: it has been reset. Streams still never run backwards."""
        self._minima: deque[tuple[int, int]] = deque()
        self._current: tuple[int, int, int] | None = None
        self._line: _Line | None = None
        self._spread = float(self._jitter)
        self._frames = 0
        self._span = 0
        self._begun: int | None = None
        self._last = {stream: (t_ns, None) for stream, (t_ns, _) in self._last.items()}

    @property
    def settled(self) -> bool:
        """Whether the envelope is known well enough to call an early frame impossible."""
        return self._line is not None

    def delay(self, device_ns: int, arrival_ns: int) -> int:
        """How far a frame's arrival lies above the envelope, in ns; 0 while nothing is known. Learns nothing."""
        if self._current is None:
            return 0
        return arrival_ns - device_ns - self._offset(device_ns)[0]

    def update(self, device_ns: int, arrival_ns: int, stream: str = "") -> Mapped:
        """Learn from one frame and map its device time.

        Parameters
        ----------
        device_ns : int
            The device's time of the frame's last sample.
        arrival_ns : int
            The session's time at which the frame arrived.
        stream : str, optional
            Which of the streams that share the clock; times never run backwards within one.
        """
        delay = arrival_ns - device_ns
        self._begun = device_ns if self._begun is None else self._begun
        self._frames += 1
        self._span = max(self._span, device_ns - self._begun)
        if self._current is None or device_ns - self._current[0] >= self._pace:
            if self._current is not None:
                self._minimum(*self._current[1:])
            self._current = (device_ns, device_ns, delay)
        elif delay < self._current[2]:
            self._current = (self._current[0], device_ns, delay)
        offset, unc = self._offset(device_ns)
        # Exponential mean of how far arrivals lie above the envelope: half the range of a uniform delay.
        self._spread += (abs(delay - offset) - self._spread) / 64
        t_ns = self._forward(stream, device_ns, device_ns + offset)
        # Time that may not step back is known to be ahead of the estimate by so much.
        return Mapped(t_ns, round(unc) + t_ns - (device_ns + offset))

    def _forward(self, stream: str, device_ns: int, t_ns: int) -> int:
        last = self._last.get(stream)
        if last is not None:
            step = 0 if last[1] is None else max(device_ns - last[1], 0)
            t_ns = max(t_ns, last[0] + max(step // self.MIN_PACE, 1))
        self._last[stream] = (t_ns, device_ns)
        return t_ns

    def _minimum(self, device_ns: int, delay: int) -> None:
        """Take one pace's minimum and draw the line anew."""
        self._minima.append((device_ns, delay))
        # Memory counts back from the newest minimum, and a few minima always stay: after hours away the old line is
        # still a better start than a single frame's delay.
        while len(self._minima) > self.MIN_POINTS and self._minima[0][0] < device_ns - self._memory:
            self._minima.popleft()
        x0, y0 = self._minima[0]
        x = np.array([p[0] - x0 for p in self._minima], dtype=float)
        y = np.array([p[1] - y0 for p in self._minima], dtype=float)
        held = y - (y + self._drift * np.abs(x[:, None] - x)).min(axis=1) > 2 * self._jitter
        if held[-self.MIN_POINTS :].all():
            # Not a moment of standstill: delays have shifted for good.
            while len(self._minima) > self.MIN_POINTS:
                self._minima.popleft()
            self._line = None
            return
        x, y = x[~held], y[~held]
        if len(x) < self.MIN_POINTS:
            self._line = None
            return
        xm, ym = float(x.mean()), float(y.mean())
        slope = float(((x - xm) * (y - ym)).sum() / ((x - xm) ** 2).sum())
        residual = y - ym - slope * (x - xm)
        error = 2 * float(np.sqrt((residual @ residual) / (len(x) - 2) / len(x)))
        self._line = _Line(x0, y0, xm, ym, slope, error, float(x[-1]))

    def _offset(self, device_ns: int) -> tuple[int, float]:
        """Offset at a device time, and its uncertainty."""
        line = self._line
        if line is None:
            points = list(self._minima)
            if self._current is not None:
                points.append(self._current[1:])
            # A minimum says nothing any more when the clock may have drifted by more than the jitter since.
            near = [(d, x) for x, d in points if (device_ns - x) * self._drift <= self._jitter]
            least, at = min(near or [points[-1][::-1]])
            height = 2 * self._spread * (1 - self.MISSED ** (1 / max(self._frames, 1)))
            return least, self.FLOOR_NS + height + self.LIKELY_DRIFT * abs(device_ns - at)
        x = float(device_ns - line.x0)
        per_pace = self._frames * min(self._pace / max(self._span, 1), 1.0)
        foot = 2 * self._spread / (per_pace + 1)
        error = line.error + self.WANDER * max(x - line.newest, 0.0)
        offset = round(line.y0 + line.ym + line.slope * (x - line.xm))
        return offset, foot + self.COVER * math.hypot(error, self.FLOOR_NS)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line through minima: origin, means, slope, standard error at its end, its newest point (ns from the origin)."""

    x0: int
    y0: int
    xm: float
    ym: float
    slope: float
    error: float
    newest: float
