"""How much the bridge carries: decoding without a radio, and many virtual H10s in real time in one process.

    python benchmarks/bench_bridge.py [sensors] [seconds]

- Decoding: H10 ECG notifications to samples (floor 1 M samples/s), to accounted and timed chunks, and beside it
  what a loop over three bytes a sample costs, as client libraries do.
- Virtual H10s at the speed of real time, each with a link of its own; sensor, two Bluetooth stacks and host are all in
  this process. *Kept up*: simulated time ran as fast as real time, and every sample arrived. On a machine that others
  use, CPU time is the figure to look at.
"""

import asyncio
import sys
import time

import numpy as np
import psutil

from feltsense.core.chunk import Chunk
from feltsense.core.timeline import NS
from feltsense.datasets.synthetic import participant
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.devices.polar_h10 import PolarH10
from feltsense_bridge.intake import Intake
from feltsense_bridge.link import Link
from feltsense_bridge.link_connection import bleak_client
from feltsense_bridge.live import Live
from feltsense_bridge.testing import Playback, VirtualH10, VirtualRadio

FLOOR = 1e6
FRAMES, SAMPLES, RATE = 20_000, 73, 130


def notifications():
    rng = np.random.default_rng(1)
    counts = rng.integers(-2000, 2000, (FRAMES, SAMPLES, 1)).astype(np.int32)
    step = round(SAMPLES / 130 * NS)
    return [pmd.PmdFrame(pmd.Measurement.ECG, 10**18 + k * step, c).encode() for k, c in enumerate(counts)], step


def started():
    device = PolarH10(["ecg"])
    device._settings[pmd.Measurement.ECG] = {pmd.Setting.RATE: (130,), pmd.Setting.RESOLUTION: (14,)}
    return device


def per_second(work):
    best = min(_timed(work) for _ in range(3))
    return FRAMES * SAMPLES / best


def _timed(work):
    begun = time.process_time()
    work()
    return time.process_time() - begun


def decoding():
    data, step = notifications()
    device = started()

    def frames():
        for d in data:
            device.decode(pmd.DATA, d)

    def chunks():
        intake = Intake(started(), "h10", "H10")
        intake.declare()
        for k, d in enumerate(data):
            intake.hear(pmd.DATA, d, k * step)
            while intake.poll(k * step) is not None:
                pass

    def loop():
        for d in data:
            [int.from_bytes(d[i : i + 3], "little", signed=True) for i in range(10, len(d), 3)]

    rates = {name: per_second(work) for name, work in (("frames", frames), ("chunks", chunks), ("loop of bytes", loop))}
    for name, rate in rates.items():
        floor = f"  floor {FLOOR / 1e6:g} M" if name == "frames" else ""
        ratio = rate / rates["loop of bytes"]
        print(f"H10 ECG to {name:<14}{rate / 1e6:>7.2f} M samples/s of CPU   {ratio:>5.2f} x loop{floor}")
    return rates["frames"] >= FLOOR, RATE / rates["chunks"]


async def many(n, seconds):
    """CPU and memory of so many sensors; whether they kept up."""
    source = participant(1, protocol=[("rest", seconds)])
    process = psutil.Process()
    async with VirtualRadio() as radio:
        before = process.memory_info().rss
        playback = Playback(source, lead=1.0)
        sensors, links = [], []
        for k in range(n):
            sensor = VirtualH10(playback, address=f"C0:FE:18:00:{k // 256:02X}:{k % 256:02X}")
            sensors.append(sensor)
        live, received = None, 0
        for k, sensor in enumerate(sensors):
            # One on the air at a time: every advertisement reaches every controller.
            await radio.add(sensor)
            link = Link(PolarH10(["ecg"]), sensor.address, name=f"h{k}", client_factory=bleak_client(radio.client),
                        clock=radio.clock)  # fmt: skip
            links.append(link)
            link.open()
            await link.opened()
        live = Live(links)
        cpu, wall, sim = time.process_time(), time.perf_counter(), radio.clock()

        async def end():
            for sensor in sensors:
                await sensor.finished()
            await live.close()

        ending = asyncio.create_task(end())
        async for item in live:
            received += len(item) if isinstance(item, Chunk) else 0
        await ending
        cpu, wall, sim = time.process_time() - cpu, time.perf_counter() - wall, (radio.clock() - sim) / NS
        produced = sum(sensor.produced["ecg"] for sensor in sensors)
        grown = process.memory_info().rss - before
    return cpu / sim / n, grown / n, received == produced, sim / wall


def main():
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seconds = max(30, int(sys.argv[2])) if len(sys.argv) > 2 else 30
    held, own = decoding()
    print(f"{'sensors':>8}{'CPU of a core':>15}{'a sensor':>10}{'memory':>12}{'all arrived':>13}{'speed':>8}")
    for n in sorted({max(most // 4, 1), max(most // 2, 1), most}):
        each, memory, whole, speed = asyncio.run(many(n, seconds))
        held &= whole
        print(f"{n:>8}{each * n:>14.1%}{each:>10.2%}{memory / 1e3:>9.0f} kB{whole!s:>13}{speed:>8.2f}", flush=True)
    print(f"of a sensor's CPU {own:.3%} is the bridge's: inbox, decoding, accounts, times; the rest: virtual sensor, two "
          "Bluetooth stacks in Python (Bumble) and the event loop")  # fmt: skip
    print("floors: 1 M samples/s, all arrived; speed 1.00 is real time:", "held" if held else "NOT HELD")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
