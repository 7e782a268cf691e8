"""Responses of known onset and height are found as they are, whatever the rate and the cut."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfiltfilt

from feltsense.dsp.eda import ScrDetector, conductance_filter, slow_filter
from feltsense.dsp.eda_spectrum import Sympathetic

RISE_S, DECAY_S = 0.75, 3.0
PEAK_S = np.log(DECAY_S / RISE_S) * RISE_S * DECAY_S / (DECAY_S - RISE_S)


def bateman(t, onset, height):
    dt = np.maximum(t - onset, 0.0)
    top = np.exp(-PEAK_S / DECAY_S) - np.exp(-PEAK_S / RISE_S)
    return height / top * (np.exp(-dt / DECAY_S) - np.exp(-dt / RISE_S))


def skin(rate, seconds, responses, level=4.0, noise=0.0, seed=0):
    t = np.arange(int(seconds * rate)) / rate
    x = np.full(len(t), level) + noise * np.random.default_rng(seed).standard_normal(len(t))
    return x + sum((bateman(t, on, size) for on, size in responses), np.zeros(len(t)))


def detect(x, rate, sizes=None):
    """Everything that a stream gives: conductance, slow rows, responses; pushed in pieces of `sizes` samples."""
    level, slow, scr = conductance_filter(rate), slow_filter(rate), ScrDetector(rate)
    found, levels, slows = [], [], []
    cuts = np.cumsum(sizes) if sizes is not None else []
    for part in np.split(x, [c for c in cuts if c < len(x)]):
        levels += level.push(part)
        blocks = slow.push(part)
        slows += blocks
        found += [s for b in blocks for s in scr.push(b)]
    levels += level.flush()
    rest = slow.flush()
    slows += rest
    found += [s for b in rest for s in scr.push(b)] + scr.flush()
    return np.concatenate([b.values for b in levels]), np.concatenate([b.values for b in slows]), found


@pytest.mark.parametrize("rate", [4, 8, 32, 64])
@pytest.mark.parametrize("height", [0.02, 0.06, 0.3, 1.5])
def test_onset_and_height_of_responses_that_stand_alone(rate, height):
    truth = [(20.0, height), (45.3, 2 * height), (80.9, height)]
    _, _, found = detect(skin(rate, 120, truth), rate)
    assert len(found) == 3
    for scr, (onset, size) in zip(found, truth, strict=True):
        assert scr.amplitude == pytest.approx(size, rel=0.08)
        # The 1 Hz low-pass smears the corner of the onset over a quarter of a second.
        assert scr.onset / rate == pytest.approx(onset, abs=0.5)
        assert scr.summit / rate == pytest.approx(onset + PEAK_S, abs=0.4)


def test_small_responses_are_below_the_absolute_threshold_whatever_else_is_there():
    _, _, alone = detect(skin(4, 60, [(20.0, 0.006)]), 4)
    _, _, beside = detect(skin(4, 60, [(20.0, 0.03), (40.0, 5.0)]), 4)
    assert alone == []
    assert len(beside) == 2  # NeuroKit2's relative threshold would drop the small one


def test_noise_of_a_wrist_device_is_no_response():
    x = skin(4, 600, [], noise=0.0015, seed=3)
    _, _, found = detect(np.rint(x / 0.001) * 0.001, 4)
    assert len(found) == 0


def test_a_second_response_on_the_slope_of_the_first_counts_from_its_own_trough():
    _, _, found = detect(skin(8, 60, [(20.0, 1.0), (24.0, 0.5)]), 8)
    assert len(found) == 2
    assert 0.15 < found[1].amplitude < 0.5


@pytest.mark.parametrize("x", [np.linspace(1, 9, 400), np.linspace(9, 1, 400), np.full(400, 2.0), np.zeros(0), np.ones(1)])
def test_drift_and_flat_lines_hold_no_response(x):
    level, slow, found = detect(x, 4) if len(x) else (x, np.zeros((0, 3)), [])
    assert found == []
    assert len(level) == len(x) == len(slow)


def test_tonic_and_phasic_add_up_and_are_the_whole_records_filters():
    rate = 4
    rng = np.random.default_rng(1)
    responses = [(float(t), float(rng.lognormal(-1.5, 0.5))) for t in np.cumsum(rng.uniform(4, 25, 60))]
    x = skin(rate, 900, responses) + 0.3 * np.sin(np.arange(3600) / 4 * 2 * np.pi / 200)
    level, slow, _ = detect(x, rate)
    assert np.allclose(slow[:, 0] + slow[:, 1], sosfiltfilt(butter(4, 1.0, fs=rate, output="sos"), x), atol=0.02)
    whole = sosfiltfilt(butter(4, 1.0, fs=rate, output="sos"), x)
    tonic = sosfiltfilt(butter(2, 0.05, fs=rate, output="sos"), whole)
    band = sosfiltfilt(butter(2, [0.045, 0.25], "bandpass", fs=rate, output="sos"), x)
    inner = slice(80, -80)
    assert np.abs(level - whole)[inner].max() < 5e-3
    assert np.corrcoef(slow[inner, 0], tonic[inner])[0, 1] > 0.999
    assert np.corrcoef(slow[inner, 1], (whole - tonic)[inner])[0, 1] > 0.99
    minutes = [(m, m + 240) for m in range(240, 3300, 240)]
    ours, theirs = ([c[a:b].std() for a, b in minutes] for c in (slow[:, 2], band))
    assert np.corrcoef(ours, theirs)[0, 1] > 0.98
    assert np.allclose(ours, theirs, rtol=0.15)


@settings(max_examples=60)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=60), st.sampled_from([4, 7, 16]))
def test_any_cut_gives_the_same_bits(sizes, rate):
    rng = np.random.default_rng(rate)
    x = skin(rate, 70, [(8.0, 0.4), (21.0, 0.1), (24.0, 0.7), (52.0, 0.05)], noise=0.003, seed=rate) + rng.uniform(0, 5)
    whole, cut = detect(x, rate), detect(x, rate, sizes)
    assert whole[0].tobytes() == cut[0].tobytes()
    assert whole[1].tobytes() == cut[1].tobytes()
    assert whole[2] == cut[2]


def test_what_is_decided_does_not_change():
    rate = 4
    x = skin(rate, 300, [(float(t), 0.2) for t in range(10, 290, 7)], noise=0.01)
    slow, scr = slow_filter(rate), ScrDetector(rate)
    known, found = [], []
    for a in range(0, len(x), 5):
        for block in slow.push(x[a : a + 5]):
            found += scr.push(block)
            known.append((scr.decided, [s for s in found if s.onset < scr.decided]))
    found += [s for b in slow.flush() for s in scr.push(b)] + scr.flush()
    for decided, before in known:
        assert before == [s for s in found if s.onset < decided]


def test_responses_as_neurokit_finds_them():
    """Same conductance, same absolute threshold: the same responses, within the definitions' difference of onset."""
    nk = pytest.importorskip("neurokit2")
    rate, rng = 16, np.random.default_rng(4)
    truth = [(float(t), float(rng.uniform(0.1, 0.8))) for t in np.cumsum(rng.uniform(9, 20, 25))]
    x = skin(rate, truth[-1][0] + 30, truth)
    level, _, found = detect(x, rate)
    _, info = nk.eda_peaks(level - level.min(), sampling_rate=rate, method="neurokit", amplitude_min=0)
    keep = np.asarray(info["SCR_Amplitude"]) >= 0.05
    theirs = np.asarray(info["SCR_Peaks"])[keep]
    ours = np.array([s.summit for s in found if s.amplitude >= 0.05])
    assert len(ours) == len(theirs) == len(truth)
    # Theirs are summits of the conductance itself, an eighth of a second later on its slope; their height lacks what
    # the flank of the response before has fallen meanwhile.
    assert np.abs(ours - theirs).max() <= 2
    sizes = np.array([size for _, size in truth])
    heights = [s.amplitude for s in found], np.asarray(info["SCR_Amplitude"])[keep]
    mine, reference = (np.abs(np.asarray(h) / sizes - 1.0) for h in heights)
    assert np.median(mine) < np.median(reference) < 0.02
    assert mine.max() < 0.08


