"""The demo's stage: a recording played by virtual sensors over a virtual radio, recorded and estimated as it comes.

Contract
--------
- From the radio on everything is what real sensors meet: scan, link, accounting, recording file, session.
- Two faults are put in on purpose (:class:`Fault`): one lost packet, and one sensor that is out of reach for a while.
  The board keeps no frames to be fetched again (others keep half a minute): what is lost stays lost and is accounted for.
- Everything runs in one thread: while the session computes, the radio's simulated time stands still, so a slow
  machine makes the demo slower and not the recording worse.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from feltsense.core.chunk import Chunk
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Stream
from feltsense.core.timeline import NS, to_ns
from feltsense.errors import InputError
from feltsense.report.words import clock
from feltsense.store import Writer
from feltsense.watch import Calibrating, Holdback
from feltsense_bridge import devices
from feltsense_bridge.link import Link, LinkOptions
from feltsense_bridge.link_connection import bleak_client
from feltsense_bridge.live import Live
from feltsense_bridge.scan import scan
from feltsense_bridge.testing import Playback, VirtualBoard, VirtualH10, VirtualRadio
from feltsense_bridge.testing.board_engine import PythonEngine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from feltsense.bundle import Bundle
    from feltsense.cli._live import Screen
    from feltsense_bridge.device import Device

__all__ = ["AWAY_S", "Cast", "Fault", "cast", "head", "perform"]

AWAY_S = 10.0
"""How long the sensor is out of reach, in simulated seconds."""
_PACKET, _DROPOUT = 0.3, 0.6
"""When the faults happen, as shares of what is left of the session after the rest."""
_COMMIT_S = 1.0
"""Real seconds between commits: at most so much is lost if the demo is killed."""
_ON_THE_WAY_S = 2.0
_ON_THE_WAY_REAL_S = 0.3
"""How much longer than another sensor's a frame may take, in simulated seconds (frames hold up to one) and in real ones
(the virtual radio's own work takes real time)."""
_SCAN_S = 10.0
"""Real seconds to find the sensors; they advertise every 20 ms."""
_BOARD_NAMES = {"ppg": "ppg", "eda": "eda", "skin_temperature": "temp", "acc": "acc"}
"""Kind of signal → the board's name of the stream."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong on purpose.

    Attributes
    ----------
    at_s : float
        When, in seconds from the recording's first sample.
    sensor, stream : str
        Whose; the stream is empty when the whole sensor goes.
    """

    at_s: float
    sensor: str
    stream: str = ""


@dataclass(frozen=True, slots=True)
class Cast:
    """Which sensor plays what: stream of the sensor → stream of the recording; empty if the sensor is not there."""

    h10: Mapping[str, str]
    board: Mapping[str, str]

    def faults(self, rest_s: float, length_s: float) -> tuple[Fault, ...]:
        """The two faults, after the rest so that the calibration is whole."""
        left = max(length_s - rest_s, 0.0)
        packet = ("h10", next(iter(self.h10))) if self.h10 else ("board", next(iter(self.board)))
        away = "board" if self.board else "h10"
        return Fault(rest_s + _PACKET * left, *packet), Fault(rest_s + _DROPOUT * left, away)


def cast(recording: Recording) -> Cast:
    """Give ECG, and the acceleration of the same device, to the H10, the rest to the board.

    Raises
    ------
    InputError
        If there is nothing that a sensor could play.
    """
    streams = [s.info for s in recording.streams.values() if s.info.spec.rate is not None]
    ecg = next((i for i in streams if i.spec.name == "ecg"), None)
    h10 = {} if ecg is None else {"ecg": ecg.id}
    board: dict[str, str] = {}
    for info in streams:
        name = _BOARD_NAMES.get(info.spec.name)
        if ecg is not None and info.spec.name == "acc" and info.id.rpartition(".")[0] == ecg.id.rpartition(".")[0]:
            h10.setdefault("acc", info.id)
        elif name is not None:
            board.setdefault(name, info.id)
    if not h10 and not board:
        msg = f"recording of {recording.subject!r} has no ECG, PPG, EDA, temperature or acceleration to play"
        raise InputError(msg)
    return Cast(h10, dict(sorted(board.items(), key=lambda b: tuple(_BOARD_NAMES.values()).index(b[0]))))


def head(recording: Recording, seconds: float) -> Recording:
    """The first `seconds` of a recording."""
    until = recording.start_ns + to_ns(seconds)
    streams = {}
    for name, stream in recording.streams.items():
        streams[name] = Stream.from_chunks(stream.info, (c for c in stream.chunks() if c.stop_ns <= until))
    events = tuple(e for e in recording.events if e.t_ns < until)
    return Recording(recording.subject, streams, events, recording.metadata)


@dataclass(slots=True)
class _Sensors:
    """The sensors on the air, by name."""

    playback: Playback
    h10: VirtualH10 | None = None
    board: VirtualBoard | None = None

    @property
    def there(self) -> dict[str, VirtualH10 | VirtualBoard]:
        """Name → sensor."""
        return {k: s for k, s in (("h10", self.h10), ("board", self.board)) if s is not None}


@dataclass(frozen=True, slots=True)
class Set:
    """What a performance needs beside the recording."""

    path: Path
    speed: float
    rest_s: float
    screen: Screen
    bundle: Bundle
    hop: float


async def perform(source: Recording, stage: Set) -> Calibrating:
    """Play a recording to the end.

    Returns
    -------
    Calibrating
        The live session, with its rows and its profile; the recording is in the file.
    """
    roles = cast(source)
    async with VirtualRadio(stage.speed, start_ns=source.start_ns) as radio:
        sensors = await _switch_on(radio, source, roles)
        live = Live(await _links(radio, roles, stage.screen))
        about = {**source.metadata, "recorder": "feltsense demo, virtual sensors"}
        with Writer(stage.path, source.subject, about) as writer:
            async with live, asyncio.TaskGroup() as tasks:
                streams = await live.opened()
                for info in streams.values():
                    writer.declare(info)
                session = Calibrating(source.subject, streams, stage.bundle, stage.rest_s, stage.hop)
                tasks.create_task(_accidents(radio, sensors, roles.faults(stage.rest_s, source.seconds), stage.screen))
                tasks.create_task(_curtain(sensors, live))
                await _record(live, writer, session, stage)
            await sensors.playback.started()
            for event in _protocol(source, sensors.playback.origin_ns, session, stage.rest_s):
                writer.event(event)
    return session


async def _switch_on(radio: VirtualRadio, source: Recording, roles: Cast) -> _Sensors:
    sensors = _Sensors(Playback(source))
    if roles.h10:
        sensors.h10 = await radio.add(VirtualH10(sensors.playback, streams=roles.h10))
    if roles.board:
        forgetful = partial(PythonEngine, frames=1)
        sensors.board = await radio.add(VirtualBoard(sensors.playback, "Board 01", streams=roles.board, engine=forgetful))
    return sensors


async def _links(radio: VirtualRadio, roles: Cast, screen: Screen) -> list[Link]:
    wanted = {"polar_h10": ("h10", roles.h10), "open_board": ("board", roles.board)}
    wanted = {model: role for model, role in wanted.items() if role[1]}
    screen.say("Scanning for sensors …")
    seen = await scan(_SCAN_S, backend=radio.scanner, until=lambda s: {x.model for x in s} >= set(wanted))
    links = []
    for sighting in seen:
        if sighting.model in wanted:
            name, streams = wanted[sighting.model]
            device: Device = devices.device(sighting.model)(tuple(streams))
            label = sighting.advertisement.name
            screen.say(f"  found {label} ({sighting.model}): {', '.join(streams)}")
            links.append(
                Link(
                    device,
                    sighting.advertisement.address,
                    name=name,
                    client_factory=bleak_client(radio.client),
                    clock=radio.clock,
                    speed=radio.speed,
                    options=LinkOptions(label=label, seed=0),
                )
            )
    return links


async def _record(live: Live, writer: Writer, session: Calibrating, stage: Set) -> None:
    committed = time.monotonic()
    told = 0
    held = Holdback(max(_ON_THE_WAY_S, _ON_THE_WAY_REAL_S * stage.speed))
    async for item in live:
        if isinstance(item, Chunk):
            writer.append(item)
        else:
            writer.event(item)
            told += _tell(item, session, stage.screen, told)
        for piece in held.push(item):
            _estimate(piece, session, stage)
        if time.monotonic() - committed > _COMMIT_S:
            writer.commit()
            committed = time.monotonic()
    for piece in held.rest():
        _estimate(piece, session, stage)
    for s in session.finish():
        stage.screen.show(s.end_s, s.prediction, s.vector)


def _estimate(piece: Chunk | Event, session: Calibrating, stage: Set) -> None:
    for s in session.push(piece):
        stage.screen.show(s.end_s, s.prediction, s.vector)
    if session.due:
        session.calibrate()
        _tell_calibration(session, stage)


def _tell(event: Event, session: Calibrating, screen: Screen, told: int) -> int:
    """Say what happened to the link."""
    words = {EventKind.CONNECTED: "connected", EventKind.DISCONNECTED: "connection lost, trying again"}
    if event.kind not in words:
        return 0
    at = "" if session.start_ns is None else f"{clock((event.t_ns - session.start_ns) / NS)}  "
    again = " again" if event.kind is EventKind.CONNECTED and told and at else ""
    screen.say(f"  {at}{event.text}: {words[event.kind]}{again}")
    return 1


def _tell_calibration(session: Calibrating, stage: Set) -> None:
    if session.failure:
        stage.screen.say(f"  Not calibrated: {session.failure}")
    elif session.profile is not None:
        n = max((m.n for m in session.profile.rest.values()), default=0)
        stage.screen.say(f"  Calibrated on {stage.rest_s:g} s of known rest ({n} windows): personal from here on")


async def _accidents(radio: VirtualRadio, sensors: _Sensors, faults: tuple[Fault, ...], screen: Screen) -> None:
    await sensors.playback.started()
    for fault in faults:
        await radio.sleep_until(sensors.playback.origin_ns + to_ns(fault.at_s))
        sensor = sensors.there[fault.sensor]
        if fault.stream:
            screen.say(f"  {clock(fault.at_s)}  On purpose: one {fault.stream.upper()} packet of {sensor.name} gets lost")
            sensor.drop(fault.stream)
        else:
            screen.say(f"  {clock(fault.at_s)}  On purpose: {sensor.name} is out of reach for {AWAY_S:g} s")
            await sensor.vanish(AWAY_S)


async def _curtain(sensors: _Sensors, live: Live) -> None:
    await asyncio.gather(*(s.finished() for s in sensors.there.values()))
    await live.close()


def _protocol(source: Recording, origin_ns: int, session: Calibrating, rest_s: float) -> list[Event]:
    """The source's labels and markers at the time at which they were played, and the calibration."""
    kinds = (EventKind.LABEL, EventKind.MARKER, EventKind.NOTE)
    moved = [replace(e, t_ns=e.t_ns - source.start_ns + origin_ns) for e in source.events if e.kind in kinds]
    if session.profile is not None and session.start_ns is not None:
        moved.append(Event(session.start_ns, EventKind.CALIBRATION, rest_s, "known rest"))
    return moved
