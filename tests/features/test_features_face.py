"""Face: the contract on synthetic rows, damage with its reason."""

import numpy as np
import pytest

from feltsense.core.chunk import StreamInfo
from feltsense.core.face_row import AT, COLUMNS
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.core.vector import Reason
from feltsense.features.face import EXTRACTOR
from feltsense.session import extract
from feltsense.testing import check_extractor


def rows(t, bpm=66.0, seed=0):
    """Rows of a steady face whose skin beats."""
    rng = np.random.default_rng(seed)
    x = np.full((len(t), len(COLUMNS)), np.nan)
    beat = np.sin(2 * np.pi * bpm / 60 * t)
    for colour, level, share in zip("rgb", (170, 120, 100), (0.33, 0.77, 0.53), strict=True):
        for k in range(9):
            x[:, AT[f"{colour}{k}"]] = level * (1 - 0.004 * share * beat) + 0.1 * rng.standard_normal(len(t))
    for name, value in (("faces", 1), ("luma", 100), ("contrast", 50), ("sharpness", 0.2), ("clipped", 0), ("width", 200)):
        x[:, AT[name]] = value
    for k in range(9):
        x[:, AT[f"n{k}"]] = 0.8
    return x


def recording(x, t, rate):
    values = x.copy()
    values.setflags(write=False)
    info = StreamInfo("camera.face", spec("face", rate))
    t_ns = np.round(t * NS).astype(np.int64) + NS
    time = TimeMap(info.spec.rate, np.arange(len(t)), t_ns, t_ns, t_ns, np.zeros(len(t), np.int64))
    return Recording("p", {info.id: Stream(info, (Segment(values, time),))})


def clock(seconds, rate, seed=0):
    n = int(seconds * rate)
    off = np.random.default_rng(seed).uniform(-0.1, 0.1, n)
    off[0] = 0.0
    return (np.arange(n) + off) / rate


def windows(x, t, rate=15, window=30.0):
    return [v for _, v in extract(recording(x, t, rate), window=window, hop=window, modalities=["face"])]


def test_keeps_the_contract():
    t = clock(120, 15)
    check_extractor(EXTRACTOR, recording(rows(t), t, 15), window=20.0, hop=10.0)


@pytest.mark.parametrize("rate", [10, 15, 30, 60])
def test_rate_at_any_pace(rate):
    t = clock(31, rate)
    v = windows(rows(t, 88.0), t, rate)[0]
    assert v["face.rppg_hr"] == pytest.approx(88.0, abs=0.3)
    assert v["face.fps"] == pytest.approx(rate, rel=0.02)
    assert v["face.width_px"] == 200.0
    assert v["face.present_frac"] == 1.0
    assert v["quality.face"] == 1.0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"faces": 0.0}, Reason.NO_FACE),
        ({"faces": 0.0, "luma": 9.0}, Reason.DARK),
        ({"faces": 0.0, "contrast": 2.0}, Reason.COVERED),
        ({"faces": 2.0}, Reason.SEVERAL_FACES),
        ({"sharpness": 0.002}, Reason.BLUR),
        ({"clipped": 0.9}, Reason.SATURATED),
    ],
)
def test_what_is_wrong_with_the_picture_is_said(changes, reason):
    t = clock(31, 15)
    x = rows(t)
    if changes.get("faces") == 0.0:
        x[:] = np.nan
        x[:, AT["luma"]], x[:, AT["contrast"]] = 100.0, 50.0
    for name, value in changes.items():
        x[:, AT[name]] = value
    v = windows(x, t)[0]
    assert v["quality.face"] == 0.0
    assert v.quality_reasons == (reason,)
    if changes.get("faces") == 0.0:
        assert np.isnan(v["face.rppg_hr"])
        assert v.reason("face.rppg_hr") is reason
        assert v["face.present_frac"] == 0.0


