"""Packing of a row: values and anchors to few bytes, and back to the same bits.

Rules
-----
- Lossless to the bit, NaN payloads and negative zeros included; a form that does not give the same bits is not used.
- Values of a converter are whole steps. Where a row is ``q / k`` or ``q * step`` with integers ``q``, the integers are
  stored: differences from sample to sample, zig-zag (small whatever the sign), split into planes of bytes (the high
  planes are almost constant), deflated. Where it is not, the same is done with the bits of the floats.
- Unpacking never trusts a length: what inflates to more or less than the row's samples is a ``ValueError``.

One byte names the form (:class:`Form`), then its parameters, then the deflated planes.
"""

from __future__ import annotations

import struct
import zlib
from enum import IntEnum
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["CLOSED", "OPEN", "Form", "pack_anchors", "pack_values", "unpack_anchors", "unpack_values"]

OPEN, CLOSED = 1, 6
"""Levels of deflate: for a row that will be written again in a second, and for one that stays."""
_DECIMALS = tuple(10.0**n for n in range(7))
_LARGEST = 2.0**52
"""Integers up to here are exact in a float, and so are their differences in 64 bits."""
_FINEST = 1e-9
"""No converter has finer steps in any of our units: such a row is noise, or made of bits."""
_ANCHOR_COLUMNS = 5
_MISSING, _NEGATIVE = 1, 2
"""Which samples are NaN, and which are negative zeros: bits of a row's mask."""
_NAN = np.float64(np.nan).view("<u8")
_HEAD = struct.Struct("<BBdB")


class Form(IntEnum):
    """How a row's floats became integers."""

    BITS = 0
    """The floats' own 64 bits."""
    HALF = 1
    """The bits of 32-bit floats that are exactly the values."""
    DIVIDED = 2
    """``q / k``: readings that were text with so many decimals, or a gain that divides."""
    SCALED = 3
    """``q * k``: a converter's step."""


def pack_values(
    values: NDArray[np.float64], level: int, hint: tuple[Form, float] | None = None
) -> tuple[bytes, tuple[Form, float]]:
    """Pack a row's values.

    Parameters
    ----------
    values : ndarray of float64, shape (n, channels)
        The values; any bits.
    level : int
        :data:`OPEN` or :data:`CLOSED`.
    hint : (Form, float), optional
        What fitted the row before: tried first.

    Returns
    -------
    bytes
        The packed row.
    (Form, float)
        What fitted.
    """
    values = np.ascontiguousarray(values)
    missing = np.isnan(values)
    form, k, q = _integers(values, missing, hint)
    deltas = np.diff(q, axis=0, prepend=np.zeros((1, q.shape[1]), q.dtype))
    planes, width = _split(_zigzag(deltas).T)
    mask = 0
    raw = planes
    if form in (Form.DIVIDED, Form.SCALED):
        # Rounding a small negative number gives -0.0, which no integer is.
        for bit, flags in ((_MISSING, missing), (_NEGATIVE, np.signbit(values) & (values == 0))):
            if flags.any():
                mask |= bit
                raw += np.packbits(flags).tobytes()
    return _HEAD.pack(form, width, k, mask) + _deflate(raw, level), (form, k)


def unpack_values(raw: bytes, n: int, channels: int) -> NDArray[np.float64]:
    """Values of a packed row, shape (n, channels); ValueError where it is none of so many samples."""
    if len(raw) < _HEAD.size:
        msg = "the packed values are cut off"
        raise ValueError(msg)
    number, width, k, mask = _HEAD.unpack_from(raw)
    form = Form(number)
    if width not in (1, 2, 4, 8) or mask > _MISSING | _NEGATIVE or (form >= Form.DIVIDED and not 0 < abs(k) < np.inf):
        msg = "the packed values have an impossible head"
        raise ValueError(msg)
    planes = n * channels * width
    flags = (n * channels + 7) // 8
    plain = _inflate(raw[_HEAD.size :], planes + flags * mask.bit_count())
    deltas = _unzigzag(_join(plain[:planes], width)).reshape(channels, n).T
    with np.errstate(over="ignore"):
        q = np.cumsum(deltas, axis=0, dtype=np.int64)
    if form is Form.BITS:
        return np.ascontiguousarray(q).view("<f8").astype(np.float64, copy=False)
    if form is Form.HALF:
        return np.ascontiguousarray(q.astype("<i4")).view("<f4").astype(np.float64)
    values = q / k if form is Form.DIVIDED else q * k
    at = planes
    for bit, special in ((_MISSING, np.nan), (_NEGATIVE, -0.0)):
        if mask & bit:
            where = np.unpackbits(np.frombuffer(plain[at : at + flags], np.uint8), count=n * channels)
            values[where.reshape(n, channels).astype(bool)] = special
            at += flags
    return np.asarray(values, dtype=np.float64)


def pack_anchors(anchors: NDArray[np.int64], level: int) -> bytes:
    """Pack anchors, shape (k, 5): index, device, arrival, session time, uncertainty."""
    index, device, arrival, t, unc = anchors.T
    with np.errstate(over="ignore"):
        columns = np.stack([index, device, arrival - device, t - device, unc])
        once = np.diff(columns, axis=1, prepend=0)
        # Frames are evenly spaced: the differences of index and device time are constant, their differences 0.
        once[:2] = np.diff(once[:2], axis=1, prepend=0)
    planes, width = _split(_zigzag(once))
    return struct.pack("<IB", anchors.shape[0], width) + _deflate(planes, level)


