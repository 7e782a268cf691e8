"""Recordings: throughput, size, random access, crashes, power cuts, mutated files.

    python benchmarks/bench_store.py                # throughput, size, random access
    python benchmarks/bench_store.py --crash        # 200 kills, 200 power cuts, 20 full disks
    python benchmarks/bench_store.py --mutate 100000

Ratios are in CPU time of this process: other load on the machine does not change them. The size is of MIT-BIH records
100 and 105 at 130 Hz in whole microvolts, where FELTSENSE_DATA has them, else of a synthetic ECG.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from feltsense.core.chunk import Chunk, StreamInfo
from feltsense.core.recording import Recording, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.store import DataKey, Reader, Writer, read, write

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "store")]
MEMORY = Path("/dev/shm")  # noqa: S108 (a disk that syncs at once)
T0 = 1_700_000_000 * NS
KEY = DataKey("00ff00ff00ff00ff", bytes(range(32)))
MOMENTS, DISKS, PROCESSES = 200, 20, 2
FASTER, SMALLER, SOONER = 5000, 15.0, 50.0
"""Floors: times real time; MB a day; ms for any minute of a day."""


def infos():
    return [StreamInfo(f"d.{k}", spec(k, r), "d") for k, r in (("ecg", 130), ("eda", 4), ("skin_temperature", 1))]


def ecg(seconds):
    """An ECG at 130 Hz in whole microvolts, as long as wanted."""
    folder = Path(os.environ.get("FELTSENSE_DATA", ""), "mitdb")
    pieces = []
    if folder.is_dir():
        import wfdb

        for name in ("100", "105"):
            x = wfdb.rdrecord(str(folder / name)).p_signal[:, 0]
            t = np.arange(len(x)) / 360.0
            pieces.append(np.interp(np.arange(0, t[-1], 1 / 130), t, x))
    else:
        import feltsense

        pieces.append(feltsense.participant(seed=1, minutes=20).stream("h10.ecg").segments[0].values[:, 0])
    whole = np.concatenate(pieces)
    return np.round(
        np.resize(whole, int(seconds * 130)) * 1000
    ) / 1000, "MIT-BIH 100 and 105" if folder.is_dir() else "synthetic"


def throughput(folder, sealed, where):
    """One hour, a second at a time, committed every 10 s, each commit synced."""
    hour = 3600
    wave, _ = ecg(hour)
    rng = np.random.default_rng(1)
    walk = {4: np.cumsum(rng.normal(5e-4, 0.01, hour * 4)) + 5, 1: np.cumsum(rng.normal(0, 0.01, hour)) + 33}
    slow = {k: np.round(v, 4) for k, v in walk.items()}
    streams = infos()
    maps = {i.id: TimeMap.uniform(T0, i.spec.rate) for i in streams}
    chunks = []
    for s in range(hour):
        for info in streams:
            rate = int(info.spec.rate)
            values = (wave if rate == 130 else slow[rate])[s * rate : (s + 1) * rate].copy()
            chunks.append(Chunk(info, 0, s * rate, values, maps[info.id]))
    path = folder / f"hour-{sealed}.felt"
    cpu, wall = time.process_time(), time.perf_counter()
    with Writer(path, "S", key=KEY if sealed else None) as writer:
        for info in streams:
            writer.declare(info)
        for n, chunk in enumerate(chunks):
            writer.append(chunk)
            if n % 30 == 29:
                writer.commit()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(
        f"{'sealed' if sealed else 'plain ':6}  1 h ECG 130 Hz + EDA 4 Hz + temperature, 360 synced commits on {where}: "
        f"{hour / cpu:8.0f} x real time (CPU), {hour / wall:8.0f} x (wall)   floor {FASTER}"
    )


def disk(folder):
    """What this disk itself takes for 360 writes of 40 kB, each synced: the wall time of any recorder is above it."""
    block = bytes(40_000)
    for where, places in (("at a growing end", 360), ("over what is there", 20)):
        with (folder / "raw").open("wb", buffering=0) as file:
            file.write(bytes(len(block) * (places if places < 360 else 0)))
            os.fsync(file.fileno())
            begun = time.perf_counter()
            for k in range(360):
                os.pwrite(file.fileno(), block, k % places * len(block))
                os.fsync(file.fileno())
        wall = time.perf_counter() - begun
        print(f"disk    360 plain writes of 40 kB {where}, each synced: {3600 / wall:.0f} x (wall)")


def whole(folder):
    """One hour, written as an import does: one transaction, synced."""
    hour = 3600
    streams = {}
    signals = (ecg(hour)[0], np.arange(hour * 4) % 97 / 1e4 + 5, np.arange(hour) % 13 / 100 + 33)
    for info, x in zip(infos(), signals, strict=True):
        streams[info.id] = Stream.from_chunks(info, [Chunk(info, 0, 0, x, TimeMap.uniform(T0, info.spec.rate))])
    begun = time.perf_counter()
    write(folder / "whole.felt", Recording("S", streams), key=KEY)
    wall = time.perf_counter() - begun
    print(f"sealed  the same hour as an import writes it, one synced commit on this disk: {hour / wall:8.0f} x (wall)   "
          f"floor {FASTER}")  # fmt: skip


def size(folder):
    """A day of ECG; then any minute of it."""
    wave, source = ecg(86_400)
    info = infos()[0]
    path = folder / "day.felt"
    day = Stream.from_chunks(info, [Chunk(info, 0, 0, wave, TimeMap.uniform(T0, info.spec.rate))])
    write(path, Recording("S", {info.id: day}), key=KEY)
    mb = path.stat().st_size / 1e6
    print(f"sealed  24 h of ECG at 130 Hz ({source}): {mb:.1f} MB   floor {SMALLER} MB; int16 raw would be 22.5 MB")
    rng = random.Random(1)
    costs = []
    for _ in range(20):
        at = rng.randrange(86_340)
        begun = time.process_time()
        with Reader(path, KEY) as reader:
            part = reader.between(T0 + at * NS, T0 + (at + 60) * NS)
        costs.append((time.process_time() - begun) * 1000)
        (segment,) = part.stream(info.id).segments
        np.testing.assert_array_equal(segment.values[:, 0], wave[at * 130 : (at + 60) * 130])
    told = f"median {np.median(costs):.1f}, worst {max(costs):.1f} ms"
    print(f"sealed  open a 24 h file and read any 60 s: {told}   floor {SOONER} ms")


def crash(folder):
    """Kills, power cuts and full disks at random moments."""
    import power_cut
    from recorders import FRAME, check, fill_up, killed

    rng = random.Random(2)
    for k in range(MOMENTS):
        path = folder / f"kill{k}.felt"
        acknowledged = killed(path, rng)
        check(read(path), acknowledged)
        path.unlink()
    print(f"{MOMENTS} of {MOMENTS} kill -9: file opens, nothing acknowledged is lost")
    log = power_cut.logged(folder, 2 * MOMENTS, True)
    cuts = 0
    for acknowledged, files in power_cut.moments(log, MOMENTS, rng):
        place = folder / f"cut{cuts}"
        place.mkdir()
        for name, content in files.items():
            (place / name).write_bytes(content)
        check(read(place / "s.felt", KEY), acknowledged)
        cuts += 1
    print(f"{cuts} of {cuts} power cuts: file opens, nothing acknowledged is lost")
    for k in range(DISKS):
        path = folder / f"full{k}.felt"
        acknowledged, (first, _) = fill_up(path, rng.randrange(50_000, 500_000))
        assert "check the disk and its free space" in first
        assert {a.received for a in read(path).account().values()} in ({acknowledged * FRAME}, set())
        Writer.resume(path).close()
        path.unlink()
    print(f"{DISKS} of {DISKS} full disks: said in one sentence, nothing acknowledged is lost, the file goes on")


def mutations(folder, sealed, seed, count):
    """One process's share of the mutated files."""
    from mutated_files import Mutations

    found = Mutations(folder, KEY if sealed else None, seed).run(count)
    return found.refused, found.same


