"""A virtual open board: PPG, skin conductance, skin temperature, acceleration and ECG in the open wire format.

The radio, the sampler and the clock are here; what runs on the board is an engine
(:mod:`feltsense_bridge.testing.board_engine`). It measures from its first START on, whether or not anybody listens.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from bumble import att
from bumble.gatt import Service

from feltsense.core.signals import kind as signal_kind
from feltsense.core.timeline import NS
from feltsense.errors import RecordingError
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.frames import MAX_SAMPLES, NO_NUMBER, frame_size
from feltsense_bridge.testing._attributes import characteristic
from feltsense_bridge.testing._sensor import ATT_HEADER, VirtualSensor
from feltsense_bridge.testing.board_engine import Out, PythonEngine
from feltsense_bridge.testing.player import Player, Track

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.core.recording import Recording
    from feltsense_bridge.testing.board_engine import EngineFactory
    from feltsense_bridge.testing.player import Playback

__all__ = ["VirtualBoard"]

_US: Final = 1000
_FRAME_S: Final = 0.5
"""Seconds of signal a frame: two notifications a second and stream, and a delay that nobody notices."""
_SCALE: Final = {"eda": 1e-5, "skin_temperature": 1e-3, "acc": 1 / 4096, "ecg": 1e-3}
"""Unit a count: finer than what the quantity's usual sensors resolve, so that playing loses nothing that matters."""
_ROOM: Final = 2**22
"""Counts that a stream without a usual scale (PPG, in arbitrary units) may use: half of the format's range."""
_ALL_128_BIT_SERVICES: Final = 0x07


