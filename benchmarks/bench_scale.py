"""Synthetic participants on one and on two workers: speed, memory of a worker, and a worker killed in the middle.

Floors: 1 → 2 workers 1.6 times as fast; a worker's peak memory at most 2 GB, and while it extracts no larger with more
participants; a worker killed in the middle costs no result. Each participant is made (ECG, EDA, temperature) and
extracted on a worker; then folds run over everybody's windows.

python benchmarks/bench_scale.py                                           small
python benchmarks/bench_scale.py --people 60 --minutes 60                  the ratio, hours
python benchmarks/bench_scale.py --people 2000 --minutes 60 --once 2       one run of a study's size on two workers
python benchmarks/bench_scale.py --people 50,500 --minutes 60 --once 2     memory against participants
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
    time.sleep(0.05)  # so that every worker is asked, not the fastest alone
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


@dataclass(frozen=True, slots=True)
class Done:
    """One run: seconds of features and of all, a worker's peak memory (GB) after features and after all, and figures."""

    features_s: float
    all_s: float
    features_gb: float
    all_gb: float
    body: dict


def run(workers, n, options, murder=""):
    with cluster(1 if options.scheduler else workers, options.scheduler) as crew:
        list(crew.map(memory, None, range(4 * workers)))
        begun = time.monotonic()
        lines = list(read_lines(people(n, options.minutes, murder), STRESS, lambda _: None, crew))
        features = time.monotonic() - begun
        extracting = max(crew.map(memory, None, range(4 * workers)))
        print(f"  {n} participants on {workers}: features {features:.0f} s, worker {extracting:.2f} GB", flush=True)
        begun_folds = time.monotonic()
        splits = grouped_k_fold(Cohort(lines, "synthetic"), options.folds, 0)
        folds = list(evaluate(splits, STRESS, {}, Plan(draws=0), crew))
        took = features + time.monotonic() - begun_folds
        peak = max(crew.map(memory, None, range(4 * workers)))
        return Done(features, took, extracting, peak, result(folds, STRESS, {}, plan=Plan(draws=0)))


def once(workers, options):
    """Runs of several sizes, for their memory."""
    good = True
    for n in options.people:
        done = run(workers, n, options)
        hours = n * options.minutes / 60.0
        print(f"{n} participants, {hours:.0f} h, {workers} workers: features {done.features_s:.0f} s, with "
              f"{options.folds} folds {done.all_s:.0f} s; peak memory of a worker {done.features_gb:.2f} GB in features, "
              f"{done.all_gb:.2f} GB in folds (floor {MOST_GB}); balanced accuracy "
              f"{done.body['figures']['rest']['balanced_accuracy']:.3f}", flush=True)
        good = good and done.all_gb <= MOST_GB
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=lambda text: [int(n) for n in text.split(",")], default=[24])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--scheduler", default="", metavar="ADDRESS", help="with --once: whose workers do the work")
    parser.add_argument("--once", type=int, default=0, metavar="WORKERS")
    options = parser.parse_args()
    print(f"{options.minutes:g} min each; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    if options.once:
        return once(options.once, options)
    n = options.people[0]
    one, two, few = run(1, n, options), run(2, n, options), run(2, max(8, n // 4), options)
    with tempfile.TemporaryDirectory() as folder:
        killed = run(2, n, options, str(Path(folder) / "killed"))
    print(f"{n} participants: 1 worker {one.all_s:.1f} s (features {one.features_s:.1f}), 2 workers {two.all_s:.1f} s "
          f"({two.features_s:.1f}): {one.all_s / two.all_s:.2f} times, features {one.features_s / two.features_s:.2f} "
          f"(floor {FASTER})")
    print(f"peak memory of a worker: features {two.features_gb:.2f} GB, with a quarter of the people {few.features_gb:.2f}; "
          f"folds {two.all_gb:.2f} GB, with a quarter {few.all_gb:.2f} (floor {MOST_GB})")
    print(f"same figures on 1 and 2: {one.body == two.body}; with a worker killed in the middle: {one.body == killed.body}")
    good = one.body == two.body == killed.body and two.all_gb <= MOST_GB
    return good and one.all_s / two.all_s >= FASTER


if __name__ == "__main__":
    sys.exit(not main())
