"""Heart rate from a face whose pulse is known: right where it is given, never given where there is none."""

import numpy as np
import pytest

import face_cases as faces
from feltsense.core.vector import Reason
from feltsense.errors import InputError
from feltsense.vision import Box, VideoFile, heart_rate

CONDITIONS = {
    "0.2 % at 55": {"amp": 0.002, "bpm": 55.0},
    "0.2 % at 110": {"amp": 0.002, "bpm": 110.0},
    "0.2 % at 150": {"amp": 0.002, "bpm": 150.0},
    "0.1 %": {"amp": 0.001},
    "motion": {"motion": 10.0, "sway": 4.0},
    "moving light": {"light": 0.03},
    "dim": {"tone": 0.35},
    "breathing": {"wander": 4.0},
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_condition_gives_the_rate(name):
    t = faces.times(20 if name == "0.1 %" else 16, 15)
    (found,) = heart_rate(faces.video(t, **CONDITIONS[name]), t)
    assert found.reason is Reason.OK
    assert found.bpm == pytest.approx(CONDITIONS[name].get("bpm", 72.0), abs=1.0)
    assert found.snr_db > 3.0
    assert found.quality == 1.0


@pytest.mark.parametrize(("fps", "jitter"), [(30, 0.2), (15, 0.1)])
def test_slow_and_uneven_frames(fps, jitter):
    t = faces.times(16, fps, jitter)
    (found,) = heart_rate(faces.video(t), t)
    assert found.reason is Reason.OK
    assert found.bpm == pytest.approx(72.0, abs=1.0)


@pytest.mark.parametrize("name", ["still", "moved", "lit", "fast"])
def test_without_a_pulse_there_is_no_rate(name):
    still = {"still": {}, "moved": {"motion": 10.0, "sway": 4.0}, "lit": {"light": 0.03}, "fast": {}}[name]
    t = faces.times(16, 20 if name == "fast" else 15)
    (found,) = heart_rate(faces.video(t, amp=0.0, **still), t)
    assert np.isnan(found.bpm)
    assert found.reason in (Reason.NOISE, Reason.DISAGREE)


def compressed(path, crf, *, group=250, **how):
    t = faces.times(20, 24, 0.05)
    path.write_bytes(faces.h264(faces.video(t, **how), t, crf, group=group))
    file = VideoFile(path)
    assert file.repaired == 0
    pictures = list(file)
    t_ns = np.array([f.t_ns for f in pictures])
    assert np.abs(t_ns / 1e9 - (t - t[0])).max() < 1e-4, "frames keep their own times"
    return heart_rate((f.image for f in pictures), t_ns / 1e9)


@pytest.mark.parametrize("bpm", [55.0, 110.0])
def test_a_compressed_video_gives_the_rate(tmp_path, bpm):
    (found,) = compressed(tmp_path / "face.mp4", 18, bpm=bpm)
    assert found.reason is Reason.OK
    assert found.bpm == pytest.approx(bpm, abs=1.0)


def test_key_frames_once_a_second_are_no_heart(tmp_path):
    (found,) = compressed(tmp_path / "face.mp4", 23, group=24, amp=0.0)
    assert np.isnan(found.bpm)


def test_a_patch_of_skin_needs_no_face_and_no_opencv(monkeypatch):
    t = faces.times(20, 30)
    rng = np.random.default_rng(0)
    beat = faces.wave(t, 66.0)
    colour = np.array([170.0, 120.0, 100.0])
    noise = rng.standard_normal((8, 96, 128, 3)) * 2.0 + 0.5
    frames = [
        np.clip(colour * (1 - 0.003 * b * faces.BLOOD) + noise[k], 0, 255).astype(np.uint8)
        for b, k in zip(beat, rng.integers(0, 8, len(t)), strict=True)
    ]
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    for region in ("frame", Box(16.0, 8.0, 80.0, 70.0)):
        (found,) = heart_rate(frames, t, region=region)
        assert found.reason is Reason.OK
        assert found.bpm == pytest.approx(66.0, abs=1.0)


def test_windows_that_overlap():
    t = faces.times(24, 15)
    skin = (f[120:200, 80:160] for f in faces.video(t, motion=0.0))
    found = heart_rate(skin, t, region="frame", window=12.0, hop=6.0)
    assert [round(f.start_s) for f in found] == [0, 6, 12]
    for f in found:
        assert f.bpm == pytest.approx(72.0, abs=1.0)


@pytest.mark.parametrize("times", [[0.0], [0.0, 0.0], [1.0, 0.5], [0.0, float("nan")]])
def test_times_that_are_none(times):
    frames = [np.zeros((80, 80, 3), np.uint8)] * len(times)
    with pytest.raises(InputError, match="ascending"):
        heart_rate(frames, times, region="frame")


def test_frames_that_are_none():
    t = [0.0, 0.1, 0.2]
    with pytest.raises(InputError, match=r"uint8 of shape \(height, width, 3\)"):
        heart_rate([np.zeros((80, 80, 3))] * 3, t, region="frame")
    with pytest.raises(InputError, match="one time a frame"):
        heart_rate([np.zeros((80, 80, 3), np.uint8)] * 2, t, region="frame")
    with pytest.raises(InputError, match="one time a frame"):
        heart_rate([np.zeros((80, 80, 3), np.uint8)] * 4, t, region="frame")
