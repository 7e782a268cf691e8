"""Leaks planted in raw data and in user code, each through the public way in: refused, or exposed in the report."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import feltsense
from feltsense.cli import main
from feltsense.datasets.study import Spread, lines
from feltsense.errors import LeakError
from feltsense.evaluate.estimator import evaluate_estimator, inputs
from feltsense.evaluate.protocol import Plan, evaluate
from feltsense.evaluate.result import result
from feltsense.train.splits import Cohort, SubjectSplit, grouped_k_fold
from feltsense.train.tables import from_frame, to_frame
from feltsense.train.targets import target

STRESS = target("stress", ["rest", "stress"])
PROTOCOL = [("rest", 330.0), ("stress", 150.0), ("rest", 120.0)]


@pytest.fixture(scope="module")
def people():
    return [p.line for p in lines(6, STRESS, Spread(), seed=2, minutes=50.0)]


@pytest.fixture(scope="module")
def splits(people):
    return grouped_k_fold(Cohort(people, "made up"), 3, 0)


# --- in raw data, through the command line -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recordings():
    from feltsense.datasets.synthetic import simulate

    # Skin conductance alone: everything else would be extracted for nothing.
    made = [simulate(i, protocol=PROTOCOL).recording for i in range(4)]
    return [replace(r, streams={n: s for n, s in r.streams.items() if n == "board.eda"}) for r in made]


def study(folder, made, names=None):
    """A manifest over recordings, written as files."""
    rows = ["path,subject,label,start_s,end_s"]
    for i, r in enumerate(made):
        feltsense.write(folder / f"{i}.felt", r)
        name = names[i] if names else f"P{i}"
        spans = (("rest", 0, 330), ("stress", 330, 480), ("rest", 480, 570))
        rows += [f"{i}.felt,{name},{label},{a},{b}" for label, a, b in spans]
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    options = ["--target", "stress", "--modalities", "eda", "--manifest", str(folder / "labels.csv")]
    return ["evaluate", *options, "--out", str(folder / "r.html")]


def changed(recording, change):
    """The recording with other values, sample by sample."""
    streams = {}
    for name, s in recording.streams.items():
        segments = tuple(replace(g, values=change(g.values, s.info)) for g in s.segments)
        streams[name] = replace(s, segments=segments)
    return replace(recording, streams=streams)


def refusal(argv, capsys):
    assert main(argv) == 2
    error = capsys.readouterr().err
    return next(line for line in error.splitlines() if line.startswith("feltsense:"))


def test_raw_a_person_under_two_names(recordings, tmp_path, capsys):
    assert "one person under two names" in refusal(study(tmp_path, [*recordings, recordings[0]]), capsys)


def test_raw_overlapping_pieces_of_one_recording_as_two_people(recordings, tmp_path, capsys):
    def cut(a, b):
        return changed(recordings[1], lambda x, info: x[int(a * info.spec.hz) : int(b * info.spec.hz)].copy())

    pieces = [recordings[0], cut(0, 590), cut(20, 600), recordings[2]]
    assert "P1" in (said := refusal(study(tmp_path, pieces), capsys))
    assert "P2" in said


def test_raw_calibration_windows_scored_in_a_second_copy(recordings, tmp_path, capsys):
    said = refusal(study(tmp_path, [*recordings, recordings[0]], ["P0", "P1", "P2", "P3", "P0"]), capsys)
    assert "give each recording once" in said


def test_raw_whole_session_z_score(recordings, tmp_path, capsys):
    made = [changed(r, lambda x, info: (x - x.mean(axis=0)) / x.std(axis=0)) for r in recordings]
    assert "normalised over whole sessions" in refusal(study(tmp_path, made), capsys)


def test_raw_a_clock_in_a_signal_is_exposed(recordings, tmp_path):
    """Skin conductance that hardly does anything but rise with the protocol's minute."""

    def ramp(x, info):
        t = np.arange(len(x))[:, None] / info.spec.hz
        out = 0.05 * x + 2.0 + t / 100.0
        out.setflags(write=False)
        return out

    argv = study(tmp_path, [changed(r, ramp) for r in recordings])
    assert main([*argv, "--draws", "0"]) == 0
    body = json.loads((tmp_path / "r.json").read_text())
    raised = {s["control"] for s in body["suspicions"]}
    assert "time_leak_r2" in raised
    assert body["controls"]["time_leak_r2"] > 0.5
    assert "To be explained before the figure is believed" in (tmp_path / "r.html").read_text()


# --- in user code --------------------------------------------------------------------------------------------------


def honest():
    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))


