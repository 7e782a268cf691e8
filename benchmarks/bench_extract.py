"""Extraction: everybody of Stress-Predict, one process, windows of a minute every 30 s, with the rest they calibrate on.

Floor: twenty people in 60 s of CPU time. Beside it what reading the files alone takes, in the same run.

usage: FELTSENSE_DATA=/folder python benchmarks/bench_extract.py
"""

import os
import sys
import time
from pathlib import Path

from feltsense.datasets import stress_predict
from feltsense.train.examples import read_line
from feltsense.train.parallel import one_thread
from feltsense.train.targets import target

FLOOR_S = 60.0


def main():
    folder = Path(os.environ.get("FELTSENSE_DATA", "")) / "stress-predict"
    if not (folder / "labels.csv").is_file():
        print("left out: set FELTSENSE_DATA to the folder that holds stress-predict/")
        return True
    people = stress_predict.read(folder, "stress", lambda _: None)
    stress = target("stress", ["rest", "stress"])
    reading = extracting = 0.0
    windows = 0
    begun = time.monotonic()
    with one_thread():
        for labelled in people:
            t = time.process_time()
            labelled.open()
            reading += time.process_time() - t
            t = time.process_time()
            windows += len(read_line(labelled, stress, lambda _: None).y)
            extracting += time.process_time() - t
    wall = time.monotonic() - begun
    print(f"{len(people)} people, {windows} windows: {extracting:.1f} s of CPU (floor {FLOOR_S:g}), wall {wall:.0f} s")
    print(f"of it reading the files {reading:.1f} s ({100 * reading / extracting:.0f} %)")
    return extracting <= FLOOR_S


if __name__ == "__main__":
    sys.exit(not main())
