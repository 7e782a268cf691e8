"""Shimmer3R GSR+: skin conductance over Bluetooth LE.

Wire format (facts from an unofficial Web Bluetooth client; little-endian): commands are a byte and its arguments, each
answered by 0xFF: 05 + u16 (32768 / rate), 08 + u24 sensors (GSR: 0x000004), 21 + u8 range (4: automatic), 07 start,
20 stop. While it streams the sensor sends packets in one byte stream, whose cuts mean nothing::

    00 | time u24, ticks of 1/32768 s | GSR u16: range in the upper two bits, 12 bits of the converter

Skin resistance is R_f / (U / 0.5 V − 1) kΩ with U = counts · 3 V / 4095 and R_f of the range (40.2, 287, 1000 or
3300 kΩ); conductance is one divided by it.

- A packet has no checksum. One is believed when its time is one sampling period after the last one's, or when that of
  the packet behind it is one period after its own. A notification that comes twice is told by its bytes.
- The time wraps after 512 s. It is used as a number of the sample modulo 32768, so that a long outage leaves as many
  answers open as the elapsed time does, and no wrong one.
- A converter at its stop, or no current, is no conductance: NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.signals import SignalSpec, spec
from feltsense.errors import ProtocolError
from feltsense_bridge.device import Advertisement, Frame, Repeated, Subscribe, Unsubscribe, Write
from feltsense_bridge.devices._gatt import advertises, chosen

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from feltsense_bridge.device import Action, Decoded

__all__ = ["COMMANDS", "DEVICE", "MODULUS", "NOTIFY", "RATE", "SERVICE", "Shimmer3R", "ShimmerPacket", "to_counts"]

SERVICE: Final = "65333333-a115-11e2-9e9a-0800200ca100"
NOTIFY: Final = "65333333-a115-11e2-9e9a-0800200ca101"
COMMANDS: Final = "65333333-a115-11e2-9e9a-0800200ca102"

_TICKS_PER_S: Final = 32768
_PERIOD: Final = 1024
RATE: Final = Fraction(_TICKS_PER_S, _PERIOD)
"""32 Hz: conductance has nothing above 5 Hz, and a power of two of ticks is exact."""
_WRAP: Final = 1 << 24
MODULUS: Final = _WRAP // _PERIOD
"""Samples after which the time wraps."""
_SIZE: Final = 6
_DATA, _ACK = 0x00, 0xFF
_SET_RATE, _SET_SENSORS, _SET_RANGE, _START, _STOP = 0x05, 0x08, 0x21, 0x07, 0x20
_GSR: Final = 0x000004
_AUTOMATIC: Final = 4
_FEEDBACK_KOHM: Final = (40.2, 287.0, 1000.0, 3300.0)
_VOLTS_PER_COUNT: Final = 3.0 / 4095
_ELECTRODE_V: Final = 0.5
_FULL: Final = 4095
_SLACK: Final = 2
"""Ticks by which the time of a sample may be off its period."""


def to_counts(microsiemens: float) -> int:
    """The GSR word of a conductance: in the range that resolves it best without reaching the converter's stop."""
    for scale in range(len(_FEEDBACK_KOHM) - 1, -1, -1):
        counts = round((microsiemens * _FEEDBACK_KOHM[scale] / 1000 + 1) * _ELECTRODE_V / _VOLTS_PER_COUNT)
        if counts < _FULL or not scale:
            return scale << 14 | min(counts, _FULL)
    return 0


