"""Words against everything else: measured, and never decisive alone."""

import math

import pytest

from feltsense.fusion.disagreement import disagreement


def test_words_that_agree_decide_with_the_others():
    d = disagreement({"text": [1.0], "ppg": [0.5], "voice": [0.2]})
    assert not d.alone
    assert d.distance == pytest.approx(1 / (1 + math.exp(-1.0)) - 1 / (1 + math.exp(-0.7)))


def test_words_alone_against_the_others_leave_it_open():
    fine = disagreement({"text": [-2.0], "ppg": [0.8], "voice": [0.4]})
    assert fine.alone
    assert fine.distance > 0.6


def test_words_that_lose_change_nothing():
    d = disagreement({"text": [-0.5], "ppg": [0.8], "voice": [0.4]})
    assert not d.alone
    assert d.distance > 0.3


def test_where_only_words_are_there_they_may_speak():
    for contributions in ({"text": [2.0]}, {"text": [2.0], "ppg": [0.0]}, {"ppg": [1.0]}, {}):
        d = disagreement(contributions)
        assert not d.alone
        assert math.isnan(d.distance)


def test_more_than_two_classes():
    d = disagreement({"text": [3.0, 0.0], "voice": [0.0, 1.0], "face": [0.2, 0.5]})
    assert d.alone
    assert 0.0 < d.distance <= 1.0
