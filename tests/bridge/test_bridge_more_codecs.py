"""Codecs of room sensors, radar, thermal array and more skin-conductance sensors: literal vectors, twins, garbage."""

import asyncio
import math
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.chunk import Chunk
from feltsense.core.signals import CATALOGUE
from feltsense.errors import LinkError, ProtocolError
from feltsense_bridge import devices
from feltsense_bridge.device import Advertisement, Frame, Subscribe, Unsubscribe, Write
from feltsense_bridge.devices import environment as room
from feltsense_bridge.devices import movisens as kept
from feltsense_bridge.devices import nervous_eda as nervous
from feltsense_bridge.devices import radar_ld2450 as radar
from feltsense_bridge.devices import shimmer3r as shimmer
from feltsense_bridge.devices import thermal_array as thermal
from feltsense_bridge.devices._cobs import cobs_decode, cobs_encode
from feltsense_bridge.devices._protobuf import fields, varint, varint_field
from feltsense_bridge.errors import NotFoundError
from feltsense_bridge.link import Link
from feltsense_bridge.transport_serial import serial_client

EXAMPLES = settings(max_examples=100)

# ---------------------------------------------------------------- room


@pytest.mark.parametrize(
    # Laid out by hand after the assigned numbers' formats.
    ("name", "data", "value"),
    [
        ("air_temperature", "2909", 23.45), ("air_temperature", "18fc", -10.0), ("humidity", "e015", 56.0),
        ("air_pressure", "f2920f00", 1020.658), ("illuminance", "a08601", 1000.0), ("sound_level", "37", 55.0),
    ],
)  # fmt: skip
def test_room_by_hand(name, data, value):
    quantity = room.QUANTITIES[name]
    [frame] = room.Environment([name]).decode(quantity.uuid, bytes.fromhex(data))
    assert frame.values[0, 0] == pytest.approx(value, abs=1e-9)
    assert quantity.encode(value) == bytes.fromhex(data)


@pytest.mark.parametrize("name", room.QUANTITIES)
def test_room_says_what_it_does_not_know(name):
    quantity = room.QUANTITIES[name]
    assert math.isnan(quantity.decode(quantity.encode(math.nan)))
    with pytest.raises(ProtocolError):
        quantity.decode(bytes(quantity.size + 1))
    with pytest.raises(ValueError, match="does not fit"):
        quantity.encode(1e12)


def converse(dialogue, answers):
    """Actions of a dialogue that gets these answers."""
    actions, answer = [], None
    while True:
        try:
            actions.append(dialogue.send(answer))
        except StopIteration:
            return actions
        answer = answers(actions[-1])


def test_room_keeps_what_is_there():
    sensor = room.Environment()
    has = {room.QUANTITIES[n].uuid for n in ("humidity", "sound_level")}
    converse(sensor.start(), lambda a: None if a.uuid in has else b"")
    assert set(sensor.specs) == {"humidity", "sound_level"}
    assert {a.uuid for a in sensor.stop()} == has
    with pytest.raises(LinkError, match="illuminance"):
        converse(room.Environment(["humidity", "illuminance"]).start(), lambda a: None if a.uuid in has else b"")


# ---------------------------------------------------------------- radar

RADAR_VECTOR = bytes.fromhex("AAFF03000E03B186100040010000000000000000000000000000000055CC")
"""From the maker's manual, section 6."""


def test_radar_of_the_manual():
    [frame] = radar.RadarLd2450().decode(radar.BYTES, RADAR_VECTOR)
    np.testing.assert_allclose(frame.values[0, :4], [-0.782, 1.713, -0.16, 0.32])
    assert np.isnan(frame.values[0, 4:]).all()
    assert radar.encode_frame(frame.values.reshape(3, 4)) == RADAR_VECTOR


