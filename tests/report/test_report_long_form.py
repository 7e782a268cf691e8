"""Long-form analysis: the library's own numbers, minimums kept, degenerate input answered with reasons."""

import numpy as np
import pytest

from cardiac_cases import beat_times, e4_eda, one_stream, recording, synthetic_ecg
from feltsense.core.vector import Reason
from feltsense.features import neurokit
from feltsense.report.long_form import long_form
from feltsense.session import extract


def by_name(analysis):
    return {i.name: i for i in analysis.indices}


@pytest.fixture(scope="module")
def ecg():
    return recording(one_stream("ecg", synthetic_ecg(beat_times(330), 330, 130), 130))


def test_the_indices_of_a_known_rhythm(ecg):
    found = long_form(ecg)
    assert found.library.startswith("NeuroKit2 ")
    assert [a.method for a in found.analyses] == list(neurokit.HRV_FUNCTIONS)
    time, frequency, nonlinear = map(by_name, found.analyses)
    ((_, stream),) = list(extract(ecg, window=330.0, hop=330.0, modalities=["ecg"]))
    for name, ours in (("SDNN", "sdnn"), ("RMSSD", "rmssd"), ("MeanNN", "mean_nn")):
        assert time[name].value == pytest.approx(stream[f"ecg.{ours}"], rel=0.002)
        assert time[name].unit == "ms"
    assert frequency["HF"].value == pytest.approx(stream["ecg.hf"], rel=0.2)
    assert (frequency["HF"].unit, nonlinear["SD1SD2"].unit, time["pNN50"].unit) == ("ms²", "1", "%")
    assert nonlinear["SampEn"].value == pytest.approx(stream["ecg.sampen"], rel=0.05)
    assert len(beat_times(330)) - 5 < found.analyses[0].beats < len(beat_times(330))
    assert found.analyses[0].left_out < 0.01


def test_minimums_are_kept(ecg):
    found = long_form(ecg, stop_ns=ecg.start_ns + 70 * 10**9)
    time, frequency, nonlinear = map(by_name, found.analyses)
    assert frequency["HF"].reason is Reason.OK
    assert frequency["LF"].reason is frequency["LFHF"].reason is Reason.TOO_SHORT
    assert nonlinear["SampEn"].reason is Reason.TOO_FEW_BEATS
    assert nonlinear["DFA_alpha1"].reason is Reason.TOO_SHORT
    assert time["TINN"].reason is Reason.NOT_SUPPORTED
    for analysis in found.analyses:
        assert all(np.isfinite(i.value) == (i.reason is Reason.OK) for i in analysis.indices)


def test_eda_by_every_method(data_dir):
    found = long_form(e4_eda(data_dir, "S20"), stop_ns=None)
    tables = {a.method: by_name(a) for a in found.analyses}
    assert tuple(tables) == neurokit.EDA_METHODS
    for method in ("highpass", "smoothmedian", "sparse"):
        assert all(i.reason is Reason.OK for i in tables[method].values())
        assert tables[method]["tonic_mean"].value == pytest.approx(1.15, abs=0.05)
        assert tables[method]["scr_count_01"].value >= tables[method]["scr_count_05"].value > 100
    if not neurokit.can_separate("cvxeda"):
        assert {i.reason for i in tables["cvxeda"].values()} == {Reason.NOT_SUPPORTED}


@pytest.mark.parametrize("make", [np.ones, np.zeros, lambda n: np.full(n, np.nan), lambda n: -np.ones(n)])
@pytest.mark.parametrize(("kind", "rate"), [("ecg", 130), ("eda", 4)])
def test_degenerate_signals_have_reasons(make, kind, rate):
    found = long_form(recording(one_stream(kind, make(70 * rate), rate)))
    assert found.analyses
    for analysis in found.analyses:
        assert all(np.isnan(i.value) and i.reason is not Reason.OK for i in analysis.indices if "tonic" not in i.name)


def test_nothing_to_analyse_and_an_empty_interval():
    rec = recording(one_stream("skin_temperature", np.full(100, 33.0), 4))
    assert long_form(rec).analyses == ()
    with pytest.raises(ValueError, match="must end after it begins"):
        long_form(rec, stop_ns=rec.start_ns)
