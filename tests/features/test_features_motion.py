"""Motion: known movement gives known numbers; a dead sensor is told from a still one; the contract."""

import numpy as np
import pytest

from feltsense.core.chunk import StreamInfo
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.core.vector import Reason
from feltsense.datasets.synthetic import participant
from feltsense.features.motion import EXTRACTOR
from feltsense.session import extract
from feltsense.testing import check_extractor

RATE = 32


def windows(xyz, rate=RATE, window=60.0):
    info = StreamInfo("w.acc", spec("acc", rate))
    segment = Segment(np.asarray(xyz, float), TimeMap.uniform(NS, info.spec.rate))
    rec = Recording("p", {info.id: Stream(info, (segment,))})
    return [v for _, v in extract(rec, window=window, hop=window, modalities=["motion"])]


def rest(seconds, rate=RATE, noise=0.003):
    rng = np.random.default_rng(0)
    return np.array([0.0, 0.6, 0.8]) + noise * rng.standard_normal((int(seconds * rate), 3))


def test_keeps_the_contract():
    rec = participant(2, protocol=[("stress", 100)])
    check_extractor(EXTRACTOR, Recording("p", {"board.acc": rec.streams["board.acc"]}), window=30.0, hop=10.0)


def test_a_still_wrist():
    v = windows(rest(60))[0]
    assert v["motion.still_share"] == 1.0
    assert v["motion.enmo_mean"] == pytest.approx(0.003 / np.sqrt(2 * np.pi), rel=0.1)
    assert v["motion.magnitude_sd"] == pytest.approx(0.003, rel=0.1)
    assert v["motion.posture_change"] < 0.1
    assert v["motion.coverage"] == v["quality.motion"] == 1.0


def test_shaking_a_quarter_of_the_time():
    x = rest(60)
    t = np.arange(15 * RATE) / RATE
    shake = 0.3 * np.sin(2 * np.pi * 3 * t)
    x[: len(t)] += shake[:, None] * np.array([0.0, 0.6, 0.8])
    v = windows(x)[0]
    assert v["motion.still_share"] == pytest.approx(0.75)
    assert v["motion.activity_p90"] == pytest.approx(0.3 / np.sqrt(2), rel=0.03)
    assert v["motion.enmo_mean"] == pytest.approx(0.25 * 0.3 / np.pi + 0.75 * 0.0012, rel=0.05)
    assert v["motion.magnitude_sd"] == pytest.approx(0.3 / np.sqrt(2) / 2, rel=0.03)


@pytest.mark.parametrize(("swing", "expected"), [(0.0, 0.0), (0.25, 1.0), (0.6, 2.0), (2.0, 3.0)])
def test_activity_by_its_cut_points(swing, expected):
    x = rest(30)
    x += (swing * np.sin(2 * np.pi * 2 * np.arange(len(x)) / RATE))[:, None] * np.array([0.0, 0.6, 0.8])
    v = windows(x, window=30.0)[0]
    # The mean of a half wave is its height over π; above 1 g the trough counts again.
    assert v["motion.activity_class"] == expected, v["motion.enmo_mean"]


def test_turning_the_wrist_half_way_through():
    x = rest(60)
    x[30 * RATE :] = x[30 * RATE :][:, [0, 2, 1]] * np.array([1, -1, 1])
    v = windows(x)[0]
    angle = np.degrees(np.arccos(np.dot([0, 0.6, 0.8], [0, -0.8, 0.6])))
    assert v["motion.posture_change"] == pytest.approx(angle / 2, abs=0.5)


@pytest.mark.parametrize(
    ("xyz", "reason"),
    [
        (np.zeros((60 * RATE, 3)), Reason.FLATLINE),
        (np.tile([0.0, 0.6, 0.8], (60 * RATE, 1)), Reason.FLATLINE),
        (np.tile([16.0, 16.0, 16.0], (60 * RATE, 1)) * (1 - 1e-3 * (np.arange(60 * RATE) % 2))[:, None], Reason.SATURATED),
        (np.full((60 * RATE, 3), np.nan), Reason.NO_SIGNAL),
    ],
)
def test_a_dead_sensor_is_not_a_still_one(xyz, reason):
    v = windows(xyz)[0]
    assert np.isnan(v.values).all()
    assert set(v.reasons) == {reason}
    assert v["quality.motion"] == 0.0


def test_missing_seconds_cost_their_share():
    x = rest(60)
    x[10 * RATE : 22 * RATE, 1] = np.nan
    v = windows(x)[0]
    assert v["motion.coverage"] == pytest.approx(0.8, abs=0.02)
    assert v.quality_reasons == (Reason.GAP,)
    assert v["motion.still_share"] == 1.0


def test_slow_sampling_is_refused_and_short_windows_are_short():
    assert set(windows(rest(60, rate=4), rate=4)[0].reasons) == {Reason.NOT_SUPPORTED}
    v = windows(rest(4), window=4.0)[0]
    assert v.reason("motion.enmo_mean") is Reason.TOO_SHORT
