"""What a virtual sensor plays is what the recording says, sample by sample and in time; what it loses is counted."""

import asyncio

import numpy as np
import pytest
from bleak import BleakClient
from bleak.exc import BleakError
from radio_cases import T0, Host, beats, joined, noise, recording, stream

from feltsense.core.chunk import StreamInfo
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.devices.heart_rate import HeartRateStrap
from feltsense_bridge.devices.open_board import OpenBoard
from feltsense_bridge.devices.polar_h10 import PolarH10
from feltsense_bridge.testing import Playback, VirtualBoard, VirtualH10, VirtualRadio, VirtualStrap
from feltsense_bridge.testing.h10 import EPOCH_2019_NS
from feltsense_bridge.testing.player import Track

SPEED = 30
LEAD = 1.0  # real seconds: room for the dialogue on a busy machine, so that no first sample is missed


async def heard(radio, sensor, device, during=None):
    """Play a sensor to its end with one connection; its frames."""
    async with BleakClient(sensor.address, backend=radio.client) as client:
        host = Host(client)
        await host.run(device.start())
        if during is not None:
            await during(host)
        await sensor.finished()
        return host


def stamps(frames):
    return np.array([f.device_ns for f in frames])


async def test_h10_plays_every_sample_with_the_time_of_the_last():
    played = recording(20)
    async with VirtualRadio(SPEED) as radio:
        h10 = await radio.add(VirtualH10(Playback(played, lead=LEAD), drift_ppm=100))
        device = PolarH10()
        host = await heard(radio, h10, device)
        assert h10.produced == {"ecg": 2600, "acc": 1000}
        for name, step, per_frame in (("ecg", 1e-3, 73), ("acc", 1e-3, 36)):
            frames = host.frames(device, name)
            values = played.streams[f"h10.{name}"].segments[0].values
            assert [len(f.values) for f in frames[:-1]] == [per_frame] * (len(frames) - 1)
            np.testing.assert_allclose(joined(frames), values, rtol=0, atol=0.5 * step + 1e-12)
            # Device time between last samples is the recording's, by a clock that runs 100 ppm fast.
            last = np.cumsum([len(f.values) for f in frames]) - 1
            times = played.streams[f"h10.{name}"].segments[0].time.times(0, len(values))[last]
            np.testing.assert_allclose(np.diff(stamps(frames)), np.diff(times) * 1.0001, atol=2)
        ecg = stamps(host.frames(device, "ecg"))
        # Nobody set the clock: it began at 2019-01-01 when the strap was switched on, some simulated seconds ago.
        assert EPOCH_2019_NS < ecg[0] < EPOCH_2019_NS + 3600 * NS


async def test_ecg_at_1_uv_is_exact():
    played = recording(10, ("ecg",))
    async with VirtualRadio(SPEED) as radio:
        h10 = await radio.add(VirtualH10(Playback(played, lead=LEAD)))
        device = PolarH10()
        host = await heard(radio, h10, device)
        np.testing.assert_array_equal(
            np.rint(joined(host.frames(device, "ecg")) * 1000), np.rint(played.streams["h10.ecg"].segments[0].values * 1000)
        )


async def test_board_plays_every_stream_at_its_own_rate():
    kinds = ("ppg", "eda", "skin_temperature", "acc")
    played = recording(20, kinds, "board")
    async with VirtualRadio(SPEED) as radio:
        board = await radio.add(VirtualBoard(Playback(played, lead=LEAD), drift_ppm=-50))
        device = OpenBoard()
        host = await heard(radio, board, device)
        assert {k: (s.name, s.rate) for k, s in device.specs.items()} == {
            "ppg": ("ppg", 64), "eda": ("eda", 4), "temp": ("skin_temperature", 4), "acc": ("acc", 50),
        }  # fmt: skip
        for name, kind in (("ppg", "ppg"), ("eda", "eda"), ("temp", "skin_temperature"), ("acc", "acc")):
            frames = host.frames(device, name)
            values = played.streams[f"board.{kind}"].segments[0].values
            np.testing.assert_allclose(joined(frames), values, rtol=0, atol=1e-9)
            assert [f.sequence for f in frames] == list(range(len(frames)))
            assert board.produced[name] == len(values)
            last = np.cumsum([len(f.values) for f in frames]) - 1
            times = played.streams[f"board.{kind}"].segments[0].time.times(0, len(values))[last]
            np.testing.assert_allclose(np.diff(stamps(frames)), np.diff(times) * 0.99995, atol=1001)


async def test_strap_tells_every_interval_in_ticks():
    played = recording(30, ("ecg",), events=beats(30, 0.83))
    async with VirtualRadio(SPEED) as radio:
        strap = await radio.add(VirtualStrap(Playback(played, lead=LEAD)))
        device = HeartRateStrap()
        host = await heard(radio, strap, device)
        told = joined(host.frames(device, "rr"))[:, 0]
        assert len(told) == strap.produced["rr"] == len(beats(30, 0.83)) - 1
        np.testing.assert_array_equal(told, round(0.83 * 1024) / 1024)
        rates = joined(host.frames(device, "heart_rate"))[:, 0]
        assert len(rates) == strap.produced["heart_rate"] == 30
        assert np.nanmax(np.abs(rates - 60 / 0.83)) <= 0.5


