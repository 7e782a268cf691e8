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


def test_one_name_for_two_people_and_two_names_for_one(folder, capsys):
    manifest = folder / "twice.csv"
    told = "".join(f"{i}.felt,{name},{a},{b},{c}\n" for i, name in ((0, "P0"), (1, "P1"), (2, "P2")) for a, b, c in SPANS)
    (folder / "copy.felt").write_bytes((folder / "2.felt").read_bytes())
    told += "".join(f"copy.felt,P9,{a},{b},{c}\n" for a, b, c in SPANS)
    manifest.write_text("path,subject,label,start_s,end_s\n" + told)
    options = ["--target", "stress", "--manifest", str(manifest), "--modalities", "eda", "--out", str(folder / "x.html")]
    assert main(["evaluate", *options]) == 2
    said = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("feltsense:"))
    assert "P2" in said
    assert "P9" in said
    assert "give each person one name" in said


def test_a_modality_that_one_person_alone_has(folder, capsys):
    """Without that person nothing can be learned about it: said, with the way out, before anything is divided by 0."""
    made = simulate(0, protocol=[("rest", 330.0), ("stress", 150.0), ("rest", 120.0)]).recording
    both = {n: made.streams[n] for n in ("board.eda", "board.ppg")}
    feltsense.write(folder / "7.felt", replace(made, streams=both))
    assert evaluate(folder, rows((7, 1, 2, 3))[::-1], "--without", "P1") == 2
    assert "at least 4 people" in capsys.readouterr().err
    given = [(i if i else 7, *span) for i, *span in rows()]
    assert evaluate(folder, given, "--folds", "4") == 2
    said = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("feltsense:"))
    assert "none of the 3 people to learn from has a usable window of ppg: leave it out with --modalities eda" in said


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


def test_two_workers_write_the_same_bytes_with_raters_and_groups(folder):
    """The whole command; a ledger that is kept elsewhere counts nothing in between. The third rater sees no stress."""
    told = "".join(
        f"{i}.felt,P{i},{'rest' if rater == 'c' else label},{start},{stop},{rater},{'fm'[i % 2]},{(20, 30)[i // 2]}–39\n"
        for i in range(4) for label, start, stop in SPANS for rater in "abc"
    )
    manifest = folder / "raters.csv"
    manifest.write_text("path,subject,label,start_s,end_s,rater,sex,age\n" + told)
    written = []
    for workers in ("1", "2"):
        options = ["--draws", "0", "--seed", "3", "--ledger", str(folder / f"ledger{workers}")]
        argv = ["evaluate", "--target", "stress", "--modalities", "eda", "--manifest", str(manifest), *options]
        assert main([*argv, "--workers", workers, "--out", str(folder / "w.html")]) == 0
        written.append((folder / "w.json").read_bytes())
    assert written[0] == written[1]
    body = json.loads(written[0])
    assert {k: set(v) for k, v in body["groups"].items() if k != "rates"} == {
        "age": {"20–39", "30–39"}, "device": {"Open board"}, "sex": {"f", "m"},
    }
    assert body["raters"]["ceiling"] < 1.0
    assert "a rater" in (folder / "w.html").read_text()


def test_options_that_contradict_each_other(folder, capsys):
    for options, why in (
        (["--model", "x", "--folds", "3"], "choose one"), (["--folds", "1"], "at least 2 groups"),
        (["--seed", "-1"], "a seed is 0 or more"), (["--answers", "a.txt"], ".parquet or .csv"),
        (["--against", "none.csv"], "no such file"), (["--workers", "0"], "1 or more"),
        (["--modalities", "aura"], "unknown modality 'aura'"),
    ):
        assert evaluate(folder, rows(), *options) == 2
        assert why in capsys.readouterr().err
