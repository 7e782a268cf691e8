"""Profiles of the models that a :class:`~feltsense_bridge.testing.VirtualGatt` plays, one function a model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense_bridge.devices import bitalino as plux
from feltsense_bridge.devices import core as core_codec
from feltsense_bridge.devices import environment as room
from feltsense_bridge.devices import health_thermometer as thermometer
from feltsense_bridge.devices import movesense as gsp
from feltsense_bridge.devices import movisens as kept
from feltsense_bridge.devices import nervous_eda as nervous
from feltsense_bridge.devices import shimmer3r as shimmer
from feltsense_bridge.devices import thermal_array as thermal
from feltsense_bridge.testing.gatt import Control, Output, Profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feltsense_bridge.testing.gatt import Moment

__all__ = [
    "bitalino",
    "core",
    "environment",
    "health_thermometer",
    "movesense",
    "movisens",
    "nervous_eda",
    "shimmer3r",
    "thermal_array",
]

_FRAMES_AT_ONCE: Final = 7
"""BITalino frames sent at once: as many as a sequence number of 4 bits can tell to be lost."""
_PIECE: Final = 18
"""Bytes of a piece of a BITalino's stream: no multiple of a frame's 3 or 4, within the smallest packet's 20."""
_MOVISENS_SERVICE: Final = "fe175e10-51a7-4d2c-9b0e-6c1d0f5e0001"
"""A stand-in: a host finds the characteristics by their own UUIDs."""
_KEPT_S: Final = 10
"""Values that a Movisens sends at once."""
_TICKS_PER_S: Final = 32768


def _count(moment: Moment, stream: str, step: float) -> int | None:
    """The last value of a stream in steps of its resolution; None where there is none."""
    values = moment.values.get(stream)
    return None if values is None or not np.isfinite(values[-1, 0]) else round(float(values[-1, 0]) / step)


def core() -> Profile:
    """CORE: core and skin temperature in one notification, and a heart rate if the recording has one at a rate."""

    def encode(moment: Moment) -> Sequence[bytes]:
        said = core_codec.CoreMeasurement(
            _count(moment, "core_temperature", 0.01),
            _count(moment, "skin_temperature", 0.01),
            int(core_codec.Quality.GOOD),
            _count(moment, "heart_rate", 1.0),
        )
        return [said.encode()]

    kinds = {name: name for name in core_codec.Core.offered}
    return Profile("CORE", core_codec.SERVICE, kinds, (Output(tuple(kinds), core_codec.MEASUREMENT, encode),))


def health_thermometer(site: int | None = thermometer.Site.EAR) -> Profile:
    """A thermometer at one place of the body; ``None`` does not say where, and plays a core temperature."""
    on_skin = site in (thermometer.Site.ARMPIT, thermometer.Site.FINGER, thermometer.Site.TOE)
    stream = "skin_temperature" if on_skin else "core_temperature"

    def encode(moment: Moment) -> Sequence[bytes]:
        degrees = float(moment.values[stream][-1, 0])
        return [thermometer.TemperatureMeasurement(degrees, site=site).encode()]

    output = Output((stream,), thermometer.MEASUREMENT, encode, indicate=True)
    return Profile("thermo", thermometer.SERVICE, {stream: stream}, (output,))


def movesense() -> Profile:
    """Movesense: ECG in packets of 16 samples, acceleration in packets of 4; only at the rates of its paths."""
    subscribed: set[str] = set()
    references: dict[int, str] = {}

    def obey(command: bytes) -> tuple[frozenset[str], bytes]:
        code, reference, path = command[0], command[1], command[2:].decode()
        if code == gsp.Command.SUBSCRIBE:
            name = next((n for n, p in gsp.PATHS.items() if p == path), None)
            if name is None:
                return frozenset(subscribed), gsp.encode_response(reference, 404)
            references[reference] = name
            subscribed.add(name)
        elif code == gsp.Command.UNSUBSCRIBE:
            subscribed.discard(references.get(reference, ""))
        return frozenset(subscribed), gsp.encode_response(reference, 200)

    def ecg(moment: Moment) -> Sequence[bytes]:
        counts = np.rint(moment.values["ecg"] / gsp.ECG_STEP_MV).astype(np.int32)
        return [gsp.MovesenseData("ecg", _first_ms(moment, len(counts)), counts).encode()]

    def acc(moment: Moment) -> Sequence[bytes]:
        metres = (moment.values["acc"] * gsp.STANDARD_GRAVITY).astype(np.float32)
        return [gsp.MovesenseData("acc", _first_ms(moment, len(metres)), metres).encode()]

    outputs = (Output(("ecg",), gsp.NOTIFY, ecg, 16), Output(("acc",), gsp.NOTIFY, acc, 4))
    control = Control(gsp.COMMAND, obey, gsp.NOTIFY)
    kinds = {"ecg": "ecg", "acc": "acc"}
    return Profile("Movesense 123456", gsp.SERVICE, kinds, outputs, control, advertised=False)


