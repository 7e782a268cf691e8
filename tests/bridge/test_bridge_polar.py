"""Polar's optical sensors: frames of every measurement, pulse intervals on the sensor's clock, and all of it by radio."""

import asyncio
import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.chunk import Chunk, GapReason, StreamInfo
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import CATALOGUE, spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.errors import InputError, LinkError, ProtocolError
from feltsense_bridge import devices
from feltsense_bridge.accounting import StreamAccount
from feltsense_bridge.clock import DeviceClock
from feltsense_bridge.device import Advertisement, Frame, Read, Write
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.devices._pmd_delta import decode_deltas, encode_deltas
from feltsense_bridge.devices._pmd_frames import COMPRESSED, LAYOUTS
from feltsense_bridge.devices.polar_360 import Polar360
from feltsense_bridge.devices.polar_oh1 import PolarOH1
from feltsense_bridge.devices.polar_verity_sense import PolarVeritySense
from feltsense_bridge.link import Link
from feltsense_bridge.link_connection import bleak_client
from feltsense_bridge.testing import VirtualOH1, VirtualPolar360, VirtualRadio, VirtualVeritySense

EXAMPLES = settings(max_examples=150, deadline=None)
T0 = 1_700_000_000 * NS


def head(kind, layout, ticks=1):
    return struct.pack("<BQB", kind, ticks, layout)


# ---------------------------------------------------------------- frames


def test_delta_blocks_of_a_public_example():
    # Reference -15, 20, 1008; one block of one sample of 6-bit differences.
    data = bytes.fromhex("F1FF1400F003 06 01 7B0F08")
    assert decode_deltas(data, 2, 3).tolist() == [[-15, 20, 1008], [-20, 17, 1008]]
    assert encode_deltas(np.array([[-15, 20, 1008], [-20, 17, 1008]]), 2)[:6] == data[:6]


@given(
    st.sampled_from([(2, 3), (3, 4), (4, 1), (3, 17)]),
    st.lists(st.integers(0, 31), min_size=1, max_size=6),
    st.integers(1, 40),
    st.integers(0, 2**32),
)
@EXAMPLES
def test_delta_twins_at_any_width(shape, widths, block, seed):
    size, channels = shape
    rng = np.random.default_rng(seed)
    top = 2 ** (8 * size - 1)
    steps = np.concatenate([rng.integers(-(2**w), 2**w, (block, channels)) for w in widths])
    counts = (rng.integers(-top, top, (1, channels)) + np.cumsum(steps, axis=0) + 2**31) % 2**32 - 2**31
    counts = np.clip(counts, -top, top - 1).astype(np.int32)
    np.testing.assert_array_equal(decode_deltas(encode_deltas(counts, size, block), size, channels), counts)


@pytest.mark.parametrize(
    "data", ["", "0000", "000000 06", "000000 21 01 0000000000", "000000 06 04 00", "000000" + "00ff" * 17]
)
def test_delta_blocks_that_cannot_be(data):
    with pytest.raises(ProtocolError):
        decode_deltas(bytes.fromhex(data), 3, 1)


