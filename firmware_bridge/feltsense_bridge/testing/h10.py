"""A virtual Polar H10: Heart Rate service, battery, device information, and PMD with ECG and acceleration.

As the strap does (devices named in ``docs/reference/devices.md``; none of this was compared with a real one):
settings, start, stop and status with the strap's error codes; answers by indication after the write; frames of 73 ECG
or 36 acceleration samples stamped with the time of their last sample; a clock that begins at 2019-01-01 when nobody
has set it; a start that is refused while the packet size is too small for a frame.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from bumble.gatt import Service

from feltsense.core.timeline import NS
from feltsense.errors import ProtocolError, RecordingError
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.testing._attributes import characteristic
from feltsense_bridge.testing._heart_rate import HeartRateOutput
from feltsense_bridge.testing._sensor import ATT_HEADER, VirtualSensor
from feltsense_bridge.testing.player import Player, Track
from feltsense_bridge.testing.strap import HEART_RATE_ADVERTISED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.core.recording import Recording
    from feltsense_bridge.testing.player import Playback

__all__ = ["EPOCH_2019_NS", "VirtualH10"]

EPOCH_2019_NS: Final = 1_546_300_800 * NS
"""2019-01-01T00:00:00Z, Unix ns: where the strap's clock begins when nobody has set it."""

_NAMES: Final = {pmd.Measurement.ECG: "ecg", pmd.Measurement.ACC: "acc"}
_LAYOUT: Final = {"ecg": 0, "acc": 1}
_PER_FRAME: Final = {"ecg": 73, "acc": 36}
_PER_UNIT: Final = 1000.0
"""µV in a mV, mg in a g."""
_MTU: Final = pmd.FRAME_HEAD + 3 * 73 + ATT_HEADER
_LIMIT: Final = {"ecg": 2**23 - 1, "acc": 2**15 - 1}
_SETTINGS: Final[Mapping[str, pmd.Settings]] = {
    "ecg": {pmd.Setting.RATE: (130,), pmd.Setting.RESOLUTION: (14,)},
    "acc": {pmd.Setting.RATE: (25, 50, 100, 200), pmd.Setting.RESOLUTION: (16,), pmd.Setting.RANGE: (2, 4, 8)},
}
_REFUSAL: Final = {
    pmd.Setting.RATE: pmd.PmdError.INVALID_RATE,
    pmd.Setting.RESOLUTION: pmd.PmdError.INVALID_RESOLUTION,
    pmd.Setting.RANGE: pmd.PmdError.INVALID_RANGE,
}


