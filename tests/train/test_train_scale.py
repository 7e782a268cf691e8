"""Work on several processes: the same results, a worker that dies costs nothing, an interruption neither."""

import json
import os
import signal
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from feltsense import participant, write
from feltsense.datasets.labelled import Labelled, Mark
from feltsense.datasets.study import Spread, lines
from feltsense.errors import InputError
from feltsense.evaluate.keeping import folds_from, folds_parts
from feltsense.evaluate.protocol import Plan, evaluate
from feltsense.evaluate.result import result
from feltsense.train import parallel
from feltsense.train.parallel import ALONE, cluster, read_lines
from feltsense.train.resume import Kept, fingerprint, line_from, line_parts
from feltsense.train.shelf import shelve
from feltsense.train.splits import Cohort, grouped_k_fold
from feltsense.train.targets import target

STRESS = replace(target("stress", ["rest", "stress"]), modalities=("eda",))


@pytest.fixture(scope="module")
def two():
    with cluster(2) as crew:
        yield crew


def squared(shared, job):
    return shared * job * job


def dies_once(folder, job):
    """Kills its worker the first time that it is done."""
    mark = Path(folder) / f"{job}"
    if job == 2 and not mark.exists():
        mark.write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return job + 100


def test_results_come_in_order_wherever_they_are_made(two):
    expected = [3 * j * j for j in range(25)]
    assert list(ALONE.map(squared, 3, range(25))) == expected
    assert list(two.map(squared, 3, range(25))) == expected
    assert list(two.map(squared, 3, [])) == []


def test_a_worker_that_is_killed_costs_no_result(tmp_path):
    with cluster(2) as crew:
        assert list(crew.map(dies_once, str(tmp_path), range(6))) == [j + 100 for j in range(6)]
    assert [p.name for p in tmp_path.iterdir()] == ["2"]


def test_the_same_report_byte_for_byte_on_one_and_two_workers(two):
    people = Cohort([p.line for p in lines(6, STRESS, Spread(order_fixed=False), minutes=30.0)], "made up")
    splits, plan = grouped_k_fold(people, 3, 0), Plan(seed=3, draws=1)

    def report(crew):
        done = list(evaluate(splits, STRESS, {"data": "made up"}, plan, crew))
        return json.dumps(result(done, STRESS, {"data": "made up"}, plan=plan), sort_keys=True)

    assert report(two) == report(ALONE)


def touch(shared, job):
    """Where an array that all jobs share lies: in the file that is mapped, and not to be written."""
    return float(shared["x"][job]), shared["x"].flags.writeable, shared["x"].flags.owndata


def test_what_jobs_share_is_one_mapped_file(two, tmp_path):
    shared = {"x": np.arange(1e5), "turned": np.arange(6.0).reshape(2, 3)[:, ::2], "none": np.empty(0), "text": "é"}
    shelved = shelve(shared, tmp_path / "file")
    again = shelved.take()
    assert shelved.path.stat().st_size < 810_000
    assert (again["text"], len(again["none"])) == ("é", 0)
    np.testing.assert_array_equal(again["turned"], shared["turned"])
    shelved.path.unlink()
    assert again["x"].sum() == shared["x"].sum()
    assert list(two.map(touch, shared, (0, 7))) == [(0.0, False, False), (7.0, False, False)]
    assert not list(two.folder.iterdir())


