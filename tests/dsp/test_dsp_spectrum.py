"""LF and HF on a tachogram with known power; entropy and DFA against NeuroKit2."""

import numpy as np
import pytest

from feltsense.dsp.spectrum import band_powers, dfa_short, sample_entropy

LF, HF = 450.0, 200.0


def tachogram(seconds, low_hz=0.1, high_hz=0.25):
    """Beats whose intervals swing with 450 ms² at 0.1 Hz and 200 ms² at 0.25 Hz around 850 ms."""
    t, out = 0.0, []
    while t < seconds:
        swing = np.sqrt(2 * LF) * np.sin(2 * np.pi * low_hz * t) + np.sqrt(2 * HF) * np.sin(2 * np.pi * high_hz * t)
        # The interval that ends at a beat is the tachogram's value there.
        t += (850.0 + swing) / 1000
        swing = np.sqrt(2 * LF) * np.sin(2 * np.pi * low_hz * t) + np.sqrt(2 * HF) * np.sin(2 * np.pi * high_hz * t)
        out.append((t, 850.0 + swing))
    return np.array(out[:-1]).T


@pytest.mark.parametrize("seconds", [120, 300])
def test_known_powers(seconds):
    low, high = band_powers(*tachogram(seconds))
    assert low == pytest.approx(LF, rel=0.02)
    assert high == pytest.approx(HF, rel=0.02)


def test_left_out_intervals_change_little():
    at, nn = tachogram(300)
    keep = np.ones(len(nn), bool)
    keep[[40, 41, 160, 161, 250]] = False
    low, high = band_powers(at[keep], nn[keep])
    assert low == pytest.approx(LF, rel=0.05)
    assert high == pytest.approx(HF, rel=0.10)


@pytest.mark.parametrize("seed", range(3))
def test_entropy_and_scaling_equal_neurokit(seed):
    import neurokit2 as nk

    rng = np.random.default_rng(seed)
    nn = 850 + np.cumsum(rng.normal(size=300)) * 3 + 20 * rng.normal(size=300)
    assert dfa_short(nn) == pytest.approx(nk.fractal_dfa(nn, scale=np.arange(4, 12))[0], rel=1e-9)
    theirs = nk.entropy_sample(nn, dimension=2, tolerance=0.2 * nn.std(ddof=1))[0]
    # Of the same patterns NeuroKit2 may count one template more or less.
    assert sample_entropy(nn) == pytest.approx(theirs, rel=0.02)


def test_what_has_no_meaning_is_nan():
    for nn in (np.empty(0), np.full(3, 800.0), np.full(300, 800.0)):
        assert np.isnan(sample_entropy(nn))
        assert np.isnan(dfa_short(nn))
    assert np.isnan(band_powers(np.arange(3.0), np.full(3, 800.0))).all()
