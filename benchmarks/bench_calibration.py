"""What a few labels of a person's own are worth, and for how many people a set holds the truth: 500 made-up people.

Each has 600 windows in blocks of a state, in chronological order, and is read by a model that is right but for this
person's border and sureness. The first windows are labelled, both classes among them; the 580 after them are judged.

Limits: after 20 labels the mean per-user calibration error is at most .02 above that of a perfect model, the floor; with
fewer labels it is never above that without any (paired over people, upper end of the 95 % interval); of new people at
most 5 % are covered in less than 80 % by sets at 90 %, whose limit was told on 20 or 60 others.

``python benchmarks/bench_calibration.py [PEOPLE [SEEDS]]``
"""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from calibration_people import LABELS, inside, one_covered, one_error
from feltsense.cli._progress import progress
from feltsense.train.stacking import _plausible

COUNTS = (2, 4, 6, 8, 10, 12, 16, 20)
"""Numbers of labels; the first eight windows are rest, so that of up to eight all are of one class."""
KNOWN = (20, 60)
ABOVE, BELOW_80, Z_95 = 0.02, 0.05, 1.96


def row(name, value, limit, holds):
    sys.stdout.write(f"{name:58} {value:>22}   {limit:24} {'holds' if holds else 'MISSED'}\n")
    return holds


def labels(people, seed):
    """After so many labels: the error of each, its distance from the floor, and whether it is ever worse."""
    rng = np.random.default_rng(seed)
    todo = progress(range(people), people, f"labels, seed {seed}")
    found = np.array([one_error(rng, COUNTS) for _ in todo])
    mean = found.mean(axis=0)
    shown = ", ".join(f"{n}: {e:.4f}" for n, e in zip((0, *COUNTS), mean[:-1], strict=True))
    sys.stdout.write(f"\nseed {seed}: per-user calibration error after so many labels: {shown}; perfect: {mean[-1]:.4f}\n")
    above = float(mean[-2] - mean[-1])
    good = row("after 20 labels, above a perfect model", f"{above:+.4f}", f"at most {ABOVE:.2f}", above <= ABOVE)
    worse = found[:, 1:-1] - found[:, :1]
    top = worse.mean(axis=0) + Z_95 * worse.std(axis=0, ddof=1) / np.sqrt(people)
    most = float(top.max())
    return good & row("any number of labels over none, upper end", f"{most:+.4f}", "at most 0", most <= 0.0)


def sets(people, seed):
    """People whose windows are covered in less than 80 %."""
    good = True
    for known in KNOWN:
        for own in (0, LABELS):
            rng = np.random.default_rng([seed, known, own])
            told = [one_covered(rng, own) for _ in range(known)]
            owner = np.repeat(np.arange(known).astype(str), [len(y) for _, y in told])
            limit = _plausible(np.concatenate([p for p, _ in told]), np.concatenate([y for _, y in told]), owner)
            cover, size = [], []
            for _ in progress(range(people), people, f"sets told on {known}"):
                p, y = one_covered(rng, own)
                there = inside(p, limit)
                cover.append(there[np.arange(len(y)), y].mean())
                size.append(there.sum(axis=1).mean())
            low = float((np.array(cover) < 0.8).mean())
            name = f"sets told on {known} people, {own} labels: below 80 %"
            value = f"{low:.1%}, {np.mean(size):.2f} classes"
            good &= row(name, value, f"at most {BELOW_80:.0%} of people", low <= BELOW_80)
    return good


def main():
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    begin = time.process_time()
    good = True
    for seed in range(seeds):
        good &= labels(people, seed) & sets(people, seed)
    sys.stdout.write(f"\n{people} people, {seeds} seeds: {time.process_time() - begin:.0f} s of CPU\n")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
