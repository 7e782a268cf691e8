"""The open board end to end, by both of its engines: what was lost comes again, and the clock is asked for."""

import asyncio
from fractions import Fraction

import numpy as np
import pytest
from radio_cases import against_the_sensor, noise, stream

from feltsense.core.chunk import Chunk
from feltsense.core.event import EventKind
from feltsense.core.recording import Recording
from feltsense.store import Writer, read
from feltsense_bridge.capture import CaptureWriter
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.devices.open_board import OpenBoard
from feltsense_bridge.frames import StreamFrame
from feltsense_bridge.link import Backoff, Link, LinkOptions
from feltsense_bridge.link_connection import bleak_client
from feltsense_bridge.replay import Replay
from feltsense_bridge.testing import VirtualBoard, VirtualRadio
from feltsense_bridge.testing.board_engine import SLOTS, PythonEngine, core_engine
from feltsense_bridge.testing.faults import Duplication, During, Latency, Loss

SPEED = 30
SECONDS = 70
KINDS = ("ppg", "eda", "acc")


def sensed(kind):
    return stream(f"board.{kind}", kind, noise(kind, SECONDS))


async def hear(engine, trouble=None, faults=(), capture=None):
    """What a link gives of a board that is in trouble, in order; and the board."""
    items = []
    async with VirtualRadio(SPEED) as radio:
        source = Recording("s", {f"board.{k}": sensed(k) for k in KINDS})
        board = await radio.add(VirtualBoard(source, engine=engine, drift_ppm=20))
        board.suffer(*faults, seed=3)
        options = LinkOptions(label="B", seed=1, backoff=Backoff(0.2, 1.5, 1.0), capture=capture)
        link = Link(OpenBoard(), board.address, name="board", client_factory=bleak_client(radio.client),
                    clock=radio.clock, speed=SPEED, options=options)  # fmt: skip
        async with link, asyncio.TaskGroup() as tasks:
            await link.opened()

            async def end():
                if trouble is not None:
                    await radio.sleep(12)
                    await trouble(board)
                await board.finished()
                await radio.sleep(3)
                await link.close()

            tasks.create_task(end())
            items += [item async for item in link]
    return items, board, link


def chunks_of(items):
    out = {}
    for item in items:
        if isinstance(item, Chunk):
            out.setdefault(item.stream.id, []).append(item)
    return out


def whole(items, board):
    """Every sample that the board measured is there, in its place."""
    for name, chunks in chunks_of(items).items():
        kind = name.partition(".")[2]
        low, high = against_the_sensor(sensed(kind), chunks, exact=True)
        assert low == high == board.produced[kind] == len(sensed(kind).segments[0].values)
        assert sum(len(c) for c in chunks) == board.produced[kind]
        times = np.concatenate([c.times for c in chunks])
        assert np.all(np.diff(times) > 0)


async def test_thirty_seconds_away_are_closed_live_and_in_the_recording(engine, tmp_path):
    items, board, link = await hear(engine, lambda board: board.vanish(30))
    assert set(chunks_of(items)) == {f"board.{k}" for k in KINDS}
    whole(items, board)
    assert all(c.missing == c.missing_upper == 0 for c in link.counters.values())
    # The stall was told when it happened; what came later begins a segment before which nothing is missing.
    for chunks in chunks_of(items).values():
        assert [(c.gap.samples, c.gap.upper, c.gap.reason.value) for c in chunks if c.gap] == [(0, 0, "disconnect")]
    told = [item.kind for item in items if not isinstance(item, Chunk)]
    assert told.count(EventKind.STALLED) == len(KINDS)
    path = tmp_path / "r.felt"
    with Writer(path, "P", {}) as writer:
        for info in link.streams.values():
            writer.declare(info)
        for item in items:
            writer.append(item) if isinstance(item, Chunk) else writer.event(item)
    for name, kept in read(path).streams.items():
        account = kept.account()
        kind = name.partition(".")[2]
        assert (account.received, account.missing_upper) == (board.produced[kind], 0)
        # The sensors' steps are the units that were played, so that the file has them to the bit.
        values = np.concatenate([s.values for s in kept.segments])
        np.testing.assert_allclose(values, sensed(kind).segments[0].values, atol=1e-6)


