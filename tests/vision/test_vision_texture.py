"""Texture measures against scikit-image, and against pictures whose answer is known."""

import numpy as np
import pytest
from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

import face_cases as faces
from feltsense.vision.skin import SIDE, shrink
from feltsense.vision.texture import appearance, gabor, glcm, grey, lbp, sharpness


@pytest.fixture(scope="module")
def face():
    grey_face = np.clip(faces.portrait()[100:260, 50:210], 0, 255).astype(np.uint8)
    return np.rint(shrink(grey_face) @ [0.299, 0.587, 0.114])


def test_local_binary_patterns_equal_scikit_images(face):
    theirs = local_binary_pattern(face.astype(np.uint8), 8, 1, "uniform")[1:-1, 1:-1].astype(int)
    assert lbp(face) == pytest.approx(np.bincount(theirs.ravel(), minlength=10) / theirs.size, abs=1e-12)


def test_co_occurrence_equals_scikit_images(face):
    level = (face // 8).astype(np.uint8)
    theirs = graycomatrix(level, [1], [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4], 32, symmetric=True, normed=True)
    wanted = [graycoprops(theirs, p).mean() for p in ("contrast", "homogeneity", "energy", "correlation")]
    assert glcm(face) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("k", range(12))
def test_a_grating_is_found_by_its_own_filter(k):
    cycles, angle = (4, 8, 16)[k // 4], np.pi / 4 * (k % 4)
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    energy = gabor(128 + 60 * np.cos(2 * np.pi * cycles * (x * np.cos(angle) + y * np.sin(angle))))
    assert int(np.argmax(energy)) == k
    assert energy[k] > 2 * np.sort(energy)[-2]


def test_grey_levels(face):
    values = np.where(np.arange(SIDE * SIDE).reshape(SIDE, SIDE) % 4 == 0, 200.0, 100.0)
    mean, spread, skew, entropy = grey(values)
    assert mean == 125.0
    assert spread == pytest.approx(100 * np.sqrt(3 / 16))
    assert skew == pytest.approx((1 - 2 / 4) / np.sqrt(3 / 16))
    assert entropy == pytest.approx(-0.25 * np.log2(0.25) - 0.75 * np.log2(0.75))
    counts = np.bincount(face.astype(int).ravel())
    share = counts[counts > 0] / face.size
    assert grey(face)[3] == pytest.approx(-(share * np.log2(share)).sum())


def test_brightness_changes_no_sharpness_and_no_gabor(face):
    assert sharpness(face * 0.5) == pytest.approx(sharpness(face))
    assert gabor(face * 0.5 + 20) == pytest.approx(gabor(face))


@pytest.mark.parametrize("value", [0.0, 128.0, 255.0])
def test_an_even_picture_has_finite_measures(value):
    found = appearance(np.full((SIDE, SIDE), value))
    assert np.isfinite(found).all()
    assert len(found) == 30
    assert sharpness(np.full((SIDE, SIDE), value)) == 0.0


def test_every_pixel_counts_once():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (97, 133, 3), dtype=np.uint8)
    cells = shrink(image)
    rows = np.diff(np.append(np.arange(SIDE) * 97 // SIDE, 97))
    columns = np.diff(np.append(np.arange(SIDE) * 133 // SIDE, 133))
    total = (cells * rows[:, None, None] * columns[None, :, None]).sum(axis=(0, 1))
    assert total == pytest.approx(image.reshape(-1, 3).sum(axis=0))
