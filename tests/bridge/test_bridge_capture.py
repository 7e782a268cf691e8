"""Captures: decoded again they give the same chunks; torn, damaged or forged they give nothing but RecordingError."""

import asyncio
import json
import zlib
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from radio_cases import ROWS, noise, stream

from feltsense.cli import main
from feltsense.core.chunk import Chunk
from feltsense.core.recording import Recording
from feltsense.errors import RecordingError
from feltsense_bridge.capture import MAGIC, VERSION, CaptureWriter, Kind, Record, is_capture, records
from feltsense_bridge.device import Read
from feltsense_bridge.devices.open_board import OpenBoard
from feltsense_bridge.devices.polar_h10 import PolarH10
from feltsense_bridge.link import Link, LinkOptions
from feltsense_bridge.link_connection import bleak_client
from feltsense_bridge.replay import Replay
from feltsense_bridge.testing import Playback, VirtualBoard, VirtualH10, VirtualRadio

SAMPLE = Path(__file__).parents[1] / "data" / "virtual_h10_board.cap"
COLUMNS = ("index", "device_ns", "arrival_ns", "t_ns", "unc_ns")


def said(item):
    """All that an item says, as bytes and numbers."""
    if not isinstance(item, Chunk):
        return item
    columns = [getattr(item.time, c).tobytes() for c in COLUMNS]
    return item.stream, item.segment, item.start, item.values.tobytes(), item.time.rate, columns, item.gap


def by_source(items):
    """Of several sensors each keeps its order; between them there is none."""
    out = {}
    for item in items:
        who = item.stream.device if isinstance(item, Chunk) else item.text.replace("h10.ecg", "H").replace("h10.acc", "H")
        out.setdefault(who, []).append(said(item))
    return out


async def session(path, *, seconds=20, speed=20, inbox=4096):
    """A session with a lost frame, an absence and a consumer that sleeps for a while; what the link gave."""
    streams = {f"h10.{k}": stream(f"h10.{k}", k, noise(k, seconds)) for k in ("ecg", "acc")}
    out = []
    async with VirtualRadio(speed) as radio:
        h10 = await radio.add(VirtualH10(Playback(Recording("s", streams), lead=0.5)))
        with CaptureWriter(path) as capture:
            options = LinkOptions(label="H", capture=capture.tap(), inbox=inbox, seed=1)
            factory = bleak_client(radio.client)
            link = Link(PolarH10(), h10.address, name="h10", client_factory=factory, clock=radio.clock, speed=speed,
                        options=options)  # fmt: skip
            async with link:
                await link.opened()

                async def trouble():
                    # Half a real second of lead is ten simulated ones.
                    await radio.sleep(13)
                    h10.drop("ecg", 2)
                    await radio.sleep(3)
                    await h10.vanish(3)
                    await h10.finished()
                    await link.close()

                work = asyncio.create_task(trouble())
                if inbox < 4096:
                    await radio.sleep(20)
                out = [item async for item in link]
                await work
            return out, dict(link.counters), link.overflowed


@pytest.mark.parametrize("inbox", [4096, 8])
async def test_a_replay_gives_the_same_chunks(tmp_path, inbox):
    path = tmp_path / "s.cap"
    live, counters, overflowed = await session(path, inbox=inbox)
    assert (overflowed > 0) == (inbox == 8)
    replay = Replay(path)
    again = list(replay)
    assert [said(i) for i in again] == [said(i) for i in live]
    assert replay.counters == counters
    assert counters["h10.ecg"].missing >= 2 * 73
    assert replay.torn == 0
    # Twice gives it twice: a replay keeps no state.
    assert [said(i) for i in replay] == [said(i) for i in live]


def test_the_committed_capture_gives_what_it_always_gave():
    """A fault in the field becomes a test like this one. Made by a virtual H10 and board; 2 frames dropped, 4 s away."""
    replay = Replay(SAMPLE)
    recording = replay.recording()
    expected = json.loads(SAMPLE.with_suffix(".json").read_text())
    got = {}
    for name, one in recording.streams.items():
        values = b"".join(np.rint(s.values * 1e6).astype("<i8").tobytes() for s in one.segments)
        gaps = [[s.gap.samples, s.gap.upper, s.gap.reason.value] for s in one.segments if s.gap]
        got[name] = {"values": zlib.crc32(values), "gaps": gaps, "received": replay.counters[name].received}
        # Fits of lines differ in the last bit between processors: a microsecond, not a nanosecond.
        assert abs(one.stop_ns - expected[name].pop("stop_ns")) <= 1000
    assert got == expected
    assert [e.kind.value for e in recording.events].count("disconnected") == 1


def test_a_torn_end_is_passed_over_wherever_it_is(tmp_path):
    data = SAMPLE.read_bytes()
    whole = list(records(data))
    ends = [r.offset for r in whole[1:]] + [len(data)]
    for cut in range(len(data) - 600, len(data)):
        got = list(records(data[:cut]))
        assert got == whole[: sum(end <= cut for end in ends)]
    assert list(records(data + bytes(100))) == whole
    assert list(records(data[:-1] + bytes([data[-1] ^ 1]))) == whole[:-1]
    path = tmp_path / "torn.cap"
    path.write_bytes(data[:-3])
    replay = Replay(path)
    assert sum(isinstance(i, Chunk) for i in replay) > 100
    assert replay.torn == len(whole[-1].encode()) - 3


