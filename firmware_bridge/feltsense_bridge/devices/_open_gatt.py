"""GATT profile of the open board: UUIDs, the stream table, and the control dialogue.

``docs/reference/wire.md`` describes it for implementers. Little-endian; encode and decode are twins.

- INFO (read): version u8, n u8, then n entries of 28 bytes (id u8, kind u8, channels u8, flags u8, rate as numerator u32
  and denominator u32, scale f64, offset f64), then CRC-16. A value is ``offset + scale · count`` in the kind's unit.
  A kind that a reader does not know is left out: boards may grow.
- CONTROL (write with response, indicate): request opcode u8 and arguments; answer opcode | 0x80, status u8, data.
  Opcode 0x10 fetches lost frames again, of streams whose row says so (flag bit 0).
- DATA (notify): one frame of :mod:`feltsense_bridge.frames` a notification. BACKFILL (notify): the same, fetched again.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from feltsense.core.signals import CATALOGUE
from feltsense.errors import ProtocolError
from feltsense_bridge.frames import VERSION, sealed, unsealed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ANSWER",
    "ARGUMENTS",
    "BACKFILL",
    "CONTROL",
    "DATA",
    "INFO",
    "KINDS",
    "MIN_MTU",
    "SERVICE",
    "BoardStream",
    "Control",
    "ControlReply",
    "Opcode",
    "Status",
    "decode_info",
    "decode_range",
    "encode_info",
    "encode_range",
    "encode_row",
    "stream_names",
]

SERVICE: Final = "fe175e00-51a7-4d2c-9b0e-6c1d0f5e0001"
INFO: Final = "fe175e01-51a7-4d2c-9b0e-6c1d0f5e0001"
CONTROL: Final = "fe175e02-51a7-4d2c-9b0e-6c1d0f5e0001"
DATA: Final = "fe175e03-51a7-4d2c-9b0e-6c1d0f5e0001"
BACKFILL: Final = "fe175e04-51a7-4d2c-9b0e-6c1d0f5e0001"

ANSWER: Final = 0x80
"""Bit that an answer adds to its request's opcode."""
MIN_MTU: Final = 247
"""Frames are at most 244 bytes: what one link-layer packet of 251 bytes carries after its headers."""
KINDS: Final[Mapping[int, str]] = MappingProxyType({1: "ppg", 2: "eda", 3: "skin_temperature", 4: "acc", 5: "ecg"})
"""Code of a kind of signal → its name in the catalogue."""
_SHORT: Final = MappingProxyType({"skin_temperature": "temp"})
"""Stream names that are shorter than their kind's."""

_ENTRY: Final = struct.Struct("<BBBBIIdd")
_KEEPS: Final = 1
"""Flag of a row: the board keeps the stream's last frames and sends them again."""
_RANGE: Final = struct.Struct("<BHH")
_HEAD: Final = 2
_LARGEST: Final = 2**23
"""Largest count: scaled, it must still be a number."""
_MAX_STREAMS: Final = 16
"""A frame names its stream by 4 bits."""


class Opcode(IntEnum):
    """Requests."""

    START = 0x01
    STOP = 0x02
    TIME_PING = 0x03
    BACKFILL = 0x10


ARGUMENTS: Final[Mapping[int, int]] = MappingProxyType(
    {Opcode.START: 1, Opcode.STOP: 1, Opcode.TIME_PING: 4, Opcode.BACKFILL: _RANGE.size}
)
"""Opcode → bytes of its arguments."""


class Status(IntEnum):
    """First byte after an answer's opcode; `text` says what to do."""

    OK = 0
    UNKNOWN_OPCODE = 1
    UNKNOWN_STREAM = 2
    ALREADY = 3
    LENGTH = 4
    MTU = 5
    BUSY = 6

    @property
    def text(self) -> str:
        """What it means, and what to do."""
        return _STATUS_TEXT[self]


_STATUS_TEXT: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.OK: "no error",
        Status.UNKNOWN_OPCODE: "the board does not know the request: update its firmware",
        Status.UNKNOWN_STREAM: "the board has no such stream: read its stream table again",
        Status.ALREADY: "it is already so: stop the stream first",
        Status.LENGTH: "the request has the wrong length: update the board's firmware",
        Status.MTU: f"the packet size (MTU) is too small for a frame: negotiate at least {MIN_MTU} bytes",
        Status.BUSY: "frames that were asked for before are still being sent: ask again in a second",
    }
)


@dataclass(frozen=True, slots=True)
class BoardStream:
    """One row of the stream table.

    Attributes
    ----------
    id : int
        0..15, as frames name it.
    kind : str
        Name in the catalogue of signals.
    rate : Fraction
        Nominal samples per second.
    scale, offset : float
        Value = offset + scale · count, in the kind's unit.
    keeps : bool
        Whether the board keeps the stream's last frames and sends them again.
    """

    id: int
    kind: str
    rate: Fraction
    scale: float
    offset: float = 0.0
    keeps: bool = False


def encode_row(s: BoardStream) -> bytes:
    """Bytes of one row of INFO."""
    code = next(code for code, name in KINDS.items() if name == s.kind)
    channels, flags = len(CATALOGUE[s.kind].channels), _KEEPS if s.keeps else 0
    return _ENTRY.pack(s.id, code, channels, flags, s.rate.numerator, s.rate.denominator, s.scale, s.offset)


def encode_range(stream: int, first: int, frames: int) -> bytes:
    """Arguments of BACKFILL, and the data of its answer."""
    return _RANGE.pack(stream, first, frames)


