"""Each model over the virtual radio, by the link, from its own virtual sensor: what was played is what comes."""

import asyncio

import numpy as np
import pytest

from feltsense.core.chunk import Chunk, StreamInfo
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap

pytest.importorskip("bumble")
pytest.importorskip("bleak")

from feltsense_bridge import devices
from feltsense_bridge.devices import movesense as gsp
from feltsense_bridge.devices.health_thermometer import Site
from feltsense_bridge.link import Backoff, Link, LinkOptions
from feltsense_bridge.link_connection import bleak_client
from feltsense_bridge.scan import scan
from feltsense_bridge.testing import VirtualGatt, VirtualRadio, profiles

SPEED = 20.0
T0 = 1_700_000_000 * NS
OPTIONS = LinkOptions(backoff=Backoff(first=0.5, most=2.0), seed=1)
LEVEL = {
    "core_temperature": 37.0, "skin_temperature": 33.0, "heart_rate": 70.0, "eda": 5.0, "air_temperature": 21.0,
    "humidity": 40.0, "air_pressure": 1013.0, "sound_level": 50.0, "thermal_array": 25.0,
}  # fmt: skip


def stream(kind, rate, seconds, step):
    """Values that tell their sample's number, in whole steps of the sensor's resolution."""
    info = StreamInfo(f"x.{kind}", spec(kind, rate))
    n = round(seconds * rate)
    values = LEVEL.get(kind, 0.0) + np.repeat((np.arange(n)[:, None] % 200) * step, info.spec.width, axis=1)
    return Stream(info, (Segment(values, TimeMap.uniform(T0, info.spec.rate)),))


def person(seconds, *kinds):
    """A recording with streams (kind, rate, step)."""
    streams = [stream(kind, rate, seconds, step) for kind, rate, step in kinds]
    return Recording("P", {s.info.id: s for s in streams})


async def hear(source, profile, device, *, drop=0, vanish=0.0):
    """Play a recording by a virtual sensor and collect what a link gives."""
    items = []
    async with VirtualRadio(speed=SPEED) as radio:
        sensor = await radio.add(VirtualGatt(source, profile))
        seen = await scan(1.0, backend=radio.scanner)
        assert [s.model for s in seen] == [device.model]
        factory = bleak_client(radio.client)
        link = Link(
            device, sensor.address, name="x", client_factory=factory, clock=radio.clock, speed=SPEED, options=OPTIONS
        )

        async def listen():
            async for item in link:
                items.append(item)

        async with link:
            listening = asyncio.create_task(listen())
            await link.opened()
            if drop:
                await radio.sleep(5 + sensor.playback.lead * SPEED)
                sensor.drop(sensor._sends()[0], drop)
            if vanish:
                await radio.sleep(5 + sensor.playback.lead * SPEED)
                await sensor.vanish(vanish)
            await sensor.finished()
            await link.close()
            await listening
        assert link.corrupt == link.overflowed == 0
        produced = sensor.produced
    chunks = {}
    for item in items:
        if isinstance(item, Chunk):
            chunks.setdefault(item.stream.id.removeprefix("x."), []).append(item)
    return {k: Stream.from_chunks(v[0].stream, v) for k, v in chunks.items()}, produced


def values(stream):
    return np.concatenate([s.values for s in stream.segments])


def played(source, kind):
    return source.streams[f"x.{kind}"].segments[0].values


async def test_core():
    source = person(20, ("core_temperature", 1, 0.01), ("skin_temperature", 1, 0.01))
    got, produced = await hear(source, profiles.core(), devices.device("core")())
    for kind in ("core_temperature", "skin_temperature"):
        np.testing.assert_allclose(values(got[kind]), played(source, kind), atol=1e-9)
    assert produced == {"core_temperature": 20, "skin_temperature": 20}


async def test_core_comes_back_with_its_loss_between_bounds():
    source = person(30, ("core_temperature", 1, 0.01), ("skin_temperature", 1, 0.01))
    got, produced = await hear(source, profiles.core(), devices.device("core")(), vanish=8)
    stream = got["core_temperature"]
    account = stream.account()
    assert len(stream.segments) == 2
    assert account.received + stream.segments[1].gap.samples <= produced["core_temperature"] == 30
    assert account.received + stream.segments[1].gap.upper >= 30


@pytest.mark.parametrize(("site", "kind"), [(Site.EAR, "core_temperature"), (Site.FINGER, "skin_temperature")])
async def test_health_thermometer(site, kind):
    source = person(12, (kind, 1, 0.01))
    got, _ = await hear(source, profiles.health_thermometer(site), devices.device("health_thermometer")())
    assert list(got) == [kind]
    np.testing.assert_allclose(values(got[kind]), played(source, kind), atol=1e-9)


