"""As much of protobuf's wire format as small sensors use: varints, 32-bit floats and nested messages.

Facts: Protocol Buffers documentation, "Encoding". A field is a varint ``number << 3 | type`` and its value; fields that
a reader does not know are passed over.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from feltsense.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["fields", "varint", "varint_field"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST: Final = 10
"""Bytes of a varint of 64 bits."""


def varint(value: int) -> bytes:
    """Bytes of a number that is not negative."""
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def varint_field(number: int, value: int) -> bytes:
    """Bytes of a field that is a number."""
    return varint(number << 3 | _VARINT) + varint(value)


def fields(data: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """Number and value of each field: int, float of 32 bits, or the bytes of a string or nested message.

    Raises
    ------
    ProtocolError
        If the message is cut off, or has a type that the format does not.
    """
    at = 0
    while at < len(data):
        key, at = _number(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _number(data, at)
            yield key >> 3, value
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(kind)
        if kind == _BYTES:
            size, at = _number(data, at)
        if size is None or size > len(data) - at:
            msg = f"protobuf field {key >> 3} of type {kind} at byte {at} is cut off, or of no known type"
            raise ProtocolError(msg, at)
        raw, at = data[at : at + size], at + size
        if kind == _FIXED32:
            yield key >> 3, float(struct.unpack("<f", raw)[0])
        elif kind == _BYTES:
            yield key >> 3, raw


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for k, byte in enumerate(data[at : at + _LONGEST]):
        value |= (byte & 0x7F) << 7 * k
        if byte < 0x80:
            return value, at + k + 1
    msg = f"protobuf number at byte {at} is cut off, or longer than 64 bits"
    raise ProtocolError(msg, at)