@given(st.lists(st.integers(1, 70), max_size=30), st.binary(max_size=40))
@EXAMPLES
def test_radar_frames_do_not_depend_on_the_cuts(cuts, noise):
    rng = np.random.default_rng(len(cuts))
    wanted = [np.round(rng.uniform(-6, 6, (3, 4)), 2) for _ in range(12)]
    for targets in wanted:
        targets[:, 3] = 0.36
    # A head within the noise would take the next frame's beginning for its own.
    noise = noise.replace(b"\xaa", b"")
    stream = noise + b"".join(radar.encode_frame(t) for t in wanted)
    device, got, at = radar.RadarLd2450(), [], 0
    for cut in [*cuts, len(stream)]:
        try:
            got += [
                row for f in device.decode(radar.BYTES, stream[at : at + cut]) if isinstance(f, Frame) for row in f.values
            ]
        except ProtocolError:
            assert noise
        at += cut
    np.testing.assert_allclose(got, [t.ravel() for t in wanted], atol=1e-9)


async def test_radar_on_a_serial_port():
    """A pseudo-terminal in the radar's place, by the link."""
    server, port = os.openpty()
    link = Link(radar.RadarLd2450(), os.ttyname(port), name="radar", client_factory=serial_client(radar.BAUD))
    rows = []
    async with asyncio.timeout(60), link:
        await link.opened()
        os.write(server, RADAR_VECTOR[5:] + 5 * RADAR_VECTOR)
        async for item in link:
            if isinstance(item, Chunk):
                rows += item.values.tolist()
            if len(rows) == 5:
                break
    assert np.allclose([row[1] for row in rows], 1.713)
    os.close(server)
    os.close(port)


async def test_a_port_that_is_not_there_is_said_so():
    client = serial_client(radar.BAUD)("/dev/no-such-port", lambda: None)
    with pytest.raises(NotFoundError, match="plug it in"):
        await client.connect()


async def test_a_port_that_goes_is_a_lost_connection():
    server, port = os.openpty()
    gone = asyncio.Event()
    client = serial_client(radar.BAUD)(os.ttyname(port), gone.set)
    await client.connect()
    await client.write_gatt_char(radar.BYTES, b"hello")
    assert os.read(server, 5) == b"hello"
    os.close(port)
    os.close(server)
    await asyncio.wait_for(gone.wait(), 10)
    assert not client.is_connected
    await client.disconnect()
    with pytest.raises(OSError, match="closed"):
        await client.write_gatt_char(radar.BYTES, b"x")


# ---------------------------------------------------------------- thermal array


def test_thermal_by_hand():
    # Hundredths of a °C; the chip's first column is the picture's last.
    part = bytes.fromhex("0000") + (2500).to_bytes(2, "little") + (191 * (3150).to_bytes(2, "little"))
    number, pixels = thermal.decode_part(part)
    assert number == 0
    assert pixels.shape == (6, 32)
    assert pixels[0, 31] == 25.0
    assert np.count_nonzero(pixels == 31.5) == 191


def test_a_thermal_image_is_whole_or_none():
    image = np.linspace(-40, 80, 768).round(2)
    parts = thermal.encode_image(image)
    parts[-1] += bytes(6)  # status of the board
    camera = thermal.ThermalArray()
    assert [len(camera.decode(thermal.IMAGE, p)) for p in parts] == [0, 0, 0, 1]
    [frame] = [f for p in parts for f in camera.decode(thermal.IMAGE, p)]
    np.testing.assert_allclose(frame.values[0], image, atol=1e-9)
    for lost in range(4):
        camera, refused, got = thermal.ThermalArray(), 0, 0
        for k, part in enumerate(3 * parts):
            if k == 4 + lost:
                continue
            try:
                got += len(camera.decode(thermal.IMAGE, part))
            except ProtocolError:
                refused += 1
        assert got == 2
        assert refused
    with pytest.raises(ValueError, match="temperatures"):
        thermal.encode_image(np.full(768, np.nan))


# ---------------------------------------------------------------- Nervous-EDA


