"""The engine neurokit: same schema, same reasons, values within the table that the docs print; traps handled."""

import sys

import numpy as np
import pytest

from cardiac_cases import beat_times, e4_eda, mitdb, one_stream, recording, synthetic_ecg
from feltsense.bundle import load
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.vector import Reason
from feltsense.datasets.synthetic import participant
from feltsense.dsp.intervals import time_domain
from feltsense.errors import MissingExtraError, UnknownNameError
from feltsense.features import extractor, modalities, neurokit
from feltsense.features._neurokit_windows import EXTRACTORS
from feltsense.features._parity import PARITY, SAME
from feltsense.session import Pipeline, extract, predict
from feltsense.testing import check_extractor


def both(rec, modality, window, hop):
    """Windows of both engines as arrays by name, and the reasons."""
    out = []
    for engine in ("stream", "neurokit"):
        vectors = [v for _, v in extract(rec, window=window, hop=hop, modalities=[modality], engine=engine)]
        names = vectors[0].schema.names
        out.append(({n: np.array([v[n] for v in vectors]) for n in names}, [v.reasons for v in vectors], vectors))
    return out


def hold(rec, modality, window, hop, only=None):
    """Hold both engines to the table; number of windows compared per feature."""
    (ours, our_reasons, a), (theirs, their_reasons, b) = both(rec, modality, window, hop)
    assert a[0].schema == b[0].schema
    for x, y in zip(a, b, strict=True):
        assert np.array_equal(x.quality, y.quality)
        assert x.quality_reasons == y.quality_reasons
    for x, y in zip(our_reasons, their_reasons, strict=True):
        # What one engine does not give, the other does not either; only whether there was a response may differ.
        odd = {(p, q) for p, q in zip(x, y, strict=True) if p is not q}
        assert odd <= {(Reason.OK, Reason.NONE_FOUND), (Reason.NONE_FOUND, Reason.OK)}
    compared = {}
    for name in ours:
        if name in SAME:
            assert np.array_equal(ours[name], theirs[name], equal_nan=True)
            continue
        if only is not None and name not in only:
            continue
        good = np.isfinite(ours[name]) & np.isfinite(theirs[name])
        compared[name] = int(good.sum())
        if not compared[name]:
            continue
        row = PARITY[name]
        x, y = ours[name][good], theirs[name][good]
        within = np.abs(x - y) <= row.absolute + row.relative * np.abs(x)
        assert within.mean() >= 0.95, f"{name}: {np.abs(x - y)} of {x}"
        assert np.isfinite(theirs[name]).sum() >= 0.95 * np.isfinite(ours[name]).sum(), name
    return compared


def tachogram(seconds):
    """Beats with a wave of 450 ms² at 0.09 Hz and one of 200 ms² at 0.25 Hz."""
    rng, t = np.random.default_rng(0), [0.6]
    while t[-1] < seconds:
        s = t[-1]
        swing = 0.03 * np.sin(2 * np.pi * 0.09 * s) + 0.02 * np.sin(2 * np.pi * 0.25 * s)
        t.append(s + 0.8 + swing + 0.004 * rng.normal())
    return np.array(t[:-1])


def test_the_table_names_every_feature_of_both_modalities_once():
    names = {f"{m}.{s.name}" for m in EXTRACTORS for s in extractor(m).specs}
    known = set(PARITY) | set(SAME)
    assert known <= names, known - names
    assert names <= known, names - known
    assert "neurokit" not in modalities()


@pytest.mark.parametrize(("window", "hop"), [(60, 30), (300, 150)])
def test_ecg_of_a_known_rhythm(window, hop):
    rec = recording(one_stream("ecg", synthetic_ecg(tachogram(480), 480, 130), 130))
    compared = hold(rec, "ecg", window, hop)
    needed = {n for n in PARITY if n.startswith("ecg.")} - (
        {"ecg.lf", "ecg.lf_hf", "ecg.lf_nu", "ecg.hf_nu", "ecg.sampen", "ecg.dfa_alpha1"} if window == 60 else set()
    )
    assert all(compared[n] for n in needed), compared


@pytest.mark.parametrize(("name", "rate"), [("100", 130), ("105", 250)])
def test_ecg_of_real_records(data_dir, name, rate):
    x, _ = mitdb(data_dir, name, rate)
    slow = {"ecg.lf", "ecg.hf", "ecg.lf_hf", "ecg.lf_nu", "ecg.hf_nu", "ecg.hf_ln"}  # beats are left out of these records
    only = {n for n in PARITY if n.startswith("ecg.")} - slow
    compared = hold(recording(one_stream("ecg", x[: 1200 * rate], rate)), "ecg", 60.0, 60.0, only)
    assert compared["ecg.rmssd"] >= 18


