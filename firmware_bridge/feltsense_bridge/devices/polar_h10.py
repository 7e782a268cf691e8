"""Polar H10 chest strap: ECG and acceleration with device timestamps, heart rate and intervals without.

Facts: Polar's public PMD document (see :mod:`feltsense_bridge.devices._pmd`) and product notes.

- Rates come from the settings dialogue and are nominal: 130 Hz is 130 Hz ± 2 %. Time comes from the frames' stamps.
- A stamp is that of the *last* sample of its frame.
- The clock counts from 2019-01-01 whenever the strap was off the body for about a minute; nobody sets it here,
  because setting it is no better than a second. The session's clock map turns device time into session time.
- The strap keeps the ECG on for ever when it is taken off with the stream running: ``stop`` must be sent.
- Both characteristics are enabled before the first command; the control point is an *indicate* characteristic.
- Heart rate and intervals of the Heart Rate service are delivered only if asked for by name: they have no
  timestamps, and ECG gives better ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from feltsense.core.signals import IRREGULAR, SignalSpec, spec
from feltsense.errors import LinkError, ProtocolError
from feltsense_bridge.device import Advertisement, Frame, Read, StreamReset, Subscribe, Unsubscribe, Write
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.devices._gatt import HEART_RATE_MEASUREMENT, chosen
from feltsense_bridge.devices.heart_rate import heart_rate_frames

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from feltsense_bridge.device import Action

__all__ = ["ACC_RANGE_G", "ACC_RATE_HZ", "DEVICE", "PolarH10"]

ACC_RATE_HZ: Final = 50
"""Wanted rate of acceleration: body motion is below 20 Hz. The nearest that the strap offers is taken."""
ACC_RANGE_G: Final = 8
"""Wanted range of acceleration: running reaches 5 g at the chest. The nearest that the strap offers is taken."""
_WANTED: Final = {pmd.Setting.RATE: ACC_RATE_HZ, pmd.Setting.RANGE: ACC_RANGE_G}
_CHOICES: Final = (pmd.Setting.RATE, pmd.Setting.RESOLUTION, pmd.Setting.RANGE, pmd.Setting.CHANNELS)
"""Settings that a start command names; the others describe the sensor."""

_KINDS: Final = {"ecg": pmd.Measurement.ECG, "acc": pmd.Measurement.ACC}
_STREAMS: Final = {kind: name for name, kind in _KINDS.items()}
_PER_UNIT: Final = 1000.0
"""µV in a mV, mg in a g."""
_PARTS: Final = 16
"""An answer in more parts than this is no answer: settings are at most a few hundred bytes."""


class PolarH10:
    """A Polar H10.

    Parameters
    ----------
    streams : sequence of str, optional
        Of ``ecg``, ``acc``, ``heart_rate`` and ``rr``; default what the strap offers of ``ecg`` and ``acc``.
    """

    model: ClassVar[str] = "polar_h10"
    offered: ClassVar[tuple[str, ...]] = ("ecg", "acc", "heart_rate", "rr")

    def __init__(self, streams: Sequence[str] | None = None) -> None:
        self.streams = chosen(self.model, self.offered, streams, ("ecg", "acc"))
        self._named = streams is not None
        self._settings: dict[str, pmd.Settings] = {}
        self._parts: list[pmd.PmdReply] = []

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Whether the advertised name is an H10's."""
        return advertisement.name.startswith("Polar H10")

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal; ``ecg`` and ``acc`` appear when the settings dialogue has told their rates."""
        out: dict[str, SignalSpec] = {}
        for name in self.streams:
            if name not in _KINDS:
                out[name] = spec(name, IRREGULAR)
            elif name in self._settings:
                out[name] = spec(name, self._settings[name][pmd.Setting.RATE][0])
        return out

    def start(self) -> Generator[Action, bytes | None, None]:
        """Subscribe, read what is offered, choose settings, start.

        Raises
        ------
        LinkError
            If the strap refuses, or lacks a stream that was asked for by name.
        ProtocolError
            If an answer breaks the protocol.
        """
        wanted = [name for name in self.streams if name in _KINDS]
        if wanted:
            yield Subscribe(pmd.CONTROL)
            yield Subscribe(pmd.DATA)
            wanted = self._available(wanted, pmd.decode_features((yield Read(pmd.CONTROL)) or b""))
        for name in wanted:
            reply = yield from self._ask(pmd.command(pmd.Command.SETTINGS, _KINDS[name]), f"read the settings of {name}")
            self._settings[name] = _choose(name, pmd.decode_settings(reply.parameters))
        for name in wanted:
            yield from self._begin(name)
        if len(wanted) < len(self.streams):
            yield Subscribe(HEART_RATE_MEASUREMENT)

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Stop what runs, unsubscribe. A refusal is no error here: the strap may have stopped by itself."""
        running = [name for name in self.streams if name in self._settings]
        for name in running:
            yield Write(pmd.CONTROL, pmd.command(pmd.Command.STOP, _KINDS[name]), expect=pmd.CONTROL)
        if running:
            yield Unsubscribe(pmd.DATA)
            yield Unsubscribe(pmd.CONTROL)
        if len(running) < len(self.streams):
            yield Unsubscribe(HEART_RATE_MEASUREMENT)

    def decode(self, uuid: str, data: bytes) -> list[Frame | StreamReset]:
        """Frames of one notification.

        Raises
        ------
        ProtocolError
            If the bytes break the protocol.
        """
        if uuid == pmd.DATA:
            frame = pmd.PmdFrame.decode(data)
            name = _STREAMS[pmd.Measurement(frame.kind)]
            return [Frame(name, frame.counts / _PER_UNIT, frame.device_ns)] if name in self.streams else []
        if uuid == HEART_RATE_MEASUREMENT:
            return heart_rate_frames(data, self.streams)
        return self._unsolicited(data) if uuid == pmd.CONTROL else []

    def _available(self, wanted: list[str], offered: frozenset[int]) -> list[str]:
        missing = [name for name in wanted if _KINDS[name] not in offered]
        if missing and (self._named or missing == wanted):
            msg = f"{self.model} does not offer {', '.join(missing)}: update its firmware, or ask for other streams"
            raise LinkError(msg)
        self.streams = tuple(name for name in self.streams if name not in missing)
        return [name for name in wanted if name not in missing]

    def _begin(self, name: str) -> Generator[Action, bytes | None, None]:
        start = pmd.command(pmd.Command.START, _KINDS[name], self._settings[name])
        reply = yield from self._exchange(start)
        if reply.error == pmd.PmdError.ALREADY_IN_STATE:
            # Left running by an earlier connection, perhaps with other settings: stop it and start ours.
            yield from self._ask(pmd.command(pmd.Command.STOP, _KINDS[name]), f"stop {name}")
            reply = yield from self._exchange(start)
        self._accepted(reply, f"start {name}")

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
        names = [name for name in self.streams for kind in data[1:] if _KINDS.get(name) == kind]
        return [StreamReset(name, "the strap stopped the stream by itself") for name in names]


def _choose(name: str, offered: pmd.Settings) -> pmd.Settings:
    """One value a setting, as a start command wants it."""
    out: pmd.Settings = {}
    for setting in _CHOICES:
        values = offered.get(setting)
        if values:
            wanted = _WANTED.get(setting, max(values))
            out[setting] = (min(values, key=lambda v: (abs(v - wanted), v)),)
    if not out.get(pmd.Setting.RATE, (0,))[0]:
        msg = f"PMD settings of {name} name no sampling rate"
        raise ProtocolError(msg)
    return out


DEVICE = PolarH10
