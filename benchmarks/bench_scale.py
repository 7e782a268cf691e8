"""Synthetic participants (ECG, EDA, temperature) on one and on two workers: speed, memory, a worker killed in the middle.

Floors: 1 → 2 workers 1.6 times as fast; a worker's peak memory at most 2 GB and no larger with more participants; a
worker killed in the middle costs no result. Each participant is made and extracted on a worker; then folds run over
everybody's windows. Beside it the limit: how much more two plain processes get done than one, without Dask and with
nothing between them, which is what this machine's cores can give. Workers are started before the clock, as a cluster's are.

python benchmarks/bench_scale.py                                           two minutes: 24 participants of an hour
python benchmarks/bench_scale.py --people 50,500 --once 2                  memory against participants, ten minutes
python benchmarks/bench_scale.py --people 2000 --once 2 --kill --work DIR  a study's size, half an hour; goes on from DIR
"""

import argparse
import os
import resource
import signal
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from feltsense.datasets.labelled import Labelled, Mark
from feltsense.datasets.synthetic import simulate
from feltsense.evaluate.protocol import Plan, evaluate
from feltsense.evaluate.result import result
from feltsense.train.parallel import cluster, one_thread, read_lines
from feltsense.train.resume import Kept
from feltsense.train.splits import Cohort, grouped_k_fold
from feltsense.train.targets import target

FASTER, MOST_GB = 1.6, 2.0
LONG = 200
"""Results from which a run tells how far it is."""
LIMIT = 8
"""Participants of the limit, a process."""
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
    """One run: seconds of features and of folds, a worker's peak memory (GB) after either, and figures."""

    features_s: float
    folds_s: float
    features_gb: float
    folds_gb: float
    body: dict

    @property
    def all_s(self):
        return self.features_s + self.folds_s


def peak(crew, workers):
    return max(crew.map(memory, None, range(4 * workers)))


def run(workers, n, options, murder=""):
    kept = Kept(Path(options.work) / f"{n}") if options.work else None
    with cluster(1 if options.scheduler else workers, options.scheduler) as crew:
        peak(crew, workers)
        begun = time.monotonic()
        watched = counted(f"{n} participants", n)
        lines = list(watched(read_lines(people(n, options.minutes, murder), STRESS, lambda _: None, crew, kept)))
        features = time.monotonic() - begun
        extracting = peak(crew, workers)
        begun = time.monotonic()
        splits = grouped_k_fold(Cohort(lines, "synthetic"), options.folds, 0)
        del lines
        plan = Plan(draws=0, work=kept, watch=lambda items, total, what: counted(what, total)(items))
        folds = list(evaluate(splits, STRESS, {}, plan, crew))
        took = time.monotonic() - begun
        return Done(features, took, extracting, peak(crew, workers), result(folds, STRESS, {}, plan=Plan(draws=0)))


def counted(what, total):
    """A line at every tenth of a long run, for a log."""

    def watch(items):
        begun = time.monotonic()
        for i, item in enumerate(items, 1):
            if total >= LONG and i * 10 // total != (i - 1) * 10 // total:
                print(f"  {what}: {i} of {total} after {time.monotonic() - begun:.0f} s", flush=True)
            yield item

    return watch


def alone(given):
    """Both phases of some people in this process: seconds."""
    n, minutes, folds = given
    begun = time.monotonic()
    with one_thread():
        lines = list(read_lines(people(n, minutes), STRESS, lambda _: None))
        list(evaluate(grouped_k_fold(Cohort(lines, "synthetic"), folds, 0), STRESS, {}, Plan(draws=0)))
    return time.monotonic() - begun


def limit(options):
    """How much more two processes get done at once than one, without Dask and with nothing between them."""
    given = (LIMIT, options.minutes, 2)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        list(pool.map(alone, [(6, options.minutes, 2)] * 2))
        one = pool.submit(alone, given).result()
        begun = time.monotonic()
        list(pool.map(alone, [given, given]))
        return 2.0 * one / (time.monotonic() - begun)


def once(workers, options):
    """Runs of several sizes, for their memory."""
    good = True
    for n in options.people:
        with ExitStack() as stack:
            murder = str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "killed") if options.kill else ""
            done = run(workers, n, options, murder)
            killed = "; a worker was killed in the middle" if murder and Path(murder).exists() else ""
        hours = n * options.minutes / 60.0
        print(f"{n} participants, {hours:.0f} h, {workers} workers: features {done.features_s:.0f} s, "
              f"{options.folds} folds {done.folds_s:.0f} s{killed}; peak memory of a worker {done.features_gb:.2f} GB in "
              f"features, {done.folds_gb:.2f} GB in folds (floor {MOST_GB}); of this process {memory(None, None):.2f} GB; "
              f"{len(done.body['people'])} people judged, balanced accuracy "
              f"{done.body['figures']['rest']['balanced_accuracy']:.3f}", flush=True)
        good = good and done.folds_gb <= MOST_GB and len(done.body["people"]) == n
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=lambda text: [int(n) for n in text.split(",")], default=[24])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--scheduler", default="", metavar="ADDRESS", help="with --once: whose workers do the work")
    parser.add_argument("--once", type=int, default=0, metavar="WORKERS", help="one run of each size, for its memory")
    parser.add_argument("--kill", action="store_true", help="with --once: kill a worker in the middle")
    parser.add_argument("--work", default="", metavar="DIR", help="with --once: keep what is done, and go on from it")
    options = parser.parse_args()
    print(f"{options.minutes:g} min each; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    if options.once:
        return once(options.once, options)
    options.work = ""
    n, most = options.people[0], limit(options)
    print(f"limit: two plain processes get {most:.2f} times as much done as one", flush=True)
    one, two = run(1, n, options), run(2, n, options)
    with tempfile.TemporaryDirectory() as folder:
        killed = run(2, n, options, str(Path(folder) / "killed"))
    ratio = one.all_s / two.all_s
    print(f"{n} participants: 1 worker {one.all_s:.1f} s (features {one.features_s:.1f}), 2 workers {two.all_s:.1f} s "
          f"({two.features_s:.1f}): {ratio:.2f} times, features {one.features_s / two.features_s:.2f}, folds "
          f"{one.folds_s / two.folds_s:.2f} (floor {FASTER}; limit {most:.2f})")
    print(f"peak memory of a worker: features {two.features_gb:.2f} GB, folds {two.folds_gb:.2f} GB (floor {MOST_GB})")
    print(f"same figures on 1 and 2: {one.body == two.body}; with a worker killed in the middle: {one.body == killed.body}")
    return one.body == two.body == killed.body and two.folds_gb <= MOST_GB and ratio >= FASTER


if __name__ == "__main__":
    sys.exit(not main())
