"""The app in a process of its own that is killed, again and again; `killed_lives.py FOLDER START_NS` is one life of it.

A life says on its standard output what is safe: how many samples of each stream were acknowledged since it began, and
what its clock shows then. Samples that came after that may be lost, and the next life's gap must say so.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from feltsense.store import Vault, Writer, read

HERE = Path(__file__).parent
NS = 10**9
SPEED = 250.0
STEADY = ("board.eda", "board.temp")
"""Streams with a rate, whose samples can be counted by the clock."""


def told(air):
    """Let the writer say what it acknowledged."""
    taken, append, commit = Counter(), Writer.append, Writer.commit

    def appended(self, chunk):
        append(self, chunk)
        taken[chunk.stream.id] += len(chunk.values)

    def committed(self):
        commit(self)
        os.write(1, (json.dumps({"now": air.clock(), "safe": taken}) + "\n").encode())

    Writer.append, Writer.commit = appended, committed


async def life(folder, start_ns):
    """Join what has not been joined, and record for ever."""
    from day_of_faults import Day, Life, wearer

    from feltsense_bridge.testing import VirtualBoard, VirtualRadio, VirtualStrap

    playback = wearer()
    async with VirtualRadio(SPEED, start_ns=start_ns) as air:
        await air.add(VirtualBoard(playback))
        await air.add(VirtualStrap(playback))
        told(air)
        it = Life(Day(0.0, (), (), (), ()), folder, air, playback)
        if it.app.study is None:
            await it.agree()
        await it.running


def killed(folder, start_ns, lines, pause_s):
    """Live until so many acknowledgements and a little longer; what the last one said."""
    command = [sys.executable, str(HERE / "killed_lives.py"), str(folder), str(start_ns)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    said = []
    try:
        for _ in range(lines):
            said.append(child.stdout.readline())
        time.sleep(pause_s)
    finally:
        child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate()
    assert child.returncode == -signal.SIGKILL, "it ended by itself"
    whole = [line for line in [*said, *rest.splitlines(keepends=True)] if line.endswith(b"\n")]
    return json.loads(whole[-1]) if whole else {"now": start_ns, "safe": {}}


def stored(folder):
    """What is in the recordings: stream → samples, and the recordings."""
    data = folder / "data"
    key = Vault(data / "keys", "correct horse").key("P-day")
    kept = [read(path, key) for path in sorted(data.glob("*.felt"))]
    counts = Counter()
    for recording in kept:
        counts.update({name: sum(len(s.values) for s in stream.segments) for name, stream in recording.streams.items()})
    return counts, kept


def lives(folder, kills, seed=1):
    """Be killed so often.

    Returns
    -------
    list of dict
        For each life: samples that were stored before it, that it acknowledged, and that were stored when it was killed.
    list of Recording
        What is there in the end.
    """
    rng, now_ns, out, before = random.Random(seed), 1_767_225_600 * NS, [], Counter()
    kept = []
    for k in range(kills):
        # The first one lives until it has joined; others may not come as far as a sensor.
        last = killed(folder, now_ns, rng.randrange(1 if k == 0 else 0, 4), rng.random() * 1.5)
        after, kept = stored(folder)
        out.append({"before": before, "safe": last["safe"], "after": after})
        before, now_ns = after, last["now"] + int(rng.uniform(30, 400) * NS)
    return out, kept


def unsafe(rows):
    """(life, stream, acknowledged, stored) where less is stored than was acknowledged."""
    return [
        (k, name, n, row["after"][name] - row["before"][name])
        for k, row in enumerate(rows)
        for name, n in row["safe"].items()
        if row["after"][name] - row["before"][name] < n
    ]


class Counted(NamedTuple):
    """Samples of a stream: elapsed by the clock from first to last, stored, missing; its segments, and why it has them."""

    elapsed: float
    stored: int
    least: int
    most: int
    segments: int
    reasons: tuple[str, ...]


def by_the_clock(recording, name):
    """Count a stream that has a rate."""
    stream = recording.streams[name]
    first, last = stream.segments[0], stream.segments[-1]
    span_s = (last.time.time_at(len(last.values) - 1) - first.time.time_at(0)) / NS
    gaps = [s.gap for s in stream.segments if s.gap is not None]
    return Counted(
        span_s * stream.info.spec.hz + 1,
        sum(len(s.values) for s in stream.segments),
        sum(g.samples for g in gaps),
        sum(g.upper for g in gaps),
        len(stream.segments),
        tuple(str(g.reason) for g in gaps),
    )


if __name__ == "__main__":
    import logging

    logging.getLogger("bumble").setLevel(logging.CRITICAL)
    asyncio.run(life(Path(sys.argv[1]), int(sys.argv[2])))
