"""Measures of a mesh: known faces, any pose and distance; blinks, gaze and expressions that are really there."""

import numpy as np
import pytest

from feltsense.core.event import EventKind
from feltsense.core.face_row import AT, span
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.timeline import TimeMap
from feltsense.core.vector import Reason
from feltsense.dsp.expressions import ExpressionFinder
from feltsense.errors import InputError
from feltsense.session import extract
from feltsense.vision import Box, FaceReader, Neutral, camera_stream
from feltsense.vision.mesh import measures, pose
from feltsense.vision.mesh_tflite import TfliteMesh
from mesh_cases import mesh

FPS = 30


def test_a_face_whose_measures_are_known():
    found = measures(mesh(eye=0.27, mouth=0.2, smile=0.05, brow=0.22, gaze=(0.3, -0.2)))
    wanted = [0.27, 0.27, 0.2, 0.6, 0.05, 0.22, 0.2, 0.15, 0.0, 0.0, 0.0, 0.3, -0.2]
    assert found == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("roll", [-30.0, -12.0, 30.0])
@pytest.mark.parametrize("scale", [60.0, 100.0, 160.0])
def test_neither_roll_nor_distance_changes_a_measure(roll, scale):
    upright = measures(mesh(gaze=(0.2, 0.1), smile=0.04))
    turned = measures(mesh(gaze=(0.2, 0.1), smile=0.04, roll=roll, scale=scale))
    assert turned[:8] == pytest.approx(upright[:8], rel=0.05)
    assert turned[11:] == pytest.approx(upright[11:], rel=0.05)
    assert turned[10] == pytest.approx(roll, abs=1e-6)


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(25, 0, 0), (0, -20, 0), (0, 0, 30), (15, 10, -20), (-40, 25, 5)])
def test_pose(yaw, pitch, roll):
    assert pose(mesh(yaw=yaw, pitch=pitch, roll=roll)) == pytest.approx((yaw, pitch, roll), abs=1e-6)


def test_without_irises_there_is_no_gaze():
    found = measures(mesh()[:468])
    assert np.isnan(found[11:]).all()
    assert np.isfinite(found[:11]).all()


@pytest.mark.parametrize("points", [np.zeros((468, 2)), np.zeros((5, 3)), np.full((468, 3), np.nan), [1.0], np.zeros(0)])
def test_what_is_no_mesh(points):
    with pytest.raises(InputError, match=r"give 468 or 478 finite points"):
        measures(points)


def test_a_mesh_in_one_point_gives_finite_numbers():
    assert np.isfinite(measures(np.zeros((478, 3)))).all()


def play(frames, neutral=None):
    """Window features of meshes, 30 a second."""
    reader = FaceReader(camera_stream(FPS), neutral=neutral)
    chunks = [reader.push_landmarks(m, round(k * 1e9 / FPS)) for k, m in enumerate(frames)]
    rows = np.concatenate([c.values for c in chunks])
    rows.setflags(write=False)
    t = np.array([c.start_ns for c in chunks] + [chunks[-1].stop_ns + 1])
    time = TimeMap(reader.info.spec.rate, np.arange(len(t)), t, t, t, np.zeros(len(t), np.int64))
    rec = Recording("p", {reader.info.id: Stream(reader.info, (Segment(rows, time),))})
    length = len(frames) / FPS
    ((_, v),) = extract(rec, window=length, hop=length)
    return v, chunks


def eyes(seconds, blinks, depth=0.95, length=0.2, shut=()):
    """Eyes that are open 0.30, blink at `blinks` for `length` seconds, and stay shut in the spans of `shut`."""
    t = np.arange(int(seconds * FPS)) / FPS
    closed = np.zeros(len(t))
    for b in blinks:
        closed = np.maximum(closed, depth * np.clip(1.0 - np.abs(t - b) / length, 0.0, 1.0))
    for a, b in shut:
        closed[(t >= a) & (t < b)] = 1.0
    return 0.30 * (1.0 - 0.65 * closed)


def test_blinks_are_counted_and_timed():
    blinks = [3.0, 7.5, 12.0, 16.2, 20.0, 25.1]
    v, _ = play([mesh(eye=e) for e in eyes(30, blinks)])
    assert v["face.blink_rate"] == pytest.approx(12.0, rel=0.01)
    # At half closure a triangle of ± 0.2 s that reaches 0.95 is 0.19 s wide.
    assert v["face.blink_dur_ms"] == pytest.approx(2 * 200 * (1 - 0.5 / 0.95), abs=15)
    assert v["face.perclos"] < 0.02
    assert v["quality.face"] == 1.0


def test_eyes_that_fall_shut():
    v, _ = play([mesh(eye=e) for e in eyes(40, [2.0], shut=[(10, 14), (20, 24)])])
    assert v["face.perclos"] == pytest.approx(0.2, abs=0.01)
    assert v["face.blink_rate"] == pytest.approx(1.5, rel=0.02), "a closure of four seconds is no blink"
    shut, _ = play([mesh(eye=0.10) for _ in range(31 * FPS)])
    assert shut["face.perclos"] == 1.0, "shut all along is not taken for open"


