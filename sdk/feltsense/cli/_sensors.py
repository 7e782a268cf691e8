"""Where a command's sensors come from: the air, or a virtual radio with a synthetic person.

Contract
--------
- Both are found the same way, by a scan; from there on a command does not know which they are.
- Streams are named by the bridge: ``h10.ecg``, ``board.eda``; a second sensor of a model is ``h10-2``.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from feltsense.core.timeline import NS
from feltsense.errors import InputError
from feltsense_bridge import devices, sensors
from feltsense_bridge.devices.polar_verity_sense import PolarVeritySense
from feltsense_bridge.errors import NotFoundError, UnknownSensorError
from feltsense_bridge.link import unix_clock
from feltsense_bridge.scan import Sighting, scan

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from feltsense.core.event import Event
    from feltsense_bridge.capture import CaptureWriter
    from feltsense_bridge.link import Link
    from feltsense_bridge.link_lsl import LslLink
    from feltsense_bridge.testing import Playback, VirtualRadio

__all__ = ["Air", "choose", "links", "on_the_air", "outlets"]

_OUTLET = re.compile(
    r"(?P<name>.+)=(?P<signal>[a-z_0-9]+)(\*(?P<scale>[-+.e\d]+))?(@(?P<columns>\d+(,\d+)*))?", re.IGNORECASE | re.ASCII
)
"""NAME=SIGNAL, perhaps *FACTOR, perhaps @COLUMNS."""

_VIRTUAL = 2
"""Sensors that the synthetic person wears."""


@dataclass(frozen=True, slots=True)
class Air:
    """A radio, real or virtual.

    Attributes
    ----------
    clock : callable
        Session time, Unix ns.
    speed : float
        Times real time.
    radio : VirtualRadio or None
        The virtual one.
    playback : Playback or None
        What its sensors play.
    """

    clock: Callable[[], int]
    speed: float = 1.0
    radio: VirtualRadio | None = None
    playback: Playback | None = None

    async def sleep(self, seconds: float) -> None:
        """Sleep for so many seconds of session time."""
        await (asyncio.sleep(seconds) if self.radio is None else self.radio.sleep(seconds))

    async def scan(self, seconds: float, wanted: Sequence[str] = ()) -> list[Sighting]:
        """Listen; no longer than it takes to see all that are wanted."""
        if self.radio is None:
            enough = (lambda seen: all(any(s.answers_to(w) for s in seen) for w in wanted)) if wanted else None
            return await scan(seconds, until=enough)
        enough = lambda seen: sum(s.model is not None for s in seen) >= _VIRTUAL  # noqa: E731
        return await scan(seconds, backend=self.radio.scanner, until=enough)

    def leave_out(self, chosen: Sequence[Sighting]) -> None:
        """Let virtual sensors that nobody will start keep the others waiting no longer."""
        if self.radio is None or self.playback is None:
            return
        wanted = {s.advertisement.address for s in chosen}
        for sensor in self.radio.sensors:
            if sensor.address not in wanted:
                self.playback.begin(sensor, self.radio)

    async def finished(self, chosen: Sequence[Sighting]) -> None:
        """Wait until the virtual sensors have played everything; for ever where they are real."""
        if self.radio is None:
            await asyncio.Event().wait()
            return
        wanted = {s.advertisement.address for s in chosen}
        for sensor in self.radio.sensors:
            if sensor.address in wanted:
                await sensor.finished()

    def protocol(self, until_ns: int) -> list[Event]:
        """Labels of what the virtual sensors played until then, at the time at which they played it."""
        if self.playback is None or not self.playback.origin_ns:
            return []
        shift = self.playback.origin_ns - self.playback.recording.start_ns
        moved = [replace(e, t_ns=e.t_ns + shift) for e in self.playback.recording.events]
        # A label's value is its length in seconds: it ends with the recording.
        return [replace(e, value=min(e.value, (until_ns - e.t_ns) / NS)) for e in moved if e.t_ns < until_ns]


@asynccontextmanager
async def on_the_air(args: argparse.Namespace) -> AsyncIterator[Air]:
    """The radio that a command's ``--virtual``, ``--speed`` and ``--seed`` ask for."""
    if not args.virtual:
        yield Air(unix_clock())
        return
    from feltsense.datasets.synthetic import participant
    from feltsense_bridge.testing import Playback, VirtualBoard, VirtualH10, VirtualRadio

    playback = Playback(participant(args.seed))
    async with VirtualRadio(args.speed) as radio:
        await radio.add(VirtualH10(playback))
        await radio.add(VirtualBoard(playback))
        yield Air(radio.clock, radio.speed, radio, playback)


