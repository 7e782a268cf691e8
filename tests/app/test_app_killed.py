"""The app's process is killed (SIGKILL) and started again; `benchmarks/bench_app.py --kill` does it twenty times."""

import sys

import killed_lives
import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_what_was_acknowledged_is_there_and_the_rest_is_in_a_gap_that_says_so(tmp_path):
    rows, (recording,) = killed_lives.lives(tmp_path, 3)
    assert killed_lives.unsafe(rows) == []
    assert sum(bool(row["safe"]) for row in rows) >= 2
    for name in killed_lives.STEADY:
        counted = killed_lives.by_the_clock(recording, name)
        assert counted.segments >= 2
        assert set(counted.reasons) == {"restart"}
        # A sample more or less at each end, since the sensor's clock is not the phone's.
        assert counted.stored + counted.least - counted.segments <= counted.elapsed
        assert counted.elapsed <= counted.stored + counted.most + counted.segments