async def test_frames_lost_on_a_standing_connection_leave_no_trace(engine):
    faults = [Latency(0.05), During(Loss(0.1, run=2), 5, SECONDS - 8), During(Duplication(0.05), 5, SECONDS - 8)]
    items, board, link = await hear(engine, faults=faults)
    whole(items, board)
    assert all(chunk.gap is None and chunk.segment == 0 for chunks in chunks_of(items).values() for chunk in chunks)
    assert all(c.gaps == c.missing == 0 for c in link.counters.values())


async def test_a_capture_of_a_filled_gap_replays_to_the_same_chunks(tmp_path):
    with CaptureWriter(tmp_path / "b.cap") as capture:
        faults = [During(Loss(0.1), 5, SECONDS - 8)]
        items, _, _ = await hear(PythonEngine, lambda board: board.vanish(8), faults, capture.tap())
    again = chunks_of(Replay(tmp_path / "b.cap"))
    live = chunks_of(items)
    assert set(again) == set(live)
    for name, chunks in live.items():
        key = [(c.segment, c.start, c.gap, c.values.tobytes(), c.times.tobytes()) for c in chunks]
        assert key == [(c.segment, c.start, c.gap, c.values.tobytes(), c.times.tobytes()) for c in again[name]]


async def test_the_clock_that_is_asked_for_knows_the_delay_that_arrivals_hide():
    """Frames take 0.3 s; answers take none: only a question can tell."""
    items, board, _ = await hear(PythonEngine, faults=[Latency(0.3)])
    chunks = chunks_of(items)["board.eda"]
    origin = board.playback.origin_ns
    late, stated = [], []
    for chunk in chunks:
        if chunk.times[-1] - origin > 20e9:
            at = against_the_sensor(sensed("eda"), [chunk], exact=True)[0] - 1
            late.append((chunk.times[-1] - origin) / 1e9 - at / 4)
            stated.append(chunk.time.unc_ns[-1] / 1e9)
    assert len(late) > 50
    assert np.abs(late).max() < 0.02
    # What is stated holds for 95 % of the errors.
    assert np.mean(np.abs(late) <= stated) >= 0.95, (np.abs(late).max(), min(stated))


ROWS = [
    gatt.BoardStream(3, "eda", Fraction(4), 1e-5, keeps=True),
    gatt.BoardStream(7, "acc", Fraction(32), 1 / 4096, keeps=True),
]


def test_both_engines_say_the_same_whatever_happens(firmware):
    """Ten thousand random calls: samples, gaps, requests good and bad, disconnections."""
    rng = np.random.default_rng(5)
    twins = [make(ROWS, [2, 5]) for make in (PythonEngine, core_engine(firmware / "libfelt.so"))]
    assert twins[0].info() == twins[1].info()
    assert gatt.decode_info(twins[0].info()) == tuple(ROWS)

    def both(call, *arguments):
        one, other = (getattr(twin, call)(*arguments) for twin in twins)
        assert one == other, (call, arguments)
        return one

    now, sent = 0, 0
    for _ in range(10_000):
        now += int(rng.integers(1, 100_000))
        draw, index = rng.random(), int(rng.integers(2))
        if draw < 0.7:
            both("sample", index, now, rng.integers(-(2**23), 2**23, 3 if index else 1).astype(np.int32))
        elif draw < 0.75:
            both("gap", index)
        elif draw < 0.755:
            both("disconnected")
        else:
            opcode = int(rng.choice([0, 1, 1, 2, 3, 0x10, 0x10, 0x11, 0x81]))
            data = bytes([opcode, int(rng.choice([3, 7, 9])), *rng.integers(0, 4, 2), *rng.integers(0, 2, 2)])
            both("request", data[: int(rng.choice([2, 5, 6, 6]))], now, int(rng.choice([23, 247])))
        for _ in range(int(rng.integers(0, 3))):
            sent += both("next", now) is not None
    assert sent > 1000


@pytest.mark.parametrize("first", [0, 65_000])
def test_what_is_no_longer_kept_is_not_promised(engine, first):
    board = engine(ROWS, [1, 5])
    for i in range(first + SLOTS + 40):
        board.sample(0, i, np.array([1], np.int32))
    assert board.request(gatt.Control(gatt.Opcode.BACKFILL, gatt.encode_range(3, first, 60)).encode(), 0, 247)
    answer = gatt.ControlReply.decode(board.next(0)[1])
    assert gatt.decode_range(answer.data) == (3, first + 40, 20)
    frames = [StreamFrame.decode(board.next(0)[1]).sequence for _ in range(20)]
    assert frames == [first + 40 + k for k in range(20)]
    assert board.next(0) is None
