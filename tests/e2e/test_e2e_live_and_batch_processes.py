"""One recording file in four processes, in chunks of a minute down to single samples: the same bits."""

import os
import subprocess
import sys

import pytest

from feltsense import store
from feltsense.datasets.synthetic import participant
from feltsense.testing.strategies import with_gap

_HEAD = """
import hashlib, sys
from feltsense import store
from feltsense.session import extract
from feltsense.testing.strategies import rechunk
rec = store.read(sys.argv[1])
rows = hashlib.sha256()
count = finite = 0
"""
_PLAY = """
for w, v in extract(rec, window=60.0, hop=10.0, items={items}):
    rows.update(repr((w.start_ns, v.schema.names, [x.hex() for x in v.values.tolist()], v.reasons,
                      [q.hex() for q in v.quality.tolist()], v.quality_reasons)).encode())
    count += 1
print(count, rows.hexdigest())
"""
CUTS = {
    "batch": "None",
    "minutes": "rec.items(60.0)",
    "single samples now and then": "rechunk(rec, seed=7)",
    "small": "rechunk(rec, sizes=(1, 2, 40))",
}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("felt") / "p.felt"
    whole = participant(seed=5, protocol=[("rest", 80), ("stress", 70)])
    hurt = with_gap(with_gap(whole, "h10.ecg", 70.0, 71.5), "board.eda", 90.0, 93.0)
    store.write(path, hurt)
    return path


def test_live_and_batch_give_the_same_bits_in_separate_processes(file):
    env = {**os.environ, "PYTHONHASHSEED": "random"}
    told = {
        name: subprocess.run(
            [sys.executable, "-c", _HEAD + _PLAY.format(items=items), str(file)],
            capture_output=True, text=True, check=True, env=env,
        ).stdout
        for name, items in CUTS.items()
    }  # fmt: skip
    assert len(set(told.values())) == 1, told
    assert int(next(iter(told.values())).split()[0]) == 10
