"""A bundle as it answers: one window at a time on one thread, with both runners, and every modality's Shapley value.

Limits (the floor is printed beside each): batch 1 at the 99th percentile 1 ms with onnxruntime and 10 ms with numpy,
Shapley values of six modalities 3 ms with an efficiency error of 1e-6, the file 1 MB; numpy answers where onnx,
onnxruntime and protobuf cannot be imported. Times are the thread's own: what other programs take of a busy machine is
not the model's. Models: the shipped one, and one of six modalities with linear, neural and
boosted experts and a joint part, which is the largest that training makes.
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import fields
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from bundle_models import six_modalities
from feltsense import bundle
from feltsense.bundle import parity
from feltsense.bundle.run import Inputs
from feltsense.bundle.write import write
from feltsense.fusion.shapley import shapley

CALLS = 2000
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("onnx", "onnxruntime", "google"):
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Blocked())
import numpy as np
from feltsense import bundle
from feltsense.bundle.run import Inputs
for path in sys.argv[1:]:
    loaded = bundle.load(path)
    model = loaded.model
    out = loaded.runner.run(Inputs.of(model, np.zeros((1, len(model.features))), np.ones((1, len(model.modalities)))))
    print(loaded.runner.name, np.isfinite(out.probability).all())
"""


def one(rows, i):
    return Inputs(*(getattr(rows, f.name)[i : i + 1] for f in fields(Inputs)))


def timed(call, items):
    out = np.empty(len(items))
    for i, item in enumerate(items):
        begin = time.thread_time_ns()
        call(item)
        out[i] = (time.thread_time_ns() - begin) / 1e6
    return out


def line(name, value, limit, unit):
    verdict = "ok" if value <= limit else "TOO MUCH"
    print(f"{name:54s} {value:10.3g} {unit:3s} limit {limit:g}  {verdict}")
    return value <= limit


def judged(name, path):
    ok = line(f"{name}: file", Path(path).stat().st_size / 1e6, 1.0, "MB")
    medians = {}
    for runner, limit in (("onnxruntime", 1.0), ("numpy", 10.0)):
        loaded = bundle.load(path, runner)
        rows = parity.rows(loaded.model)
        items = [one(rows, i % len(rows.x)) for i in range(CALLS)]
        timed(loaded.runner.run, items[:100])
        took = timed(loaded.runner.run, items)
        medians[runner] = float(np.median(took))
        ok &= line(f"{name}: {runner}, 99th percentile of {CALLS}", float(np.quantile(took, 0.99)), limit, "ms")
        if loaded.model.modalities == ("ppg", "eda"):
            continue
        values = []
        took = timed(lambda item, r=loaded.runner, v=values: v.append(shapley(r, item, 0)), items[:300])
        medians[f"{runner} Shapley"] = float(np.median(took))
        out = loaded.runner.run(rows).logit[:, 0]
        base = loaded.model.fusion.base[0]
        worst = max(abs(v.sum() - (out[i % len(out)] - base)) for i, v in enumerate(values))
        ok &= line(f"{name}: {runner}, Shapley, efficiency error", worst, 1e-6, "")
        if runner == "onnxruntime":
            ok &= line(f"{name}: {runner}, Shapley of six, median of 300", medians[f"{runner} Shapley"], 3.0, "ms")
    print(f"{name}: medians in ms: " + ", ".join(f"{k} {v:.3f}" for k, v in medians.items()))
    print(f"{name}: numpy takes {medians['numpy'] / medians['onnxruntime']:.1f} times as long as onnxruntime (floor: 10 ms)")
    return ok


def main():
    ok = judged("shipped stress", bundle.shipped()["stress"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "six.feltbundle"
        model, stack = six_modalities()
        write(path, model, "# six modalities", stack)
        ok &= judged("six modalities, joint", path)
        command = [sys.executable, "-c", BLOCKED, str(bundle.shipped()["stress"]), str(path)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    ok &= said == ["numpy", "True"] * 2
    print(f"onnx, onnxruntime and protobuf blocked: {' '.join(said)}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