@dataclass(frozen=True, slots=True)
class ShimmerPacket:
    """One packet.

    Attributes
    ----------
    ticks : int
        Time, 24 bits.
    gsr : int
        Range and counts, 16 bits.
    """

    ticks: int
    gsr: int

    def encode(self) -> bytes:
        """Bytes of the packet."""
        return bytes([_DATA]) + self.ticks.to_bytes(3, "little") + self.gsr.to_bytes(2, "little")

    @classmethod
    def decode(cls, data: bytes) -> ShimmerPacket:
        """Read a packet.

        Raises
        ------
        ProtocolError
            If it has another length or does not begin as one.
        """
        if len(data) != _SIZE or data[0] != _DATA:
            msg = f"a Shimmer packet is {_DATA:02x} and {_SIZE - 1} bytes, got {data[:8].hex() or 'nothing'}"
            raise ProtocolError(msg, 0)
        return cls(int.from_bytes(data[1:4], "little"), int.from_bytes(data[4:], "little"))

    def microsiemens(self) -> float:
        """Conductance; NaN where the converter says none."""
        counts = self.gsr & 0xFFF
        over = counts * _VOLTS_PER_COUNT / _ELECTRODE_V - 1
        return 1000 * over / _FEEDBACK_KOHM[self.gsr >> 14] if over > 0 and counts < _FULL else float("nan")

    def follows(self, last: ShimmerPacket) -> bool:
        """Whether it is one period later."""
        return abs((self.ticks - last.ticks) % _WRAP - _PERIOD) <= _SLACK


class Shimmer3R:
    """A Shimmer3R GSR+.

    Parameters
    ----------
    streams : sequence of str, optional
        ``eda``, the only one, at 32 Hz.
    """

    model: ClassVar[str] = "shimmer3r"
    offered: ClassVar[tuple[str, ...]] = ("eda",)

    def __init__(self, streams: Sequence[str] | None = None) -> None:
        self.streams = chosen(self.model, self.offered, streams, self.offered)
        self._buffer = self._notified = b""
        self._last: ShimmerPacket | None = None

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Whether the advertisement has the service, or the maker's name."""
        return advertises(advertisement, SERVICE) or advertisement.name.startswith("Shimmer3R")

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal."""
        return {name: spec(name, RATE) for name in self.streams}

    def start(self) -> Generator[Action, bytes | None, None]:
        """Set rate, sensor and range, and start."""
        yield Subscribe(NOTIFY)
        for command in (
            bytes([_SET_RATE]) + _PERIOD.to_bytes(2, "little"),
            bytes([_SET_SENSORS]) + _GSR.to_bytes(3, "little"),
            bytes([_SET_RANGE, _AUTOMATIC]),
            bytes([_START]),
        ):
            yield Write(COMMANDS, command)

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Stop: the sensor measures on otherwise."""
        yield Write(COMMANDS, bytes([_STOP]))
        yield Unsubscribe(NOTIFY)

    def cut(self) -> None:
        """Forget what waits for its rest."""
        self._buffer, self._notified, self._last = b"", b"", None

    def decode(self, uuid: str, data: bytes) -> list[Decoded]:
        """Frames that a notification completes; what is left over waits for the next.

        Raises
        ------
        ProtocolError
            If it brought nothing but bytes that are no packet's.
        """
        if uuid != NOTIFY or not self.streams:
            return []
        # Every packet has its time: the same bytes in a row are the same notification.
        if data == self._notified and len(data) >= _SIZE:
            return [Repeated("eda")]
        self._notified = data
        self._buffer += data
        frames: list[Decoded] = []
        skipped = 0
        while len(self._buffer) >= _SIZE:
            packet = self._next()
            if packet is None and len(self._buffer) < 2 * _SIZE and self._buffer[0] == _DATA:
                break
            if packet is None:
                # Between packets the sensor answers commands.
                skipped += self._buffer[0] != _ACK
                self._buffer = self._buffer[1:]
                continue
            self._buffer, self._last = self._buffer[_SIZE:], packet
            number = round(packet.ticks / _PERIOD) % MODULUS
            frames.append(Frame("eda", np.array([[packet.microsiemens()]]), sequence=number, modulus=MODULUS))
        if skipped and not frames:
            msg = f"{skipped} bytes from the Shimmer are no packet"
            raise ProtocolError(msg, 0)
        return frames

    def _next(self) -> ShimmerPacket | None:
        """The packet at the head of the buffer, if it is to be believed."""
        packet = _read(self._buffer[:_SIZE])
        if packet is None or (self._last is not None and packet.follows(self._last)):
            return packet
        behind = _read(self._buffer[_SIZE : 2 * _SIZE])
        return packet if behind is not None and behind.follows(packet) else None


def _read(data: bytes) -> ShimmerPacket | None:
    try:
        return ShimmerPacket.decode(data)
    except ProtocolError:
        return None


DEVICE = Shimmer3R
