"""A Dask scheduler that runs elsewhere (here: other processes of this machine) does the work of four commands."""

import json
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from feltsense import write
from feltsense.cli import main
from feltsense.datasets.synthetic import simulate

PROTOCOL = [("rest", 330.0), ("stress", 150.0), ("rest", 120.0)]
SPANS = (("rest", 0, 330), ("stress", 330, 480), ("rest", 480, 570))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """A scheduler with two workers, as somebody starts them; their own working directory."""
    folder = tmp_path_factory.mktemp("cluster")
    address = f"tcp://127.0.0.1:{free_port()}"
    port = address.rpartition(":")[2]
    dask = [sys.executable, "-m", "dask"]
    common = ["--host", "127.0.0.1", "--no-dashboard"]
    running = [
        subprocess.Popen([*dask, *argv, *common], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for argv in (
            ["scheduler", "--port", port],
            ["worker", address, "--nthreads", "1", "--nworkers", "2", "--memory-limit", "0"],
        )
    ]
    from distributed import Client

    with Client(address, timeout="60s") as client:
        client.wait_for_workers(2, timeout=60)
        yield address
        client.shutdown()
    for process in running:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eight people with skin conductance alone."""
    root = tmp_path_factory.mktemp("study")
    rows = ["path,subject,label,start_s,end_s"]
    for i in range(8):
        made = simulate(i, protocol=PROTOCOL).recording
        write(root / f"{i}.felt", replace(made, streams={"board.eda": made.streams["board.eda"]}))
        rows += [f"{i}.felt,P{i},{label},{a},{b}" for label, a, b in SPANS]
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    return root


def twice(scheduler, folder, argv, kind, monkeypatch):
    """What a command writes here, and by the scheduler's workers, from the study's folder."""
    monkeypatch.chdir(folder)
    made = []
    for name, where in (("here", []), ("there", ["--scheduler", scheduler])):
        assert main([*argv, *where, "--out", f"{name}{kind}"]) == 0
        made.append(folder / f"{name}{kind}")
    return made


STUDY = ["--target", "stress", "--modalities", "eda", "--manifest", "labels.csv"]


def test_features(scheduler, folder, monkeypatch):
    here, there = twice(scheduler, folder, ["features", ".", "--hop", "60"], ".csv", monkeypatch)
    assert here.read_bytes() == there.read_bytes()


def test_train(scheduler, folder, monkeypatch):
    here, there = twice(scheduler, folder, ["train", *STUDY], ".feltbundle", monkeypatch)
    assert here.read_bytes() == there.read_bytes()


def test_evaluate(scheduler, folder, monkeypatch):
    argv = ["evaluate", *STUDY, "--folds", "2", "--draws", "0"]
    here, there = twice(scheduler, folder, argv, ".html", monkeypatch)
    assert here.with_suffix(".json").read_bytes() == there.with_suffix(".json").read_bytes()


def test_tune(scheduler, folder, monkeypatch, capsys):
    """The search is the same; the last fit is LightGBM's own, on both workers."""
    here, there = twice(scheduler, folder, ["tune", *STUDY, "--folds", "2"], ".txt", monkeypatch)
    found = [json.loads(p.with_suffix(".json").read_text()) for p in (here, there)]
    assert found[0] == found[1]
    assert "18 settings over 8 people" in capsys.readouterr().out
    assert "tree_learner: data" in there.read_text()
    assert "tree_learner: serial" in here.read_text()


def test_jobs_and_a_scheduler(folder, capsys):
    argv = ["features", str(folder), "--jobs", "2", "--scheduler", "tcp://127.0.0.1:1", "--out", str(folder / "x.csv")]
    assert main(argv) == 2
    assert "choose one" in capsys.readouterr().err
