"""The radio: the phone's, or a virtual one with a virtual participant for the demo and the tests.

From a scan on nothing else in the app knows which it is.
"""

from __future__ import annotations

import math
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from feltsense_app.presenters.pair import Seen
from feltsense_app.service.clock import session_clock
from feltsense_bridge import devices
from feltsense_bridge.scan import scan
from feltsense_bridge.sensors import Sensor, carrying
from feltsense_bridge.sensors import links as bridge_links

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from feltsense.core.recording import Recording
    from feltsense_bridge.link import Link
    from feltsense_bridge.testing import Playback, VirtualRadio

__all__ = ["Radio", "links", "virtual"]

@dataclass(frozen=True, slots=True)
class Radio:
    """Where sensors are heard.

    Attributes
    ----------
    clock : callable
        Session time, Unix ns.
    speed : float
        Times real time.
    air : VirtualRadio or None
        The virtual radio; None: the phone's own.
    playback : Playback or None
        What its sensors play.
    wall : callable or None
        The time that the phone shows, Unix ns; None: the same as `clock`.
    """

    clock: Callable[[], int]
    speed: float = 1.0
    air: VirtualRadio | None = None
    playback: Playback | None = None
    wall: Callable[[], int] | None = None

    @classmethod
    def own(cls, folder: Path) -> Radio:
        """The phone's own; `folder` is where the app keeps its files."""
        return cls(session_clock(folder), wall=time.time_ns)

    def shown(self) -> int:
        """The time that the phone shows, Unix ns."""
        return (self.wall or self.clock)()

    async def scan(self, seconds: float, enough: Callable[[Sequence[Seen]], bool]) -> tuple[Seen, ...]:
        """Listen until enough is heard, or so many seconds.

        Raises
        ------
        LinkError
            If the radio is off, absent or forbidden; the text says what to do.
        """
        backend: Any = None if self.air is None else self.air.scanner

        def heard(sightings: Sequence[Any]) -> bool:
            return enough(_seen(sightings))

        return _seen(await scan(seconds, backend=backend, until=heard))


def _seen(sightings: Sequence[Any]) -> tuple[Seen, ...]:
    ads = ((s.advertisement, s.model) for s in sightings)
    return tuple(Seen(a.address, a.name or a.address, model) for a, model in ads)


def links(radio: Radio, sensors: Sequence[Seen], consented: frozenset[str]) -> list[Link]:
    """Links to those sensors that have a consented signal, with these signals only: the others are never started.

    Parameters
    ----------
    radio : Radio
        Where they are.
    sensors : sequence of Seen
        Paired.
    consented : frozenset of str
        Signals, by their names in the catalogue.
    """
    chosen = []
    for sensor in sensors:
        streams = carrying(sensor.model, consented) if sensor.model is not None else ()
        if sensor.model is not None and streams:
            chosen.append(Sensor(devices.device(sensor.model)(streams), sensor.address, sensor.name))
    client = None if radio.air is None else radio.air.client
    return bridge_links(chosen, clock=radio.clock, client=client, speed=radio.speed, patience=math.inf)


@asynccontextmanager
async def virtual(recording: Recording, speed: float = 1.0) -> AsyncIterator[Radio]:
    """A virtual radio with a chest strap and a board that play a recording again and again.

    Raises
    ------
    MissingExtraError
        If the simulator is not installed.
    """
    from feltsense_bridge.testing import Playback, VirtualBoard, VirtualH10, VirtualRadio

    playback = Playback(recording, loop=True)
    async with VirtualRadio(speed) as air:
        await air.add(VirtualH10(playback))
        await air.add(VirtualBoard(playback))
        yield Radio(air.clock, speed, air, playback)
