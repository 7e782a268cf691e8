"""The link over the virtual radio: real Bluetooth bytes, dropouts, lost packets, and nothing unaccounted for."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import numpy as np

from feltsense.core.chunk import Chunk, GapReason, StreamInfo
from feltsense.core.event import EventKind
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense_bridge.devices.heart_rate import HeartRateStrap
from feltsense_bridge.devices.open_board import OpenBoard
from feltsense_bridge.devices.polar_h10 import PolarH10
from feltsense_bridge.link import Backoff, Link, LinkOptions, State
from feltsense_bridge.link_connection import bleak_client
from feltsense_bridge.live import Live
from feltsense_bridge.scan import scan
from feltsense_bridge.testing import Playback, VirtualBoard, VirtualH10, VirtualRadio, VirtualStrap

SPEED = 20.0
OPTIONS = LinkOptions(backoff=Backoff(first=0.5, most=2.0), seed=1)


def numbered(seconds):
    """A recording whose every value tells its sample's number, within what the sensors can carry."""
    start = 1_700_000_000 * NS
    streams = {}
    for stream_id, kind, rate, step in (
        ("h10.ecg", "ecg", 130, 0.001),
        ("board.ppg", "ppg", 64, 1.0),
        ("board.eda", "eda", 4, 0.001),
        ("board.acc", "acc", 32, 0.001),
    ):
        info = StreamInfo(stream_id, spec(kind, rate))
        n = round(seconds * rate)
        values = np.repeat((np.arange(n)[:, None] % 15000) * step + (1.0 if kind == "eda" else 0.0), info.spec.width, axis=1)
        streams[stream_id] = Stream(info, (Segment(values, TimeMap.uniform(start, info.spec.rate)),))
    beats = np.full(int(seconds / 0.8), 0.8)
    times = start + np.rint(np.cumsum(beats) * NS).astype(np.int64)
    streams["h10.rr"] = Stream(StreamInfo("h10.rr", spec("rr", None)), (Segment(beats[:, None], TimeMap.irregular(times)),))
    return Recording("P", streams)


@asynccontextmanager
async def no_task_left():
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before


def link_to(radio, sensor, device, name):
    factory = bleak_client(radio.client)
    return Link(
        device, sensor.address, name=name, client_factory=factory, clock=radio.clock, speed=radio.speed, options=OPTIONS
    )


async def listen(link, items):
    async for item in link:
        items.append(item)


async def until_played(radio, links, sensors, trouble=None):
    """Listen until the sensors have played everything; then close."""
    items = []
    live = Live(links)
    async with live:
        listening = asyncio.create_task(listen(live, items))
        await live.opened()
        if trouble is not None:
            await trouble()
        for sensor in sensors:
            await sensor.finished()
        await live.close()
        await listening
    return items


def by_stream(items):
    out = {}
    for item in items:
        if isinstance(item, Chunk):
            out.setdefault(item.stream.id, []).append(item)
    return {k: Stream.from_chunks(v[0].stream, v) for k, v in out.items()}


def numbers(stream, step):
    values = np.concatenate([s.values[:, 0] for s in stream.segments])
    return np.rint(values / step).astype(int)


async def test_ten_seconds_away_and_a_dropped_packet():
    async with no_task_left(), VirtualRadio(speed=SPEED) as radio:
        h10 = await radio.add(VirtualH10(numbered(60), drift_ppm=30))
        link = link_to(radio, h10, PolarH10(["ecg"]), "h10")

        async def trouble():
            await radio.sleep(15)
            h10.drop("ecg")
            await radio.sleep(10)
            await h10.vanish(10)

        items = await until_played(radio, [link], [h10], trouble)
        ecg = by_stream(items)["h10.ecg"]
        gaps = [s.gap for s in ecg.segments]
        assert [g and g.reason for g in gaps] == [None, GapReason.LINK, GapReason.DISCONNECT]
        assert gaps[1].samples == 73
        assert gaps[2].exact
        assert gaps[2].samples >= 10 * 130
        account = ecg.account()
        assert account.expected == h10.produced["ecg"] == 60 * 130
        assert account.received == link.counters["h10.ecg"].received
        # What came is what was played: the numbers run on, and jump by the gap.
        got = numbers(ecg, 0.001)
        at = np.cumsum([0] + [len(s.values) for s in ecg.segments])
        for gap, first, last in zip(gaps, at[:-1], at[1:], strict=True):
            assert np.array_equal(np.diff(got[first:last]), np.ones(last - first - 1))
            if gap is not None:
                assert got[first] - got[first - 1] - 1 == gap.samples
        kinds = [i.kind for i in items if not isinstance(i, Chunk)]
        assert kinds == [EventKind.CONNECTED, EventKind.STALLED, EventKind.DISCONNECTED, EventKind.CONNECTED]
        assert link.state is State.CLOSED
        assert link.corrupt == link.overflowed == 0
        # Sample times are those of the sensor, whatever was lost before them (the radio's clock is the sensor's).
        played = h10.playback.origin_ns + np.rint(got / 130 * NS)
        times = np.concatenate([s.time.times(0, len(s.values)) for s in ecg.segments])
        assert np.abs(times - played).max() < 0.05 * SPEED * NS


