"""EDA features: known skin gives known numbers, bad signal gives reasons, windows add up, real wrists work."""

import numpy as np
import pytest

from feltsense.core.chunk import StreamInfo
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.core.vector import Reason
from feltsense.datasets.synthetic import simulate
from feltsense.features.eda import EXTRACTOR, LOG_OFFSET_US
from feltsense.session import extract
from feltsense.testing import check_extractor

NAMES = tuple(s.name for s in EXTRACTOR.specs)
LONG = tuple(s.name for s in EXTRACTOR.specs if s.min_seconds > 60.0)


def recording(*runs, rate=4, start_ns=10 * NS):
    """A recording of EDA; several runs are segments a minute apart."""
    info = StreamInfo("w.eda", spec("eda", rate))
    segments, at = [], start_ns
    for number, x in enumerate(runs):
        values = np.asarray(x, float)[:, None]
        segments.append(Segment(values, TimeMap.uniform(at, info.spec.rate), None, number))
        at += round(len(values) / rate * NS) + 60 * NS
    return Recording("p", {info.id: Stream(info, tuple(segments))})


def windows(rec, window=60.0, hop=60.0):
    return [v for _, v in extract(rec, window=window, hop=hop, modalities=["eda"])]


@pytest.fixture(scope="module")
def person():
    return simulate(3, protocol=[("rest", 200), ("stress", 160)])


def only_eda(rec):
    return Recording(rec.subject, {"board.eda": rec.streams["board.eda"]})


def test_keeps_the_contract(person):
    short = simulate(3, protocol=[("rest", 60), ("stress", 60)])
    check_extractor(EXTRACTOR, only_eda(short.recording), window=30.0, hop=10.0)


def test_level_and_slopes_of_a_ramp():
    t = np.arange(4 * 300) / 4
    ramp = 2.0 + t / 60 * 0.3 + 0.001 * np.random.default_rng(0).standard_normal(len(t))
    v = windows(recording(ramp))[2]
    middle = 2.0 + 2.5 * 0.3
    for name in ("scl_mean", "scl_median", "eda_median"):
        assert v[f"eda.{name}"] == pytest.approx(middle, abs=0.005)
    for name in ("scl_slope", "eda_slope"):
        assert v[f"eda.{name}"] == pytest.approx(0.3, abs=0.003)
    assert v["eda.eda_log_slope"] == pytest.approx(0.3 / (middle + LOG_OFFSET_US), rel=0.02)
    assert v["eda.eda_p10"] == pytest.approx(middle - 0.4 * 0.3, abs=0.005)
    assert v["eda.eda_range"] == pytest.approx(0.3, abs=0.01)
    assert v["eda.scr_count_05"] == v["eda.scr_amplitude_sum"] == v["eda.scr_amplitude_max"] == 0.0
    assert np.isnan(v["eda.scr_amplitude_mean"])
    assert v.reason("eda.scr_amplitude_mean") is Reason.NONE_FOUND
    assert v["quality.eda"] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("rate", [4, 32])
def test_band_and_phasic_of_a_wave(rate):
    t = np.arange(rate * 300) / rate
    rng = np.random.default_rng(0)
    v = windows(recording(3.0 + 0.2 * np.sin(2 * np.pi * 0.1 * t) + 1e-4 * rng.standard_normal(len(t)), rate=rate))[2]
    assert v["eda.eda_sd"] == pytest.approx(0.2 / np.sqrt(2), rel=0.03)
    # A zero-phase high-pass of order 2 at 0.05 Hz passes 16/17 of a wave at 0.1 Hz.
    assert v["eda.phasic_sd"] == pytest.approx(0.2 / np.sqrt(2) * 16 / 17, rel=0.04)
    assert v["eda.phasic_auc"] == pytest.approx(60 * 0.2 / np.pi * 16 / 17, rel=0.06)
    assert v["eda.eda_band_sd"] == pytest.approx(0.2 / np.sqrt(2) * 0.92, rel=0.05)
    assert v["eda.eda_activity"] == pytest.approx(0.2 * 2 * np.pi * 0.1 * 2 / np.pi, rel=0.05)
    assert v["eda.scr_count_05"] == pytest.approx(6, abs=1)


def test_responses_add_up_over_windows_and_are_those_of_the_truth(person):
    rec = only_eda(person.recording)
    minutes, whole = windows(rec), windows(rec, 360.0, 360.0)[0]
    for name in ("scr_count_01", "scr_count_03", "scr_count_05", "scr_amplitude_sum"):
        assert sum(v[f"eda.{name}"] for v in minutes) == pytest.approx(whole[f"eda.{name}"], rel=1e-12)
    assert max(v["eda.scr_amplitude_max"] for v in minutes) == whole["eda.scr_amplitude_max"]
    assert whole["eda.scr_rate_05"] == pytest.approx(whole["eda.scr_count_05"] / 6, rel=0.03)
    large = (person.truth.scr_amplitude > 0.05).sum()
    assert 0.6 * large <= whole["eda.scr_count_05"] <= 1.1 * large  # close ones merge
    rest, stress = minutes[1], minutes[4]
    assert stress["eda.scr_rate_05"] > rest["eda.scr_rate_05"]


