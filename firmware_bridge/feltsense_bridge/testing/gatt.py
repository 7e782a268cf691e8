"""A virtual sensor for every device whose streams are plain notifications, driven by the device's own encoder.

What a model's sensor sends is a :class:`Profile`: its service, and for each characteristic an :class:`Output` that
turns the values of some streams at the same instants into notifications. Profiles are in
:mod:`feltsense_bridge.testing.profiles`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from bumble.gatt import Service

from feltsense.core.timeline import NS
from feltsense.errors import RecordingError
from feltsense_bridge.testing._attributes import characteristic, constant
from feltsense_bridge.testing._sensor import VirtualSensor
from feltsense_bridge.testing.player import Player, Track

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.core.recording import Recording
    from feltsense_bridge.testing.player import Playback

__all__ = ["Control", "Moment", "Output", "Profile", "VirtualGatt"]

_SIG_BASE: Final = "-0000-1000-8000-00805f9b34fb"
_ALL_16_BIT, _ALL_128_BIT = 0x03, 0x07


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What a sensor has measured when a notification is due.

    Attributes
    ----------
    device_ns, unix_ns : int
        Time of the last sample, on the sensor's own clock (0: switched on) and on a clock that is right.
    sequence : int
        Number of this output's notification, from 0.
    first : int
        Number of its first sample, from 0, whether or not earlier ones were heard.
    rate : float
        Samples a second of the output's first stream.
    values : mapping of str to ndarray of float64, shape (n, channels)
        Stream → samples; only of streams that the recording has.
    """

    device_ns: int
    unix_ns: int
    sequence: int
    first: int
    rate: float
    values: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Output:
    """Streams that are sent together.

    Attributes
    ----------
    streams : tuple of str
        The first one that the recording has gives the instants.
    uuid : str
        Characteristic.
    encode : callable
        Moment → values of the notifications.
    per_frame : int
        Samples a notification.
    indicate : bool
        Indications instead of notifications.
    keeps : bool
        What nobody took is kept, and sent before anything else when somebody does.
    """

    streams: tuple[str, ...]
    uuid: str
    encode: Callable[[Moment], Sequence[bytes]]
    per_frame: int = 1
    indicate: bool = False
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Control:
    """How a sensor is told to start and stop.

    Attributes
    ----------
    uuid : str
        Characteristic that is written.
    obey : callable
        Command → (streams that are sent from now on, or None: as before; answer, or None).
    answers : str
        Characteristic that answers are notified by; empty where there are none.
    """

    uuid: str
    obey: Callable[[bytes], tuple[frozenset[str] | None, bytes | None]]
    answers: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A model's service and what it sends.

    Attributes
    ----------
    name : str
        Advertised name, at most 8 bytes beside a long service UUID.
    service : str
        Advertised service, which has all characteristics.
    kinds : mapping of str to str
        The sensor's name of a stream → kind of signal.
    outputs : tuple of Output
        What is sent.
    control : Control or None
        None: the sensor sends whatever is subscribed to.
    advertised : bool
        Whether the service is in the advertisement.
    reads : mapping of str to bytes
        Characteristics that can be read, and their values.
    """

    name: str
    service: str
    kinds: Mapping[str, str]
    outputs: tuple[Output, ...]
    control: Control | None = None
    advertised: bool = True
    reads: Mapping[str, bytes] = field(default_factory=dict)


class VirtualGatt(VirtualSensor):
    """A sensor of a model that needs nothing but notifications.

    Parameters
    ----------
    source : Recording or Playback
        What it measures; rates are the recording's own.
    profile : Profile
        Of which model.
    name : str, optional
        Advertised name; default the profile's.
    address : str, optional
        Bluetooth address; default one that the radio chooses.
    streams : mapping of str to str, optional
        The sensor's name of a stream → id of the recording's stream; default by kind.
    drift_ppm : float
        By how many millionths its clock runs fast.

    Raises
    ------
    RecordingError
        If the recording has nothing that the sensor could play.

    Examples
    --------
    ::

        core = await radio.add(VirtualGatt(recording, profiles.core()))
    """

    def __init__(
        self,
        source: Recording | Playback,
        profile: Profile,
        name: str = "",
        *,
        address: str = "",
        streams: Mapping[str, str] | None = None,
        drift_ppm: float = 0.0,
    ) -> None:
        super().__init__(source, name or profile.name, address=address, streams=streams, drift_ppm=drift_ppm)
        self.profile = profile
        self._tracks = self._lay_out()
        self._sent: frozenset[str] = frozenset() if profile.control else frozenset(profile.kinds)
        self._heard: set[str] = set()
        self._sequence: dict[str, int] = {}
        self._chars: dict[str, Any] = {}
        for output in profile.outputs:
            if output.uuid not in self._chars:
                self._offer(output.uuid, indicate=output.indicate)
        for uuid, value in profile.reads.items():
            self._chars[uuid] = characteristic(uuid, read=constant(value))
        control = profile.control
        if control is not None:
            if control.answers and control.answers not in self._chars and control.answers != control.uuid:
                self._offer(control.answers)
            own = control.answers == control.uuid
            self._chars[control.uuid] = characteristic(control.uuid, write=self._obey, notify=own)

    def _offer(self, uuid: str, *, indicate: bool = False) -> None:
        offered = characteristic(uuid, notify=not indicate, indicate=indicate)
        offered.on("subscription", lambda _c, notify, indicates: self._subscribed(uuid, on=bool(notify or indicates)))
        self._chars[uuid] = offered

    def _lay_out(self) -> dict[str, Track]:
        origin = self.playback.recording.start_ns
        found = {name: self.find(name, kind) for name, kind in self.profile.kinds.items()}
        tracks = {
            name: Track.of(s, origin, keep_nan=True) for name, s in found.items() if s is not None and s.info.spec.rate
        }
        if not tracks:
            msg = f"{self.name}: the recording has none of {', '.join(self.profile.kinds.values())} at a rate"
            raise RecordingError(msg)
        return tracks

    def _identity(self) -> tuple[str, str]:
        return "feltsense", f"virtual {self.profile.name}"

    def _services(self) -> Sequence[Any]:
        return [Service(self.profile.service, list(self._chars.values()))]

    def _advertised(self) -> bytes:
        uuid = self.profile.service
        if not self.profile.advertised:
            return b""
        if uuid.endswith(_SIG_BASE):
            return bytes([3, _ALL_16_BIT]) + int(uuid[4:8], 16).to_bytes(2, "little")
        return bytes([17, _ALL_128_BIT]) + bytes.fromhex(uuid.replace("-", ""))[::-1]

    def _sends(self) -> Sequence[str]:
        return tuple(self._tracks)

    def _lost_connection(self) -> None:
        self._heard.clear()
        if self.profile.control is not None:
            self._sent = frozenset()

    def _subscribed(self, uuid: str, *, on: bool) -> None:
        (self._heard.add if on else self._heard.discard)(uuid)
        self._begin()

    def _obey(self, _connection: Any, data: bytes) -> None:
        control = self.profile.control
        if control is None:
            return
        sent, answer = control.obey(data)
        if sent is not None:
            self._sent = sent
        if answer is not None:
            self._spawn(self.notify(self._chars[control.answers], answer))
        self._begin()

    def _begin(self) -> None:
        """Play what has been asked for; once begun, it goes on whether or not anybody listens."""
        for output in self.profile.outputs:
            present = [s for s in output.streams if s in self._tracks]
            if not present or output.uuid not in self._heard or not self._sent.intersection(present):
                continue
            if not self.playing(present[0]):
                track = self._tracks[present[0]]
                player = Player(track, self.playback, self._radio, output.per_frame, self._deliverer(output, present))
                self.perform_once(present[0], player.run, dict.fromkeys(present, player))

    def _deliverer(self, output: Output, present: Sequence[str]) -> Callable[[int, NDArray[np.float64]], Awaitable[None]]:
        lead = present[0]
        rate = float(self._tracks[lead].rate)
        first, kept = 0, list[bytes]()

        async def deliver(last_ns: int, values: NDArray[np.float64]) -> None:
            nonlocal first
            sequence = self._sequence.get(lead, 0)
            self._sequence[lead] = sequence + 1
            # The recording's time of each sample, to look the other streams up at the same instants.
            within = (last_ns - self.playback.origin_ns) % max(self.playback.length_ns, 1)
            at = within - np.rint(np.arange(len(values))[::-1] * NS / rate).astype(np.int64)
            shown = {lead: values} | {s: _latest(self._tracks[s], at) for s in present[1:]}
            moment = Moment(self.device_ns(last_ns), last_ns, sequence, first, rate, shown)
            first += len(values)
            kept.extend(output.encode(moment))
            heard = output.uuid in self._heard and self._sent.intersection(present)
            if not heard and output.keeps:
                return
            if not heard or self.lost(lead):
                kept.clear()
            while kept:
                value = kept.pop(0)
                if not await self._send(output, value) and output.keeps:
                    kept.insert(0, value)
                    return

        return deliver

    async def _send(self, output: Output, value: bytes) -> bool:
        """Whether it is known to have arrived, or nothing tells."""
        if output.indicate:
            return await self._indicate(self._chars[output.uuid], value)
        await self.notify(self._chars[output.uuid], value)
        return True


def _latest(track: Track, at: NDArray[np.int64]) -> NDArray[np.float64]:
    """A track's latest samples at some times of the recording."""
    # Half a period's grace: instants of equal rates may differ by rounding.
    index = np.searchsorted(track.t_ns, at + round(NS / float(track.rate) / 2), side="right") - 1
    return np.asarray(track.values[np.maximum(index, 0)])