async def test_h10_tells_intervals_and_rate_of_streams():
    info = {k: StreamInfo(f"h10.{k}", spec(k, None)) for k in ("rr", "heart_rate")}
    rr = np.full((20, 1), 0.75)
    at = T0 + (np.arange(20) + 1) * NS
    made = {
        "h10.ecg": stream("h10.ecg", "ecg", noise("ecg", 21)),
        "h10.rr": Stream(info["rr"], (Segment(rr, TimeMap.irregular(at)),)),
        "h10.heart_rate": Stream(info["heart_rate"], (Segment(np.full((20, 1), 77.0), TimeMap.irregular(at)),)),
    }
    async with VirtualRadio(SPEED) as radio:
        h10 = await radio.add(VirtualH10(Playback(Recording("s", made), lead=LEAD)))
        device = PolarH10(["ecg", "heart_rate", "rr"])
        host = await heard(radio, h10, device)
        assert joined(host.frames(device, "rr"))[:, 0].tolist() == [0.75] * 20
        assert set(joined(host.frames(device, "heart_rate"))[1:, 0]) == {77.0}


async def test_two_sensors_play_one_person_in_step():
    both = {**recording(20).streams, **recording(20, ("ppg", "eda"), "board").streams}
    async with VirtualRadio(SPEED) as radio:
        playback = Playback(Recording("s", both), lead=LEAD)
        h10 = await radio.add(VirtualH10(playback))
        board = await radio.add(VirtualBoard(playback))
        strap, device = PolarH10(), OpenBoard()
        first = asyncio.create_task(heard(radio, h10, strap))
        await asyncio.sleep(0.1)  # the recording waits for the other sensor
        host = await heard(radio, board, device)
        np.testing.assert_allclose(joined((await first).frames(strap, "ecg")), both["h10.ecg"].segments[0].values, atol=1e-9)
        np.testing.assert_allclose(joined(host.frames(device, "ppg")), both["board.ppg"].segments[0].values, atol=1e-9)
        # The moment of switching on differs; by simulated time both stamp the last sample within one sample of the end.
        ecg_end = h10._born_ns + int(stamps((await first).frames(strap, "ecg"))[-1]) - EPOCH_2019_NS
        ppg_end = board._born_ns + int(stamps(host.frames(device, "ppg"))[-1])
        assert abs(ecg_end - ppg_end) < NS / 64
        assert set(device.specs) == {"ppg", "eda"}
        assert set(strap.specs) == {"ecg"} | ({"acc"} if "h10.acc" in both else set())


@pytest.mark.parametrize("kind", ["h10", "board"])
async def test_a_dropped_frame_is_missing_in_time_and_in_numbers(kind):
    if kind == "h10":
        played, make, device, name, per = recording(20, ("ecg",)), VirtualH10, PolarH10(), "ecg", 73
    else:
        played, make, device, name, per = recording(20, ("ppg",), "board"), VirtualBoard, OpenBoard(), "ppg", 32
    async with VirtualRadio(SPEED) as radio:
        sensor = await radio.add(make(Playback(played, lead=LEAD)))

        async def fault(host):
            while len(host.frames(device, name)) < 5:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            sensor.drop(name, 2)

        frames = (await heard(radio, sensor, device, fault)).frames(device, name)
        rate = float(device.specs[name].rate)
        n = [len(f.values) for f in frames]
        missing = np.rint(np.diff(stamps(frames)) * rate / NS).astype(int) - n[1:]
        assert missing.sum() == 2 * per
        assert np.count_nonzero(missing) == 1
        assert sum(n) + missing.sum() == sensor.produced[name]
        if kind == "board":
            assert np.diff([f.sequence for f in frames]).max() == 3


async def test_a_sensor_that_vanishes_plays_on():
    played = recording(60, ("ecg",))
    async with VirtualRadio(SPEED) as radio:
        h10 = await radio.add(VirtualH10(Playback(played, lead=LEAD)))
        device, gone = PolarH10(), asyncio.Event()
        client = BleakClient(h10.address, disconnected_callback=lambda _: gone.set(), backend=radio.client)
        await client.connect()
        host = Host(client)
        await host.run(device.start())
        while len(host.frames(device, "ecg")) < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        away_from = radio.clock()
        away = asyncio.create_task(h10.vanish(10))
        await asyncio.wait_for(gone.wait(), 5)
        assert not h10.on_air
        with pytest.raises(BleakError):
            await BleakClient(h10.address, timeout=0.05, backend=radio.client).connect()
        again = BleakClient(h10.address, timeout=10, backend=radio.client)
        await again.connect()
        assert radio.clock() - away_from >= 10 * NS
        back = Host(again)
        await back.run(device.start())
        await away
        await h10.finished()
        before, after = host.frames(device, "ecg"), back.frames(device, "ecg")
        missing = round((after[0].device_ns - before[-1].device_ns) * 130 / NS) - len(after[0].values)
        assert missing >= 10 * 130 - 2 * 73
        assert len(joined(before)) + missing + len(joined(after)) == h10.produced["ecg"] == 60 * 130
        # What came is what the recording has at that place.
        values = played.streams["h10.ecg"].segments[0].values
        np.testing.assert_allclose(joined(before), values[: len(joined(before))], atol=1e-9)
        np.testing.assert_allclose(joined(after), values[-len(joined(after)) :], atol=1e-9)


