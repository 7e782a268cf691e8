"""Codecs of the other makers' sensors: literal vectors, twins, garbage."""

import contextlib
import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.signals import CATALOGUE
from feltsense.errors import ProtocolError
from feltsense_bridge import devices
from feltsense_bridge.device import Advertisement, Frame, Subscribe, Unsubscribe, Write
from feltsense_bridge.devices import _ieee11073 as ieee
from feltsense_bridge.devices import _information as information
from feltsense_bridge.devices import bitalino as plux
from feltsense_bridge.devices import core
from feltsense_bridge.devices import health_thermometer as thermometer
from feltsense_bridge.devices import movesense as gsp
from feltsense_bridge.devices._gatt import BATTERY_LEVEL, assigned

EXAMPLES = settings(max_examples=100)


def by_stream(frames):
    return {f.stream: f.values.tolist() for f in frames}


# ---------------------------------------------------------------- CORE

CORE_VECTOR = bytes([0b00010111, 228, 14, 7, 15, 0, 0, 0b00010011, 130])
"""From the tests of the cycling program Auuki (dvmarinoff/Auuki, test/ble/core-body-temperature)."""


def test_core_of_a_public_test():
    device = core.Core(core.Core.offered)
    got = by_stream(device.decode(core.MEASUREMENT, CORE_VECTOR))
    assert got == {"core_temperature": [[38.12]], "skin_temperature": [[38.47]], "heart_rate": [[130.0]]}
    assert core.CoreMeasurement.decode(CORE_VECTOR).state & 7 == core.Quality.GOOD


@given(
    st.builds(
        core.CoreMeasurement,
        st.none() | st.integers(-(2**15), 2**15 - 2),
        st.none() | st.integers(-(2**15), 2**15 - 1),
        *[st.none() | st.integers(0, 255)] * 3,
        st.booleans(),
    )
)
@EXAMPLES
def test_core_twins(said):
    assert core.CoreMeasurement.decode(said.encode()) == said


def test_core_says_what_it_does_not_know():
    device = core.Core()
    nothing = core.CoreMeasurement(None, 0x7FFF).encode()
    assert all(math.isnan(v[0][0]) for v in by_stream(device.decode(core.MEASUREMENT, nothing)).values())
    invalid = core.CoreMeasurement(3700, 3300, state=core.Quality.INVALID).encode()
    got = by_stream(device.decode(core.MEASUREMENT, invalid))
    assert math.isnan(got["core_temperature"][0][0])
    assert got["skin_temperature"] == [[33.0]]
    warm = by_stream(device.decode(core.MEASUREMENT, core.CoreMeasurement(9860, 9500, fahrenheit=True).encode()))
    assert warm["core_temperature"][0][0] == pytest.approx(37.0)
    assert warm["skin_temperature"][0][0] == pytest.approx(35.0)


@pytest.mark.parametrize("data", ["", "00", "0010", "010010", "00100e00", "30e40e0a"])
def test_core_refuses_what_is_cut_or_left_over(data):
    with pytest.raises(ProtocolError):
        core.Core().decode(core.MEASUREMENT, bytes.fromhex(data))


# ---------------------------------------------------------------- FLOAT and thermometers


@pytest.mark.parametrize(
    # The worked examples of a public question on the format ("convert IEEE-11073 32-bit float", devhide.com 60841331).
    ("word", "value"),
    [(0xFF00016C, 36.4), (0xFE000D97, 34.79), (0xFE000E71, 36.97)],
)
def test_float_of_public_examples(word, value):
    data = word.to_bytes(4, "little")
    assert ieee.decode_float(data) == value
    assert ieee.encode_float(value, -1 if word >> 24 == 0xFF else -2) == data


def test_every_special_is_no_number():
    for word in ieee.Special:
        data = int(word).to_bytes(4, "little")
        assert ieee.special(data) is word
        assert math.isnan(ieee.decode_float(data))
        # The same mantissa with an exponent is a number.
        other = data[:3] + b"\xff"
        assert ieee.special(other) is None
        assert math.isfinite(ieee.decode_float(other))
    assert ieee.encode_float(math.nan, -2) == int(ieee.Special.NOT_A_NUMBER).to_bytes(4, "little")


@given(st.integers(-(2**23), 2**23 - 1), st.integers(-20, 20))
@EXAMPLES
def test_float_twins(mantissa, exponent):
    data = mantissa.to_bytes(3, "little", signed=True) + exponent.to_bytes(1, "little", signed=True)
    if ieee.special(data) is None:
        assert ieee.encode_float(ieee.decode_float(data), exponent) == data


