"""Movisens sensors: mean skin conductance and skin temperature, one value a second, kept by the sensor and sent in bulk.

Wire format (facts from the maker's public GATT description, little-endian): an indication of a buffered characteristic is
time u32 (Unix seconds, of its first value), n u8, then n values one second apart. Conductance is u16 in steps of
0.0030518509475997192 µS, temperature s16 in hundredths of a °C.

- The sensor keeps what could not be sent and sends it after a reconnection, in order: an absence leaves no hole as long
  as its memory lasts (a day). The arrival of a bulk says nothing of the clock, and teaches it nothing.
- Means over a second are a level: they have no skin-conductance responses in them, and do not make them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.signals import SignalSpec, spec
from feltsense.core.timeline import NS
from feltsense.errors import ProtocolError
from feltsense_bridge.device import Advertisement, Frame, Subscribe, Unsubscribe
from feltsense_bridge.devices._gatt import chosen

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from feltsense_bridge.device import Action, Decoded

__all__ = ["DEVICE", "EDA_BUFFERED", "RATE", "STEP", "TEMPERATURE_BUFFERED", "Movisens", "MovisensBuffer"]

EDA_BUFFERED: Final = "663af1bc-2fa0-43c0-b452-2b8c1efb7f9d"
TEMPERATURE_BUFFERED: Final = "99ebde23-1b3e-4084-85c2-18bca6eb5a1a"
RATE: Final = Fraction(1)
STEP: Final[Mapping[str, float]] = {"eda": 0.0030518509475997192, "skin_temperature": 0.01}
_UUIDS: Final[Mapping[str, str]] = {"eda": EDA_BUFFERED, "skin_temperature": TEMPERATURE_BUFFERED}
_STREAMS: Final = {uuid: name for name, uuid in _UUIDS.items()}
_FORMS: Final[Mapping[str, str]] = {"eda": "<u2", "skin_temperature": "<i2"}
_HEAD: Final = struct.Struct("<IB")


@dataclass(frozen=True, slots=True)
class MovisensBuffer:
    """One indication.

    Attributes
    ----------
    stream : str
        ``eda`` or ``skin_temperature``.
    unix_s : int
        Time of the first value.
    counts : tuple of int
        Values, one a second.
    """

    stream: str
    unix_s: int
    counts: tuple[int, ...]

    def encode(self) -> bytes:
        """Bytes of the indication."""
        return _HEAD.pack(self.unix_s, len(self.counts)) + np.array(self.counts, _FORMS[self.stream]).tobytes()

    @classmethod
    def decode(cls, stream: str, data: bytes) -> MovisensBuffer:
        """Read an indication.

        Raises
        ------
        ProtocolError
            If it has no value, or another length than it says.
        """
        if len(data) < _HEAD.size or not data[4] or len(data) != _HEAD.size + 2 * data[4]:
            msg = f"{len(data)} bytes cannot hold a Movisens buffer of {data[4] if len(data) > 4 else 'no'} values"
            raise ProtocolError(msg, min(len(data), 4))
        unix_s, _ = _HEAD.unpack_from(data)
        return cls(stream, unix_s, tuple(int(v) for v in np.frombuffer(data, _FORMS[stream], offset=_HEAD.size)))


class Movisens:
    """A Movisens sensor (EdaMove and others with the same characteristics).

    Parameters
    ----------
    streams : sequence of str, optional
        Of ``eda`` and ``skin_temperature``; default both.
    """

    model: ClassVar[str] = "movisens"
    offered: ClassVar[tuple[str, ...]] = ("eda", "skin_temperature")

    def __init__(self, streams: Sequence[str] | None = None) -> None:
        self.streams = chosen(self.model, self.offered, streams, self.offered)

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Whether the name is one of the maker's."""
        return advertisement.name.upper().startswith(("MOVISENS", "EDAMOVE"))

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal."""
        return {name: spec(name, RATE) for name in self.streams}

    def start(self) -> Generator[Action, bytes | None, None]:
        """Subscribe; the sensor sends what it has kept, then what it measures."""
        for name in self.streams:
            yield Subscribe(_UUIDS[name])

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Unsubscribe; the sensor keeps what it measures from now on."""
        for name in self.streams:
            yield Unsubscribe(_UUIDS[name])

    def decode(self, uuid: str, data: bytes) -> list[Decoded]:
        """Frames of one indication.

        Raises
        ------
        ProtocolError
            If the bytes break the protocol.
        """
        name = _STREAMS.get(uuid)
        if name is None or name not in self.streams:
            return []
        said = MovisensBuffer.decode(name, data)
        values = np.array(said.counts, float)[:, None] * STEP[name]
        last_ns = (said.unix_s + len(said.counts) - 1) * NS
        return [Frame(name, values, last_ns, again=len(said.counts) > 1)]


DEVICE = Movisens
