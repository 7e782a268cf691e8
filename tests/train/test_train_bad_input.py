"""What cannot be trained on, or answered with, is refused through the public doors, with the reason and the mend.

A person on both sides of a split, also under two names: test_train_splits.py.
"""

from dataclasses import replace

import numpy as np
import pytest

import feltsense
from bundle_models import make
from crossmodal_cohorts import person
from feltsense import bundle, features
from feltsense.bundle.write import write
from feltsense.cli import main
from feltsense.core.vector import FeatureSchema
from feltsense.datasets.synthetic import simulate
from feltsense.errors import BundleError, InputError, ModelDataError, SchemaError
from feltsense.fusion.personal import learn
from feltsense.train.fit import fit
from feltsense.train.splits import Cohort, everyone
from feltsense.train.targets import target
from train_lines import line, people

STRESS = target("stress", ["rest", "stress"])


def trained(lines, chosen=STRESS):
    return fit(everyone(Cohort(lines)), chosen)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    for i in range(3):
        made = simulate(i, protocol=[("rest", 330.0), ("stress", 120.0)]).recording
        feltsense.write(root / f"{i}.felt", replace(made, streams={"board.eda": made.streams["board.eda"]}))
    return root


def train(folder, rows, *options):
    (folder / "labels.csv").write_text("path,subject,label,start_s,end_s\n" + "".join(f"{r}\n" for r in rows))
    out = folder / "out.feltbundle"
    code = main(["train", "--target", "stress", "--manifest", str(folder / "labels.csv"), "--out", str(out), *options])
    assert not out.exists()
    return code


BOTH = ("rest,0,330", "stress,330,450")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([f"{i}.felt,P{i},rest,0,330" for i in range(3)], "both needed"),
        ([f"{i}.felt,P0,{b}" for i in range(3) for b in BOTH], "at least 3 people to learn from, got 1"),
        ([f"{i}.felt,P{i},{b}" for i in range(3) for b in (*BOTH, ",440,445")], "label"),
        ([f"{i}.felt,P{i},rest,0,40" for i in range(3)] + ["0.felt,P0,stress,330,350"], "0 people"),
        ([f"0.felt,P{i},{b}" for i in range(3) for b in BOTH], "P0"),
    ],
    ids=["one class", "one subject", "empty label", "labels too short for a window", "one recording under three names"],
)
def test_training_is_refused_in_one_line(folder, capsys, rows, why):
    assert train(folder, rows, "--modalities", "eda") == 2
    told = [x for x in capsys.readouterr().err.splitlines() if x.startswith("feltsense:")]
    assert len(told) == 1
    assert why in told[0]


def test_windows_without_a_label_teach_nothing():
    nobody = [replace(x, y=np.full(len(x.y), -1)) for x in people(4)]
    with pytest.raises(ModelDataError, match="'rest' has labelled windows of 0 people"):
        trained(nobody)


def test_a_modality_that_one_person_never_had_is_no_obstacle():
    lines = people(4, windows=40)
    eda = np.array([n.startswith("eda") for n in lines[0].schema.names])
    gone = replace(lines[0], x=np.where(eda, np.nan, lines[0].x), quality=lines[0].quality * [1.0, 0.0])
    assert len(trained([gone, *lines[1:]]).model.members) >= 2


def test_an_unknown_class_in_a_persons_own_labels_is_refused():
    with pytest.raises(InputError, match="label 2 is no class of target stress"):
        learn(np.zeros((4, 1)), np.array([0, 1, 2, 0]), "stress")


def test_a_schema_that_differs_is_refused_with_the_names(tmp_path):
    model, stack = make()
    write(tmp_path / "a.feltbundle", model, "card", stack)
    recording = simulate(1, minutes=6).recording
    with pytest.raises(SchemaError, match=r"ppg\.hr"):
        feltsense.Session(recording.infos(), bundle.load(tmp_path / "a.feltbundle"))
    pulse = FeatureSchema([("ppg", features.extractor("ppg").specs)])
    odd = replace(line("Q", 5), schema=pulse, x=line("Q", 5).x[:, : len(pulse.names)])
    with pytest.raises(ModelDataError, match="other features"):
        trained([*people(3), odd])


def test_a_bundle_that_was_tampered_with_is_refused(tmp_path):
    path = tmp_path / "a.feltbundle"
    model, stack = make()
    write(path, model, "card", stack)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x40
    path.write_bytes(bytes(data))
    with pytest.raises(BundleError, match=r"a\.feltbundle"):
        bundle.load(path)


def test_a_joint_part_needs_more_than_one_modality():
    alone = [person(f"P{i}", i, ("eda",), np.zeros((40, 1)), (np.arange(40) // 10) % 2) for i in range(3)]
    chosen = replace(target("mood", ["a", "b"]), modalities=("eda",), joint="cls")
    assert trained(alone, chosen).model.joint is None