def choose(seen: Sequence[Sighting], wanted: Sequence[str]) -> list[Sighting]:
    """Sensors to record: those that were named, or all that are known, if there is one of each model.

    Raises
    ------
    UnknownSensorError
        If one that was named is not there.
    NotFoundError
        If none is.
    InputError
        If one that was named cannot be read, or it is not clear whose sensor to take.
    """
    chosen: list[Sighting] = []
    for name in wanted:
        found = next((s for s in seen if s.answers_to(name)), None)
        if found is None:
            names = ", ".join(s.advertisement.name or s.advertisement.address for s in seen) or "none"
            msg = (
                f"no sensor {name!r} in reach (in reach: {names}): check the name, wear it or wake it, bring it nearer, "
                f"disconnect it from other phones"
            )
            raise UnknownSensorError(msg)
        if found.model is None:
            msg = f"{name!r} is no sensor that feltsense can read; known models: {', '.join(devices.models())}"
            raise InputError(msg)
        if found not in chosen:
            chosen.append(found)
    if wanted:
        return chosen
    known = [s for s in seen if s.model is not None]
    if not known:
        msg = "no sensor in reach: wear it or wake it, bring it nearer, disconnect it from other phones"
        raise NotFoundError(msg)
    twice = [model for model, n in Counter(s.model for s in known).items() if n > 1]
    if twice:
        names = ", ".join(f"{s.advertisement.name} ({s.advertisement.address})" for s in known if s.model in twice)
        msg = f"several sensors of one model are in reach: {names}; say which with --device"
        raise InputError(msg)
    return known


def outlets(air: Air, asked: Sequence[str]) -> list[LslLink]:
    """Streams of the Lab Streaming Layer, each ``NAME=SIGNAL[*FACTOR][@COLUMNS]``.

    Raises
    ------
    InputError
        If one is written otherwise, or asks for what cannot be.
    MissingExtraError
        If pylsl is not installed.
    """
    from feltsense_bridge.link_lsl import LslLink
    from feltsense_bridge.transport_lsl import LslInlet

    out = []
    for text in asked:
        found = _OUTLET.fullmatch(text)
        try:
            scale = float((found and found["scale"]) or 1)
        except ValueError:
            found = None
        if found is None:
            msg = f"--lsl {text!r}: write NAME=SIGNAL, as in strap=ecg*0.001 (it sends µV) or muse=ppg@1 (second channel)"
            raise InputError(msg)
        columns = [int(c) for c in found["columns"].split(",")] if found["columns"] else None
        out.append(LslLink(LslInlet(found["name"], found["signal"], scale=scale, columns=columns), air.clock))
    return out


def links(
    air: Air, sightings: Sequence[Sighting], capture: CaptureWriter | None = None, sdk_mode: Mapping[str, int] | None = None
) -> list[Link]:
    """A link to each, named by model; what they send is also captured, if so asked.

    `sdk_mode`: rates of a Verity Sense's streams, which is switched to SDK mode; None: it is not.

    Raises
    ------
    InputError
        If SDK mode is asked for and no sensor has it.
    """
    chosen = []
    if sdk_mode is not None and not any(s.model == PolarVeritySense.model for s in sightings):
        names = ", ".join(f"{s.advertisement.name} ({s.model})" for s in sightings)
        msg = f"--sdk-mode is for a Polar Verity Sense, and none is among {names}: leave it out, or name one with --device"
        raise InputError(msg)
    for s in sightings:
        device = devices.device(s.model or "")()
        if sdk_mode is not None and s.model == PolarVeritySense.model:
            device = PolarVeritySense(sdk_mode=True, rates=sdk_mode)
        chosen.append(sensors.Sensor(device, s.advertisement.address, s.advertisement.name))
    client = None if air.radio is None else air.radio.client
    return sensors.links(chosen, clock=air.clock, client=client, speed=air.speed, capture=capture)