async def test_movesense_and_a_lost_packet():
    source = person(16, ("ecg", 200, 0.001), ("acc", 52, 0.001))
    got, produced = await hear(source, profiles.movesense(), devices.device("movesense")(), drop=1)
    assert produced == {"ecg": 3200, "acc": 832}
    np.testing.assert_allclose(values(got["acc"]), played(source, "acc"), atol=1e-6)
    ecg = got["ecg"]
    assert [s.gap.samples for s in ecg.segments[1:]] == [16]
    assert ecg.segments[1].gap.exact
    assert ecg.account().expected == 3200
    before = len(ecg.segments[0].values)
    whole = played(source, "ecg")
    kept = np.concatenate([whole[:before], whole[before + 16 :]])
    np.testing.assert_allclose(values(ecg), kept, atol=gsp.ECG_STEP_MV)


async def test_bitalino_and_seven_lost_samples():
    source = person(8, ("ecg", 100, 0.001), ("eda", 100, 0.01))
    got, produced = await hear(source, profiles.bitalino(), devices.device("bitalino")(), drop=1)
    assert produced == {"ecg": 800, "eda": 800}
    for kind, step in (("ecg", 3.3 / 1.1 / 1024), ("eda", 25 / 1024)):
        stream = got[kind]
        assert [s.gap.samples for s in stream.segments[1:]] == [7]
        assert stream.segments[1].gap.exact
        assert stream.account().expected == 800
        before = len(stream.segments[0].values)
        whole = played(source, kind)
        kept = np.concatenate([whole[:before], whole[before + 7 :]])
        np.testing.assert_allclose(values(stream), kept, atol=step)


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        ("movesense", (("ecg", 200, 0.001), ("acc", 52, 0.001))),
        ("bitalino", (("ecg", 100, 0.001), ("eda", 100, 0.01))),
    ],
)
async def test_an_absence_is_one_gap_and_the_truth_is_within_its_bounds(model, kinds):
    profile = getattr(profiles, model)()
    got, produced = await hear(person(18, *kinds), profile, devices.device(model)(), vanish=4)
    assert set(got) == set(produced)
    for name, stream in got.items():
        first, gap = [s.gap for s in stream.segments]
        received = stream.account().received
        assert first is None
        assert received + gap.samples <= produced[name] <= received + gap.upper


async def test_environment_reads_what_the_sensor_has():
    source = person(12, ("air_temperature", 1, 0.01), ("humidity", 1, 0.01), ("illuminance", 2, 0.5))
    got, produced = await hear(source, profiles.environment(), devices.device("environment")())
    assert set(got) == {"air_temperature", "humidity", "illuminance"}
    for kind, stream in got.items():
        np.testing.assert_allclose(values(stream), played(source, kind), atol=1e-9)
        assert len(values(stream)) == produced[kind]


async def test_thermal_array_in_four_parts():
    source = person(8, ("thermal_array", 4, 0.01))
    got, produced = await hear(source, profiles.thermal_array(), devices.device("thermal_array")())
    np.testing.assert_allclose(values(got["thermal_array"]), played(source, "thermal_array"), atol=1e-9)
    assert produced == {"thermal_array": 32}


@pytest.mark.parametrize(("model", "rate", "per_frame"), [("shimmer3r", 32, 8), ("nervous_eda", 8, 1)])
async def test_skin_conductance_and_lost_samples(model, rate, per_frame):
    source = person(20, ("eda", rate, 0.01))
    got, produced = await hear(source, getattr(profiles, model)(), devices.device(model)(), drop=1)
    eda = got["eda"]
    assert [s.gap.samples for s in eda.segments[1:]] == [per_frame]
    assert eda.segments[1].gap.exact
    assert eda.account().expected == produced["eda"] == 20 * rate
    before = len(eda.segments[0].values)
    whole = played(source, "eda")
    # A Shimmer's converter has steps of half a per cent at 5 µS.
    np.testing.assert_allclose(values(eda), np.concatenate([whole[:before], whole[before + per_frame :]]), rtol=0.01)


async def test_movisens_sends_what_it_has_kept():
    source = person(60, ("eda", 1, 0.01), ("skin_temperature", 1, 0.01))
    got, produced = await hear(source, profiles.movisens(), devices.device("movisens")())
    assert produced == {"eda": 60, "skin_temperature": 60}
    for kind, step in (("eda", 0.0031), ("skin_temperature", 0.01)):
        np.testing.assert_allclose(values(got[kind]), played(source, kind), atol=step)
        assert len(got[kind].segments) == 1
