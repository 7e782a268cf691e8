"""HLK-LD2450, a 24 GHz radar that follows up to three people, on a serial port (256,000 baud).

Wire format (the maker's manual, section 6): ten frames of 30 bytes a second, in a stream without cuts::

    AA FF 03 00 | three targets of 8 bytes | 55 CC
    target: x s15 mm | y s15 mm | speed s15 cm/s | distance resolution u16 mm, little-endian

s15: bit 15 set is positive, clear is negative; the other bits are the magnitude. A target of eight zero bytes is none.

- Positions are in m: x to the side, y away from the sensor. Speed is in m/s and positive where the maker's number is.
- No time, no number, no checksum: a frame is believed for its head and tail, and placed where it arrives; one that is
  lost is lost unseen.
- `address` of a link is the serial port; :func:`feltsense_bridge.transport_serial.serial_client` makes its client.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.signals import IRREGULAR, SignalSpec, spec
from feltsense.errors import ProtocolError
from feltsense_bridge.device import Advertisement, Damaged, Frame, Subscribe, Unsubscribe
from feltsense_bridge.devices._gatt import chosen

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense_bridge.device import Action, Decoded

__all__ = ["BAUD", "BYTES", "DEVICE", "TARGETS", "RadarLd2450", "decode_frame", "encode_frame"]

BAUD: Final = 256_000
BYTES: Final = "serial"
"""What a serial port's stream of bytes is called where Bluetooth has a characteristic."""
TARGETS: Final = 3
FRAME_BYTES: Final = 30
_HEAD, _TAIL = bytes.fromhex("aaff0300"), bytes.fromhex("55cc")
_TARGET: Final = struct.Struct("<HHHH")
_POSITIVE: Final = 0x8000
_UNITS: Final = (1e-3, 1e-3, 1e-2, 1e-3)
"""Metres a mm, m/s a cm/s."""


def encode_frame(targets: NDArray[np.float64]) -> bytes:
    """Bytes of a frame.

    Parameters
    ----------
    targets : ndarray, shape (3, 4)
        x and y in m, speed in m/s, distance resolution in m; a row with NaN is no target.
    """
    body = b""
    for row in targets:
        if not np.isfinite(row).all():
            body += bytes(_TARGET.size)
            continue
        *signed, resolution = (round(v / unit) for v, unit in zip(row.tolist(), _UNITS, strict=True))
        body += _TARGET.pack(*(v | _POSITIVE if v >= 0 else -v for v in signed), resolution)
    return _HEAD + body + _TAIL


def decode_frame(data: bytes) -> NDArray[np.float64]:
    """Targets of a frame, shape (3, 4); rows of NaN where there is none.

    Raises
    ------
    ProtocolError
        If length, head or tail are wrong.
    """
    if len(data) != FRAME_BYTES or not data.startswith(_HEAD) or not data.endswith(_TAIL):
        msg = f"{len(data)} bytes are no LD2450 frame: {FRAME_BYTES} bytes from {_HEAD.hex()} to {_TAIL.hex()}"
        raise ProtocolError(msg, 0)
    out = np.full((TARGETS, len(_UNITS)), np.nan)
    for k in range(TARGETS):
        raw = _TARGET.unpack_from(data, len(_HEAD) + k * _TARGET.size)
        if any(raw):
            signed = [v & 0x7FFF if v & _POSITIVE else -(v & 0x7FFF) for v in raw[:3]]
            out[k] = np.array([*signed, raw[3]]) * _UNITS
    return out


class RadarLd2450:
    """An HLK-LD2450.

    Parameters
    ----------
    streams : sequence of str, optional
        ``radar_targets``, the only one.
    """

    model: ClassVar[str] = "radar_ld2450"
    offered: ClassVar[tuple[str, ...]] = ("radar_targets",)

    def __init__(self, streams: Sequence[str] | None = None) -> None:
        self.streams = chosen(self.model, self.offered, streams, self.offered)
        self._buffer = b""

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Never: a serial port advertises nothing."""
        return False

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal; irregular, some ten a second."""
        return {name: spec(name, IRREGULAR) for name in self.streams}

    def start(self) -> Generator[Action, bytes | None, None]:
        """Listen; the radar sends by itself."""
        yield Subscribe(BYTES)

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Listen no longer."""
        yield Unsubscribe(BYTES)

    def cut(self) -> None:
        """Forget what waits for its rest."""
        self._buffer = b""

    def decode(self, uuid: str, data: bytes) -> list[Decoded]:
        """Frames that these bytes complete, one row each; what is left over waits for the next.

        Raises
        ------
        ProtocolError
            If they brought nothing but bytes that are no frame's.
        """
        if uuid != BYTES or not self.streams:
            return []
        self._buffer += data
        rows, skipped = [], 0
        while len(self._buffer) >= FRAME_BYTES:
            if self._buffer.startswith(_HEAD) and self._buffer[:FRAME_BYTES].endswith(_TAIL):
                rows.append(decode_frame(self._buffer[:FRAME_BYTES]).ravel())
                self._buffer = self._buffer[FRAME_BYTES:]
                continue
            at = self._buffer.find(_HEAD, 1)
            # What could be the beginning of a head stays.
            at = len(self._buffer) - len(_HEAD) + 1 if at < 0 else at
            skipped += at
            self._buffer = self._buffer[at:]
        if skipped and not rows:
            msg = f"{skipped} bytes from the radar are no frame: is the port the radar's, at {BAUD} baud?"
            raise ProtocolError(msg, 0)
        if not rows:
            return []
        frame = Frame(self.streams[0], np.array(rows))
        return [Damaged(), frame] if skipped else [frame]


DEVICE = RadarLd2450
