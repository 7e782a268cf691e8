"""Environmental Sensing service: temperature, humidity, pressure, light and sound of the room, from any maker's sensor.

Wire format (service 181A; one characteristic a quantity, little-endian, all bits set or the least value: not known):

====  ====================  =======================  =================
uuid  stream                number                   unit
====  ====================  =======================  =================
2A6E  ``air_temperature``   s16, 0x8000 not known    0.01 °C
2A6F  ``humidity``          u16                      0.01 %
2A6D  ``air_pressure``      u32                      0.1 Pa
2AFB  ``illuminance``       u24                      0.01 lx
2BE4  ``sound_level``       u8 (0xFE: that or more)  1 dB
====  ====================  =======================  =================

- A sensor has whichever characteristics it likes: by default those are read that it has.
- No time and no sequence number: a value is placed where it arrives, and one lost on the radio is lost unseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.signals import IRREGULAR, SignalSpec, spec
from feltsense.errors import LinkError, ProtocolError
from feltsense_bridge.device import Advertisement, Frame, Subscribe, Unsubscribe
from feltsense_bridge.devices._gatt import advertises, assigned, chosen

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from feltsense_bridge.device import Action, Decoded

__all__ = ["DEVICE", "QUANTITIES", "SERVICE", "Environment", "Quantity"]

SERVICE: Final = assigned(0x181A)


@dataclass(frozen=True, slots=True)
class Quantity:
    """How one quantity is said.

    Attributes
    ----------
    uuid : str
        Characteristic.
    size : int
        Bytes.
    unit : float
        What a count is, in the signal's unit.
    unknown : int
        The count that says "not known".
    signed : bool
        Whether counts have a sign.
    """

    uuid: str
    size: int
    unit: float
    unknown: int
    signed: bool = False

    def encode(self, value: float) -> bytes:
        """Bytes of a value, rounded; NaN is "not known".

        Raises
        ------
        ValueError
            If it does not fit.
        """
        count = self.unknown if np.isnan(value) else round(value / self.unit)
        try:
            return count.to_bytes(self.size, "little", signed=self.signed)
        except OverflowError:
            msg = f"{value} does not fit {self.size} bytes of {self.unit}"
            raise ValueError(msg) from None

    def decode(self, data: bytes) -> float:
        """Read a value; NaN where it is not known.

        Raises
        ------
        ProtocolError
            If it has another length.
        """
        if len(data) != self.size:
            msg = f"characteristic {self.uuid[4:8]} has {self.size} bytes, got {len(data)}"
            raise ProtocolError(msg, min(len(data), self.size))
        count = int.from_bytes(data, "little", signed=self.signed)
        return float("nan") if count == self.unknown else count * self.unit


QUANTITIES: Final[Mapping[str, Quantity]] = {
    "air_temperature": Quantity(assigned(0x2A6E), 2, 0.01, -0x8000, signed=True),
    "humidity": Quantity(assigned(0x2A6F), 2, 0.01, 0xFFFF),
    "air_pressure": Quantity(assigned(0x2A6D), 4, 0.001, 0xFFFFFFFF),
    "illuminance": Quantity(assigned(0x2AFB), 3, 0.01, 0xFFFFFF),
    "sound_level": Quantity(assigned(0x2BE4), 1, 1.0, 0xFF),
}
"""Stream → how it is said; pressure in hPa."""
_STREAMS: Final = {q.uuid: name for name, q in QUANTITIES.items()}


class Environment:
    """A sensor with the Environmental Sensing service.

    Parameters
    ----------
    streams : sequence of str, optional
        Of ``air_temperature``, ``humidity``, ``air_pressure``, ``illuminance`` and ``sound_level``; default all that the
        sensor has.
    """

    model: ClassVar[str] = "environment"
    offered: ClassVar[tuple[str, ...]] = tuple(QUANTITIES)

    def __init__(self, streams: Sequence[str] | None = None) -> None:
        self.streams = chosen(self.model, self.offered, streams, self.offered)
        self._named = streams is not None

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Whether the advertisement has the service."""
        return advertises(advertisement, SERVICE)

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal, of those that the sensor has; all irregular."""
        return {name: spec(name, IRREGULAR) for name in self.streams}

    def start(self) -> Generator[Action, bytes | None, None]:
        """Subscribe to what is there.

        Raises
        ------
        LinkError
            If the sensor has nothing of it, or lacks a stream that was asked for by name.
        """
        found: dict[str, bool] = {}
        for name in self.streams:
            found[name] = (yield Subscribe(QUANTITIES[name].uuid, optional=True)) != b""
        there, missing = ([name for name in self.streams if found[name] is has] for has in (True, False))
        if not there or (missing and self._named):
            msg = f"the sensor has no {' and no '.join(missing)} that it notifies: ask for other streams"
            raise LinkError(msg)
        self.streams = tuple(there)

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Unsubscribe."""
        for name in self.streams:
            yield Unsubscribe(QUANTITIES[name].uuid)

    def decode(self, uuid: str, data: bytes) -> list[Decoded]:
        """The value of one notification.

        Raises
        ------
        ProtocolError
            If it has the wrong length.
        """
        name = _STREAMS.get(uuid)
        if name is None or name not in self.streams:
            return []
        return [Frame(name, np.array([[QUANTITIES[name].decode(data)]]))]


DEVICE = Environment
