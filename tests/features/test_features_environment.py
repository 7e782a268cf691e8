"""Surroundings: levels that are known, sensors that report when they like, readings that no room has."""

import numpy as np
import pytest

from feltsense.core.chunk import StreamInfo
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.core.vector import Reason
from feltsense.features.environment import EXTRACTOR
from feltsense.session import extract
from feltsense.testing import check_extractor


def stream(kind, values, rate=1, device="room"):
    info = StreamInfo(f"{device}.{kind}", spec(kind, rate))
    x = np.asarray(values, float)[:, None].copy()
    x.setflags(write=False)
    return Stream(info, (Segment(x, TimeMap.uniform(NS, info.spec.rate)),))


def recording(*streams):
    return Recording("p", {s.info.id: s for s in streams})


def window(*streams, seconds=60.0):
    return next(v for _, v in extract(recording(*streams), window=seconds, hop=seconds, modalities=["environment"]))


def test_keeps_the_contract():
    rng = np.random.default_rng(0)
    light, sound = stream("illuminance", rng.uniform(50, 500, 480), 4), stream("sound_level", rng.uniform(30, 60, 120), 1)
    check_extractor(EXTRACTOR, recording(light, sound), window=20.0, hop=10.0)


def test_known_rooms():
    t = np.arange(60)
    v = window(
        stream("illuminance", np.where(t < 30, 99.0, 9.0)),
        stream("sound_level", np.where(t < 30, 50.0, 60.0)),
        stream("air_temperature", 21.0 + 0.5 * t / 60),
        stream("humidity", np.full(60, 40.0)),
    )
    assert v["environment.light_mean"] == 54.0
    assert v["environment.light_log"] == pytest.approx(1.5)
    assert v["environment.light_dark_frac"] == 0.5
    assert v["environment.sound_level"] == pytest.approx(10 * np.log10((1e5 + 1e6) / 2))
    assert v["environment.sound_max"] == 60.0
    assert v["environment.sound_sd"] == 5.0
    assert v["environment.temperature_mean"] == pytest.approx(21.0 + 0.5 * 29.5 / 60)
    assert v["environment.temperature_slope"] == pytest.approx(0.5)
    assert v["environment.humidity_mean"] == 40.0
    assert v["quality.environment"] == 1.0


@pytest.mark.parametrize("kind", ["illuminance", "sound_level", "air_temperature", "humidity"])
def test_any_one_sensor_will_do(kind):
    v = window(stream(kind, np.full(60, 30.0)))
    names = [n for n in v.schema.names if np.isfinite(v[n])]
    assert names
    assert {v.reason(n) for n in v.schema.names if n not in names} <= {Reason.NO_SIGNAL}


def test_a_sensor_that_reports_only_changes():
    info = StreamInfo("room.air_temperature", spec("air_temperature", None))
    t_ns = (np.array([0.0, 11.0, 40.0, 55.0, 61.0]) * NS).astype(np.int64) + NS
    x = np.array([[20.0], [20.1], [20.4], [20.5], [20.6]])
    x.setflags(write=False)
    rec = recording(Stream(info, (Segment(x, TimeMap.irregular(t_ns)),)))
    ((_, v),) = extract(rec, window=60.0, hop=60.0)
    assert v["environment.temperature_mean"] == pytest.approx(20.25)
    assert v["environment.temperature_slope"] == pytest.approx(0.554, abs=0.01)


def test_what_no_room_has_is_an_artefact():
    x = np.full(60, 45.0)
    x[:15] = 200.0
    v = window(stream("sound_level", x))
    assert v["environment.sound_max"] == 45.0
    assert v["quality.environment"] == 0.75
    assert v.quality_reasons == (Reason.ARTEFACT,)
    v = window(stream("humidity", np.full(60, 130.0)))
    assert v.reason("environment.humidity_mean") is Reason.ARTEFACT
    assert v["quality.environment"] == 0.0


def test_sensors_of_two_rooms_are_not_mixed():
    v = window(stream("illuminance", np.full(60, 100.0)), stream("humidity", np.full(60, 40.0), device="cellar"))
    assert v.reason("environment.humidity_mean") is Reason.NO_SIGNAL