def test_an_honest_estimator_is_judged_and_nothing_is_said_against_it(splits):
    done = list(evaluate_estimator(splits, STRESS, honest()))
    body = result(done, STRESS, {"data": "made up"}, split=splits.kind)
    assert body["figures"]["rest"]["windows"] == sum(x.scored.sum() for x in splits.cohort.lines)
    assert body["figures"]["rest"]["balanced_accuracy"] > 0.7
    assert {s["control"] for s in body["suspicions"]} <= {"time_only", "balanced_accuracy"}


def test_code_a_person_on_both_sides(people):
    every = Cohort(people)
    with pytest.raises(LeakError, match="would be learned from and judged"):
        SubjectSplit("mine", every, every.only((people[0].subject,)))
    with pytest.raises(LeakError, match="only through"):
        list(evaluate(people, STRESS, {}))
    with pytest.raises(LeakError, match="only through"):
        evaluate_estimator(people, STRESS, honest())


def test_code_overlapping_windows_of_one_person_as_two(people):
    twin = replace(people[0], subject="twin", x=people[0].x.copy())
    lines = from_frame(to_frame([*people, twin], STRESS), STRESS)
    with pytest.raises(LeakError, match="under two names"):
        Cohort(lines)


def outside(people):
    x = np.nan_to_num(np.concatenate([inputs(p) for p in people]))
    return StandardScaler().fit(x), SelectKBest(k=5).fit(x, np.concatenate([p.y for p in people]) > 0)


@pytest.mark.parametrize("way", ["step", "method", "closure", "inverse", "frozen"])
def test_code_a_scaler_fitted_outside(people, splits, way):
    scaler, _ = outside(people)
    step = {
        "step": scaler,
        "method": FunctionTransformer(scaler.transform),
        "closure": FunctionTransformer(lambda x: scaler.transform(np.nan_to_num(x))),
        "inverse": FunctionTransformer(func=np.nan_to_num, inverse_func=scaler.inverse_transform),
        "frozen": FrozenEstimator(scaler),
    }[way]
    with pytest.raises(LeakError, match=r"StandardScaler in .* is fitted already"):
        evaluate_estimator(splits, STRESS, make_pipeline(SimpleImputer(), step, LogisticRegression()))


def test_code_a_selector_fitted_outside(people, splits):
    _, selector = outside(people)
    with pytest.raises(LeakError, match=r"SelectKBest in .* is fitted already"):
        evaluate_estimator(splits, STRESS, make_pipeline(SimpleImputer(), selector, LogisticRegression()))


class OverTheRowsGiven(TransformerMixin, BaseEstimator):
    """The z-score over a session, hidden in a transformer."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-9)


def test_code_a_whole_session_z_score(splits):
    model = make_pipeline(SimpleImputer(), OverTheRowsGiven(), LogisticRegression())
    with pytest.raises(LeakError, match="changes when later windows are taken away"):
        list(evaluate_estimator(splits, STRESS, model))


def test_code_calibration_windows_scored(people):
    with pytest.raises(TypeError, match="resting"):
        replace(people[0], resting=np.zeros(len(people[0].y), bool))
    assert not (people[0].scored & people[0].resting).any()


@pytest.mark.parametrize("model", ["mine", "the project's"])
def test_code_a_clock_as_a_feature_is_exposed(people, model):
    """Everybody has the tasks at the same minute, and one column of the table tells the minute."""
    frame = to_frame(people, STRESS)
    frame["eda.eda_slope"] = frame["end_s"]
    with pytest.raises(LeakError, match="or is a clock"):
        Cohort(from_frame(frame, STRESS))
    rng = np.random.default_rng(0)
    frame["eda.eda_slope"] += frame["subject"].map({p.subject: rng.normal(0, 60) for p in people})
    splits = grouped_k_fold(Cohort(from_frame(frame, STRESS), "made up"), 3, 0)
    if model == "mine":
        forest = RandomForestClassifier(30, min_samples_leaf=5, random_state=0)
        done = list(evaluate_estimator(splits, STRESS, make_pipeline(SimpleImputer(), forest)))
    else:
        done = list(evaluate(splits, STRESS, {}, Plan(draws=0)))
    body = result(done, STRESS, {"data": "made up"}, plan=Plan(draws=0))
    assert {"time_only", "time_leak_r2"} <= {s["control"] for s in body["suspicions"]}
    assert body["controls"]["time_leak_r2"] > 0.9


def test_what_the_model_itself_is_given_has_no_clock(people):
    done = list(evaluate(grouped_k_fold(Cohort(people, "made up"), 3, 0), STRESS, {}, Plan(draws=0)))
    body = result(done, STRESS, {"data": "made up"}, plan=Plan(draws=0))
    assert "time_leak_r2" not in {s["control"] for s in body["suspicions"]}
