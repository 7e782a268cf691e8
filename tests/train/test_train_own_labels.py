"""`feltsense calibrate --labels`: a person's own labels move that person's border, and what is wrong is said."""

import numpy as np
import pytest

from feltsense import bundle
from feltsense.calibration import calibrate
from feltsense.cli import main
from feltsense.core.profile import RestInterval, UserProfile
from feltsense.core.timeline import to_ns
from feltsense.datasets.labelled import Interval
from feltsense.datasets.synthetic import participant
from feltsense.errors import InputError, LabelError
from feltsense.session import predict
from feltsense.store import write
from feltsense.train.own_labels import learn_labels

REST_S, CALM, TASK = (0.0, 120.0), (180.0, 420.0), (420.0, 660.0)


@pytest.fixture(scope="module")
def recording():
    return participant(5, protocol=[("rest", CALM[1]), ("stress", TASK[1] - TASK[0])])


@pytest.fixture(scope="module")
def model():
    return bundle.load(runner="numpy")


@pytest.fixture(scope="module")
def profile(recording, model):
    return calibrate(recording, [RestInterval.of(recording.start_ns, *REST_S)], model)


def labels(recording, *spans):
    t0 = recording.start_ns
    return [Interval(t0 + to_ns(a), t0 + to_ns(b), label) for label, (a, b) in spans]


def test_labels_pull_the_estimate_towards_what_the_person_says(recording, model, profile):
    """Somebody who calls the quiet part stress and the task rest is believed, within what the prior allows."""
    said = labels(recording, ("rest", CALM), ("stress", TASK))
    agreed = learn_labels(recording, said, model, profile)
    opposed = learn_labels(recording, labels(recording, ("stress", CALM), ("rest", TASK)), model, profile)
    assert agreed.calibrator.labels == (7, 7)
    assert agreed.calibrator.slope == (1.0,)
    assert agreed.lineage[:-1] == profile.lineage
    assert "14 labelled windows" in agreed.lineage[-1]
    assert opposed.calibrator.temperature > agreed.calibrator.temperature
    sure = [p.probabilities["stress"] for p in predict(recording, model, agreed, 30.0)]
    unsure = [p.probabilities["stress"] for p in predict(recording, model, opposed, 30.0)]
    assert np.ptp(unsure) < np.ptp(sure)


def test_labels_replace_earlier_ones_and_do_not_build_on_them(recording, model, profile):
    said = labels(recording, ("rest", CALM), ("stress", TASK))
    once = learn_labels(recording, said, model, profile)
    twice = learn_labels(recording, said, model, once)
    assert twice.calibrator == once.calibrator


def test_what_teaches_nothing_is_refused(recording, model, profile):
    with pytest.raises(InputError, match="all 7 labelled windows are rest"):
        learn_labels(recording, labels(recording, ("rest", CALM)), model, profile)
    with pytest.raises(LabelError, match=r"no window of .* has a label"):
        learn_labels(recording, labels(recording, ("rest", (5.0, 110.0))), model, profile)
    with pytest.raises(LabelError, match="labels joy are no classes of target stress"):
        learn_labels(recording, labels(recording, ("joy", TASK)), model, profile)


def test_the_command(recording, profile, tmp_path, capsys):
    file, before, out, table = (tmp_path / n for n in ("p.felt", "before.json", "after.json", "labels.csv"))
    write(file, recording)
    profile.save(before)
    table.write_text(f"label,start_s,end_s\nrest,{CALM[0]},{CALM[1]}\nstress,{TASK[0]},{TASK[1]}\n")
    words = ["calibrate", str(file), "--labels", str(table), "--out", str(out)]
    assert main([*words, "--profile", str(before), "--about", "language=de"]) == 0
    assert "14 labelled windows" in capsys.readouterr().out
    assert UserProfile.load(out).calibrator.target == "stress"
    assert UserProfile.load(before) == profile
    for text, said in (("label,start_s\n", "column end_s missing"), ("label,start_s,end_s\nrest,9,4\n", "line 2: end_s 4"),
                       ("label,start_s,end_s\nrest,,4\n", "must not be empty")):  # fmt: skip
        table.write_text(text)
        assert main([*words, "--profile", str(before)]) == 2
        assert said in capsys.readouterr().err
    assert main(["profile", "show", str(out)]) == 0
    assert "language: de" in capsys.readouterr().out
    assert main(words) == 2
    assert "--profile" in capsys.readouterr().err
