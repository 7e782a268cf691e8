"""One core of a phone: camera at 15 fps, voice, ECG, EDA, PPG and fusion at once, with the shipped model.

    python benchmarks/bench_phone.py [--seconds 120]

What a phone does in a session, in real time's order: frames of 640 × 480 become rows, sound becomes rows, all sensors become
windows of 60 s every 5 s, and the shipped bundle gives its estimates. Simulated signals; process time on one thread, so that
a busy machine changes little. At least 60 % of the core must be left. Making the pictures and the sound is not counted.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import face_cases as faces
from feltsense import Pipeline, Session, load_bundle, participant
from feltsense.core.chunk import Chunk, StreamInfo
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.dsp.voice import VoiceFrontEnd
from feltsense.vision import FaceReader, camera_stream
from voice_sounds import RATE, utterance

FPS, HOP, WINDOW = 15, 5.0, 60.0
MOST_PERCENT = 40.0
CAMERA_MS = 8.0


class Watch:
    """CPU seconds by part."""

    def __init__(self):
        self.seconds = defaultdict(float)

    def __call__(self, part, work, *args):
        begin = time.process_time()
        out = work(*args)
        self.seconds[part] += time.process_time() - begin
        return out


def frames(seconds):
    """Frames as a camera gives them: ten seconds of a face, over and over."""
    import cv2

    cv2.setNumThreads(1)
    some = []
    for f in faces.video(faces.times(min(seconds, 10), FPS)):
        wide = np.full((480, 640, 3), 90, np.uint8)
        wide[:, 140:500] = cv2.resize(f, (360, 480))
        some.append(wide)
    return some


def sensors(seconds):
    """Chunks of a second of a simulated participant, by the second in which they come."""
    recording = participant(seed=1, minutes=10)
    wanted = {k: v for k, v in recording.infos().items() if not k.endswith(".acc")}
    begin = recording.start_ns
    due = defaultdict(list)
    for chunk in recording.chunks(1.0):
        second = int((chunk.last_ns - begin) // NS)
        if chunk.stream.id in wanted and second < seconds:
            due[second].append(chunk)
    return wanted, due, begin


def play(seconds):
    watch = Watch()
    pictures = frames(seconds)
    sound = np.concatenate([utterance(5.0, 110.0 + 7 * k, k) for k in range(-(-seconds // 5))])
    wanted, due, begin = sensors(seconds)
    rate = Fraction(RATE)
    microphone = StreamInfo("phone.audio", spec("audio", rate), "phone")
    reader, ear = FaceReader(camera_stream(FPS)), VoiceFrontEnd(microphone)
    streams = {**wanted, reader.info.id: reader.info, ear.info.id: ear.info}
    modalities = ["face", "voice", "ecg", "skin_temperature"]
    pipeline = Pipeline(streams, window=WINDOW, hop=HOP, modalities=modalities, start_ns=begin)
    session = Session(wanted, load_bundle(), hop=HOP, start_ns=begin)
    heard = TimeMap.uniform(begin, rate)
    windows = answers = 0
    for second in range(seconds):
        for k in range(FPS):
            t = begin + second * NS + round(k * NS / FPS)
            row = watch("camera: frames to rows", reader.push, pictures[(second * FPS + k) % len(pictures)], t)
            windows += len(watch("windows of face, voice, ECG", pipeline.push, row))
        for a in range(second * RATE, (second + 1) * RATE, RATE // 10):
            piece = Chunk(microphone, 0, a, sound[a : a + RATE // 10, None], heard)
            for rows in watch("voice: sound to rows", ear.push, piece):
                windows += len(watch("windows of face, voice, ECG", pipeline.push, rows))
        for chunk in due[second]:
            windows += len(watch("windows of face, voice, ECG", pipeline.push, chunk))
            answers += len(watch("EDA, PPG, fusion, estimate", session.push, chunk))
    return watch.seconds, windows, answers


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seconds", type=int, default=120)
    args = p.parse_args()
    spent, windows, answers = play(args.seconds)
    share = {part: round(100.0 * s / args.seconds, 2) for part, s in spent.items()}
    total = 100.0 * sum(spent.values()) / args.seconds
    frame = 1e3 * spent["camera: frames to rows"] / (args.seconds * FPS)
    out = {
        "seconds": args.seconds,
        "percent_of_one_core": share,
        "all_percent": round(total, 2),
        "left_percent": round(100.0 - total, 2),
        "floor_left_percent": 100.0 - MOST_PERCENT,
        "camera_ms_a_frame": round(frame, 2),
        "most_ms_a_frame": CAMERA_MS,
        "windows": windows,
        "estimates": answers,
    }
    print(json.dumps(out, indent=1))
    if total > MOST_PERCENT:
        sys.exit("less than 60 % of the core is left")


if __name__ == "__main__":
    main()
