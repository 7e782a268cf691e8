"""What a device is, without a radio: bytes in, frames out, and the dialogue that starts and stops its streams.

Contract
--------
- A file ``devices/<name>.py`` holds one device class named by ``DEVICE``; it is found by its module. No clock, no
  loop, no thread: every codec is sans-io.
- ``decode`` never raises anything but :class:`~feltsense.errors.ProtocolError` and never loops on garbage. A frame
  that raises is counted as corrupt, the next is read as if nothing had happened.
- Encode and decode are twins in the same file, so that the virtual sensor, the tests and the SDK share one truth.
- ``start`` and ``stop`` are generators of :class:`Action`; the link carries each out and sends the answer back
  (the value that was read, the notification that was expected, or None)::

      reply = yield Write(CONTROL, command, expect=CONTROL)

- A :class:`Frame` holds samples of one stream and what the device says about their place: the device time of the
  *last* sample, or a sequence number, or neither. Turning frames into chunks (gaps, segments, session time) is the
  business of :mod:`feltsense_bridge.accounting` and of nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from feltsense.core.signals import SignalSpec

__all__ = [
    "Action",
    "Advertisement",
    "Damaged",
    "Decoded",
    "Device",
    "Frame",
    "Kept",
    "Pieced",
    "Read",
    "Repeated",
    "RoundTrip",
    "StreamReset",
    "Subscribe",
    "Tended",
    "Unsubscribe",
    "Write",
]


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What a scan saw of one device.

    Attributes
    ----------
    address : str
        What to connect to.
    name : str
        Advertised name, empty if none.
    services : tuple of str
        Advertised service UUIDs, long form, lower case.
    rssi : int
        Signal strength, dBm.
    manufacturer : mapping of int to bytes
        Company id → data.
    """

    address: str
    name: str = ""
    services: tuple[str, ...] = ()
    rssi: int = 0
    manufacturer: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Enable notifications or indications of a characteristic.

    Attributes
    ----------
    uuid : str
        Characteristic.
    optional : bool
        If the device has no such characteristic, the answer is ``b""`` rather than an error.
    """

    uuid: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Disable them again."""

    uuid: str


@dataclass(frozen=True, slots=True)
class Read:
    """Read a characteristic; the answer is its value."""

    uuid: str


@dataclass(frozen=True, slots=True)
class Write:
    """Write a characteristic.

    Attributes
    ----------
    uuid : str
        Characteristic.
    data : bytes
        What to write.
    expect : str, optional
        Characteristic whose next notification or indication is the answer; None: the answer is None.
    response : bool
        Write with response.
    """

    uuid: str
    data: bytes
    expect: str | None = None
    response: bool = True


Action = Subscribe | Unsubscribe | Read | Write


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Samples of one stream, as one notification carried them.

    Attributes
    ----------
    stream : str
        The device's name of the stream, for example ``"ecg"``.
    values : ndarray of float64, shape (n, channels)
        Samples in the unit of the stream's signal.
    device_ns : int or None
        Device time of the last sample, in ns of the device's own clock.
    sequence : int or None
        Sequence number of the frame.
    modulus : int
        What the sequence number wraps at; 0 where there is none.
    lasting_ns : ndarray of int64, shape (n,), or None
        Irregular streams: how long before each sample the one before it was, by the device. None: the first column
        of `values` says so, in s.
    again : bool
        Whether it was lost and fetched again: its arrival says nothing of the clock.
    """

    stream: str
    values: NDArray[np.float64]
    device_ns: int | None = None
    sequence: int | None = None
    modulus: int = 0
    lasting_ns: NDArray[np.int64] | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class StreamReset:
    """The device says that a stream ended by itself, or that its clock was reset."""

    stream: str
    why: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """The bytes of a notification came twice: a device whose bytes are one stream cannot read them as frames."""

    stream: str


@dataclass(frozen=True, slots=True)
class Damaged:
    """Bytes before the frames that follow were no frame's: where nothing is numbered, something may be missing here."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A device's answer to a request for lost frames.

    Attributes
    ----------
    stream : str
        Which.
    first, frames : int
        Sequence number of the first that will come, and how many; those before it are gone.
    refused : bool
        The device does not send frames again.
    """

    stream: str
    first: int = 0
    frames: int = 0
    refused: bool = False


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A device's answer to a question for its time.

    Attributes
    ----------
    asked_us : int
        Low 32 bits of the session time, in µs, at which it was asked (the device gives back what it was sent).
    received_ns, sent_ns : int
        Device time at which the question came, and at which the answer left.
    """

    asked_us: int
    received_ns: int
    sent_ns: int


Decoded = Frame | StreamReset | Damaged | Repeated | Kept | RoundTrip


@runtime_checkable
class Tended(Protocol):
    """What some devices can be asked in between, while they stream. Answers come as notifications."""

    @property
    def keeps(self) -> frozenset[str]:
        """Streams whose lost frames can be fetched again; empty until the device was started."""

    def ping(self, now_ns: int) -> Write | None:
        """Question for the device's time, asked at a session time; None if it has no answer to that."""

    def fetch(self, stream: str, first: int, frames: int) -> Write:
        """Request for frames by their sequence numbers."""


@runtime_checkable
class Pieced(Protocol):
    """What devices have whose frames may come in several notifications."""

    def cut(self) -> None:
        """The connection has gone: what waits for its rest will never get it."""


class Device(Protocol):
    """One model of sensor.

    Parameters
    ----------
    streams : sequence of str, optional
        Names of the streams to start; default what the model documents (mostly all that it offers).
    """

    model: ClassVar[str]
    """Name of the model, equal to its module."""

    def __init__(self, streams: Sequence[str] | None = None) -> None: ...

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Whether an advertisement is this model's."""

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal, of the streams that are (to be) started. Final once ``start`` has run."""

    def start(self) -> Generator[Action, bytes | None, None]:
        """Dialogue after connecting: read settings, subscribe, start the streams."""

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Dialogue before disconnecting: stop the streams (some sensors run down their battery otherwise)."""

    def decode(self, uuid: str, data: bytes) -> Sequence[Decoded]:
        """Decode one notification.

        Raises
        ------
        ProtocolError
            If the bytes break the protocol.
        """
