"""Time-domain variability: NeuroKit2's numbers on the same peaks, and nothing formed where something is missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiac_cases import beat_times
from feltsense.dsp.intervals import IntervalRule, near_median, quantile, quantile_rows, successive, time_domain
from feltsense.features.ecg import poincare

NAMES = {
    "mean_nn": "MeanNN", "median_nn": "MedianNN", "min_nn": "MinNN", "max_nn": "MaxNN", "sdnn": "SDNN", "rmssd": "RMSSD",
    "sdsd": "SDSD", "pnn50": "pNN50", "pnn20": "pNN20", "cvnn": "CVNN", "cvsd": "CVSD", "mad_nn": "MadNN", "iqr_nn": "IQRNN",
}  # fmt: skip


@pytest.mark.parametrize("rate", [130, 250, 360])
@pytest.mark.parametrize("seed", range(4))
def test_equal_to_the_reference_on_the_same_peaks(rate, seed):
    nk = pytest.importorskip("neurokit2")
    peaks = np.round(beat_times(90, seed=seed, spread=0.05) * rate).astype(int)
    theirs = nk.hrv_time({"ECG_R_Peaks": peaks}, sampling_rate=rate)
    interval = np.diff(peaks) / rate * 1000
    ours = time_domain(interval, np.ones(len(interval), bool))
    for mine, its in NAMES.items():
        assert getattr(ours, mine) == pytest.approx(float(theirs[f"HRV_{its}"].iloc[0]), rel=1e-9), mine


def test_poincare_equals_the_reference():
    nk = pytest.importorskip("neurokit2")
    peaks = np.round(beat_times(200, seed=1) * 250).astype(int)
    interval = np.diff(peaks) * 4.0
    theirs = nk.hrv_nonlinear({"ECG_R_Peaks": peaks}, sampling_rate=250)
    ours = time_domain(interval, np.ones(len(interval), bool))
    assert ours.sd1 == pytest.approx(float(theirs["HRV_SD1"].iloc[0]), rel=1e-9)
    assert ours.sd2 == pytest.approx(float(theirs["HRV_SD2"].iloc[0]), rel=1e-9)
    follows = poincare(ours.sd1, ours.sd2)
    for mine, its in (("sd1_sd2", "SD1SD2"), ("csi", "CSI"), ("cvi", "CVI")):
        assert follows[mine] == pytest.approx(float(theirs[f"HRV_{its}"].iloc[0]), rel=1e-9), mine


def test_differences_are_formed_between_neighbours_only():
    interval = np.array([np.nan, 800.0, 810.0, 1600.0, 790.0, 805.0, np.nan, 900.0, 930.0])
    valid = np.array([False, True, True, False, True, True, False, True, True])
    assert successive(interval, valid).tolist() == [10.0, 15.0, 30.0]
    result = time_domain(interval, valid)
    assert (result.n, result.differences) == (6, 3)
    assert result.rmssd == pytest.approx(np.sqrt((100 + 225 + 900) / 3))
    assert result.pnn20 == pytest.approx(100 / 4)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(300, 2000), st.booleans()), max_size=30))
def test_never_raises_and_never_invents(rows):
    interval = np.array([r[0] for r in rows])
    valid = np.array([r[1] for r in rows], dtype=bool)
    result = time_domain(interval, valid)
    assert result.n == valid.sum()
    assert np.isfinite(result.mean_nn) == (result.n > 0)
    assert np.isfinite(result.sdnn) == (result.n > 1)
    assert np.isfinite(result.rmssd) == (result.differences > 0)


def test_an_interval_far_from_its_neighbours_is_not_valid():
    rule = IntervalRule(300.0, 2000.0, 0.25)
    around = np.array([800.0, 810, 790, 805, 795, 500, 1100])
    assert near_median(around, around, rule).tolist() == [True] * 5 + [False] * 2
    assert not near_median(np.array([np.nan]), around, rule)[0]
    assert not near_median(around, around[:4], rule).any()


@pytest.mark.parametrize("n", [1, 2, 3, 12, 91])
@pytest.mark.parametrize("q", [0.25, 0.5, 0.75, 1.0])
def test_a_quantile_of_rows_has_the_bits_of_one_row_and_is_that_of_numpy(n, q):
    rows = np.sort(np.random.default_rng(n).normal(800.0, 50.0, (20, n)), axis=1)
    found = quantile_rows(rows, q)
    assert found.tolist() == [quantile(row, q) for row in rows]
    np.testing.assert_allclose(found, np.quantile(rows, q, axis=1), rtol=1e-14)
