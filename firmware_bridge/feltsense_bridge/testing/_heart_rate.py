"""The Heart Rate service of a virtual sensor: one notification a simulated second, with the beats of that second.

Intervals come from a recording's ``rr`` stream or else from its BEAT events; the rate from its ``heart_rate`` stream
or else from the last intervals. A recording with none of them gives a service that never says anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from bumble.gatt import Service

from feltsense.core.event import EventKind
from feltsense.core.timeline import NS
from feltsense_bridge.devices.heart_rate import TICKS_PER_SECOND, HeartRateMeasurement
from feltsense_bridge.testing._attributes import characteristic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from feltsense.core.recording import Recording, Stream
    from feltsense_bridge.testing._sensor import VirtualSensor

__all__ = ["Beats", "HeartRateOutput"]

LONGEST_S: Final = 3.0
"""Beats further apart than this have beats missing between them: that is no interval."""
_AVERAGED: Final = 8
"""Intervals that a strap averages for the rate it shows."""
_NEWEST: Final = 8
"""Intervals that fit a packet of the smallest size; at more than 8 beats in a second the oldest are left out."""
_SERVICE, _MEASUREMENT = "180D", "2A37"


@dataclass(frozen=True, slots=True, eq=False)
class Beats:
    """Intervals and rates of a recording.

    Attributes
    ----------
    t_ns, ticks : ndarray of int64, shape (n,)
        Time of the beat that ends an interval, from the recording's first sample; its length in 1/1024 s.
    rate_ns, rate : ndarray, shape (m,)
        Times and values of the recording's own heart rate.
    """

    t_ns: NDArray[np.int64]
    ticks: NDArray[np.int64]
    rate_ns: NDArray[np.int64]
    rate: NDArray[np.float64]

    @classmethod
    def of(cls, recording: Recording, rr: Stream | None, heart_rate: Stream | None) -> Beats:
        """Take intervals and rates from a recording."""
        if rr is not None:
            t, seconds = _samples(rr)
        else:
            beats = np.array([e.t_ns for e in recording.events if e.kind is EventKind.BEAT], np.int64)
            t, seconds = beats[1:], np.diff(beats) / NS
        fine = (seconds > 0) & (seconds <= LONGEST_S)
        ticks = np.rint(seconds[fine] * TICKS_PER_SECOND).astype(np.int64)
        at, rate = (np.empty(0, np.int64), np.empty(0)) if heart_rate is None else _samples(heart_rate)
        return cls(t[fine] - recording.start_ns, ticks, at - recording.start_ns, rate)

    def __bool__(self) -> bool:
        return bool(len(self.t_ns) or len(self.rate))

    def second(self, number: int) -> HeartRateMeasurement:
        """What the sensor says at the end of second `number`."""
        start, stop = number * NS, (number + 1) * NS
        a, b = (int(i) for i in np.searchsorted(self.t_ns, (start, stop)))
        known = int(np.searchsorted(self.rate_ns, stop)) - 1
        if known >= 0:
            bpm = float(self.rate[known])
        else:
            recent = self.ticks[max(b - _AVERAGED, 0) : b]
            bpm = 60 * TICKS_PER_SECOND / float(recent.mean()) if len(recent) else 0.0
        return HeartRateMeasurement(round(bpm), contact=True, ticks=tuple(int(v) for v in self.ticks[a:b][-_NEWEST:]))


def _samples(stream: Stream) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Times and values of the finite samples of a stream of one channel."""
    t = np.concatenate([s.time.times(0, len(s.values)) for s in stream.segments])
    values = np.concatenate([s.values[:, 0] for s in stream.segments])
    fine = np.isfinite(values)
    return t[fine], values[fine]


@dataclass(slots=True)
class _Tally:
    produced: int = 0


class HeartRateOutput:
    """Heart Rate service of one sensor; it begins with the first subscription, and goes on while nobody listens."""

    def __init__(self, sensor: VirtualSensor) -> None:
        self._sensor = sensor
        self._heard = False
        self.silent = False
        """Whether the sensor measures no heart rate at present."""
        recording = sensor.playback.recording
        self.beats = Beats.of(recording, sensor.find("rr", "rr"), sensor.find("heart_rate", "heart_rate"))
        self._tally = {"heart_rate": _Tally(), "rr": _Tally()}
        self.measurement = characteristic(_MEASUREMENT, notify=True)
        self.measurement.on("subscription", self._subscription)
        self.service = Service(_SERVICE, [self.measurement])

    def lost_connection(self) -> None:
        """The host has gone."""
        self._heard = False

    def _subscription(self, _connection: Any, notify: bool, _indicate: bool) -> None:
        self._heard = notify
        if notify:
            self._sensor.perform_once("heart_rate", self._run, self._tally)

    def _seconds(self) -> Iterator[tuple[int, HeartRateMeasurement]]:
        """Simulated time and content of the notifications from now on."""
        playback = self._sensor.playback
        number, length = 0, -(-playback.length_ns // NS)
        while number < length or playback.loop:
            lap, within = divmod(number, length)
            at = playback.origin_ns + lap * playback.length_ns + (within + 1) * NS
            if at > self._sensor.now_ns():
                yield at, self.beats.second(within)
            number += 1

    async def _run(self) -> None:
        await self._sensor.playback.started()
        if not self.beats:
            return
        for at, said in self._seconds():
            await self._sensor.until(at)
            if self.silent:
                continue
            self._tally["heart_rate"].produced += 1
            self._tally["rr"].produced += len(said.ticks)
            if self._heard and not self._sensor.lost("heart_rate"):
                await self._sensor.notify(self.measurement, said.encode())
