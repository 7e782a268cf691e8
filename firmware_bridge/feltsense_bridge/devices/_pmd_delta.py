"""Delta compression of PMD frames: a reference sample, then blocks of differences of few bits.

Layout: reference sample (each channel signed, in a fixed number of bytes), then blocks of {width u8, count u8,
differences}. A block holds `count` × channels differences of `width` bits, two's complement, channel after channel,
the lowest bit first, filled up to a whole byte. Each sample is the one before plus its differences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense.errors import ProtocolError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BLOCK", "decode_deltas", "encode_deltas", "signed"]

BLOCK: Final = 16
"""Samples a block that the encoder makes unless told otherwise: two bytes of head cost it little."""
_WIDEST: Final = 32
"""Bits of a difference at most: samples are of 32 bits at most, and wrap."""
_MOST: Final = 4096
"""Samples a frame at most. Blocks of width 0 would let half a kilobyte claim a million; real frames hold about 60."""
_WRAP: Final = 1 << 32


def signed(raw: NDArray[np.uint8], width: int) -> NDArray[np.int32]:
    """Little-endian integers of `width` bytes, two's complement, one after another."""
    wide = np.zeros((len(raw) // width, 4), np.uint8)
    # Into the high bytes, then an arithmetic shift down: that extends the sign.
    wide[:, 4 - width :] = raw.reshape(-1, width)
    return np.asarray(wide.view("<i4").ravel() >> (8 * (4 - width)), dtype=np.int32)


def decode_deltas(data: bytes, width: int, channels: int) -> NDArray[np.int32]:
    """Samples of a compressed frame.

    Parameters
    ----------
    data : bytes
        What follows the frame's head.
    width : int
        Bytes of a channel of the reference sample.
    channels : int
        Channels of a sample.

    Returns
    -------
    ndarray of int32, shape (n, channels)
        The reference sample first. Sums wrap at 32 bits, as the differences of 32-bit patterns do.

    Raises
    ------
    ProtocolError
        If bytes are missing or left over, a width is impossible, or there are more samples than a frame can mean.
    """
    at = width * channels
    if len(data) < at:
        msg = f"a reference sample of {channels} channels needs {at} bytes, got {len(data)}"
        raise ProtocolError(msg, len(data))
    octets = np.frombuffer(data, np.uint8)
    parts = [signed(octets[:at], width).astype(np.int64).reshape(1, channels)]
    total = 1
    while at < len(data):
        if at + 2 > len(data) or data[at] > _WIDEST:
            msg = f"no block of differences can begin with {data[at : at + 2].hex()}"
            raise ProtocolError(msg, at)
        bits, n = data[at], data[at + 1]
        size = -(-bits * n * channels // 8)
        at += 2
        total += n
        if at + size > len(data) or total > _MOST:
            msg = f"a block of {n} samples of {bits} bits needs {size} bytes, {len(data) - at} are left"
            raise ProtocolError(msg, at)
        parts.append(_unpack(octets[at : at + size], bits, n * channels).reshape(n, channels))
        at += size
    total_counts = np.cumsum(np.concatenate(parts), axis=0)
    return np.asarray(((total_counts + _WRAP // 2) % _WRAP - _WRAP // 2).astype(np.int32))


def encode_deltas(counts: NDArray[np.int32], width: int, block: int = BLOCK) -> bytes:
    """Bytes of at least one sample, shape (n, channels); each block is as narrow as its differences allow.

    Raises
    ------
    ValueError
        If there is no sample, or the first does not fit `width` bytes.
    """
    samples = np.asarray(counts, dtype=np.int64)
    if not len(samples) or not 1 <= block <= 0xFF:
        msg = "a compressed frame needs a sample, and blocks of 1 to 255"
        raise ValueError(msg)
    top = 1 << (8 * width - 1)
    if samples[0].min() < -top or samples[0].max() >= top:
        msg = f"a count of the first sample does not fit {width} bytes"
        raise ValueError(msg)
    deltas = (np.diff(samples, axis=0) + _WRAP // 2) % _WRAP - _WRAP // 2
    out = [b"".join(int(v).to_bytes(width, "little", signed=True) for v in samples[0])]
    for start in range(0, len(deltas), block):
        part = deltas[start : start + block]
        # Two's complement: -2**(b-1) .. 2**(b-1) - 1 fit b bits.
        bits = max(int(max(part.max(), ~part.min())).bit_length() + 1, 1)
        out.append(bytes([bits, len(part)]) + _pack(part.ravel(), bits))
    return b"".join(out)


def _unpack(octets: NDArray[np.uint8], bits: int, n: int) -> NDArray[np.int64]:
    if not bits:
        return np.zeros(n, np.int64)
    flags = np.unpackbits(octets, bitorder="little")[: bits * n].reshape(n, bits)
    weights = np.left_shift(np.int64(1), np.arange(bits, dtype=np.int64))
    weights[-1] = -weights[-1]
    return np.asarray(flags @ weights, dtype=np.int64)


def _pack(values: NDArray[np.int64], bits: int) -> bytes:
    flags = (values[:, None] >> np.arange(bits)) & 1
    return np.packbits(flags.astype(np.uint8).ravel(), bitorder="little").tobytes()
