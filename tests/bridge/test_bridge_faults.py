"""Every fault over the radio: the account of each sensor against its own counter, which the SDK never sees.

One minute of three sensors a fault. Frames carry the time of their last sample and on the board a number: there the
account must be exact, but after a clock reset, which leaves only bounds. A strap's notifications say nothing of their
place: bounds.
"""

import asyncio
from collections import Counter

import numpy as np
import pytest
from fault_cases import SECONDS, SPEED, Torn, check, quiet_ends, run
from radio_cases import against_the_sensor, beats, noise, stream

from feltsense.core.recording import Recording
from feltsense_bridge.continuity import RATE_TOLERANCE
from feltsense_bridge.devices.heart_rate import HeartRateStrap
from feltsense_bridge.devices.open_board import OpenBoard
from feltsense_bridge.devices.polar_h10 import PolarH10
from feltsense_bridge.errors import RefusedError
from feltsense_bridge.link import Link
from feltsense_bridge.link_connection import bleak_client
from feltsense_bridge.testing import Playback, VirtualBoard, VirtualH10, VirtualRadio, VirtualStrap
from feltsense_bridge.testing.channel import Action, Channel
from feltsense_bridge.testing.faults import (
    ClockReset,
    Corruption,
    DisconnectStorm,
    Duplication,
    During,
    Jitter,
    Latency,
    Loss,
    MtuLimit,
    Reordering,
    SilentStall,
    SupervisionTimeout,
)

NS = 10**9


def sensed(name):
    """What is to be measured."""
    kind = name.partition(".")[2]
    return stream(name, kind, noise(kind, SECONDS))


def sensors():
    streams = {name: sensed(name) for name in ("h10.ecg", "h10.acc", "board.ppg", "board.eda")}
    playback = Playback(Recording("s", streams, tuple(beats(SECONDS))), lead=0.4)
    return {
        "h10": (VirtualH10(playback, drift_ppm=35), PolarH10(["ecg", "acc"])),
        "board": (VirtualBoard(playback, drift_ppm=-35), OpenBoard()),
        "strap": (VirtualStrap(playback), HeartRateStrap(["rr"])),
    }


CASES = {
    "latency and jitter": [Latency(0.3), Jitter()],
    "loss": [quiet_ends(Loss(0.1))],
    "runs of losses": [quiet_ends(Loss(0.02, run=8))],
    "duplication": [Duplication(0.2)],
    "cut short": [quiet_ends(Torn())],
    "reordering": [quiet_ends(Reordering(0.1, 1.2))],
    "supervision timeout": [SupervisionTimeout(20, 6)],
    "silent stall": [SilentStall(20, 12)],
    "all of it": [Latency(0.02), Jitter(), quiet_ends(Loss(0.05)), quiet_ends(Duplication(0.05)), SilentStall(30, 8)],
}


@pytest.mark.parametrize("case", CASES)
async def test_the_account_is_exact_where_frames_say_where_they_belong(case):
    chunks, counters, produced, _ = await run(sensors(), CASES[case])
    # Nothing tells a strap's notification that came twice from two that are alike.
    check(
        chunks,
        counters,
        produced,
        inexact=("strap.rr",),
        apart=("strap.rr",) if any("Dupl" in repr(f) for f in CASES[case]) else (),
    )
    if case == "duplication":
        assert all(c.duplicates for name, c in counters.items() if name != "strap.rr")
    if case == "reordering":
        assert sum(c.late for c in counters.values()) > 5


async def test_flipped_bits_are_caught_where_frames_have_a_checksum():
    chunks, counters, produced, links = await run(sensors(), [quiet_ends(Corruption(0.1, bits=1))])
    # A Polar frame has no checksum of its own: a flipped bit of its time is believed. Only the board can tell.
    board = {k: v for k, v in counters.items() if k.startswith("board.")}
    check(chunks, board, produced)
    assert links[1].corrupt > 5


async def test_a_clock_that_starts_anew_leaves_bounds():
    chunks, counters, produced, _ = await run(sensors(), [ClockReset(31)])
    check(chunks, counters, produced, inexact=("all",))
    # Streams share their device's clock: the first to see the reset counts it.
    for device in ("h10", "board"):
        assert sum(c.resets for name, c in counters.items() if name.startswith(device)) == 1
    # Two frames are taken for stragglers before the clock is known to have gone back; they are within the bounds.
    assert all(c.received >= 0.9 * produced[name] for name, c in counters.items() if name != "strap.rr")


