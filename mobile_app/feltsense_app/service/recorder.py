"""The recording: links to the paired sensors, one file, estimates as they come, and what home and the others are told.

Contract
--------
- Everything that came is committed every second. A kill loses at most so much, and the next start goes on in the same
  file with a new segment, whose gap says ``restart``.
- A sensor that is lost is looked for until it is back; until then home says so. Nothing is stopped because of it.
- A disk that is full, or a file that is gone, ends the recording with its reason in home's sentence; what was committed
  stays.
- Estimating fails by itself: whatever goes wrong there is said, and the recording goes on.
- What computes is imported when it is first needed: the window is there before scipy is.
- Estimates begin with a baseline. During the wizard's rest nothing but quality and motion is looked at.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from feltsense.core.chunk import Chunk
from feltsense.core.event import Event, EventKind
from feltsense.core.profile import RestInterval
from feltsense.core.timeline import NS
from feltsense.errors import FeltsenseError
from feltsense.store import Writer, read
from feltsense_app.presenters.home import NO_SPACE, SensorStatus, Status
from feltsense_app.service.radio import links
from feltsense_bridge.link import State
from feltsense_bridge.live import Live

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from feltsense.bundle import Bundle
    from feltsense.core.chunk import StreamInfo
    from feltsense.core.prediction import Prediction
    from feltsense.core.profile import UserProfile
    from feltsense.session import Session
    from feltsense.watch import Holdback
    from feltsense_app.presenters.pair import Seen
    from feltsense_app.presenters.wizard import RestWindow
    from feltsense_app.service.radio import Radio
    from feltsense_app.service.rest import RestWatch
    from feltsense_bridge.link import Link

__all__ = ["Listener", "Recorder"]

COMMIT_S = 1.0
"""Real seconds between commits and between two looks at the phone."""
ON_THE_WAY_S = 2.0
ON_THE_WAY_REAL_S = 0.3
"""How much longer than another sensor's a frame may take: in session time, and in real time on a virtual radio."""
HOP_S = 10.0
"""Seconds between estimates on a phone: as often as anybody looks."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told what.

    Attributes
    ----------
    status : callable
        How it goes, about once a second.
    chunk : callable
        Samples, for the live screen.
    rest : callable
        A window of the wizard's rest.
    prediction : callable
        An estimate.
    lost : callable
        A sensor was lost.
    """

    status: Callable[[Status], None]
    chunk: Callable[[Chunk], None]
    rest: Callable[[RestWindow], None]
    prediction: Callable[[Prediction], None]
    lost: Callable[[str], None]


