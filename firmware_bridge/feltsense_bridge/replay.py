"""A capture, decoded again: the same chunks and events as the session that was captured, byte for byte.

The bytes pass the same :class:`~feltsense_bridge.device.Device` and the same
:class:`~feltsense_bridge.intake.Intake` as they did live. What the session knew beside them (answers in dialogues,
link changes, what was dropped, when the watchdog looked) is in the capture. So is nothing else: no clock is read here.

With newer code a capture gives what the newer code makes of it: that is what a regression test wants to know.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

from feltsense.core.chunk import Chunk
from feltsense.core.recording import Recording, Stream
from feltsense.errors import InputError, LinkError, ProtocolError, RecordingError
from feltsense_bridge import devices
from feltsense_bridge.capture import Kind, records
from feltsense_bridge.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from feltsense.core.chunk import StreamInfo
    from feltsense.core.event import Event
    from feltsense_bridge.accounting import Counters
    from feltsense_bridge.capture import Record
    from feltsense_bridge.device import Action, Device

__all__ = ["Replay"]

_FIELDS: Final = {"model": str, "name": str, "label": str}
_LAST_NS: Final = 2**62
"""The latest time that a record may have (the year 2116): sums of two still fit 64 bits."""


class Replay:
    """The sensors of a capture, as they were heard.

    Parameters
    ----------
    path : Path or str
        A capture.

    Raises
    ------
    RecordingError
        If the file cannot be read. Damage is found while iterating.

    Examples
    --------
    ::

        replay = Replay("session.cap")
        for item in replay:              # Chunk or Event, each sensor's in their order
            pipeline.push(item)
        replay.counters["h10.ecg"].missing
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            self._data = self.path.read_bytes()
        except OSError as error:
            msg = f"{self.path} cannot be read: {error.strerror}"
            raise RecordingError(msg) from error
        self.torn = 0
        """Bytes at the end that were not written to the last; known after iterating."""
        self._sources: dict[int, _Source] = {}

    @property
    def streams(self) -> Mapping[str, StreamInfo]:
        """Id → stream, of what was iterated so far."""
        return {k: v for s in self._sources.values() for k, v in s.intake.streams.items()}

    @property
    def counters(self) -> Mapping[str, Counters]:
        """Stream id → what became of its samples, so far."""
        return {k: v for s in self._sources.values() for k, v in s.intake.counters.items()}

    @property
    def corrupt(self) -> int:
        """Notifications that broke their protocol, so far."""
        return sum(s.intake.corrupt for s in self._sources.values())

    def __iter__(self) -> Iterator[Chunk | Event]:
        self._sources = {}
        end = 0
        for record in records(self._data, str(self.path)):
            end = record.offset + len(record.encode())
            if record.kind is Kind.SOURCE:
                self._declare(record)
                continue
            source = self._sources.get(record.source)
            if source is None:
                raise self._bad(record, f"speaks of sensor {record.source}, which nothing has declared")
            try:
                source.take(record)
            except RecordingError as error:
                raise self._bad(record, str(error)) from error
            while (item := source.intake.take()) is not None:
                yield item
        for source in self._sources.values():
            source.end()
            while (item := source.intake.take()) is not None:
                yield item
        self.torn = len(self._data) - end if end else 0

    def recording(self, subject: str = "anonymous") -> Recording:
        """All of it as a recording.

        Raises
        ------
        RecordingError
            If the capture is damaged, or holds no samples.
        """
        chunks: dict[str, list[Chunk]] = {}
        events: list[Event] = []
        for item in self:
            if isinstance(item, Chunk):
                chunks.setdefault(item.stream.id, []).append(item)
            else:
                events.append(item)
        if not chunks:
            msg = f"{self.path} holds no samples: was the sensor worn and switched on?"
            raise RecordingError(msg)
        infos = self.streams
        streams = {k: Stream.from_chunks(infos[k], v) for k, v in chunks.items()}
        return Recording(subject, streams, tuple(sorted(events, key=lambda e: e.t_ns)), {"capture": self.path.name})

    def _declare(self, record: Record) -> None:
        if record.source in self._sources:
            raise self._bad(record, f"declares sensor {record.source} twice")
        try:
            self._sources[record.source] = _Source(record.content)
        except (ValueError, TypeError, RecursionError) as error:
            raise self._bad(record, f"does not say what sensor it was ({error})") from error
        except InputError as error:
            raise self._bad(record, str(error)) from error

    def _bad(self, record: Record, what: str) -> RecordingError:
        return RecordingError(f"{self.path}: the record at byte {record.offset} {what}")


