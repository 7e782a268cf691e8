"""BITalino boards over Bluetooth LE: skin conductance and ECG.

Wire format: a stream of bytes. Its cuts into notifications mean nothing; frames are found in it by their checksum.
A frame is one sample of every channel, first byte lowest, and read as one little-endian number, from the top::

    sequence 4 bits | crc 4 bits | digital inputs 4 bits | A1..A4 10 bits each | A5, A6 6 bits each | zeros to a byte

with only the channels that were asked for, in ascending order. The checksum (x⁴ + x + 1) goes over the whole frame
with its own place zero. Commands are one byte: rate ``code << 6 | 3`` (1, 10, 100, 1000 Hz), start
``1 | channels << 2``, stop ``0``. The first four channels of a selection have 10 bits, a fifth and sixth 6.

- The sequence number has 4 bits. How many frames were lost is known but for multiples of 16, between which the elapsed
  time must decide, or gives bounds. A notification that comes twice is told by its bytes.
- A checksum of 4 bits lets one in 16 damaged frames through. A frame that does not continue
  the sequence is therefore believed only when the one behind it is whole and continues it.
- Transfer functions are those of PLUX's sensors for a supply of 3.3 V.
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

__all__ = [
    "COMMANDS",
    "DEVICE",
    "FRAMES",
    "MODULUS",
    "RATE",
    "SERVICE",
    "Bitalino",
    "BitalinoFrame",
    "counts_to_value",
    "crc4",
    "value_to_counts",
]

SERVICE: Final = "c566488a-0882-4e1b-a6d0-0b717e652234"
COMMANDS: Final = "4051eb11-bf0a-4c74-8730-a48f4193fcea"
FRAMES: Final = "40fdba6b-672e-47c4-808a-e529adff3633"

RATE: Final = Fraction(100)
"""Samples a second: enough for conductance and for R peaks to 10 ms; at 1000 Hz each sample would be a chunk of its own."""
MODULUS: Final = 16
_RATE_COMMAND: Final = 2 << 6 | 3
_START, _STOP = 1, 0
_SHIFTED: Final = (0, 3, 6, 5, 12, 15, 10, 9, 11, 8, 13, 14, 7, 4, 1, 2)
"""Remainder of v · x⁴ by x⁴ + x + 1, of each v of 4 bits: the checksum goes on by a nibble at a time."""
_CHANNEL: Final[Mapping[str, int]] = {"ecg": 1, "eda": 2}
"""Channel of each sensor on the board as it is sold: A2 is ECG, A3 skin conductance."""
_WIDE, _NARROW = 10, 6
_WIDE_CHANNELS: Final = 4
_HEAD_BITS: Final = 12
_FULL: Final = 1 << _WIDE
_SUPPLY_V: Final = 3.3
_EDA_V_PER_US: Final = 0.132
_ECG_GAIN: Final = 1100.0


def counts_to_value(stream: str, counts: int) -> float:
    """µS or mV of a channel's counts."""
    volts = counts / _FULL * _SUPPLY_V
    return volts / _EDA_V_PER_US if stream == "eda" else (volts - _SUPPLY_V / 2) / _ECG_GAIN * 1000


def value_to_counts(stream: str, value: float) -> int:
    """Nearest counts of a value; beyond the converter's range its ends."""
    volts = value * _EDA_V_PER_US if stream == "eda" else value * _ECG_GAIN / 1000 + _SUPPLY_V / 2
    return min(max(round(volts / _SUPPLY_V * _FULL), 0), _FULL - 1)


def crc4(data: bytes) -> int:
    """Checksum of a frame, whose own place in the last byte counts as zero."""
    value = 0
    for byte in (*data[:-1], data[-1] & 0xF0):
        value = _SHIFTED[_SHIFTED[value] ^ byte >> 4] ^ byte & 15
    return value


def _widths(channels: int) -> tuple[int, ...]:
    return (_WIDE,) * min(channels, _WIDE_CHANNELS) + (_NARROW,) * max(channels - _WIDE_CHANNELS, 0)


def _size(channels: int) -> int:
    return (_HEAD_BITS + sum(_widths(channels)) + 7) // 8