class Recorder:
    """Record, estimate, tell.

    Parameters
    ----------
    radio : Radio
        Where the sensors are.
    bundle : Bundle
        The model.
    listener : Listener
        Who is told.
    phone : callable
        Free bytes and the phone's battery (0 to 1, or None).
    """

    def __init__(
        self, radio: Radio, bundle: Bundle, listener: Listener, phone: Callable[[], tuple[float, float | None]]
    ) -> None:
        self.profile: UserProfile | None = None
        self.inference = False
        """Whether estimating was consented to."""
        self.opening: tuple[Event, ...] = ()
        """What a new recording begins with: the consent."""
        self._radio, self._bundle, self._listener, self._phone = radio, bundle, listener, phone
        self._status = Status()
        self._live: Live | None = None
        self._writer: Writer | None = None
        self._session: Session | None = None
        self._rest: RestWatch | None = None
        self._streams: Mapping[str, StreamInfo] = {}
        self._held: Holdback | None = None
        self._first_ns: int | None = None
        self._last_ns: dict[str, int] = {}

    @property
    def recording(self) -> bool:
        """Whether samples are being written."""
        return self._writer is not None and bool(self._streams)

    async def record(self, path: Path, subject: str, sensors: Sequence[Seen], consented: frozenset[str]) -> None:
        """Record until :meth:`stop`; goes on in a file that is there. What goes wrong is told, not raised."""
        from feltsense.watch import Holdback

        self._held = Holdback(max(ON_THE_WAY_S, ON_THE_WAY_REAL_S * self._radio.speed))
        self._first_ns, self._last_ns, self._streams = None, {}, {}
        try:
            self._live = Live(links(self._radio, sensors, consented))
            self._tell(recording=True, paused=False, trouble="")
            with _opened(path, subject, self.opening) as writer:
                self._writer = writer
                async with self._live:
                    await self._written(writer, self._live)
        except (FeltsenseError, OSError) as error:
            self._tell(trouble=str(error))
        finally:
            self._writer, self._session, self._rest, self._live = None, None, None, None
            self._tell(recording=False, inference=False)

    async def stop(self, *, paused: bool = False) -> None:
        """Stop the streams and close the file; what came until now is kept."""
        if self._live is not None:
            self._tell(paused=paused)
            await self._live.close()

    def mark(self, event: Event) -> bool:
        """Keep an event; False outside a recording, where it has nowhere to go."""
        if self._writer is None:
            return False
        self._writer.event(event)
        return True

    def rest(self) -> None:
        """The wizard's rest begins: judge it as it passes."""
        from feltsense_app.service.rest import RestWatch

        self._rest = RestWatch(self._streams, self._bundle.model.modalities)

    def learn(self, start_ns: int, stop_ns: int) -> str:
        """Learn the baseline from the rest; gives why not, or nothing."""
        from feltsense.calibration import calibrate

        self._rest = None
        if self._writer is None:
            return "nothing is being recorded"
        try:
            self._writer.commit()
            recording = read(self._writer.path)
            inside = RestInterval(max(start_ns, recording.start_ns), min(stop_ns, recording.stop_ns))
            self.profile = calibrate(recording, [inside], self._bundle)
            self.mark(Event(inside.start_ns, EventKind.CALIBRATION, (inside.stop_ns - inside.start_ns) / NS, "known rest"))
        except (FeltsenseError, OSError) as error:
            return str(error)
        self._adopt()
        return ""

    def _adopt(self) -> None:
        """Estimate from here on, with consent and a baseline."""
        from feltsense.session import Session

        reads = self.inference and self.profile is not None
        self._session = Session(self._streams, self._bundle, self.profile, HOP_S) if reads else None
        self._tell(inference=reads)

    async def _written(self, writer: Writer, live: Live) -> None:
        self._streams = await live.opened()
        for info in self._streams.values():
            writer.declare(info)
        self._adopt()
        keeping = asyncio.create_task(self._keep(writer))
        try:
            async for item in live:
                self._take(item, writer)
            for piece in [] if self._held is None else self._held.rest():
                self._estimate(piece)
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])

    def _take(self, item: Chunk | Event, writer: Writer) -> None:
        if isinstance(item, Chunk):
            writer.append(item)
            self._first_ns = item.start_ns if self._first_ns is None else self._first_ns
            self._last_ns[item.stream.id] = max(self._last_ns.get(item.stream.id, 0), item.stop_ns)
            self._listener.chunk(item)
        else:
            writer.event(item)
            if item.kind is EventKind.DISCONNECTED:
                self._listener.lost(item.text)
            # Said when it happens: an absence can be over before the next look.
            self._tell()
        for piece in [] if self._held is None else self._held.push(item):
            self._estimate(piece)

    def _estimate(self, piece: Chunk | Event) -> None:
        try:
            if self._rest is not None:
                for window in self._rest.push(piece):
                    self._listener.rest(window)
            if self._session is not None:
                for prediction in self._session.push(piece):
                    self._listener.prediction(prediction)
        except FeltsenseError as error:
            self._rest, self._session = None, None
            self._tell(inference=False, trouble=str(error))

    async def _keep(self, writer: Writer) -> None:
        while True:
            await asyncio.sleep(COMMIT_S)
            free, battery = self._phone()
            self._tell(free_bytes=free, battery=battery)
            try:
                writer.commit()
            except (FeltsenseError, OSError) as error:
                self._tell(trouble=str(error))
                free = 0.0
            if free < NO_SPACE:
                await self.stop()
                return

    def _tell(self, **changes: object) -> None:
        sensors = self._status.sensors if self._live is None else tuple(map(self._sensor, self._live.links))
        newest = max(self._last_ns.values(), default=0)
        seconds = 0.0 if self._first_ns is None else (newest - self._first_ns) / NS
        told = {"sensors": sensors, "seconds": seconds, **changes}
        self._status = replace(self._status, **told)  # type: ignore[arg-type]
        self._listener.status(self._status)

    def _sensor(self, link: Link) -> SensorStatus:
        last = max((self._last_ns.get(s, 0) for s in link.streams), default=0)
        streaming = link.state is State.STREAMING
        away = 0.0 if streaming or not last else max(self._radio.clock() - last, 0) / NS
        missing = sum(c.missing for c in link.counters.values())
        return SensorStatus(link.label, streaming, away, missing=missing)


def _opened(path: Path, subject: str, opening: tuple[Event, ...]) -> Writer:
    """The recording, begun or gone on with."""
    if path.exists():
        return Writer.resume(path)
    writer = Writer(path, subject, {"recorder": "feltsense app"})
    for event in opening:
        writer.event(event)
    return writer