def decode_range(data: bytes) -> tuple[int, int, int]:
    """Stream id, first sequence number and number of frames.

    Raises
    ------
    ProtocolError
        If it has another length.
    """
    if len(data) != _RANGE.size:
        msg = f"a range of frames has {_RANGE.size} bytes, got {len(data)}"
        raise ProtocolError(msg, min(len(data), _RANGE.size))
    stream, first, frames = _RANGE.unpack(data)
    return stream, first, frames


def encode_info(table: Sequence[BoardStream]) -> bytes:
    """Bytes of INFO."""
    return sealed(bytes([VERSION, len(table)]) + b"".join(encode_row(s) for s in table))


def decode_info(data: bytes) -> tuple[BoardStream, ...]:
    """Read INFO; kinds that are not known are left out.

    Raises
    ------
    ProtocolError
        If checksum, version or length is wrong, an id is named twice, or a rate or scale is impossible.
    """
    body = unsealed(data, "stream table")
    if len(body) < _HEAD or body[0] != VERSION:
        msg = f"stream table of version {body[0] if body else 'none'}; this reader knows version {VERSION}"
        raise ProtocolError(msg, 0)
    if body[1] > _MAX_STREAMS or len(body) != _HEAD + body[1] * _ENTRY.size:
        msg = f"stream table of {body[1]} streams needs {_HEAD + body[1] * _ENTRY.size} bytes, got {len(body)}"
        raise ProtocolError(msg, 1)
    table: dict[int, BoardStream | None] = {}
    for at in range(_HEAD, len(body), _ENTRY.size):
        key, code, channels, flags, top, bottom, scale, offset = _ENTRY.unpack_from(body, at)
        usable = top and bottom and scale and math.isfinite(abs(offset) + abs(scale) * _LARGEST)
        if key >= _MAX_STREAMS or key in table or not usable:
            msg = f"stream table: row of stream {key} has a number that cannot be (rate {top}/{bottom}, scale {scale})"
            raise ProtocolError(msg, at)
        kind = KINDS.get(code)
        if kind is not None and channels != len(CATALOGUE[kind].channels):
            msg = f"stream table: {kind} has {len(CATALOGUE[kind].channels)} channels, the row says {channels}"
            raise ProtocolError(msg, at + 2)
        table[key] = (
            None if kind is None else BoardStream(key, kind, Fraction(top, bottom), scale, offset, bool(flags & _KEEPS))
        )
    return tuple(row for row in table.values() if row is not None)


def stream_names(table: Sequence[BoardStream]) -> dict[str, BoardStream]:
    """Name → row: the kind's name, ``temp`` for skin temperature; a kind's second stream is ``acc2``, and so on."""
    out: dict[str, BoardStream] = {}
    for row in table:
        name = _SHORT.get(row.kind, row.kind)
        same = sum(r.kind == row.kind for r in out.values())
        out[name if not same else f"{name}{same + 1}"] = row
    return out


@dataclass(frozen=True, slots=True)
class Control:
    """A request.

    Attributes
    ----------
    opcode : int
        What is asked.
    data : bytes
        Arguments: the stream id of START and STOP, the u32 cookie of TIME_PING.
    """

    opcode: int
    data: bytes = b""

    def encode(self) -> bytes:
        """Bytes to write."""
        return bytes([self.opcode]) + self.data

    @classmethod
    def decode(cls, data: bytes) -> Control:
        """Read a request.

        Raises
        ------
        ProtocolError
            If it is empty, or is an answer.
        """
        if not data or data[0] & ANSWER:
            msg = f"a request begins with an opcode below {ANSWER:#x}, got {data[:1].hex() or 'nothing'}"
            raise ProtocolError(msg, 0)
        return cls(data[0], bytes(data[1:]))


@dataclass(frozen=True, slots=True)
class ControlReply:
    """An answer.

    Attributes
    ----------
    opcode : int
        Of the request.
    status : int
        0, or what is wrong.
    data : bytes
        START and STOP: the stream id. TIME_PING: cookie u32, time of reception u48, time of sending u48 (device µs).
    """

    opcode: int
    status: int = 0
    data: bytes = b""

    def encode(self) -> bytes:
        """Bytes of the indication."""
        return bytes([self.opcode | ANSWER, self.status]) + self.data

    @classmethod
    def decode(cls, data: bytes) -> ControlReply:
        """Read an answer.

        Raises
        ------
        ProtocolError
            If it is cut off, or is a request.
        """
        if len(data) < 2 or not data[0] & ANSWER:
            msg = f"an answer begins with an opcode from {ANSWER:#x} and a status, got {data[:2].hex() or 'nothing'}"
            raise ProtocolError(msg, 0)
        return cls(data[0] & ~ANSWER, data[1], bytes(data[2:]))

    @property
    def problem(self) -> str:
        """What the status means, in words."""
        try:
            return Status(self.status).text
        except ValueError:
            return f"unknown status {self.status}: update this program, or the board's firmware"

    def times(self) -> tuple[int, int, int]:
        """Cookie, time of reception and time of sending (device µs) of a TIME_PING.

        Raises
        ------
        ProtocolError
            If the data are not 16 bytes.
        """
        if len(self.data) != 16:
            msg = f"a time ping is answered with 16 bytes, got {len(self.data)}"
            raise ProtocolError(msg, 2)
        cookie, received, sent = self.data[:4], self.data[4:10], self.data[10:]
        return (int.from_bytes(cookie, "little"), int.from_bytes(received, "little"), int.from_bytes(sent, "little"))