@pytest.mark.parametrize(("value", "exponent"), [(2.0**23, 0), (math.inf, 0), (1, 200), (0x7FFFFE, 0)])
def test_float_refuses_what_does_not_fit(value, exponent):
    with pytest.raises(ValueError, match="does not fit"):
        ieee.encode_float(value, exponent)


@given(
    st.integers(-9999, 9999).map(lambda v: v / 100),
    st.booleans(),
    st.none() | st.tuples(st.integers(0, 9999), *[st.integers(0, 255)] * 5),
    st.none() | st.integers(0, 255),
)
@EXAMPLES
def test_thermometer_twins(degrees, fahrenheit, time, site):
    said = thermometer.TemperatureMeasurement(degrees, fahrenheit, time, site)
    assert thermometer.TemperatureMeasurement.decode(said.encode()) == said


def test_thermometer_sites_and_units():
    device, uuid = thermometer.HealthThermometer(), thermometer.MEASUREMENT
    measured = thermometer.TemperatureMeasurement
    # 98.5 °F on a thermometer's display is 36.97 °C in the example above.
    assert by_stream(device.decode(uuid, bytes.fromhex("00710e00fe"))) == {"core_temperature": [[36.97]]}
    warm = by_stream(device.decode(uuid, measured(98.6, fahrenheit=True, site=thermometer.Site.TOE).encode()))
    assert warm["skin_temperature"][0][0] == pytest.approx(37.0)
    assert by_stream(thermometer.HealthThermometer(["skin_temperature"]).decode(uuid, measured(33.0).encode())) == {
        "skin_temperature": [[33.0]]
    }
    only_core = thermometer.HealthThermometer(["core_temperature"])
    assert only_core.decode(uuid, measured(33.0, site=thermometer.Site.FINGER).encode()) == []
    [frame] = device.decode(uuid, bytes.fromhex("00feff7f00"))
    assert np.isnan(frame.values).all()


@pytest.mark.parametrize("data", ["", "00710e00", "00710e00fe00", "04710e00fe", "02710e00fe0102030405"])
def test_thermometer_refuses_what_is_cut_or_left_over(data):
    with pytest.raises(ProtocolError):
        thermometer.TemperatureMeasurement.decode(bytes.fromhex(data))


# ---------------------------------------------------------------- battery and device information


def test_information():
    said = {BATTERY_LEVEL: b"\x57", assigned(0x2A29): b"Maker\0\0", assigned(0x2A26): "1.2-β".encode(), "other": b"\xff"}
    assert information.Information.of(said) == information.Information(maker="Maker", firmware="1.2-β", battery=87)
    assert information.Information.of({}).battery is None
    for bad in (b"", b"\x65", b"\x01\x02"):
        with pytest.raises(ProtocolError):
            information.decode_battery(bad)
    with pytest.raises(ProtocolError):
        information.decode_text(b"\xff\xfe")
    with pytest.raises(ValueError, match="0 to 100"):
        information.encode_battery(101)


@given(st.integers(0, 100), st.text(st.characters(exclude_characters="\0", codec="utf-8")))
@EXAMPLES
def test_information_twins(percent, text):
    assert information.decode_battery(information.encode_battery(percent)) == percent
    assert information.decode_text(information.encode_text(text)) == text


# ---------------------------------------------------------------- Movesense


def test_movesense_by_hand():
    device = gsp.Movesense()
    data = bytes.fromhex("0201 10270000") + struct.pack("<3i", -1, 0, 2621440)
    [frame] = device.decode(gsp.NOTIFY, data)
    # 10 s after switching on, and two periods of 5 ms; 2,621,440 steps are 1 V.
    assert frame.device_ns == 10_010_000_000
    np.testing.assert_allclose(frame.values[:, 0], [-0.000381469726563, 0, 1000.0], rtol=1e-9)
    [frame] = device.decode(gsp.NOTIFY, bytes.fromhex("0202 00000000") + struct.pack("<3f", 9.80665, 0, math.inf))
    np.testing.assert_allclose(frame.values, [[1, 0, math.nan]], rtol=1e-6)
    assert frame.device_ns == 0
    # A signalling NaN is no number either, and no warning.
    [frame] = device.decode(gsp.NOTIFY, bytes.fromhex("0202 00000000 0100a07f 00000000 00000000"))
    assert np.isnan(frame.values[0, 0])


