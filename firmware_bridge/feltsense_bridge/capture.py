"""Captures: everything that sensors sent, as bytes with their times, so that a session can be decoded again.

A capture is taken beside a recording (``feltsense record --capture FILE``). Replayed through the same device and
accounts (:mod:`feltsense_bridge.replay`) it gives the same chunks, byte for byte: a fault in the field becomes a test.

Contract
--------
- Append only, one unbuffered write a record: a process that is killed loses nothing, a machine that goes down what
  was written after the last :meth:`CaptureWriter.sync`.
- A torn end (the last record cut short, damaged, or zeros to the end of the file) is passed over and told. Damage
  before the end is an error, which names the byte. Reading raises nothing but
  :class:`~feltsense.errors.RecordingError`.
- A disk that is full must not stop a session: the first error of a write ends the capture, and :meth:`CaptureWriter.sync`
  and :meth:`CaptureWriter.close` raise it.
- A capture holds body signals and names of sensors: handle it like a recording.

Format
------
``FELTCAP`` and a version byte, then records (little-endian)::

    0   u8    kind
    1   u8    source: number of the sensor, from 0 in the order of their SOURCE records
    2   u32   n, bytes of content
    6   ..    content
    -4  u32   CRC-32 (as in zip and PNG) of all before

======== ============ =====================================================================================
kind     name         content
======== ============ =====================================================================================
1        SOURCE       JSON object: model, streams (list, or null for the model's default), name, label, speed
2        UUID         u8 number of a characteristic, and its UUID as text; before its first use
3        DIALOGUE     u8: 0 start, 1 stop; the device's dialogue begins
4        ANSWER       u8: 1 if there is one, and the bytes that the dialogue's last action gave back
5        HEARD        u64 arrival in Unix ns, u8 number of the characteristic, the notification's bytes
6        DROPPED      the same; it arrived and was dropped because nobody had emptied the inbox
7        CONNECTED    u64 Unix ns; the streams have been started
8        DISCONNECTED u64 Unix ns
9        QUIET        u64 Unix ns; the watchdog found a stream silent
======== ============ =====================================================================================
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, cast

from feltsense.errors import RecordingError
from feltsense_bridge.device import Tended

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from types import TracebackType

    from feltsense.core.signals import SignalSpec
    from feltsense_bridge.device import Action, Device

__all__ = ["CaptureTap", "CaptureWriter", "Captured", "Kind", "Record", "is_capture", "records"]

MAGIC: Final = b"FELTCAP"
VERSION: Final = 1
_HEAD: Final = struct.Struct("<BBI")
_CRC: Final = struct.Struct("<I")
_TIME: Final = struct.Struct("<Q")
MAX_CONTENT: Final = 2**16
"""An attribute has 512 bytes at most; a longer record is damage."""
MAX_NUMBER: Final = 256
"""Sources a capture, and characteristics a source: their numbers have a byte."""


class Kind(IntEnum):
    """Kinds of records."""

    SOURCE = 1
    UUID = 2
    DIALOGUE = 3
    ANSWER = 4
    HEARD = 5
    DROPPED = 6
    CONNECTED = 7
    DISCONNECTED = 8
    QUIET = 9


_LEAST: Final[Mapping[Kind, int]] = {
    Kind.SOURCE: 2,
    Kind.UUID: 2,
    Kind.DIALOGUE: 1,
    Kind.ANSWER: 1,
    Kind.HEARD: 9,
    Kind.DROPPED: 9,
    Kind.CONNECTED: 8,
    Kind.DISCONNECTED: 8,
    Kind.QUIET: 8,
}
"""Bytes of content at least."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes
    ----------
    kind : Kind
        What it says.
    source : int
        Of which sensor.
    content : bytes
        As the table of the module has it.
    offset : int
        Where it begins in the file.
    """

    kind: Kind
    source: int
    content: bytes
    offset: int = 0

    def encode(self) -> bytes:
        """Bytes of the record."""
        body = _HEAD.pack(self.kind, self.source, len(self.content)) + self.content
        return body + _CRC.pack(zlib.crc32(body))


def is_capture(path: Path) -> bool:
    """Whether a file begins as captures do; False if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def records(data: bytes, name: str = "capture") -> Iterator[Record]:
    """Read the records of a capture; a torn end is passed over.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Its name, for messages.

    Yields
    ------
    Record
        In the order in which they were written.

    Raises
    ------
    RecordingError
        If it is no capture, of another version, or damaged before its end.
    """
    start = len(MAGIC) + 1
    if data[: len(MAGIC)] != MAGIC or len(data) < start:
        msg = f"{name} is no capture: make one with `feltsense record --capture FILE`"
        raise RecordingError(msg)
    if data[len(MAGIC)] != VERSION:
        msg = f"{name} is a capture of version {data[len(MAGIC)]}; this feltsense reads version {VERSION}: update it"
        raise RecordingError(msg)
    at = start
    while at < len(data):
        if len(data) - at < _HEAD.size:
            return
        kind, source, n = _HEAD.unpack_from(data, at)
        end = at + _HEAD.size + n + _CRC.size
        if n <= MAX_CONTENT and end > len(data):
            return
        sound = n <= MAX_CONTENT and _CRC.unpack_from(data, end - _CRC.size)[0] == zlib.crc32(data[at : end - _CRC.size])
        if not sound:
            if end == len(data) or not any(data[at:]):
                return
            msg = f"{name} is damaged at byte {at}: take the file from where it was made once more"
            raise RecordingError(msg)
        if kind not in _LEAST or n < _LEAST[Kind(kind)]:
            msg = f"{name} holds a record at byte {at} that this feltsense does not know (kind {kind}, {n} bytes): update it"
            raise RecordingError(msg)
        yield Record(Kind(kind), source, data[at + _HEAD.size : end - _CRC.size], at)
        at = end


