"""CPU of a voice: sound to rows, rows to features, against Praat's pitch and harmonicity on the same sound.

    python benchmarks/bench_voice.py [--seconds 60] [--repeats 3]

Process time on one thread. The whole set must run at 75 times real time or faster; where the machine is busy or slow,
the ratio to Praat (two of its measures only) says more.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from feltsense.session import extract
from voice_sounds import RATE, recording_of, utterance

FLOOR = 75.0


def ours(x):
    a = time.process_time()
    recording = recording_of(x)
    b = time.process_time()
    list(extract(recording, window=5.0, hop=5.0, modalities=["voice"]))
    return b - a, time.process_time() - b


def praats(x):
    import parselmouth

    sound = parselmouth.Sound(x, float(RATE))
    a = time.process_time()
    sound.to_pitch_ac(time_step=0.01, pitch_floor=60, pitch_ceiling=600)
    sound.to_harmonicity_cc(time_step=0.01, minimum_pitch=60)
    return time.process_time() - a


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seconds", type=int, default=60)
    p.add_argument("--repeats", type=int, default=3)
    args = p.parse_args()
    x = np.concatenate([utterance(5.0, 110.0 + 7 * k, k) for k in range(args.seconds // 5)])
    seconds = len(x) / RATE
    ours(x[: 5 * RATE])
    rows, features = (statistics.median(t) for t in zip(*(ours(x) for _ in range(args.repeats)), strict=True))
    out = {
        "seconds": seconds,
        "rows_x_real_time": round(seconds / rows, 1),
        "features_x_real_time": round(seconds / features, 1),
        "all_x_real_time": round(seconds / (rows + features), 1),
        "floor_x_real_time": FLOOR,
    }
    try:
        out["times_praat_pitch_and_hnr"] = round((rows + features) / praats(x), 2)
    except ImportError:
        out["times_praat_pitch_and_hnr"] = None
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
