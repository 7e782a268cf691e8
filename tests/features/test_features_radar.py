"""Radar: known walks, nobody in view, damage; the camera's person in the same terms."""

import numpy as np
import pytest

from feltsense.core.chunk import Chunk, StreamInfo
from feltsense.core.face_row import AT, COLUMNS
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.target import Target, targets
from feltsense.core.timeline import NS, TimeMap
from feltsense.core.vector import Reason
from feltsense.errors import InputError
from feltsense.features.radar import EXTRACTOR
from feltsense.session import extract
from feltsense.testing import check_extractor
from feltsense.vision import camera_stream
from feltsense.vision.person import PersonTargets

RATE = 10
INFO = StreamInfo("radar.targets", spec("radar_targets", RATE))


def rows(seconds, *people):
    """Frames of people, each (x, y, speed) as numbers or functions of time."""
    t = np.arange(int(seconds * RATE)) / RATE
    out = np.full((len(t), 12), np.nan)
    for slot, person in enumerate(people):
        for k, value in enumerate(person):
            out[:, 4 * slot + k] = value(t) if callable(value) else value
        out[:, 4 * slot + 3] = 0.36
    return out


def recording(values, info=INFO):
    values = np.asarray(values, float).copy()
    values.setflags(write=False)
    return Recording("p", {info.id: Stream(info, (Segment(values, TimeMap.uniform(NS, info.spec.rate)),))})


def window(values, seconds=10.0):
    return next(v for _, v in extract(recording(values), window=seconds, hop=seconds, modalities=["radar"]))


def test_keeps_the_contract():
    check_extractor(
        EXTRACTOR, recording(rows(60, (0.5, lambda t: 2 + np.sin(t / 5), lambda t: np.cos(t / 5) / 5))), window=10.0
    )


def test_somebody_who_comes_closer():
    v = window(rows(10, (1.0, lambda t: 4.0 - 0.3 * t, -0.3), (-2.0, 5.0, 0.0)))
    t = np.arange(100) / 10
    assert v["radar.distance"] == pytest.approx(np.median(np.hypot(1.0, 4.0 - 0.3 * t)))
    assert v["radar.azimuth"] == pytest.approx(np.degrees(np.median(np.arctan2(1.0, 4.0 - 0.3 * t))))
    assert v["radar.speed"] == pytest.approx(0.3)
    assert v["radar.approach"] == 1.0
    assert v["radar.moving_frac"] == 1.0
    assert v["radar.n_targets"] == 2.0
    assert v["quality.radar"] == 1.0


def test_somebody_who_sits_and_somebody_who_leaves():
    v = window(rows(10, (0.0, 1.5, 0.02)))
    assert (v["radar.approach"], v["radar.moving_frac"], v["radar.distance_sd"]) == (0.0, 0.0, 0.0)
    gone = rows(10, (0.0, 1.5, 0.5))
    gone[50:] = np.nan
    v = window(gone)
    assert v["radar.present_frac"] == 0.5
    assert v["radar.approach"] == 0.0
    assert v["radar.moving_frac"] == 1.0


@pytest.mark.parametrize("empty", [np.nan, 0.0])
def test_an_empty_room_is_an_answer(empty):
    v = window(np.full((100, 12), empty))
    assert v["radar.present_frac"] == 0.0
    assert v["radar.n_targets"] == 0.0
    assert v.reason("radar.distance") is Reason.NONE_FOUND
    assert v["quality.radar"] == 1.0


def test_what_nobody_can_do_is_an_artefact():
    x = rows(10, (0.0, 2.0, 0.0))
    x[:40, 1] = 60.0
    v = window(x)
    assert v["quality.radar"] == pytest.approx(0.6)
    assert v.quality_reasons == (Reason.ARTEFACT,)
    assert v["radar.distance"] == 2.0


def test_targets_of_a_chunk():
    x = rows(1, (1.0, 1.0, -0.5), (0.0, 3.0, 0.0))[:1]
    chunk = Chunk(INFO, 0, 0, x, TimeMap.uniform(5 * NS, INFO.spec.rate))
    assert targets(chunk) == [
        Target(5 * NS, pytest.approx(np.sqrt(2)), -0.5, pytest.approx(45.0), "radar.targets"),
        Target(5 * NS, 3.0, 0.0, 0.0, "radar.targets"),
    ]


def test_a_cameras_person_in_the_same_terms():
    face = camera_stream(20)
    camera = PersonTargets(face, 640, 60.0)
    focal = 320 / np.tan(np.radians(30))
    t = np.arange(200) / 20
    away = 1.2 - 0.05 * t
    x = np.full((200, len(COLUMNS)), np.nan)
    x[:, AT["width"]] = 0.16 * focal / away
    x[:, AT["left"]] = 320 + focal * np.tan(np.radians(10.0)) - x[:, AT["width"]] / 2
    x[150:] = np.nan
    time = TimeMap.uniform(NS, face.spec.rate)
    whole = camera.push(Chunk(face, 0, 0, x, time))
    found = targets(whole)
    assert len(found) == 150
    assert found[100].azimuth_deg == pytest.approx(10.0)
    assert found[100].distance_m == pytest.approx(away[100] / np.cos(np.radians(10.0)))
    assert found[120].speed_mps == pytest.approx(-0.05 / np.cos(np.radians(10.0)), rel=0.05)
    again = PersonTargets(face, 640, 60.0)
    pieces = [again.push(Chunk(face, 0, a, x[a : a + 7], time)).values for a in range(0, 200, 7)]
    assert np.array_equal(np.concatenate(pieces), whole.values, equal_nan=True), "the same for any cut"
    v = next(v for _, v in extract(recording(whole.values, camera.info), window=5.0, hop=5.0))
    assert v["radar.n_targets"] == 1.0
    with pytest.raises(InputError, match="0 to 180 degrees"):
        PersonTargets(face, 640, 200.0)