class VirtualBoard(VirtualSensor):
    """An open board that plays a recording: every stream whose kind the wire format knows.

    Rates are the recording's own; values come out to a fraction of the scale in the board's stream table (10⁻⁵ µS,
    10⁻³ °C, 1/4096 g, 10⁻³ mV; PPG to a power of ten that fits its range). A sample that is not a number stays one.

    Parameters
    ----------
    source : Recording or Playback
        What it measures.
    name : str
        Advertised name, at most 8 bytes: the service's UUID takes the rest of the advertisement.
    address : str, optional
        Bluetooth address; default one that the radio chooses.
    streams : mapping of str to str, optional
        The board's name of a stream (``ppg``, ``eda``, ``temp``, ``acc``, ``ecg``) → id of the recording's stream;
        default all streams with prefix ``board.``, or where there are none, all of a kind that the board knows.
    drift_ppm : float
        By how many millionths its clock runs fast.
    engine : callable
        Makes what runs on the board; default the Python twin.

    Raises
    ------
    RecordingError
        If the recording has nothing that the board could play, or a stream is of another kind than its name says.

    Examples
    --------
    ::

        playback = Playback(recording)                     # one person, two sensors in step
        h10 = await radio.add(VirtualH10(playback))
        board = await radio.add(VirtualBoard(playback))
    """

    own = "board"

    def __init__(
        self,
        source: Recording | Playback,
        name: str = "felt-01",
        *,
        address: str = "",
        streams: Mapping[str, str] | None = None,
        drift_ppm: float = 0.0,
        engine: EngineFactory = PythonEngine,
    ) -> None:
        super().__init__(source, name, address=address, streams=streams, drift_ppm=drift_ppm)
        self._tracks, self.table = self._lay_out()
        self._rows = gatt.stream_names(self.table)
        self._engine = engine(self.table, [_samples(row) for row in self.table])
        self._turn = asyncio.Lock()
        self._info = characteristic(gatt.INFO, read=lambda _: self._engine.info())
        self._control = characteristic(gatt.CONTROL, write=self._request, indicate=True)
        self._data = characteristic(gatt.DATA, notify=True)
        self._backfill = characteristic(gatt.BACKFILL, notify=True)

    def _lay_out(self) -> tuple[list[Track], list[gatt.BoardStream]]:
        recording = self.playback.recording
        known = {k: s for k, s in recording.streams.items() if s.info.spec.name in gatt.KINDS.values() and s.info.spec.rate}
        if self._streams is not None:
            ids = list(self._streams.values())
        else:
            ids = [k for k in known if k.startswith(f"{self.own}.")] or list(known)
        tracks, table = [], []
        for number, stream_id in enumerate(ids):
            kind = recording.stream(stream_id).info.spec.name
            if stream_id not in known:
                msg = f"{stream_id}: the open board cannot play a stream of kind {kind}"
                raise RecordingError(msg)
            track = Track.of(known[stream_id], recording.start_ns, keep_nan=True)
            tracks.append(track)
            table.append(gatt.BoardStream(number, kind, track.rate, _SCALE.get(kind) or _decimal(track.values), keeps=True))
        names = gatt.stream_names(table)
        if not names or (self._streams is not None and set(names) != set(self._streams)):
            msg = (
                f"{self.name}: the streams {', '.join(ids) or '(none)'} of the recording are {', '.join(names) or 'nothing'}"
            )
            raise RecordingError(msg)
        return tracks, table

    def _identity(self) -> tuple[str, str]:
        return "feltsense", "open board"

    def _services(self) -> Sequence[Any]:
        return [Service(gatt.SERVICE, [self._info, self._control, self._data, self._backfill])]

    def _advertised(self) -> bytes:
        uuid = bytes.fromhex(gatt.SERVICE.replace("-", ""))[::-1]
        return bytes([len(uuid) + 1, _ALL_128_BIT_SERVICES]) + uuid

    def _sends(self) -> Sequence[str]:
        return tuple(self._rows)

    def _lost_connection(self) -> None:
        self._engine.disconnected()

    def _request(self, connection: Any, data: bytes) -> None:
        if not self._engine.request(data, self._device_us(self._radio.clock()), connection.att_mtu):
            raise att.ATT_Error(att.ErrorCode.INSUFFICIENT_RESOURCES)
        self._spawn(self._send())

    async def _send(self) -> None:
        """Send what the engine wants to send."""
        async with self._turn:
            while (out := self._engine.next(self._device_us(self._radio.clock()))) is not None:
                where, data = out
                if where is Out.CONTROL:
                    self._begin(gatt.ControlReply.decode(data))
                    self.indicate_later(self._control, data)
                elif where is Out.BACKFILL:
                    await self.notify(self._backfill, data)
                elif not self.lost(self._name(data[0] & 15)):
                    await self.notify(self._data, data)

    def _name(self, key: int) -> str:
        return next(name for name, row in self._rows.items() if row.id == key)

    def _begin(self, reply: gatt.ControlReply) -> None:
        """Begin to measure with a stream's first START."""
        if reply.opcode != gatt.Opcode.START or reply.status:
            return
        name = self._name(reply.data[0])
        if not self.playing(name):
            row = self._rows[name]
            player = Player(self._tracks[row.id], self.playback, self._radio, _samples(row), self._frame(name))
            self.play(name, player)

    def _frame(self, name: str) -> Callable[[int, NDArray[np.float64]], Awaitable[None]]:
        row = self._rows[name]
        place, whole = self.table.index(row), _samples(row)

        async def deliver(last_ns: int, values: NDArray[np.float64]) -> None:
            counts = np.rint((values - row.offset) / row.scale)
            fine = np.isfinite(counts)
            inside = np.clip(np.where(fine, counts, 0), NO_NUMBER + 1, -NO_NUMBER - 1).astype(np.int32)
            for back, sample in zip(range(len(values) - 1, -1, -1), np.where(fine, inside, NO_NUMBER), strict=True):
                taken_ns = last_ns - back * NS * row.rate.denominator // row.rate.numerator
                self._engine.sample(place, self._device_us(taken_ns), sample)
            if len(values) < whole:
                self._engine.gap(place)
            await self._send()

        return deliver

    def _device_us(self, t_ns: int) -> int:
        return self.device_ns(t_ns) // _US


def _decimal(values: NDArray[np.float64]) -> float:
    """Smallest power of ten at which the largest value keeps within the room for counts."""
    largest = float(np.nanmax(np.abs(values), initial=1.0))
    return float(10.0 ** math.ceil(math.log10(largest / _ROOM)))


def _samples(row: gatt.BoardStream) -> int:
    """Samples a frame: half a second of signal, as far as packet and format go."""
    channels = len(signal_kind(row.kind).channels)
    n = max(1, min(round(float(row.rate) * _FRAME_S), MAX_SAMPLES))
    while n > 1 and frame_size(n, channels) > gatt.MIN_MTU - ATT_HEADER:
        n -= 1
    return n
