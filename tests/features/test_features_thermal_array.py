"""Thermal array: a rendered scene whose nose cools by a known amount; what cannot be measured says why."""

import numpy as np
import pytest

from cardiac_cases import one_stream, recording
from feltsense.core.vector import Reason
from feltsense.features._thermal_face import Face, find_face, from_camera, otsu, refined, temperatures
from feltsense.features.thermal_array import EXTRACTOR
from feltsense.session import extract
from feltsense.testing import check_extractor

ROWS, COLUMNS = 24, 32
NOISE_C = 0.1  # noise of an MLX90640 at 1 Hz (its datasheet)


def picture(drop, background=22.0):
    """A face of 150 × 200 mm on a grid of 1 mm: 34.5 °C, forehead 35, the nose's tip 22 mm across at 33 minus the drop."""
    y, x = np.mgrid[-300:301, -400:401].astype(float)
    out = np.full(x.shape, background)
    face = (x / 75) ** 2 + (y / 100) ** 2 < 1
    out[face] = 34.5
    out[face & (y < -45)] = 35.0
    out[x**2 + (y - 8) ** 2 < 11**2] = 33.0 - drop
    return out


def pixel_mm(metres, degrees):
    return 2 * metres * 1000 * np.tan(np.radians(degrees / 2)) / COLUMNS


def scene(drop, background=22.0):
    """The scene as sums over all that lies above and to the left, from which a pixel's mean is four numbers."""
    image = picture(drop, background)
    return np.pad(image, ((1, 0), (1, 0))).cumsum(0).cumsum(1), background


def frame(seen_from, mm, shift=(0.0, 0.0), noise=0.0, rng=None):
    """What the array sees: each pixel is the mean of its square, on the scene's grid."""
    table, background = seen_from
    rows = np.clip(np.round(300 + shift[1] + (np.arange(ROWS + 1) - ROWS / 2) * mm).astype(int), 0, len(table) - 1)
    columns = np.round(400 + shift[0] + (np.arange(COLUMNS + 1) - COLUMNS / 2) * mm).astype(int).clip(0, table.shape[1] - 1)
    sums = np.diff(np.diff(table[rows][:, columns], axis=0), axis=1)
    area = np.outer(np.diff(rows), np.diff(columns))
    seen = np.divide(sums, area, out=np.full(area.shape, background), where=area > 0)
    return seen if rng is None else seen + noise * rng.standard_normal(seen.shape)


def minutes(drops, mm, rate=2, seconds=60, seed=0, background=22.0, **options):
    """One stretch a drop; the head moves within a pixel from frame to frame."""
    rng = np.random.default_rng(seed)
    frames = []
    for drop in drops:
        image = scene(drop, background)
        for _ in range(rate * seconds):
            frames.append(frame(image, mm, rng.uniform(-mm / 2, mm / 2, 2), NOISE_C, rng))
    return recording(one_stream("thermal_array", np.array(frames).reshape(len(frames), -1), rate))


def windows(rec, window=60.0, hop=60.0):
    return [v for _, v in extract(rec, window=window, hop=hop, modalities=["thermal_array"])]


@pytest.mark.parametrize("metres", [0.3, 0.35, 0.4, 0.45, 0.5])
def test_a_known_drop_of_the_nose_is_recovered(metres):
    before, after = windows(minutes([0.0, 1.0], pixel_mm(metres, 55)))
    drop = before["thermal_array.nose_minus_forehead"] - after["thermal_array.nose_minus_forehead"]
    assert 0.8 <= drop <= 1.2, drop
    assert before["quality.thermal_array"] == 1.0
    assert before["thermal_array.forehead"] == pytest.approx(35.0, abs=0.35)
    # 1.5 °C below the cheeks, which is 2 °C below the forehead.
    assert before["thermal_array.nose_minus_forehead"] == pytest.approx(-2.0, abs=0.4)


@pytest.mark.parametrize(
    ("metres", "degrees", "reason"),
    [(0.5, 110, Reason.NOT_SUPPORTED), (0.8, 55, Reason.NOT_SUPPORTED), (0.2, 55, Reason.OFF_SKIN)],
    ids=["wide lens", "far", "so near that the face does not fit"],
)
def test_too_few_pixels_are_refused(metres, degrees, reason):
    (v,) = windows(minutes([0.0], pixel_mm(metres, degrees)))
    assert v.reason("thermal_array.nose_minus_forehead") is reason
    assert np.isnan(v["thermal_array.nose_minus_forehead"])
    assert v["quality.thermal_array"] == 0.0


