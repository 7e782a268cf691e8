"""Sounds with a known truth: vowels from pulses, and something that is built like speech."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.signal import decimate, lfilter

from feltsense.core.chunk import Chunk, StreamInfo
from feltsense.core.recording import Recording, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import TimeMap
from feltsense.dsp.voice import VoiceFrontEnd

RATE = 16_000
VOWELS = {
    "a": ((700, 80), (1220, 90), (2600, 120), (3500, 150)),
    "i": ((300, 60), (2300, 100), (3000, 150), (3700, 200)),
    "u": ((320, 60), (800, 80), (2300, 120), (3300, 150)),
    "e": ((500, 70), (1800, 90), (2500, 120), (3500, 200)),
}
_FINER = 8


def vowel(f0=120.0, seconds=1.5, *, vowel="a", hnr=None, jitter=0.0, shimmer=0.0, seed=0, rate=RATE):
    """A vowel from band-limited pulses; gives sound, its true local jitter and shimmer.

    `jitter` and `shimmer` are the deviations of independent normal periods and amplitudes.
    """
    rng = np.random.default_rng(seed)
    t, places, periods, amplitudes = 0.005, [], [], []
    while t < seconds - 0.01:
        period, amplitude = (1.0 + jitter * rng.standard_normal()) / f0, 1.0 + shimmer * rng.standard_normal()
        places.append(t)
        periods.append(period)
        amplitudes.append(amplitude)
        t += period
    fine = rate * _FINER
    x = np.zeros(int(seconds * fine) + 32)
    taps = np.arange(-12, 14)
    at = np.array(places) * fine
    d = taps - (at - np.floor(at))[:, None]
    pulses = np.array(amplitudes)[:, None] * np.sinc(d) * (0.5 + 0.5 * np.cos(np.pi * np.minimum(np.abs(d) / 13, 1)))
    np.add.at(x, np.floor(at).astype(int)[:, None] + taps, pulses)
    x = x[: int(seconds * fine)]
    # The glottis falls by 12 dB an octave, the lips give 6 back.
    for corner in (100.0, 800.0):
        x = lfilter([1.0], [1.0, -np.exp(-2 * np.pi * corner / fine)], x)
    x = np.diff(x, prepend=0.0)
    for hz, width in VOWELS[vowel]:
        r, angle = np.exp(-np.pi * width / fine), 2 * np.pi * hz / fine
        x = lfilter([1 - 2 * r * np.cos(angle) + r * r], [1, -2 * r * np.cos(angle), r * r], x)
    x = decimate(x, _FINER, ftype="fir", zero_phase=True)
    x *= 0.5 / np.abs(x).max()
    if hnr is not None:
        noise = rng.standard_normal(len(x))
        x = x + noise * np.sqrt(np.mean(x**2) / np.mean(noise**2) / 10 ** (hnr / 10))
    t, a = np.array(periods), np.array(amplitudes)
    return x, np.abs(np.diff(t)).mean() / t.mean(), np.abs(np.diff(a)).mean() / a.mean()


@lru_cache(maxsize=8)
def utterance(seconds=2.0, f0=150.0, seed=0, rate=RATE):
    """Syllables of gliding vowels, hissing consonants and pauses at −26 dB, above the noise of a room."""
    rng = np.random.default_rng(seed)
    n = int(seconds * rate)
    x = np.zeros(n)
    at = 0.12
    while at < seconds - 0.35:
        length = rng.uniform(0.12, 0.25)
        k = int(length * rate)
        hz = f0 * (1.0 + 0.25 * np.sin(2 * np.pi * 0.4 * at + seed)) * np.linspace(1.06, 0.94, k)
        phase = 2 * np.pi * np.cumsum(hz) / rate
        bands = np.array(VOWELS[rng.choice(list(VOWELS))], float)
        s = np.zeros(k)
        for h in range(1, int(0.45 * rate / hz.max())):
            gain = np.abs(np.prod([1 / (1 - (h * hz / f) ** 2 + 1j * h * hz * w / f**2) for f, w in bands], axis=0))
            s += gain / h * np.cos(h * phase + 0.3 * h)
        start = int(at * rate)
        x[start : start + k] += s / np.abs(s).max() * np.hanning(k) ** 0.5 * rng.uniform(0.5, 1.0)
        at += length
        if rng.random() < 0.6:
            k = int(rng.uniform(0.05, 0.09) * rate)
            hiss = np.diff(rng.standard_normal(k + 1)) * 0.05 * np.hanning(k)
            x[int(at * rate) : int(at * rate) + k] += hiss[: n - int(at * rate)]
            at += k / rate
        if rng.random() < 0.3:
            at += rng.uniform(0.12, 0.2)
    x = 0.3 * x / np.abs(x).max() + 2e-4 * rng.standard_normal(n)
    x.setflags(write=False)
    return x


def sound_chunks(x, rate=RATE, cuts=(), start_ns=0):
    """Chunks of a sound, cut where told."""
    info = StreamInfo("phone.audio", spec("audio", Fraction(rate)), "phone")
    time = TimeMap.uniform(start_ns, Fraction(rate))
    edges = [0, *sorted(cuts), len(x)]
    return info, [Chunk(info, 0, a, x[a:b], time) for a, b in pairwise(edges) if b > a]


def rows_of(x, rate=RATE, cuts=()):
    """Chunks of rows that the front end makes."""
    info, chunks = sound_chunks(x, rate, cuts)
    front = VoiceFrontEnd(info)
    out = [c for chunk in chunks for c in front.push(chunk)]
    return front.info, out + front.close()


def recording_of(x, rate=RATE):
    """A recording of a sound's rows."""
    info, rows = rows_of(x, rate)
    return Recording("S", {info.id: Stream.from_chunks(info, rows)})