@pytest.mark.parametrize(
    # The worked examples of the paper (Cheshire & Baker 1999) and of common tables of it.
    ("plain", "framed"),
    [("00", "0101"), ("1100220033", "021102220233"), ("11220033", "0311220233"), ("11000000", "0211010101"), ("", "01")],
)
def test_cobs_of_public_examples(plain, framed):
    assert cobs_encode(bytes.fromhex(plain)).hex() == framed
    assert cobs_decode(bytes.fromhex(framed)).hex() == plain


@given(st.binary(max_size=600))
@EXAMPLES
def test_cobs_twins(data):
    framed = cobs_encode(data)
    assert 0 not in framed
    assert cobs_decode(framed) == data


def test_protobuf_of_its_documentation():
    # "Encoding": a message with a = 150 is 08 96 01.
    assert varint_field(1, 150).hex() == "089601"
    assert list(fields(bytes.fromhex("089601"))) == [(1, 150)]
    assert varint(300).hex() == "ac02"
    assert list(fields(bytes.fromhex("120774657374696e67"))) == [(2, b"testing")]
    for bad in ("08", "12ff", "0b", "0d0000", "08" + "ff" * 11):
        with pytest.raises(ProtocolError):
            list(fields(bytes.fromhex(bad)))


@given(
    st.integers(0, 2**33 * 10**6 - 1),
    st.lists(st.tuples(*[st.floats(-1e6, 1e6, width=32)] * 2), min_size=1, max_size=4),
    st.integers(1, 9),
)
@EXAMPLES
def test_nervous_twins_whatever_the_cuts(us, parts, cut):
    said = nervous.EdaMessage(us, tuple(complex(a, b) for a, b in parts))
    data = said.encode()
    assert nervous.EdaMessage.decode(data[:-1]) == said
    device = nervous.NervousEda()
    frames = [f for i in range(0, len(data), cut) for f in device.decode(nervous.TX, data[i : i + cut])]
    assert [f.device_ns for f in frames] == [us * 1000]


def test_nervous_units():
    assert nervous.EdaMessage(0, (complex(120e3, -160e3),)).microsiemens() == pytest.approx(5.0)
    assert math.isnan(nervous.EdaMessage(0, (0j,)).microsiemens())


# ---------------------------------------------------------------- Shimmer3R


def test_shimmer_by_hand():
    # 1.5 V on 40.2 kΩ: 2048 counts are 1.50037 V, 2.00073 times the electrode's half volt is above it.
    packet = shimmer.ShimmerPacket.decode(bytes.fromhex("00 000400 0008"))
    assert (packet.ticks, packet.gsr) == (1024, 2048)
    assert packet.microsiemens() == pytest.approx(1000 * (2048 * 3 / 4095 / 0.5 - 1) / 40.2)
    assert math.isnan(shimmer.ShimmerPacket(0, 4095).microsiemens())
    assert math.isnan(shimmer.ShimmerPacket(0, 100).microsiemens())
    for us in (0.1, 0.8, 3.0, 12.0, 40.0):
        assert shimmer.ShimmerPacket(0, shimmer.to_counts(us)).microsiemens() == pytest.approx(us, rel=0.01)


@given(st.lists(st.integers(1, 20), max_size=40), st.binary(max_size=5))
@EXAMPLES
def test_shimmer_packets_are_found_among_answers(cuts, noise):
    packets = [shimmer.ShimmerPacket((k + 16370) * 1024 % 2**24, shimmer.to_counts(1 + k / 10)) for k in range(40)]
    stream = b"\xff" + noise.replace(b"\0", b"\1") + b"".join(p.encode() for p in packets[:7]) + b"\xff"
    stream += b"".join(p.encode() for p in packets[7:])
    device, got, at = shimmer.Shimmer3R(), [], 0
    for cut in [*cuts, len(stream)]:
        try:
            got += device.decode(shimmer.NOTIFY, stream[at : at + cut])
        except ProtocolError:
            assert noise
        at += cut
    assert [f.sequence for f in got] == [(k + 16370) % shimmer.MODULUS for k in range(40)]