def test_half_recoveries_are_found_where_they_happen():
    rate = 32
    slow, scr = slow_filter(rate), ScrDetector(rate)
    x = skin(rate, 90, [(20.0, 0.5), (40.0, 0.5), (41.5, 1.0)])
    for block in [*slow.push(x), *slow.flush()]:
        scr.push(block)
    scr.flush()
    t = np.arange(0, 20, 1 / rate)
    wave = bateman(t, 0.0, 1.0)
    after = t[(t > PEAK_S) & (wave <= 0.5)][0] - PEAK_S
    # The second response is interrupted by the third before half of it is lost.
    assert len(scr.recoveries) == 2
    for recovery, onset in zip(scr.recoveries, (20.0, 41.5), strict=True):
        assert recovery.samples / rate == pytest.approx(after, abs=0.6)
        assert recovery.at / rate == pytest.approx(onset + PEAK_S + after, abs=0.7)


def pairs(found, truth, near=0.5):
    """How many of `truth` have a found one within `near` seconds, each used once."""
    left, hits = list(found), 0
    for t in truth:
        close = [f for f in left if abs(f - t) <= near]
        if close:
            left.remove(min(close, key=lambda f: abs(f - t)))
            hits += 1
    return hits


@pytest.mark.parametrize("name", ["EDA1_64", "EDA1_70s_100Hz"])
def test_onsets_of_an_independent_decomposition_at_least_as_neurokit(data_dir, name):
    """F1 of onsets within 0.5 s, at one absolute threshold for all three; the tool's conductance has no unit."""
    from scipy.io import loadmat

    nk = pytest.importorskip("neurokit2")
    file = loadmat(data_dir / "eda-reference" / f"{name}.mat", squeeze_me=True, struct_as_record=False)
    x, t, tool = file["data"].conductance.astype(float), file["data"].time, file["analysis"]
    rate = round(1 / np.median(np.diff(t)))
    _, _, found = detect(x, rate)
    phasic = nk.eda_phasic(nk.eda_clean(x, sampling_rate=rate), sampling_rate=rate)["EDA_Phasic"].to_numpy()
    _, info = nk.eda_peaks(phasic, sampling_rate=rate, amplitude_min=0)
    theirs = np.column_stack((info["SCR_Onsets"], info["SCR_Amplitude"]))
    ours = np.array([(s.onset, s.amplitude) for s in found])
    lines = []
    for threshold in (20.0, 50.0, 100.0, 200.0, 500.0, 1000.0):
        truth = tool.impulseOnset[tool.amp >= threshold]
        f1 = []
        for rows in (ours, theirs):
            onsets = rows[(rows[:, 1] >= threshold) & np.isfinite(rows[:, 0]), 0] / rate + t[0]
            f1.append(2 * pairs(onsets, truth) / (len(onsets) + len(truth)))
        lines.append(f"{name} threshold {threshold:g}: n {len(truth)}, F1 {f1[0]:.2f}, NeuroKit2 {f1[1]:.2f}\n")
        assert f1[0] >= f1[1], lines[-1]
    sys.stdout.writelines(lines)  # pytest -rP shows it


