"""A corpus of acted speech that can be made anywhere: eSpeak NG's voices with feelings as shifts of how they speak.

Real emotional speech cannot be had in a test. This is a stand-in for its *structure*: speakers differ in voice, habit and
microphone, each acts a feeling in a manner of their own, and no two utterances are alike. It tells whether features,
classifier and calibration still do what they did; it does not tell how well feelings are told apart in people.

The shifts follow the table of Scherer 2003 (Speech Commun 40:227) in their direction; their sizes are ours.
"""

from __future__ import annotations

import subprocess
from typing import NamedTuple

import numpy as np
from scipy.io import wavfile
from scipy.signal import butter, lfilter, sosfilt

SENTENCES = (
    "Der Kaffee steht noch in der Küche.",
    "Morgen früh fahren wir wieder nach Hause.",
    "Das hat sie mir gestern am Telefon gesagt.",
    "Die Schlüssel liegen auf dem Tisch im Flur.",
    "In einer Stunde ist es soweit, dann geht es los.",
    "Er hat den ganzen Tag im Garten gearbeitet.",
)
VOICES = ("m1", "f1", "m3", "f2", "m7", "f4", "m4", "f5", "m2", "f3", "m5", "m8")


class Act(NamedTuple):
    """How something is said: semitones, share of pitch range, share of speed, dB, dB an octave, breath, tremor in %."""

    pitch: float
    range: float
    speed: float
    level: float
    tilt: float
    breath: float
    tremor: float


FEELINGS = {
    "neutral": Act(0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0),
    "anger": Act(3.5, 1.6, 1.15, 6.0, 2.0, 0.0, 0.4),
    "boredom": Act(-1.0, 0.6, 0.82, -2.0, -0.7, 0.1, 0.0),
    "disgust": Act(-0.5, 1.2, 0.85, 0.0, 0.8, 0.1, 0.8),
    "fear": Act(4.0, 1.0, 1.25, 1.0, 0.5, 0.5, 1.2),
    "joy": Act(3.5, 1.9, 1.08, 4.0, 1.0, 0.0, 0.0),
    "sadness": Act(-1.5, 0.5, 0.75, -6.0, -1.6, 0.6, 0.5),
}
_HABIT = Act(1.0, 0.15, 0.06, 2.0, 0.5, 0.1, 0.2)
"""Deviation between speakers."""
_MOOD = Act(1.3, 0.4, 0.1, 2.5, 0.8, 0.2, 0.4)
"""Deviation between utterances of one feeling."""
_MANNER = 0.35
"""Deviation of how far a speaker goes in each respect, 1 being the table."""


def corpus(folder, speakers=10, each=5, seed=0):
    """Write ``each`` utterances of each feeling and speaker, and ``labels.csv``; gives the manifest's path."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["path,subject,label"]
    for s in range(speakers):
        rng = np.random.default_rng([seed, s])
        habit, manner = rng.standard_normal(7) * _HABIT, np.exp(_MANNER * rng.standard_normal(7))
        colour = 0.5 * rng.standard_normal(3)
        for label, act in FEELINGS.items():
            for k in range(each):
                shift = manner * np.subtract(act, FEELINGS["neutral"]) + habit + rng.standard_normal(7) * _MOOD
                how = Act(*(np.array(FEELINGS["neutral"]) + shift))
                path = folder / f"{label}_{s:02d}_{k}.wav"
                _speak(path, VOICES[s % len(VOICES)], SENTENCES[(k + s) % len(SENTENCES)], how, colour, rng)
                lines.append(f"{path.name},S{s:02d},{label}")
    manifest = folder / "labels.csv"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest


def _speak(path, voice, sentence, how, colour, rng):
    pitch = float(np.clip(100.0 * 2.0 ** (how.pitch / 12.0), 50, 200))
    reach = 100.0 * float(np.clip(how.range, 0.2, 3.0))
    ssml = f'<speak><prosody pitch="{pitch:.0f}%" range="{reach:.0f}%">{sentence}</prosody></speak>'
    speed = round(170 * float(np.clip(how.speed, 0.5, 1.6)))
    command = ["espeak-ng", "-m", "-v", f"de+{voice}", "-s", str(speed), "-w", str(path), ssml]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    rate, x = wavfile.read(path)
    x = _treated(x / 32768.0, rate, how, colour, rng)
    wavfile.write(path, rate, np.round(32767 * np.clip(x, -1, 1)).astype(np.int16))


def _treated(x, rate, how, colour, rng):
    """Tremor of the pitch, tilt, breath, the microphone's colour and the level."""
    n = len(x)
    sway = lfilter([0.02], [1.0, -0.98], rng.standard_normal(n)) * 10.0 * max(how.tremor, 0.0) / 100.0
    x = np.interp(np.clip(np.cumsum(1.0 + sway), 0, n - 1), np.arange(n), x)
    hz = np.fft.rfftfreq(n, 1 / rate)
    octave = np.log2(np.clip(hz, 100, 8000) / 1000.0)
    gain = how.tilt * octave + colour[0] * octave + 2 * colour[1] * np.sin(octave) + 2 * colour[2] * np.cos(octave)
    x = np.fft.irfft(np.fft.rfft(x) * 10 ** (gain / 20), n)
    envelope = np.sqrt(np.maximum(lfilter([0.005], [1, -0.995], x * x), 0.0))
    hiss = sosfilt(butter(2, 1500, "high", fs=rate, output="sos"), rng.standard_normal(n))
    x = x + 0.3 * max(how.breath, 0.0) * envelope * hiss
    x = x / np.sqrt(np.mean(x * x)) * 0.05 * 10 ** (np.clip(how.level, -14, 14) / 20)
    return x + 3e-4 * rng.standard_normal(n)
