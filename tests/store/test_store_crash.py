"""Kill the recorder at any moment: the file opens, and everything acknowledged is there, as it was."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from feltsense.core.chunk import Chunk, GapReason, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.store import Writer, read

T0 = 1_700_000_000 * NS
ECG = StreamInfo("h10.ecg", spec("ecg", 130), "Polar H10")
ACC = StreamInfo("board.acc", spec("acc", 32), "board")
FRAME = 73
"""Samples of one ECG frame."""
MOMENTS = 20

CHILD = """
import json, os, sys
sys.path.insert(0, sys.argv[2])
from test_store_crash import ACC, ECG, T0, Event, EventKind, frame
from feltsense.store import Writer
writer = Writer(sys.argv[1], "S01", {"firmware": "1"})
writer.declare(ECG)
writer.declare(ACC)
k = 0
while True:
    for _ in range(7):
        writer.append(frame(ECG, k))
        writer.append(frame(ACC, k))
        writer.event(Event(T0 + k, EventKind.MARKER, float(k), f"mark {k}"))
        k += 1
    writer.commit()
    os.write(1, b"%d\\n" % k)
"""


def frame(info, k):
    """Frame k of an endless stream: values and times are functions of the sample's number."""
    start = k * FRAME
    n = np.arange(start, start + FRAME, dtype=float)
    values = np.stack([n / (c + 1) for c in range(info.spec.width)], axis=1)
    last = start + FRAME - 1
    index = [max(start - 1, 0), last]
    device = [i * NS * info.spec.rate.denominator // info.spec.rate.numerator for i in index]
    time_map = TimeMap(
        info.spec.rate, index, device, [T0 + d + 40_000_000 for d in device], [T0 + d for d in device], [1000, 1000]
    )
    return Chunk(info, 0, start, values, time_map)


def killed(path, rng, here):
    """Record in another process, kill it at a random moment; how many frames it acknowledged."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path), str(here)], stdout=subprocess.PIPE)
    acknowledged = 0
    try:
        for _ in range(rng.randrange(1, 40)):
            acknowledged = int(child.stdout.readline())
        time.sleep(rng.random() * 0.02)
    finally:
        child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate()
    lines = [line for line in rest.split(b"\n")[:-1] if line]
    return int(lines[-1]) if lines else acknowledged


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_kill_at_any_moment_loses_nothing_acknowledged(tmp_path, request):
    rng = random.Random(1)
    for moment in range(MOMENTS):
        path = tmp_path / f"{moment}.felt"
        acknowledged = killed(path, rng, request.path.parent)
        assert acknowledged > 0
        frames = check(read(path), acknowledged)
        with Writer.resume(path) as writer:
            writer.declare(ECG)
            late = TimeMap.uniform(T0 + 10_000 * NS, ECG.spec.rate)
            writer.append(Chunk(ECG, 0, 0, np.zeros(FRAME), late))
            writer.event(Event(T0, EventKind.NOTE, 0.0, json.dumps({"resumed": moment})))
        back = read(path)
        first, second = back.stream(ECG.id).segments
        assert len(first.values) == frames * FRAME
        assert (second.number, second.gap.reason, len(second.values)) == (1, GapReason.RESTART, FRAME)
        expected = 10_000 * 130 - frames * FRAME
        assert second.gap.samples <= expected <= second.gap.upper
        assert sum(e.kind is EventKind.MARKER for e in back.events) == frames


def check(recording, acknowledged):
    """Whole frames, at least the acknowledged ones, each as it was written; how many."""
    counts = {k: a.received for k, a in recording.account().items()}
    if not counts:
        # Stopped before the first sample was acknowledged: the file is there, and whose it is.
        assert (acknowledged, recording.subject, recording.events) == (0, "S01", ())
        return 0
    frames = counts[ECG.id] // FRAME
    assert set(counts.values()) == {frames * FRAME}, "a transaction is all or nothing"
    assert frames >= acknowledged
    assert frames % 7 == 0
    for info in (ECG, ACC):
        (segment,) = recording.stream(info.id).segments
        expected = np.concatenate([frame(info, k).values for k in range(frames)])
        assert segment.values.tobytes() == expected.tobytes()
        rate = info.spec.rate
        last = len(expected) - 1
        assert segment.time.time_at(last) == T0 + last * NS * rate.denominator // rate.numerator
    assert recording.subject == "S01"
    assert [e.text for e in recording.events] == [f"mark {k}" for k in range(frames)]
    return frames