@pytest.mark.parametrize("rate", [4, 8, 32])
@pytest.mark.parametrize("seconds", [64, 120, 300])
def test_sympathetic_power_of_a_wave(rate, seconds):
    t = np.arange(seconds * rate) / rate
    x = 5.0 + 0.01 * t + 0.2 * np.sin(2 * np.pi * 0.125 * t) + 0.1 * np.sin(2 * np.pi * 0.5 * t)
    times = np.arange(len(x))
    power, share = Sympathetic(rate).power(times, x)
    assert power == pytest.approx(0.02, rel=0.03)
    assert share == pytest.approx(0.8, abs=0.02)
    assert np.isnan(Sympathetic(rate).power(times, x[: 60 * rate])).all()
    assert np.isnan(Sympathetic(rate).power(times, np.full(70 * rate, 2.0))[1])


def test_sympathetic_power_is_the_same_whatever_was_asked_before():
    rate, rng = 4, np.random.default_rng(0)
    x = 5.0 + np.cumsum(0.01 * rng.standard_normal(rate * 400))
    times = np.arange(len(x)) * 250_000_000
    line = Sympathetic(rate)
    for start in range(0, 100 * rate, rate):
        part = slice(start, start + 300 * rate)
        line.forget(int(times[start]))
        assert line.power(times[part], x[part]) == Sympathetic(rate).power(times[part], x[part])
    assert len(line._known) < 700