class _Source:
    """One sensor of a capture: device, intake, and the dialogue that runs."""

    def __init__(self, content: bytes) -> None:
        about = json.loads(content)
        if not isinstance(about, dict) or not all(isinstance(about.get(k), t) for k, t in _FIELDS.items()):
            msg = "not an object with model, name and label"
            raise ValueError(msg)
        wanted, speed = about.get("streams"), about.get("speed", 1.0)
        if not (wanted is None or (isinstance(wanted, list) and all(isinstance(s, str) for s in wanted))):
            msg = "streams is no list of names"
            raise ValueError(msg)
        if isinstance(speed, bool) or not isinstance(speed, int | float) or not (math.isfinite(speed) and 0 < speed < 1e6):
            msg = "speed is no positive number"
            raise ValueError(msg)
        self.device: Device = devices.device(about["model"])(wanted)
        self.intake = Intake(self.device, about["name"], about["label"], float(speed))
        self._uuids: dict[int, str] = {}
        self._dialogue: Generator[Action, bytes | None, None] | None = None

    def take(self, record: Record) -> None:
        """Let the next record happen.

        Raises
        ------
        RecordingError
            If it cannot have happened.
        """
        content = record.content
        match record.kind:
            case Kind.UUID:
                self._uuids[content[0]] = content[1:].decode("ascii", "replace")
            case Kind.DIALOGUE:
                self._begin(stop=bool(content[0]))
            case Kind.ANSWER:
                self._answer(content[1:] if content[0] else None)
            case Kind.HEARD | Kind.DROPPED:
                self._notification(content, dropped=record.kind is Kind.DROPPED)
            case _:
                self._change(record.kind, _time(content))

    def _begin(self, *, stop: bool) -> None:
        self._end()
        self._dialogue = self.device.stop() if stop else self.device.start()
        self._send(None)

    def _answer(self, data: bytes | None) -> None:
        if self._dialogue is not None:
            self._send(data)

    def _send(self, data: bytes | None) -> None:
        dialogue, self._dialogue = self._dialogue, None
        if dialogue is None:
            return
        try:
            dialogue.send(data)
        except (StopIteration, LinkError, ProtocolError, InputError):
            # The end, or the refusal that ended it live.
            return
        self._dialogue = dialogue

    def _end(self) -> None:
        if self._dialogue is not None:
            self._dialogue.close()
        self._dialogue = None

    def end(self) -> None:
        """The capture ends."""
        self.intake.end()
        self._digest()

    def _notification(self, content: bytes, *, dropped: bool) -> None:
        uuid = self._uuids.get(content[8])
        if uuid is None:
            msg = f"is of characteristic {content[8]}, which nothing has named"
            raise RecordingError(msg)
        arrival_ns = _time(content)
        if dropped:
            self.intake.drop(arrival_ns)
            return
        self.intake.hear(uuid, content[9:], arrival_ns)
        self._digest()

    def _change(self, kind: Kind, t_ns: int) -> None:
        if kind is Kind.CONNECTED:
            try:
                self.intake.declare()
            except LinkError as error:
                raise RecordingError(str(error)) from error
            self.intake.connected(t_ns)
        elif kind is Kind.DISCONNECTED:
            self.intake.disconnected(t_ns)
        else:
            self.intake.watch(t_ns)
        self._digest()

    def _digest(self) -> None:
        try:
            self.intake.digest()
        except LinkError as error:
            # A stream that changed ended the session: nothing was heard after it.
            raise RecordingError(str(error)) from error


def _time(content: bytes) -> int:
    t_ns = int.from_bytes(content[:8], "little")
    if t_ns > _LAST_NS:
        msg = "is of no possible time"
        raise RecordingError(msg)
    return t_ns
