"""Device time to session time, four ways, on a seeded corpus whose truth is known.

Corpus: a frame of 73 samples at 130 Hz for two hours; the crystal is 35 ppm off and wanders another 5 ppm; a frame takes
8 ms, plus up to 45 ms, plus for one in twenty an exponential tail of 150 ms; an absence of 400 s and a reset of the
device's clock. Errors are those of frames, after a warm-up of 6 minutes (also after the reset), about their own mean.

    python benchmarks/bench_clock.py [seeds]
"""

import math
import sys

import numpy as np

from feltsense.core.clock_map import ClockMap
from feltsense.core.timeline import NS, to_ns

STEP = 73 / 130
SECONDS, RESET_S, AWAY, WARM_S = 7200.0, 4000.0, (1000.0, 1400.0), 360.0
BASE_S, INTERVAL_S, TAIL_S, TAIL_SHARE = 0.008, 0.045, 0.150, 0.05


def corpus(seed):
    """True time, device time, arrival and the part (before or after the reset) of every frame."""
    rng = np.random.default_rng(seed)
    truth = np.arange(1, int(SECONDS / STEP) + 1) * STEP
    device = truth * (1 + 35e-6) + 5e-6 * 3600 / (2 * math.pi) * (1 - np.cos(2 * math.pi * truth / 3600))
    delay = BASE_S + rng.uniform(0, INTERVAL_S, len(truth))
    delay += np.where(rng.random(len(truth)) < TAIL_SHARE, rng.exponential(TAIL_S, len(truth)), 0)
    keep = (truth < AWAY[0]) | (truth > AWAY[1])
    truth, device, delay = truth[keep], device[keep], delay[keep]
    after = truth > RESET_S
    return truth, np.where(after, device - RESET_S, device), truth + delay, after


def envelope(device, arrival, after):
    clock, out, previous = ClockMap(), [], False
    for d, a, part in zip(device, arrival, after, strict=True):
        if part != previous:
            clock.reset()
        previous = part
        out.append(clock.update(to_ns(float(d)), to_ns(float(a))))
    return np.array([m.t_ns for m in out]) / NS, np.array([m.unc_ns for m in out]) / NS


def recursive(device, arrival, half=90.0):
    """Arrival against device time by recursive least squares with forgetting, as lab recorders smooth time stamps."""
    forget = 2 ** (-STEP / half)
    origin_d, origin_a = device[0], arrival[0]
    weights, p, out = np.array([0.0, 1.0]), np.eye(2) * 1e6, []
    for d, a in zip(device - origin_d, arrival - origin_a, strict=True):
        x = np.array([1.0, d])
        gain = p @ x / (forget + x @ p @ x)
        weights = weights + gain * (a - weights @ x)
        p = (p - np.outer(gain, x @ p)) / forget
        out.append(origin_a + weights @ x)
    return np.array(out)


def main():
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
    rows = {}
    for seed in seeds:
        truth, device, arrival, after = corpus(seed)
        warm = ((truth > WARM_S) & ~after) | (truth > RESET_S + WARM_S)
        mapped, unc = envelope(device, arrival, after)
        halves = [recursive(device[part], arrival[part]) for part in (~after, after)]
        fixed = np.concatenate([device[part] + (arrival - device)[part][0] for part in (~after, after)])
        ways = {"arrival time": arrival, "first offset": fixed, "RLS, half time 90 s": np.concatenate(halves),
                "ClockMap": mapped}  # fmt: skip
        for name, t in ways.items():
            error = (t - truth)[warm]
            covered = (np.abs(t - truth - BASE_S) <= unc).mean() if name == "ClockMap" else math.nan
            back = int((np.diff(t) <= 0).sum())
            worst = np.abs(error - error.mean()).max()
            rows.setdefault(name, []).append((error.mean() * 1e3, error.std() * 1e3, worst * 1e3, covered * 100, back))
    print(f"{'way':<22}{'mean ms':>9}{'sd ms':>9}{'worst ms':>10}{'covered %':>11}{'steps back':>12}")
    for name, figures in rows.items():
        mean, sd, worst, covered, back = np.array(figures).T
        share = "" if np.isnan(covered).any() else f"{covered.min():.2f}"
        print(f"{name:<22}{mean.mean():>9.1f}{sd.max():>9.2f}{worst.max():>10.2f}{share:>11}{int(back.sum()):>12}")


if __name__ == "__main__":
    main()
