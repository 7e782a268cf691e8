"""Profiles of the models that a :class:`~feltsense_bridge.testing.VirtualGatt` plays, one function a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense_bridge.devices import bitalino as plux
from feltsense_bridge.devices import core as core_codec
from feltsense_bridge.devices import health_thermometer as thermometer
from feltsense_bridge.devices import movesense as gsp
from feltsense_bridge.testing.gatt import Control, Output, Profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feltsense_bridge.testing.gatt import Moment

__all__ = ["bitalino", "core", "health_thermometer", "movesense"]

_FRAMES_AT_ONCE: Final = 7
"""BITalino frames sent at once: as many as a sequence number of 4 bits can tell to be lost."""
_PIECE: Final = 18
"""Bytes of a piece of a BITalino's stream: no multiple of a frame's 3 or 4, within the smallest packet's 20."""


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
