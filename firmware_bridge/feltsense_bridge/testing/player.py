"""Turns one stream of a recording into a sensor's frames, at the right simulated time, at any speed.

Contract
--------
- A :class:`Playback` is a recording being played: its origin is the simulated moment of the recording's first
  sample. Several sensors that share one playback play the same person, in step.
- The origin is set when every sensor of the playback has been asked for its first stream, and `lead` real seconds
  later, so that the streams that are started one after another all play from the first sample.
- A :class:`Player` goes on producing while nobody listens (a lost connection does not stop a heart) until it is
  stopped, and counts what it produced in *sample slots*: samples, and the places of samples that the recording
  itself lacks. So a receiver's ``received + missing`` can be compared with ``produced``.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense.core.timeline import NS, to_ns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from numpy.typing import NDArray

    from feltsense.core.recording import Recording, Stream
    from feltsense_bridge.testing.radio import VirtualRadio

__all__ = ["Playback", "Player", "Track"]

LEAD_S: Final = 0.25
"""Real seconds between the first start command and the recording's first sample: a dialogue that starts two
streams takes some 20 ms on an idle machine."""
_BREAK: Final = 1.5
"""Two samples further apart than this many periods have a hole between them."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One stream of a recording, laid out for playing.

    Attributes
    ----------
    rate : Fraction
        Nominal rate.
    t_ns : ndarray of int64, shape (n,)
        Times from the recording's first sample.
    values : ndarray of float64, shape (n, channels)
        Samples.
    breaks : ndarray of int64
        Indices at which a new gapless run begins, 0 among them; n at the end.
    """

    rate: Fraction
    t_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    breaks: NDArray[np.int64]

    @classmethod
    def of(cls, stream: Stream, origin_ns: int, *, keep_nan: bool = False) -> Track:
        """Lay a stream out.

        Parameters
        ----------
        stream : Stream
            A stream with a rate.
        origin_ns : int
            Session time of the recording's first sample.
        keep_nan : bool
            Whether the sensor can say "no number"; else such samples are holes.
        """
        rate = stream.info.spec.rate
        if rate is None:
            msg = f"{stream.info.id} is irregular: it has no samples to pace"
            raise ValueError(msg)
        starts = np.cumsum([0] + [len(s.values) for s in stream.segments])
        t = np.concatenate([s.time.times(0, len(s.values)) for s in stream.segments]) - origin_ns
        values = np.concatenate([s.values for s in stream.segments])
        first = np.zeros(len(t), bool)
        first[starts[:-1][starts[:-1] < len(t)]] = True
        if not keep_nan:
            fine = np.isfinite(values).all(axis=1)
            t, values, first = t[fine], values[fine], first[fine]
        first[:1] = True
        first[1:] |= np.diff(t) > _BREAK * NS / float(rate)
        return cls(rate, t, values, np.append(np.flatnonzero(first), len(t)))

    def at(self, rate: Fraction) -> Track:
        """The same track at another rate: band-limited, run by run; itself if the rate is the same."""
        if rate == self.rate:
            return self
        from scipy.signal import resample_poly

        step = (rate / self.rate).limit_denominator(1000)
        times, values = [np.empty(0, np.int64)], [np.empty((0, self.values.shape[1]))]
        for a, b in zip(self.breaks[:-1], self.breaks[1:], strict=True):
            run = resample_poly(self.values[a:b], step.numerator, step.denominator, axis=0, padtype="line")
            position = np.arange(len(run)) * (step.denominator / step.numerator)
            # np.interp does not extrapolate: samples after the run's last go with the nominal rate.
            beyond = np.maximum(position - (b - a - 1), 0) * NS / float(self.rate)
            offset = np.interp(position, np.arange(b - a), self.t_ns[a:b] - self.t_ns[a]) + beyond
            times.append(self.t_ns[a] + np.rint(offset).astype(np.int64))
            values.append(run)
        breaks = np.cumsum([len(v) for v in values])
        return Track(rate, np.concatenate(times), np.concatenate(values), breaks)


class Playback:
    """A recording being played, by one sensor or by several in step.

    Parameters
    ----------
    recording : Recording
        What to play.
    loop : bool
        Begin again at the end, for ever.
    lead : float
        Real seconds between the last sensor's first start command and the recording's first sample.
    """

    def __init__(self, recording: Recording, *, loop: bool = False, lead: float = LEAD_S) -> None:
        self.recording = recording
        self.loop = loop
        self.lead = lead
        self.origin_ns = 0
        """Simulated time of the recording's first sample, once :meth:`started` has returned."""
        self._waiting: set[object] = set()
        self._started = asyncio.Event()

    @property
    def length_ns(self) -> int:
        """Length of the recording."""
        return self.recording.stop_ns - self.recording.start_ns

    def join(self, sensor: object) -> None:
        """Wait for this sensor's first start command before playing."""
        self._waiting.add(sensor)

    def begin(self, sensor: object, radio: VirtualRadio) -> None:
        """A sensor has got its first start command."""
        self._waiting.discard(sensor)
        if not self._waiting and not self._started.is_set():
            self.origin_ns = radio.clock() + to_ns(self.lead * radio.speed)
            self._started.set()

    async def started(self) -> None:
        """Wait until the origin is known."""
        await self._started.wait()


