"""CPU of the cardiac extractors: 60 s windows every second, as a session pushes them, against NeuroKit2 per window.

    python benchmarks/bench_cardiac.py [--seconds 600] [--repeats 3]

Process time on one thread. The ratio to NeuroKit2's lean path (clean, peaks, time domain; nothing else) is taken in the
same run, on every tenth window of the same signal, so that a slow or busy machine slows both.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from cardiac_cases import beat_times, one_stream, recording, synthetic_ecg, synthetic_ppg
from feltsense.session import extract

WINDOW, HOP, EVERY = 60.0, 1.0, 10
CASES = {"ecg": (130, synthetic_ecg), "ppg": (64, synthetic_ppg)}


def ours(rec, kind):
    start = time.process_time()
    windows = sum(1 for _ in extract(rec, window=WINDOW, hop=HOP, modalities=[kind]))
    return time.process_time() - start, windows


def lean(x, kind, rate):
    """NeuroKit2 on one window: clean, peaks, time domain."""
    import neurokit2 as nk

    if kind == "ecg":
        peaks = nk.ecg_peaks(nk.ecg_clean(x, sampling_rate=rate), sampling_rate=rate)[1]["ECG_R_Peaks"]
    else:
        peaks = nk.ppg_peaks(nk.ppg_clean(x, sampling_rate=rate), sampling_rate=rate)[1]["PPG_Peaks"]
    nk.hrv_time({f"{kind.upper()}_R_Peaks": peaks} if kind == "ecg" else {"PPG_Peaks": peaks}, sampling_rate=rate)


def theirs(x, kind, rate, windows):
    size = int(WINDOW * rate)
    lean(x[:size], kind, rate)  # imports and caches are not counted
    picked = range(0, windows, EVERY)
    start = time.process_time()
    for k in picked:
        a = int(k * HOP * rate)
        lean(x[a : a + size], kind, rate)
    return (time.process_time() - start) / len(picked)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    results = {}
    for kind, (rate, make) in CASES.items():
        x = make(beat_times(args.seconds), args.seconds, rate)
        rec = recording(one_stream(kind, x, rate))
        runs = [ours(rec, kind) for _ in range(args.repeats)]
        cpu, windows = statistics.median(c for c, _ in runs), runs[0][1]
        reference = statistics.median(theirs(np.asarray(x), kind, rate, windows) for _ in range(args.repeats))
        results[kind] = {
            "rate_hz": rate,
            "windows": windows,
            "cpu_us_per_second_of_signal": round(1e6 * cpu / args.seconds),
            "times_real_time": round(args.seconds / cpu),
            "core_percent": round(100 * cpu / args.seconds, 4),
            "neurokit_lean_ms_per_window": round(1e3 * reference, 2),
            "times_less_than_neurokit": round(reference / (cpu / windows), 1),
        }
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
