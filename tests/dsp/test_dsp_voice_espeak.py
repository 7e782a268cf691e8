"""Synthesised speech against Praat: pitch within 5 cents, no octave error; faster speech has more syllables."""

import shutil
import subprocess

import numpy as np
import pytest
from scipy.io import wavfile

from feltsense import extract, open_recording
from feltsense.core.voice_row import column

pytestmark = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed: apt-get install espeak-ng"
)
SENTENCES = {
    "en-us": "She had your dark suit in greasy wash water all year, and never said that you could take it.",
    "de": "Heute abend könnte ich es ihm sagen, aber der Lappen liegt auf dem Eisschrank.",
}


def speak(path, voice, pitch=50, speed=175):
    language = voice.split("+")[0]
    command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "-w", str(path), SENTENCES[language]]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return open_recording(path)


def features(recording):
    ((_, vector),) = extract(recording, window=recording.seconds, hop=recording.seconds, modalities=["voice"])
    return vector


def test_pitch_is_praats_within_5_cents_and_never_an_octave_off(tmp_path):
    praat = pytest.importorskip("parselmouth", reason="praat-parselmouth is not installed")
    cents = []
    for voice in ("en-us+m1", "en-us+f2", "de+m3", "de+f4"):
        # Below, voices end in a creak under 70 Hz, in which Praat jumps to a formant: no reference any more.
        for pitch in (40, 80):
            path = tmp_path / "a.wav"
            f0 = speak(path, voice, pitch).stream("wav.voice").segments[0].values[:, column("f0")]
            rate, x = wavfile.read(path)
            track = praat.Sound(x / 32768, float(rate)).to_pitch_ac(time_step=0.01, pitch_floor=60, pitch_ceiling=600)
            theirs = np.array([track.get_value_at_time((k + 0.5) * 0.01) for k in range(len(f0))])
            both = (f0 > 0) & np.isfinite(theirs)
            assert both.mean() > 0.3
            cents.append(1200 * np.abs(np.log2(f0[both] / theirs[both])))
    off = np.concatenate(cents)
    assert np.median(off) <= 5.0
    assert np.mean(off > 50) < 0.01
    assert (off < 600).all(), "no octave errors"


def test_what_a_speaker_turns_up_goes_up(tmp_path):
    slow, usual, fast = (features(speak(tmp_path / "a.wav", "en-us+m3", speed=s)) for s in (120, 175, 260))
    assert slow["voice.syll_rate"] < usual["voice.syll_rate"] < fast["voice.syll_rate"]
    low, middle, high = (features(speak(tmp_path / "a.wav", "de+f2", pitch=p)) for p in (20, 50, 80))
    assert low["voice.f0_mean"] < middle["voice.f0_mean"] < high["voice.f0_mean"]
    assert middle["quality.voice"] == 1.0
    assert np.isfinite(middle.values).all()
