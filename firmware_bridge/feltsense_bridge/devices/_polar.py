"""What Polar's sensors share: the dialogue over PMD, streams of its frames, and the Heart Rate service.

- A model is a table of streams (:class:`Source`) and of settings that are wanted.
- Rates come from the settings dialogue and are nominal; time comes from the frames' stamps, each that of the *last*
  sample of its frame.
- Both characteristics are enabled before the first command; the control point is an *indicate* characteristic.
- The answer to a start names the factor that samples are to be multiplied by.
- SDK mode is switched on only where a model's option says so; it is switched off again when the streams are stopped.
- Heart rate and intervals of the Heart Rate service are delivered only if asked for by name: they have no timestamps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.signals import IRREGULAR, SignalSpec, kind, spec
from feltsense.errors import LinkError, ProtocolError
from feltsense_bridge.device import Frame, Read, StreamReset, Subscribe, Unsubscribe, Write
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.devices._gatt import HEART_RATE_MEASUREMENT, chosen
from feltsense_bridge.devices.heart_rate import heart_rate_frames

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense_bridge.device import Action, Advertisement

__all__ = ["ACC", "ECG", "GYRO", "MAG", "PPI", "SKIN_TEMPERATURE", "PolarDevice", "Source", "Wanted", "led"]

_CHOICES: Final = (pmd.Setting.RATE, pmd.Setting.RESOLUTION, pmd.Setting.RANGE, pmd.Setting.CHANNELS)
"""Settings that a start command names; the others describe the sensor."""
_PARTS: Final = 16
"""An answer in more parts than this is no answer: settings are at most a few hundred bytes."""
_MS: Final = 1000
"""Milliseconds in a second."""
_NS_PER_MS: Final = 1_000_000
_INTERVAL, _ERROR, _FLAGS = 1, 2, 3
_BLOCKED: Final = 1
"""Flag of an interval: movement or a bad pulse, not to be used."""

Wanted = dict[tuple[pmd.Measurement, pmd.Setting], int]
"""Which value of a setting is wanted: the nearest that the sensor offers is taken; where nothing is said, the highest."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a stream comes from.

    Attributes
    ----------
    kind : Measurement
        Type of measurement.
    signal : str
        Kind of signal, of the catalogue.
    first : int
        First of the frame's columns that are its channels.
    columns : tuple of int
        Numbers of columns that a frame must have for that; empty: any.
    """

    kind: pmd.Measurement
    signal: str
    first: int = 0
    columns: tuple[int, ...] = ()


ECG: Final = Source(pmd.Measurement.ECG, "ecg")
ACC: Final = Source(pmd.Measurement.ACC, "acc")
GYRO: Final = Source(pmd.Measurement.GYRO, "gyroscope")
MAG: Final = Source(pmd.Measurement.MAGNETOMETER, "magnetometer")
PPI: Final = Source(pmd.Measurement.PPI, "ppi")
SKIN_TEMPERATURE: Final = Source(pmd.Measurement.SKIN_TEMPERATURE, "skin_temperature")


def led(column: int, *columns: int, signal: str = "ppg") -> Source:
    """A column of the PPG frames that have so many columns."""
    return Source(pmd.Measurement.PPG, signal, column, columns)


class PolarDevice:
    """A sensor that speaks PMD; the base of the models.

    Parameters
    ----------
    streams : sequence of str, optional
        Of `offered`; default what the sensor has of `default`.
    """

    model: ClassVar[str] = ""
    advertised: ClassVar[str] = ""
    """Beginning of the advertised name."""
    sources: ClassVar[Mapping[str, Source]] = {}
    """Stream → where it comes from."""
    default: ClassVar[tuple[str, ...]] = ()
    """Streams that are started unless others are named."""
    wanted: ClassVar[Wanted] = {}

    def __init__(self, streams: Sequence[str] | None = None) -> None:
        self.streams = chosen(self.model, (*self.sources, "heart_rate", "rr"), streams, self.default)
        self._named = streams is not None
        self._sdk_mode = False
        self._settings: dict[pmd.Measurement, pmd.Settings] = {}
        self._factors: dict[pmd.Measurement, float] = {}
        self._parts: list[pmd.PmdReply] = []

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Whether the advertised name is this model's."""
        return advertisement.name.startswith(cls.advertised)

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal; those with a rate appear when the settings dialogue has told it."""
        out: dict[str, SignalSpec] = {}
        for name in self.streams:
            source = self.sources.get(name)
            if source is None or source is PPI:
                out[name] = spec(name, IRREGULAR)
            elif source.kind in self._settings:
                out[name] = spec(source.signal, self._settings[source.kind][pmd.Setting.RATE][0])
        return out

    def start(self) -> Generator[Action, bytes | None, None]:
        """Subscribe, read what is offered, choose settings, start.

        Raises
        ------
        LinkError
            If the sensor refuses, or lacks a stream that was asked for by name.
        ProtocolError
            If an answer breaks the protocol.
        """
        if self._measured():
            yield Subscribe(pmd.CONTROL)
            yield Subscribe(pmd.DATA)
            offered = pmd.decode_features((yield Read(pmd.CONTROL)) or b"")
            self._keep(offered)
            if self._sdk_mode:
                yield from self._enter_sdk_mode(offered)
        for what in self._measured():
            if what is pmd.Measurement.PPI:
                self._settings[what] = {}
                continue
            command = pmd.command(pmd.Command.SDK_SETTINGS if self._sdk_mode else pmd.Command.SETTINGS, what)
            reply = yield from self._ask(command, f"read the settings of {self._label(what)}")
            self._settings[what] = self._choose(what, pmd.decode_settings(reply.parameters))
        for what in self._measured():
            yield from self._begin(what)
        if any(name not in self.sources for name in self.streams):
            yield Subscribe(HEART_RATE_MEASUREMENT)

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Stop what runs, unsubscribe. A refusal is no error here: the sensor may have stopped by itself."""
        running = [what for what in self._measured() if what in self._settings]
        for what in running:
            yield Write(pmd.CONTROL, pmd.command(pmd.Command.STOP, what), expect=pmd.CONTROL)
        if self._sdk_mode and self._measured():
            yield Write(pmd.CONTROL, pmd.encode_sdk_mode(on=False), expect=pmd.CONTROL)
        if running:
            yield Unsubscribe(pmd.DATA)
            yield Unsubscribe(pmd.CONTROL)
        if any(name not in self.sources for name in self.streams):
            yield Unsubscribe(HEART_RATE_MEASUREMENT)

    def decode(self, uuid: str, data: bytes) -> list[Frame | StreamReset]:
        """Frames of one notification.

        Raises
        ------
        ProtocolError
            If the bytes break the protocol.
        """
        if uuid == pmd.DATA:
            return self._frames(pmd.PmdFrame.decode(data))
        if uuid == HEART_RATE_MEASUREMENT:
            return heart_rate_frames(data, self.streams)
        return self._unsolicited(data) if uuid == pmd.CONTROL else []

    # ------------------------------------------------------------------ frames

    def _frames(self, frame: pmd.PmdFrame) -> list[Frame | StreamReset]:
        names = [n for n in self.streams if n in self.sources and self.sources[n].kind == frame.kind]
        if not names:
            return []
        if frame.kind == pmd.Measurement.PPI:
            return [_intervals(frame)]
        values = frame.values(self._factors.get(pmd.Measurement(frame.kind), 1.0))
        return [Frame(name, self._channels(name, values), frame.device_ns) for name in names]

    def _channels(self, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        source = self.sources[name]
        if source.columns and values.shape[1] not in source.columns:
            msg = f"{self.model}: frames with {values.shape[1]} columns have no {name} that a document names"
            raise ProtocolError(msg)
        return values[:, source.first : source.first + len(kind(source.signal).channels)]

    # ------------------------------------------------------------------ dialogue

    def _measured(self) -> list[pmd.Measurement]:
        """Measurements that the streams need, each once."""
        return list(dict.fromkeys(self.sources[name].kind for name in self.streams if name in self.sources))

    def _label(self, what: pmd.Measurement) -> str:
        return " and ".join(n for n in self.streams if n in self.sources and self.sources[n].kind is what)

    def _keep(self, offered: frozenset[int]) -> None:
        """Keep the streams that the sensor has."""
        measured = [name for name in self.streams if name in self.sources]
        missing = [name for name in measured if self.sources[name].kind not in offered]
        if missing and (self._named or missing == measured):
            msg = f"{self.model} does not offer {', '.join(missing)}: update its firmware, or ask for other streams"
            raise LinkError(msg)
        self.streams = tuple(name for name in self.streams if name not in missing)

    def _choose(self, what: pmd.Measurement, offered: pmd.Settings) -> pmd.Settings:
        """One value a setting, as a start command wants it."""
        out: pmd.Settings = {}
        for setting in _CHOICES:
            values = offered.get(setting)
            if values:
                wanted = self.wanted.get((what, setting), max(values))
                out[setting] = (min(values, key=lambda v: (abs(v - wanted), v)),)
        if not out.get(pmd.Setting.RATE, (0,))[0]:
            msg = f"PMD settings of {self._label(what)} name no sampling rate"
            raise ProtocolError(msg)
        return out

    def _enter_sdk_mode(self, offered: frozenset[int]) -> Generator[Action, bytes | None, None]:
        """Switch SDK mode on, before settings are read: they are others in it."""
        if pmd.Measurement.SDK_MODE not in offered:
            msg = f"{self.model} does not offer SDK mode: update its firmware, or do without"
            raise LinkError(msg)
        reply = yield from self._exchange(pmd.encode_sdk_mode(on=True))
        # An earlier connection may have left it on.
        if reply.error != pmd.PmdError.ALREADY_IN_STATE:
            self._accepted(reply, "switch SDK mode on")
        status = yield from self._exchange(pmd.command(pmd.Command.SDK_STATUS, pmd.Measurement.SDK_MODE))
        # Firmware that cannot be asked has said yes to the switch.
        if not status.error and not pmd.decode_sdk_status(status.parameters):
            msg = f"{self.model} says that SDK mode is off, after it was switched on: switch the sensor off and on"
            raise LinkError(msg)

    def _begin(self, what: pmd.Measurement) -> Generator[Action, bytes | None, None]:
        start = pmd.command(pmd.Command.START, what, self._settings[what])
        reply = yield from self._exchange(start)
        if reply.error == pmd.PmdError.ALREADY_IN_STATE:
            # Left running by an earlier connection, perhaps with other settings: stop it and start ours.
            yield from self._ask(pmd.command(pmd.Command.STOP, what), f"stop {self._label(what)}")
            reply = yield from self._exchange(start)
        self._accepted(reply, f"start {self._label(what)}")
        # Sensors that name no factor may fill up with a zero byte.
        named = pmd.decode_settings(reply.parameters) if any(reply.parameters) else {}
        self._factors[what] = pmd.decode_factor(named)

    def _ask(self, command: bytes, purpose: str) -> Generator[Action, bytes | None, pmd.PmdReply]:
        reply = yield from self._exchange(command)
        return self._accepted(reply, purpose)

    def _accepted(self, reply: pmd.PmdReply, purpose: str) -> pmd.PmdReply:
        if reply.error:
            msg = f"{self.model} refuses to {purpose}: {reply.problem} (code {reply.error})"
            raise LinkError(msg)
        return reply

    def _exchange(self, command: bytes) -> Generator[Action, bytes | None, pmd.PmdReply]:
        self._parts.clear()
        reply = pmd.PmdReply.decode((yield Write(pmd.CONTROL, command, expect=pmd.CONTROL)) or b"")
        if (reply.operation, reply.kind) != (command[0], command[1]):
            msg = f"PMD command {command[:2].hex()} got the answer of {reply.operation:02x}{reply.kind:02x}"
            raise ProtocolError(msg, 1)
        parameters, more, taken = reply.parameters, reply.more, 0
        for _ in range(_PARTS):
            if not more:
                return pmd.PmdReply(reply.operation, reply.kind, reply.error, more=False, parameters=parameters)
            # Further parts come unasked, through `decode`; a read gives them time, and changes nothing.
            yield Read(pmd.CONTROL)
            for part in self._parts[taken:]:
                parameters, more, taken = parameters + part.parameters, part.more, taken + 1
        msg = f"PMD command {command[:2].hex()}: the rest of the answer did not come"
        raise ProtocolError(msg)

    def _unsolicited(self, data: bytes) -> list[Frame | StreamReset]:
        if data[:1] == bytes([pmd.RESPONSE]):
            if len(self._parts) < _PARTS:
                self._parts.append(pmd.PmdReply.decode(data))
            return []
        if data[:1] != bytes([pmd.STOPPED]) or len(data) < 2:
            msg = f"PMD control point says {data.hex() or 'nothing'}, which nobody asked for"
            raise ProtocolError(msg, 0)
        ended = [n for code in data[1:] for n in self.streams if n in self.sources and self.sources[n].kind == code]
        return [StreamReset(name, "the sensor stopped the stream by itself") for name in dict.fromkeys(ended)]


def _intervals(frame: pmd.PmdFrame) -> Frame:
    """Pulse intervals and their errors, in s; one that the sensor blocks is NaN, but keeps its place in time."""
    counts = frame.counts.astype(np.int64)
    values = counts[:, [_INTERVAL, _ERROR]] / _MS
    values[(counts[:, _FLAGS] & _BLOCKED != 0) | (counts[:, _INTERVAL] == 0), 0] = np.nan
    device_ns = frame.device_ns if frame.stamped else None
    return Frame("ppi", values, device_ns, lasting_ns=counts[:, _INTERVAL] * _NS_PER_MS)
