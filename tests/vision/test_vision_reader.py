"""The front end: where the face is, what is said where there is none, and what a frame must be."""

import numpy as np
import pytest

import face_cases as faces
from feltsense.core.chunk import StreamInfo
from feltsense.core.face_row import AT
from feltsense.core.recording import Recording
from feltsense.core.signals import spec
from feltsense.core.vector import Reason
from feltsense.errors import InputError, MissingExtraError
from feltsense.quality.face import REASONS, verdicts
from feltsense.session import extract
from feltsense.vision import ArraySource, Box, FaceReader, camera_stream, read_stream
from feltsense.vision.android import from_nv21, from_rgba

STEP = 66_666_667


@pytest.fixture(scope="module")
def face():
    return np.clip(faces.portrait(), 0, 255).astype(np.uint8)


def rows(images, region="face", boxes=None):
    reader = FaceReader(camera_stream(15), region)
    return np.concatenate([reader.push(image, k * STEP, boxes).values for k, image in enumerate(images)])


def column(x, name):
    return x[:, AT[name]]


def test_a_face_is_found_and_followed(face):
    import cv2

    steps = np.arange(30)
    moves = [np.float32([[1, 0, 3 * np.sin(k / 4)], [0, 1, 2 * np.cos(k / 5)]]) for k in steps]
    x = rows([cv2.warpAffine(face, m, (240, 320), borderMode=cv2.BORDER_REFLECT) for m in moves])
    assert (column(x, "faces") == 1).all()
    shift = np.array([m[:, 2] for m in moves])
    centre = np.stack((column(x, "left") + column(x, "width") / 2, column(x, "top") + column(x, "height") / 2), axis=1)
    assert np.abs((centre - centre[0]) - (shift - shift[0])).max() < 1.0, "px; a detector alone jitters by several"
    assert column(x, "flow_speed")[1:] == pytest.approx(15 * np.linalg.norm(np.diff(shift, axis=0), axis=1), abs=4.0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda f: f, Reason.OK),
        (lambda f: np.zeros_like(f), Reason.DARK),
        (lambda f: (f * 0.1).astype(np.uint8), Reason.DARK),
        (lambda f: np.full_like(f, 90), Reason.COVERED),
        (lambda f: np.random.default_rng(0).integers(0, 255, f.shape, np.uint8), Reason.NO_FACE),
        (lambda f: f[::-1].copy(), Reason.NO_FACE),
        (lambda f: np.concatenate((f, f[:, ::-1]), axis=1), Reason.SEVERAL_FACES),
        (lambda f: __import__("cv2").GaussianBlur(f, (0, 0), 7), Reason.BLUR),
    ],
    ids=["face", "black", "night", "covered", "noise", "upside down", "two", "blurred"],
)
def test_what_is_in_the_picture(face, change, reason):
    x = rows([change(face)] * 3)
    assert {REASONS[v] for v in verdicts(x).tolist()} == {reason}


def test_a_window_of_a_real_picture_has_every_feature_that_needs_no_mesh(face):
    rng = np.random.default_rng(0)
    images = [np.clip(face + rng.normal(0, 2, face.shape), 0, 255).astype(np.uint8) for _ in range(45)]
    source = ArraySource(images, (np.arange(45) / 15).tolist())
    stream = read_stream(source, FaceReader(camera_stream(15)))
    ((_, v),) = extract(Recording("p", {stream.info.id: stream}), window=3.0, hop=3.0)
    looks = [n for n in v.schema.names if n.startswith(("face.grey", "face.lbp", "face.glcm", "face.gabor", "face.motion"))]
    assert len(looks) == 31
    assert all(v.reason(n) is Reason.OK for n in looks)
    assert sum(v[f"face.lbp_{k}"] for k in range(10)) == pytest.approx(1.0)
    assert v.reason("face.rppg_hr") is Reason.TOO_SHORT