def _first_ms(moment: Moment, n: int) -> int:
    """The sensor's time of a frame's first sample, in whole milliseconds."""
    return max(0, round(moment.device_ns / 1e6 - (n - 1) * 1000 / moment.rate))


def bitalino() -> Profile:
    """BITalino: a byte stream in pieces that do not end where frames end; ECG on A2, skin conductance on A3."""
    asked: list[str] = []
    board = {1: "ecg", 2: "eda"}

    def obey(command: bytes) -> tuple[frozenset[str] | None, None]:
        if command[0] & 3 == 3:
            return None, None
        asked[:] = [board[c] for c in board if command[0] >> 2 & 1 << c] if command[0] & 1 else []
        return frozenset(asked), None

    def encode(moment: Moment) -> Sequence[bytes]:
        n = len(next(iter(moment.values.values())))
        data = b""
        for i in range(n):
            shown = [float(moment.values[s][i, 0]) if s in moment.values else 0.0 for s in asked]
            counts = tuple(plux.value_to_counts(s, v) for s, v in zip(asked, shown, strict=True))
            data += plux.BitalinoFrame((moment.first + i) % plux.MODULUS, 0, counts).encode() if counts else b""
        return [data[i : i + _PIECE] for i in range(0, len(data), _PIECE)]

    output = Output(("ecg", "eda"), plux.FRAMES, encode, _FRAMES_AT_ONCE)
    kinds = {"ecg": "ecg", "eda": "eda"}
    return Profile("BITalino-12-34", plux.SERVICE, kinds, (output,), Control(plux.COMMANDS, obey), advertised=False)


def environment() -> Profile:
    """A room sensor: each quantity that the recording has at a rate, by a characteristic of its own."""

    def encode(name: str, moment: Moment) -> Sequence[bytes]:
        return [room.QUANTITIES[name].encode(float(moment.values[name][-1, 0]))]

    kinds = {name: name for name in room.QUANTITIES}
    outputs = tuple(Output((name,), q.uuid, partial(encode, name)) for name, q in room.QUANTITIES.items())
    return Profile("room", room.SERVICE, kinds, outputs)


def thermal_array() -> Profile:
    """A thermal array: an image in four parts."""
    output = Output(("thermal_array",), thermal.IMAGE, lambda m: thermal.encode_image(m.values["thermal_array"][-1]))
    return Profile("thermal", thermal.SERVICE, {"thermal_array": "thermal_array"}, (output,))


def shimmer3r() -> Profile:
    """Shimmer3R: packets of skin conductance in a byte stream, answers to commands among them; only at its own rate."""

    def obey(command: bytes) -> tuple[frozenset[str] | None, bytes]:
        sent = {0x07: frozenset({"eda"}), 0x20: frozenset[str]()}.get(command[0])
        return sent, b"\xff"

    def encode(moment: Moment) -> Sequence[bytes]:
        values = moment.values["eda"][:, 0]
        ticks = [(moment.first + i) * _TICKS_PER_S // round(moment.rate) % 2**24 for i in range(len(values))]
        packets = [shimmer.ShimmerPacket(t, shimmer.to_counts(float(v))) for t, v in zip(ticks, values, strict=True)]
        data = b"".join(p.encode() for p in packets)
        return [data[i : i + _PIECE + 2] for i in range(0, len(data), _PIECE + 2)]

    output = Output(("eda",), shimmer.NOTIFY, encode, 8)
    control = Control(shimmer.COMMANDS, obey, shimmer.NOTIFY)
    return Profile("Shimmer3R-1234", shimmer.SERVICE, {"eda": "eda"}, (output,), control, advertised=False)


def movisens() -> Profile:
    """Movisens: ten seconds of means at once; what nobody took comes later."""

    def encode(name: str, moment: Moment) -> Sequence[bytes]:
        counts = tuple(int(c) for c in np.rint(moment.values[name][:, 0] / kept.STEP[name]))
        return [kept.MovisensBuffer(name, moment.unix_ns // 10**9 - len(counts) + 1, counts).encode()]

    kinds = {"eda": "eda", "skin_temperature": "skin_temperature"}
    uuids = {"eda": kept.EDA_BUFFERED, "skin_temperature": kept.TEMPERATURE_BUFFERED}
    outputs = tuple(Output((n,), uuid, partial(encode, n), _KEPT_S, indicate=True, keeps=True) for n, uuid in uuids.items())
    return Profile("movisens EdaMove", _MOVISENS_SERVICE, kinds, outputs, advertised=False)


def nervous_eda() -> Profile:
    """Nervous-EDA: impedance as a resistance alone, in pieces of a byte stream."""

    def encode(moment: Moment) -> Sequence[bytes]:
        ohm = 1e6 / max(float(moment.values["eda"][-1, 0]), 1e-3)
        data = nervous.EdaMessage(moment.device_ns // 1000, (complex(ohm, 0.0),)).encode()
        return [data[:_PIECE], data[_PIECE:]] if len(data) > _PIECE else [data]

    output = Output(("eda",), nervous.TX, encode)
    return Profile("EDA-0001", nervous.SERVICE, {"eda": "eda"}, (output,), advertised=False)
