"""Kill the recorder at any moment: the file opens, and everything acknowledged is there, as it was."""

import json
import random
import sys

import numpy as np
import pytest
from recorders import ECG, FRAME, T0, check, killed

from feltsense.core.chunk import Chunk, GapReason
from feltsense.core.event import Event, EventKind
from feltsense.core.timeline import NS, TimeMap
from feltsense.store import Writer, read

MOMENTS = 20


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_kill_at_any_moment_loses_nothing_acknowledged(tmp_path):
    rng = random.Random(1)
    for moment in range(MOMENTS):
        path = tmp_path / f"{moment}.felt"
        acknowledged = killed(path, rng)
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
