"""Device time → session time: the lower envelope of the delays, and round trips where the device answers them.

Contract
--------
- A :class:`ClockMap` turns device time into session time, frame by frame, causally: the smallest delay seen
  in each 10 s, and a line through those minima over 300 s. The radio can only delay a frame, so the lower
  envelope of (arrival − device) is the clock offset plus one constant delay that nothing can observe.
- A device that can be asked for its time bounds that constant delay, too (:meth:`ClockMap.round_trip`).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from feltsense.core.timeline import to_ns

__all__ = ["ClockMap", "Mapped"]


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

    Without round trips the stated uncertainty is that of 95 % of the frames, about *device time plus the least delay
    of this radio*. With n frames spread evenly over a delay range R, the least of them lies above the range's foot by
    less than R (1 - 0.05^(1/n)) in 95 of 100 cases, and by R / (n + 1) in the mean. The end of a line through k points
    with residual σ has the standard error 2σ / √k. The least delay itself (some 10 ms) is in neither.
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
    TRIPS = 32
    """Round trips that are remembered: five minutes at one in ten seconds, as long as the minima."""
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
        self._trips: deque[tuple[int, int, int]] = deque(maxlen=self.TRIPS)
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
        offset = self._offset(device_ns)[0]
        # Exponential mean of how far arrivals lie above the envelope: half the range of a uniform delay.
        self._spread += (abs(delay - offset) - self._spread) / 64
        return self.place(device_ns, stream)

    def place(self, device_ns: int, stream: str = "") -> Mapped:
        """Map a device time without learning from it; after :meth:`update` only."""
        foot, unc = self._offset(device_ns)
        offset, unc = self._between(device_ns, foot) if self._trips else (foot, unc)
        t_ns = self._forward(stream, device_ns, device_ns + offset)
        # Time that may not step back is known to be ahead of the estimate by so much.
        return Mapped(t_ns, round(unc) + t_ns - (device_ns + offset))

    def round_trip(self, device: tuple[int, int], session: tuple[int, int]) -> None:
        """Learn from a question for the device's time and its answer.

        Parameters
        ----------
        device : tuple of int
            Device times at which the question came and the answer left.
        session : tuple of int
            Session times at which the question left and the answer came.

        Notes
        -----
        Session minus device time lies between (question left - came) and (answer came - left). So the delay that every
        frame has is bounded, too; the middle is exact where both ways are equally fast (RFC 5905, section 8).
        """
        self._trips.append(((device[0] + device[1]) // 2, session[0] - device[0], session[1] - device[1]))

    def _between(self, device_ns: int, foot: int) -> tuple[int, float]:
        """Middle of what round trips and the least delay leave open, and half of it."""
        slope, drift, line = 0.0, self.LIKELY_DRIFT, self._line
        if line is not None:
            # The end of a line is as uncertain by its slope as by its height: that over half its length is the slope's.
            known = self.WANDER + self.COVER * line.error / max(line.newest - line.xm, 1.0)
            slope, drift = (line.slope, known) if known < drift else (slope, drift)
        low, high = -math.inf, float(foot)
        for at, least, most in self._trips:
            moved, worth = slope * (device_ns - at), drift * abs(device_ns - at)
            low, high = max(low, least + moved - worth), min(high, most + moved + worth)
        return round((low + high) / 2), self.FLOOR_NS + abs(high - low) / 2

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
