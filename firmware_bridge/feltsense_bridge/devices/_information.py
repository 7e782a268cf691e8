"""Battery and Device Information services (0x180F, 0x180A): what every sensor may say about itself.

Wire format: battery level 0x2A19 u8 in percent; maker, model, serial number, firmware, hardware and software version
are one characteristic each, UTF-8 text. A sensor has whichever it likes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from feltsense.errors import ProtocolError
from feltsense_bridge.devices._gatt import BATTERY_LEVEL, assigned

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TEXTS", "Information", "decode_battery", "decode_text", "encode_battery", "encode_text"]

TEXTS: Final[Mapping[str, str]] = {
    assigned(0x2A29): "maker",
    assigned(0x2A24): "model",
    assigned(0x2A25): "serial",
    assigned(0x2A26): "firmware",
    assigned(0x2A27): "hardware",
    assigned(0x2A28): "software",
}
"""Characteristic → name of what it tells."""

_FULL: Final = 100


def decode_battery(data: bytes) -> int:
    """Battery level in percent.

    Raises
    ------
    ProtocolError
        If it is not one byte of 0 to 100.
    """
    if len(data) != 1 or data[0] > _FULL:
        msg = f"battery level is one byte of 0 to 100, got {data[:8].hex() or 'nothing'}"
        raise ProtocolError(msg, 0)
    return data[0]


def encode_battery(percent: int) -> bytes:
    """Bytes of a battery level.

    Raises
    ------
    ValueError
        If it is not 0 to 100.
    """
    if not 0 <= percent <= _FULL:
        msg = f"battery level must be 0 to 100 percent, got {percent}"
        raise ValueError(msg)
    return bytes([percent])


def decode_text(data: bytes) -> str:
    """Text of a characteristic; what follows a zero byte is padding.

    Raises
    ------
    ProtocolError
        If it is not UTF-8.
    """
    text, _, _ = data.partition(b"\0")
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        msg = f"device information is not UTF-8: {data[:16].hex()}"
        raise ProtocolError(msg, error.start) from None


def encode_text(text: str) -> bytes:
    """Bytes of a text."""
    return text.encode()


@dataclass(frozen=True, slots=True)
class Information:
    """What a sensor said about itself; empty or None where it did not.

    Attributes
    ----------
    maker, model, serial, firmware, hardware, software : str
        The Device Information service's texts.
    battery : int or None
        Percent.
    """

    maker: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    hardware: str = ""
    software: str = ""
    battery: int | None = None

    @classmethod
    def of(cls, values: Mapping[str, bytes]) -> Information:
        """From characteristics that were read; unknown ones do not matter.

        Raises
        ------
        ProtocolError
            If a value breaks its format.
        """
        texts = {TEXTS[uuid]: decode_text(data) for uuid, data in values.items() if uuid in TEXTS}
        level = values.get(BATTERY_LEVEL)
        return cls(**texts, battery=None if level is None else decode_battery(level))
