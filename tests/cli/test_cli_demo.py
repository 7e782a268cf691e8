"""The demo end to end: virtual radio, two faults, live numbers that a later `predict` gives again to the bit."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from feltsense.cli import main
from feltsense.core.chunk import GapReason
from feltsense.core.event import EventKind
from feltsense.core.recording import Recording
from feltsense.datasets.synthetic import participant
from feltsense.errors import InputError
from feltsense.store import read, write

pytest.importorskip("bumble")
pytest.importorskip("bleak")

from feltsense.cli import demo
from feltsense.cli._stage import cast, head

SPEED = "60"


def run(folder, *words):
    """The demo in a process of its own, its output in a pipe."""
    start = "from feltsense.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", start, "demo", "--speed", SPEED, *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    done = run(folder, "--minutes", "7.5", "--seed", "3")
    assert done.returncode == 0, done.stderr
    return folder / "demo-output" / "run-1", done


def test_paths_that_are_printed_exist(played):
    folder, done = played
    named = re.findall(r"^  (\S+/run-1/\S+)$", done.stdout, re.M)
    assert [Path(n).name for n in named] == ["session.felt", "profile.json", "predictions.csv", "report.html"]
    assert all((folder.parent.parent / n).stat().st_size for n in named)


def test_it_says_that_all_is_synthetic_and_that_the_faults_are_on_purpose(played):
    _, done = played
    assert "does not exist" in done.stdout
    assert "Not a medical device" in done.stdout
    assert done.stdout.count("On purpose:") == 2
    assert "connection lost, trying again" in done.stdout
    assert "connected again" in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_both_faults_are_accounted_for_in_the_file_the_text_and_the_report(played):
    folder, done = played
    recording = read(folder / "session.felt")
    gaps = {(k, s.gap.reason): s.gap for k, v in recording.streams.items() for s in v.segments if s.gap is not None}
    packet = gaps.pop(("h10.ecg", GapReason.LINK))
    assert (packet.samples, packet.upper) == (73, 73)
    board = ("board.acc", "board.eda", "board.ppg", "board.temp")
    assert sorted(gaps) == [(name, GapReason.DISCONNECT) for name in board]
    away = gaps[("board.ppg", GapReason.DISCONNECT)]
    assert away.samples >= 10 * 64
    page = (folder / "report.html").read_text(encoding="utf-8")
    for words in ("lost on the radio while connected", "the connection was down"):
        assert words in done.stdout
        assert words in page
    assert "5 gaps" in page
    assert "This recording is synthetic" in page


def test_nothing_is_lost_beside_the_faults(played):
    folder, _ = played
    source = participant(3, 7.5)
    for name, account in read(folder / "session.felt").account().items():
        assert account.missing == account.missing_upper
        assert abs(account.expected - source.account()[name].received) <= 1


def test_live_numbers_are_those_of_a_later_predict(played, tmp_path, capsys):
    folder, _ = played
    again = tmp_path / "again.csv"
    words = ["predict", str(folder / "session.felt"), "--profile", str(folder / "profile.json"), "--out", str(again)]
    assert main(words) == 0
    assert again.read_bytes() == (folder / "predictions.csv").read_bytes()
    profile = tmp_path / "again.json"
    assert main(["calibrate", str(folder / "session.felt"), "--rest", "0", "270", "--out", str(profile)]) == 0
    assert profile.read_bytes() == (folder / "profile.json").read_bytes()


def test_the_numbers_on_the_screen_are_those_of_the_table(played):
    folder, done = played
    _, after = done.stdout.split("Calibrated on")
    shown = re.findall(r"^ +(\d+):(\d\d)  stress ([\d.–]+) ", after, re.M)
    with (folder / "predictions.csv").open() as file:
        rows = {round(float(r["end_s"])): r["p_stress"] for r in csv.DictReader(file)}
    assert len(shown) > 20
    for minutes, seconds, p in shown:
        row = rows[int(minutes) * 60 + int(seconds)]
        assert p == (f"{float(row):.2f}" if row else "–")


def test_labels_and_calibration_are_events_of_the_recording(played):
    folder, _ = played
    recording = read(folder / "session.felt")
    labels = [(e.text, round((e.t_ns - recording.start_ns) / 1e9)) for e in recording.events if e.kind is EventKind.LABEL]
    assert labels == [("rest", 0), ("stress", 300), ("recovery", 375)]
    (calibration,) = [e for e in recording.events if e.kind is EventKind.CALIBRATION]
    assert (calibration.t_ns, calibration.value) == (recording.start_ns, 270.0)


def test_a_recording_without_ecg_has_no_h10(tmp_path):
    whole = participant(2, 7)
    wrist = {k: s for k, s in whole.streams.items() if k in ("board.ppg", "board.eda")}
    write(tmp_path / "wrist.felt", Recording("P-7", wrist))
    done = run(tmp_path, "--from", "wrist.felt", "--minutes", "6", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert "polar_h10" not in done.stdout
    assert "synthetic" not in done.stdout
    recording = read(tmp_path / "out" / "session.felt")
    assert recording.subject == "P-7"
    assert set(recording.streams) == {"board.eda", "board.ppg"}
    assert recording.seconds == pytest.approx(360, abs=1)
    reasons = {s.gap.reason for v in recording.streams.values() for s in v.segments if s.gap is not None}
    assert reasons == {GapReason.LINK, GapReason.DISCONNECT}


def test_folders_are_never_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert demo._folder(None) == Path("demo-output/run-1")
    assert demo._folder(None) == Path("demo-output/run-2")
    (tmp_path / "mine").mkdir()
    assert demo._folder(Path("mine")) == Path("mine")
    (tmp_path / "mine" / "x").write_text("x")
    with pytest.raises(InputError, match="not an empty folder"):
        demo._folder(Path("mine"))


def test_bad_words_are_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for words in (["--speed", "0"], ["--minutes", "-1"], ["--from", "nowhere.felt"], ["--minutes", "3"]):
        assert main(["demo", *words]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "demo-output").exists()


def test_who_plays_what():
    roles = cast(participant(1, 7))
    assert dict(roles.h10) == {"ecg": "h10.ecg", "acc": "h10.acc"}
    assert dict(roles.board) == {"ppg": "board.ppg", "eda": "board.eda", "temp": "board.temp", "acc": "board.acc"}
    only = Recording("P", {"h10.ecg": participant(1, 7).streams["h10.ecg"]})
    faults = cast(only).faults(270, 420)
    assert [(f.sensor, f.stream) for f in faults] == [("h10", "ecg"), ("h10", "")]
    assert all(270 < f.at_s < 420 for f in faults)
    with pytest.raises(InputError, match="to play"):
        cast(Recording("P", {}))


def test_the_head_of_a_recording():
    whole = participant(1, 7)
    first = head(whole, 100)
    assert first.seconds == pytest.approx(100, abs=0.01)
    assert first.start_ns == whole.start_ns
    assert [e.text for e in first.events] == ["rest"]
