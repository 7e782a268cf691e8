"""Real people: a script that knows only files reproduces what ``feltsense evaluate`` says, from predictions.csv."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from feltsense.cli import main

sys.path.insert(0, str(Path(__file__).parents[1] / "independent"))
from score_stress_predict import score

PEOPLE = ("S02", "S03", "S04", "S05")


@pytest.fixture(scope="module")
def data(data_dir, tmp_path_factory):
    """Four people of the data set, as a data set of their own."""
    folder = tmp_path_factory.mktemp("four")
    source = data_dir / "stress-predict"
    with open(source / "labels.csv") as rows, open(folder / "labels.csv", "w") as out:
        out.writelines(r for r in rows if r.split(",")[0] in ("subject", *PEOPLE))
    for name in PEOPLE:
        (folder / name).mkdir()
        for file in ("BVP", "EDA", "TEMP", "ACC", "IBI", "HR"):
            shutil.copy(source / name / f"{file}.csv", folder / name)
    return folder


@pytest.fixture(scope="module")
def report(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluation")
    options = ["--target", "stress", "--dataset", "stress-predict", str(data), "--keep-folds", str(out / "folds")]
    options += ["--draws", "0"]
    assert main(["evaluate", *options, "--out", str(out / "report.html")]) == 0
    return out


def test_an_independent_script_gets_the_same_figures(data, report, tmp_path):
    body = json.loads((report / "report.json").read_text())
    claimed = {p["subject"]: p for p in body["people"]}
    for name in PEOPLE[:2]:
        profile, table = tmp_path / f"{name}.json", tmp_path / name / f"{name}.csv"
        table.parent.mkdir()
        model = ["--model", str(report / "folds" / f"{name}.feltbundle")]
        # Labels, and with them the rest, begin 9 s after the first sample.
        assert main(["calibrate", str(data / name), "--rest", "9", "279", *model, "--out", str(profile)]) == 0
        options = ["--profile", str(profile), *model, "--hop", "30", "--out", str(table)]
        assert main(["predict", str(data / name), *options]) == 0
        found = score(data, table.parent)
        assert found["windows"] == claimed[name]["windows"]
        assert found["unanswered"] == claimed[name]["unanswered"]
        assert found["balanced_accuracy"] == pytest.approx(claimed[name]["balanced_accuracy"], abs=1e-6)
        assert found["auroc"] == pytest.approx(claimed[name]["auroc"], abs=1e-6)


def test_training_without_a_person_is_the_fold_of_that_person(data, report, tmp_path):
    out = tmp_path / "three.feltbundle"
    options = ["--target", "stress", "--dataset", "stress-predict", str(data), "--without", "S05"]
    assert main(["train", *options, "--out", str(out)]) == 0
    assert out.read_bytes() == (report / "folds" / "S05.feltbundle").read_bytes()


def test_labels_far_outside_the_signal_are_an_error(data, tmp_path, capsys):
    manifest = tmp_path / "labels.csv"
    rows = "".join(f"{data / s},{s},rest,0,300\n{data / s},{s},stress,400,{b}\n" for s, b in (("S02", 700), ("S03", 99999)))
    manifest.write_text("path,subject,label,start_s,end_s\n" + rows)
    assert main(["train", "--target", "stress", "--manifest", str(manifest), "--out", str(tmp_path / "x")]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "S03 lies" in err
    assert "outside the signal" in err
