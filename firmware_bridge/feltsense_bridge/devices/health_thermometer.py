"""Any thermometer with the standard Health Thermometer service (0x1809).

Wire format (characteristic 0x2A1C, indicated, little-endian): flags u8 (b0 Fahrenheit, b1 time present, b2 site
present), temperature as IEEE 11073 FLOAT, [time: year u16, month, day, hour, minute, second u8 each], [site u8].

- Where on the body it measures decides the stream: finger, toe and armpit are skin, all other sites are the core.
  A measurement without a site goes to the first of the streams that were asked for.
- The time has whole seconds of a clock that somebody set some day: it is read, and places nothing. A value is placed
  where it arrives. There is no sequence number: an indication is confirmed, so that the radio loses none in a
  standing connection.
- A special of the FLOAT (no number, out of range, not at this resolution) is NaN.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.signals import IRREGULAR, SignalSpec, spec
from feltsense.errors import ProtocolError
from feltsense_bridge.device import Advertisement, Frame, StreamReset, Subscribe, Unsubscribe
from feltsense_bridge.devices._gatt import advertises, assigned, celsius, chosen
from feltsense_bridge.devices._ieee11073 import FLOAT_BYTES, decode_float, encode_float

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from feltsense_bridge.device import Action

__all__ = ["DEVICE", "MEASUREMENT", "SERVICE", "HealthThermometer", "Site", "TemperatureMeasurement"]

SERVICE: Final = assigned(0x1809)
MEASUREMENT: Final = assigned(0x2A1C)

_FAHRENHEIT, _TIME, _SITE = 1, 2, 4
_CLOCK: Final = struct.Struct("<HBBBBB")
_HUNDREDTHS: Final = -2


class Site(IntEnum):
    """Where a thermometer measures (Temperature Type, 0x2A1D)."""

    ARMPIT = 1
    BODY = 2
    EAR = 3
    FINGER = 4
    GUT = 5
    MOUTH = 6
    RECTUM = 7
    TOE = 8
    EARDRUM = 9


_ON_SKIN: Final = frozenset({Site.ARMPIT, Site.FINGER, Site.TOE})


@dataclass(frozen=True, slots=True)
class TemperatureMeasurement:
    """One indication of 0x2A1C.

    Attributes
    ----------
    degrees : float
        Temperature in its unit; NaN where there is no number.
    fahrenheit : bool
        Unit.
    time : tuple of int or None
        Year, month, day, hour, minute, second as the thermometer says; 0 is "unknown" for the first three.
    site : int or None
        Where it measures, mostly a :class:`Site`; None where it does not say.
    """

    degrees: float
    fahrenheit: bool = False
    time: tuple[int, ...] | None = None
    site: int | None = None

    def encode(self, exponent: int = _HUNDREDTHS) -> bytes:
        """Bytes of the indication, rounded to 10^exponent.

        Raises
        ------
        ValueError
            If the temperature does not fit.
        """
        flags = _FAHRENHEIT * self.fahrenheit | _TIME * (self.time is not None) | _SITE * (self.site is not None)
        clock = b"" if self.time is None else _CLOCK.pack(*self.time)
        site = b"" if self.site is None else bytes([self.site])
        return bytes([flags]) + encode_float(self.degrees, exponent) + clock + site

    @classmethod
    def decode(cls, data: bytes) -> TemperatureMeasurement:
        """Read an indication.

        Raises
        ------
        ProtocolError
            If it has not exactly the bytes that its flags announce.
        """
        flags = data[0] if data else 0
        clock_at = 1 + FLOAT_BYTES
        site_at = clock_at + (_CLOCK.size if flags & _TIME else 0)
        end = site_at + (1 if flags & _SITE else 0)
        if len(data) != end:
            msg = f"temperature measurement with flags {flags:#04x} needs {end} bytes, got {len(data)}"
            raise ProtocolError(msg, min(len(data), end))
        return cls(
            decode_float(data[1:clock_at]),
            bool(flags & _FAHRENHEIT),
            _CLOCK.unpack_from(data, clock_at) if flags & _TIME else None,
            data[site_at] if flags & _SITE else None,
        )


class HealthThermometer:
    """A sensor with the standard Health Thermometer service.

    Parameters
    ----------
    streams : sequence of str, optional
        Of ``core_temperature`` and ``skin_temperature``; default both. Name one alone if the thermometer does not
        say where it measures.
    """

    model: ClassVar[str] = "health_thermometer"
    offered: ClassVar[tuple[str, ...]] = ("core_temperature", "skin_temperature")

    def __init__(self, streams: Sequence[str] | None = None) -> None:
        self.streams = chosen(self.model, self.offered, streams, self.offered)

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Whether the advertisement names the Health Thermometer service."""
        return advertises(advertisement, SERVICE)

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal; both streams are irregular."""
        return {name: spec(name, IRREGULAR) for name in self.streams}

    def start(self) -> Generator[Action, bytes | None, None]:
        """Subscribe; the thermometer sends by itself."""
        yield Subscribe(MEASUREMENT)

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Unsubscribe."""
        yield Unsubscribe(MEASUREMENT)

    def decode(self, uuid: str, data: bytes) -> list[Frame | StreamReset]:
        """Frames of one indication.

        Raises
        ------
        ProtocolError
            If the bytes break the protocol.
        """
        if uuid != MEASUREMENT or not self.streams:
            return []
        said = TemperatureMeasurement.decode(data)
        if said.site in _ON_SKIN:
            stream = "skin_temperature"
        else:
            stream = self.streams[0] if said.site is None else "core_temperature"
        degrees = celsius(said.degrees, fahrenheit=said.fahrenheit)
        value = degrees if math.isfinite(degrees) else math.nan
        return [Frame(stream, np.array([[value]]))] if stream in self.streams else []


DEVICE = HealthThermometer
