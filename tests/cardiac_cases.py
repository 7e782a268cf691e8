"""Recordings with known beats: synthetic ECG and pulse waves, and the shared real ones."""

from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from feltsense.core.chunk import StreamInfo
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import TimeMap
from feltsense.session import extract

T0 = 1_700_000_000_000_000_000
MITDB_HZ = 360
BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
"""PhysioNet's annotation codes that stand for a beat."""


def one_stream(kind, values, rate, start_ns=T0, device="dev"):
    """A stream without gaps."""
    info = StreamInfo(f"{device}.{kind}", spec(kind, rate))
    values = np.asarray(values, float)
    time = TimeMap.uniform(start_ns, info.spec.rate)
    return Stream(info, (Segment(values[:, None] if values.ndim == 1 else values, time),))


def recording(*streams):
    return Recording("S00", {s.info.id: s for s in streams})


def beat_times(seconds, seed=0, mean=0.85, spread=0.03):
    """Beat times with a respiratory swing and some noise, s."""
    rng = np.random.default_rng(seed)
    t = [0.6]
    while t[-1] < seconds:
        t.append(t[-1] + mean + 0.04 * np.sin(2 * np.pi * 0.25 * t[-1]) + spread * rng.normal())
    return np.array(t[:-1])


def synthetic_ecg(times, seconds, rate, noise=0.01, seed=0):
    """P, QRS and T waves as Gaussians at the beat times, mV."""
    t = np.arange(int(seconds * rate)) / rate
    x = noise * np.random.default_rng(seed).normal(size=len(t)) + 0.1 * np.sin(2 * np.pi * 0.2 * t)
    for height, at, width in (
        (0.12, -0.16, 0.02),
        (-0.15, -0.03, 0.01),
        (1.2, 0.0, 0.011),
        (-0.2, 0.03, 0.01),
        (0.25, 0.25, 0.04),
    ):
        for b in times:
            x += height * np.exp(-0.5 * ((t - b - at) / width) ** 2)
    return x


def synthetic_ppg(times, seconds, rate, noise=0.5, seed=0):
    """A systolic and a dicrotic wave after each beat, device counts."""
    t = np.arange(int(seconds * rate)) / rate
    x = noise * np.random.default_rng(seed).normal(size=len(t)) + 20 * np.sin(2 * np.pi * 0.2 * t)
    for height, at, width in ((100.0, 0.30, 0.09), (35.0, 0.60, 0.10)):
        for b in times:
            x += height * np.exp(-0.5 * ((t - b - at) / width) ** 2)
    return x


def mitdb(folder: Path, name, rate):
    """First lead at `rate` Hz, and the annotated beats in s."""
    import wfdb

    path = str(folder / "mitdb" / name)
    x = wfdb.rdrecord(path).p_signal[:, 0]
    notes = wfdb.rdann(path, "atr")
    beats = notes.sample[[s in BEATS for s in notes.symbol]] / MITDB_HZ
    return (x if rate == MITDB_HZ else resample_poly(x, rate // 10, MITDB_HZ // 10)), beats


def e4(folder: Path, subject):
    """PPG and acceleration of one of the shared wrist recordings."""
    streams = []
    for name, kind, scale in (("BVP", "ppg", 1.0), ("ACC", "acc", 1 / 64)):
        rows = np.loadtxt(folder / "stress-predict" / subject / f"{name}.csv", delimiter=",", ndmin=2)
        streams.append(one_stream(kind, rows[2:] * scale, rows[1, 0], int(rows[0, 0] * 1e9), "e4"))
    return recording(*streams)


def table(rec, modality, window=60.0, hop=5.0, items=None):
    """Windows, values by name, qualities and reasons of one modality."""
    out = list(extract(rec, window=window, hop=hop, modalities=[modality], items=items))
    names = out[0][1].schema.specs
    values = np.array([v.values for _, v in out])
    quality = np.array([v.quality[0] for _, v in out])
    return [w for w, _ in out], {s.name: values[:, i] for i, s in enumerate(names)}, quality, [v for _, v in out]


def matched(found, truth, tolerance):
    """Share of `truth` that has something of `found` within the tolerance."""
    at = np.clip(np.searchsorted(found, truth), 1, len(found) - 1)
    return np.mean(np.minimum(np.abs(found[at] - truth), np.abs(found[at - 1] - truth)) <= tolerance)


def e4_eda(folder: Path, subject):
    """EDA of one of the shared wrist recordings."""
    rows = np.loadtxt(folder / "stress-predict" / subject / "EDA.csv", delimiter=",", ndmin=2)
    return recording(one_stream("eda", rows[2:], rows[1, 0], int(rows[0, 0] * 1e9), "e4"))