def mutate(folder, count):
    """Mutated files and fields: refused with our error, or the very same recording."""
    from concurrent.futures import ProcessPoolExecutor

    shares = 8
    jobs = [(k % 2 == 1, 100 + k) for k in range(shares)]
    for _, seed in jobs:
        (folder / str(seed)).mkdir()
    with ProcessPoolExecutor(PROCESSES) as pool:
        running = [pool.submit(mutations, folder / str(s), sealed, s, count // shares) for sealed, s in jobs]
        done = [r.result() for r in running]
    refused, same = (sum(n) for n in zip(*done, strict=True))
    print(
        f"{refused + same} mutated files and fields, half of them sealed: {refused} refused in one sentence, "
        f"{same} still the same; no crash, none accepted that says anything else"
    )


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--crash", action="store_true")
    p.add_argument("--mutate", type=int, default=0)
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.crash:
            crash(folder)
        elif args.mutate:
            mutate(folder, args.mutate)
        else:
            throughput(folder, False, "disk")
            throughput(folder, True, "disk")
            disk(folder)
            whole(folder)
            if MEMORY.is_dir():
                # Every commit is synced here, too; what a sync costs is the disk's own affair.
                with tempfile.TemporaryDirectory(dir=MEMORY) as quick:
                    throughput(Path(quick), True, "tmpfs")
            size(folder)


if __name__ == "__main__":
    main()
