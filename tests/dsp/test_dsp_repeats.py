"""Windows that move on over one series have the entropy and the exponent of each window by itself, to the last bit."""

import numpy as np
import pytest

from feltsense.dsp.complexity import dfa_short, radius_of, sample_entropy
from feltsense.dsp.repeats import Fluctuations, Repeats
from feltsense.dsp.strip import Strip


def series(n, step=0.0):
    rng = np.random.default_rng(4)
    calm = 1.0 + 0.8 * np.sin(np.arange(n) / 150.0)  # the radius grows and shrinks
    nn = 850 + calm * (40 * np.sin(np.arange(n) * 0.9) + 25 * rng.standard_normal(n))
    return np.round(nn / step) * step if step else nn


@pytest.mark.parametrize("hop", [1, 7, 200])
@pytest.mark.parametrize("step", [0.0, 1000.0 / 128.0])
def test_each_window_is_as_if_alone(hop, step):
    nn = series(1500, step)
    strip = Strip(1)
    repeats, fluctuations = Repeats(strip), Fluctuations(strip)
    seen = 0
    for first in range(0, len(nn) - 300, hop):
        stop = first + 280 + first % 3  # windows of a time hold now more, now fewer intervals
        strip.append(nn[None, seen : max(seen, stop)])
        seen = max(seen, stop)
        own = nn[first:stop]
        assert repeats.entropy(first, len(own), radius_of(own)) == sample_entropy(own)
        assert fluctuations.exponent(first, len(own)) == dfa_short(own)
        strip.drop(first)


def test_windows_of_two_lengths_may_take_turns():
    nn = series(700)
    strip = Strip(1)
    strip.append(nn[None])
    repeats, fluctuations = Repeats(strip), Fluctuations(strip)
    for first in range(0, 300, 2):
        for begin, n in ((first, 300), (first + 60, 240), (first + 1, 299)):
            own = nn[begin : begin + n]
            assert repeats.entropy(begin, n, radius_of(own)) == sample_entropy(own)
            assert fluctuations.exponent(begin, n) == dfa_short(own)


def test_what_stands_still_or_is_too_short_has_neither():
    strip = Strip(1)
    strip.append(np.full((1, 300), 800.0))
    strip.append(series(11)[None])
    assert np.isnan(Repeats(strip).entropy(0, 300, 0.0))
    assert np.isnan(Fluctuations(strip).exponent(0, 300))
    assert np.isnan(Fluctuations(strip).exponent(300, 11))


def test_exponent_where_a_part_stands_still():
    nn = np.concatenate((series(200), np.full(60, 850.0), series(60)))
    strip = Strip(1)
    strip.append(nn[None])
    fluctuations = Fluctuations(strip)
    for first in range(0, 60):
        assert fluctuations.exponent(first, 240) == dfa_short(nn[first : first + 240])


def test_a_strip_keeps_what_was_not_dropped():
    rng = np.random.default_rng(0)
    truth, strip = np.empty((3, 0)), Strip(3)
    for _ in range(200):
        new = rng.standard_normal((3, rng.integers(0, 40)))
        truth = np.concatenate((truth, new), axis=1)
        strip.append(new)
        strip.drop(max(strip.stop - 100, 0))
        assert (strip.start, strip.stop) == (max(truth.shape[1] - 100, 0), truth.shape[1])
        assert np.array_equal(strip.between(strip.start, strip.stop), truth[:, strip.start :])
