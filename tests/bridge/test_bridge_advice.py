"""What goes wrong before anything streams: a typed error, whose text says what the person should do."""

import re

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDeviceNotFoundError,
    BleakError,
)
from radio_cases import recording

from feltsense.errors import InputError, LinkError, ProtocolError
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.devices import movesense as gsp
from feltsense_bridge.devices.heart_rate import HeartRateStrap
from feltsense_bridge.devices.open_board import OpenBoard
from feltsense_bridge.devices.polar_h10 import PolarH10
from feltsense_bridge.devices.polar_verity_sense import PolarVeritySense
from feltsense_bridge.errors import AdapterError, LostError, NotFoundError, RefusedError, WrongDeviceError, explain
from feltsense_bridge.link import Link, LinkOptions
from feltsense_bridge.link_connection import bleak_client
from feltsense_bridge.testing import VirtualBoard, VirtualH10, VirtualRadio

ADVICE = re.compile(
    r"\b(switch|allow|ask|plug|use|start|install|wear|wake|bring|disconnect|update|choose|leave|stop|take|erase|negotiate"
    r"|read|pair|shows which|see|try|name)\b"
)
"""Words of what somebody can do."""


@pytest.mark.parametrize("reason", list(BleakBluetoothNotAvailableReason))
def test_a_radio_that_is_off_absent_or_forbidden(reason):
    said = explain(BleakBluetoothNotAvailableError("no", reason), "the strap", "connecting")
    assert isinstance(said, AdapterError)
    assert ADVICE.search(str(said)), said


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FileNotFoundError("no bus"), AdapterError),
        (BleakDeviceNotFoundError("AA"), NotFoundError),
        (TimeoutError(), NotFoundError),
        (BleakError("hiccup"), LostError),
        (BleakCharacteristicNotFoundError("2a37"), WrongDeviceError),
        (ProtocolError("odd", 3), WrongDeviceError),
    ],
)
def test_a_sensor_out_of_range_or_of_another_kind(error, kind):
    said = explain(error, "the strap", "connecting")
    assert type(said) is kind
    assert ADVICE.search(str(said)) or "another model" in str(said), said


def refused(dialogue, answers):
    """The error that a dialogue ends with; `answers`: action → answer."""
    with pytest.raises(LinkError) as said:
        converse(dialogue, answers)
    known = explain(said.value, "the sensor", "starting")
    assert isinstance(known, RefusedError)
    # What it refuses is no advice.
    assert ADVICE.search(re.sub(r"refuses to \w+", "", str(known))), known
    return str(known)


def converse(dialogue, answers):
    answer = None
    while True:
        answer = answers(dialogue.send(answer))


def polar(error, offered=frozenset(pmd.Measurement), at=pmd.Command.START):
    def answer(action):
        data = getattr(action, "data", b"")
        if not data:
            return pmd.encode_features(offered)
        if data[0] == at:
            return pmd.PmdReply(data[0], data[1], error).encode()
        settings = pmd.encode_settings({pmd.Setting.RATE: (52, 55), pmd.Setting.RESOLUTION: (14,)})
        parameters = settings if data[0] in (pmd.Command.SETTINGS, pmd.Command.SDK_SETTINGS) else b""
        return pmd.PmdReply(data[0], data[1], 0, parameters=parameters).encode()

    return answer


@pytest.mark.parametrize("error", [*(e for e in pmd.PmdError if e), 99])
@pytest.mark.parametrize("at", [pmd.Command.SETTINGS, pmd.Command.START])
def test_each_refusal_of_a_polar_sensor(error, at):
    said = refused(PolarH10(["ecg"]).start(), polar(error, at=at))
    assert "ecg" in said
    assert f"code {int(error)}" in said


def test_a_rate_or_a_mode_that_a_polar_sensor_has_not():
    fast = PolarVeritySense(["ppg"], sdk_mode=True, rates={"ppg": 1000})
    sdk_on = polar(pmd.PmdError.OK, at=None)

    def answer(action):
        data = getattr(action, "data", b"")
        asked = data[:1] == bytes([pmd.Command.SDK_STATUS])
        return pmd.PmdReply(data[0], data[1], 0, parameters=b"\x01").encode() if asked else sdk_on(action)

    assert "52, 55 Hz" in refused(fast.start(), answer)
    old = frozenset({pmd.Measurement.PPG})
    said = refused(PolarVeritySense(["ppg"], sdk_mode=True).start(), polar(pmd.PmdError.OK, old))
    assert "update its firmware" in said
    assert "update its firmware" in refused(PolarH10(["acc"]).start(), polar(pmd.PmdError.OK, old))


@pytest.mark.parametrize("status", [404, 500, 501])
def test_a_movesense_whose_firmware_is_too_old(status):
    refusal = gsp.encode_response(1, status)
    said = refused(gsp.Movesense(["ecg"]).start(), lambda action: refusal if hasattr(action, "data") else None)
    assert "update its firmware" in said


@pytest.mark.parametrize("status", [*(s for s in gatt.Status if s), 77])
def test_each_refusal_of_a_board(status):
    rows = [gatt.BoardStream(0, "eda", 4, 1e-5)]

    def answer(action):
        data = getattr(action, "data", b"")
        return gatt.ControlReply(data[0], status).encode() if data else gatt.encode_info(rows)

    assert "eda" in refused(OpenBoard().start(), answer)


@pytest.mark.parametrize(
    ("sensor", "device", "kind"),
    [
        (lambda: VirtualBoard(recording(5, ("eda",), "board")), PolarH10, WrongDeviceError),
        (lambda: VirtualH10(recording(5)), OpenBoard, WrongDeviceError),
        (lambda: VirtualBoard(recording(5, ("eda",), "board")), HeartRateStrap, WrongDeviceError),
    ],
)
async def test_another_kind_of_sensor_over_the_radio(sensor, device, kind):
    async with VirtualRadio(20) as radio:
        there = await radio.add(sensor())
        factory, options = bleak_client(radio.client), LinkOptions(patience=5)
        async with Link(device(), there.address, client_factory=factory, clock=radio.clock, options=options) as link:
            with pytest.raises(kind, match="another model"):
                await link.opened()


def test_an_unknown_stream_is_input():
    with pytest.raises(InputError, match="ecg"):
        PolarH10(["egc"])
