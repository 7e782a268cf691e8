"""Codecs: literal vectors of public documents, independent implementations, twins, and garbage."""

import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from bumble.profiles.heart_rate_service import HeartRateService
from hypothesis import given, settings
from hypothesis import strategies as st
from radio_cases import ROWS, board_with

from feltsense.core.signals import CATALOGUE
from feltsense.errors import LinkError, ProtocolError, UnknownNameError
from feltsense_bridge import devices
from feltsense_bridge.device import Advertisement, Read, StreamReset, Subscribe, Unsubscribe, Write
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.devices._gatt import HEART_RATE_MEASUREMENT, HEART_RATE_SERVICE
from feltsense_bridge.devices.heart_rate import HeartRateMeasurement, HeartRateStrap
from feltsense_bridge.devices.polar_h10 import PolarH10
from feltsense_bridge.frames import StreamFrame, sealed

# Settings of the H10's ECG and the command that starts it: Polar's public PMD document, examples for ECG.
ECG_SETTINGS = bytes.fromhex("f0010000000001820001010e00")
ECG_START = bytes.fromhex("02 00 00 01 82 00 01 01 0e 00")
EXAMPLES = settings(max_examples=150)


# ---------------------------------------------------------------- heart rate


def test_heart_rate_of_a_public_document():
    # ActiGraph, GT3X-File-Format, LogRecords/HeartRateBLE.md: 66 bpm, intervals of 1048 and 368 ticks.
    data = bytes.fromhex("164218047001")
    measured = HeartRateMeasurement.decode(data)
    assert (measured.bpm, measured.contact, measured.energy, measured.ticks) == (66, True, None, (1048, 368))
    assert measured.encode() == data
    rate, rr = HeartRateStrap().decode(HEART_RATE_MEASUREMENT, data)
    assert rate.values.tolist() == [[66.0]]
    assert rr.values.tolist() == [[1048 / 1024], [368 / 1024]]
    assert rr.device_ns is None
    assert rr.sequence is None


@given(
    st.integers(0, 0xFFFF),
    st.sampled_from([None, True, False]),
    st.one_of(st.none(), st.integers(0, 0xFFFF)),
    st.lists(st.integers(0, 0xFFFF), max_size=9),
)
@EXAMPLES
def test_heart_rate_twins_agree_with_another_implementation(bpm, contact, energy, ticks):
    measured = HeartRateMeasurement(bpm, contact, energy, tuple(ticks))
    assert HeartRateMeasurement.decode(measured.encode()) == measured
    other = HeartRateService.HeartRateMeasurement.from_bytes(measured.encode())
    assert other.heart_rate == bpm
    assert other.energy_expended == energy
    assert [round(v * 1024) for v in other.rr_intervals or ()] == ticks


@pytest.mark.parametrize("data", ["", "00", "0142", "0842", "084201", "10420001ff", "004200", "00420001"])
def test_heart_rate_refuses_what_is_cut_or_left_over(data):
    with pytest.raises(ProtocolError):
        HeartRateMeasurement.decode(bytes.fromhex(data))


def test_no_reading_is_no_number():
    [frame] = HeartRateStrap(["heart_rate"]).decode(HEART_RATE_MEASUREMENT, bytes([0, 0]))
    assert np.isnan(frame.values).all()


# ---------------------------------------------------------------- PMD


def test_pmd_settings_and_start_of_the_public_document():
    reply = pmd.PmdReply.decode(ECG_SETTINGS)
    assert pmd.decode_settings(reply.parameters) == {pmd.Setting.RATE: (130,), pmd.Setting.RESOLUTION: (14,)}
    assert reply.encode() == ECG_SETTINGS
    assert pmd.command(pmd.Command.START, 0, pmd.decode_settings(reply.parameters)) == ECG_START


def test_ecg_frame_by_hand():
    # 5 s after 2000-01-01, samples -1, 0x123456 and the least value, µV.
    data = bytes([0]) + struct.pack("<Q", 5 * 10**9) + bytes([0]) + bytes.fromhex("ffffff 563412 000080")
    [frame] = PolarH10().decode(pmd.DATA, data)
    assert frame.stream == "ecg"
    assert frame.device_ns == (946_684_800 + 5) * 10**9
    assert frame.values[:, 0].tolist() == [-0.001, 0x123456 / 1000, -8388.608]


def test_acceleration_frame_by_hand():
    data = bytes([2]) + struct.pack("<QB", 1, 1) + struct.pack("<6h", 1000, -1000, 0, 32767, -32768, 5)
    [frame] = PolarH10().decode(pmd.DATA, data)
    assert frame.values.tolist() == [[1, -1, 0], [32.767, -32.768, 0.005]]


LAYOUTS = [(0, 0, 3, 1), (2, 0, 1, 3), (2, 1, 2, 3), (2, 2, 3, 3)]


