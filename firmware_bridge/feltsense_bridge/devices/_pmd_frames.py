"""PMD frames of every measurement, raw and compressed, as counts and in units.

Frame: type u8, time u64 (ns since 2000-01-01, of the *last* sample), frame type u8 (bit 7: compressed, see
:mod:`feltsense_bridge.devices._pmd_delta`), samples. A frame of some measurements is to be multiplied by the factor
that the answer to START named.

======================= =========== ========================================= ========================================
measurement             frame type  samples                                   columns of `counts`
======================= =========== ========================================= ========================================
ECG                     0           int24, µV                                 µV
ECG                     1, 2        24-bit word, the low 14 or 18 bits a µV   µV; the bits above it (tags)
                                    count, taken as two's complement
ECG                     3           int24, int24, u8                          two channels; status
acceleration            0, 1, 2     3 × int8, int16, int24; mg                x, y, z
acceleration, packed    0; 1        3 × 16 bit; g ÷ factor; mg ÷ factor       x, y, z
gyroscope, packed       0; 1        3 × 16 bit, °/s ÷ factor; 3 × float32     x, y, z; bits of the floats
magnetometer, packed    0; 1        3 × 16 bit, G ÷ factor; 4 × 16 bit, mG    x, y, z (calibration status)
PPG                     0           4 × int24                                 three LEDs, ambient light
PPG, packed             0           4 × 24 bit                                three LEDs, ambient light
PPG, packed             7, 8, 10    17, 25, 21 × 24 bit                       LEDs, last column status
PPG, packed             13          3 × 24 bit                                two LEDs, status
PPI                     0           rate u8, interval u16, error u16 (ms),    the same
                                    flags u8 (bit 0: not to be used)
temperatures, pressure  0, both     float32, °C, hPa                          bits of the float
======================= =========== ========================================= ========================================
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense.errors import ProtocolError
from feltsense_bridge.devices._gatt import EPOCH_2000_NS
from feltsense_bridge.devices._pmd_control import Measurement
from feltsense_bridge.devices._pmd_delta import decode_deltas, encode_deltas, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["COMPRESSED", "FRAME_HEAD", "LAYOUTS", "Layout", "PmdFrame"]

FRAME_HEAD: Final = 10
"""Bytes before the samples of a frame."""
COMPRESSED: Final = 0x80
"""Bit of the frame type that says that the frame is compressed."""
_TYPE_MASK: Final = 0x3F
_LATEST: Final = 2**62
"""Device times beyond this (the year 2116) are garbage, and would overflow 64-bit arithmetic further on."""
_MICROTESLA_PER_GAUSS: Final = 100.0
_MILLI: Final = 1000.0
"""µV in a mV, mg in a g."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How samples of one frame type lie, and what a count means.

    Attributes
    ----------
    widths : tuple of int
        Bytes of each field; negative: unsigned.
    over, times : float
        A count, times the sensor's factor, divided by `over` and multiplied by `times` is in the signal's unit.
    low : int
        Not 0: a field is a word, its low bits a signed count, the bits above a column of its own.
    real : bool
        Counts are the bits of 32-bit floats, and no factor applies.
    """

    widths: tuple[int, ...]
    over: float = 1.0
    times: float = 1.0
    low: int = 0
    real: bool = False

    @property
    def columns(self) -> int:
        """Columns of counts."""
        return len(self.widths) * (2 if self.low else 1)

    @property
    def uniform(self) -> int:
        """Bytes of a field where all are signed and equal; else 0."""
        width = self.widths[0]
        return width if width > 0 and set(self.widths) == {width} else 0


def _temperature() -> dict[tuple[int, int], Layout]:
    kinds = (Measurement.SKIN_TEMPERATURE, Measurement.TEMPERATURE, Measurement.PRESSURE)
    return {(kind, number): Layout((4,), real=True) for kind in kinds for number in (0, COMPRESSED)}


LAYOUTS: Final[Mapping[tuple[int, int], Layout]] = MappingProxyType(
    {
        (Measurement.ECG, 0): Layout((3,), _MILLI),
        (Measurement.ECG, 1): Layout((-3,), _MILLI, low=14),
        (Measurement.ECG, 2): Layout((-3,), _MILLI, low=18),
        (Measurement.ECG, 3): Layout((3, 3, -1), _MILLI),
        (Measurement.ACC, 0): Layout((1,) * 3, _MILLI),
        (Measurement.ACC, 1): Layout((2,) * 3, _MILLI),
        (Measurement.ACC, 2): Layout((3,) * 3, _MILLI),
        (Measurement.ACC, COMPRESSED): Layout((2,) * 3),
        (Measurement.ACC, COMPRESSED | 1): Layout((2,) * 3, _MILLI),
        (Measurement.GYRO, COMPRESSED): Layout((2,) * 3),
        (Measurement.GYRO, COMPRESSED | 1): Layout((4,) * 3, real=True),
        (Measurement.MAGNETOMETER, COMPRESSED): Layout((2,) * 3, times=_MICROTESLA_PER_GAUSS),
        (Measurement.MAGNETOMETER, COMPRESSED | 1): Layout((2,) * 4, _MILLI, _MICROTESLA_PER_GAUSS),
        (Measurement.PPG, 0): Layout((3,) * 4),
        (Measurement.PPG, COMPRESSED): Layout((3,) * 4),
        (Measurement.PPG, COMPRESSED | 7): Layout((3,) * 17),
        (Measurement.PPG, COMPRESSED | 8): Layout((3,) * 25),
        (Measurement.PPG, COMPRESSED | 10): Layout((3,) * 21),
        (Measurement.PPG, COMPRESSED | 13): Layout((3,) * 3),
        (Measurement.PPI, 0): Layout((-1, -2, -2, -1)),
        **_temperature(),
    }
)
"""(measurement, frame type with its compression bit) → layout. In mV, g, °/s, µT, °C, hPa or device counts."""


@dataclass(frozen=True, slots=True, eq=False)
class PmdFrame:
    """One notification of samples.

    Attributes
    ----------
    kind : int
        Type of measurement.
    device_ns : int
        Device time of the last sample, Unix ns; that of 2000-01-01 exactly where the sensor gave none.
    counts : ndarray of int32, shape (n, columns)
        Samples, as the table above says.
    layout : int
        Frame type, with its compression bit.
    """

    kind: int
    device_ns: int
    counts: NDArray[np.int32]
    layout: int = 0

    @property
    def stamped(self) -> bool:
        """Whether the frame has a time (an OH1 sends pulse intervals with none)."""
        return self.device_ns != EPOCH_2000_NS

    def values(self, factor: float = 1.0) -> NDArray[np.float64]:
        """Samples in mV, g, °/s, µT, °C, hPa or device counts, shape (n, columns); what is no number is NaN.

        Parameters
        ----------
        factor : float
            What the answer to START named. It is that of compressed frames; raw ones are in whole units.
        """
        layout = LAYOUTS[self.kind, self.layout]
        if layout.real:
            # Garbage can be the bits of a signalling NaN, at which the conversion would complain.
            with np.errstate(invalid="ignore"):
                floats = np.ascontiguousarray(self.counts, dtype="<i4").view("<f4").astype(np.float64)
            return np.where(np.isfinite(floats), floats, np.nan)
        times = layout.times * (factor if self.layout & COMPRESSED else 1.0)
        return np.asarray(self.counts * times / layout.over)

    def encode(self) -> bytes:
        """Bytes of the notification.

        Raises
        ------
        ValueError
            If a count does not fit the layout, or there is no such layout.
        """
        if (self.kind, self.layout) not in LAYOUTS:
            msg = f"there is no PMD frame of type {self.kind}, frame type {self.layout:#04x}"
            raise ValueError(msg)
        layout = LAYOUTS[self.kind, self.layout]
        counts = np.asarray(self.counts, dtype=np.int64).reshape(-1, layout.columns)
        head = struct.pack("<BQB", self.kind, self.device_ns - EPOCH_2000_NS, self.layout)
        if layout.low:
            _check(counts[:, 0], -layout.low, self.kind)
            counts = (counts[:, :1] & ((1 << layout.low) - 1)) | (counts[:, 1:] << layout.low)
        for column, width in zip(counts.T, layout.widths, strict=True):
            _check(column, -8 * width, self.kind)
        if self.layout & COMPRESSED:
            return head + encode_deltas(counts.astype(np.int32), layout.widths[0])
        octets = np.ascontiguousarray(counts, dtype="<i8").view(np.uint8).reshape(len(counts), -1, 8)
        fields = [octets[:, i, : abs(width)] for i, width in enumerate(layout.widths)]
        return head + np.concatenate(fields, axis=1).tobytes()

    @classmethod
    def decode(cls, data: bytes) -> PmdFrame:
        """Read a notification.

        Raises
        ------
        ProtocolError
            If the layout is unknown, the time impossible, or the length no whole number of samples.
        """
        if len(data) <= FRAME_HEAD:
            msg = f"a PMD frame has {FRAME_HEAD} bytes and samples, got {len(data)} bytes"
            raise ProtocolError(msg, len(data))
        kind, ticks, number = struct.unpack_from("<BQB", data)
        kind &= _TYPE_MASK
        if (kind, number) not in LAYOUTS:
            msg = f"PMD frame of type {kind}, frame type {number:#04x}: no public document says how to read it"
            raise ProtocolError(msg, FRAME_HEAD - 1)
        if ticks + EPOCH_2000_NS >= _LATEST:
            msg = f"PMD frame is stamped {ticks} ns after 2000, which no clock shows"
            raise ProtocolError(msg, 1)
        layout = LAYOUTS[kind, number]
        if number & COMPRESSED:
            counts = decode_deltas(data[FRAME_HEAD:], layout.widths[0], len(layout.widths))
        else:
            counts = _raw(data, layout)
        return cls(kind, ticks + EPOCH_2000_NS, counts, number)


def _check(column: NDArray[np.int64], bits: int, kind: int) -> None:
    """Whether counts fit; negative bits: two's complement."""
    low, high = (0, 1 << bits) if bits > 0 else (-(1 << (-bits - 1)), 1 << (-bits - 1))
    if len(column) and (column.min() < low or column.max() >= high):
        msg = f"a count of type {kind} does not fit {abs(bits)} bits"
        raise ValueError(msg)


def _raw(data: bytes, layout: Layout) -> NDArray[np.int32]:
    raw = np.frombuffer(data, np.uint8, offset=FRAME_HEAD)
    size = sum(abs(width) for width in layout.widths)
    if len(raw) % size:
        msg = f"{len(raw)} bytes are no whole number of samples of {size} bytes"
        raise ProtocolError(msg, len(data))
    if layout.uniform:
        return signed(raw, layout.uniform).reshape(-1, len(layout.widths))
    rows = raw.reshape(-1, size)
    fields, at = [], 0
    for width in layout.widths:
        count = signed(np.ascontiguousarray(rows[:, at : at + abs(width)]).ravel(), abs(width))
        fields.append(count if width > 0 else count & ((1 << -8 * width) - 1))
        at += abs(width)
    if layout.low:
        word = fields[0]
        top = 1 << (layout.low - 1)
        fields = [((word & (2 * top - 1)) ^ top) - top, word >> layout.low]
    return np.stack(fields, axis=1)