async def test_eleven_disconnections_in_ten_seconds_lose_nothing_silently():
    before, delivered = asyncio.all_tasks(), Counter()
    chunks, counters, produced, links = await run(sensors(), [DisconnectStorm(20, 11, 10)], tally=delivered)
    assert all(link.attempts > 5 for link in links)
    for name in ("h10.ecg", "h10.acc", "board.ppg", "board.eda"):
        low, high = against_the_sensor(sensed(name), chunks[name], exact=True)
        assert low == high == counters[name].received + counters[name].missing
        assert low == produced[name]
        assert {x.gap.reason.value for x in chunks[name] if x.gap} == {"disconnect"}
        # The board keeps what it measures while nobody listens, and gives it when asked.
        assert (counters[name].missing == 0) == name.startswith("board.")
    check(chunks, counters, produced, inexact=("strap.rr",))
    # Every frame that the radio handed over is in a chunk.
    for name, link in zip(("h10", "board", "strap"), links, strict=True):
        assert sum(c.frames for c in link.counters.values()) == delivered[name]
        assert not sum(c.duplicates + c.late for c in link.counters.values())
        assert link.corrupt == link.overflowed == 0
    assert asyncio.all_tasks() == before


async def test_an_app_that_is_slow_is_told_what_it_missed():
    chunks, counters, produced, links = await run(sensors(), [], inbox=6, busy_s=0.9)
    assert all(link.overflowed for link in links[:2])
    for name, c in counters.items():
        if name == "strap.rr":
            continue
        # What was dropped after the last frame that was taken is the end of the session, which no frame follows; how
        # much that is depends on the machine. Up to there the account is the sensor's own.
        board = name.startswith("board.")
        low, high = against_the_sensor(sensed(name), chunks[name], exact=board)
        assert low <= produced[name]
        # A Polar stream of which no two frames came in a row has no rate but the nominal one, good to 2 %.
        assert high - low <= (0 if board else 2 * RATE_TOLERANCE * high + 2 * c.gaps)
        assert c.missing > 0
        reasons = {x.gap.reason.value for x in chunks[name] if x.gap}
        assert "overflow" in reasons


async def test_packets_too_short_for_a_frame_are_refused_in_words():
    async with VirtualRadio(SPEED) as radio:
        sensor = sensors()["h10"][0]
        sensor.suffer(MtuLimit(64))
        await radio.add(sensor)
        link = Link(PolarH10(["ecg"]), sensor.address, client_factory=bleak_client(radio.client), clock=radio.clock)
        async with link:
            with pytest.raises(RefusedError, match="packet"):
                await link.opened()


PACKETS = set(range(400))


def sent(channel):
    """Number, delay and bytes of what arrives of one packet a second."""
    return [(k, p.t_ns - k * NS, p.data) for k in PACKETS for p in channel.send(k * NS, bytes([k % 256] * 9))]


def test_the_same_seed_does_the_same_and_faults_do_not_disturb_each_other():
    faults = [Latency(), Jitter(), Loss(0.1), Corruption(0.1), Duplication(0.1), Reordering(0.1)]
    assert sent(Channel(faults, 5)) == sent(Channel(faults, 5))
    assert sent(Channel(faults, 5)) != sent(Channel(faults, 6))
    lost = PACKETS - {k for k, _, _ in sent(Channel([Latency(), Jitter(), Loss(0.1)], 5))}
    assert lost == PACKETS - {k for k, _, _ in sent(Channel([Latency(9), Jitter(0), Loss(0.1)], 5))}
    assert 20 < len(lost) < 60


def test_what_each_fault_does_to_packets():
    assert {late for _, late, _ in sent(Channel([Latency(0.5)]))} == {NS // 2}
    jittered = sent(Channel([Jitter(0.045, 0.2, 5.0)]))
    arrivals = [k * NS + late for k, late, _ in jittered]
    assert arrivals == sorted(arrivals)
    assert max(late for _, late, _ in jittered) > NS
    runs = sent(Channel([Loss(0.05, run=4)]))
    gaps = np.diff([k for k, _, _ in runs])
    assert set(gaps[gaps > 1]) <= {5, 9, 13}
    assert len(sent(Channel([Duplication(1.0)]))) == 800
    flipped = sent(Channel([Corruption(1.0, bits=2)]))
    assert all(sum((a ^ k % 256).bit_count() for a in data) == 2 for k, _, data in flipped)
    assert all(len(data) < 9 for _, _, data in sent(Channel([Corruption(1.0, bits=0)])))
    assert all(len(data) == 5 for _, _, data in sent(Channel([MtuLimit(8)])))
    stalled = {k for k, _, _ in sent(Channel([During(SilentStall(10, 100), 0, 400)]))}
    assert stalled == {k for k in range(400) if not 10 <= k < 110}
    assert Channel([SupervisionTimeout(7, 3), ClockReset(2)]).moments == [(2, Action.RESET_CLOCK), (10, Action.DISCONNECT)]
    storm = Channel([DisconnectStorm(5, 11, 10)], 3).moments
    assert len(storm) == 11
    assert all(5 <= at <= 15 for at, _ in storm)
    assert Channel([During(DisconnectStorm(5, 11, 10), 0, 1)]).moments == []
    assert Channel([MtuLimit(64), MtuLimit(32)]).mtu == 32
