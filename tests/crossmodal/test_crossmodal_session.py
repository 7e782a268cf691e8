"""A model with a joint part in a session: as in evaluation, in any cut, with either runner, imagined modalities marked."""

from dataclasses import replace

import numpy as np
import pytest

from feltsense import bundle
from feltsense.bundle._graph import build
from feltsense.bundle.run import NumpyRunner, OnnxRunner
from feltsense.cli.predict import columns, row
from feltsense.core.timeline import NS
from feltsense.crossmodal.attention import Attention, start
from feltsense.crossmodal.joint import Joint
from feltsense.datasets.synthetic import participant
from feltsense.evaluate.apply import answer
from feltsense.session import Session, extract, predict
from feltsense.train.examples import Line


@pytest.fixture(scope="module")
def recording():
    return participant(3, protocol=[("rest", 150.0), ("stress", 90.0)])


@pytest.fixture(scope="module")
def joint():
    plain = bundle.load(runner="numpy")
    rng = np.random.default_rng(0)
    weights = {k: v + rng.normal(0, 0.2, v.shape) for k, v in start(len(plain.model.inputs), 2, 2, rng).items()}
    network = Attention(plain.model.owner, weights, "mean", np.array([False, True]))
    model = replace(plain.model, joint=Joint(network, 0.9))
    return replace(plain, model=model, runner=NumpyRunner(model))


@pytest.fixture(scope="module")
def said(recording, joint):
    return list(predict(recording, joint, hop=30.0))


def test_its_contribution_is_told_and_adds_up(said):
    assert any(abs(p.contributions["joint"]) > 0.01 for p in said)
    for p in said:
        assert sum(p.contributions.values()) == pytest.approx(p.logits["stress"])


def test_evaluation_applies_it_as_a_session_does(recording, joint, said):
    pairs = list(extract(recording, window=60.0, hop=30.0, modalities=joint.model.watched))
    schema, n = pairs[0][1].schema, len(pairs)
    nothing = np.full(len(schema.names), np.nan)
    line = Line(
        "A", "", schema, np.array([(w.stop_ns - recording.start_ns) / NS for w, _ in pairs]),
        np.array([v.values for _, v in pairs]), np.array([v.quality for _, v in pairs]), np.zeros(n, np.int64),
        np.ones(n, bool), nothing, np.zeros(len(nothing)), (), 0.0, 60.0,
    )  # fmt: skip
    ours = answer(joint.model, line).logit[:, 0]
    np.testing.assert_allclose(ours, [p.logits["stress"] for p in said], atol=1e-9)


def test_cuts_and_runners_change_nothing(recording, joint, said):
    session = Session(recording.infos(), joint, None, 30.0, recording.start_ns)
    pieces = [p for item in recording.items(0.7) for p in session.push(item)] + session.finish()
    assert [dict(p.logits) for p in pieces] == [dict(p.logits) for p in said]
    onnx = replace(joint, runner=OnnxRunner(build(joint.model)))
    for a, b in zip(predict(recording, onnx, hop=30.0), said, strict=True):
        assert a.logits["stress"] == pytest.approx(b.logits["stress"], abs=1e-6)


def test_an_imagined_modality_is_marked_in_the_prediction_and_in_the_table(recording, joint):
    alone = replace(recording, streams={"board.ppg": recording.streams["board.ppg"]})
    said = list(predict(alone, joint, hop=30.0))
    assert {p.imagined for p in said if not p.abstained} == {("eda",)}
    header = columns(joint.model)
    assert header[-1] == "imagined_eda"
    for p in said:
        cells = dict(zip(header, row(joint.model, alone.start_ns, p), strict=True))
        assert cells["imagined_eda"] == ("false" if p.abstained else "true")
        assert p.contributions.get("eda", 0.0) == 0.0
        # One modality: nothing is known together.
        assert p.contributions.get("joint", 0.0) == 0.0
    assert "imagined_eda" not in columns(bundle.load().model)


def test_what_was_looked_at_can_be_read(recording, joint):
    session = Session(recording.infos(), joint, None, 30.0, recording.start_ns)
    maps = []
    for item in recording.items():
        session.push(item)
        maps += [joint.looked_at(inputs)[0] for inputs in session.inputs]
    rows, names = joint.model.joint.network.labels(joint.model.modalities)
    assert maps[-1].shape == (2, len(rows), len(names))
    np.testing.assert_allclose(maps[-1].sum(axis=-1), 1.0)
    # The first window has no past to look at; the last has.
    assert maps[0][:, :, 3:].sum() == 0.0
    assert maps[-1][:, :, 3:].sum() > 0.0