def test_a_cooling_nose_has_a_slope():
    rec = minutes(np.linspace(0.0, 1.0, 12), pixel_mm(0.35, 55), seconds=5)
    (v,) = windows(rec)
    assert v["thermal_array.nose_slope"] == pytest.approx(-1.0 * 12 / 11, rel=0.25)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda rng: np.full((ROWS, COLUMNS), 22.0) + NOISE_C * rng.standard_normal((ROWS, COLUMNS)), Reason.OFF_SKIN),
        (lambda rng: frame(scene(0.0, 33.0), 12.0, (0, 0), NOISE_C, rng), Reason.NOISE),
        (lambda rng: frame(scene(0.0), 12.0, (200, 0), NOISE_C, rng), Reason.OFF_SKIN),
        (lambda rng: frame(scene(0.0), 12.0, (0, 100), NOISE_C, rng), Reason.OFF_SKIN),
        (lambda rng: np.full((ROWS, COLUMNS), np.nan), Reason.GAP),
        (lambda rng: np.full((ROWS, COLUMNS), 34.0), None),
        (lambda rng: 60 * rng.random((ROWS, COLUMNS)), None),
    ],
    ids=["nobody", "room as warm as skin", "beside", "cut off at the top", "no frames", "flat", "noise"],
)
def test_what_cannot_be_measured_says_why(make, reason):
    rng = np.random.default_rng(0)
    frames = np.array([make(rng) for _ in range(60)]).reshape(60, -1)
    (v,) = windows(recording(one_stream("thermal_array", frames, 2)), 30.0, 30.0)
    assert np.isnan(v["thermal_array.nose_minus_forehead"])
    if reason is not None:
        assert v.reason("thermal_array.nose_minus_forehead") is reason


def test_frames_in_which_the_head_turns_or_is_gone_are_left_out():
    mm, rng = 12.0, np.random.default_rng(0)
    frames = np.array([frame(scene(0.0), mm, rng.uniform(-6, 6, 2), NOISE_C, rng) for _ in range(120)])
    clean = windows(recording(one_stream("thermal_array", frames.reshape(120, -1), 2)))[0]
    frames[30:54] = np.array([frame(scene(3.0), mm * 1.3, (0, 0), NOISE_C, rng) for _ in range(24)])
    frames[60:66] = 22.0
    v = windows(recording(one_stream("thermal_array", frames.reshape(120, -1), 2)))[0]
    assert v["thermal_array.coverage"] == pytest.approx(0.75)
    assert v["thermal_array.nose_minus_forehead"] == pytest.approx(clean["thermal_array.nose_minus_forehead"], abs=0.1)
    assert v.quality_reasons == (Reason.MOTION,)


def test_minimums():
    rec = minutes([0.0], 12.0, seconds=30)
    assert windows(rec, 5.0, 30.0)[0].reason("thermal_array.nose") is Reason.TOO_SHORT
    ten = windows(rec, 12.0, 30.0)[0]
    assert ten.reason("thermal_array.nose") is Reason.OK
    assert ten.reason("thermal_array.nose_slope") is Reason.TOO_SHORT


def test_keeps_the_contract():
    check_extractor(EXTRACTOR, minutes([0.0, 1.0], 12.0, seconds=40), window=20.0, hop=10.0)


def test_the_face_is_found_between_pixels():
    for shift in ((0.0, 0.0), (3.0, -5.0), (6.0, 6.0)):
        face, _ = find_face(frame(scene(0.0), 12.0, shift))
        assert face.width == pytest.approx(150 / 12, rel=0.03)
        assert face.left + face.width / 2 == pytest.approx(16 - shift[0] / 12, abs=0.1)
        assert face.top == pytest.approx(12 - 100 / 12 - shift[1] / 12, abs=0.4)


def test_a_cameras_box_is_projected_and_refined():
    # A camera with ten times the array's resolution, moved by (40, 30) of its pixels.
    affine = np.array([[0.1, 0.0, -4.0], [0.0, 0.1, -3.0]])
    image = frame(scene(0.0), 12.0)
    truth = find_face(image)[0]
    box = ((truth.left + 4) * 10, (truth.top + 3) * 10, (truth.left + truth.width + 4) * 10, 300.0)
    face = from_camera(box, affine)
    assert (face.left, face.top, face.width) == pytest.approx((truth.left, truth.top, truth.width))
    off = Face(face.left + 1.0, face.top - 2.0, face.width)
    back = refined(image, off)
    assert (back.left, back.top) == pytest.approx((face.left, face.top), abs=0.6)
    assert temperatures(image, back)[0] == pytest.approx(33.0, abs=0.25)


def test_otsu_splits_two_heaps():
    x = np.concatenate((np.linspace(20, 22, 50), np.linspace(33, 35, 20)))
    assert 22 < otsu(x) < 33