class VirtualH10(VirtualSensor):
    """A Polar H10 that plays a recording.

    A stream whose rate is not one of the strap's is played resampled to it; at the strap's own rate samples come out
    as they are, to 1 µV or 1 mg. Samples that are not a number, and gaps of the recording, are holes.

    Parameters
    ----------
    source : Recording or Playback
        What it measures: kinds ``ecg`` and ``acc``, and beats as for :class:`VirtualStrap`. What the recording
        lacks, the strap does not offer.
    name : str
        Advertised name.
    address : str, optional
        Bluetooth address; default one that the radio chooses.
    streams : mapping of str to str, optional
        ``ecg``, ``acc``, ``rr`` or ``heart_rate`` → id of the recording's stream; default by prefix ``h10.`` (where the
        recording has such) and kind.
    drift_ppm : float
        By how many millionths its clock runs fast.
    epoch_ns : int
        What its clock shows when it is switched on, Unix ns.

    Raises
    ------
    RecordingError
        If the recording has nothing that the strap could play.

    Examples
    --------
    ::

        h10 = await radio.add(VirtualH10(recording, drift_ppm=20))
        h10.drop("ecg")                  # the next ECG frame gets lost
        await h10.vanish(10)             # out of reach for ten simulated seconds
        await h10.finished()
        h10.produced["ecg"]              # samples, heard or not
    """

    own = "h10"

    def __init__(
        self,
        source: Recording | Playback,
        name: str = "Polar H10 00000001",
        *,
        address: str = "",
        streams: Mapping[str, str] | None = None,
        drift_ppm: float = 0.0,
        epoch_ns: int = EPOCH_2019_NS,
    ) -> None:
        super().__init__(source, name, address=address, streams=streams, drift_ppm=drift_ppm)
        self._epoch_ns = epoch_ns
        origin = self.playback.recording.start_ns
        found = {name: self.find(name, name) for name in _NAMES.values()}
        self._tracks = {name: Track.of(stream, origin) for name, stream in found.items() if stream is not None}
        if "ecg" in self._tracks:
            self._tracks["ecg"] = self._tracks["ecg"].at(Fraction(_SETTINGS["ecg"][pmd.Setting.RATE][0]))
        self._sending: set[str] = set()
        self._rates: dict[str, int] = {}
        self._output = HeartRateOutput(self)
        if not self._tracks and not self._output.beats:
            msg = f"{name}: the recording has no ecg, acc, rr or heart_rate stream and no beats to play"
            raise RecordingError(msg)
        self._control = characteristic(pmd.CONTROL, read=self._read_features, write=self._command, indicate=True)
        self._data = characteristic(pmd.DATA, notify=True)

    def _identity(self) -> tuple[str, str]:
        return "Polar Electro Oy", "H10"

    def _services(self) -> Sequence[Any]:
        return [self._output.service, Service(pmd.SERVICE, [self._control, self._data])]

    def _advertised(self) -> bytes:
        return HEART_RATE_ADVERTISED

    def _sends(self) -> Sequence[str]:
        return (*self._tracks, "heart_rate")

    def _lost_connection(self) -> None:
        self._sending.clear()
        self._output.lost_connection()

    def _read_features(self, _connection: Any) -> bytes:
        return pmd.encode_features(frozenset(kind for kind, name in _NAMES.items() if name in self._tracks))

    def _command(self, connection: Any, data: bytes) -> None:
        operation, kind = data[0] if data else 0, data[1] & 0x3F if len(data) > 1 else 0
        name = _NAMES.get(pmd.Measurement(kind), "") if kind in set(_NAMES) else ""
        error, parameters = pmd.PmdError.OK, b""
        if operation == pmd.Command.STATUS:
            parameters = pmd.encode_status({k: n in self._sending for k, n in _NAMES.items() if n in self._tracks})
        elif operation not in (pmd.Command.SETTINGS, pmd.Command.START, pmd.Command.STOP):
            error = pmd.PmdError.INVALID_OPERATION
        elif len(data) < 2:
            error = pmd.PmdError.INVALID_LENGTH
        elif name not in self._tracks:
            error = pmd.PmdError.NOT_SUPPORTED if name else pmd.PmdError.INVALID_TYPE
        elif operation == pmd.Command.SETTINGS:
            parameters = pmd.encode_settings(_SETTINGS[name])
        elif operation == pmd.Command.START:
            error = self._start(connection, name, data[2:])
        elif name in self._sending:
            self._sending.discard(name)
            self.halt(name)
        else:
            error = pmd.PmdError.ALREADY_IN_STATE
        self.indicate_later(self._control, pmd.PmdReply(operation, kind, error, parameters=parameters).encode())

    def _start(self, connection: Any, name: str, data: bytes) -> pmd.PmdError:
        if name in self._sending:
            return pmd.PmdError.ALREADY_IN_STATE
        if connection.att_mtu < _MTU:
            return pmd.PmdError.INVALID_MTU
        try:
            asked = pmd.decode_settings(data)
        except ProtocolError:
            return pmd.PmdError.INVALID_PARAMETER
        for setting, offered in _SETTINGS[name].items():
            if len(asked.get(setting, ())) != 1:
                return pmd.PmdError.INVALID_PARAMETER
            if asked[setting][0] not in offered:
                return _REFUSAL[pmd.Setting(setting)]
        rate = asked[pmd.Setting.RATE][0]
        self._sending.add(name)
        if not self.playing(name) or self._rates.get(name) != rate:
            self._rates[name] = rate
            track = self._tracks[name].at(Fraction(rate))
            self.play(name, Player(track, self.playback, self._radio, _PER_FRAME[name], self._frame(name)))
        return pmd.PmdError.OK

    def _frame(self, name: str) -> Callable[[int, NDArray[np.float64]], Awaitable[None]]:
        kind = next(kind for kind, known in _NAMES.items() if known == name)

        async def deliver(last_ns: int, values: NDArray[np.float64]) -> None:
            if name not in self._sending or self.lost(name):
                return
            limit = _LIMIT[name]
            counts = np.clip(np.rint(values * _PER_UNIT), -limit, limit).astype(np.int32)
            device_ns = self._epoch_ns + self.device_ns(last_ns)
            await self.notify(self._data, pmd.PmdFrame(kind, device_ns, counts, _LAYOUT[name]).encode())

        return deliver
