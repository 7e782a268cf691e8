"""Silero's detector through onnxruntime, with a small network of the same inputs and outputs."""

import numpy as np
import pytest

from feltsense.core.voice_row import column
from feltsense.dsp.voice import VoiceFrontEnd
from feltsense.dsp.voice.detectors import Silero
from feltsense.errors import InputError, MissingExtraError
from voice_sounds import sound_chunks, utterance

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def network(path, *, state="state", width=576, gain=400.0):
    """P(speech) from the power of the chunk with its context, remembered by half: output and new state like Silero's."""
    from onnx import TensorProto, helper, numpy_helper

    f, i = TensorProto.FLOAT, TensorProto.INT64
    nodes = [
        helper.make_node("Mul", ["input", "input"], ["squared"]),
        helper.make_node("ReduceMean", ["squared"], ["power"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["power", "gain"], ["loud"]),
        helper.make_node("ReduceMean", [state], ["memory"], axes=[0, 1, 2], keepdims=0),
        helper.make_node("Mul", ["memory", "half"], ["left"]),
        helper.make_node("Add", ["loud", "left"], ["level"]),
        helper.make_node("Tanh", ["level"], ["output"]),
        helper.make_node("Mul", [state, "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "level"], ["stateN"]),
    ]
    values = {"gain": gain, "half": 0.5, "zero": 0.0}
    graph = helper.make_graph(
        nodes, "vad",
        [
            helper.make_tensor_value_info("input", f, [None, width]),
            helper.make_tensor_value_info(state, f, [2, None, 128]),
            helper.make_tensor_value_info("sr", i, []),
        ],
        [helper.make_tensor_value_info("output", f, [None, 1]), helper.make_tensor_value_info("stateN", f, [2, None, 128])],
        [numpy_helper.from_array(np.array(v, np.float32), k) for k, v in values.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return network(tmp_path_factory.mktemp("vad") / "silero.onnx")


def by_hand(x):
    """What the network says of each whole chunk."""
    out, memory, before = [], 0.0, np.zeros(64)
    for a in range(0, len(x) - 511, 512):
        chunk = x[a : a + 512]
        memory = 400.0 * np.mean(np.concatenate((before, chunk)).astype(np.float32) ** 2) + 0.5 * memory
        out.append(np.tanh(memory))
        before = chunk[-64:]
    return np.array(out)


def test_each_row_has_the_answer_of_its_chunk(model):
    x = np.repeat(np.random.default_rng(0).uniform(0, 0.1, 40), 400)
    got = Silero(model).rows(x)
    said = by_hand(x)
    assert len(got) == 100
    middles = (80 + 160 * np.arange(100)) // 512
    np.testing.assert_allclose(got, said[np.minimum(middles, len(said) - 1)], atol=1e-5)


def test_context_and_memory_go_on_from_block_to_block_and_end_with_a_gap(model):
    x = 0.05 * np.random.default_rng(1).standard_normal(32_000)
    ear = Silero(model)
    got = np.concatenate([ear.rows(x[:16_000]), ear.rows(x[16_000:])])
    said = by_hand(x)
    # The last row of a second may be in a chunk that the next second completes: it has the answer before.
    differ = np.abs(got - said[np.minimum((80 + 160 * np.arange(200)) // 512, len(said) - 1)]) > 1e-5
    assert set(np.flatnonzero(differ)) <= {99}
    ear.begin()
    np.testing.assert_array_equal(ear.rows(x[:16_000]), got[:100])


def test_it_decides_what_is_speech_and_nothing_depends_on_the_cut(model):
    x = np.concatenate((np.zeros(8_000), utterance(seconds=2.3), np.zeros(8_000)))
    results = []
    for cuts in ((), range(777, len(x), 777)):
        info, chunks = sound_chunks(x, cuts=cuts)
        front = VoiceFrontEnd(info, Silero(model))
        results.append(np.concatenate([r.values for c in chunks for r in front.push(c)] + [r.values for r in front.close()]))
    np.testing.assert_array_equal(*results)
    speech = results[0][:, column("speech")]
    assert speech[:45].max() < 0.1
    assert speech[60:260].mean() > 0.5


def test_what_is_not_the_model_is_said(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no such file"):
        Silero(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("hello")
    for path in (
        tmp_path / "text.onnx", network(tmp_path / "older.onnx", state="h"), network(tmp_path / "wide.onnx", width=1024),
        network(tmp_path / "odd.onnx", gain=np.nan),
    ):  # fmt: skip
        with pytest.raises(InputError, match="is not Silero's voice detector"):
            Silero(path)
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"feltsense\[onnx\]"):
        Silero(tmp_path / "text.onnx")
