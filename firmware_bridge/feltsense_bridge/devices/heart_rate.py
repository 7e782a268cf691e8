"""Any strap with the standard Heart Rate service (0x180D): heart rate, and the intervals between beats.

Wire format (Bluetooth Heart Rate Service 1.0, characteristic 0x2A37, little-endian): flags u8 (b0 rate is u16, b1
contact, b2 contact supported, b3 energy present, b4 intervals present), rate u8 or u16, [energy u16, kJ],
intervals u16 each in ticks of 1/1024 s, oldest first.

- Ticks become seconds exactly (a float holds every n/1024), never rounded to milliseconds.
- The service has no timestamps and no sequence numbers: what is lost on the radio is lost unseen, and nobody can
  say more about when a beat was than when its notification arrived. For intervals that can be placed, take ECG.
- A rate of 0 is "no reading": it becomes NaN.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.signals import IRREGULAR, SignalSpec, spec
from feltsense.errors import ProtocolError
from feltsense_bridge.device import Advertisement, Frame, StreamReset, Subscribe, Unsubscribe
from feltsense_bridge.devices._gatt import HEART_RATE_MEASUREMENT, HEART_RATE_SERVICE, advertises, chosen

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from feltsense_bridge.device import Action

__all__ = ["DEVICE", "TICKS_PER_SECOND", "HeartRateMeasurement", "HeartRateStrap", "heart_rate_frames"]

TICKS_PER_SECOND: Final = 1024
"""Resolution of an interval."""

_WIDE, _CONTACT, _CONTACT_SUPPORTED, _ENERGY, _INTERVALS = 1, 2, 4, 8, 16


@dataclass(frozen=True, slots=True)
class HeartRateMeasurement:
    """One notification of 0x2A37.

    Attributes
    ----------
    bpm : int
        Beats per minute, 0 where there is no reading.
    contact : bool or None
        Skin contact; None where the sensor cannot tell.
    energy : int or None
        Energy expended since the last reset, kJ.
    ticks : tuple of int
        Intervals in 1/1024 s, oldest first.
    """

    bpm: int
    contact: bool | None = None
    energy: int | None = None
    ticks: tuple[int, ...] = ()

    def encode(self) -> bytes:
        """Bytes of the notification."""
        flags = _WIDE if self.bpm > 0xFF else 0
        if self.contact is not None:
            flags |= _CONTACT_SUPPORTED | (_CONTACT if self.contact else 0)
        flags |= (_ENERGY if self.energy is not None else 0) | (_INTERVALS if self.ticks else 0)
        head = struct.pack("<BH" if flags & _WIDE else "<BB", flags, self.bpm)
        energy = b"" if self.energy is None else struct.pack("<H", self.energy)
        return head + energy + struct.pack(f"<{len(self.ticks)}H", *self.ticks)

    @classmethod
    def decode(cls, data: bytes) -> HeartRateMeasurement:
        """Read a notification.

        Raises
        ------
        ProtocolError
            If it is too short, or has bytes that its flags do not announce.
        """
        if len(data) < 2:
            msg = f"heart rate measurement needs at least 2 bytes, got {len(data)}"
            raise ProtocolError(msg, len(data))
        flags = data[0]
        at = 3 if flags & _WIDE else 2
        end = at + (2 if flags & _ENERGY else 0)
        if len(data) < end:
            msg = f"heart rate measurement with flags {flags:#04x} needs {end} bytes, got {len(data)}"
            raise ProtocolError(msg, len(data))
        bpm = int.from_bytes(data[1:at], "little")
        energy = int.from_bytes(data[at:end], "little") if flags & _ENERGY else None
        rest = data[end:]
        if len(rest) % 2 or (rest and not flags & _INTERVALS):
            msg = f"heart rate measurement has {len(rest)} trailing bytes that are no intervals"
            raise ProtocolError(msg, end)
        contact = bool(flags & _CONTACT) if flags & _CONTACT_SUPPORTED else None
        return cls(bpm, contact, energy, struct.unpack(f"<{len(rest) // 2}H", rest))


def heart_rate_frames(data: bytes, streams: Sequence[str]) -> list[Frame | StreamReset]:
    """Frames of one 0x2A37 notification, of the streams that are wanted.

    Raises
    ------
    ProtocolError
        If the bytes break the protocol.
    """
    measured = HeartRateMeasurement.decode(data)
    frames: list[Frame | StreamReset] = []
    if "heart_rate" in streams:
        frames.append(Frame("heart_rate", np.array([[measured.bpm or np.nan]], dtype=np.float64)))
    if "rr" in streams and measured.ticks:
        frames.append(Frame("rr", np.array(measured.ticks, dtype=np.float64)[:, None] / TICKS_PER_SECOND))
    return frames


class HeartRateStrap:
    """A sensor with the standard Heart Rate service.

    Parameters
    ----------
    streams : sequence of str, optional
        Of ``heart_rate`` and ``rr``; default both.
    """

    model: ClassVar[str] = "heart_rate"
    offered: ClassVar[tuple[str, ...]] = ("heart_rate", "rr")

    def __init__(self, streams: Sequence[str] | None = None) -> None:
        self.streams = chosen(self.model, self.offered, streams, self.offered)

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Whether the advertisement names the Heart Rate service."""
        return advertises(advertisement, HEART_RATE_SERVICE)

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal; both streams are irregular."""
        return {name: spec(name, IRREGULAR) for name in self.streams}

    def start(self) -> Generator[Action, bytes | None, None]:
        """Subscribe; the strap sends by itself."""
        yield Subscribe(HEART_RATE_MEASUREMENT)

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Unsubscribe."""
        yield Unsubscribe(HEART_RATE_MEASUREMENT)

    def decode(self, uuid: str, data: bytes) -> list[Frame | StreamReset]:
        """Frames of one notification.

        Raises
        ------
        ProtocolError
            If the bytes break the protocol.
        """
        return heart_rate_frames(data, self.streams) if uuid == HEART_RATE_MEASUREMENT else []


DEVICE = HeartRateStrap
