"""Nervous-EDA, an open skin-conductance sensor (nRF52840): impedance at several frequencies, 8 times a second.

Wire format (Nervous-Sensors, MIT): over the Nordic UART service each message is framed by COBS (Cheshire & Baker 1999)
and ends with a zero byte. Inside, protobuf::

    EdaBuffer { repeated Impedance data = 1; Timestamp timestamp = 2 }
    Impedance { float real = 1; float imag = 2 }        ohm; the lowest frequency first
    Timestamp { uint64 time = 1; uint32 us = 2 }        seconds and µs of the sensor's clock

- Conductance is one divided by the magnitude of the lowest frequency's impedance, in µS, as the maker's own host has it.
- The host may set the sensor's clock; nobody does here, since a clock map does better. There is no sequence number:
  losses are told from the time stamps.
- Notifications are pieces of one byte stream.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.signals import SignalSpec, spec
from feltsense.core.timeline import NS
from feltsense.errors import ProtocolError
from feltsense_bridge.device import Advertisement, Frame, Subscribe, Unsubscribe
from feltsense_bridge.devices._cobs import cobs_decode, cobs_encode
from feltsense_bridge.devices._gatt import chosen
from feltsense_bridge.devices._protobuf import fields, varint_field

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from feltsense_bridge.device import Action, Decoded

__all__ = ["DEVICE", "RATE", "SERVICE", "TX", "EdaMessage", "NervousEda"]

SERVICE: Final = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
TX: Final = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"

RATE: Final = Fraction(8)
_NAME: Final = "eda"
_US_PER_S: Final = 1_000_000
_LONGEST: Final = 512
"""Bytes of a message; one of four frequencies has 60. More without an end is no message."""
_LATEST_S: Final = 2**33
"""A clock that shows more seconds is none: 272 years."""


@dataclass(frozen=True, slots=True)
class EdaMessage:
    """One message.

    Attributes
    ----------
    device_us : int
        Time, µs of the sensor's clock.
    impedances : tuple of complex
        In ohm, the lowest frequency first.
    """

    device_us: int
    impedances: tuple[complex, ...]

    def encode(self) -> bytes:
        """Bytes on the wire, the zero at the end included."""
        body = b""
        for z in self.impedances:
            one = b"\x0d" + struct.pack("<f", z.real) + b"\x15" + struct.pack("<f", z.imag)
            body += b"\x0a" + bytes([len(one)]) + one
        stamp = varint_field(1, self.device_us // _US_PER_S) + varint_field(2, self.device_us % _US_PER_S)
        return cobs_encode(body + b"\x12" + bytes([len(stamp)]) + stamp) + b"\0"

    @classmethod
    def decode(cls, data: bytes) -> EdaMessage:
        """Read a message without the zero at its end.

        Raises
        ------
        ProtocolError
            If framing or fields are wrong, or there is no impedance or time.
        """
        impedances, time = [], None
        for number, value in fields(cobs_decode(data)):
            if number == 1 and isinstance(value, bytes):
                parts = {n: v for n, v in fields(value) if isinstance(v, float)}
                # A field that is 0 is left out, as protobuf does.
                impedances.append(complex(parts.get(1, 0.0), parts.get(2, 0.0)))
            elif number == 2 and isinstance(value, bytes):
                stamp = {n: v for n, v in fields(value) if isinstance(v, int)}
                time = stamp.get(1, 0) * _US_PER_S + stamp.get(2, 0)
        if not impedances or time is None or time >= _LATEST_S * _US_PER_S:
            msg = f"EDA message of {len(data)} bytes has no impedance, or no possible time"
            raise ProtocolError(msg, 0)
        return cls(time, tuple(impedances))

    def microsiemens(self) -> float:
        """Conductance; NaN where there is none that could be."""
        ohm = abs(self.impedances[0])
        return 1e6 / ohm if ohm > 0 and math.isfinite(ohm) else math.nan


class NervousEda:
    """A Nervous-EDA sensor.

    Parameters
    ----------
    streams : sequence of str, optional
        ``eda``, the only one.
    """

    model: ClassVar[str] = "nervous_eda"
    offered: ClassVar[tuple[str, ...]] = ("eda",)

    def __init__(self, streams: Sequence[str] | None = None) -> None:
        self.streams = chosen(self.model, self.offered, streams, self.offered)
        self._buffer = b""

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Whether the name is the sensor's: its service is any UART's."""
        return advertisement.name.upper().startswith(("EDA", "NERVOUS-EDA"))

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal."""
        return {name: spec(name, RATE) for name in self.streams}

    def start(self) -> Generator[Action, bytes | None, None]:
        """Subscribe; the sensor sends by itself."""
        yield Subscribe(TX)

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Unsubscribe."""
        yield Unsubscribe(TX)

    def cut(self) -> None:
        """Forget what waits for its rest."""
        self._buffer = b""

    def decode(self, uuid: str, data: bytes) -> list[Decoded]:
        """Frames of the messages that these bytes complete.

        Raises
        ------
        ProtocolError
            If a message is damaged; what comes after its end is read as if nothing had happened.
        """
        if uuid != TX or not self.streams:
            return []
        *messages, self._buffer = (self._buffer + data).split(b"\0")
        frames: list[Decoded] = []
        damaged: ProtocolError | None = None
        for message in messages:
            try:
                said = EdaMessage.decode(message) if message else None
            except ProtocolError as error:
                damaged = error
                continue
            if said is not None:
                value = np.array([[said.microsiemens()]])
                frames.append(Frame(_NAME, value, said.device_us * NS // _US_PER_S))
        if len(self._buffer) > _LONGEST:
            self._buffer = b""
            damaged = ProtocolError(f"more than {_LONGEST} bytes from the EDA sensor are no message", 0)
        if damaged is not None and not frames:
            raise damaged
        return frames


DEVICE = NervousEda