async def test_five_disconnections_in_a_row_on_two_sensors():
    async with no_task_left(), VirtualRadio(speed=SPEED) as radio:
        playback = Playback(numbered(60))
        h10 = await radio.add(VirtualH10(playback))
        board = await radio.add(VirtualBoard(playback))
        links = [link_to(radio, h10, PolarH10(["ecg"]), "h10"), link_to(radio, board, OpenBoard(), "board")]

        async def trouble():
            # What is lost before a stream's first frame nobody can know: let it begin.
            await radio.sleep(10)
            for n in range(5):
                await radio.sleep(5)
                while not all(link.state is State.STREAMING and link.attempts == n + 1 for link in links):
                    await radio.sleep(0.1)
                await h10.disconnect()
                await board.disconnect()

        items = await until_played(radio, links, [h10, board], trouble)
        streams = by_stream(items)
        assert {"h10.ecg", "board.ppg", "board.eda", "board.acc"} == set(streams)
        for stream_id, stream in streams.items():
            sensor = h10 if stream_id.startswith("h10") else board
            account = stream.account()
            produced = sensor.produced[stream_id.partition(".")[2]]
            assert account.expected <= produced <= account.received + account.missing_upper
            if stream_id in ("h10.ecg", "board.ppg"):
                assert account.expected == produced
        events = Counter((i.kind, i.text) for i in items if not isinstance(i, Chunk))
        for link in links:
            assert events[EventKind.CONNECTED, link.label] == 6
            assert events[EventKind.DISCONNECTED, link.label] == 5
            assert link.attempts >= 6


async def test_a_sensor_that_falls_silent_is_noticed_though_it_is_connected():
    async with no_task_left(), VirtualRadio(speed=5.0) as radio:
        h10 = await radio.add(VirtualH10(numbered(30)))
        link = link_to(radio, h10, PolarH10(["ecg"]), "h10")

        async def trouble():
            await radio.sleep(5)
            h10.drop("ecg", 14)

        items = await until_played(radio, [link], [h10], trouble)
        events = [i for i in items if not isinstance(i, Chunk)]
        assert [e.kind for e in events] == [EventKind.CONNECTED, EventKind.STALLED]
        stream = by_stream(items)["h10.ecg"]
        assert [s.gap and s.gap.reason for s in stream.segments] == [None, GapReason.STALL]
        assert stream.segments[1].gap.samples == 14 * 73
        # Nothing earlier than the stall's time came after it.
        stalled = events[1]
        assert stalled.text == "h10.ecg"
        before = [i for i in items[: items.index(stalled)] if isinstance(i, Chunk)]
        assert before[-1].stop_ns == stalled.t_ns
        assert stream.account().expected == h10.produced["ecg"]


async def test_a_plain_strap_has_bounds_where_nothing_can_be_counted():
    async with no_task_left(), VirtualRadio(speed=SPEED) as radio:
        strap = await radio.add(VirtualStrap(numbered(60)))
        link = link_to(radio, strap, HeartRateStrap(), "strap")

        async def trouble():
            await radio.sleep(20)
            await strap.vanish(10)

        items = await until_played(radio, [link], [strap], trouble)
        rr = by_stream(items)["strap.rr"]
        assert GapReason.DISCONNECT in {s.gap.reason for s in rr.segments if s.gap}
        account = rr.account()
        assert account.received < 75
        assert account.expected <= 75 <= account.received + account.missing_upper


async def test_closing_stops_the_streams():
    async with no_task_left(), VirtualRadio(speed=SPEED) as radio:
        h10 = await radio.add(VirtualH10(numbered(60)))
        link = link_to(radio, h10, PolarH10(["ecg"]), "h10")
        async with link:
            assert set(await link.opened()) == {"h10.ecg"}
            async for item in link:
                if isinstance(item, Chunk):
                    break
            assert h10.playing("ecg")
        assert not h10.playing("ecg")
        assert not h10.connected
        await link.close()
        rest = [item async for item in link]
        assert all(isinstance(item, Chunk) for item in rest)


async def test_a_scan_knows_the_models():
    async with no_task_left(), VirtualRadio() as radio:
        playback = Playback(numbered(5))
        h10 = await radio.add(VirtualH10(playback))
        board = await radio.add(VirtualBoard(playback))
        strap = await radio.add(VirtualStrap(playback))
        found = await scan(10, backend=radio.scanner, until=lambda seen: sum(s.model is not None for s in seen) == 3)
        assert {s.advertisement.address: s.model for s in found} == {
            h10.address: "polar_h10",
            board.address: "open_board",
            strap.address: "heart_rate",
        }
        (one,) = [s for s in found if s.answers_to("00000001") and s.model == "polar_h10"]
        assert one.answers_to(h10.address.lower())
        assert not one.answers_to("0001")
        assert not one.answers_to("")
