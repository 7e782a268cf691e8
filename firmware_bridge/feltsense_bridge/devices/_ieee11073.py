"""FLOAT of IEEE 11073-20601, the number format of Bluetooth's health services.

32 bits, little-endian on the air: mantissa of 24 bits, two's complement, and above it the exponent of 8 bits, two's
complement; the value is mantissa × 10^exponent. Five words, all of exponent 0, are no numbers (:class:`Special`).

A value that is too large or too small for the sensor is as little a measurement as one that is not a number: reading
gives NaN for every special; who wants to know which asks :func:`special`.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Final

from feltsense.errors import ProtocolError

__all__ = ["FLOAT_BYTES", "Special", "decode_float", "encode_float", "special"]

FLOAT_BYTES: Final = 4
_MANTISSA_BITS: Final = 24
_EXPONENTS: Final = range(-128, 128)


class Special(IntEnum):
    """Words that are no numbers."""

    TOO_LARGE = 0x007FFFFE
    NOT_A_NUMBER = 0x007FFFFF
    NOT_AT_THIS_RESOLUTION = 0x00800000
    RESERVED = 0x00800001
    TOO_SMALL = 0x00800002


_SPECIALS: Final = frozenset(Special)


def _word(data: bytes) -> int:
    if len(data) != FLOAT_BYTES:
        msg = f"a FLOAT has {FLOAT_BYTES} bytes, got {len(data)}"
        raise ProtocolError(msg, len(data))
    return int.from_bytes(data, "little")


def special(data: bytes) -> Special | None:
    """Which special four bytes are; None for a number.

    Raises
    ------
    ProtocolError
        If they are not four.
    """
    word = _word(data)
    return Special(word) if word in _SPECIALS else None


def decode_float(data: bytes) -> float:
    """Value of four bytes; NaN for every special.

    Raises
    ------
    ProtocolError
        If they are not four.
    """
    if special(data) is not None:
        return math.nan
    mantissa = int.from_bytes(data[:3], "little", signed=True)
    exponent = int.from_bytes(data[3:], "little", signed=True)
    # Parsed as decimal: 3697 × 10^-2 is then the double nearest to 36.97, which a multiplication misses.
    return float(f"{mantissa}e{exponent}")


def encode_float(value: float, exponent: int) -> bytes:
    """Four bytes of a value, rounded to 10^exponent; NaN is the special of that name.

    Raises
    ------
    ValueError
        If the value does not fit at this exponent, or the word would be a special.
    """
    if math.isnan(value):
        return int(Special.NOT_A_NUMBER).to_bytes(FLOAT_BYTES, "little")
    mantissa = round(value / 10.0**exponent) if math.isfinite(value) else 1 << _MANTISSA_BITS
    fits = exponent in _EXPONENTS and -(1 << _MANTISSA_BITS - 1) <= mantissa < 1 << _MANTISSA_BITS - 1
    word = (mantissa & (1 << _MANTISSA_BITS) - 1) | (exponent & 0xFF) << _MANTISSA_BITS
    if not fits or word in _SPECIALS:
        msg = f"{value!r} does not fit a FLOAT with exponent {exponent}"
        raise ValueError(msg)
    return word.to_bytes(FLOAT_BYTES, "little")
