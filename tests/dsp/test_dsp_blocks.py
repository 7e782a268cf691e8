"""Blocks, runs and cells: whatever the cut, the same bits; and nearly the filter of the whole record."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfiltfilt

from cardiac_cases import T0, one_stream, recording
from feltsense.core.chunk import Chunk
from feltsense.dsp.blocks import BlockFilter, Tail, samples, zero_phase
from feltsense.dsp.cells import Cells
from feltsense.dsp.filters import ecg_clean
from feltsense.dsp.runs import RunSplitter
from feltsense.testing import rechunk, with_gap, with_values

SOS = butter(2, 0.5, "highpass", fs=50, output="sos")


def run(x, sizes, block=20, before=60, after=15, operation=None):
    f = BlockFilter(operation or partial(zero_phase, SOS), block, before, after)
    out, a, k = [], 0, 0
    while a < len(x):
        n = sizes[k % len(sizes)]
        out += f.push(x[a : a + n])
        assert f.done >= min(a + n, len(x)) - f.lag
        a, k = a + n, k + 1
    return out + f.flush()


@settings(max_examples=60)
@given(n=st.integers(0, 300), sizes=st.lists(st.integers(1, 120), min_size=1, max_size=5), after=st.integers(0, 50))
def test_block_filter_gives_the_same_bits_in_every_cut(n, sizes, after):
    x = np.random.default_rng(n).normal(size=n).cumsum()
    one, other = (run(x, s, after=after) for s in ([max(n, 1)], sizes))
    assert [b.start for b in one] == [b.start for b in other] == list(range(0, n, 20))
    assert all(np.array_equal(a.values, b.values) for a, b in zip(one, other, strict=True))


def test_blocks_with_context_equal_the_filter_of_the_whole_record():
    rng = np.random.default_rng(0)
    x = rng.normal(size=6000) + 50.0
    y = np.concatenate([b.values for b in run(x, [77], block=100, before=300, after=200)])
    assert np.abs(y - sosfiltfilt(SOS, x)).max() < 0.05 * y.std()


def test_cleaning_equals_the_reference_on_a_whole_record():
    nk = pytest.importorskip("neurokit2")
    x = np.random.default_rng(1).normal(size=5000).cumsum() / 50
    for rate in (64, 130, 250, 360):
        ours, theirs = ecg_clean(rate)(x), np.asarray(nk.ecg_clean(x, sampling_rate=rate))
        inner = slice(rate, -rate)
        assert np.allclose(ours[inner], theirs[inner], rtol=0, atol=1e-9 * np.abs(theirs).max())


@pytest.mark.parametrize("shape", [(13,), (500,), (500, 3)])
def test_zero_phase_is_that_of_scipy(shape):
    x = np.random.default_rng(4).normal(size=shape).cumsum(axis=0)
    for sos in (
        SOS,
        butter(5, 0.5, "highpass", fs=50, output="sos")[:2],
        butter(2, (0.5, 5), "bandpass", fs=50, output="sos"),
    ):
        if len(x) > 3 * (2 * len(sos) + 1):
            assert np.array_equal(zero_phase(sos, x), sosfiltfilt(sos, x, axis=0))


def test_a_span_of_any_length_can_be_filtered():
    for n in range(12):
        assert zero_phase(SOS, np.ones(n)).shape == (n,)


def test_several_columns_in_and_out():
    x = np.random.default_rng(2).normal(size=(90, 3))
    f = BlockFilter(partial(zero_phase, SOS), 20, 20, 20, columns=3)
    values = np.concatenate([b.values for b in f.push(x) + f.flush()])
    assert values.shape == (90, 3)


def test_impossible_grids_are_refused():
    with pytest.raises(ValueError, match="at least one sample"):
        BlockFilter(partial(zero_phase, SOS), 0, 1, 1)


@settings(max_examples=60)
@given(steps=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 900)), max_size=20))
def test_tail_is_an_array_that_forgets_its_beginning(steps):
    tail, truth, gone = Tail(0, np.int64), np.empty(0, np.int64), 0
    for n, drop in steps:
        rows = np.arange(len(truth), len(truth) + n)
        tail.append(rows)
        truth = np.concatenate([truth, rows])
        gone = max(gone, min(drop, len(truth)))
        tail.drop(drop)
        assert (tail.start, tail.stop, len(tail)) == (gone, len(truth), len(truth) - gone)
        assert np.array_equal(tail.rows, truth[gone:])
        assert np.array_equal(tail.between(drop - 5, drop + 5), truth[max(drop - 5, gone) : max(drop + 5, gone)])


def test_samples_covers_the_seconds():
    assert [samples(s, 130.0) for s in (2.0, 0.001, 0.1)] == [260, 1, 13]


def pieces(rec, **cut):
    split, runs = RunSplitter(), {}
    for chunk in rechunk(rec, **cut):
        assert isinstance(chunk, Chunk)
        for piece in split.push(chunk):
            runs.setdefault(piece.run, []).append(piece)
    return {k: tuple(np.concatenate([p[i] for p in v]) for i in (1, 2, 3)) for k, v in runs.items()}


@settings(max_examples=30)
@given(seed=st.integers(0, 1000))
def test_runs_end_at_gaps_and_at_nan_wherever_chunks_were_cut(seed):
    x = np.arange(400.0)
    rec = with_gap(recording(one_stream("ppg", x, 50)), "dev.ppg", 2.0, 3.0)
    rec = with_values(rec, "dev.ppg", 5.0, 5.5, float("nan"))
    runs = pieces(rec, seed=seed)
    assert [(v[0][0, 0], v[0][-1, 0]) for v in runs.values()] == [(0, 99), (150, 249), (275, 399)]
    for values, t, device in runs.values():
        assert np.array_equal(t, T0 + (values[:, 0] * 1e9 / 50).astype(np.int64))
        assert np.array_equal(t, device)


@settings(max_examples=30)
@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=4))
def test_cells_lie_on_the_grid_of_the_run(sizes):
    x, t = np.arange(200.0), np.arange(200) * 10
    cells = Cells(lambda v: np.array([v[0], v[-1]]), 20, 10, 2)
    a = k = 0
    while a < 200:
        n = sizes[k % len(sizes)]
        cells.push(x[a : a + n], t[a : a + n])
        a, k = a + n, k + 1
    assert np.array_equal(cells.within(95, 700)[:, 0], np.arange(10, 60, 10))
    cells.forget(300)
    assert cells.within(0, 2000)[0, 0] == 30


@pytest.mark.parametrize("rate", [130, 360])
def test_qrs_filter_is_the_whole_records_filter_under_any_cut(rate):
    from feltsense.dsp.qrs_filter import QrsFilter

    rng = np.random.default_rng(0)
    x = 300.0 + np.cumsum(rng.standard_normal(20 * rate)) / rate + (np.arange(20 * rate) % rate == 0)
    block, after = samples(2.0, rate), samples(1.5, rate)
    whole = QrsFilter(rate, block, after)
    rows = np.concatenate([b.values for b in whole.push(x) + whole.flush()])
    for cuts in (np.arange(1, len(x)), np.sort(rng.integers(1, len(x), 9))):
        f = QrsFilter(rate, block, after)
        cut = [b.values for part in np.split(x, cuts) for b in f.push(part)] + [b.values for b in f.flush()]
        assert np.array_equal(np.concatenate(cut), rows)
    inner = slice(6 * rate, 14 * rate)
    theirs = ecg_clean(rate)(x)
    assert np.ptp((rows[:, 0] - theirs)[inner]) < 0.05 * np.ptp(theirs[inner])
    assert not QrsFilter(rate, block, after).flush()
