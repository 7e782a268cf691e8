"""Whoever looks more often sees the same at the same time: decisions of the shipped model at hops of 5, 10 and 30 s."""

import pytest

from feltsense import bundle
from feltsense.calibration import calibrate
from feltsense.core.profile import RestInterval
from feltsense.importers import open_recording
from feltsense.session import predict

REST_S = 270.0
LEAST = 0.97


@pytest.mark.parametrize("subject", ["S07", "S14"])
def test_decisions_at_shared_window_ends_are_the_same(data_dir, subject):
    recording = open_recording(data_dir / "stress-predict" / subject)
    model = bundle.load(runner="numpy")
    profile = calibrate(recording, [RestInterval.of(recording.start_ns, 0.0, REST_S)], model)
    said = {
        hop: {p.stop_ns: p.label for p in predict(recording, model, profile, hop) if p.label} for hop in (5.0, 10.0, 30.0)
    }
    for a, b in ((5.0, 10.0), (5.0, 30.0), (10.0, 30.0)):
        shared = set(said[a]) & set(said[b])
        assert len(shared) > 50
        assert sum(said[a][t] == said[b][t] for t in shared) >= LEAST * len(shared), (a, b)
