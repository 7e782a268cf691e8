"""Movesense sensors over their GATT SensorData Protocol: ECG and acceleration.

Wire format (GATT SensorData Protocol 1, little-endian): a command is code u8, reference u8 (chosen by the host, here
one a stream), and for a subscription the path of the resource as text. The sensor notifies code u8 (1 response, 2
data, 3 second part of data), reference u8, and

- response: status u16, as in HTTP;
- data: time of the first sample u32 in ms since the sensor was switched on, then samples: ECG int32 in steps of
  ``ECG_STEP_MV``, acceleration three float32 in m/s².

- Rates are in the paths that are subscribed to: the sensor delivers what the path names, or refuses.
- There is no sequence number: what is lost is told from the time stamps, which are whole milliseconds.
- A response may get lost, so nobody waits for one. A refusal that comes says so as a :class:`StreamReset`.
- Data in two parts does not occur with the packets of these two streams at a packet size of 73 bytes or more; a
  second part is refused as a sign of smaller packets.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.signals import SignalSpec, spec
from feltsense.core.timeline import NS
from feltsense.errors import LinkError, ProtocolError
from feltsense_bridge.device import Advertisement, Frame, StreamReset, Subscribe, Unsubscribe, Write
from feltsense_bridge.devices._gatt import advertises, chosen

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense_bridge.device import Action

__all__ = [
    "COMMAND",
    "DEVICE",
    "ECG_STEP_MV",
    "NOTIFY",
    "PATHS",
    "SERVICE",
    "STANDARD_GRAVITY",
    "Code",
    "Command",
    "Movesense",
    "MovesenseData",
    "encode_response",
]

SERVICE: Final = "34802252-7185-4d5d-b431-630e7050e8f0"
COMMAND: Final = "34800001-7185-4d5d-b431-630e7050e8f0"
NOTIFY: Final = "34800002-7185-4d5d-b431-630e7050e8f0"

ECG_STEP_MV: Final = 0.000381469726563
"""Millivolt a count, as the maker states it."""
STANDARD_GRAVITY: Final = 9.80665
"""m/s² of 1 g, by definition."""
RATES: Final[Mapping[str, Fraction]] = {"ecg": Fraction(200), "acc": Fraction(52)}
"""ECG fine enough for intervals between beats, acceleration for steps: the nearest that the sensor offers."""
PATHS: Final[Mapping[str, str]] = {"ecg": f"/Meas/ECG/{RATES['ecg']}", "acc": f"/Meas/Acc/{RATES['acc']}"}
_REFERENCES: Final[Mapping[str, int]] = {"ecg": 1, "acc": 2}
_STREAMS: Final[Mapping[int, str]] = {n: name for name, n in _REFERENCES.items()}
_MS: Final = 1_000_000
_HEAD: Final = struct.Struct("<BBI")
_RESPONSE: Final = struct.Struct("<BBH")
_REFUSED: Final = 300
"""Statuses from here on are no success, as in HTTP."""
_NAME: Final = "movesense"


class Command(IntEnum):
    """Codes of the commands that are used."""

    SUBSCRIBE = 1
    UNSUBSCRIBE = 2


class Code(IntEnum):
    """Codes of what the sensor notifies."""

    RESPONSE = 1
    DATA = 2
    DATA_PART_2 = 3


def encode_response(reference: int, status: int) -> bytes:
    """Bytes of a response."""
    return _RESPONSE.pack(Code.RESPONSE, reference, status)


@dataclass(frozen=True, slots=True, eq=False)
class MovesenseData:
    """One notification with samples.

    Attributes
    ----------
    stream : str
        ``ecg`` or ``acc``.
    first_ms : int
        Time of the first sample on the sensor's clock.
    raw : ndarray of int32 (ecg) or float32 (acc), shape (n, channels)
        Counts, or m/s².
    """

    stream: str
    first_ms: int
    raw: NDArray[np.int32] | NDArray[np.float32]

    def encode(self) -> bytes:
        """Bytes of the notification."""
        form = "<i4" if self.stream == "ecg" else "<f4"
        return _HEAD.pack(Code.DATA, _REFERENCES[self.stream], self.first_ms) + self.raw.astype(form).tobytes()

    @classmethod
    def decode(cls, data: bytes) -> MovesenseData:
        """Read a notification with samples.

        Raises
        ------
        ProtocolError
            If it has no whole number of samples, or its reference is nobody's.
        """
        if len(data) <= _HEAD.size:
            msg = f"Movesense data has more than {_HEAD.size} bytes, got {len(data)}"
            raise ProtocolError(msg, len(data))
        code, reference, first_ms = _HEAD.unpack_from(data)
        stream = _STREAMS.get(reference, "")
        if code != Code.DATA or not stream:
            msg = f"Movesense notification with code {code} and reference {reference} is nobody's data"
            raise ProtocolError(msg, 0)
        form, channels = ("<i4", 1) if stream == "ecg" else ("<f4", 3)
        if (len(data) - _HEAD.size) % (4 * channels):
            msg = f"{len(data) - _HEAD.size} bytes are no whole number of samples of {stream}"
            raise ProtocolError(msg, _HEAD.size)
        return cls(stream, first_ms, np.frombuffer(data, form, offset=_HEAD.size).reshape(-1, channels))

    def frame(self) -> Frame:
        """Samples in mV or g; what is no number, or beyond any sensor's, is NaN."""
        n = len(self.raw)
        last_ns = self.first_ms * _MS + round((n - 1) * NS / RATES[self.stream])
        # A signalling NaN, which any damaged float may be, would warn.
        with np.errstate(invalid="ignore"):
            values = self.raw.astype(np.float64)
        values = values * ECG_STEP_MV if self.stream == "ecg" else values / STANDARD_GRAVITY
        return Frame(self.stream, np.where(np.isfinite(values), values, np.nan), device_ns=last_ns)


