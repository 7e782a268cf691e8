"""Voice measures against sounds of known truth and against Praat; rows against every cut."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.chunk import Chunk, Gap, GapReason
from feltsense.core.recording import Stream
from feltsense.core.voice_row import column
from feltsense.dsp.voice import VoiceFrontEnd
from feltsense.dsp.voice.cycles import SUMS, jitter, shimmer
from feltsense.dsp.voice.detectors import WebRtc
from feltsense.dsp.voice.pitch import harmonicity
from feltsense.errors import InputError
from voice_sounds import RATE, VOWELS, rows_of, sound_chunks, utterance, vowel

INNER = slice(10, -10)


def measured(x, rate=RATE):
    _, rows = rows_of(x, rate)
    return np.concatenate([r.values for r in rows])


def of(rows, name):
    return rows[INNER, column(name)]


def cycle_sums(rows):
    a = column("pairs")
    return rows[:, a : a + SUMS].sum(axis=0)


@pytest.mark.parametrize("f0", [80, 120, 220, 400])
@pytest.mark.parametrize("hnr", [20.0, 10.0, 5.0])
def test_pitch_and_harmonicity_of_a_vowel_are_its_own(f0, hnr):
    rows = measured(vowel(f0, hnr=hnr)[0])
    assert abs(np.median(of(rows, "f0")) / f0 - 1.0) < 0.001
    assert abs(np.median(harmonicity(of(rows, "periodicity"))) - hnr) < 0.5
    assert np.abs(np.log2(of(rows, "f0") / f0)).max() < 0.1, "no octave errors"


@pytest.mark.parametrize("name", VOWELS)
def test_formants_of_a_low_voice(name):
    rows = measured(vowel(100.0, vowel=name)[0])
    for i, (hz, _) in enumerate(VOWELS[name][:3], start=1):
        assert abs(np.median(of(rows, f"f{i}")) / hz - 1.0) < 0.12


def praats_cycles(x):
    """Jitter and shimmer by Praat."""
    praat = pytest.importorskip("parselmouth", reason="praat-parselmouth is not installed")
    call = praat.praat.call
    sound = praat.Sound(x, float(RATE))
    marks = call(sound, "To PointProcess (periodic, cc)", 60, 600)
    return (
        call(marks, "Get jitter (local)", 0, 0, 1e-4, 0.02, 1.3),
        call([sound, marks], "Get shimmer (local)", 0, 0, 1e-4, 0.02, 1.3, 1.6),
    )


def errors_of_cycles(cases):
    """Mean relative errors of jitter and shimmer over vowels: ours and Praat's."""
    ours, theirs = [], []
    for f0, spread, hnr, name, seed in cases:
        x, *truth = vowel(f0, jitter=spread, shimmer=4 * spread, hnr=hnr, seed=seed, vowel=name)
        sums = cycle_sums(measured(x))
        ours.append(np.abs(np.array([jitter(sums), shimmer(sums)]) / truth - 1.0))
        theirs.append(np.abs(np.array(praats_cycles(x)) / truth - 1.0))
    return np.mean(ours, axis=0), np.mean(theirs, axis=0)


def test_jitter_and_shimmer_are_as_close_to_the_truth_as_praats():
    cases = product((100.0, 120.0, 220.0), (0.01, 0.02), (20.0, 10.0))
    mine, other = errors_of_cycles((f0, spread, hnr, "a", int(f0)) for f0, spread, hnr in cases)
    # A hundredth of the truth is a draw.
    assert mine[0] <= other[0] + 0.01
    assert mine[1] <= other[1] + 0.01
    assert mine.max() < 0.25


@pytest.mark.parametrize("hnr", [None, 10.0])
def test_they_are_closer_over_vowels_voices_and_seeds(hnr):
    """Without noise and with much; between them, at 20 dB, it is a draw."""
    mine, other = errors_of_cycles(product((90.0, 120.0, 160.0, 220.0, 270.0), (0.005, 0.01, 0.02), (hnr,), "ai", (5, 6)))
    assert mine[0] <= other[0]
    assert mine[1] <= other[1]


def test_a_steady_vowel_has_no_jitter():
    sums = cycle_sums(measured(vowel(130.0)[0]))
    assert jitter(sums) < 0.001
    assert shimmer(sums) < 0.01


