"""Words against everything else: measured, and never decisive alone."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from feltsense.core.vector import FeatureSchema, FeatureVector
from feltsense.core.window import Window
from feltsense.fusion.disagreement import disagreement, verdict
from feltsense.session import Session


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


def test_a_session_gives_no_label_where_words_alone_decided():
    modalities = ("text", "ppg")
    model = SimpleNamespace(
        modalities=modalities, classes=("rest", "stress"), decision="stress", target="stress", window_s=60.0
    )
    session = object.__new__(Session)
    bundle = SimpleNamespace(id="m", shares=None, label=lambda p: model.classes[int(p.argmax())])
    session._model, session._rest, session._bundle = model, (), bundle
    schema = FeatureSchema([(m, ()) for m in modalities])
    vector = FeatureVector(schema, np.empty(0), (), np.ones(2), ("ok", "ok"))

    def say(text, ppg):
        logit = np.array([[text + ppg]])
        p = 1 / (1 + np.exp(-logit[0, 0]))
        out = SimpleNamespace(
            abstain=np.zeros((1, 1)), probability=np.array([[1 - p, p]]), plausible=np.ones((1, 2)), logit=logit,
            contribution=np.array([[[0.0], [text], [ppg], [0.0]]]), gate=np.zeros((1, 2)),
            imagined=np.zeros((1, 2)),
        )  # fmt: skip
        return session._prediction(Window(0, 0, 60_000_000_000), vector, out)

    fine = say(-3.0, 1.0)
    assert (fine.label, fine.abstained) == ("", True)
    assert fine.reason.startswith("text_against_others 0.")
    assert fine.probabilities, "they are told; only the decision is not made"
    assert (say(-1.5, 2.0).label, say(-1.5, 2.0).reason.split()[0]) == ("stress", "text_disagrees")
    assert (say(1.0, 1.0).label, say(1.0, 1.0).reason) == ("stress", "")
    assert verdict(("ppg",), np.zeros((3, 1))) == (False, "")