def flat(n):
    return np.full(n, 2.0)


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (flat(240), Reason.FLATLINE),
        (np.zeros(240), Reason.OFF_SKIN),
        (np.full(240, -5.0), Reason.OFF_SKIN),
        (np.full(240, 75.0), Reason.SATURATED),
        (np.full(240, np.nan), Reason.GAP),
        (np.tile([1.0, 20.0], 120), Reason.ARTEFACT),
    ],
)
def test_what_is_no_skin_gives_its_reason_and_no_number(x, reason):
    (v,) = windows(recording(x))
    assert np.isnan(v.values).all()
    # In a minute there is none of the 64 s that the sympathetic power needs, whatever the signal.
    assert {r for n, r in zip(NAMES, v.reasons, strict=True) if n not in LONG} == {reason}
    assert v["quality.eda"] == 0.0
    assert v.quality_reasons == (reason,)


def test_monotone_conductance_has_a_level_and_no_response():
    (v,) = windows(recording(np.linspace(1.0, 9.0, 240)))
    assert v["eda.scl_mean"] == pytest.approx(5.0, abs=0.7)
    assert v["eda.scr_count_01"] == 0.0


def test_one_hertz_gives_levels_and_says_what_it_cannot():
    rng = np.random.default_rng(0)
    (v,) = windows(recording(3.0 + 0.02 * rng.standard_normal(60), rate=1))
    assert v["eda.scl_mean"] == pytest.approx(3.0, abs=0.05)
    assert v.reason("eda.scr_count_05") is v.reason("eda.eda_activity") is Reason.NOT_SUPPORTED
    assert v["quality.eda"] == 1.0


def test_times_of_rise_and_half_recovery():
    rate, t = 16, np.arange(16 * 120) / 16
    bump = sum(0.5 * np.clip((t - on) / 2, 0, 1) * np.exp(-np.maximum(t - on - 2, 0) / 3) for on in (20.0, 45.0, 75.0))
    first, second = windows(recording(4.0 + bump, rate=rate))
    for v in (first, second):
        assert v["eda.scr_rise_time"] == pytest.approx(2.0, abs=0.4)
        assert v["eda.scr_recovery_time"] == pytest.approx(3 * np.log(2), abs=0.5)
    none = windows(recording(4.0 + 0.001 * np.sin(t), rate=rate))[0]
    assert none.reason("eda.scr_rise_time") is none.reason("eda.scr_recovery_time") is Reason.NONE_FOUND
    assert none["eda.scr_amplitude_sum"] == 0.0


def test_five_seconds_are_too_short():
    rng = np.random.default_rng(0)
    (v,) = windows(recording(3.0 + 0.02 * rng.standard_normal(20)), 5.0, 5.0)
    assert np.isnan(v.values).all()
    assert set(v.reasons) == {Reason.TOO_SHORT}


def test_nan_runs_and_gaps_cost_what_they_cost():
    rng = np.random.default_rng(0)
    x = 3.0 + 0.05 * rng.standard_normal(480).cumsum() / 20
    holed = x.copy()
    holed[260:284] = np.nan
    v = windows(recording(holed))[1]
    assert v["quality.eda"] == pytest.approx(0.9, abs=1e-4)
    assert v.quality_reasons == (Reason.GAP,)
    assert v["eda.eda_median"] == pytest.approx(np.median(np.r_[x[240:260], x[284:480]]), abs=0.02)
    assert v.reason("eda.scl_mean") is Reason.OK
    # Between two segments a minute apart there is nothing.
    between = windows(recording(x, x))
    assert between[2].reason("eda.scl_mean") is Reason.NO_SIGNAL


def test_a_lost_contact_does_not_ring_into_the_minutes_after():
    rng = np.random.default_rng(0)
    x = 3.0 + 0.002 * rng.standard_normal(4 * 240)
    spoilt = x.copy()
    spoilt[460:470] = 0.0
    clean, after = windows(recording(x))[2], windows(recording(spoilt))[2]
    assert after["eda.scl_mean"] == pytest.approx(clean["eda.scl_mean"], abs=0.002)
    assert after["eda.phasic_sd"] < 0.01
    assert after["eda.scr_count_01"] == 0.0


def test_settling_is_said():
    rng = np.random.default_rng(0)
    v = windows(recording(3.0 + 0.01 * rng.standard_normal(4 * 33)), 33.0, 33.0)[0]
    assert v.reason("eda.phasic_sd") is Reason.WARM_UP
    assert v.reason("eda.eda_sd") is Reason.OK


def test_every_minute_of_real_wrists_is_finite_or_says_why(data_dir):
    info = StreamInfo("e4.eda", spec("eda", 4))
    for subject in ("S02", "S03", "S04", "S05"):
        raw = np.loadtxt(data_dir / "stress-predict" / subject / "EDA.csv")
        start, rate, x = round(raw[0] * NS), raw[1], raw[2:, None]
        assert rate == info.spec.hz
        rec = Recording(subject, {info.id: Stream(info, (Segment(x, TimeMap.uniform(start, info.spec.rate)),))})
        found = windows(rec)
        ok = [v.reason("eda.scl_mean") is Reason.OK for v in found]
        assert np.mean(ok) > 0.95
        assert all(np.isfinite(v["eda.scl_mean"]) == good for v, good in zip(found, ok, strict=True))
        level = np.median([v["eda.scl_mean"] for v in found])
        assert level == pytest.approx(np.median(x), rel=0.1)
        reasons = {str(r) for v in found for n, r in zip(NAMES, v.reasons, strict=True) if n not in LONG}
        assert reasons <= {"ok", "none_found", "off_skin", "warm_up", "artefact"}
