"""Recordings, windows and predictions that the report's tests share; every number in them is made up here."""

import math
from dataclasses import replace

import numpy as np

from feltsense.core.chunk import Gap, GapReason, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.prediction import Prediction
from feltsense.core.profile import RestInterval, UserProfile
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.core.vector import FeatureSchema, FeatureSpec, FeatureVector, Reason
from feltsense.core.window import Windower

T0 = 1_800_000_000 * NS
REST_S = 270.0
MINUTES = 14
SCHEMA = FeatureSchema(
    [
        ("ecg", [FeatureSpec(n, "1", n, "test") for n in ("hr", "rmssd")]),
        ("eda", [FeatureSpec(n, "1", n, "test") for n in ("scl_mean", "scr_rate_05")]),
        ("skin_temperature", [FeatureSpec("mean", "1", "mean", "test")]),
    ]
)


def stream(stream_id, kind, rate, pieces, device="Board 1"):
    """A stream from pieces (start_s, stop_s, gap or None); values are a slow ramp."""
    info = StreamInfo(stream_id, spec(kind, rate), device)
    segments = []
    for number, (a, b, gap) in enumerate(pieces):
        n = round((b - a) * rate)
        values = np.tile(np.linspace(30.0, 31.0, n)[:, None], info.spec.width)
        segments.append(Segment(values, TimeMap.uniform(T0 + round(a * NS), info.spec.rate), gap, number))
    return Stream(info, tuple(segments))


def recording(minutes=MINUTES, events=True, **changes):
    end = minutes * 60.0
    lost = Gap(73, 146, GapReason.LINK)
    away = Gap(1300, 1300, GapReason.DISCONNECT)
    pieces = [(0, 300, None), (300 + 73 / 130, 500, lost), (510, end, away)] if end > 510 else [(0, end, None)]
    streams = {
        "h10.ecg": stream("h10.ecg", "ecg", 130, pieces, "Polar H10"),
        "board.eda": stream("board.eda", "eda", 4, [(2, end, None)]),
        "board.temp": stream("board.temp", "skin_temperature", 4, [(2, end - 60, None)]),
    }
    told = [
        Event(T0, EventKind.LABEL, REST_S, "rest"),
        Event(T0 + 270 * NS, EventKind.LABEL, 300.0, "stress"),
        Event(T0 + 570 * NS, EventKind.LABEL, 270.0, "recovery"),
        Event(T0 + 500 * NS, EventKind.DISCONNECTED, 0.0, "Polar H10"),
        Event(T0 + 510 * NS, EventKind.CONNECTED, 0.0, "Polar H10"),
        Event(T0 + 400 * NS, EventKind.MARKER, 0.0, "button"),
    ]
    subject, streams = changes.get("subject", "P-0042"), changes.get("streams", streams)
    return Recording(subject, streams, tuple(told) if events else (), {"importer": "test"})


def profile(subject="P-0042"):
    return UserProfile(subject, {}, (RestInterval(T0, T0 + round(REST_S * NS)),))


def vectors(minutes=MINUTES, hop=15.0, seed=1):
    """Windows whose features rise after the rest; RMSSD is missing in most windows after minute 8."""
    rng = np.random.default_rng(seed)
    windower = Windower(60.0, hop)
    out = []
    for window in windower.ready(T0, T0 + minutes * 60 * NS):
        t = (window.start_ns - T0) / NS
        load = 1.0 if 255 < t < 560 else 0.2 if t >= 560 else 0.0
        values = np.array([66 + 14 * load, 45 - 18 * load, 3 + 2 * load, 2 + 7 * load, 33.2 - 0.5 * load])
        values += rng.normal(0, [1.0, 3.0, 0.1, 0.6, 0.03])
        reasons = [Reason.OK] * 5
        if t > 480 and rng.random() < 0.8:
            values[1], reasons[1] = math.nan, Reason.ARTEFACT
        if 470 < t < 520:
            values[:2] = math.nan
            reasons[:2] = [Reason.GAP, Reason.GAP]
        out.append((window, FeatureVector(SCHEMA, values, tuple(reasons), np.ones(3), (Reason.OK,) * 3)))
    return out


def predictions(minutes=MINUTES, hop=5.0, target="stress", classes=("rest", "stress")):
    windower = Windower(60.0, hop)
    out = []
    for window in windower.ready(T0, T0 + minutes * 60 * NS):
        t = (window.start_ns - T0) / NS
        p = 0.1 if t < 240 else min(0.93, 0.1 + (t - 240) / 80) if t < 560 else max(0.12, 0.93 - (t - 560) / 90)
        reason, label = "", classes[1] if p > 0.5 else classes[0]
        chosen = classes if 0.3 <= p <= 0.7 else (label,)
        if t < REST_S:
            reason, label = "calibration", ""
        probabilities = {classes[0]: 1 - p, classes[1]: p}
        if 480 < t < 505:
            reason, label, chosen, probabilities = "ecg:gap eda:no_signal", "", (), {}
        logit = math.log(p / (1 - p))
        parts = {"base": -0.2, "ecg": 0.4 * logit, "eda": 0.6 * logit + 0.2, "joint": 0.0}
        out.append(
            Prediction(
                target, window.start_ns, window.stop_ns, probabilities, label, chosen, not label, reason, 0.9,
                {classes[0]: 0.0, classes[1]: logit}, parts, "stress-1 (test)",
            )
        )
    return out


def moved(recording, by, answers=(), subject="synthetic-30"):
    """The recording on another day, with answers."""
    streams = {}
    for k, s in recording.streams.items():
        segments = []
        for x in s.segments:
            t = x.time
            time_map = TimeMap(t.rate, t.index, t.device_ns + by, t.arrival_ns + by, t.t_ns + by, t.unc_ns)
            segments.append(Segment(x.values, time_map, x.gap, x.number))
        streams[k] = Stream(s.info, tuple(segments))
    events = tuple(replace(e, t_ns=e.t_ns + by) for e in recording.events)
    return Recording(subject, streams, events + tuple(answers), recording.metadata)
