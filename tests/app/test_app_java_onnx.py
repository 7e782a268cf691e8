"""onnxruntime's Android library behind the bundle's own interface: the same answers, or numpy's with a reason."""

import sys

import numpy as np
import pytest

from feltsense import bundle
from feltsense.bundle.parity import LIMIT, rows
from feltsense_app.platform.java_onnx import JavaRunner, fastest

pytest.importorskip("onnxruntime", reason="the stand-in for Java's library computes with it")

import fake_java


def test_it_is_taken_where_it_answers_as_numpy_does(monkeypatch):
    java = fake_java.installed(monkeypatch)
    plain = bundle.load(runner="numpy")
    fast, why = fastest(plain)
    assert why == ""
    assert isinstance(fast.runner, JavaRunner)
    assert java.threads == [1, 1]
    inputs = rows(plain.model, 3)
    ours, theirs = plain.runner.run(inputs), fast.runner.run(inputs)
    assert theirs.probability == pytest.approx(ours.probability, abs=LIMIT)
    assert np.array_equal(theirs.probability.argmax(axis=1), ours.probability.argmax(axis=1))
    assert np.array_equal(theirs.abstain, ours.abstain)
    assert theirs.token.shape == ours.token.shape
    assert java.open == 0, "everything that was opened in Java is closed"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("absent", "Class not found"),
        ("graph", "ORT_INVALID_GRAPH"),
        ("run", "out of memory"),
        ("type", "not of 64-bit numbers"),
        ("wrong", "answers otherwise"),
    ],
)
def test_otherwise_numpy_computes_and_the_reason_is_known(monkeypatch, fault, said):
    java = fake_java.installed(monkeypatch, fault)
    plain = bundle.load(runner="numpy")
    same, why = fastest(plain)
    assert same is plain
    assert said in why
    assert java.open == 0


def test_without_pyjnius_numpy_computes(monkeypatch):
    monkeypatch.setitem(sys.modules, "jnius", None)
    plain = bundle.load(runner="numpy")
    assert fastest(plain) == (plain, "pyjnius is not in this build")
