"""Synthetic participants on one and on two workers: speed, memory of a worker, and a worker killed in the middle.

Floors: 1 → 2 workers 1.6 times as fast; a worker's peak memory at most 2 GB, and no larger with more participants.
Small by default; the size of a study is asked for: python benchmarks/bench_scale.py --people 2000 --minutes 60

Each participant is made (ECG, EDA, temperature) and extracted on the worker; then folds run over everybody's windows.
"""

import argparse
import os
import resource
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from feltsense.datasets.labelled import Labelled, Mark
from feltsense.datasets.synthetic import simulate
from feltsense.evaluate.protocol import Plan, evaluate
from feltsense.evaluate.result import result
from feltsense.train.parallel import cluster, read_lines
from feltsense.train.splits import Cohort, grouped_k_fold
from feltsense.train.targets import target

FASTER, MOST_GB = 1.6, 2.0
STRESS = replace(target("stress", ["rest", "stress"]), modalities=("ecg", "eda"))
KEPT = ("h10.ecg", "board.eda", "board.temp")


@dataclass(frozen=True, slots=True)
class Made(Labelled):
    """A participant who is made where the work is done."""

    minutes: float = 10.0
    murder: str = ""

    def open(self):
        if self.murder and not Path(self.murder).exists():
            Path(self.murder).write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
        made = simulate(int(self.subject), protocol=protocol(self.minutes)).recording
        return replace(made, subject=self.subject, streams={n: s for n, s in made.streams.items() if n in KEPT})


def protocol(minutes):
    left = minutes * 60.0 - 330.0
    blocks = max(2, int(left // 150.0))
    return [("rest", 330.0), *((("stress", "rest")[i % 2], left / blocks) for i in range(blocks))]


def people(n, minutes, murder=""):
    marks, t = [], 0.0
    for label, seconds in protocol(minutes):
        marks.append(Mark(label, t, t + seconds))
        t += seconds
    return [
        Made(f"{i:05d}", Path("synthetic"), tuple(marks), "made", minutes=minutes, murder=murder if i == n // 2 else "")
        for i in range(n)
    ]


def memory(_, __):
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def run(workers, n, options, murder=""):
    with cluster(workers, "") as crew:
        list(crew.map(memory, None, range(2 * workers)))
        begun = time.monotonic()
        lines = list(read_lines(people(n, options.minutes, murder), STRESS, lambda _: None, crew))
        features = time.monotonic() - begun
        peak = max(crew.map(memory, None, range(3 * workers)))
        splits = grouped_k_fold(Cohort(lines, "synthetic"), options.folds, 0)
        folds = list(evaluate(splits, STRESS, {}, Plan(draws=0), crew))
        took = time.monotonic() - begun
        body = result(folds, STRESS, {}, plan=Plan(draws=0))
    return took, features, peak, body


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--folds", type=int, default=4)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{options.people} participants of {options.minutes:g} min; load {load:.1f} on {os.cpu_count()} cores")
    one = run(1, options.people, options)
    two = run(2, options.people, options)
    few = run(2, max(8, options.people // 4), options)
    with tempfile.TemporaryDirectory() as folder:
        killed = run(2, options.people, options, str(Path(folder) / "killed"))
    print(
        f"1 worker {one[0]:.1f} s (features {one[1]:.1f}), 2 workers {two[0]:.1f} s ({two[1]:.1f}): "
        f"{one[0] / two[0]:.2f} times, features {one[1] / two[1]:.2f} (floor {FASTER})"
    )
    print(f"peak memory of a worker {two[2]:.2f} GB, with a quarter of the people {few[2]:.2f} GB (floor {MOST_GB})")
    print(f"same figures on 1 and 2: {one[3] == two[3]}; with a worker killed in the middle: {one[3] == killed[3]}")
    good = one[3] == two[3] == killed[3] and two[2] <= MOST_GB
    return good and one[0] / two[0] >= FASTER


if __name__ == "__main__":
    sys.exit(not main())