class Movesense:
    """A Movesense sensor with firmware that speaks the GATT SensorData Protocol.

    Parameters
    ----------
    streams : sequence of str, optional
        Of ``ecg`` (200 Hz) and ``acc`` (52 Hz); default both.
    """

    model: ClassVar[str] = "movesense"
    offered: ClassVar[tuple[str, ...]] = ("ecg", "acc")

    def __init__(self, streams: Sequence[str] | None = None) -> None:
        self.streams = chosen(self.model, self.offered, streams, self.offered)
        self._early: list[bytes] = []

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Whether the advertisement has the service, or the name that the maker gives all its sensors."""
        return advertises(advertisement, SERVICE) or advertisement.name.lower().startswith(_NAME)

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal."""
        return {name: spec(name, RATES[name]) for name in self.streams}

    def start(self) -> Generator[Action, bytes | None, None]:
        """Subscribe to the notifications, then to each resource.

        Raises
        ------
        LinkError
            If the sensor refuses one.
        ProtocolError
            If an answer breaks the protocol.
        """
        yield Subscribe(NOTIFY)
        for name in self.streams:
            command = bytes([Command.SUBSCRIBE, _REFERENCES[name]]) + PATHS[name].encode()
            reply = (yield Write(COMMAND, command, expect=NOTIFY)) or b""
            if reply[:1] == bytes([Code.DATA]):
                # A stream that has begun may be faster than the next one's answer.
                self._early.append(reply)
                continue
            for refused in _answered(reply):
                msg = f"{self.model}: {refused.why}"
                raise LinkError(msg)

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Unsubscribe from each resource: the sensor measures on otherwise."""
        for name in self.streams:
            yield Write(COMMAND, bytes([Command.UNSUBSCRIBE, _REFERENCES[name]]))
        yield Unsubscribe(NOTIFY)

    def decode(self, uuid: str, data: bytes) -> list[Frame | StreamReset]:
        """Frames of one notification.

        Raises
        ------
        ProtocolError
            If the bytes break the protocol.
        """
        if uuid != NOTIFY:
            return []
        early, self._early = self._early, []
        return [said for one in (*early, data) for said in self._decode(one)]

    def _decode(self, data: bytes) -> list[Frame | StreamReset]:
        if data[:1] == bytes([Code.RESPONSE]):
            return [*_answered(data)]
        said = MovesenseData.decode(data)
        return [said.frame()] if said.stream in self.streams else []


def _answered(data: bytes) -> list[StreamReset]:
    if len(data) < _RESPONSE.size:
        msg = f"Movesense response has at least {_RESPONSE.size} bytes, got {len(data)}"
        raise ProtocolError(msg, len(data))
    _, reference, status = _RESPONSE.unpack_from(data)
    stream = _STREAMS.get(reference)
    if stream is None or status < _REFUSED:
        return []
    why = f"the sensor refuses {PATHS[stream]} (status {status}): update its firmware, or leave out {stream}"
    return [StreamReset(stream, why)]


DEVICE = Movesense