@given(st.sampled_from(LAYOUTS), st.integers(1, 40), st.integers(0, 2**61), st.randoms(use_true_random=False))
@EXAMPLES
def test_pmd_frame_twins(layout, n, ticks, random):
    kind, number, width, channels = layout
    top = 2 ** (8 * width - 1)
    counts = np.array([[random.randint(-top, top - 1) for _ in range(channels)] for _ in range(n)])
    frame = pmd.PmdFrame(kind, ticks + pmd.EPOCH_2000_NS, counts, number)
    back = pmd.PmdFrame.decode(frame.encode())
    assert (back.kind, back.device_ns, back.layout) == (kind, frame.device_ns, number)
    np.testing.assert_array_equal(back.counts, counts)


def test_pmd_frame_refuses_counts_that_do_not_fit():
    with pytest.raises(ValueError, match="does not fit"):
        pmd.PmdFrame(0, pmd.EPOCH_2000_NS, np.array([[2**23]])).encode()


@given(st.dictionaries(st.sampled_from([0, 1, 2, 3, 4, 5]), st.lists(st.integers(0, 255), max_size=5).map(tuple)))
@EXAMPLES
def test_pmd_settings_twins(values):
    assert pmd.decode_settings(pmd.encode_settings(values)) == values


def test_pmd_errors_say_what_to_do():
    for code in pmd.PmdError:
        assert pmd.PmdReply(2, 0, code).problem == code.text
    assert "MTU" in pmd.PmdReply.decode(bytes.fromhex("f002000a")).problem
    assert "99" in pmd.PmdReply(2, 0, 99).problem


def test_pmd_features_and_status_twins():
    assert pmd.decode_features(pmd.encode_features(frozenset({0, 2}))) == {0, 2}
    assert pmd.decode_status(pmd.encode_status({0: True, 2: False})) == {0: True, 2: False}
    with pytest.raises(ProtocolError):
        pmd.decode_features(b"")


# ---------------------------------------------------------------- the H10's dialogue


def hold(dialogue, answers):
    """Run a dialogue against a list of (action, answer); both must match one to one."""
    answer = None
    for expected, following in answers:
        assert dialogue.send(answer) == expected
        answer = following
    with pytest.raises(StopIteration):
        dialogue.send(answer)


def ask(data, answer):
    return Write(pmd.CONTROL, bytes.fromhex(data), expect=pmd.CONTROL), bytes.fromhex(answer)


BEGIN = [
    (Subscribe(pmd.CONTROL), None),
    (Subscribe(pmd.DATA), None),
    (Read(pmd.CONTROL), pmd.encode_features(frozenset({0, 2}))),
]
ECG_ASK = (Write(pmd.CONTROL, b"\x01\x00", expect=pmd.CONTROL), ECG_SETTINGS)
ECG_GO = (Write(pmd.CONTROL, ECG_START, expect=pmd.CONTROL), bytes.fromhex("f00200000000"))


def test_h10_reads_its_rates_and_starts():
    device = PolarH10()
    assert device.specs == {}
    acc = "f0 01 02 00 00  00 04 1900 3200 6400 c800  01 01 1000  02 03 0200 0400 0800"
    steps = [
        ECG_ASK,
        ask("01 02", acc),
        ECG_GO,
        ask("02 02 00 01 3200 01 01 1000 02 01 0800", "f0 02 02 00 00"),
    ]
    hold(device.start(), [*BEGIN, *steps])
    assert {k: s.rate for k, s in device.specs.items()} == {"ecg": Fraction(130), "acc": Fraction(50)}
    stop = [ask("03 00", "f0030000"), ask("03 02", "f0030206")]
    hold(device.stop(), [*stop, (Unsubscribe(pmd.DATA), None), (Unsubscribe(pmd.CONTROL), None)])


def test_h10_takes_up_a_stream_that_was_left_running():
    steps = [(ECG_GO[0], bytes.fromhex("f0020006")), ask("03 00", "f003000000"), ECG_GO]
    hold(PolarH10(["ecg"]).start(), [*BEGIN, ECG_ASK, *steps])


def test_h10_joins_answers_of_several_parts():
    device = PolarH10(["ecg"])
    dialogue = device.start()
    for action, _ in BEGIN:
        assert dialogue.send(BEGIN[-1][1] if isinstance(action, Write) else None) == action
    assert dialogue.send(BEGIN[-1][1]) == ECG_ASK[0]
    assert dialogue.send(bytes.fromhex("f0 01 00 00 01 00 01")) == Read(pmd.CONTROL)
    assert device.decode(pmd.CONTROL, bytes.fromhex("f0 01 00 00 01 82")) == []
    assert dialogue.send(b"") == Read(pmd.CONTROL)
    assert device.decode(pmd.CONTROL, bytes.fromhex("f0 01 00 00 00 00 01 01 0e 00")) == []
    assert dialogue.send(b"") == ECG_GO[0]


def test_h10_gives_up_on_an_answer_without_end():
    dialogue = PolarH10(["ecg"]).start()
    answer = None
    with pytest.raises(ProtocolError, match="did not come"):  # noqa: PT012
        for action, reply in [*BEGIN, (ECG_ASK[0], bytes.fromhex("f0 01 00 00 01"))]:
            assert dialogue.send(answer) == action
            answer = reply
        for _ in range(100):
            assert dialogue.send(answer) == Read(pmd.CONTROL)


