"""The causal detector: against annotations, within its stated latency, the same under any cut."""

import numpy as np
import pytest

from cardiac_cases import beat_times, matched, mitdb, synthetic_ecg
from feltsense.dsp.causal import LATENCY_S, CausalQrs

LEARNED = 3.0


def play(x, rate, size):
    """R peaks, and the moments at which they were told; s."""
    detector = CausalQrs(rate)
    found, told = [], []
    for a in range(0, len(x), size):
        new = detector.push(x[a : a + size])
        found += new
        told += [a + size] * len(new)
    return np.array(found) / rate, np.array(told) / rate


@pytest.mark.parametrize("rate", [130, 250, 360])
@pytest.mark.parametrize("sign", [1, -1])
def test_beats_are_told_within_the_stated_latency(rate, sign):
    truth = beat_times(60, seed=1)
    found, told = play(sign * synthetic_ecg(truth, 60, rate) + 3.0, rate, 1)
    found, told = found[found > LEARNED], told[found > LEARNED]
    truth = truth[truth > LEARNED]
    truth = truth[: len(found)]
    assert np.abs(found - truth).max() < 0.02
    assert (told - truth).max() <= LATENCY_S
    assert (told > truth).all()


@pytest.mark.parametrize(("name", "least"), [("100", 0.998), ("105", 0.95)])
def test_annotated_records(data_dir, name, least):
    rate = 130
    x, truth = mitdb(data_dir, name, rate)
    found, told = play(x, rate, 13)
    inner = truth[(truth > 10) & (truth < truth[-1] - 10)]
    ours = (found > 10) & (found < truth[-1] - 10)
    assert matched(found, inner, 0.05) >= least
    assert matched(truth, found[ours], 0.05) >= least
    near = np.clip(np.searchsorted(truth, found[ours]), 1, len(truth) - 1)
    beat = np.where(np.abs(truth[near] - found[ours]) < np.abs(truth[near - 1] - found[ours]), truth[near], truth[near - 1])
    # A chunk of 0.1 s adds its own length.
    assert np.quantile(told[ours] - beat, 0.99) <= LATENCY_S + 0.1


def test_any_cut_gives_the_same_beats_at_the_same_samples():
    x = synthetic_ecg(beat_times(40), 40, 130)
    whole = play(x, 130, len(x))[0]
    for size in (1, 7, 130):
        assert np.array_equal(play(x, 130, size)[0], whole)


def test_a_lead_that_lost_its_size_is_heard_again():
    truth = beat_times(60)
    x = synthetic_ecg(truth, 60, 130)
    x[30 * 130 :] *= 0.2
    found, _ = play(x, 130, 13)
    assert matched(found, truth[(truth > 36) & (truth < 59)], 0.05) == 1.0


def test_too_slow_an_ecg_is_refused():
    with pytest.raises(ValueError, match="60 Hz"):
        CausalQrs(50)