def test_however_many_are_judged_in_a_job(monkeypatch):
    people = Cohort([p.line for p in lines(7, STRESS, Spread(), minutes=20.0)], "made up")
    splits = grouped_k_fold(people, 2, 0)
    whole = list(evaluate(splits, STRESS, {}, Plan(draws=0)))
    monkeypatch.setattr("feltsense.evaluate.protocol.PEOPLE", 3)
    parts = list(evaluate(splits, STRESS, {}, Plan(draws=0)))
    assert [f.subject for f in parts] == [f.subject for f in whole] == [p for g in splits.groups for p in g]
    for a, b in zip(folds_parts(whole).values(), folds_parts(parts).values(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def recordings(tmp_path):
    out = []
    for i in range(3):
        r = participant(seed=i, minutes=7)
        kept = replace(r, streams={n: s for n, s in r.streams.items() if n == "board.eda"})
        write(tmp_path / f"{i}.felt", kept)
        marks = (Mark("rest", 0.0, 300.0), Mark("stress", 300.0, 400.0))
        out.append(Labelled(f"P{i}", tmp_path / f"{i}.felt", marks, "test", (("sex", "f"),)))
    return out


def same(a, b):
    for f in fields(a):
        if isinstance(getattr(a, f.name), np.ndarray):
            np.testing.assert_array_equal(getattr(a, f.name), getattr(b, f.name), f.name)
    left, right = line_parts(a), line_parts(b)
    assert left.keys() == right.keys()
    for name in left:
        np.testing.assert_array_equal(left[name], right[name])


def test_an_interrupted_run_goes_on_from_what_is_done(recordings, tmp_path, monkeypatch):
    kept = Kept(tmp_path / "done")
    whole = list(read_lines(recordings, STRESS, print))
    running = read_lines(recordings, STRESS, print, ALONE, kept)
    next(running)
    next(running)
    running.close()
    extracted = []
    plain = parallel.read_line
    monkeypatch.setattr(parallel, "read_line", lambda x, *rest: extracted.append(x.subject) or plain(x, *rest))
    again = list(read_lines(recordings, STRESS, print, ALONE, kept))
    assert extracted == ["P1", "P2"] or extracted == ["P2"]
    for a, b in zip(whole, again, strict=True):
        same(a, b)
    about = next(read_lines(recordings, STRESS, print, ALONE, kept)).about
    assert about == {"device": "Open board", "rates": "eda 4 Hz", "sex": "f"}


def test_nothing_stale_is_taken_up(recordings, tmp_path):
    one = recordings[0]
    key = fingerprint(one, STRESS)
    assert key == fingerprint(one, STRESS)
    assert key != fingerprint(replace(one, marks=one.marks[:1]), STRESS)
    assert key != fingerprint(one, replace(STRESS, window_s=30.0))
    os.utime(one.path, ns=(1, 1))
    assert key != fingerprint(one, STRESS)


def test_what_is_kept_survives_damage_and_other_releases(recordings, tmp_path):
    kept = Kept(tmp_path / "done")
    list(read_lines(recordings[:1], STRESS, print, ALONE, kept))
    (file,) = kept.folder.glob("*.npz")
    file.write_bytes(file.read_bytes()[:100])
    assert len(list(read_lines(recordings[:1], STRESS, print, ALONE, kept))) == 1
    assert kept.get("windows", "nothing") is None
    parts = line_parts(lines(1, STRESS, minutes=20.0)[0].line)
    assert line_from(parts, replace(STRESS, modalities=("ppg",))) is None
    with pytest.raises(InputError, match="cannot be made"):
        Kept(file / "under a file")


def test_folds_are_taken_up_bit_for_bit(tmp_path, monkeypatch):
    people = Cohort([p.line for p in lines(6, STRESS, Spread(), minutes=20.0)], "made up")
    splits = grouped_k_fold(people, 2, 0)
    plan = Plan(draws=0, work=Kept(tmp_path / "done"))
    first = list(evaluate(splits, STRESS, {}, plan))
    monkeypatch.setattr("feltsense.evaluate.protocol.learn", lambda *_: pytest.fail("done already"))
    again = list(evaluate(splits, STRESS, {}, plan))
    for a, b in zip(first, again, strict=True):
        left, right = folds_parts([a]), folds_parts([b])
        assert left.keys() == right.keys()
        for name in left:
            np.testing.assert_array_equal(left[name], right[name])
    assert folds_from(folds_parts(first))[0].subject == first[0].subject


@pytest.mark.parametrize(
    ("workers", "scheduler", "why"),
    [(0, "", "1 or more"), (2, "tcp://127.0.0.1:1", "choose one"), (1, "nonsense://x", "no Dask scheduler answers")],
)
def test_what_is_no_crew(workers, scheduler, why):
    with pytest.raises(InputError, match=why), cluster(workers, scheduler):
        pass