@pytest.mark.parametrize(("answer", "error"), [("f002000a", "MTU"), ("f002000d", "charger"), ("f00200ee", "unknown error")])
def test_h10_says_why_it_refuses(answer, error):
    dialogue = PolarH10(["ecg"]).start()
    with pytest.raises(LinkError, match=error):
        hold(dialogue, [*BEGIN, ECG_ASK, (ECG_GO[0], bytes.fromhex(answer))])


def test_h10_without_a_stream_that_was_named():
    only_ecg = (Read(pmd.CONTROL), pmd.encode_features(frozenset({0})))
    with pytest.raises(LinkError, match="acc"):
        hold(PolarH10(["ecg", "acc"]).start(), [*BEGIN[:2], only_ecg])
    hold(PolarH10().start(), [*BEGIN[:2], only_ecg, ECG_ASK, ECG_GO])
    with pytest.raises(UnknownNameError, match="heart_rate"):
        PolarH10(["ppg"])


def test_h10_heart_rate_alone_needs_no_pmd():
    device = PolarH10(["rr"])
    hold(device.start(), [(Subscribe(HEART_RATE_MEASUREMENT), None)])
    hold(device.stop(), [(Unsubscribe(HEART_RATE_MEASUREMENT), None)])
    [frame] = device.decode(HEART_RATE_MEASUREMENT, bytes.fromhex("164218047001"))
    assert frame.stream == "rr"


def test_h10_reports_a_stream_that_stopped_by_itself():
    assert PolarH10().decode(pmd.CONTROL, bytes.fromhex("0100")) == [
        StreamReset("ecg", "the sensor stopped the stream by itself")
    ]
    with pytest.raises(ProtocolError):
        PolarH10().decode(pmd.CONTROL, b"\x77")


def test_devices_are_found_and_identified():
    assert set(devices.models()) >= {"polar_h10", "heart_rate", "open_board"}
    for model in ("polar_h10", "heart_rate", "open_board"):
        assert devices.device(model).model == model
    strap = Advertisement("a", "HR strap", (HEART_RATE_SERVICE,))
    h10 = Advertisement("a", "Polar H10 12345678", (HEART_RATE_SERVICE,))
    assert devices.identify(h10) == "polar_h10"
    assert devices.identify(strap) == "heart_rate"
    assert devices.identify(Advertisement("a", "felt-01", (gatt.SERVICE.upper(),))) == "open_board"
    assert devices.identify(Advertisement("a", "kettle")) is None


# ---------------------------------------------------------------- garbage, whoever reads it


def seeds():
    ecg = pmd.PmdFrame(0, pmd.EPOCH_2000_NS, np.arange(5)[:, None]).encode()
    frame = StreamFrame(0, 0, 0, np.arange(9)[:, None]).encode()
    return [ecg, frame, ECG_SETTINGS, bytes.fromhex("164218047001"), gatt.encode_info(ROWS), b"\x01\x00"]


MUTATED = st.tuples(st.sampled_from(seeds()), st.integers(0, 100), st.binary(max_size=4)).map(
    lambda m: m[0][: m[1] % len(m[0])] + m[2] + m[0][m[1] % len(m[0]) + len(m[2]) :]
)


@given(st.one_of(st.binary(max_size=260), MUTATED))
@settings(max_examples=400)
def test_garbage_raises_nothing_but_protocol_error(data):
    h10 = PolarH10(list(PolarH10.offered))
    readers = [
        lambda: h10.decode(pmd.DATA, data),
        lambda: h10.decode(pmd.CONTROL, data),
        lambda: h10.decode(HEART_RATE_MEASUREMENT, data),
        lambda: board_with(ROWS).decode(gatt.DATA, data),
        lambda: gatt.decode_info(data),
        lambda: gatt.Control.decode(data),
        lambda: gatt.ControlReply.decode(data).times(),
        lambda: pmd.decode_settings(data),
        lambda: pmd.decode_features(data),
        lambda: pmd.decode_status(data),
        # The checksum shields the reader: garbage that has a right one must find it awake, too.
        lambda: StreamFrame.decode(sealed(data)),
        lambda: gatt.decode_info(sealed(data)),
    ]
    for read in readers:
        try:
            out = read()
        except ProtocolError:
            continue
        for item in out if isinstance(out, list) else ():
            if not isinstance(item, StreamReset):
                assert item.values.shape[1] == len(CATALOGUE["acc" if item.stream == "acc" else "ecg"].channels)
                assert not np.isinf(item.values).any()
                assert item.device_ns is None or 0 <= item.device_ns < 2**63


def test_codecs_need_no_radio_library():
    code = (
        "import sys; from feltsense_bridge import devices; [devices.device(m) for m in devices.models()];"
        "assert not {'bleak', 'bumble', 'asyncio'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([__import__("sys").executable, "-c", code], check=True, cwd=Path(__file__).parent)