@pytest.mark.parametrize("subject", ["S05", "S10", "S20"])
def test_eda_of_real_records(data_dir, subject):
    rec = e4_eda(data_dir, subject)
    compared = hold(rec, "eda", 60.0, 60.0)
    assert all(compared[n] >= 30 for n in compared), compared


def test_eda_at_a_faster_rate():
    rec = participant(3, protocol=[("rest", 150), ("stress", 150)])
    eda = next(s for k, s in rec.streams.items() if s.info.spec.name == "eda")
    slow = {n for n in PARITY if n.startswith("eda.") and "scr" not in n}
    assert hold(recording(eda), "eda", 60.0, 30.0, slow)["eda.scl_mean"] >= 8


def test_given_the_same_beats_the_time_domain_is_equal():
    rng = np.random.default_rng(1)
    interval = 800 + 40 * rng.standard_normal(400)
    interval[[0, 150]] = np.nan
    valid = ~np.isnan(interval)
    valid[[40, 41, 200, 301]] = False
    ours = time_domain(interval, valid)
    steps = np.where(np.isnan(interval), 5.0, interval / 1e3)
    at_s = np.cumsum(steps)
    theirs = neurokit.time_domain(interval[valid], at_s[valid])
    theirs |= dict(zip(("sd1", "sd2"), neurokit.poincare(interval[valid], at_s[valid]), strict=True))
    for name, value in theirs.items():
        mine = 60e3 / ours.mean_nn if name == "hr" else getattr(ours, name)
        assert value == pytest.approx(mine, rel=1e-9), name


@pytest.mark.parametrize(("modality", "window"), [("ecg", 20.0), ("eda", 50.0)])
def test_keeps_the_contract(modality, window):
    if modality == "ecg":
        rec = recording(one_stream("ecg", synthetic_ecg(beat_times(70), 70, 130), 130))
    else:
        rec = participant(2, protocol=[("stress", 110)])
        rec = Recording("p", {"board.eda": rec.streams["board.eda"]})
    check_extractor(EXTRACTORS[modality], rec, window=window, hop=25.0)


def flat(n):
    return np.ones(n)


def ramp(n):
    return np.linspace(1.0, 3.0, n)


def noise(n):
    return np.random.default_rng(0).standard_normal(n)


@pytest.mark.parametrize("make", [flat, ramp, noise, np.zeros, lambda n: -ramp(n), lambda n: np.full(n, np.nan)])
@pytest.mark.parametrize(("modality", "rate"), [("ecg", 130), ("eda", 4), ("eda", 1), ("eda", 8)])
@pytest.mark.parametrize("seconds", [5, 70])
def test_nothing_raises_and_nothing_is_made_up(make, modality, rate, seconds):
    rec = recording(one_stream(modality, make(seconds * rate), rate))
    for window in (5.0, 60.0):
        a, b = (
            list(extract(rec, window=window, hop=window, modalities=[modality], engine=e)) for e in ("stream", "neurokit")
        )
        for (_, x), (_, y) in zip(a, b, strict=True):
            assert not (np.isnan(x.values) & np.isfinite(y.values)).any()


def test_no_interval_is_formed_across_a_gap():
    times = beat_times(130)
    x = synthetic_ecg(times, 130, 130)
    info = one_stream("ecg", x, 130)
    a, b = info.segments[0], one_stream("ecg", x[75 * 130 :], 130, info.start_ns + 75 * 10**9).segments[0]
    cut = Stream(info.info, (Segment(a.values[: 60 * 130], a.time), Segment(b.values, b.time, None, 1)))
    (_, v), *_ = extract(recording(cut), window=130.0, hop=130.0, modalities=["ecg"], engine="neurokit")
    assert v["ecg.max_nn"] < 1200.0
    assert v["ecg.rmssd"] == pytest.approx(
        next(extract(recording(cut), window=130.0, hop=130.0, modalities=["ecg"]))[1]["ecg.rmssd"], abs=0.2
    )


def test_a_session_takes_the_engine():
    rec = participant(4, protocol=[("rest", 75)])
    bundle = load(runner="numpy")
    a, b = (list(predict(rec, bundle, hop=15.0, engine=e)) for e in ("stream", "neurokit"))
    assert [(p.start_ns, p.stop_ns) for p in a] == [(p.start_ns, p.stop_ns) for p in b]
    assert all(set(p.probabilities) == {"rest", "stress"} for p in b)


def test_an_unknown_engine_and_a_missing_library_say_so(monkeypatch):
    rec = recording(one_stream("eda", ramp(400), 4))
    with pytest.raises(UnknownNameError, match="neurokit, stream"):
        Pipeline(rec.infos(), window=60, hop=60, engine="matlab")
    monkeypatch.setitem(sys.modules, "neurokit2", None)
    with pytest.raises(MissingExtraError, match=r"feltsense\[physio\]"):
        Pipeline(rec.infos(), window=60, hop=60, engine="neurokit")