class CaptureWriter:
    """A capture that is being made, of one sensor or several.

    Parameters
    ----------
    path : Path or str
        File to make; it must not exist.

    Raises
    ------
    RecordingError
        If it exists, or cannot be made.

    Examples
    --------
    ::

        with CaptureWriter("session.cap") as capture:
            async with Link(PolarH10(), address, options=LinkOptions(capture=capture.tap())) as link:
                ...
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._sources = 0
        self._failed: OSError | None = None
        try:
            self._file: int | None = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except FileExistsError:
            msg = f"{self.path} exists already: give the capture another name"
            raise RecordingError(msg) from None
        except OSError as error:
            msg = f"{self.path} cannot be made: {error.strerror}"
            raise RecordingError(msg) from error
        self._put(MAGIC + bytes([VERSION]))

    def tap(self, streams: Sequence[str] | None = None) -> CaptureTap:
        """A tap for one more sensor; `streams` are those that its device was made with."""
        return CaptureTap(self, streams)

    def source(self, about: Mapping[str, object]) -> int:
        """Write a SOURCE record and give its number (the taps call this)."""
        if self._sources >= MAX_NUMBER:
            msg = f"{self.path}: a capture holds {MAX_NUMBER} sensors at most"
            raise RecordingError(msg)
        number, self._sources = self._sources, self._sources + 1
        self.write(Kind.SOURCE, number, json.dumps(about, sort_keys=True).encode())
        return number

    def write(self, kind: Kind, source: int, content: bytes) -> None:
        """Append one record (the taps call this)."""
        self._put(Record(kind, source, content).encode())

    @property
    def failed(self) -> bool:
        """Whether a write failed; the capture ends there."""
        return self._failed is not None

    def flush(self) -> None:
        """Wait until the disk has everything; a failure is told by :attr:`failed`, and when the capture is closed."""
        if self._file is not None and self._failed is None:
            try:
                os.fsync(self._file)
            except OSError as error:
                self._failed = error

    def sync(self) -> None:
        """Wait until the disk has everything.

        Raises
        ------
        RecordingError
            If this or an earlier write failed; nothing after it is in the file.
        """
        self.flush()
        if self._failed is not None:
            msg = f"{self.path} could not be written: {self._failed.strerror}; the capture ends there, the session goes on"
            raise RecordingError(msg)

    def close(self) -> None:
        """End the capture. Twice is fine.

        Raises
        ------
        RecordingError
            If a write failed.
        """
        if self._file is None:
            return
        try:
            self.sync()
        finally:
            os.close(self._file)
            self._file = None

    def _put(self, data: bytes) -> None:
        if self._file is None or self._failed is not None:
            return
        try:
            if os.write(self._file, data) != len(data):
                raise OSError(0, "the disk is full")
        except OSError as error:
            self._failed = error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class CaptureTap:
    """What a link tells a capture about its sensor. Made by :meth:`CaptureWriter.tap`; serves one link."""

    def __init__(self, writer: CaptureWriter, streams: Sequence[str] | None) -> None:
        self._writer = writer
        self._streams = None if streams is None else list(streams)
        self._source: int | None = None
        self._uuids: dict[str, int] = {}

    def attach(self, device: Device, name: str, label: str, speed: float) -> Device:
        """Begin: say whose bytes these are (the link calls this). Gives the device to use in its place."""
        if self._source is not None:
            msg = "a tap serves one link: make another one with CaptureWriter.tap()"
            raise RecordingError(msg)
        about = {"model": device.model, "streams": self._streams, "name": name, "label": label, "speed": speed}
        self._source = self._writer.source(about)
        # A stand-in for one device has its model and matches as its own, not as its class's.
        return cast("Device", Captured(device, self))

    def dialogue(self, *, stop: bool) -> None:
        """A dialogue begins."""
        self._write(Kind.DIALOGUE, bytes([stop]))

    def answer(self, data: bytes | None) -> None:
        """What the dialogue's last action gave back."""
        self._write(Kind.ANSWER, b"\0" if data is None else b"\1" + data)

    def heard(self, uuid: str, data: bytes, arrival_ns: int, *, dropped: bool) -> None:
        """A notification arrived."""
        number = self._uuids.get(uuid)
        if number is None:
            number = self._uuids[uuid] = len(self._uuids)
            self._write(Kind.UUID, bytes([number]) + uuid.encode())
        self._write(Kind.DROPPED if dropped else Kind.HEARD, _TIME.pack(arrival_ns) + bytes([number]) + data)

    def connected(self, t_ns: int) -> None:
        """The streams have been started."""
        self._write(Kind.CONNECTED, _TIME.pack(t_ns))

    def disconnected(self, t_ns: int) -> None:
        """The connection has gone."""
        self._write(Kind.DISCONNECTED, _TIME.pack(t_ns))

    def quiet(self, t_ns: int) -> None:
        """The watchdog found a stream silent."""
        self._write(Kind.QUIET, _TIME.pack(t_ns))

    def _write(self, kind: Kind, content: bytes) -> None:
        if self._source is not None:
            self._writer.write(kind, self._source, content)


