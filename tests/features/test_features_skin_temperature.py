"""Skin temperature: a known ramp, damage with its reason, the contract."""

import numpy as np
import pytest

from feltsense.core.chunk import StreamInfo
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.core.vector import Reason
from feltsense.datasets.synthetic import participant
from feltsense.features.skin_temperature import EXTRACTOR
from feltsense.session import extract
from feltsense.testing import check_extractor


def windows(x, rate=4, window=60.0):
    info = StreamInfo("w.temp", spec("skin_temperature", rate))
    segment = Segment(np.asarray(x, float)[:, None], TimeMap.uniform(NS, info.spec.rate))
    rec = Recording("p", {info.id: Stream(info, (segment,))})
    return [v for _, v in extract(rec, window=window, hop=window, modalities=["skin_temperature"])]


def test_keeps_the_contract():
    rec = participant(2, protocol=[("rest", 120)])
    check_extractor(EXTRACTOR, Recording("p", {"board.temp": rec.streams["board.temp"]}), window=30.0, hop=10.0)


@pytest.mark.parametrize("rate", [1, 4, 64])
def test_a_ramp(rate):
    t = np.arange(120 * rate) / rate
    v = windows(33.0 - 0.2 * t / 60, rate)[1]
    assert v["skin_temperature.mean"] == pytest.approx(32.7, abs=0.005)
    assert v["skin_temperature.slope"] == pytest.approx(-0.2, abs=1e-6)
    assert v["skin_temperature.range"] == pytest.approx(0.2, abs=0.005)
    assert v["skin_temperature.sd"] == pytest.approx(0.2 / np.sqrt(12), rel=0.05)
    assert v["quality.skin_temperature"] == 1.0


def test_a_steady_temperature_is_no_fault():
    v = windows(np.full(240, 32.11))[0]
    assert v["skin_temperature.mean"] == pytest.approx(32.11)
    assert v["skin_temperature.slope"] == pytest.approx(0.0, abs=1e-9)
    assert v["skin_temperature.range"] == 0.0


@pytest.mark.parametrize(("value", "reason"), [(5.0, Reason.OFF_SKIN), (60.0, Reason.OFF_SKIN), (np.nan, Reason.GAP)])
def test_what_is_no_skin_gives_its_reason(value, reason):
    v = windows(np.full(240, value))[0]
    assert np.isnan(v.values).all()
    assert set(v.reasons) == {reason}
    assert v["quality.skin_temperature"] == 0.0


def test_half_a_window_has_a_level_and_no_slope():
    x = np.full(240, 33.0)
    x[100:] = np.nan
    v = windows(x)[0]
    assert v["skin_temperature.mean"] == 33.0
    assert v.reason("skin_temperature.slope") is Reason.GAP
    assert v.quality_reasons == (Reason.GAP,)


def test_a_jump_is_an_artefact_not_a_range():
    x = np.full(240, 33.0)
    x[:40] = 24.0
    v = windows(x)[0]
    assert v.quality_reasons == (Reason.ARTEFACT,)
    assert v["quality.skin_temperature"] == pytest.approx(1 - 8 / 240)


def test_five_seconds_are_too_short():
    v = windows(np.full(20, 33.0), window=5.0)[0]
    assert set(v.reasons) == {Reason.TOO_SHORT}