def test_movesense_dialogue():
    device = gsp.Movesense(["ecg"])
    subscribe = Write(gsp.COMMAND, b"\x01\x01/Meas/ECG/200", expect=gsp.NOTIFY)
    dialogue = device.start()
    assert [next(dialogue), dialogue.send(None)] == [Subscribe(gsp.NOTIFY), subscribe]
    with pytest.raises(StopIteration):
        dialogue.send(gsp.encode_response(1, 200))
    assert list(device.stop()) == [Write(gsp.COMMAND, b"\x02\x01"), Unsubscribe(gsp.NOTIFY)]
    assert device.decode(gsp.NOTIFY, gsp.encode_response(1, 200)) == []
    [refused] = device.decode(gsp.NOTIFY, gsp.encode_response(1, 404))
    assert refused.stream == "ecg"
    assert "404" in refused.why
    assert device.decode(gsp.NOTIFY, gsp.encode_response(9, 404)) == []


def test_movesense_keeps_a_packet_that_is_faster_than_the_next_answer():
    device = gsp.Movesense()
    dialogue = device.start()
    for answer in (None, None, gsp.encode_response(1, 200)):
        dialogue.send(answer)
    early, later = (gsp.MovesenseData("ecg", ms, np.ones((16, 1), np.int32)).encode() for ms in (80, 160))
    with pytest.raises(StopIteration):
        dialogue.send(early)
    assert [f.device_ns // 10**6 for f in device.decode(gsp.NOTIFY, later)] == [80 + 75, 160 + 75]


@given(st.sampled_from(["ecg", "acc"]), st.integers(0, 2**32 - 1), st.integers(1, 16), st.randoms(use_true_random=False))
@EXAMPLES
def test_movesense_twins(stream, first_ms, n, random):
    shape, form = ((n, 1), np.int32) if stream == "ecg" else ((n, 3), np.float32)
    raw = np.array([random.randint(-(2**23), 2**23) for _ in range(shape[0] * shape[1])]).reshape(shape).astype(form)
    back = gsp.MovesenseData.decode(gsp.MovesenseData(stream, first_ms, raw).encode())
    assert (back.stream, back.first_ms) == (stream, first_ms)
    np.testing.assert_array_equal(back.raw, raw)


@pytest.mark.parametrize(
    "data", ["", "01", "0101", "020100000000", "02010000000001", "020900000000ffffffff", "030100000000ffffffff"]
)
def test_movesense_refuses_what_is_cut_or_nobodys(data):
    with pytest.raises(ProtocolError):
        gsp.Movesense().decode(gsp.NOTIFY, bytes.fromhex(data))


# ---------------------------------------------------------------- BITalino

# Laid out by hand after the makers' public description: sequence 5, digital 1010, A1 to A6.
BITALINO_VECTOR = bytes.fromhex("951ac0ff5595aa5f")
BITALINO_COUNTS = (0x2A5, 0x155, 0x3FF, 1, 0x2A, 0x15)


def test_bitalino_by_hand():
    frame = plux.BitalinoFrame(5, 0b1010, BITALINO_COUNTS)
    assert frame.encode() == BITALINO_VECTOR
    assert plux.BitalinoFrame.decode(BITALINO_VECTOR, 6) == frame
    d = BITALINO_VECTOR
    assert (d[-2] & 15) << 6 | d[-3] >> 2 == 0x2A5
    assert (d[-6] & 63) << 4 | d[-7] >> 4 == 1
    # The checksum is the remainder of the frame by x^4 + x + 1, first byte first.
    rest = int.from_bytes(d[:-1] + bytes([d[-1] & 0xF0]), "big")
    for bit in range(63, 3, -1):
        rest ^= (0x13 << bit - 4) if rest >> bit & 1 else 0
    assert rest == d[-1] & 15


def test_bitalino_units():
    assert plux.counts_to_value("eda", 0) == 0
    assert plux.counts_to_value("eda", 512) == pytest.approx(12.5)
    assert plux.counts_to_value("ecg", 512) == 0
    assert plux.counts_to_value("ecg", 1024) == pytest.approx(1.5)
    for name in ("ecg", "eda"):
        assert all(plux.value_to_counts(name, plux.counts_to_value(name, c)) == c for c in range(1024))


@given(st.integers(0, 15), st.integers(0, 15), st.integers(1, 6), st.randoms(use_true_random=False))
@EXAMPLES
def test_bitalino_twins_and_flipped_bits(sequence, digital, n, random):
    counts = tuple(random.randrange(1024 if i < 4 else 64) for i in range(n))
    frame = plux.BitalinoFrame(sequence, digital, counts)
    data = frame.encode()
    assert plux.BitalinoFrame.decode(data, n) == frame
    for bit in range(8 * len(data)):
        with pytest.raises(ProtocolError):
            plux.BitalinoFrame.decode((int.from_bytes(data, "little") ^ 1 << bit).to_bytes(len(data), "little"), n)


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(0, 3))
@EXAMPLES
def test_bitalino_frames_do_not_depend_on_the_cuts(cuts, lost):
    # Bytes of a broken frame in front, then 40 whole ones.
    stream = BITALINO_VECTOR[:lost] + b"".join(plux.BitalinoFrame(i % 16, 0, (i, 999 - i)).encode() for i in range(40))
    device, got, at = plux.Bitalino(), [], 0
    for cut in [*cuts, len(stream)]:
        with contextlib.suppress(ProtocolError):
            got += device.decode(plux.FRAMES, stream[at : at + cut])
        at += cut
    kept = [f.values[0, 0] for f in got if f.stream == "ecg"]
    assert kept == [plux.counts_to_value("ecg", i) for i in range(40)]
    assert [f.sequence for f in got if f.stream == "eda"] == [i % 16 for i in range(40)]