def unpack_anchors(raw: bytes, most: int) -> NDArray[np.int64]:
    """Anchors of bytes, shape (k, 5); ValueError where they are none, or more than `most`."""
    if len(raw) < 5:
        msg = "a time map needs at least one anchor"
        raise ValueError(msg)
    k, width = struct.unpack_from("<IB", raw)
    if not 0 < k <= most or width not in (1, 2, 4, 8):
        msg = f"{k} anchors for a row that has at most {most}"
        raise ValueError(msg)
    once = _unzigzag(_join(_inflate(raw[5:], k * _ANCHOR_COLUMNS * width), width)).reshape(_ANCHOR_COLUMNS, k)
    with np.errstate(over="ignore"):
        once[:2] = np.cumsum(once[:2], axis=1, dtype=np.int64)
        index, device, arrival, t, unc = np.cumsum(once, axis=1, dtype=np.int64)
        return np.stack([index, device, arrival + device, t + device, unc], axis=1)


def _integers(
    values: NDArray[np.float64], missing: NDArray[np.bool_], hint: tuple[Form, float] | None
) -> tuple[Form, float, NDArray[np.int64]]:
    bits = values.view(np.uint64)
    if not missing.any() or bool((bits[missing] == _NAN).all()):
        tried = (hint,) if hint and hint[0] >= Form.DIVIDED else ()
        for form, k in chain(tried, _candidates(values, missing)):
            q = _fits(values, missing, form, k)
            if q is not None:
                return form, k, q
    with np.errstate(over="ignore", invalid="ignore"):
        half = values.astype("<f4")
        if bool((half.astype(np.float64).view(np.uint64) == bits).all()):
            return Form.HALF, 1.0, half.view("<i4").astype(np.int64)
    return Form.BITS, 1.0, values.view(np.int64)


def _candidates(values: NDArray[np.float64], missing: NDArray[np.bool_]) -> Iterator[tuple[Form, float]]:
    """What the row could be whole steps of."""
    present = values[~missing]
    few = present[:64]
    if not len(few):
        yield Form.DIVIDED, 1.0
        return
    for k in _DECIMALS:
        with np.errstate(over="ignore", invalid="ignore"):
            q = np.rint(few * k)
        if bool((q / k == few).all()):
            yield Form.DIVIDED, k
            break
    distinct = np.unique(present)
    with np.errstate(over="ignore"):
        steps = np.diff(distinct)
    step = float(steps.min()) if len(steps) else 0.0
    if not step >= _FINEST:
        return
    if gain := round(1 / step):
        yield Form.DIVIDED, float(gain)
    # The step from the largest value has the fewest rounding errors; the true one is within a bit or two.
    top = float(distinct[np.argmax(np.abs(distinct))])
    count = round(top / step) if abs(top / step) < _LARGEST else 0
    if count:
        exact = top / count
        for k in (exact, float(np.nextafter(exact, np.inf)), float(np.nextafter(exact, -np.inf))):
            yield Form.SCALED, k


def _fits(values: NDArray[np.float64], missing: NDArray[np.bool_], form: Form, k: float) -> NDArray[np.int64] | None:
    """The integers, where they give back the same bits."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        scaled = values * k if form is Form.DIVIDED else values / k
    if missing.any():
        scaled = _held(scaled, missing)
    # Infinite where a step does not fit at all.
    if not len(scaled) or not float(np.abs(scaled).max()) < _LARGEST:
        return None
    q = np.rint(scaled).astype(np.int64)
    back = q / k if form is Form.DIVIDED else q * k
    same = back.view(np.uint64) == values.view(np.uint64)
    return q if bool((same | missing | ((values == 0) & (q == 0))).all()) else None


def _held(values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Missing values take the one before: their difference is 0, and a mask says that they are missing."""
    rows = np.where(missing, 0, np.arange(1, len(values) + 1)[:, None])
    np.maximum.accumulate(rows, axis=0, out=rows)
    padded = np.vstack([np.zeros((1, values.shape[1])), np.where(missing, 0.0, values)])
    return np.take_along_axis(padded, rows, axis=0)


def _zigzag(x: NDArray[np.int64]) -> NDArray[np.uint64]:
    return np.asarray((x << 1) ^ (x >> 63)).astype(np.uint64)


def _unzigzag(z: NDArray[np.uint64]) -> NDArray[np.int64]:
    return np.asarray((z >> np.uint64(1)).astype(np.int64) ^ -(z & np.uint64(1)).astype(np.int64))


def _split(z: NDArray[np.uint64]) -> tuple[bytes, int]:
    """Planes of bytes, lowest first, and how many."""
    top = int(z.max()) if z.size else 0
    width = next(w for w in (1, 2, 4, 8) if top < 1 << (8 * w))
    return np.ascontiguousarray(z.astype(f"<u{width}").reshape(-1).view(np.uint8).reshape(-1, width).T).tobytes(), width


def _join(planes: bytes, width: int) -> NDArray[np.uint64]:
    columns = np.frombuffer(planes, np.uint8).reshape(width, -1)
    return np.ascontiguousarray(columns.T).reshape(-1).view(f"<u{width}").astype(np.uint64)


def _deflate(raw: bytes, level: int) -> bytes:
    """Without zlib's head and sum: a row has its own."""
    deflater = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(raw) + deflater.flush()


def _inflate(raw: bytes, length: int) -> bytes:
    """Inflate to exactly `length` bytes, and never to more."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        out = inflater.decompress(raw, length + 1)
    except zlib.error as e:
        msg = f"the packed bytes are damaged ({e})"
        raise ValueError(msg) from e
    if len(out) != length or not inflater.eof or inflater.unused_data:
        msg = f"the packed bytes are not the {length} that the row has"
        raise ValueError(msg)
    return out
