"""What cannot be judged is refused, or said in the report, with the reason."""

import json
from dataclasses import replace

import pytest

import feltsense
from feltsense.cli import main
from feltsense.datasets.synthetic import simulate

SPANS = (("rest", 0, 330), ("stress", 330, 480), ("rest", 480, 570))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four people with skin conductance alone; one of them at half the rate."""
    root = tmp_path_factory.mktemp("study")
    for i in range(4):
        made = simulate(i, protocol=[("rest", 330.0), ("stress", 150.0), ("rest", 120.0)]).recording
        stream = made.streams["board.eda"]
        if i == 3:
            (whole,) = stream.segments
            info = replace(stream.info, spec=feltsense.spec("eda", 2))
            values = whole.values[::2].copy()
            values.setflags(write=False)
            time = feltsense.TimeMap.uniform(made.start_ns, info.spec.rate)
            stream = feltsense.Stream(info, (feltsense.Segment(values, time),))
        feltsense.write(root / f"{i}.felt", replace(made, streams={"board.eda": stream}))
    return root


def evaluate(folder, rows, *options):
    manifest = folder / "labels.csv"
    told = "".join(f"{i}.felt,P{i},{a},{b},{c}\n" for i, a, b, c in rows)
    manifest.write_text("path,subject,label,start_s,end_s\n" + told)
    argv = ["evaluate", "--target", "stress", "--manifest", str(manifest), "--draws", "0", *options]
    return main([*argv, "--out", str(folder / "r.html")])


def rows(people=range(4), spans=SPANS):
    return [(i, *s) for i in people for s in spans]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (rows(spans=SPANS[:1]), "both needed"),
        (rows([0]), "at least 4 people, got 1: P0"),
        (rows(spans=(*SPANS[:2], ("rest", 480, 900))), "outside the signal"),
    ],
    ids=["one class", "one person", "labels beyond the signal"],
)
def test_refused_in_one_line(folder, capsys, given, why):
    assert evaluate(folder, given, "--modalities", "eda") == 2
    assert why in next(line for line in capsys.readouterr().err.splitlines() if line.startswith("feltsense:"))


def test_reported(folder, capsys):
    """A modality that nobody has, windows without a label, and two rates."""
    assert evaluate(folder, rows(), "--without", "nobody") == 2
    assert evaluate(folder, rows()) == 0
    assert "nobody has a usable window of ppg: the model is without" in capsys.readouterr().err
    body = json.loads((folder / "r.json").read_text())
    assert set(body["groups"]["rates"]) == {"eda 4 Hz", "eda 2 Hz"}
    assert all(p["unlabelled"] > 0 for p in body["people"])
    assert (folder / "feltsense-ledger.jsonl").is_file()
    assert body["ledger"]["others"] == 0


def test_two_workers_write_the_same_bytes(folder):
    """The whole command; a ledger that is kept elsewhere counts nothing in between."""
    told = []
    for workers in ("1", "2"):
        options = ["--draws", "1", "--seed", "3", "--ledger", str(folder / f"ledger{workers}")]
        assert evaluate(folder, rows(), "--modalities", "eda", "--workers", workers, *options) == 0
        told.append((folder / "r.json").read_bytes())
    assert told[0] == told[1]


def test_options_that_contradict_each_other(folder, capsys):
    for options, why in (
        (["--model", "x", "--folds", "3"], "choose one"), (["--folds", "1"], "at least 2 groups"),
        (["--seed", "-1"], "a seed is 0 or more"), (["--answers", "a.txt"], ".parquet or .csv"),
        (["--against", "none.csv"], "no such file"), (["--workers", "0"], "1 or more"),
        (["--modalities", "aura"], "unknown modality 'aura'"),
    ):
        assert evaluate(folder, rows(), *options) == 2
        assert why in capsys.readouterr().err