def test_bitalino_dialogue():
    device = plux.Bitalino(["eda"])
    start = [Subscribe(plux.FRAMES), Write(plux.COMMANDS, b"\x83"), Write(plux.COMMANDS, b"\x11")]
    assert list(device.start()) == start
    assert list(device.stop()) == [Write(plux.COMMANDS, b"\x00"), Unsubscribe(plux.FRAMES)]


# ---------------------------------------------------------------- all


SEEDS = {
    "bitalino": (plux.FRAMES, [b"".join(plux.BitalinoFrame(i, 0, (i, i)).encode() for i in range(9))]),
    "movesense": (
        gsp.NOTIFY,
        [
            gsp.encode_response(1, 404),
            gsp.MovesenseData("ecg", 9, np.arange(16)[:, None]).encode(),
            gsp.MovesenseData("acc", 9, np.ones((4, 3))).encode(),
        ],
    ),
    "core": (core.MEASUREMENT, [CORE_VECTOR]),
    "health_thermometer": (
        thermometer.MEASUREMENT,
        [bytes.fromhex("00710e00fe"), bytes.fromhex("0700710e00fee90701020304050603")],
    ),
}


def test_services_tell_the_model():
    assert devices.identify(Advertisement("a", "CORE", (core.SERVICE, thermometer.SERVICE))) == "core"
    assert devices.identify(Advertisement("a", "thermo", (thermometer.SERVICE,))) == "health_thermometer"
    assert devices.identify(Advertisement("a", "BITalino-12-34")) == "bitalino"
    assert devices.identify(Advertisement("a", "Movesense 2047", (assigned(0x180D),))) == "movesense"


@pytest.mark.parametrize("model", SEEDS)
@given(data=st.data())
@settings(max_examples=150)
def test_garbage_raises_nothing_but_protocol_error(model, data):
    uuid, seeds = SEEDS[model]
    cls = devices.device(model)
    device = cls(cls.offered)
    for _ in range(3):
        seed = data.draw(st.sampled_from(seeds))
        at = data.draw(st.integers(0, len(seed)))
        patch = data.draw(st.binary(max_size=3))
        mutated = seed[:at] + patch + seed[at + len(patch) :]
        junk = data.draw(st.one_of(st.just(mutated), st.binary(max_size=260)))
        try:
            frames = device.decode(uuid, junk)
        except ProtocolError:
            continue
        for frame in frames:
            if not isinstance(frame, Frame):
                continue
            kind = device.specs[frame.stream].kind
            assert kind is CATALOGUE[kind.name]
            assert frame.values.ndim == 2
            assert frame.values.shape[1] == len(kind.channels)
            assert len(frame.values)
            assert not np.isinf(frame.values).any()
            assert frame.device_ns is None or 0 <= frame.device_ns < 2**63
            assert frame.sequence is None or 0 <= frame.sequence < frame.modulus
