"""The phone's cameras behind what the app asks of a platform; on a stand-in of Android's first camera interface."""

from contextlib import closing
from fractions import Fraction

import fake_android
import numpy as np
import pytest

from feltsense.errors import InputError
from feltsense_app.platform import android_camera
from feltsense_app.platform.android import Android
from feltsense_app.presenters.neutral import Step
from feltsense_app.presenters.permissions import Grant
from feltsense_app.service.neutral import source_of

RED, BLUE, GREY = (200, 60, 60), (60, 60, 200), (128, 128, 128)


def upright():
    """Red at the top, blue at the left below: it shows how it is turned, and whether it is mirrored."""
    picture = np.full((640, 480, 3), GREY, np.uint8)
    picture[:200] = RED
    picture[200:, :200] = BLUE
    return picture


def phone(monkeypatch, tmp_path, degrees=270, **fault):
    # The sensor sees it turned back by what it must be turned.
    seen = fake_android.Phone(np.ascontiguousarray(np.rot90(upright(), degrees // 90)), **fault)
    fake_android.installed(monkeypatch, seen, tmp_path)
    return seen, Android()


def until_none(source):
    """What a camera gives until it gives nothing."""
    try:
        yield from source
    except InputError:
        return


def test_pictures_of_the_person_are_upright_not_mirrored_and_in_order(monkeypatch, tmp_path):
    seen, handset = phone(monkeypatch, tmp_path)
    handset.request("camera", lambda grant: None)
    with closing(source_of(handset, Step.FACE)) as source:
        frames = [next(source)]
        image = frames[0].image
    assert image.shape == (640, 480, 3)
    assert np.abs(image.astype(int) - upright()).mean() < 2
    assert seen.log == ["open 1", "size (640, 480)", "texture 10", "start", "stop", "release"]
    assert seen.callback is None


def test_a_display_that_is_turned_is_taken_into_account_on_both_sides(monkeypatch, tmp_path):
    # A quarter: a front camera's picture is turned by as much more, a back camera's by as much less.
    seen, handset = phone(monkeypatch, tmp_path)
    assert handset._eye._find(android_camera.FRONT) == (1, 270)
    assert handset._eye._find(android_camera.BACK) == (0, 90)
    seen.rotation = 1
    assert handset._eye._find(android_camera.FRONT) == (1, 0)
    assert handset._eye._find(android_camera.BACK) == (0, 0)


def test_pictures_are_thinned_to_the_rate_that_is_asked_for_and_all_of_the_back_camera_are_given(monkeypatch, tmp_path):
    times = iter(range(10**12, 10**13, 10**9 // 30))
    monkeypatch.setattr(android_camera.time, "monotonic_ns", lambda: next(times))
    monkeypatch.setattr(android_camera, "PATIENCE_S", 0.0)
    monkeypatch.setattr(android_camera, "WAITING", 100)
    _, handset = phone(monkeypatch, tmp_path, count=30)
    handset.request("camera", lambda grant: None)
    t_ns = [frame.t_ns for frame in until_none(handset.frames(Fraction(15)))]
    assert len(t_ns) == 15
    assert np.diff(t_ns) / 1e9 == pytest.approx(1 / 15, rel=1e-6)
    assert t_ns[0] == 10**12
    assert len(list(until_none(handset.pictures()))) == 30


def test_who_reads_slowly_misses_pictures_and_keeps_none_for_the_next_time(monkeypatch, tmp_path):
    _, handset = phone(monkeypatch, tmp_path, count=50)
    handset.request("camera", lambda grant: None)
    with closing(handset.frames(Fraction(15))) as source:
        next(source)
        assert handset._eye._waiting.qsize() == android_camera.WAITING - 1
    assert handset._eye._waiting.empty()


def test_the_camera_is_not_opened_without_permission(monkeypatch, tmp_path):
    seen, handset = phone(monkeypatch, tmp_path)
    assert handset.permission("camera") is Grant.UNKNOWN
    for source in (handset.frames(Fraction(15)), handset.pictures(), handset.sound(Fraction(16000))):
        with pytest.raises(InputError, match="not allowed"):
            next(iter(source))
    assert seen.log == []


@pytest.mark.parametrize(
    ("fault", "said", "released"),
    [
        ("taken", "another app", False),
        ("size", "cannot be used", True),
        ("dark", "no pictures", True),
        ("alone", "no camera", False),
    ],
)
def test_a_camera_that_does_not_work_is_said_and_let_go(monkeypatch, tmp_path, fault, said, released):
    monkeypatch.setattr(android_camera, "PATIENCE_S", 0.0)
    seen, handset = phone(monkeypatch, tmp_path, fault=fault)
    handset.request("camera", lambda grant: None)
    with pytest.raises(InputError, match=said):
        next(handset.frames(Fraction(15)))
    assert ("release" in seen.log) is released