def test_narrow_eyes_are_open_eyes_when_the_neutral_says_so():
    frames = [mesh(eye=0.6 * e) for e in eyes(31, [5.0, 15.0])]
    reader = FaceReader(camera_stream(FPS))
    rest = np.concatenate([reader.push_landmarks(m, k * 33_000_000).values for k, m in enumerate(frames[:60])])
    v, _ = play(frames, Neutral.of(rest))
    assert v["face.blink_rate"] == pytest.approx(60 * 2 / 31, rel=0.01)
    assert v["face.perclos"] < 0.02
    with pytest.raises(InputError, match="rows with landmarks"):
        Neutral.of(np.full((3, len(AT)), np.nan))


def test_head_and_gaze_over_a_window():
    t = np.arange(20 * FPS) / FPS
    frames = [mesh(yaw=10 * np.sin(a) + (25 if a >= 15 else 0), gaze=(0.2 * np.cos(a), 0.1)) for a in t.tolist()]
    v, _ = play(frames, Neutral(yaw=0.0))
    assert v["face.away_frac"] == pytest.approx(np.mean(np.abs(10 * np.sin(t) + 25 * (t >= 15)) > 20), abs=0.01)
    assert v["face.gaze_y"] == pytest.approx(0.1, abs=1e-6)
    assert v["face.gaze_disp"] == pytest.approx((0.2 * np.cos(t)).std(), rel=1e-6)
    assert v["face.head_speed"] == pytest.approx(
        np.abs(np.diff(10 * np.sin(t) + 25 * (t >= 15))).sum() / (20 - 1 / FPS), rel=0.01
    )
    shifted, _ = play([mesh(yaw=30.0, pitch=-12.0)] * 60, Neutral(yaw=30.0, pitch=-12.0))
    assert shifted["face.away_frac"] == 0.0


def test_a_face_that_is_not_there_and_rows_without_a_mesh():
    v, _ = play([None] * (11 * FPS))
    assert v.reason("face.ear_mean") is Reason.NO_FACE
    frames = [mesh() for _ in range(5 * FPS)]
    v, _ = play(frames)
    assert v.reason("face.blink_rate") is Reason.TOO_SHORT
    assert v.reason("face.perclos") is Reason.TOO_SHORT
    v, _ = play([mesh() for _ in range(11 * FPS)])
    assert v["face.blink_rate"] == 0.0
    assert v.reason("face.blink_dur_ms") is Reason.NONE_FOUND


def test_an_expression_has_a_beginning_a_summit_and_an_end():
    t = np.arange(20 * FPS) / FPS
    smile = 0.08 * np.exp(-0.5 * ((t - 12.0) / 0.3) ** 2)
    _, chunks = play([mesh(smile=s, seed=0) for s in smile.tolist()])
    finder = ExpressionFinder()
    events = [e for c in chunks for e in finder.push(c)]
    assert [e.text for e in events] == ["corner_raise onset", "corner_raise apex", "corner_raise end"]
    assert all(e.kind is EventKind.EXPRESSION for e in events)
    onset, apex, end = (e.t_ns / 1e9 for e in events)
    assert apex == pytest.approx(12.0, abs=0.05)
    assert 11.3 < onset < 11.9
    assert 12.1 < end < 12.8
    assert events[1].value > 3.0


def test_a_new_resting_face_is_no_expression_and_a_gap_forgets():
    t = np.arange(20 * FPS) / FPS
    _, chunks = play([mesh(smile=0.08 if a > 8 else 0.0) for a in t.tolist()])
    finder = ExpressionFinder()
    assert [e for c in chunks for e in finder.push(c)] == []


class _Net:
    """Stands for the network: sees landmarks where a synthetic face was drawn, in the pixels of its input."""

    def __init__(self, truth):
        self.truth, self.logit = truth, 5.0

    def getUnconnectedOutLayersNames(self):
        return ("points", "score")

    def setInput(self, blob):
        assert blob.shape == (1, 3, 192, 192)

    def forward(self, names):
        return self.truth.ravel().astype(np.float32)[None], np.array([[self.logit]], np.float32)


def test_a_network_of_the_users_own(tmp_path, monkeypatch):
    import cv2

    with pytest.raises(InputError, match=r"holds no face_landmark\.tflite"):
        TfliteMesh(tmp_path)
    (tmp_path / "face_landmark.tflite").write_bytes(b"none")
    with pytest.raises(InputError, match="cannot read it as a TFLite model"):
        TfliteMesh(tmp_path)
    inside = mesh(scale=80.0)[:468] - [320.0, 240.0, 0.0] + [96.0, 96.0, 0.0]
    net = _Net(inside)
    monkeypatch.setattr(cv2.dnn, "readNetFromTFLite", lambda path: net)
    found = TfliteMesh(tmp_path)
    box = Box(200.0, 150.0, 128.0, 128.0)
    points = found.landmarks(np.zeros((480, 640, 3), np.uint8), box)
    # The box's middle is the input's middle, and 192 pixels of the picture (1.5 boxes) are 192 of the input.
    assert points == pytest.approx(inside + np.array([264.0 - 96.0, 214.0 - 96.0, 0.0]))
    reader = FaceReader(camera_stream(FPS), mesh=found)
    row = reader.push(np.full((480, 640, 3), 90, np.uint8), 0, [box]).values[0]
    assert row[span("eye_left", "eye_right")] == pytest.approx([0.3, 0.3], abs=1e-3)
    net.logit = -5.0
    assert found.landmarks(np.zeros((480, 640, 3), np.uint8), box) is None
    net.truth = inside[:100]
    with pytest.raises(InputError, match="expected 1404"):
        found.landmarks(np.zeros((480, 640, 3), np.uint8), box)
