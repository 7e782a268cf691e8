"""Polar Measurement Data (PMD) on the wire: control point, settings, and frames of raw samples.

Facts from Polar's public "Online Measurement" document (v1.0, 2024) and the field names of the public SDK; written
anew. Little-endian throughout.

- Control point, command: op u8, type u8, settings. Answer: F0, op, type, error u8, and unless an error, more u8 and
  parameters. ``more`` not 0: further indications follow, each with five such bytes before its share of parameters.
  An indication that does not begin with F0 is unsolicited; 01 type… says that the sensor stopped streams by itself.
- Settings: id u8, count u8, count values of the id's width. A request names each setting once with count 1.
- Frame: type u8, time u64 (ns since 2000-01-01, of the *last* sample), frame type u8 (bit 7: delta-compressed),
  samples. Only raw frames are read here: the H10 sends no others.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense.errors import ProtocolError
from feltsense_bridge.devices._gatt import EPOCH_2000_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "CONTROL",
    "DATA",
    "FEATURES",
    "FRAME_HEAD",
    "RESPONSE",
    "SERVICE",
    "STOPPED",
    "Command",
    "Measurement",
    "PmdError",
    "PmdFrame",
    "PmdReply",
    "Setting",
    "Settings",
    "command",
    "decode_features",
    "decode_settings",
    "decode_status",
    "encode_features",
    "encode_settings",
    "encode_status",
]

SERVICE: Final = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
CONTROL: Final = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA: Final = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"

FEATURES: Final = 0x0F
"""First byte of the control point when read."""
RESPONSE: Final = 0xF0
"""First byte of an answer."""
STOPPED: Final = 0x01
"""First byte of the unsolicited "I stopped these streams"."""
FRAME_HEAD: Final = 10
"""Bytes before the samples of a frame."""
_FEATURES_LENGTH: Final = 17
_TYPE_MASK: Final = 0x3F
_COMPRESSED: Final = 0x80
_ONLINE: Final = 0x40
_LATEST: Final = 2**62
"""Device times beyond this (the year 2116) are garbage, and would overflow 64-bit arithmetic further on."""


class Measurement(IntEnum):
    """Types of measurement."""

    ECG = 0
    PPG = 1
    ACC = 2
    PPI = 3
    GYRO = 5
    MAGNETOMETER = 6
    SKIN_TEMPERATURE = 7


class Command(IntEnum):
    """Operations of the control point."""

    SETTINGS = 1
    START = 2
    STOP = 3
    STATUS = 5


class PmdError(IntEnum):
    """Error codes of an answer; `text` says what to do."""

    OK = 0
    INVALID_OPERATION = 1
    INVALID_TYPE = 2
    NOT_SUPPORTED = 3
    INVALID_LENGTH = 4
    INVALID_PARAMETER = 5
    ALREADY_IN_STATE = 6
    INVALID_RESOLUTION = 7
    INVALID_RATE = 8
    INVALID_RANGE = 9
    INVALID_MTU = 10
    INVALID_CHANNELS = 11
    INVALID_STATE = 12
    IN_CHARGER = 13
    DISK_FULL = 14

    @property
    def text(self) -> str:
        """What it means, and what to do."""
        return _ERROR_TEXT[self]


_ERROR_TEXT: Final[Mapping[PmdError, str]] = MappingProxyType(
    {
        PmdError.OK: "no error",
        PmdError.INVALID_OPERATION: "the sensor does not know the operation: update its firmware",
        PmdError.INVALID_TYPE: "the sensor does not know this measurement: ask for another stream",
        PmdError.NOT_SUPPORTED: "the sensor does not support this: ask for another stream, or update its firmware",
        PmdError.INVALID_LENGTH: "the command has the wrong length",
        PmdError.INVALID_PARAMETER: "the sensor refuses a setting: use values from its own list",
        PmdError.ALREADY_IN_STATE: "it is already so: stop the stream first",
        PmdError.INVALID_RESOLUTION: "the resolution is not on the sensor's list",
        PmdError.INVALID_RATE: "the sampling rate is not on the sensor's list",
        PmdError.INVALID_RANGE: "the range is not on the sensor's list",
        PmdError.INVALID_MTU: "the packet size (MTU) is too small for a frame: negotiate at least 232 bytes",
        PmdError.INVALID_CHANNELS: "the number of channels is not on the sensor's list",
        PmdError.INVALID_STATE: "not possible in the sensor's present state: wear it, then try again",
        PmdError.IN_CHARGER: "the sensor is in its charger: take it out",
        PmdError.DISK_FULL: "the sensor's memory is full: erase its recordings",
    }
)


class Setting(IntEnum):
    """Ids of settings."""

    RATE = 0
    RESOLUTION = 1
    RANGE = 2
    RANGE_MILLI = 3
    CHANNELS = 4
    FACTOR = 5
    SECURITY = 6


_SETTING_BYTES: Final[Mapping[int, int]] = MappingProxyType({0: 2, 1: 2, 2: 2, 3: 4, 4: 1, 5: 4, 6: 16})
Settings = dict[int, tuple[int, ...]]
"""Setting id → values; a factor is given by the bits of its 32-bit float."""


def encode_settings(settings: Mapping[int, tuple[int, ...]]) -> bytes:
    """Bytes of settings, in the order given."""
    return b"".join(
        bytes([key, len(values)]) + b"".join(v.to_bytes(_SETTING_BYTES[key], "little") for v in values)
        for key, values in settings.items()
    )


def decode_settings(data: bytes) -> Settings:
    """Read settings.

    Raises
    ------
    ProtocolError
        If an id is unknown (its width is, too) or named twice, or bytes are missing.
    """
    out: Settings = {}
    at = 0
    while at < len(data):
        if at + 2 > len(data) or data[at] not in _SETTING_BYTES or data[at] in out:
            msg = f"PMD settings: no setting can begin with {data[at : at + 2].hex()}"
            raise ProtocolError(msg, at)
        key, count = data[at], data[at + 1]
        width = _SETTING_BYTES[key]
        at += 2
        if at + count * width > len(data):
            msg = f"PMD settings: {count} values of setting {key} need {count * width} bytes, {len(data) - at} are left"
            raise ProtocolError(msg, at)
        out[key] = tuple(int.from_bytes(data[at + i * width : at + (i + 1) * width], "little") for i in range(count))
        at += count * width
    return out


def command(operation: Command, kind: int, settings: Mapping[int, tuple[int, ...]] | None = None) -> bytes:
    """Bytes of a command."""
    return bytes([operation, kind]) + encode_settings(settings or {})


def encode_features(kinds: frozenset[int]) -> bytes:
    """What the control point reads as, for a sensor that offers `kinds`."""
    bits = sum(1 << k for k in kinds)
    return bytes([FEATURES]) + bits.to_bytes(2, "little") + bytes(_FEATURES_LENGTH - 3)


def decode_features(data: bytes) -> frozenset[int]:
    """Types of measurement that a sensor offers.

    Raises
    ------
    ProtocolError
        If the control point's value is something else.
    """
    if len(data) < 2 or data[0] != FEATURES:
        msg = f"PMD features begin with {FEATURES:02x} and a byte of bits, got {data[:3].hex() or 'nothing'}"
        raise ProtocolError(msg, 0)
    return frozenset(k for k in range(8) if data[1] >> k & 1)


def encode_status(online: Mapping[int, bool]) -> bytes:
    """Parameters of the answer to STATUS: each type of measurement, and whether it streams."""
    return bytes(kind | (_ONLINE if streams else 0) for kind, streams in online.items())


def decode_status(data: bytes) -> dict[int, bool]:
    """Type of measurement → whether it streams; recordings within the sensor are passed over."""
    return {byte & _TYPE_MASK: bool(byte & _ONLINE) for byte in data}


@dataclass(frozen=True, slots=True)
class PmdReply:
    """Answer of the control point, or one part of it.

    Attributes
    ----------
    operation, kind : int
        What is answered.
    error : int
        0, or an error code.
    more : bool
        Whether further parts follow.
    parameters : bytes
        This part's share of the parameters.
    """

    operation: int
    kind: int
    error: int = 0
    more: bool = False
    parameters: bytes = b""

    def encode(self) -> bytes:
        """Bytes of the indication."""
        head = bytes([RESPONSE, self.operation, self.kind, self.error])
        return head if self.error else head + bytes([self.more]) + self.parameters

    @classmethod
    def decode(cls, data: bytes) -> PmdReply:
        """Read an indication.

        Raises
        ------
        ProtocolError
            If it is no answer, or cut off.
        """
        if len(data) < 4 or data[0] != RESPONSE:
            msg = f"a PMD answer is {RESPONSE:02x}, operation, type, error; got {data[:4].hex() or 'nothing'}"
            raise ProtocolError(msg, 0)
        if data[3]:
            return cls(data[1], data[2], data[3])
        # A stop is answered without parameters, by some firmwares without the byte before them.
        return cls(data[1], data[2], 0, bool(data[4]) if len(data) > 4 else False, bytes(data[5:]))

    @property
    def problem(self) -> str:
        """What the error means, in words."""
        try:
            return PmdError(self.error).text
        except ValueError:
            return f"unknown error {self.error}"


_LAYOUT: Final[Mapping[tuple[int, int], tuple[int, int]]] = MappingProxyType(
    {
        (Measurement.ECG, 0): (3, 1),
        (Measurement.ACC, 0): (1, 3),
        (Measurement.ACC, 1): (2, 3),
        (Measurement.ACC, 2): (3, 3),
    }
)
"""(type, frame type) → bytes of a value, channels. ECG in µV, acceleration in mg."""


@dataclass(frozen=True, slots=True, eq=False)
class PmdFrame:
    """One notification of samples.

    Attributes
    ----------
    kind : int
        Type of measurement.
    device_ns : int
        Device time of the last sample, Unix ns.
    counts : ndarray of int32, shape (n, channels)
        Samples: µV for ECG, mg for acceleration.
    layout : int
        Frame type.
    """

    kind: int
    device_ns: int
    counts: NDArray[np.int32]
    layout: int = 0

    def encode(self) -> bytes:
        """Bytes of the notification.

        Raises
        ------
        ValueError
            If a count does not fit the layout, or there is no such layout.
        """
        if (self.kind, self.layout) not in _LAYOUT:
            msg = f"there is no raw PMD frame of type {self.kind}, layout {self.layout}"
            raise ValueError(msg)
        width, channels = _LAYOUT[self.kind, self.layout]
        counts = np.ascontiguousarray(self.counts, dtype="<i4").reshape(-1, channels)
        if len(counts) and np.abs(counts.astype(np.int64) + 0.5).max() > 2 ** (8 * width - 1):
            msg = f"a count of type {self.kind} does not fit {width} bytes"
            raise ValueError(msg)
        head = struct.pack("<BQB", self.kind, self.device_ns - EPOCH_2000_NS, self.layout)
        return head + counts.view(np.uint8).reshape(-1, 4)[:, :width].tobytes()

    @classmethod
    def decode(cls, data: bytes) -> PmdFrame:
        """Read a notification.

        Raises
        ------
        ProtocolError
            If the layout is unknown or compressed, the time impossible, or the length no whole number of samples.
        """
        if len(data) <= FRAME_HEAD:
            msg = f"a PMD frame has {FRAME_HEAD} bytes and samples, got {len(data)} bytes"
            raise ProtocolError(msg, len(data))
        kind, ticks, layout = struct.unpack_from("<BQB", data)
        kind &= _TYPE_MASK
        if layout & _COMPRESSED or (kind, layout) not in _LAYOUT:
            msg = f"PMD frame of type {kind}, layout {layout:#04x}: only raw ECG and acceleration are read"
            raise ProtocolError(msg, FRAME_HEAD - 1)
        if ticks + EPOCH_2000_NS >= _LATEST:
            msg = f"PMD frame is stamped {ticks} ns after 2000, which no clock shows"
            raise ProtocolError(msg, 1)
        width, channels = _LAYOUT[kind, layout]
        raw = np.frombuffer(data, np.uint8, offset=FRAME_HEAD)
        if len(raw) % (width * channels):
            msg = f"{len(raw)} bytes are no whole number of samples of {width * channels} bytes"
            raise ProtocolError(msg, len(data))
        wide = np.zeros((len(raw) // width, 4), np.uint8)
        # Into the high bytes, then an arithmetic shift down: that extends the sign.
        wide[:, 4 - width :] = raw.reshape(-1, width)
        counts = wide.view("<i4").ravel() >> (8 * (4 - width))
        return cls(kind, ticks + EPOCH_2000_NS, counts.astype(np.int32).reshape(-1, channels), layout)
