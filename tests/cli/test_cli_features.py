"""``feltsense features``: the contract's columns, numbers that round-trip, errors of one line."""

import csv
import sys

import numpy as np
import pytest

from feltsense.cli import main
from feltsense.core.recording import Recording
from feltsense.datasets.synthetic import participant
from feltsense.session import extract
from feltsense.store import write


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    rec = participant(2, protocol=[("rest", 100), ("stress", 60)])
    kept = {k: rec.streams[k] for k in ("board.eda", "board.temp", "board.acc")}
    path = tmp_path_factory.mktemp("cli") / "p.felt"
    write(path, Recording(rec.subject, kept, rec.events))
    return path, Recording(rec.subject, kept, rec.events)


def table(path):
    with path.open(newline="") as f:
        return list(csv.DictReader(f))


def test_columns_windows_and_numbers_are_the_pipelines(file, tmp_path, capsys):
    source, rec = file
    out = tmp_path / "features.csv"
    assert main(["features", str(source), "--window", "60", "--hop", "20", "--engine", "stream", "--out", str(out)]) == 0
    rows = table(out)
    expected = list(extract(rec, window=60, hop=20))
    schema = expected[0][1].schema
    qualities = [f"quality.{m}" for m in schema.modalities]
    assert list(rows[0]) == ["start_s", "end_s", "start_unix", "end_unix", *schema.names, *qualities]
    assert set(schema.modalities) == {"eda", "motion", "skin_temperature"}
    assert [float(r["start_s"]) for r in rows] == [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    assert len(rows) == len(expected)
    for cells, (window, vector) in zip(rows, expected, strict=True):
        assert float(cells["end_s"]) - float(cells["start_s"]) == 60.0
        whole, _, nanos = cells["start_unix"].partition(".")
        assert int(whole) * 10**9 + int(nanos) == window.start_ns
        for name in (*schema.names, *qualities):
            value = float(cells[name]) if cells[name] else np.nan
            assert value == vector[name] or (np.isnan(value) and np.isnan(vector[name]))
    shown = capsys.readouterr()
    assert "6 windows" in shown.out
    assert shown.err == ""


def test_the_other_engine_fills_the_same_columns(file, tmp_path):
    for engine in ("stream", "neurokit"):
        words = ["features", str(file[0]), "--hop", "50", "--engine", engine, "--out", str(tmp_path / f"{engine}.csv")]
        assert main(words) == 0
    ours, theirs = table(tmp_path / "stream.csv"), table(tmp_path / "neurokit.csv")
    assert list(ours[0]) == list(theirs[0])
    assert len(ours) == len(theirs) == 3
    assert ours[1]["motion.enmo_mean"] == theirs[1]["motion.enmo_mean"]
    assert float(ours[1]["eda.scl_mean"]) == pytest.approx(float(theirs[1]["eda.scl_mean"]), rel=0.01)
    assert ours[1]["eda.scl_mean"] != theirs[1]["eda.scl_mean"]


def test_a_recording_shorter_than_a_window_gives_the_header_and_says_so(file, tmp_path, capsys):
    out = tmp_path / "short.csv"
    assert main(["features", str(file[0]), "--window", "600", "--out", str(out)]) == 0
    assert table(out) == []
    assert "eda.scl_mean" in out.read_text()
    assert "shorter than one window" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--engine", "matlab", "--out", "f.csv"], ("engine", "matlab", "neurokit", "stream")),
        (["--out", "f.xlsx"], ("f.xlsx", ".csv", ".parquet")),
        (["--jobs", "-1", "--out", "f.csv"], ("--jobs", "-1")),
        (["--out", "nowhere/f.csv"], ("nowhere", "does not exist")),
        (["--window", "0", "--out", "f.csv"], ("--window", "0.05")),
        (["--hop", "nan", "--out", "f.csv"], ("--hop", "nan")),
    ],
)
def test_bad_requests_are_refused_in_one_line(file, tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert main(["features", str(file[0]), *arguments]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert all(w in err for w in words), err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_none_is_refused(tmp_path, capsys):
    bad = tmp_path / "x.felt"
    bad.write_text("no recording")
    assert main(["features", str(bad), "--out", str(tmp_path / "f.csv")]) == 2
    assert "x.felt" in capsys.readouterr().err
    assert not (tmp_path / "f.csv").exists()


def test_window_is_a_number_or_whole(file, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["features", str(file[0]), "--window", "half", "--out", str(tmp_path / "f.csv")])
    assert stopped.value.code == 2
    assert "half" in capsys.readouterr().err
    assert main(["features", str(file[0]), "--window", "whole", "--out", str(tmp_path / "f.csv")]) == 0
    (row,) = table(tmp_path / "f.csv")
    assert float(row["end_s"]) == file[1].seconds


@pytest.fixture(scope="module")
def study(file, tmp_path_factory):
    """Two recordings with different streams, one in a folder of its own, and one that is none."""
    folder = tmp_path_factory.mktemp("study")
    _, rec = file
    (folder / "deeper").mkdir()
    write(folder / "b.felt", Recording("b", {k: rec.streams[k] for k in ("board.eda",)}))
    write(folder / "deeper" / "a.felt", Recording("a", {k: rec.streams[k] for k in ("board.temp", "board.acc")}))
    (folder / "broken.felt").write_text("no recording")
    (folder / ".hidden.felt").write_text("passed over")
    (folder / "notes.txt").write_text("passed over, too")
    return folder


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_folder_gives_one_table_and_names_what_failed(study, file, tmp_path, capsys, jobs):
    out = tmp_path / "all.csv"
    assert main(["features", str(study), "--hop", "50", "--jobs", jobs, "--out", str(out)]) == 1
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert "broken.felt" in shown.err
    assert "6 windows of 2 recordings" in shown.out
    assert "1 failed" in shown.out
    rows = table(out)
    assert [r["path"] for r in rows] == ["b.felt"] * 3 + ["deeper/a.felt"] * 3
    expected = [v for _, v in extract(file[1], window=60, hop=50)]
    for cells, vector in zip(rows[:3], expected, strict=True):
        assert float(cells["eda.scl_mean"]) == vector["eda.scl_mean"]
        assert cells["motion.enmo_mean"] == "" and cells["quality.motion"] == "0.0"  # noqa: PT018 - one fact
    assert float(rows[3]["motion.enmo_mean"]) == expected[0]["motion.enmo_mean"]
    assert set(tmp_path.iterdir()) == {out}


def test_a_folder_of_which_nothing_can_be_used_is_refused(tmp_path, capsys):
    (tmp_path / "x.felt").write_text("no recording")
    assert main(["features", str(tmp_path), "--out", str(tmp_path / "f.csv")]) == 2
    assert "none of its 1 recordings" in capsys.readouterr().err
    assert not (tmp_path / "f.csv").exists()


def test_parquet_holds_the_same_numbers(study, tmp_path):
    read = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed").read_table
    for suffix in ("csv", "parquet"):
        main(["features", str(study), "--hop", "50", "--jobs", "1", "--out", str(tmp_path / f"f.{suffix}")])
    rows, found = table(tmp_path / "f.csv"), read(tmp_path / "f.parquet").to_pylist()
    assert [list(r) for r in rows] == [list(r) for r in found]
    for text, number in zip(rows, found, strict=True):
        assert text["path"] == number["path"]
        for name in list(text)[1:]:
            assert number[name] == (float(text[name]) if text[name] else None), name


def test_parquet_without_its_library_names_the_extra(file, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert main(["features", str(file[0]), "--out", str(tmp_path / "f.parquet")]) == 1
    assert "feltsense[scale]" in capsys.readouterr().err


def test_the_last_seconds_of_each_window_beside(file, tmp_path, capsys):
    source, rec = file
    out = tmp_path / "features.csv"
    assert main(["features", str(source), "--hop", "20", "--beside", "30,15", "--out", str(out)]) == 0
    rows = table(out)
    kinds = ("eda", "motion", "skin_temperature")
    expected = list(extract(rec, window=60, hop=20, modalities=[f"{m}{at}" for m in kinds for at in ("", "@15s", "@30s")]))
    schema = expected[0][1].schema
    assert list(rows[0])[4:] == [*schema.names, *(f"quality.{m}" for m in schema.modalities)]
    for cells, (_, vector) in zip(rows, expected, strict=True):
        value = float(cells["eda@30s.eda_median"]), float(cells["quality.eda@15s"])
        assert value == (vector["eda@30s.eda_median"], vector["quality.eda@15s"])
        assert cells["eda@15s.eda_slope"] == ""
    capsys.readouterr()
    for wrong, why in (("90", "no more than the window has"), ("7.5", "whole number")):
        assert main(["features", str(source), "--beside", wrong, "--out", str(out)]) == 2
        assert why in capsys.readouterr().err
