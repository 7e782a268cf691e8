"""LF and HF on a tachogram with known power; entropy and DFA against NeuroKit2."""

import numpy as np
import pytest

from feltsense.dsp.complexity import dfa_short, sample_entropy
from feltsense.dsp.spectrum import HF_HZ, LF_HZ, VLF_HZ, band_powers, band_powers_rows

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
    powers = band_powers(*tachogram(seconds))
    assert powers.lf == pytest.approx(LF, rel=0.02)
    assert powers.hf == pytest.approx(HF, rel=0.02)
    assert powers.vlf < 0.01 * LF


@pytest.mark.parametrize("n", [8, 9, 40, 400])
def test_power_is_that_of_scipys_spline_and_periodogram(n):
    from scipy.interpolate import make_interp_spline
    from scipy.signal import periodogram

    rng = np.random.default_rng(n)
    nn = 800 + 60 * rng.standard_normal(n)
    at = np.cumsum(nn) / 1e3
    x = make_interp_spline(at, nn, k=3)(np.arange(at[0], at[-1], 0.25))
    hz, density = periodogram(x, 4.0, window="hann", detrend="constant")
    powers = band_powers(at, nn)
    for got, (a, b) in ((powers.vlf, VLF_HZ), (powers.lf, LF_HZ), (powers.hf, HF_HZ)):
        assert got == pytest.approx(density[(hz >= a) & (hz < b)].sum() * hz[1], rel=1e-9)


def test_left_out_intervals_change_little():
    at, nn = tachogram(300)
    keep = np.ones(len(nn), bool)
    keep[[40, 41, 160, 161, 250]] = False
    powers = band_powers(at[keep], nn[keep])
    assert powers.lf == pytest.approx(LF, rel=0.05)
    assert powers.hf == pytest.approx(HF, rel=0.10)


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
    assert np.isnan(band_powers(np.arange(3.0), np.full(3, 800.0)).total)


@pytest.mark.parametrize("step", [0.0, 1000.0 / 1024.0, 10.0])
def test_sample_entropy_counts_every_pair_of_patterns_once(step):
    rng = np.random.default_rng(1)
    nn = 800 + 30 * np.sin(np.arange(260) * 0.9) + 20 * rng.standard_normal(260)
    nn = np.round(nn / step) * step if step else nn  # quantised intervals lie exactly on the radius
    radius = 0.2 * nn.std(ddof=1)
    near = np.abs(nn[:, None] - nn[None, :]) <= radius
    short = np.triu(near[:-2, :-2] & near[1:-1, 1:-1], 1)
    assert sample_entropy(nn) == -np.log((short & near[2:, 2:]).sum() / short.sum())


def test_one_series_and_many_have_the_same_bits():
    rng = np.random.default_rng(2)
    nn = 850 + 40 * np.sin(np.arange(80 * 40).reshape(40, 80) * 1.3) + 25 * rng.standard_normal((40, 80))
    at = np.cumsum(nn, axis=1) / 1e3
    rows = band_powers_rows([(at, nn)])
    alone = [band_powers(a, b) for a, b in zip(at, nn, strict=True)]
    assert np.array_equal(rows, [(p.vlf, p.lf, p.hf, p.breath_hz) for p in alone], equal_nan=True)
    assert np.isfinite(rows[:, 3]).any()
