"""The open wire format: frames that account for themselves.

One frame holds samples of one stream (little-endian)::

    0   u8    version << 4 | stream id
    1   u16   sequence number of the frame, per stream, wraps at 65536
    3   u48   time of the last sample: µs of the device's clock
    9   u8    n, samples (1..255)
    10  u8    channels (1..255)
    11  u8    width of a delta in bits (1..25)
    12  i24   the first sample, one value a channel
    ..  bits  n - 1 samples as differences to the one before, `width` bits each, two's complement, channels
              interleaved, least significant bit first, zero-padded to a byte
    -2  u16   CRC-16/CCITT-FALSE of all before

Why: the sequence number says how many frames are lost, the time says where the samples belong, and the CRC catches
what the radio's own check cannot: mistakes between a sensor's buffer and the host's. Differences halve skin
conductance and temperature. `NO_NUMBER` in place of a value says that the sensor has none for this sample.

The format is described for implementers, with a worked example, in ``docs/reference/wire.md``.
"""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense.errors import ProtocolError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "MAX_SAMPLES",
    "NO_NUMBER",
    "SEQUENCE_MODULUS",
    "VERSION",
    "StreamFrame",
    "crc16",
    "frame_size",
    "sealed",
    "unsealed",
]

VERSION: Final = 1
SEQUENCE_MODULUS: Final = 65536
MAX_SAMPLES: Final = 255
NO_NUMBER: Final = -(2**23)
"""The count that stands for "no number" (the least value of 24 bits)."""

_HEAD: Final = struct.Struct("<BH6sBBB")
_VALUE: Final = 3
_CRC: Final = 2
_MAX_WIDTH: Final = 25
"""A difference of two 24-bit values needs 25 bits at most."""
_LOW, _HIGH = -(2**23), 2**23 - 1


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, no reflection; 0x29B1 for ``123456789``."""
    return binascii.crc_hqx(data, 0xFFFF)


def sealed(body: bytes) -> bytes:
    """`body` and its CRC."""
    return body + struct.pack("<H", crc16(body))


def unsealed(data: bytes, what: str) -> bytes:
    """`data` without its CRC.

    Raises
    ------
    ProtocolError
        If the CRC is wrong, or there is none.
    """
    if len(data) < _CRC or crc16(data[:-_CRC]) != int.from_bytes(data[-_CRC:], "little"):
        msg = f"{what} of {len(data)} bytes has a wrong checksum"
        raise ProtocolError(msg, max(len(data) - _CRC, 0))
    return data[:-_CRC]


def frame_size(samples: int, channels: int, width: int = _MAX_WIDTH) -> int:
    """Bytes of a frame, at most that many for the widest differences."""
    return _HEAD.size + _VALUE * channels + ((samples - 1) * channels * width + 7) // 8 + _CRC


@dataclass(frozen=True, slots=True, eq=False)
class StreamFrame:
    """One frame.

    Attributes
    ----------
    stream : int
        0..15.
    sequence : int
        0..65535.
    device_us : int
        Device time of the last sample, µs, 48 bits.
    counts : ndarray of int32, shape (n, channels)
        Samples of 24 bits; `NO_NUMBER` where there is none.
    """

    stream: int
    sequence: int
    device_us: int
    counts: NDArray[np.int32]

    def encode(self) -> bytes:
        """Bytes of the frame.

        Raises
        ------
        ValueError
            If a count or number does not fit.
        """
        counts = np.asarray(self.counts, dtype=np.int64)
        fits = (
            counts.ndim == 2
            and 1 <= counts.shape[0] <= MAX_SAMPLES
            and 1 <= counts.shape[1] <= MAX_SAMPLES
            and counts.min() >= _LOW
            and counts.max() <= _HIGH
        )
        if not (fits and 0 <= self.stream < 16 and 0 <= self.sequence < SEQUENCE_MODULUS and 0 <= self.device_us < 2**48):
            msg = f"frame {self.sequence} of stream {self.stream} does not fit the format"
            raise ValueError(msg)
        n, channels = counts.shape
        deltas = np.diff(counts, axis=0).ravel()
        # Of d ≥ 0 the magnitude's bits, of d < 0 those of ~d; and one for the sign.
        width = 1 + int(np.where(deltas < 0, ~deltas, deltas).max(initial=0)).bit_length()
        head = _HEAD.pack(
            VERSION << 4 | self.stream, self.sequence, self.device_us.to_bytes(6, "little"), n, channels, width
        )
        first = b"".join(int(v).to_bytes(_VALUE, "little", signed=True) for v in counts[0])
        bits = (deltas[:, None] >> np.arange(width)) & 1
        return sealed(head + first + np.packbits(bits.astype(np.uint8).ravel(), bitorder="little").tobytes())

    @classmethod
    def decode(cls, data: bytes) -> StreamFrame:
        """Read a frame.

        Raises
        ------
        ProtocolError
            If the version is another, the length or checksum wrong, or a value leaves 24 bits.
        """
        if len(data) < frame_size(1, 1):
            msg = f"a frame has at least {frame_size(1, 1)} bytes, got {len(data)}"
            raise ProtocolError(msg, len(data))
        tag, sequence, clock, n, channels, width = _HEAD.unpack_from(data)
        if tag >> 4 != VERSION:
            msg = f"frame of version {tag >> 4}; this reader knows version {VERSION}: update it, or the firmware"
            raise ProtocolError(msg, 0)
        if not n or not channels or not 1 <= width <= _MAX_WIDTH or len(data) != frame_size(n, channels, width):
            msg = f"{len(data)} bytes cannot hold {n} samples of {channels} channels with differences of {width} bits"
            raise ProtocolError(msg, 9)
        body = unsealed(data, "frame")
        at = _HEAD.size + _VALUE * channels
        first = [int.from_bytes(body[i : i + _VALUE], "little", signed=True) for i in range(_HEAD.size, at, _VALUE)]
        bits = np.unpackbits(np.frombuffer(body, np.uint8, offset=at), bitorder="little", count=(n - 1) * channels * width)
        weights = np.left_shift(1, np.arange(width))
        weights[-1] = -weights[-1]
        deltas = bits.reshape(n - 1, channels, width).astype(np.int64) @ weights
        counts = np.vstack([np.array([first], np.int64), deltas]).cumsum(axis=0)
        if counts.min() < _LOW or counts.max() > _HIGH:
            msg = f"frame {sequence} holds a value beyond 24 bits"
            raise ProtocolError(msg, at)
        return cls(tag & 15, sequence, int.from_bytes(clock, "little"), counts.astype(np.int32))
