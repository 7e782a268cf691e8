"""CORE body temperature sensor: core and skin temperature, and the heart rate that it was given.

Wire format (CoreTemp BLE Service Specification 2.2, characteristic 2101 of service 2100, little-endian): flags u8,
core temperature s16, then what the flags announce, in this order:

====  ===========================================  =========================================================
flag  field                                        value
====  ===========================================  =========================================================
b0    skin temperature s16                         hundredths of a degree, 0x7FFF not available
b1    reserved s16                                 skipped
b2    quality and state u8                         b0-2 quality of the core temperature, b4-5 state of the heart rate
b3    (no field) temperatures are in °F            else °C
b4    heart rate u8                                beats a minute, 0 none
b5    heat strain index u8                         tenths
====  ===========================================  =========================================================

- A core temperature that the sensor itself calls invalid, and a value that is not available, are NaN.
- No time and no sequence number: a value is placed where it arrives, and one lost on the radio is lost unseen.
- The core temperature is the maker's estimate from skin temperature and heat flow, not a measurement in the body.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.signals import IRREGULAR, SignalSpec, spec
from feltsense.errors import ProtocolError
from feltsense_bridge.device import Advertisement, Frame, StreamReset, Subscribe, Unsubscribe
from feltsense_bridge.devices._gatt import advertises, celsius, chosen

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from feltsense_bridge.device import Action

__all__ = ["DEVICE", "MEASUREMENT", "SERVICE", "Core", "CoreMeasurement", "Quality"]

SERVICE: Final = "00002100-5b1e-4347-b07c-97b514dae121"
MEASUREMENT: Final = "00002101-5b1e-4347-b07c-97b514dae121"

_SKIN, _RESERVED, _QUALITY, _FAHRENHEIT, _HEART_RATE, _STRAIN, _UNKNOWN = 1, 2, 4, 8, 16, 32, 0xC0
_NOT_AVAILABLE: Final = 0x7FFF


class Quality(IntEnum):
    """What the sensor thinks of its core temperature."""

    INVALID = 0
    POOR = 1
    FAIR = 2
    GOOD = 3
    EXCELLENT = 4
    UNKNOWN = 7


@dataclass(frozen=True, slots=True)
class CoreMeasurement:
    """One notification.

    Attributes
    ----------
    core, skin : int or None
        Hundredths of a degree; None: not available (core) or not in the notification (skin).
    state : int or None
        The byte of quality and heart-rate state as it came.
    heart_rate, strain : int or None
        Beats per minute; heat strain index in tenths.
    fahrenheit : bool
        Unit of both temperatures.
    """

    core: int | None
    skin: int | None = None
    state: int | None = None
    heart_rate: int | None = None
    strain: int | None = None
    fahrenheit: bool = False

    @property
    def valid(self) -> bool:
        """Whether the sensor stands by its core temperature."""
        return self.core is not None and (self.state is None or self.state & 7 != Quality.INVALID)

    def encode(self) -> bytes:
        """Bytes of the notification."""
        core = _NOT_AVAILABLE if self.core is None else self.core
        flags, body = _FAHRENHEIT if self.fahrenheit else 0, struct.pack("<h", core)
        for flag, form, value in (
            (_SKIN, "<h", self.skin),
            (_QUALITY, "<B", self.state),
            (_HEART_RATE, "<B", self.heart_rate),
            (_STRAIN, "<B", self.strain),
        ):
            if value is not None:
                flags, body = flags | flag, body + struct.pack(form, value)
        return bytes([flags]) + body

    @classmethod
    def decode(cls, data: bytes) -> CoreMeasurement:
        """Read a notification.

        Raises
        ------
        ProtocolError
            If it is too short, or has bytes that its flags do not announce.
        """
        flags = data[0] if data else 0
        fields = ((_SKIN, "h"), (_RESERVED, "h"), (_QUALITY, "B"), (_HEART_RATE, "B"), (_STRAIN, "B"))
        present = [(flag, form) for flag, form in fields if flags & flag]
        form = struct.Struct("<xh" + "".join(f for _, f in present))
        # Newer firmware may append fields under the two flags that are still free; only then are more bytes no error.
        if len(data) < form.size or (len(data) > form.size and not flags & _UNKNOWN):
            msg = f"CORE measurement with flags {flags:#04x} needs {form.size} bytes, got {len(data)}"
            raise ProtocolError(msg, min(len(data), form.size))
        core, *rest = form.unpack_from(data)
        value = dict(zip((flag for flag, _ in present), rest, strict=True))
        return cls(
            None if core == _NOT_AVAILABLE else core,
            value.get(_SKIN),
            value.get(_QUALITY),
            value.get(_HEART_RATE),
            value.get(_STRAIN),
            fahrenheit=bool(flags & _FAHRENHEIT),
        )


class Core:
    """A CORE sensor.

    Parameters
    ----------
    streams : sequence of str, optional
        Of ``core_temperature``, ``skin_temperature`` and ``heart_rate`` (the one of a strap that the sensor listens
        to); default both temperatures.
    """

    model: ClassVar[str] = "core"
    offered: ClassVar[tuple[str, ...]] = ("core_temperature", "skin_temperature", "heart_rate")

    def __init__(self, streams: Sequence[str] | None = None) -> None:
        self.streams = chosen(self.model, self.offered, streams, self.offered[:2])

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Whether the advertisement names CORE's service."""
        return advertises(advertisement, SERVICE)

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal; all irregular: the specification promises no rate."""
        return {name: spec(name, IRREGULAR) for name in self.streams}

    def start(self) -> Generator[Action, bytes | None, None]:
        """Subscribe; the sensor sends by itself."""
        yield Subscribe(MEASUREMENT)

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Unsubscribe."""
        yield Unsubscribe(MEASUREMENT)

    def decode(self, uuid: str, data: bytes) -> list[Frame | StreamReset]:
        """Frames of one notification.

        Raises
        ------
        ProtocolError
            If the bytes break the protocol.
        """
        if uuid != MEASUREMENT:
            return []
        said = CoreMeasurement.decode(data)
        values: dict[str, float | None] = {
            "core_temperature": _degrees(said.core if said.valid else None, said),
            "skin_temperature": None if said.skin is None else _degrees(said.skin, said),
            "heart_rate": None if said.heart_rate is None else said.heart_rate or np.nan,
        }
        return [Frame(name, np.array([[v]], float)) for name in self.streams if (v := values[name]) is not None]


def _degrees(hundredths: int | None, said: CoreMeasurement) -> float:
    if hundredths is None or hundredths == _NOT_AVAILABLE:
        return np.nan
    return celsius(hundredths / 100, fahrenheit=said.fahrenheit)


DEVICE = Core
