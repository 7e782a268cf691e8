"""The radio: the phone's, or a virtual one with a virtual participant for the demo and the tests.

From a scan on nothing else in the app knows which it is.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from feltsense_app.presenters.pair import Seen
from feltsense_bridge import devices
from feltsense_bridge.link import Link, LinkOptions, unix_clock
from feltsense_bridge.link_connection import bleak_client
from feltsense_bridge.scan import scan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from feltsense.core.recording import Recording
    from feltsense_bridge.testing import Playback, VirtualRadio

__all__ = ["Radio", "links", "virtual"]

SHORT = {"polar_h10": "h10", "open_board": "board", "heart_rate": "strap"}
"""Model → prefix of its streams' ids; other models by their own name."""
STREAMS = {
    "open_board": {"ppg": "ppg", "eda": "eda", "temp": "skin_temperature", "acc": "acc"},
    "polar_360": {"ppg": "ppg", "acc": "acc", "temp": "skin_temperature"},
    "polar_h10": {"ecg": "ecg", "acc": "acc"},
    "polar_oh1": {"ppg": "ppg", "acc": "acc"},
    "polar_verity_sense": {"ppg": "ppg", "acc": "acc", "ppi": "rr"},
}
"""Model → its own name of a stream → signal, for models that tell only once they are connected; others are asked."""


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
    """

    clock: Callable[[], int]
    speed: float = 1.0
    air: VirtualRadio | None = None
    playback: Playback | None = None

    @classmethod
    def own(cls) -> Radio:
        """The phone's own."""
        return cls(unix_clock())

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

    def link(self, sensor: Seen, streams: Sequence[str], name: str) -> Link:
        """A link to a sensor, with the device's own names of the streams that are wanted."""
        return Link(
            devices.device(sensor.model or "")(tuple(streams)),
            sensor.address,
            name=name,
            client_factory=bleak_client(None if self.air is None else self.air.client),
            clock=self.clock,
            speed=self.speed,
            options=LinkOptions(label=sensor.name),
        )


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
    out: list[Link] = []
    taken: dict[str, int] = {}
    for sensor in sensors:
        if sensor.model is None:
            continue
        offered = STREAMS.get(sensor.model) or {n: s.name for n, s in devices.device(sensor.model)().specs.items()}
        streams = [name for name, signal in offered.items() if signal in consented]
        if not streams:
            continue
        short = SHORT.get(sensor.model, sensor.model)
        taken[short] = taken.get(short, 0) + 1
        out.append(radio.link(sensor, streams, short if taken[short] == 1 else f"{short}-{taken[short]}"))
    return out


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