def test_silence_and_noise_have_no_pitch():
    assert not measured(np.zeros(RATE))[:, column("f0")].any()
    noise = 0.1 * np.random.default_rng(0).standard_normal(2 * RATE)
    assert (measured(noise)[:, column("f0")] > 0).mean() < 0.05


def test_levels_are_those_of_a_sine():
    t = np.arange(RATE) / RATE
    rows = measured(0.1 * np.sin(2 * np.pi * 1000 * t))
    np.testing.assert_allclose(of(rows, "level"), 20 * np.log10(0.1) - 10 * np.log10(2), atol=0.02)
    np.testing.assert_allclose(of(rows, "centroid"), 1000.0, atol=2.0)
    np.testing.assert_allclose(of(rows, "peak"), 0.1, rtol=1e-3)


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_rows_do_not_depend_on_the_cut(data):
    rate = data.draw(st.sampled_from([16_000, 44_100, 8_000, 11_025]))
    x = utterance(seconds=3.3, rate=rate)
    cuts = data.draw(st.lists(st.integers(1, len(x) - 1), max_size=30))
    whole, cut = rows_of(x, rate)[1], rows_of(x, rate, cuts)[1]
    assert [len(c) for c in whole] == [len(c) for c in cut]
    for a, b in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(a.values, b.values)
        np.testing.assert_array_equal(a.times, b.times)
        assert (a.segment, a.start) == (b.segment, b.start)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 15_999])
def test_rows_of_another_rate_are_the_same_to_what_it_holds(rate):
    t16, t = np.arange(2 * RATE) / RATE, np.arange(2 * rate) / rate
    hum = [sum(np.cos(2 * np.pi * 150 * h * u) / h for h in range(1, 20)) * 0.1 for u in (t16, t)]
    a, b = measured(hum[0]), measured(hum[1], rate)
    assert len(a) == len(b)
    np.testing.assert_allclose(of(b, "f0"), of(a, "f0"), rtol=2e-4)
    np.testing.assert_allclose(of(b, "level"), of(a, "level"), atol=0.05)
    np.testing.assert_allclose(of(b, "centroid"), of(a, "centroid"), rtol=0.01)


def test_a_gap_or_a_nan_starts_a_new_segment_of_rows():
    x = np.array(utterance(seconds=3.0))
    x[RATE] = np.nan
    _, rows = rows_of(x)
    assert {r.segment for r in rows} == {0, 1}
    info, (first, *_) = sound_chunks(utterance(seconds=1.0))
    front = VoiceFrontEnd(info)
    later = Chunk(info, 1, 0, first.values, first.time, Gap(RATE, RATE, GapReason.LINK))
    out = [*front.push(first), *front.push(later), *front.close()]
    stream = Stream.from_chunks(front.info, out)
    assert [len(s.values) for s in stream.segments] == [100, 100]
    gap = stream.segments[1].gap
    assert gap is not None
    assert gap.samples == 100
    assert gap.reason is GapReason.LINK


def test_sound_that_was_measured_is_gone():
    x = utterance(seconds=5.0)
    info, chunks = sound_chunks(x, cuts=range(1600, len(x), 1600))
    front = VoiceFrontEnd(info)
    for chunk in chunks:
        front.push(chunk)
        assert len(front._sound) <= 1.7 * RATE
    held = front._sound.rows
    assert held.any()
    front.close()
    assert not held.any(), "what was held is overwritten"


def test_what_is_no_sound_is_refused():
    info, _ = sound_chunks(np.zeros(10), rate=4_000)
    with pytest.raises(InputError, match="8000 to 384000"):
        VoiceFrontEnd(info)


def test_another_detector_decides_what_is_speech_and_nothing_else():
    pytest.importorskip("webrtcvad", reason="webrtcvad is not installed")
    x = utterance(seconds=3.3)
    results = []
    for cuts in ((), range(1000, len(x), 1000)):
        info, chunks = sound_chunks(x, cuts=cuts)
        front = VoiceFrontEnd(info, WebRtc())
        rows = np.concatenate([r.values for c in chunks for r in front.push(c)] + [r.values for r in front.close()])
        results.append(rows)
    np.testing.assert_array_equal(*results)
    speech = results[0][:, column("speech")]
    assert 0.3 < speech.mean() < 1.0
    rest = np.arange(results[0].shape[1]) != column("speech")
    np.testing.assert_array_equal(results[0][:, rest], measured(x)[:, rest])
    with pytest.raises(InputError, match="0 to 3"):
        WebRtc(7)