async def test_a_playback_can_loop():
    played = recording(5, ("ecg",))
    async with VirtualRadio(SPEED) as radio:
        h10 = await radio.add(VirtualH10(Playback(played, loop=True, lead=LEAD)))
        device = PolarH10()
        async with BleakClient(h10.address, backend=radio.client) as client:
            host = Host(client)
            await host.run(device.start())
            while h10.produced["ecg"] < 1600:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await host.run(device.stop())
            frames = host.frames(device, "ecg")
        values = joined(frames)[:, 0]
        once = played.streams["h10.ecg"].segments[0].values[:, 0]
        np.testing.assert_allclose(values[: 2 * len(once)], np.tile(once, 2), atol=1e-9)
        n = [len(f.values) for f in frames]
        np.testing.assert_allclose(np.diff(stamps(frames)) * 130 / NS, n[1:], atol=1e-3)  # no seam in time


async def test_holes_of_the_recording_are_holes_of_the_sensor():
    info = StreamInfo("h10.ecg", spec("ecg", 130))
    a, b = noise("ecg", 3, 1), noise("ecg", 3, 2)
    a[100:110] = np.nan
    later = T0 + 3 * NS + 20 * NS // 130
    made = Stream(
        info,
        (Segment(a, TimeMap.uniform(T0, info.spec.rate)), Segment(b, TimeMap.uniform(later, info.spec.rate), None, 1)),
    )
    async with VirtualRadio(SPEED) as radio:
        h10 = await radio.add(VirtualH10(Playback(Recording("s", {"h10.ecg": made}), lead=LEAD)))
        device = PolarH10()
        frames = (await heard(radio, h10, device)).frames(device, "ecg")
        np.testing.assert_allclose(joined(frames), np.concatenate([a[:100], a[110:], b]), atol=1e-9)
        n = np.array([len(f.values) for f in frames])
        missing = np.rint(np.diff(stamps(frames)) * 130 / NS).astype(int) - n[1:]
        assert missing[missing > 0].tolist() == [10, 20]
        assert h10.produced["ecg"] == n.sum() + 30


async def test_board_says_where_the_recording_has_no_number():
    values = noise("eda", 5)
    values[7] = np.nan
    played = Recording("s", {"x.eda": stream("x.eda", "eda", values)})
    async with VirtualRadio(SPEED) as radio:
        board = await radio.add(VirtualBoard(Playback(played, lead=LEAD)))
        device = OpenBoard()
        frames = (await heard(radio, board, device)).frames(device, "eda")
        np.testing.assert_allclose(joined(frames), values, atol=1e-9)


def test_another_rate_is_resampled_band_limited():
    t = np.arange(0, 10, 1 / 360)
    wave = np.sin(2 * np.pi * 5 * t)[:, None]
    track = Track.of(stream("a", "ecg", wave, rate=360), T0).at(spec("ecg", 130).rate)
    inner = slice(130, -130)
    assert abs(len(track.values) - 1300) <= 1
    np.testing.assert_allclose(track.t_ns / NS, np.arange(len(track.t_ns)) / 130, atol=1e-8)
    # The anti-aliasing filter's ripple: SciPy's default Kaiser window (beta 5) is flat to 0.3 %.
    np.testing.assert_allclose(track.values[inner, 0], np.sin(2 * np.pi * 5 * track.t_ns / NS)[inner], atol=3e-3)


async def test_the_clock_runs_at_the_radios_speed_from_a_fixed_start():
    async with VirtualRadio(50, start_ns=T0) as radio:
        assert T0 <= radio.clock() < T0 + 60 * NS
        until = radio.clock() + 5 * NS
        await radio.sleep_until(until)
        assert radio.clock() >= until
    assert VirtualRadio().clock() == 1_767_225_600 * NS
    with pytest.raises(ValueError, match="positive"):
        VirtualRadio(0)


async def test_a_frame_that_would_be_cut_is_an_error():
    played = recording(5, ("ecg",))
    async with VirtualRadio(SPEED) as radio:
        h10 = await radio.add(VirtualH10(played))
        async with BleakClient(h10.address, backend=radio.client) as client:
            await client.start_notify(pmd.DATA, lambda *_: None)
            with pytest.raises(RuntimeError, match="does not fit"):
                await h10.notify(h10._data, bytes(600))