def test_a_face_that_leaves_for_a_moment():
    t = clock(31, 15)
    x = rows(t)
    away = (t > 12.0) & (t < 15.0)
    x[away] = np.nan
    x[away, AT["faces"]], x[away, AT["luma"]], x[away, AT["contrast"]] = 0.0, 100.0, 50.0
    v = windows(x, t)[0]
    assert v["face.rppg_hr"] == pytest.approx(66.0, abs=0.5)
    assert v["quality.face"] == pytest.approx(0.9, abs=0.01)
    assert v.quality_reasons == (Reason.NO_FACE,)


def test_noise_never_passes():
    for seed in range(40):
        t = clock(11 if seed % 2 else 21, 15, seed)
        x = rows(t, seed=seed)
        x[:, AT["r0"] : AT["b8"] + 1] = [170.0] * 9 + [120.0] * 9 + [100.0] * 9
        x[:, AT["r0"] : AT["b8"] + 1] += 0.2 * np.random.default_rng(seed).standard_normal((len(t), 27))
        v = windows(x, t, window=10.0 if seed % 2 else 20.0)[0]
        assert np.isnan(v["face.rppg_hr"])
        assert v.reason("face.rppg_hr") in (Reason.NOISE, Reason.DISAGREE)


def test_a_finger_on_the_lens():
    t = clock(21, 30)
    x = rows(t)
    rng = np.random.default_rng(1)
    beat = np.sin(2 * np.pi * 58.0 / 60 * t)
    for colour, level, share in (("r", 220.0, 0.004), ("g", 30.0, 0.03), ("b", 4.0, 0.03)):
        for k in range(9):
            x[:, AT[f"{colour}{k}"]] = level * (1 - share * beat) + 0.1 * rng.standard_normal(len(t))
    assert windows(x, t, 30, 20.0)[0]["face.rppg_hr"] == pytest.approx(58.0, abs=0.5)
    x[:, AT["r0"] : AT["b8"] + 1] += 3.0 * rng.standard_normal((len(t), 27))
    assert windows(x, t, 30, 20.0)[0].reason("face.rppg_hr") is Reason.NOISE


def test_moments_of_motion_do_not_hide_a_minute_of_pulse():
    t = clock(61, 15)
    x = rows(t)
    rng = np.random.default_rng(2)
    for start in (5.0, 24.0, 47.0):
        moved = (t > start) & (t < start + 4.0)
        x[np.ix_(moved, range(AT["r0"], AT["b8"] + 1))] += np.cumsum(rng.standard_normal((moved.sum(), 27)), axis=0)
    assert windows(x, t, window=60.0)[0]["face.rppg_hr"] == pytest.approx(66.0, abs=1.0)


def test_what_no_camera_can_show():
    t = clock(31, 5)
    assert windows(rows(t), t, 5)[0].reason("face.rppg_hr") is Reason.NOT_SUPPORTED
    t = clock(31, 15)
    assert windows(rows(t), t, window=5.0)[0].reason("face.rppg_hr") is Reason.TOO_SHORT
    dark = rows(t)
    dark[:, AT["r0"] : AT["b8"] + 1] *= 0.04
    assert windows(dark, t)[0].reason("face.rppg_hr") is Reason.DARK


@pytest.mark.parametrize(("drift", "breathing"), [(16.0, 3.0), (0.0, 5.0)])
def test_a_rate_that_changes_within_a_minute_is_its_mean(drift, breathing):
    t = clock(61, 15)
    rng = np.random.default_rng(3)
    bpm = 72.0 + drift * (t / 60 - 0.5) + breathing * np.sin(2 * np.pi * 0.25 * t)
    beat = np.sin(2 * np.pi * np.concatenate(([0.0], np.cumsum(np.diff(t) * (bpm[1:] + bpm[:-1]) / 120))))
    x = rows(t)
    for colour, level, share in zip("rgb", (170, 120, 100), (0.33, 0.77, 0.53), strict=True):
        for k in range(9):
            x[:, AT[f"{colour}{k}"]] = level * (1 - 0.003 * share * beat) + 0.1 * rng.standard_normal(len(t))
    v = windows(x, t, window=60.0)[0]
    assert v["face.rppg_hr"] == pytest.approx(bpm[t < 60].mean(), abs=0.5)
