"""The recording: links to the paired sensors, one file, and what home and the others are told.

Contract
--------
- Everything that came is committed every second. A kill loses at most so much, and the next start goes on in the same
  file with a new segment, whose gap says ``restart``.
- Nobody is waited for: what the first sensor sends is recorded, and another joins when it comes. A sensor that is lost,
  busy, or not there yet is looked for until it is there; until then home says so, and why.
- A disk that is full, or a file that is gone, ends the recording with its reason in home's sentence; what was committed
  stays. What is to happen then is decided by who called.
- Marks that are set while nothing is recorded are kept for the next recording.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from feltsense.core.chunk import Chunk
from feltsense.core.event import Event, EventKind
from feltsense.core.profile import RestInterval
from feltsense.core.timeline import NS
from feltsense.errors import FeltsenseError, RecordingError
from feltsense.store import Reader, Writer
from feltsense_app.presenters.home import NO_SPACE, SensorStatus, Status
from feltsense_app.service.estimator import Estimator
from feltsense_app.service.radio import links
from feltsense_bridge.link import State
from feltsense_bridge.live import Live

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from feltsense.bundle import Bundle
    from feltsense.core.chunk import StreamInfo
    from feltsense.core.prediction import Prediction
    from feltsense.store import DataKey
    from feltsense_app.presenters.pair import Seen
    from feltsense_app.presenters.wizard import RestWindow
    from feltsense_app.service.radio import Radio
    from feltsense_bridge.link import Link

__all__ = ["Listener", "Recorder"]

COMMIT_S = 1.0
"""Real seconds between commits and between two looks at the phone."""
BATTERY_S = 300.0
"""Session seconds between two questions for the sensors' batteries, which last for days."""
ON_THE_WAY_S = 2.0
ON_THE_WAY_REAL_S = 0.3
"""How much longer than another sensor's a frame may take: in session time, and in real time on a virtual radio."""
BEFORE_REST_S = 60.0
"""Read before the rest, so that what looks back finds something."""


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
    bundle : callable
        Gives the model.
    listener : Listener
        Who is told.
    phone : callable
        Free bytes and the phone's battery (0 to 1, or None).
    """

    def __init__(
        self, radio: Radio, bundle: Callable[[], Bundle], listener: Listener, phone: Callable[[], tuple[float, float | None]]
    ) -> None:
        self.opening: tuple[Event, ...] = ()
        """What a new recording begins with: the consent."""
        self.key: DataKey | None = None
        """What recordings are sealed with."""
        self.estimator = Estimator(bundle, listener.rest, listener.prediction)
        self._radio, self._bundle, self._listener, self._phone = radio, bundle, listener, phone
        self._status = Status()
        self._live: Live | None = None
        self._writer: Writer | None = None
        self._streams: dict[str, StreamInfo] = {}
        self._marks: list[Event] = []
        self._forgotten = False
        self._batteries: dict[str, float | None] = {}
        self._first_ns: int | None = None
        self._last_ns: dict[str, int] = {}

    @property
    def recording(self) -> bool:
        """Whether samples are being written."""
        return self._writer is not None and bool(self._streams)

    async def record(self, path: Path, subject: str, sensors: Sequence[Seen], consented: frozenset[str]) -> bool:
        """Record until :meth:`stop`; goes on in a file that is there. What goes wrong is told, not raised.

        Returns
        -------
        bool
            Whether the file can be gone on with; False: another one is needed.
        """
        self.estimator.begin(max(ON_THE_WAY_S, ON_THE_WAY_REAL_S * self._radio.speed))
        self._first_ns, self._last_ns, self._streams, self._forgotten = None, {}, {}, False
        good = True
        try:
            self._live = Live(links(self._radio, sensors, consented))
            self._tell(recording=True, paused=False, trouble="")
            with self._opened(path, subject) as writer:
                if (writer.stopped_ns or 0) > self._radio.clock():
                    # The phone was off, and its clock was set back: no file goes back in time.
                    return False
                self._writer = writer
                async with self._live:
                    await self._written(writer, self._live)
        except (FeltsenseError, OSError) as error:
            good = self._first_ns is not None
            self._tell(trouble=str(error))
        finally:
            self._writer, self._live = None, None
            self.estimator.end()
            self._tell(recording=False, inference=False)
        return good

    async def stop(self, *, paused: bool = False) -> None:
        """Stop the streams and close the file; what came until now is kept."""
        self._tell(paused=paused)
        if self._live is not None:
            await self._live.close()

    def mark(self, event: Event) -> None:
        """Keep an event: in the recording, or where there is none in the next one."""
        try:
            if self._writer is not None and not self._forgotten:
                self._writer.event(event)
                return
        except FeltsenseError as error:
            self._tell(trouble=str(error))
        self._marks.append(event)

    def forget(self) -> None:
        """Close the file at once, and forget the baseline and the marks that wait: all is erased."""
        self.estimator.profile = None
        self._marks.clear()
        self._forgotten = True
        if self._writer is not None:
            self._writer.close()

    def trouble(self, text: str) -> None:
        """Something else went wrong that home should say."""
        self._tell(trouble=text)

    def rest(self) -> None:
        """The wizard's rest begins: judge it as it passes."""
        self.estimator.rest(on=True)

    def learn(self, start_ns: int, stop_ns: int) -> str:
        """Learn the baseline from the rest; gives why not, or nothing."""
        from feltsense.calibration import calibrate, with_neutral

        if self._writer is None:
            self.estimator.rest(on=False)
            return "nothing is being recorded"
        try:
            self._writer.commit()
            with Reader(self._writer.path, self.key) as reader:
                recording = reader.between(start_ns - int(BEFORE_REST_S * NS), stop_ns)
            inside = RestInterval(max(start_ns, recording.start_ns), min(stop_ns, recording.stop_ns))
            learned = calibrate(recording, [inside], self._bundle())
            self.estimator.profile = with_neutral(learned, self.estimator.profile)
            self.mark(Event(inside.start_ns, EventKind.CALIBRATION, (inside.stop_ns - inside.start_ns) / NS, "known rest"))
        except (FeltsenseError, OSError) as error:
            return str(error)
        finally:
            self.estimator.rest(on=False)
            self._tell(inference=self.estimator.estimating)
        return ""

    def _opened(self, path: Path, subject: str) -> Writer:
        """The recording, begun or gone on with."""
        if path.exists():
            writer = Writer.resume(path, self.key)
        else:
            writer = Writer(path, subject, {"recorder": "feltsense app"}, self.key)
            for event in self.opening:
                writer.event(event)
        for event in self._marks:
            writer.event(event)
        self._marks.clear()
        return writer

    async def _written(self, writer: Writer, live: Live) -> None:
        keeping = asyncio.create_task(self._keep(writer, live))
        try:
            async for item in live:
                self._take(item, writer, live)
            self.estimator.finish()
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])

    def _join(self, writer: Writer, live: Live) -> None:
        """Take in the streams of a sensor that has come."""
        if sum(len(link.streams) for link in live.links) == len(self._streams):
            return
        self._streams = {k: v for link in live.links for k, v in link.streams.items()}
        for info in self._streams.values():
            writer.declare(info)
        try:
            self.estimator.join(self._streams)
            self._tell(inference=self.estimator.estimating)
        except FeltsenseError as error:
            self._tell(inference=False, trouble=str(error))

    def _take(self, item: Chunk | Event, writer: Writer, live: Live) -> None:
        if self._forgotten:
            return
        self._join(writer, live)
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
        try:
            self.estimator.push(item)
        except FeltsenseError as error:
            self._tell(inference=False, trouble=str(error))

    async def _keep(self, writer: Writer, live: Live) -> None:
        asked_ns = None
        while True:
            await asyncio.sleep(COMMIT_S)
            free, battery = self._phone()
            self._tell(free_bytes=free, battery=battery)
            try:
                if not self._forgotten:
                    writer.commit()
                    if not writer.path.exists():
                        # SQLite goes on writing into a file that nobody will find again.
                        raise RecordingError(f"{writer.path.name} is gone; recording goes on in another file")
            except (FeltsenseError, OSError) as error:
                self._tell(trouble=str(error))
                await self.stop()
                return
            if free < NO_SPACE:
                await self.stop()
                return
            if asked_ns is None or self._radio.clock() - asked_ns >= BATTERY_S * NS:
                asked_ns = self._radio.clock()
                for link in live.links:
                    said = await link.battery()
                    self._batteries[link.label] = self._batteries.get(link.label) if said is None else said

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
        signals = {info.spec.name for info in link.streams.values()} if streaming else set()
        quality = min((q for m, q in self.estimator.quality.items() if m in signals), default=float("nan"))
        return SensorStatus(
            link.label, streaming, away, quality, missing, self._batteries.get(link.label), "" if streaming else link.trouble
        )
