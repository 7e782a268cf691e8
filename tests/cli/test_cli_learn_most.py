"""How much a model is learned from at most, and that the command says whom it leaves out."""

import argparse
from dataclasses import replace

import pytest

from feltsense.cli import main
from feltsense.cli._data import learn_most
from feltsense.datasets.study import Spread, lines
from feltsense.train.splits import MOST_WINDOWS, Cohort
from feltsense.train.targets import target

STRESS = replace(target("stress", ["rest", "stress"]), modalities=("eda",))


def test_who_is_left_out_is_said(capsys):
    cohort = Cohort([p.line for p in lines(24, STRESS, Spread(), minutes=20.0)], "made up")
    windows = len(cohort.lines[0].y)
    assert learn_most(argparse.Namespace(learn_most=22 * windows), cohort) == 22 * windows
    assert capsys.readouterr().err == (
        f"note: a model is learned from at most {22 * windows} windows, some 22 of 24 people; --learn-most 0 takes all, "
        "and as much more memory\n"
    )
    assert learn_most(argparse.Namespace(learn_most=None), cohort) == MOST_WINDOWS
    assert learn_most(argparse.Namespace(learn_most=0), cohort) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("given", ["-1", "many", "1.5"])
def test_no_number_of_windows(given, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["train", "--target", "stress", "--manifest", "x.csv", "--learn-most", given, "--out", "x.feltbundle"])
    assert exit_.value.code == 2
    assert "--learn-most" in capsys.readouterr().err
