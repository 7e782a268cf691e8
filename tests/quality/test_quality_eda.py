"""Kleckner's rules: what is marked, how far a mark reaches, and that the cut does not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.chunk import StreamInfo
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.core.vector import Reason
from feltsense.dsp.cells import Cells
from feltsense.quality.eda import REASONS, EdaGate, Skin, smoothness

NEVER_ENDING = 2**62


def verdicts(x, rate=4, sizes=()):
    info = StreamInfo("w.eda", spec("eda", rate))
    time = TimeMap.uniform(NS, info.spec.rate)
    gate, start, broken = EdaGate(info.spec.hz), 0, []
    for size in [*sizes, len(x)]:
        part = x[start : start + size]
        if len(part):
            broken.append(gate.push(part, time.times(start, start + len(part))))
        start += size
    gate.close()
    t, codes = gate.between(np.array([[0, NEVER_ENDING]]))[0]
    assert len(t) == len(x)
    return [REASONS[c] for c in codes], np.concatenate(broken)


def skin(n=400):
    return 3.0 + 0.01 * np.random.default_rng(0).standard_normal(n)


@pytest.mark.parametrize(("value", "reason"), [(0.0, Reason.OFF_SKIN), (70.0, Reason.SATURATED), (9.0, Reason.ARTEFACT)])
def test_a_mark_reaches_five_seconds_either_way(value, reason):
    x = skin()
    x[200] = value
    found, broken = verdicts(x)
    bad = [i for i, r in enumerate(found) if r is not Reason.OK]
    # The sample after a spike comes just as fast.
    assert bad == list(range(180, 222))
    assert found[190] is reason
    assert broken[200]
    assert not broken[:200].any()


def test_a_quarter_second_is_the_slopes_span_at_any_rate():
    rate, x = 64, 2.0 + 0.2 * np.random.default_rng(0).standard_normal(64 * 20)
    found, _ = verdicts(x, rate)
    assert set(found) == {Reason.OK}  # ±0.2 µS of noise would be 26 µS/s from sample to sample


def test_a_standstill_is_marked_when_skin_would_have_moved():
    x = skin()
    x[100:300] = 2.0
    found, broken = verdicts(x)
    after = [i for i, r in enumerate(found) if r is Reason.FLATLINE]
    # From 30 s on nothing has changed; what is within 5 s of that is suspect, too.
    assert after == list(range(100 + 4 * 25, 300 + 4 * 5))
    assert not broken.any()
    x[100:300] = skin(200)
    x[100:215] = 2.0
    assert set(verdicts(x)[0]) == {Reason.OK}


def test_a_missing_sample_blames_nobody_else():
    x = skin()
    x[50:60] = np.nan
    found, broken = verdicts(x)
    assert [i for i, r in enumerate(found) if r is Reason.GAP] == list(range(50, 60))
    assert set(found[:50] + found[60:]) == {Reason.OK}
    assert broken.sum() == 10


def test_zeros_negatives_and_everything_missing():
    assert set(verdicts(np.zeros(50))[0]) == {Reason.OFF_SKIN}
    assert set(verdicts(np.full(50, -3.0))[0]) == {Reason.OFF_SKIN}
    assert set(verdicts(np.full(50, np.nan))[0]) == {Reason.GAP}


@settings(max_examples=60)
@given(st.lists(st.integers(1, 60), max_size=30), st.integers(0, 1000))
def test_any_cut_gives_the_same_verdicts(sizes, seed):
    rng = np.random.default_rng(seed)
    x = skin(300)
    for i in rng.integers(0, 290, 4):
        x[i : i + rng.integers(1, 30)] = rng.choice([0.0, 65.0, 2.0, np.nan, 5.0])
    whole, cut = verdicts(x), verdicts(x, sizes=sizes)
    assert whole[0] == cut[0]
    assert np.array_equal(whole[1], cut[1])


def test_smoothness_of_windows_over_one_stream_is_that_of_each_alone():
    rng = np.random.default_rng(5)
    cells = Cells(lambda x: np.square(x).mean(axis=1, keepdims=True), 3, 2, 1, together=True)
    cells.begin()
    x, t = 0.05 * rng.standard_normal(900), np.arange(900) * 10
    skin = Skin(cells)
    for stop in range(60, 900, 30):
        cells.push(x[stop - 60 if stop == 60 else stop - 30 : stop], t[stop - 60 if stop == 60 else stop - 30 : stop])
        if 300 < stop < 500:  # answered without
            cells.forget(max(stop - 200, 0) * 10)
            continue
        for length in (10, 60, 150):
            a, b = cells.numbers(max(stop - length, 0) * 10, stop * 10)
            assert skin.smoothness(a, b) == smoothness(cells.numbered(a, b)[:, 0])
        cells.forget(max(stop - 200, 0) * 10)
        skin.forget()
