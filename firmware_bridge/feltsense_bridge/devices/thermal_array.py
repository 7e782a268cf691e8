"""A thermal array of 32 × 24 pixels over Bluetooth LE: boards with the open thermal-cam-ble firmware (MLX90640).

Wire format (facts from thermal-cam-ble's own web page, Apache-2.0; little-endian): an image is 768 numbers s16 in
hundredths of a °C, in four notifications of six rows; the last has three s16 more (of the chip and its battery)::

    part s16 | 192 x s16 | status

- The chip counts columns from the right, as its owner's page does; here they count from the left.
- The board wants to be paired before it sends, by its button; do that in the system's settings.
- Parts come in order; an image that lacks one, or whose parts are out of order, is refused as damaged: half a face of
  one moment and half of another is no measurement.
- No time and no number of the image: it is placed where its last part arrives, and one lost whole is lost unseen.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.signals import IRREGULAR, SignalSpec, spec
from feltsense.errors import ProtocolError
from feltsense_bridge.device import Advertisement, Frame, Subscribe, Unsubscribe
from feltsense_bridge.devices._gatt import advertises, chosen

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense_bridge.device import Action, Decoded

__all__ = ["COLUMNS", "DEVICE", "IMAGE", "PARTS", "ROWS", "SERVICE", "ThermalArray", "decode_part", "encode_image"]

SERVICE: Final = "38185cd8-4e17-e1b8-554f-dfe74135dde5"
IMAGE: Final = "be55aaa5-8188-4063-8a57-eea168985662"

ROWS, COLUMNS, PARTS = 24, 32, 4
_PIXELS: Final = ROWS * COLUMNS // PARTS
_HEAD: Final = struct.Struct("<h")
_PART_BYTES: Final = _HEAD.size + 2 * _PIXELS
_DEGREES: Final = 0.01
_NAME: Final = "thermalCam"


def encode_image(celsius: NDArray[np.float64]) -> list[bytes]:
    """The notifications of an image of shape (768,); the format has no "no reading".

    Raises
    ------
    ValueError
        If a temperature does not fit.
    """
    counts = np.rint(np.asarray(celsius, float).reshape(ROWS, COLUMNS)[:, ::-1] / _DEGREES)
    if not np.all(np.abs(counts) < 2**15):
        msg = "a thermal image holds temperatures from -327 to 327 °C"
        raise ValueError(msg)
    parts = counts.astype("<i2").reshape(PARTS, _PIXELS)
    return [_HEAD.pack(part) + rows.tobytes() for part, rows in enumerate(parts)]


def decode_part(data: bytes) -> tuple[int, NDArray[np.float64]]:
    """Number of a part, and its pixels in °C, shape (6, 32).

    Raises
    ------
    ProtocolError
        If it is too short, too long for a part that is not the last, or has no number from 0 to 3.
    """
    part = _HEAD.unpack_from(data)[0] if len(data) >= _HEAD.size else PARTS
    if len(data) < _PART_BYTES or not 0 <= part < PARTS or (len(data) > _PART_BYTES and part != PARTS - 1):
        msg = f"a part of a thermal image has a number below {PARTS} and {_PART_BYTES} bytes, got {part} and {len(data)}"
        raise ProtocolError(msg, 0)
    counts = np.frombuffer(data, "<i2", _PIXELS, _HEAD.size).astype(np.float64)
    return part, counts.reshape(-1, COLUMNS)[:, ::-1] * _DEGREES


class ThermalArray:
    """A thermal array of 32 × 24 pixels.

    Parameters
    ----------
    streams : sequence of str, optional
        ``thermal_array``, the only one.
    """

    model: ClassVar[str] = "thermal_array"
    offered: ClassVar[tuple[str, ...]] = ("thermal_array",)

    def __init__(self, streams: Sequence[str] | None = None) -> None:
        self.streams = chosen(self.model, self.offered, streams, self.offered)
        self._parts: list[NDArray[np.float64]] = []

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Whether the advertisement has the service, or the firmware's name."""
        return advertises(advertisement, SERVICE) or advertisement.name == _NAME

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal; irregular: the firmware promises no rate."""
        return {name: spec(name, IRREGULAR) for name in self.streams}

    def start(self) -> Generator[Action, bytes | None, None]:
        """Subscribe; the array sends by itself."""
        yield Subscribe(IMAGE)

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Unsubscribe."""
        yield Unsubscribe(IMAGE)

    def cut(self) -> None:
        """Forget what waits for its rest."""
        self._parts = []

    def decode(self, uuid: str, data: bytes) -> list[Decoded]:
        """The image that a part completes.

        Raises
        ------
        ProtocolError
            If the part is damaged, or one before it is missing.
        """
        if uuid != IMAGE or not self.streams:
            return []
        expected = len(self._parts)
        try:
            part, pixels = decode_part(data)
        except ProtocolError:
            self._parts = []
            raise
        if part != expected:
            # A first part begins anew, whatever is missing of the image before.
            self._parts = [pixels] if part == 0 else []
            msg = f"thermal image: part {part} came where part {expected} was due; the image is incomplete"
            raise ProtocolError(msg, 0)
        self._parts.append(pixels)
        if len(self._parts) < PARTS:
            return []
        image, self._parts = np.concatenate(self._parts), []
        return [Frame(self.streams[0], image.reshape(1, -1))]


DEVICE = ThermalArray
