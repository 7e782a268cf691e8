"""Sensors on a virtual radio that suffer faults, and their accounts against their own counters."""

import asyncio
from collections import Counter
from dataclasses import replace

import numpy as np

from feltsense.core.chunk import Chunk
from feltsense.core.recording import Stream
from feltsense_bridge.devices import _open_gatt, _pmd
from feltsense_bridge.link import Backoff, Link, LinkOptions
from feltsense_bridge.link_connection import bleak_client
from feltsense_bridge.live import Live
from feltsense_bridge.testing import VirtualRadio
from feltsense_bridge.testing.faults import During, Fault, slow_consumer

SECONDS = 60
SPEED = 40
CONTROLS = (_pmd.CONTROL, _open_gatt.CONTROL)
OPTIONS = LinkOptions(seed=1, backoff=Backoff(0.2, 1.5, 1.0))


def quiet_ends(fault):
    """Nothing happens to the first and last seconds: what is lost there no receiver can know."""
    return During(fault, 6, SECONDS - 8)


def tallied(factory, tally, name):
    """The same clients, but what they hand over of samples is counted."""

    def make(address, on_disconnect):
        client = factory(address, on_disconnect)
        subscribe = client.start_notify

        async def start_notify(uuid, callback, /):
            def heard(sender, data):
                if uuid not in CONTROLS:
                    tally[name] += 1
                callback(sender, data)

            await subscribe(uuid, heard)

        client.start_notify = start_notify
        return client

    return make


async def run(worn, faults, inbox=4096, busy_s=0.0, speed=SPEED, tally=None):
    """Chunks by stream, counters, what the sensors produced, and the links; `worn`: name → sensor and device."""
    chunks = {}
    tally = Counter() if tally is None else tally
    async with VirtualRadio(speed) as radio:
        found = [sensor for sensor, _ in worn.values()]
        for k, sensor in enumerate(found):
            sensor.suffer(*faults, seed=k)
            await radio.add(sensor)
        links = [
            Link(device, sensor.address, name=name, client_factory=tallied(bleak_client(radio.client), tally, name),
                 clock=radio.clock, speed=speed, options=replace(OPTIONS, label=name, inbox=inbox))
            for name, (sensor, device) in worn.items()
        ]  # fmt: skip
        live = Live(links)
        # A sensor that fails must end the test, not leave it listening for ever.
        async with live, asyncio.TaskGroup() as tasks:
            await live.opened()

            async def end():
                for sensor in found:
                    await sensor.finished()
                await radio.sleep(1)
                await live.close()

            tasks.create_task(end())
            async for item in slow_consumer(live, radio, busy_s) if busy_s else live:
                if isinstance(item, Chunk):
                    chunks.setdefault(item.stream.id, []).append(item)
        produced = {f"{name}.{k}": v for name, (sensor, _) in worn.items() for k, v in sensor.produced.items()}
        return chunks, dict(live.counters), produced, links


def check(chunks, counters, produced, *, inexact=(), apart=(), slack=3):
    """Zero silent loss: what was received and what is said to be missing is what the sensor made."""
    for name, c in counters.items():
        if name not in produced or name in apart:
            continue
        made = produced[name]
        account = Stream.from_chunks(chunks[name][0].stream, chunks[name]).account()
        assert (account.received, account.missing, account.missing_upper) == (c.received, c.missing, c.missing_upper)
        if name in inexact or "all" in inexact:
            # A strap's last notifications may be missing at the end, and the beats before the first are not its.
            assert c.received + c.missing <= made <= c.received + c.missing_upper + slack, (name, c, made)
        else:
            assert c.received + c.missing == c.received + c.missing_upper == made, (name, c, made)
        times = np.concatenate([x.time.times(x.start, x.stop) for x in chunks[name]])
        assert np.all(np.diff(times) > 0), name


class Torn(Fault):
    """One packet in ten lacks its last byte. Cut between two samples, a Polar frame would be a shorter frame."""

    def stage(self, rng):
        return lambda p, _at: [p if rng.random() > 0.1 else replace(p, data=p.data[:-1])]
