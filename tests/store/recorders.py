"""Recorders to be killed, cut off from power, or out of disk; tests and benchmarks share them."""

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from feltsense.core.chunk import Chunk, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.store import Writer

HERE = Path(__file__).parent
T0 = 1_700_000_000 * NS
ECG = StreamInfo("h10.ecg", spec("ecg", 130), "Polar H10")
ACC = StreamInfo("board.acc", spec("acc", 32), "board")
FRAME = 73
"""Samples of one ECG frame."""
CHILD = """
import sys
sys.path.insert(0, sys.argv[2])
from recorders import record
record(sys.argv[1], None, 1)
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


def record(path, key, to, commits=None, first=False):
    """Record frames and marks, in commits of seven, each acknowledged to a file descriptor; without end, or so many."""
    writer = Writer(path, "S01", {"firmware": "1"}, key)
    writer.declare(ECG)
    writer.declare(ACC)
    if first:
        writer.commit()
        os.write(to, b"0\n")
    for n in itertools.count(1):
        for k in range(7 * n - 7, 7 * n):
            writer.append(frame(ECG, k))
            writer.append(frame(ACC, k))
            writer.event(Event(T0 + k, EventKind.MARKER, float(k), f"mark {k}"))
        writer.commit()
        os.write(to, b"%d\n" % (7 * n))
        if n == commits:
            break


def killed(path, rng):
    """Record in another process, kill it at a random moment; how many frames it acknowledged."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path), str(HERE)], stdout=subprocess.PIPE)
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


FULL = """
import resource, signal, sys
sys.path.insert(0, sys.argv[2])
from recorders import ACC, ECG, frame
from feltsense.errors import RecordingError
from feltsense.store import Writer
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = Writer(sys.argv[1], "S01", {})
writer.declare(ECG)
writer.declare(ACC)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
k = 0
try:
    while k < 5000:
        for _ in range(7):
            writer.append(frame(ECG, k))
            writer.append(frame(ACC, k))
            k += 1
        writer.commit()
        print(k, flush=True)
except RecordingError as e:
    print(e, file=sys.stderr)
    try:
        writer.append(frame(ECG, k + 50))
    except RecordingError as again:
        print(again, file=sys.stderr)
"""


def fill_up(path, limit):
    """Record until the file may grow no more; the number of acknowledged frames, and the two errors."""
    told = [sys.executable, "-c", FULL, str(path), str(HERE), str(limit)]
    done = subprocess.run(told, capture_output=True, check=True, text=True)
    acknowledged = [int(line) for line in done.stdout.split()]
    return (acknowledged or [0])[-1], done.stderr.strip().splitlines()