class Player:
    """Plays one track as frames of a fixed number of samples (fewer before a hole and at the end).

    Parameters
    ----------
    track : Track
        What to play.
    playback : Playback
        When.
    radio : VirtualRadio
        By which clock.
    per_frame : int
        Samples a frame.
    deliver : coroutine function
        Takes the simulated time of a frame's last sample and the samples, when that moment has come.
    """

    def __init__(
        self,
        track: Track,
        playback: Playback,
        radio: VirtualRadio,
        per_frame: int,
        deliver: Callable[[int, NDArray[np.float64]], Awaitable[None]],
    ) -> None:
        self.track = track
        self.produced = 0
        """Sample slots since the first frame."""
        self.last_ns: int | None = None
        """Simulated time of the last sample that was played."""
        self._playback = playback
        self._radio = radio
        self._per_frame = per_frame
        self._deliver = deliver

    def follow(self, last_ns: int | None) -> None:
        """Count the slots since an earlier player's last sample, too: the time of a stream that is stopped passes."""
        self.last_ns = last_ns

    async def run(self) -> None:
        """Play from the present moment to the end; for ever if the playback loops."""
        await self._playback.started()
        n = len(self.track.t_ns)
        if not n:
            return
        lap, index = self._position()
        while lap == 0 or self._playback.loop:
            while index < n:
                stop = min(index + self._per_frame, self._end_of_run(index))
                base = self._playback.origin_ns + lap * self._playback.length_ns
                first, last = base + int(self.track.t_ns[index]), base + int(self.track.t_ns[stop - 1])
                await self._radio.sleep_until(last)
                self.produced += stop - index + (0 if self.last_ns is None else self._slots(self.last_ns, first))
                self.last_ns = last
                await self._deliver(last, self.track.values[index:stop])
                index = stop
            lap, index = lap + 1, 0

    def _position(self) -> tuple[int, int]:
        """Lap and index of the first sample that is still to come."""
        elapsed = self._radio.clock() - self._playback.origin_ns
        lap, within = divmod(max(elapsed, 0), self._playback.length_ns) if self._playback.loop else (0, elapsed)
        return lap, int(np.searchsorted(self.track.t_ns, within))

    def _end_of_run(self, index: int) -> int:
        return int(self.track.breaks[np.searchsorted(self.track.breaks, index, side="right")])

    def _slots(self, before: int, first: int) -> int:
        """Places for samples between two samples, exclusive."""
        return max(0, round((first - before) * float(self.track.rate) / NS) - 1)