def test_shimmer_dialogue():
    device = shimmer.Shimmer3R()
    assert list(device.start()) == [
        Subscribe(shimmer.NOTIFY),
        *(Write(shimmer.COMMANDS, bytes.fromhex(c)) for c in ("050004", "08040000", "2104", "07")),
    ]
    assert list(device.stop()) == [Write(shimmer.COMMANDS, b"\x20"), Unsubscribe(shimmer.NOTIFY)]


# ---------------------------------------------------------------- Movisens


def test_movisens_by_hand():
    data = bytes.fromhex("00f15365 02 e803 d007")
    [frame] = kept.Movisens().decode(kept.EDA_BUFFERED, data)
    np.testing.assert_allclose(frame.values[:, 0], [3.0518509475997, 6.1037018951994])
    assert frame.device_ns == 1_700_000_001 * 10**9
    [cold] = kept.Movisens().decode(kept.TEMPERATURE_BUFFERED, bytes.fromhex("00f15365 01 9cff"))
    assert cold.values.tolist() == [[-1.0]]
    assert not cold.again
    assert frame.again
    for bad in ("", "00f15365", "00f1536500", "00f1536502e803", "00f1536501e80300"):
        with pytest.raises(ProtocolError):
            kept.MovisensBuffer.decode("eda", bytes.fromhex(bad))


# ---------------------------------------------------------------- all

SEEDS = {
    "environment": (room.QUANTITIES["humidity"].uuid, [bytes.fromhex("e015")]),
    "radar_ld2450": (radar.BYTES, [RADAR_VECTOR, 3 * RADAR_VECTOR]),
    "thermal_array": (thermal.IMAGE, thermal.encode_image(np.full(768, 30.0))),
    "nervous_eda": (nervous.TX, [nervous.EdaMessage(5 * 10**9, (complex(1e5, 1e3), 7j)).encode()]),
    "shimmer3r": (shimmer.NOTIFY, [b"".join(shimmer.ShimmerPacket(1024 * k, 2000).encode() for k in range(9))]),
    "movisens": (kept.EDA_BUFFERED, [kept.MovisensBuffer("eda", 1_700_000_000, (1, 2, 3)).encode()]),
}


@pytest.mark.parametrize("model", SEEDS)
@given(data=st.data())
@settings(max_examples=100)
def test_garbage_raises_nothing_but_protocol_error(model, data):
    uuid, seeds = SEEDS[model]
    device = devices.device(model)()
    for _ in range(4):
        seed = data.draw(st.sampled_from(seeds))
        at = data.draw(st.integers(0, len(seed)))
        patch = data.draw(st.binary(max_size=3))
        junk = data.draw(st.one_of(st.just(seed[:at] + patch + seed[at + len(patch) :]), st.binary(max_size=400)))
        try:
            frames = device.decode(uuid, junk)
        except ProtocolError:
            continue
        for frame in frames:
            if not isinstance(frame, Frame):
                continue
            kind = device.specs[frame.stream].kind
            assert kind is CATALOGUE[kind.name]
            assert frame.values.shape[1] == len(kind.channels)
            assert not np.isinf(frame.values).any()
            assert frame.device_ns is None or 0 <= frame.device_ns < 2**63


def test_names_and_services_tell_the_model():
    known = {
        "environment": Advertisement("a", "", (room.SERVICE,)),
        "thermal_array": Advertisement("a", "thermalCam"),
        "shimmer3r": Advertisement("a", "Shimmer3R-00B2"),
        "movisens": Advertisement("a", "MOVISENS EdaMove 4 02188"),
        "nervous_eda": Advertisement("a", "EDA 12"),
    }
    assert {model: devices.identify(a) for model, a in known.items()} == {model: model for model in known}
