"""``feltsense predict --episodes``: the table follows from the predictions, which stay as they are."""

import csv

import pytest

from feltsense.cli import main
from feltsense.core.prediction import Prediction
from feltsense.core.timeline import NS
from feltsense.fusion.episodes import Episodes


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("episodes")
    file, profile = folder / "P.felt", folder / "user.json"
    assert main(["simulate", "--out", str(file), "--minutes", "9", "--seed", "3"]) == 0
    assert main(["calibrate", str(file), "--rest", "0", "180", "--out", str(profile)]) == 0
    return ["predict", str(file), "--profile", str(profile), "--hop", "10"]


def test_the_table_is_what_the_predictions_say(recorded, tmp_path, capsys):
    plain, beside, table = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "e.csv"
    assert main([*recorded, "--out", str(plain)]) == 0
    capsys.readouterr()
    assert main([*recorded, "--episodes", str(table), "--out", str(beside)]) == 0
    said = capsys.readouterr().out
    assert beside.read_bytes() == plain.read_bytes()
    episodes, expected, start = Episodes(["stress"], 10.0), [], 0
    with plain.open() as file:
        for r in csv.DictReader(file):
            whole, part = r["end_unix"].split(".")
            end = int(whole) * NS + int(part)
            start = end - round(float(r["end_s"]) * NS)
            p = {c: float(r[f"p_{c}"]) for c in ("rest", "stress") if r[f"p_{c}"]}
            abstained = r["abstained"] == "true"
            window = Prediction("stress", end - 60 * NS, end, p, r["label"], (), abstained, "", 1.0, {}, {}, "m")
            expected += episodes.push(window)
    expected += episodes.finish()
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert len(expected) >= 1
    assert [float(r["p_mean"]) for r in rows] == [e.mean for e in expected]
    for r, e in zip(rows, expected, strict=True):
        assert r["onset_unix"] == f"{e.onset_ns // NS}.{e.onset_ns % NS:09d}"
        assert float(r["end_s"]) == pytest.approx((e.end_ns - start) / NS)
        assert (r["state"], r["end_seen"]) == ("stress", "true" if e.end_seen else "false")
    assert f"{table}: {len(rows)} episodes of stress, {episodes.summary()[0].share:.0%} of" in said


@pytest.mark.parametrize("option", ["--episodes", "--rationale", "--profile-out"])
def test_two_tables_in_one_file_are_refused(recorded, tmp_path, capsys, option):
    out = str(tmp_path / "a.csv")
    assert main([*recorded, option, out, "--out", out]) == 2
    assert f"--out and {option} are both {out}: give each its own file" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
