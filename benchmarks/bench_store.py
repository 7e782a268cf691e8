"""Recordings: throughput, size, random access, crashes, power cuts, mutated files.

    python benchmarks/bench_store.py                # throughput, size, random access
    python benchmarks/bench_store.py --crash        # 200 kills and 200 power cuts
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
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.errors import FeltsenseError
from feltsense.store import DataKey, Reader, Writer, read, write

TESTS = Path(__file__).parents[1] / "tests"
T0 = 1_700_000_000 * NS
KEY = DataKey("00ff00ff00ff00ff", bytes(range(32)))
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


def throughput(folder, sealed):
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
        f"{'sealed' if sealed else 'plain ':6}  1 h ECG 130 Hz + EDA 4 Hz + temperature, 360 synced commits: "
        f"{hour / cpu:8.0f} x real time (CPU), {hour / wall:8.0f} x (wall)   floor {FASTER}"
    )


def disk(folder):
    """What this disk itself takes for 360 writes of 40 kB, each synced: the wall time of any recorder is above it."""
    block = bytes(40_000)
    begun = time.perf_counter()
    with (folder / "raw").open("wb", buffering=0) as file:
        for _ in range(360):
            file.write(block)
            os.fsync(file.fileno())
    wall = time.perf_counter() - begun
    print(f"disk    360 plain writes of 40 kB, each synced: {3600 / wall:.0f} x (wall)")


def size(folder):
    """A day of ECG; then any minute of it."""
    wave, source = ecg(86_400)
    info = infos()[0]
    path = folder / "day.felt"
    from feltsense.core.recording import Recording, Stream

    whole = Stream.from_chunks(info, [Chunk(info, 0, 0, wave, TimeMap.uniform(T0, info.spec.rate))])
    write(path, Recording("S", {info.id: whole}), key=KEY)
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
    """Kills and power cuts at random moments."""
    sys.path[:0] = [str(TESTS), str(TESTS / "store")]
    import power_cut
    from test_store_crash import check, killed

    rng = random.Random(2)
    for k in range(200):
        path = folder / f"kill{k}.felt"
        acknowledged = killed(path, rng, TESTS / "store")
        check(read(path), acknowledged)
        path.unlink()
    print("200 of 200 kill -9: file opens, nothing acknowledged is lost")
    log = power_cut.logged(folder, 400, True)
    cuts = 0
    for acknowledged, files in power_cut.moments(log, 200, rng):
        place = folder / f"cut{cuts}"
        place.mkdir()
        for name, content in files.items():
            (place / name).write_bytes(content)
        check(read(place / "s.felt", KEY), acknowledged)
        cuts += 1
    print(f"{cuts} of {cuts} power cuts: file opens, nothing acknowledged is lost")


def mutate(folder, count):
    """Mutated files: refused with our error, or the very same recording."""
    sys.path[:0] = [str(TESTS)]
    import feltsense
    from same_recording import assert_same

    whole = feltsense.participant(seed=1, minutes=7)
    small = {k: s for k, s in whole.streams.items() if k in ("board.eda", "board.temp")}
    from feltsense.core.recording import Recording

    recording = Recording("participant-seventeen", small, whole.events, {"a": "b"})
    rng = random.Random(3)
    path = folder / "m.felt"
    refused = same = leaked = 0
    for key in (None, KEY):
        good = folder / "good.felt"
        write(good, recording, overwrite=True, key=key)
        content = good.read_bytes()
        for _ in range(count // 2):
            raw = bytearray(content)
            for _ in range(rng.randrange(1, 4)):
                at = rng.randrange(len(raw))
                raw[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
            if rng.random() < 0.1:
                del raw[rng.randrange(len(raw)) :]
            path.write_bytes(raw)
            try:
                back = read(path, key)
            except FeltsenseError as e:
                refused += 1
                leaked += "participant-seventeen" in str(e)
            else:
                assert_same(back, recording)
                same += 1
    assert not leaked
    print(f"{count} mutated files: {refused} refused in one sentence, {same} still the same; no crash, none accepted")


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
            throughput(folder, False)
            throughput(folder, True)
            disk(folder)
            size(folder)


if __name__ == "__main__":
    main()
