"""What Polar's virtual sensors share: the PMD service with its settings and error codes, and the Heart Rate service.

As the sensors do (devices named in ``docs/reference/devices.md``; none of this was compared with real ones): answers
by indication after the write; frames stamped with the time of their last sample; a clock that begins at 2019-01-01
when nobody has set it; a start that is refused while the packet size is too small for a frame; pulse intervals in
batches.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from bumble.gatt import Service

from feltsense.core.timeline import NS
from feltsense.errors import ProtocolError, RecordingError
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.devices.heart_rate import TICKS_PER_SECOND
from feltsense_bridge.testing._attributes import characteristic
from feltsense_bridge.testing._heart_rate import Beats, HeartRateOutput
from feltsense_bridge.testing._sensor import ATT_HEADER, VirtualSensor
from feltsense_bridge.testing.player import Player, Track
from feltsense_bridge.testing.strap import HEART_RATE_ADVERTISED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.core.recording import Recording
    from feltsense_bridge.testing.player import Playback

__all__ = ["EPOCH_2019_NS", "Made", "VirtualPolar", "as_bits"]

EPOCH_2019_NS: Final = 1_546_300_800 * NS
"""2019-01-01T00:00:00Z, Unix ns: where the clock begins when nobody has set it."""
PPI_BATCH_S: Final = 5
"""Seconds of pulse intervals in a frame."""
PPI_ERROR_MS: Final = 10
"""What the sensor says that an interval may be off by."""
_IN_CONTACT: Final = 0b110
_LARGEST_FRAME: Final = pmd.FRAME_HEAD + 3 * 73
"""Bytes of the H10's ECG frame, the largest that a packet must hold."""
_REFUSAL: Final = {
    pmd.Setting.RATE: pmd.PmdError.INVALID_RATE,
    pmd.Setting.RESOLUTION: pmd.PmdError.INVALID_RESOLUTION,
    pmd.Setting.RANGE: pmd.PmdError.INVALID_RANGE,
    pmd.Setting.CHANNELS: pmd.PmdError.INVALID_CHANNELS,
}


def as_bits(values: NDArray[np.float64]) -> NDArray[np.int32]:
    """Bits of 32-bit floats, as counts of frames that carry such."""
    return np.ascontiguousarray(values, dtype="<f4").view("<i4").astype(np.int32)


@dataclass(frozen=True, slots=True)
class Made:
    """How a model makes the frames of one measurement.

    Attributes
    ----------
    kind : Measurement
        Type of measurement.
    signal : str
        Kind of the recording's stream.
    layout : int
        Frame type, with its compression bit.
    per_frame : int
        Samples a frame.
    settings : Settings
        What the sensor offers.
    counts : callable
        Values to counts.
    factor : float
        What the answer to START names; 1: nothing.
    """

    kind: pmd.Measurement
    signal: str
    layout: int
    per_frame: int
    settings: pmd.Settings
    counts: Callable[[NDArray[np.float64]], NDArray[np.int32]]
    factor: float = 1.0


@dataclass(slots=True)
class _Tally:
    produced: int = 0