@given(st.sampled_from(sorted(LAYOUTS)), st.integers(1, 12), st.integers(0, 2**32))
@EXAMPLES
def test_every_frame_has_its_twin(key, n, seed):
    kind, number = key
    layout = LAYOUTS[key]
    rng = np.random.default_rng(seed)
    if layout.low:
        low = rng.integers(-(2 ** (layout.low - 1)), 2 ** (layout.low - 1), n)
        counts = np.stack([low, rng.integers(0, 2 ** (24 - layout.low), n)], axis=1)
    else:
        ends = [(0, 256**-w) if w < 0 else (-(256**w) // 2, 256**w // 2) for w in layout.widths]
        counts = np.stack([rng.integers(a, b, n) for a, b in ends], axis=1)
    frame = pmd.PmdFrame(kind, pmd.EPOCH_2000_NS + 7, counts.astype(np.int32), number)
    back = pmd.PmdFrame.decode(frame.encode())
    assert (back.kind, back.device_ns, back.layout) == (kind, frame.device_ns, number)
    np.testing.assert_array_equal(back.counts, counts)
    assert not np.isinf(back.values(2.0)).any()


def test_units_of_frames_by_hand():
    def values(kind, layout, data, factor=1.0):
        return pmd.PmdFrame.decode(head(kind, layout) + data).values(factor).tolist()

    three = struct.pack("<3h", 4096, -4096, 0)
    assert values(2, COMPRESSED, three, 1 / 4096) == [[1, -1, 0]]
    assert values(5, COMPRESSED, three, 1 / 16) == [[256, -256, 0]]
    assert values(5, COMPRESSED | 1, struct.pack("<3f", 1.5, -2.25, float("inf")))[0][:2] == [1.5, -2.25]
    # Magnetometer: ten mG are a µT; the fourth column is a status.
    four = struct.pack("<4h", 250, -480, 0, 3)
    np.testing.assert_allclose(values(6, COMPRESSED | 1, four)[0][:3], [25, -48, 0])
    np.testing.assert_allclose(values(6, COMPRESSED, three, 1 / 4096), [[100, -100, 0]])
    assert values(7, 0, struct.pack("<2f", 33.5, float("nan")))[0] == [33.5]
    assert values(0, 1, bytes.fromhex("ff3f05"))[0][0] == -0.001


def test_what_no_document_explains_is_refused():
    for kind, layout in ((1, 1), (0, COMPRESSED), (4, 0), (5, 0)):
        with pytest.raises(ProtocolError, match="no public document"):
            pmd.PmdFrame.decode(head(kind, layout) + bytes(24))


def test_sdk_mode_and_factor():
    assert pmd.encode_sdk_mode(on=True) == bytes.fromhex("0209")
    assert pmd.encode_sdk_mode(on=False) == bytes.fromhex("0309")
    assert pmd.decode_sdk_status(b"\x01")
    assert pmd.decode_factor(pmd.decode_settings(bytes.fromhex("050100008039"))) == 2**-12
    assert pmd.decode_features(bytes.fromhex("0f 4f 02")) == {0, 1, 2, 3, 6, 9}
    for bad in ("05010000807f", "050100000000"):
        with pytest.raises(ProtocolError):
            pmd.decode_factor(pmd.decode_settings(bytes.fromhex(bad)))
    with pytest.raises(ProtocolError):
        pmd.decode_sdk_status(b"")


@given(st.one_of(st.binary(max_size=260), st.tuples(st.sampled_from(sorted(LAYOUTS)), st.binary(max_size=240))))
@settings(max_examples=400, deadline=None)
def test_garbage_raises_nothing_but_protocol_error(data):
    if isinstance(data, tuple):
        data = head(*data[0]) + data[1]
    for model in (PolarVeritySense, PolarOH1, Polar360):
        device = model([*model.sources, "heart_rate", "rr"])
        for uuid in (pmd.DATA, pmd.CONTROL):
            try:
                out = device.decode(uuid, data)
            except ProtocolError:
                continue
            for item in out:
                if isinstance(item, Frame):
                    source = model.sources[item.stream]
                    assert item.values.shape[1] == len(CATALOGUE[source.signal].channels)
                    assert not np.isinf(item.values).any()


# ---------------------------------------------------------------- dialogue


def talk(device, answers):
    """Hold a start dialogue; `answers`: command bytes in hex → answer in hex. Returns what was written."""
    written, dialogue, answer = [], device.start(), None
    while True:
        try:
            action = dialogue.send(answer)
        except StopIteration:
            return written
        answer = None
        if isinstance(action, Read):
            answer = bytes.fromhex(answers["read"])
        elif isinstance(action, Write):
            written.append(action.data.hex())
            answer = bytes.fromhex(answers[action.data[:2].hex()])


VERITY = {
    "read": "0f0e",
    "0101": "f001010000 00013700 01011600 040104",
    "0102": "f001020000 00013400 01011000 02010800 040103",
    "0201": "f002010000",
    "0202": "f002020000 050100008039",
    "0203": "f002030000",
}


def test_verity_sense_takes_its_rates_and_its_factor():
    device = PolarVeritySense()
    written = talk(device, VERITY)
    assert written[-3:] == ["02010001370001011600040104", "0202000134000101100002010800040103", "0203"]
    rates = {name: s.rate for name, s in device.specs.items()}
    assert rates == {"ppg": Fraction(55), "acc": Fraction(52), "ppi": None}
    [frame] = device.decode(pmd.DATA, head(2, COMPRESSED) + struct.pack("<3h", 4096, 0, -2048))
    assert frame.values.tolist() == [[1, 0, -0.5]]
    stops = [a.data.hex() for a in device.stop() if isinstance(a, Write)]
    assert stops == ["0301", "0302", "0303"]


def test_lights_of_one_frame_are_streams_of_their_own():
    device = PolarVeritySense(["ppg", "ppg3", "ambient"])
    assert len(talk(device, VERITY)) == 2
    assert {n: s.name for n, s in device.specs.items()} == {"ppg": "ppg", "ppg3": "ppg", "ambient": "ambient_light"}
    data = head(1, 0) + bytes.fromhex("010000 020000 030000 ffffff")
    assert {f.stream: f.values.item() for f in device.decode(pmd.DATA, data)} == {"ppg": 1, "ppg3": 3, "ambient": -1}
    # A frame of another layout has a first LED, but nobody says where its ambient light is.
    with pytest.raises(ProtocolError, match="ppg3"):
        device.decode(pmd.DATA, head(1, COMPRESSED | 7) + bytes(51))


def test_pulse_intervals_keep_what_is_blocked_in_time():
    records = struct.pack("<BHHB", 0, 800, 10, 6) + struct.pack("<BHHB", 0, 300, 30, 7) + struct.pack("<BHHB", 0, 900, 0, 0)
    [frame] = PolarVeritySense().decode(pmd.DATA, head(3, 0, 5 * NS) + records)
    np.testing.assert_array_equal(frame.values, [[0.8, 0.01], [np.nan, 0.03], [0.9, 0]])
    assert frame.lasting_ns.tolist() == [800_000_000, 300_000_000, 900_000_000]
    assert frame.device_ns == pmd.EPOCH_2000_NS + 5 * NS
    [frame] = PolarOH1(["ppi"]).decode(pmd.DATA, head(3, 0, 0) + records)
    assert frame.device_ns is None


def test_a_sensor_without_what_was_named_says_so():
    with pytest.raises(LinkError, match="gyro"):
        talk(PolarVeritySense(["gyro"]), VERITY)
    assert [devices.identify(Advertisement("a", f"Polar {n} 1")) for n in ("Sense", "OH1", "360")] == [
        "polar_verity_sense",
        "polar_oh1",
        "polar_360",
    ]


SDK = {
    **VERITY,
    "read": "0f0e02",
    "0209": "f002090000",
    "0609": "f00609000001",
    "0401": "f004010000 00051c002c0037008700b000 01011600 040104",
    "0402": "f004020000 00021a003400 01011000 02010800 040103",
}


def test_sdk_mode_is_switched_on_before_settings_and_off_at_the_end():
    device = PolarVeritySense(sdk_mode=True, rates={"ppg": 176})
    assert talk(device, SDK)[:4] == ["0209", "0609", "0401", "0402"]
    assert {name: s.rate for name, s in device.specs.items()} == {"ppg": Fraction(176), "acc": Fraction(52)}
    assert [a.data.hex() for a in device.stop() if isinstance(a, Write)] == ["0301", "0302", "0309"]


def test_sdk_mode_that_was_on_and_firmware_that_cannot_be_asked():
    talk(PolarVeritySense(sdk_mode=True), {**SDK, "0209": "f0020906", "0609": "f0060901"})
    for answers, message in (
        ({"read": "0f0e"}, "does not offer SDK mode"),
        ({"0209": "f002090d"}, "charger"),
        ({"0609": "f00609000000"}, "says that SDK mode is off"),
    ):
        with pytest.raises(LinkError, match=message):
            talk(PolarVeritySense(sdk_mode=True), {**SDK, **answers})
    with pytest.raises(LinkError, match="no 100 Hz for ppg: choose one of 28, 44, 55, 135, 176 Hz"):
        talk(PolarVeritySense(["ppg"], sdk_mode=True, rates={"ppg": 100}), SDK)


@pytest.mark.parametrize(
    ("streams", "options"),
    [
        (["ppg", "ppi"], {"sdk_mode": True}),
        (["heart_rate"], {"sdk_mode": True}),
        (["ppg"], {"rates": {"ppg": 176}}),
        (["ppg"], {"sdk_mode": True, "rates": {"acc": 104}}),
        (["ppg", "ambient"], {"sdk_mode": True, "rates": {"ppg": 176, "ambient": 55}}),
    ],
)
def test_what_sdk_mode_cannot_do_is_refused(streams, options):
    with pytest.raises(InputError, match="polar_verity_sense"):
        PolarVeritySense(streams, **options)


# ---------------------------------------------------------------- pulse intervals in the account


def ppi_account(frames):
    account = StreamAccount(StreamInfo("v.ppi", spec("ppi", None)), DeviceClock())
    return account, [account.push(f, T0 + f.device_ns + 20_000_000) for f in frames]


def ppi(last_ns, *ms):
    values = np.array([[m / 1000, 0.01] for m in ms])
    return Frame("ppi", values, last_ns, lasting_ns=np.array(ms) * 1_000_000)


def test_beats_lie_where_the_sensor_says():
    ms = np.array([700, 900, 810, 820, 1000, 650, 777])
    at = np.cumsum(ms) * 1_000_000
    _, [a, b] = ppi_account([ppi(int(at[3]), *ms[:4].tolist()), ppi(int(at[6]), *ms[4:].tolist())])
    assert b.gap is None
    assert (a.segment, b.segment, b.start) == (0, 0, 4)
    times = np.concatenate([c.time.times(c.start, c.stop) for c in (a, b)])
    np.testing.assert_allclose(np.diff(times), np.diff(at), atol=30_000_000)
    np.testing.assert_array_equal(
        np.diff(np.concatenate([c.time.device_times(c.start, c.stop) for c in (a, b)])), np.diff(at)
    )
    assert b.time.uncertainty(5) < NS


def test_a_lost_batch_of_beats_has_bounds():
    frames = [ppi((k + 1) * 4 * NS, 800, 800, 800, 800, 800) for k in range(6)]
    account, chunks = ppi_account([f for k, f in enumerate(frames) if k != 3])
    [gap] = [c.gap for c in chunks if c.gap]
    assert gap.reason is GapReason.LINK
    assert 1 <= gap.samples <= 5 <= gap.upper == 16
    again = account.push(frames[5], T0 + 25 * NS)
    assert again is None
    assert account.counters.duplicates == 1
    assert account.push(frames[3], T0 + 25 * NS) is None
    assert account.counters.late == 1


# ---------------------------------------------------------------- by radio


def played(own, seconds, kinds):
    """Values that count up, in steps that the sensor can say."""
    streams = {}
    for kind, rate, step in kinds:
        info = StreamInfo(f"{own}.{kind}", spec(kind, rate))
        n = round(seconds * rate)
        ramp = (np.arange(n)[:, None] % 5000) * step + (30 if kind == "skin_temperature" else 0)
        values = np.repeat(ramp, info.spec.width, axis=1)
        streams[info.id] = Stream(info, (Segment(values, TimeMap.uniform(T0, info.spec.rate)),))
    rr = np.tile([0.75, 0.875, 1.0], seconds)
    times = T0 + np.rint(np.cumsum(rr) * NS).astype(np.int64)
    keep = times < T0 + seconds * NS
    info = StreamInfo(f"{own}.rr", spec("rr", None))
    streams[info.id] = Stream(info, (Segment(rr[keep][:, None], TimeMap.irregular(times[keep])),))
    return Recording("P", streams)


async def heard(radio, sensor, device, name, trouble=None):
    link = Link(
        device, sensor.address, name=name, client_factory=bleak_client(radio.client), clock=radio.clock, speed=radio.speed
    )
    items = []
    async with link:

        async def listen():
            async for item in link:
                items.append(item)

        listening = asyncio.create_task(listen())
        await link.opened()
        if trouble is not None:
            await trouble()
        await sensor.finished()
        await link.close()
        await listening
    out = {}
    for item in items:
        if isinstance(item, Chunk):
            out.setdefault(item.stream.id.removeprefix(f"{name}."), []).append(item)
    return link, {k: Stream.from_chunks(v[0].stream, v) for k, v in out.items()}


async def test_verity_sense_by_radio_with_a_lost_frame_of_each():
    kinds = (("ppg", 55, 3.0), ("acc", 52, 1 / 4096))
    async with VirtualRadio(speed=20) as radio:
        verity = await radio.add(VirtualVeritySense(played("verity", 40, kinds), drift_ppm=25))

        async def trouble():
            await radio.sleep(20)
            for stream in ("ppg", "acc", "ppi"):
                verity.drop(stream)

        link, streams = await heard(radio, verity, PolarVeritySense(), "verity", trouble)
        assert verity.produced["ppg"] == 40 * 55
        assert verity.produced["acc"] == 40 * 52
        for name, step, lost in (("ppg", 3.0, 13), ("acc", 1 / 4096, 24)):
            account = streams[name].account()
            assert account.expected == verity.produced[name]
            assert account.missing == account.missing_upper == lost
            for segment in streams[name].segments:
                np.testing.assert_array_equal(np.diff(np.rint(segment.values[:, 0] / step)) % 5000, 1)
        beats = streams["ppi"]
        account = beats.account()
        assert account.expected <= verity.produced["ppi"] <= account.received + account.missing_upper
        [gap] = [s.gap for s in beats.segments if s.gap]
        assert gap.samples >= 1
        assert link.corrupt == 0
        for segment in beats.segments:
            d = segment.time.device_times(0, len(segment.values))
            assert set((segment.values[:, 0] * 1000).round().astype(int)) <= {750, 875, 1000}
            np.testing.assert_allclose(np.diff(d), segment.values[1:, 0] * NS, rtol=1e-3)


async def test_sdk_mode_by_radio():
    async with VirtualRadio(speed=20) as radio:
        verity = await radio.add(VirtualVeritySense(played("verity", 10, (("ppg", 176, 3.0), ("acc", 104, 1 / 4096)))))
        device = PolarVeritySense(sdk_mode=True, rates={"ppg": 176, "acc": 104})
        _, streams = await heard(radio, verity, device, "verity")
        assert {k: s.account().received for k, s in streams.items()} == {"ppg": 1760, "acc": 1040}
        for name, step in (("ppg", 3.0), ("acc", 1 / 4096)):
            [segment] = streams[name].segments
            np.testing.assert_array_equal(np.diff(np.rint(segment.values[:, 0] / step)), 1)


@pytest.mark.parametrize("sdk_mode", [False, True])
async def test_sdk_mode_silences_heart_rate(sdk_mode):
    device = PolarVeritySense(["ppg"], sdk_mode=sdk_mode)
    # What the constructor refuses: a host that listens all the same hears nothing.
    device.streams = ("ppg", "heart_rate", "rr")
    async with VirtualRadio(speed=20) as radio:
        verity = await radio.add(VirtualVeritySense(played("verity", 10, (("ppg", 55, 3.0),))))
        _, streams = await heard(radio, verity, device, "verity")
        assert streams["ppg"].account().received == 550
        assert ("heart_rate" in streams, "rr" in streams) == (not sdk_mode, not sdk_mode)


async def test_oh1_and_360_by_radio():
    async with VirtualRadio(speed=20) as radio:
        oh1 = await radio.add(VirtualOH1(played("oh1", 15, (("ppg", 130, 1.0), ("acc", 50, 0.001)))))
        device = PolarOH1(["ppg", "acc", "ppi"])
        _, streams = await heard(radio, oh1, device, "oh1")
        assert {k: s.account().received for k, s in streams.items()} == oh1.produced
        kinds = (("ppg", 22, 1.0), ("acc", 50, 1 / 4096), ("skin_temperature", 4, 0.0078125))
        band = await radio.add(VirtualPolar360(played("polar360", 15, kinds)))
        _, streams = await heard(radio, band, Polar360(), "band")
        assert {k: s.account().received for k, s in streams.items()} == band.produced
        temperature = np.concatenate([s.values for s in streams["temp"].segments])[:, 0]
        np.testing.assert_array_equal(temperature, 30 + np.arange(60) * 0.0078125)
