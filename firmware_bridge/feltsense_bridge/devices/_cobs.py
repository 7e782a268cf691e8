"""Consistent Overhead Byte Stuffing (Cheshire & Baker 1999): bytes without zeros, so that zero ends a message."""

from __future__ import annotations

from typing import Final

from feltsense.errors import ProtocolError

__all__ = ["cobs_decode", "cobs_encode"]

_FULL: Final = 0xFF
"""Code of a block that no zero ends."""


def cobs_encode(data: bytes) -> bytes:
    """Bytes without zeros."""
    out = b""
    blocks = data.split(b"\0")
    for k, block in enumerate(blocks):
        while len(block) >= _FULL - 1:
            out, block = out + bytes([_FULL]) + block[: _FULL - 1], block[_FULL - 1 :]
            if not block and k == len(blocks) - 1:
                return out
        out += bytes([len(block) + 1]) + block
    return out


def cobs_decode(data: bytes) -> bytes:
    """The bytes that were encoded.

    Raises
    ------
    ProtocolError
        If there is a zero among them, or they end within a block.
    """
    out, at = b"", 0
    while at < len(data):
        code = data[at]
        block = data[at + 1 : at + code]
        if not code or len(block) != code - 1 or 0 in block:
            msg = f"COBS block at byte {at} is cut off, or has a zero in it"
            raise ProtocolError(msg, at)
        at += code
        out += block + (b"\0" if code < _FULL and at < len(data) else b"")
    return out
