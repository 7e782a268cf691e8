"""Features of a voice: the contract of extractors, what they depend on and what they do not, and every reason."""

import numpy as np
import pytest

from feltsense.core.vector import Reason
from feltsense.features._voice_phonation import tract_length
from feltsense.features.voice import FAMILIES, Voice
from feltsense.session import extract
from feltsense.testing import check_extractor
from voice_sounds import RATE, recording_of, utterance, vowel

ABSOLUTE = ("loudness", "level_db", "level_p", "run_level")


def whole(recording):
    ((_, vector),) = extract(recording, window=recording.seconds, hop=recording.seconds, modalities=["voice"])
    return vector


def voice_of(x, rate=RATE):
    return whole(recording_of(x, rate))


def spread_of_utterances(n=8):
    return np.array([voice_of(utterance(seed=s, f0=120.0 + 15 * s)).values for s in range(n)]).std(axis=0)


def test_the_contract_holds():
    long = np.concatenate([utterance(4.0, f0, seed) for seed, f0 in enumerate((110, 150, 190, 230) * 2)])
    check_extractor(Voice, recording_of(long), window=6.0, hop=5.0)


def test_families_name_what_they_give():
    rows = recording_of(utterance())
    for family in FAMILIES:
        from feltsense.features._voice_rows import Rows

        given = family.values(Rows(rows.stream("phone.voice").segments[0].values))
        assert set(given) == {s.name for s in family.specs}


@pytest.mark.parametrize("seconds", [1.0, 2.0, 5.0, 20.0])
def test_an_ordinary_utterance_has_no_holes(seconds):
    vector = voice_of(utterance(seconds, seed=3))
    holes = [n for n, r in zip(vector.schema.names, vector.reasons, strict=True) if r is not Reason.OK]
    assert not holes
    assert vector["quality.voice"] == 1.0


def test_features_do_not_depend_on_the_level_but_those_of_level():
    quiet, loud = voice_of(0.05 * utterance()), voice_of(utterance())
    scale = spread_of_utterances()
    for name, a, b, s in zip(loud.schema.names, quiet.values, loud.values, scale, strict=True):
        if not name.removeprefix("voice.").startswith(ABSOLUTE):
            assert abs(a - b) <= 0.05 * s + 1e-6, name
    assert quiet["voice.level_db"] == pytest.approx(loud["voice.level_db"] - 26.02, abs=0.01)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_features_do_not_depend_on_the_rate(rate):
    from scipy.signal import resample_poly

    x = utterance(rate=RATE)
    other = resample_poly(x, rate // 50, RATE // 50)
    a, b = voice_of(x), voice_of(other, rate)
    assert a["quality.voice"] == b["quality.voice"] == 1.0
    scale = spread_of_utterances()
    off = np.abs(a.values - b.values) / (scale + 1e-9)
    assert np.median(off) < 0.05
    assert np.percentile(off, 95) < 0.5


def test_silence_around_an_utterance_changes_little():
    x = utterance()
    silence = 2e-4 * np.random.default_rng(5).standard_normal(RATE)
    a, b = voice_of(x), voice_of(np.concatenate([silence, x, silence]))
    timeless = [not n.removeprefix("voice.").startswith(("loudness", "mod")) for n in a.schema.names]
    off = np.abs(a.values - b.values)[timeless] / (spread_of_utterances()[timeless] + 1e-9)
    assert np.percentile(off, 90) < 0.5


def test_a_vowel_has_the_features_of_its_truth():
    x, jitter, shimmer = vowel(120.0, 2.0, jitter=0.01, shimmer=0.04, hnr=20.0)
    v = voice_of(x)
    assert v["voice.f0_mean"] == pytest.approx(120.0, rel=0.005)
    assert v["voice.jitter"] == pytest.approx(100 * jitter, rel=0.25)
    assert v["voice.shimmer"] == pytest.approx(100 * shimmer, rel=0.25)
    assert v["voice.f1"] == pytest.approx(700, rel=0.1)
    assert v["voice.f2"] == pytest.approx(1220, rel=0.1)
    assert v["voice.voiced_frac"] > 0.95


def test_rising_pitch_rises():
    t = np.arange(2 * RATE) / RATE
    hz = 120 * 2 ** (t * 6 / 12)
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    x = 0.1 * sum(np.cos(h * phase) / h for h in range(1, 15))
    v = voice_of(x)
    assert v["voice.f0_slope"] == pytest.approx(6.0, rel=0.02)
    assert v["voice.f0st_shape1"] < -2.0
    assert v["voice.f0st_rise_mean"] == pytest.approx(6.0, rel=0.1)


def tone(midi, seconds):
    t = np.arange(int(seconds * RATE)) / RATE
    hz = 440 * 2 ** ((midi - 69) / 12)
    return 0.2 * sum(np.cos(2 * np.pi * h * hz * t) / h**1.5 for h in range(1, 12)) * np.minimum(1, 20 * t)


@pytest.mark.parametrize(
    ("sound", "reason", "most"),
    [
        (np.zeros(2 * RATE), Reason.FLATLINE, 0.0),
        (1e-4 * np.random.default_rng(0).standard_normal(2 * RATE), Reason.NO_SPEECH, 0.0),
        (0.1 * np.random.default_rng(0).standard_normal(2 * RATE), Reason.NO_SPEECH, 0.5),
        (np.clip(20 * utterance(), -1, 1), Reason.SATURATED, 0.7),
        (np.concatenate([tone(m, 0.5) for m in (60, 64, 67, 72, 67, 64)]), Reason.MUSIC, 0.2),
        (utterance() + 0.05 * np.random.default_rng(0).standard_normal(2 * RATE), Reason.NOISE, 0.5),
    ],
    ids=["digital silence", "quiet noise", "loud noise", "clipped", "music", "noisy speech"],
)
def test_what_is_no_good_speech_is_said(sound, reason, most):
    v = voice_of(sound)
    assert v.quality_reasons == (reason,)
    assert v["quality.voice"] <= most
    if most == 0.0:
        assert np.isnan(v.values).all()


def test_a_telephone_is_narrow_and_a_wrong_header_is_noticed():
    x = utterance(seconds=3.0, rate=8_000)
    assert voice_of(x, 8_000).quality_reasons == (Reason.NOT_SUPPORTED,)
    for said in (8_000, 44_100):
        v = voice_of(utterance(4.0, 120.0 if said < RATE else 180.0), said)
        assert v.quality_reasons == (Reason.WRONG_RATE,), said


def test_too_short_is_said():
    v = voice_of(utterance(2.0)[int(0.1 * RATE) : int(0.5 * RATE)])
    assert v["quality.voice"] > 0.0
    assert v.reason("voice.f0_mean") is Reason.TOO_SHORT


def test_length_of_a_uniform_tube():
    assert tract_length(500.0, 1500.0, 2500.0) == pytest.approx(17.5)
    assert np.isnan(tract_length(500.0, float("nan"), 2500.0))
