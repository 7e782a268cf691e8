"""Batch: hours of 130 Hz ECG whose features are computed in one second of CPU, 60 s windows, one every second.

    python benchmarks/bench_batch.py [--hours 4] [--repeats 3]

Feature set: all of ECG (19 in the time domain and about the window, HF; LF and entropies need longer windows), quality
and reasons. Process time on one thread, the best of the repeats (others use the machine, too). In the same run: the
floor (blockwise filter and detector alone, nothing else), the stream over half an hour of it, and a plain zero-phase
filter over the whole record. The record is synthetic with a rhythm that varies; with FELTSENSE_DATA it is MIT-BIH 100,
whose ectopic beats cost more.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfiltfilt

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from cardiac_cases import beat_times, mitdb, one_stream, recording, synthetic_ecg
from feltsense.batch import Batch
from feltsense.dsp.blocks import samples
from feltsense.features import _batch_beats, _beats
from feltsense.session import extract

RATE, WINDOW, HOP = 130, 60.0, 1.0


def signal(hours):
    data = os.environ.get("FELTSENSE_DATA")
    if data:
        piece, name = mitdb(Path(data), "100", RATE)[0], "MIT-BIH 100"
    else:
        piece, name = synthetic_ecg(beat_times(900), 900, RATE), "synthetic"
    n = round(hours * 3600 * RATE)
    return np.tile(piece, -(-n // len(piece)))[:n], name


def best(work, repeats):
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def floor(x):
    block = samples(_beats.BLOCK_SECONDS, RATE)
    clean, excess = _batch_beats._filtered(x, RATE, block)
    _batch_beats._peaks(clean, excess > 0.0, RATE, block)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=4.0)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    x, name = signal(args.hours)
    rec, short = recording(one_stream("ecg", x, RATE)), recording(one_stream("ecg", x[: 1800 * RATE], RATE))
    sos = butter(5, 0.5, "highpass", fs=RATE, output="sos")
    batch = Batch(rec, modalities=["ecg"])
    seconds = {
        "batch": best(lambda: Batch(rec, modalities=["ecg"]).table(window=WINDOW, hop=HOP), args.repeats),
        "another window and hop of the same batch": best(lambda: batch.table(window=30.0, hop=HOP), args.repeats),
        "floor: filter and detector alone": best(lambda: floor(x), args.repeats),
        "plain zero-phase filter of the whole record": best(lambda: sosfiltfilt(sos, x), args.repeats),
    }
    stream = best(lambda: sum(1 for _ in extract(short, window=WINDOW, hop=HOP, modalities=["ecg"])), 1)
    per_s = {k: round(args.hours / v, 2) for k, v in seconds.items()} | {"stream": round(0.5 / stream, 3)}
    result = {
        "record": name,
        "hours": args.hours,
        "load_average": round(os.getloadavg()[0], 1),
        "hours_per_cpu_second": per_s,
        "batch_over_floor": round(seconds["batch"] / seconds["floor: filter and detector alone"], 2),
        "batch_over_stream": round(per_s["batch"] / per_s["stream"], 1),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