def test_damage_before_the_end_is_told():
    data = bytearray(SAMPLE.read_bytes())
    data[5000] ^= 4
    with pytest.raises(RecordingError, match="damaged at byte"):
        list(records(bytes(data)))


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "no capture"),
        (b"SQLite format 3\0", "no capture"),
        (MAGIC + b"\x09", "version 9"),
        (MAGIC + bytes([VERSION]) + Record(Kind.CONNECTED, 0, bytes(8)).encode(), "sensor 0"),
        (MAGIC + bytes([VERSION]) + Record(Kind.SOURCE, 0, b'{"model": "toaster", "name": "t", "label": "t"}').encode(),
         "unknown device 'toaster'"),
        (MAGIC + bytes([VERSION]) + Record(Kind.SOURCE, 0, b"[]").encode(), "what sensor"),
        (MAGIC + bytes([VERSION]) + Record(Kind.HEARD, 0, b"").encode(), "does not know"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path, data, match):
    path = tmp_path / "bad.cap"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=match):
        list(Replay(path))


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_else(data):
    for start in (b"", MAGIC, MAGIC + bytes([VERSION])):
        try:
            list(records(start + data))
        except RecordingError:
            continue


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 119), st.integers(0, 300), st.integers(1, 255), st.booleans()), max_size=6))
def test_forged_records_raise_nothing_else(tmp_path_factory, edits):
    """Contents are altered and sealed again, so that nothing but the decoders is left to refuse them."""
    forged = list(records(SAMPLE.read_bytes()))[:120]
    for which, at, mask, cut in edits:
        content = bytearray(forged[which].content)
        if cut:
            content = content[:at]
        elif content:
            content[at % len(content)] ^= mask
        forged[which] = Record(forged[which].kind, forged[which].source, bytes(content))
    path = tmp_path_factory.mktemp("forged") / "f.cap"
    path.write_bytes(MAGIC + bytes([VERSION]) + b"".join(r.encode() for r in forged))
    try:
        Replay(path).recording()
    except RecordingError:
        return


def test_the_answers_of_a_dialogue_bring_the_device_to_the_same_state(tmp_path):
    from feltsense_bridge.devices import _open_gatt as gatt

    path = tmp_path / "d.cap"
    with CaptureWriter(path) as capture:
        tap = capture.tap(["eda"])
        device = tap.attach(OpenBoard(["eda"]), "board", "B", 1.0)
        dialogue = device.start()
        assert next(dialogue) == Read(gatt.INFO)
        dialogue.send(gatt.encode_info(ROWS))
        dialogue.close()
        with pytest.raises(RecordingError, match="one link"):
            tap.attach(OpenBoard(), "b2", "B", 1.0)
    replay = Replay(path)
    assert list(replay) == []
    source = next(iter(replay._sources.values()))
    assert source.device.specs == device.specs
    assert set(device.specs) == {"eda"}


def test_a_capture_is_not_written_over_and_a_full_disk_ends_only_the_capture(tmp_path, monkeypatch):
    path = tmp_path / "w.cap"
    with CaptureWriter(path):
        pass
    assert is_capture(path)
    assert not is_capture(tmp_path)
    with pytest.raises(RecordingError, match="exists"):
        CaptureWriter(path)
    with pytest.raises(RecordingError, match="cannot be made"):
        CaptureWriter(tmp_path / "no" / "w.cap")

    def full(_file, _data):
        raise OSError(28, "No space left on device")

    with ExitStack() as stack:
        writer = CaptureWriter(tmp_path / "full.cap")
        monkeypatch.setattr("feltsense_bridge.capture.os.write", full)
        tap = writer.tap()
        tap.attach(PolarH10(), "h10", "H", 1.0)
        tap.heard("u", b"x", 1, dropped=False)
        assert writer.failed
        writer.flush()
        stack.enter_context(pytest.raises(RecordingError, match="No space left"))
        writer.close()
    writer.close()


def test_record_captures_and_replay_plays_it(tmp_path, capsys):
    felt, cap = tmp_path / "r.felt", tmp_path / "r.cap"
    command = ["record", "--virtual", "--speed", "60", "--seconds", "90", "--out", str(felt), "--capture", str(cap)]
    assert main(command) == 0
    capsys.readouterr()
    assert main(["replay", str(felt), "--speed", "0"]) == 0
    one = capsys.readouterr().out.splitlines()
    assert main(["replay", str(cap), "--speed", "0"]) == 0
    other = capsys.readouterr().out.splitlines()
    # The first line names the subject, which a capture does not know.
    assert one[1:] == other[1:]
    assert len(one) > 3
    assert main(["record", "--virtual", "--out", str(tmp_path / "n.felt"), "--capture", str(cap)]) == 2


async def test_sensors_of_one_capture_stay_apart(tmp_path):
    kinds = {"h10.ecg": "ecg", "board.eda": "eda"}
    streams = {k: stream(k, kind, noise(kind, 6)) for k, kind in kinds.items()}
    playback = Playback(Recording("s", streams), lead=0.5)
    live = []
    async with VirtualRadio(20) as radio:
        sensors = [(await radio.add(VirtualH10(playback)), PolarH10(), "h10"),
                   (await radio.add(VirtualBoard(playback)), OpenBoard(), "board")]  # fmt: skip
        with CaptureWriter(tmp_path / "two.cap") as capture:
            links = [
                Link(device, sensor.address, name=name, client_factory=bleak_client(radio.client), clock=radio.clock,
                     speed=20, options=LinkOptions(label=name, capture=capture.tap()))
                for sensor, device, name in sensors
            ]  # fmt: skip
            for link in links:
                link.open()
            for (sensor, _, _), link in zip(sensors, links, strict=True):
                await link.opened()
                await sensor.finished()
            for link in links:
                await link.close()
                live += [item async for item in link]
    assert by_source(Replay(tmp_path / "two.cap")) == by_source(live)
    assert set(Replay(tmp_path / "two.cap").recording().streams) == {"h10.ecg", "board.eda"}