class VirtualPolar(VirtualSensor):
    """A sensor that speaks PMD; the base of the models.

    A stream whose rate is not one of the sensor's is played resampled to it. Samples that are not a number, and gaps
    of the recording, are holes. What the recording lacks, the sensor does not offer.

    Parameters
    ----------
    source : Recording or Playback
        What it measures; beats as for :class:`VirtualStrap`.
    name : str
        Advertised name; default the model's.
    address : str, optional
        Bluetooth address; default one that the radio chooses.
    streams : mapping of str to str, optional
        Name of a stream → id of the recording's stream; default by prefix (where the recording has such) and kind.
    drift_ppm : float
        By how many millionths its clock runs fast.
    epoch_ns : int
        What its clock shows when it is switched on, Unix ns.

    Raises
    ------
    RecordingError
        If the recording has nothing that the sensor could play.
    """

    product: ClassVar[str] = ""
    made: ClassVar[Mapping[str, Made]] = {}
    ppi: ClassVar[bool] = False
    """Whether it offers pulse intervals."""
    ppi_stamped: ClassVar[bool] = True
    sdk_rates: ClassVar[Mapping[str, tuple[int, ...]]] = {}
    """Stream → its rates in SDK mode; empty: the sensor has no such mode."""

    def __init__(
        self,
        source: Recording | Playback,
        name: str = "",
        *,
        address: str = "",
        streams: Mapping[str, str] | None = None,
        drift_ppm: float = 0.0,
        epoch_ns: int = EPOCH_2019_NS,
    ) -> None:
        name = name or f"Polar {self.product} 00000001"
        super().__init__(source, name, address=address, streams=streams, drift_ppm=drift_ppm)
        self._epoch_ns = epoch_ns
        recording = self.playback.recording
        found = {stream: self.find(stream, made.signal) for stream, made in self.made.items()}
        self._tracks = {n: Track.of(s, recording.start_ns) for n, s in found.items() if s is not None}
        for stream, track in self._tracks.items():
            rates = self.made[stream].settings[pmd.Setting.RATE]
            if len(rates) == 1 and stream not in self.sdk_rates:
                self._tracks[stream] = track.at(Fraction(rates[0]))
        self._sending: set[str] = set()
        self._sdk_mode = False
        self._rates: dict[str, int] = {}
        self._output = HeartRateOutput(self)
        self._tally = _Tally()
        self._beats = Beats.of(recording, self.find("ppi", "ppi") or self.find("rr", "rr"), None)
        self._kinds: dict[int, str] = {self.made[n].kind: n for n in self._tracks}
        if self.ppi and len(self._beats.t_ns):
            self._kinds[pmd.Measurement.PPI] = "ppi"
        if not self._kinds and not self._output.beats:
            signals = ", ".join(made.signal for made in self.made.values())
            msg = f"{name}: the recording has no {signals}, rr or heart_rate stream and no beats to play"
            raise RecordingError(msg)
        self._control = characteristic(pmd.CONTROL, read=self._read_features, write=self._command, indicate=True)
        self._data = characteristic(pmd.DATA, notify=True)

    def _identity(self) -> tuple[str, str]:
        return "Polar Electro Oy", self.product

    def _services(self) -> Sequence[Any]:
        return [self._output.service, Service(pmd.SERVICE, [self._control, self._data])]

    def _advertised(self) -> bytes:
        return HEART_RATE_ADVERTISED

    def _sends(self) -> Sequence[str]:
        return (*self._kinds.values(), "heart_rate")

    def _lost_connection(self) -> None:
        self._sending.clear()
        self._output.lost_connection()

    def _read_features(self, _connection: Any) -> bytes:
        more = {pmd.Measurement.SDK_MODE} if self.sdk_rates else set()
        return pmd.encode_features(frozenset(self._kinds) | more)

    def _command(self, connection: Any, data: bytes) -> None:
        operation, kind = data[0] if data else 0, data[1] & 0x3F if len(data) > 1 else 0
        name = self._kinds.get(kind, "")
        error, parameters = pmd.PmdError.OK, b""
        if operation == pmd.Command.STATUS:
            parameters = pmd.encode_status({k: n in self._sending for k, n in self._kinds.items()})
        elif operation not in (pmd.Command.SETTINGS, pmd.Command.START, pmd.Command.STOP, *self._sdk_commands()):
            error = pmd.PmdError.INVALID_OPERATION
        elif len(data) < 2:
            error = pmd.PmdError.INVALID_LENGTH
        elif self.sdk_rates and kind == pmd.Measurement.SDK_MODE:
            error, parameters = self._switch(operation)
        elif not name:
            known = {made.kind for made in self.made.values()}
            error = pmd.PmdError.NOT_SUPPORTED if kind in known else pmd.PmdError.INVALID_TYPE
        elif operation in (pmd.Command.SETTINGS, pmd.Command.SDK_SETTINGS):
            sdk_mode = self._sdk_mode or operation == pmd.Command.SDK_SETTINGS
            parameters = pmd.encode_settings(self._offered(name, sdk_mode)) if name in self.made else b""
        elif operation == pmd.Command.START:
            error = self._start(connection, name, data[2:])
            if not error and name in self.made and self.made[name].factor != 1:
                parameters = pmd.encode_settings(pmd.encode_factor(self.made[name].factor))
        elif name in self._sending:
            self._sending.discard(name)
            self.halt(name)
        else:
            error = pmd.PmdError.ALREADY_IN_STATE
        self.indicate_later(self._control, pmd.PmdReply(operation, kind, error, parameters=parameters).encode())

    def _sdk_commands(self) -> tuple[pmd.Command, ...]:
        return (pmd.Command.SDK_SETTINGS, pmd.Command.SDK_STATUS) if self.sdk_rates else ()

    def _offered(self, name: str, sdk_mode: bool) -> pmd.Settings:
        settings = self.made[name].settings
        return {**settings, pmd.Setting.RATE: self.sdk_rates[name]} if sdk_mode and name in self.sdk_rates else settings

    def _switch(self, operation: int) -> tuple[pmd.PmdError, bytes]:
        """Answer about SDK mode. The switch ends all streams; heart rate and intervals are silent while it is on."""
        if operation == pmd.Command.SDK_STATUS:
            return pmd.PmdError.OK, bytes([self._sdk_mode])
        if operation not in (pmd.Command.START, pmd.Command.STOP):
            return pmd.PmdError.INVALID_OPERATION, b""
        on = operation == pmd.Command.START
        if on is self._sdk_mode:
            return pmd.PmdError.ALREADY_IN_STATE, b""
        for name in self._sending:
            self.halt(name)
        self._sending.clear()
        self._sdk_mode = self._output.silent = on
        return pmd.PmdError.OK, b""

    def _start(self, connection: Any, name: str, data: bytes) -> pmd.PmdError:
        if name in self._sending:
            return pmd.PmdError.ALREADY_IN_STATE
        if connection.att_mtu < _LARGEST_FRAME + ATT_HEADER:
            return pmd.PmdError.INVALID_MTU
        if name == "ppi" and self._sdk_mode:
            return pmd.PmdError.INVALID_STATE
        if name == "ppi":
            self._sending.add(name)
            self.perform_once(name, self._play_ppi, {name: self._tally})
            return pmd.PmdError.OK
        try:
            asked = pmd.decode_settings(data)
        except ProtocolError:
            return pmd.PmdError.INVALID_PARAMETER
        made = self.made[name]
        for setting, offered in self._offered(name, self._sdk_mode).items():
            if len(asked.get(setting, ())) != 1:
                return pmd.PmdError.INVALID_PARAMETER
            if asked[setting][0] not in offered:
                return _REFUSAL[pmd.Setting(setting)]
        rate = asked[pmd.Setting.RATE][0]
        self._sending.add(name)
        if not self.playing(name) or self._rates.get(name) != rate:
            self._rates[name] = rate
            track = self._tracks[name].at(Fraction(rate))
            self.play(name, Player(track, self.playback, self._radio, made.per_frame, self._frame(name, made)))
        return pmd.PmdError.OK

    def _frame(self, name: str, made: Made) -> Callable[[int, NDArray[np.float64]], Awaitable[None]]:
        async def deliver(last_ns: int, values: NDArray[np.float64]) -> None:
            if name not in self._sending or self.lost(name):
                return
            device_ns = self._epoch_ns + self.device_ns(last_ns)
            frame = pmd.PmdFrame(made.kind, device_ns, made.counts(values), made.layout)
            await self.notify(self._data, frame.encode())

        return deliver

    async def _play_ppi(self) -> None:
        await self.playback.started()
        beats, batch, length = self._beats, PPI_BATCH_S * NS, self.playback.length_ns
        number, batches = 0, -(-length // batch)
        while number < batches or self.playback.loop:
            lap, within = divmod(number, batches)
            origin = self.playback.origin_ns + lap * length
            number += 1
            a, b = (int(i) for i in np.searchsorted(beats.t_ns, (within * batch, (within + 1) * batch)))
            due = origin + min((within + 1) * batch, length)
            if a == b or due <= self.now_ns():
                continue
            await self.until(due)
            self._tally.produced += b - a
            if "ppi" not in self._sending or self.lost("ppi"):
                continue
            stamp = self._epoch_ns + self.device_ns(origin + int(beats.t_ns[b - 1]))
            counts = np.array([(0, _ms(t), PPI_ERROR_MS, _IN_CONTACT) for t in beats.ticks[a:b]], np.int32)
            frame = pmd.PmdFrame(pmd.Measurement.PPI, stamp if self.ppi_stamped else pmd.EPOCH_2000_NS, counts)
            await self.notify(self._data, frame.encode())


def _ms(ticks: np.int64) -> int:
    return round(int(ticks) * 1000 / TICKS_PER_SECOND)
