"""A session's update can be taken back, exactly, also when others came after it."""

from dataclasses import replace

import pytest

from feltsense.cli import main
from feltsense.core.profile import UserProfile
from feltsense.errors import ProfileError
from feltsense.fusion.history import taken_back

START = UserProfile("P", lineage=("calibrated",)).saw({"a": (5000, 0, 0)}, "bins")
FIRST = START.saw({"a": (1000, 2000, 0), "b": (0, 0, 7)}, "bins")
SECOND = FIRST.saw({"a": (0, 1, 30)}, "bins")


def test_the_last_session_and_one_before_it():
    assert replace(taken_back(SECOND, FIRST, SECOND), lineage=FIRST.lineage) == FIRST
    without = taken_back(SECOND, START, FIRST)
    assert replace(without, lineage=START.lineage) == START.saw({"a": (0, 1, 30)}, "bins")
    assert without.lineage == ("calibrated", "took back 3 s that a session had seen")


def test_what_cannot_be_taken_back_is_refused():
    with pytest.raises(ProfileError, match="later one first"):
        taken_back(SECOND, SECOND, FIRST)
    with pytest.raises(ProfileError, match="so much was never seen"):
        taken_back(START, START, FIRST)
    with pytest.raises(ProfileError, match="not states of one profile"):
        taken_back(SECOND, replace(START, subject="Q"), FIRST)


def test_the_command(tmp_path, capsys):
    start, first, second, out = (tmp_path / f"{n}.json" for n in ("start", "first", "second", "out"))
    for path, profile in ((start, START), (first, FIRST), (second, SECOND)):
        profile.save(path)
    assert main(["profile", "revert", str(second), "--before", str(start), "--after", str(first), "--out", str(out)]) == 0
    assert UserProfile.load(out) == taken_back(SECOND, START, FIRST)
    capsys.readouterr()
    assert main(["profile", "show", str(out)]) == 0
    assert capsys.readouterr().out == (
        "P: 0 features over 0 s of rest; 1 inputs seen for 5.031 s\n  calibrated\n  took back 3 s that a session had seen\n"
    )