class Captured:
    """A device whose dialogues are captured; all else is the device's own."""

    def __init__(self, device: Device, tap: CaptureTap) -> None:
        self.model = device.model
        self.matches = device.matches
        self.decode = device.decode
        if isinstance(device, Tended):
            self.ping, self.fetch = device.ping, device.fetch
        self._device = device
        self._tap = tap

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """The device's."""
        return self._device.specs

    @property
    def keeps(self) -> frozenset[str]:
        """The device's; none where it keeps nothing."""
        return self._device.keeps if isinstance(self._device, Tended) else frozenset()

    def start(self) -> Generator[Action, bytes | None, None]:
        """The device's dialogue, answers captured."""
        return self._tapped(self._device.start(), stop=False)

    def stop(self) -> Generator[Action, bytes | None, None]:
        """The device's dialogue, answers captured."""
        return self._tapped(self._device.stop(), stop=True)

    def _tapped(
        self, dialogue: Generator[Action, bytes | None, None], *, stop: bool
    ) -> Generator[Action, bytes | None, None]:
        self._tap.dialogue(stop=stop)
        try:
            action = next(dialogue, None)
            while action is not None:
                reply = yield action
                self._tap.answer(reply)
                try:
                    action = dialogue.send(reply)
                except StopIteration:
                    return
        finally:
            dialogue.close()
