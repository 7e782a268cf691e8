"""Planted artefacts against NeuroKit2's own implementation of the method, and against the truth."""

import numpy as np
import pytest

from feltsense.dsp.correction import BeatClass, Classifier, classify, corrected


def planted(seed, n=400):
    """Whole milliseconds: beat times with early, missed and extra beats; the true intervals."""
    rng = np.random.default_rng(seed)
    rr = 850 + 40 * np.sin(2 * np.pi * 0.2 * np.arange(n)) + 15 * rng.normal(size=n)
    truth = np.cumsum(rr)
    t = truth.copy()
    t[[50, 150, 250, 350]] -= 300
    t = np.delete(t, [100, 200])
    return np.round(np.sort(np.append(t, [t[300] + 400, t[30] + 300]))).astype(int), rr


def kinds_of(peaks):
    """Class of every beat, the first one normal."""
    return np.concatenate(([0], classify(np.diff(peaks).astype(float)))).astype(np.int8)


@pytest.mark.parametrize("seed", range(6))
def test_classes_and_corrected_series_equal_neurokit(seed):
    import neurokit2 as nk

    peaks, _ = planted(seed)
    theirs, clean = nk.signal_fixpeaks(peaks, sampling_rate=1000, method="Kubios", iterative=False)
    kinds = kinds_of(peaks)
    for name, kind in (("ectopic", 1), ("missed", 2), ("extra", 3), ("longshort", 4)):
        assert np.flatnonzero(kinds == kind).tolist() == sorted(map(int, theirs[name]))
    # NeuroKit2 cuts moved peaks to whole samples; and where a second beat was removed, the beat that it moves next to it is
    # the wrong one (its renumbering compares with numbers from before the first removal).
    clean = np.asarray(clean)
    second = peaks[np.flatnonzero(kinds == BeatClass.EXTRA)[1]]
    away = np.abs(corrected(peaks.astype(float), kinds) - clean)
    assert away[np.abs(clean - second) > 2500].max() <= 1.0


@pytest.mark.parametrize("seed", range(3))
def test_planted_beats_are_found_and_put_right(seed):
    peaks, rr = planted(seed)
    kinds = kinds_of(peaks)
    times = corrected(peaks.astype(float), kinds)
    assert len(times) == len(rr)
    assert (kinds == BeatClass.MISSED).sum() == 2
    assert (kinds == BeatClass.EXTRA).sum() == 2
    raw, fixed, true = (np.sqrt(np.mean(np.diff(x) ** 2.0)) for x in (np.diff(peaks), np.diff(times), rr))
    assert raw > 2 * true
    assert abs(fixed - true) < 0.4 * true


@pytest.mark.parametrize("seed", range(4))
def test_little_look_ahead_says_nearly_the_same(seed):
    x = np.diff(planted(seed)[0]).astype(float)
    classifier = Classifier()
    stream = np.concatenate([classifier.advance(x[a : a + 3], x[a + 3 : a + 6]) for a in range(0, len(x), 3)])
    assert np.mean((stream > 0) == (classify(x) > 0)) >= 0.99
    assert np.array_equal(stream == BeatClass.MISSED, classify(x) == BeatClass.MISSED)
    assert np.array_equal(stream == BeatClass.EXTRA, classify(x) == BeatClass.EXTRA)


def test_what_cannot_be_judged_is_normal():
    for x in (np.empty(0), np.array([800.0]), np.full(5, 800.0), np.full(200, 800.0)):
        assert not classify(x).any()
        assert not Classifier().advance(x, np.empty(0)).any()
    assert corrected(np.array([0.0, 800.0]), np.zeros(2, np.int8)).tolist() == [0.0, 800.0]
