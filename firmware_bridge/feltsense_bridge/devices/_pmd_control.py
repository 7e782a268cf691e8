"""Control point of Polar Measurement Data (PMD): commands, answers, settings, features, status.

Facts from Polar's public "Online Measurement" document (v1.0, 2024) and the field names of the public SDK; written
anew. Little-endian throughout.

- Command: op u8, type u8, settings. Answer: F0, op, type, error u8, and unless an error, more u8 and parameters.
  ``more`` not 0: further indications follow, each with five such bytes before its share of parameters. An indication
  that does not begin with F0 is unsolicited; 01 type… says that the sensor stopped streams by itself.
- Settings: id u8, count u8, count values of the id's width. A request names each setting once with count 1.
- SDK mode is started and stopped like a measurement, of type 9. It offers more settings, and ends heart rate and PPI.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from feltsense.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CONTROL",
    "DATA",
    "FEATURES",
    "RESPONSE",
    "SERVICE",
    "STOPPED",
    "Command",
    "Measurement",
    "PmdError",
    "PmdReply",
    "Setting",
    "Settings",
    "command",
    "decode_factor",
    "decode_features",
    "decode_sdk_status",
    "decode_settings",
    "decode_status",
    "encode_factor",
    "encode_features",
    "encode_sdk_mode",
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
_FEATURES_LENGTH: Final = 17
_TYPE_MASK: Final = 0x3F
_ONLINE: Final = 0x40


class Measurement(IntEnum):
    """Types of measurement."""

    ECG = 0
    PPG = 1
    ACC = 2
    PPI = 3
    GYRO = 5
    MAGNETOMETER = 6
    SKIN_TEMPERATURE = 7
    SDK_MODE = 9
    LOCATION = 10
    PRESSURE = 11
    TEMPERATURE = 12
    OFFLINE_RECORDING = 13
    OFFLINE_HEART_RATE = 14


class Command(IntEnum):
    """Operations of the control point."""

    SETTINGS = 1
    START = 2
    STOP = 3
    SDK_SETTINGS = 4
    STATUS = 5
    SDK_STATUS = 6


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
        PmdError.INVALID_LENGTH: "the command has the wrong length: update the sensor's firmware",
        PmdError.INVALID_PARAMETER: "the sensor refuses a setting: use values from its own list",
        PmdError.ALREADY_IN_STATE: "it is already so: stop the other program, or switch the sensor off and on",
        PmdError.INVALID_RESOLUTION: "the resolution is not on the sensor's list: leave the stream out",
        PmdError.INVALID_RATE: "the sampling rate is not on the sensor's list: choose one of it",
        PmdError.INVALID_RANGE: "the range is not on the sensor's list: leave the stream out",
        PmdError.INVALID_MTU: "the packet size (MTU) is too small for a frame: negotiate at least 232 bytes",
        PmdError.INVALID_CHANNELS: "the number of channels is not on the sensor's list: leave the stream out",
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


def encode_sdk_mode(*, on: bool) -> bytes:
    """Command that switches SDK mode."""
    return command(Command.START if on else Command.STOP, Measurement.SDK_MODE)


def decode_sdk_status(parameters: bytes) -> bool:
    """Whether SDK mode is on, by the answer to SDK_STATUS.

    Raises
    ------
    ProtocolError
        If the answer has no parameter.
    """
    if not parameters:
        msg = "the answer about SDK mode says nothing"
        raise ProtocolError(msg, 0)
    return bool(parameters[0])


def encode_factor(factor: float) -> Settings:
    """The setting by which samples are to be multiplied, as the answer to START names it."""
    return {Setting.FACTOR: (int.from_bytes(struct.pack("<f", factor), "little"),)}


def decode_factor(settings: Mapping[int, tuple[int, ...]]) -> float:
    """What samples are to be multiplied by; 1 where nothing is said.

    Raises
    ------
    ProtocolError
        If the factor is zero or no number.
    """
    bits = settings.get(Setting.FACTOR, ())
    if not bits:
        return 1.0
    (factor,) = struct.unpack("<f", bits[0].to_bytes(4, "little"))
    if not math.isfinite(factor) or not factor:
        msg = f"PMD factor {factor} is nothing to multiply by"
        raise ProtocolError(msg)
    return float(factor)


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
    bits = int.from_bytes(data[1:3], "little")
    return frozenset(k for k in range(16) if bits >> k & 1)


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
            return f"unknown error {self.error}: update the sensor's firmware, or this program"