@dataclass(frozen=True, slots=True)
class BitalinoFrame:
    """One frame.

    Attributes
    ----------
    sequence : int
        0..15.
    digital : int
        Digital inputs, 4 bits.
    counts : tuple of int
        One a channel that was asked for: the first four of 10 bits, the others of 6.
    """

    sequence: int
    digital: int
    counts: tuple[int, ...]

    def encode(self) -> bytes:
        """Bytes of the frame.

        Raises
        ------
        ValueError
            If a number does not fit.
        """
        widths = _widths(len(self.counts))
        fits = all(0 <= c < 1 << w for c, w in zip(self.counts, widths, strict=True))
        if not (fits and 0 <= self.sequence < MODULUS and 0 <= self.digital < 16 and 1 <= len(widths) <= 6):
            msg = f"{self} does not fit a BITalino frame"
            raise ValueError(msg)
        word, used = self.sequence << 8 | self.digital, _HEAD_BITS
        for count, width in zip(self.counts, widths, strict=True):
            word, used = word << width | count, used + width
        size = _size(len(self.counts))
        data = (word << 8 * size - used).to_bytes(size, "little")
        return data[:-1] + bytes([data[-1] | crc4(data)])

    @classmethod
    def decode(cls, data: bytes, channels: int) -> BitalinoFrame:
        """Read a frame of a known number of channels.

        Raises
        ------
        ProtocolError
            If length or checksum are wrong.
        """
        if len(data) != _size(channels) or crc4(data) != data[-1] & 15:
            msg = f"{len(data)} bytes are no BITalino frame of {channels} channels: length or checksum is wrong"
            raise ProtocolError(msg, 0)
        word, left = int.from_bytes(data, "little"), 8 * len(data) - _HEAD_BITS
        counts = []
        for width in _widths(channels):
            left -= width
            counts.append(word >> left & (1 << width) - 1)
        return cls(data[-1] >> 4, word >> 8 * len(data) - _HEAD_BITS & 15, tuple(counts))


class Bitalino:
    """A BITalino board.

    Parameters
    ----------
    streams : sequence of str, optional
        Of ``ecg`` (channel A2) and ``eda`` (channel A3), at 100 Hz; default both.
    """

    model: ClassVar[str] = "bitalino"
    offered: ClassVar[tuple[str, ...]] = ("ecg", "eda")

    def __init__(self, streams: Sequence[str] | None = None) -> None:
        self.streams = chosen(self.model, self.offered, streams, self.offered)
        self._buffer = self._notified = b""
        self._sequence: int | None = None

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Whether the advertisement has the service, or the name that the boards are sold with."""
        return advertises(advertisement, SERVICE) or advertisement.name.lower().startswith("bitalino")

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal."""
        return {name: spec(name, RATE) for name in self.streams}

    def start(self) -> Generator[Action, bytes | None, None]:
        """Set the rate and start the channels."""
        yield Subscribe(FRAMES)
        yield Write(COMMANDS, bytes([_RATE_COMMAND]))
        channels = sum(1 << _CHANNEL[name] for name in self.streams)
        yield Write(COMMANDS, bytes([_START | channels << 2]))

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Stop: the board measures on otherwise."""
        yield Write(COMMANDS, bytes([_STOP]))
        yield Unsubscribe(FRAMES)

    def cut(self) -> None:
        """Forget what waits for its rest."""
        self._buffer, self._notified, self._sequence = b"", b"", None

    def decode(self, uuid: str, data: bytes) -> list[Decoded]:
        """Frames that a notification completes; what is left over waits for the next.

        Raises
        ------
        ProtocolError
            If a whole notification brought nothing but bytes that are no frame's.
        """
        if uuid != FRAMES or not self.streams:
            return []
        size = _size(len(self.streams))
        # The sequence makes the same bytes impossible before it wraps.
        if data == self._notified and size <= len(data) < MODULUS * size:
            return [Repeated(name) for name in self.streams]
        self._notified = data
        self._buffer += data
        frames: list[Decoded] = []
        skipped = 0
        while (found := self._next()) is not None:
            if isinstance(found, BitalinoFrame):
                frames += self._frames(found)
            else:
                skipped += 1
        if skipped and not frames:
            msg = f"{skipped} bytes from the BITalino are no frame: checksums are wrong"
            raise ProtocolError(msg, 0)
        return frames

    def _next(self) -> BitalinoFrame | bool | None:
        """The next frame; True where a byte had to be skipped; None where more bytes are needed."""
        n = len(self.streams)
        size = _size(n)
        head, behind = self._buffer[:size], self._buffer[size : 2 * size]
        if len(head) < size:
            return None
        frame = _read(head, n)
        expected = None if self._sequence is None else (self._sequence + 1) % MODULUS
        if frame is not None and frame.sequence != expected:
            if len(behind) < size:
                return None
            following = _read(behind, n)
            if following is None or following.sequence != (frame.sequence + 1) % MODULUS:
                frame = None
        if frame is None:
            self._buffer, self._sequence = self._buffer[1:], None
            return True
        self._buffer, self._sequence = self._buffer[size:], frame.sequence
        return frame

    def _frames(self, frame: BitalinoFrame) -> list[Frame]:
        return [
            Frame(name, np.array([[counts_to_value(name, c)]]), sequence=frame.sequence, modulus=MODULUS)
            for name, c in zip(self.streams, frame.counts, strict=True)
        ]


def _read(data: bytes, channels: int) -> BitalinoFrame | None:
    try:
        return BitalinoFrame.decode(data, channels)
    except ProtocolError:
        return None


DEVICE = Bitalino
