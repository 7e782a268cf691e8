"""One window through the shipped model: onnxruntime and numpy, one thread, beside what they must keep to.

usage: python benchmarks/bench_model.py [WINDOWS]

Each window goes through alone, as in a live session. Prints the median and the 99th percentile in milliseconds, the
floor, the time to load, and the size. The alternative is the same model in numpy; ratios are of medians of one run.
Exit code 1 where a floor is missed.
"""

from __future__ import annotations

import sys
import time
from dataclasses import fields

import numpy as np

from feltsense import bundle
from feltsense.bundle.run import Inputs, Runner
from feltsense.bundle.schema import Model

WINDOWS = 3000
WARM = 50
FLOORS_MS = {"onnxruntime": 1.0, "numpy": 10.0}
"""99th percentile of one window on one thread."""
MOST_BYTES = 1_000_000


def rows(model: Model, n: int) -> list[Inputs]:
    """Windows of somebody half an hour into a session, some of them with a modality missing."""
    rng = np.random.default_rng(0)
    x = np.exp(rng.normal(0, 0.5, (n, len(model.features))))
    x[rng.random(n) < 0.1, : len(model.features) // 2] = np.nan
    quality = rng.uniform(0.0, 1.0, (n, len(model.modalities)))
    whole = Inputs.of(model, x, quality, (np.ones(x.shape[1]), np.full(x.shape[1], 270.0)))
    seen = rng.gamma(0.5, 75.0, whole.seen.shape)
    parts = {f.name: getattr(whole, f.name) for f in fields(Inputs)} | {"seen": seen}
    return [Inputs(**{k: v[i : i + 1] for k, v in parts.items()}) for i in range(n)]


def timed(runner: Runner, windows: list[Inputs]) -> np.ndarray:
    """Milliseconds of each window; processor time, so that a busy machine does not count."""
    for w in windows[:WARM]:
        runner.run(w)
    out = np.empty(len(windows))
    for i, w in enumerate(windows):
        start = time.thread_time_ns()
        runner.run(w)
        out[i] = (time.thread_time_ns() - start) / 1e6
    return out


def main() -> int:
    """Measure and print."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else WINDOWS
    size = bundle.shipped()["stress"].stat().st_size
    missed = size > MOST_BYTES
    print(f"bundle {size / 1000:.0f} kB (at most {MOST_BYTES / 1000:.0f})")
    medians = {}
    for name, floor in FLOORS_MS.items():
        start = time.process_time()
        loaded = bundle.load(runner=name)
        load = time.process_time() - start
        took = timed(loaded.runner, rows(loaded.model, n))
        p50, p99 = np.percentile(took, [50, 99])
        medians[name] = p50
        missed |= p99 > floor
        print(f"{name:12s} p50 {p50:.3f} ms, p99 {p99:.3f} ms (at most {floor:g}), loading {1000 * load:.0f} ms")
    print(f"onnxruntime {medians['numpy'] / medians['onnxruntime']:.1f} times as fast as numpy")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
