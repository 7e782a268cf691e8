"""Simulated time waits: for a process that cannot run, and for sensors that are behind with their frames."""

import asyncio
import time

import numpy as np
import pytest

from feltsense.core.chunk import Chunk
from feltsense.core.recording import Recording, Stream
from feltsense.core.timeline import NS
from feltsense.datasets.synthetic import participant

pytest.importorskip("bumble")
pytest.importorskip("bleak")

from feltsense_bridge.devices.open_board import OpenBoard
from feltsense_bridge.link import Link
from feltsense_bridge.link_connection import bleak_client
from feltsense_bridge.testing import VirtualBoard, VirtualRadio


async def test_time_stands_still_while_the_process_cannot_run():
    async with VirtualRadio(speed=100) as radio:
        await radio.sleep(1)
        before = radio.clock()
        time.sleep(0.4)  # noqa: ASYNC251 - a long computation between two awaits
        assert radio.clock() - before <= 0.06 * 100 * NS
        await radio.sleep(1)
        assert radio.clock() - before >= 1 * NS


async def test_time_goes_on_and_never_back():
    async with VirtualRadio(speed=50) as radio:
        seen = []
        for _ in range(50):
            seen.append(radio.clock())
            await asyncio.sleep(0.002)
        assert seen == sorted(seen)
        assert seen[-1] > seen[0]


async def test_more_speed_than_the_machine_has_stretches_nothing_and_loses_nothing():
    wrist = {k: s for k, s in participant(1, protocol=[("rest", 240)]).streams.items() if k.startswith("board.")}
    source = Recording("P", wrist)
    chunks = []
    async with VirtualRadio(speed=400) as radio:
        board = await radio.add(VirtualBoard(source))
        factory = bleak_client(radio.client)
        link = Link(OpenBoard(), board.address, name="board", client_factory=factory, clock=radio.clock, speed=radio.speed)
        async with link, asyncio.TaskGroup() as tasks:
            tasks.create_task(close_after(board, link))
            await link.opened()
            chunks += [item async for item in link if isinstance(item, Chunk)]
    for name, stream in source.streams.items():
        mine = [c for c in chunks if c.stream.id == name]
        got = Stream.from_chunks(mine[0].stream, mine)
        assert got.account().missing == 0
        assert got.account().received == stream.account().received
        (segment,) = got.segments
        device = segment.time.device_times(0, len(segment.values))
        t = segment.time.times(0, len(segment.values))
        assert np.ptp(device) == pytest.approx(np.ptp(t), rel=0.1)


async def close_after(board, link):
    await board.finished()
    await link.close()