def test_another_face_starts_anew_and_a_pause_is_a_gap(face):
    reader = FaceReader(camera_stream(15))
    first = reader.push(face, 0)
    again = reader.push(face, STEP)
    later = reader.push(face, 2_000_000_000)
    assert (first.segment, again.segment, later.segment) == (0, 0, 1)
    assert (first.start, again.start, later.start) == (0, 1, 0)
    assert later.gap is not None
    assert later.gap.samples == 28
    assert np.isnan(later.values[0, AT["motion_energy"]]), "nothing is formed across a gap"


def test_boxes_of_somebody_else_need_no_opencv(face, monkeypatch):
    box = Box(60.0, 100.0, 130.0, 130.0)
    with_cv = rows([face] * 3, boxes=[box])
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    x = rows([face] * 3, boxes=[box])
    for name in ("r4", "g0", "n4", "grey_mean", "lbp3", "sharpness", "left", "faces"):
        assert column(x, name).tolist() == column(with_cv, name).tolist()
    assert np.isnan(column(x, "flow_speed")).all()
    assert column(x, "motion_energy")[1:].tolist() == [0.0, 0.0]
    assert (column(rows([face] * 2, boxes=[]), "faces") == 0).all()
    assert (column(rows([face] * 2, boxes=[box, box]), "faces") == 2).all()
    with pytest.raises(MissingExtraError, match=r'pip install "feltsense\[vision\]"'):
        rows([face])


@pytest.mark.parametrize(
    "image",
    [np.zeros((80, 80, 3)), np.zeros((80, 80), np.uint8), np.zeros((80, 80, 4), np.uint8), np.zeros((3,), np.uint8)],
)
def test_frames_that_are_none(image):
    with pytest.raises(InputError, match=r"camera\.face: a frame is an array of uint8"):
        rows([image], "frame")


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (63, 63), (64, 64), (2000, 65)])
@pytest.mark.parametrize("region", ["face", "frame", Box(-30.0, -30.0, 100.0, 100.0), Box(5000.0, 0.0, 100.0, 100.0)])
def test_frames_of_any_size(size, region):
    images = [np.random.default_rng(k).integers(0, 255, (*size, 3), np.uint8) for k in range(3)]
    assert rows(images, region).shape[0] == 3


def test_order_of_time_and_kind_of_stream(face):
    reader = FaceReader(camera_stream(15), "frame")
    reader.push(face, 100)
    with pytest.raises(InputError, match="give frames in order of time"):
        reader.push(face, 100)
    with pytest.raises(InputError, match="kind face"):
        FaceReader(StreamInfo("a.ecg", spec("ecg", 130)))
    with pytest.raises(InputError, match="give 'face', 'frame' or a Box"):
        FaceReader(camera_stream(15), "left")


def test_an_android_phones_buffers(face):
    import cv2

    small = face[100:196, 60:188]
    rgba = np.dstack((small, np.full(small.shape[:2], 255, np.uint8)))
    assert (from_rgba(rgba.tobytes(), 128, 96) == small).all()
    for turns, degrees in ((1, 270), (2, 180), (3, 90)):
        turned = np.ascontiguousarray(np.rot90(rgba, -turns))
        assert (from_rgba(turned.tobytes(), turned.shape[1], turned.shape[0], degrees) == small).all()
    y, u, v = (p.astype(np.uint8) for p in np.moveaxis(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb), 2, 0)[[0, 2, 1]])
    half = np.stack((cv2.resize(v, (64, 48)), cv2.resize(u, (64, 48))), axis=-1)
    back = from_nv21(y.tobytes() + half.tobytes(), 128, 96)
    assert np.abs(back.astype(int) - small).mean() < 2.0
    with pytest.raises(InputError, match="has 49152 bytes, got 10"):
        from_rgba(bytes(10), 128, 96)
    with pytest.raises(InputError, match="both sides are even"):
        from_nv21(b"", 3, 4)
    with pytest.raises(InputError, match="give 0, 90, 180 or 270"):
        from_rgba(rgba.tobytes(), 128, 96, 45)
