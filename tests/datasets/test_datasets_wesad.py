"""WESAD's folder layout, written small and synthetic: signals, conditions, the wrist's clock; pickles that would do harm."""

import contextlib
import os
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.timeline import NS
from feltsense.datasets import wesad, wesad_chest
from feltsense.datasets._numpickle import load
from feltsense.errors import ImportFormatError, LabelError
from feltsense.train.examples import read_line
from feltsense.train.targets import target

SECONDS = 480


def person(seed):
    """A pickle as the data set has it: two devices and a condition a chest sample."""
    rng = np.random.default_rng(seed)
    t = {hz: np.arange(SECONDS * hz) / hz for hz in (4, 32, 64, 700)}
    pulse = 50 * np.sin(2 * np.pi * 1.2 * t[64]) + rng.normal(0, 1, len(t[64]))
    number = np.zeros(SECONDS * 700, np.int64)
    for a, b, k in ((10, 250, 1), (260, 380, 2), (385, 420, 3), (425, 470, 4), (471, 475, 7)):
        number[a * 700 : b * 700] = k
    chest = {
        "ACC": rng.normal(0, 0.1, (len(t[700]), 3)), "ECG": rng.normal(0, 0.1, (len(t[700]), 1)),
        "EMG": rng.normal(0, 0.1, (len(t[700]), 1)), "EDA": 4 + rng.normal(0, 0.01, (len(t[700]), 1)),
        "Temp": np.full((len(t[700]), 1), 33.0, np.float32), "Resp": np.zeros((len(t[700]), 1)),
    }
    wrist = {
        "ACC": np.round(64 * rng.normal(0, 0.1, (len(t[32]), 3))), "BVP": pulse[:, None],
        "EDA": 2 + rng.normal(0, 0.01, (len(t[4]), 1)), "TEMP": np.full((len(t[4]), 1), 34.0),
    }
    return {"signal": {"chest": chest, "wrist": wrist}, "label": number, "subject": f"S{seed}"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("WESAD")
    for seed in (2, 10):
        (root / f"S{seed}").mkdir()
        (root / f"S{seed}" / f"S{seed}.pkl").write_bytes(pickle.dumps(person(seed), protocol=2))
    (root / "S2" / "S2_readme.txt").write_text("### Personal information\nAge: 27\nHeight (cm): 175\nGender: male\n")
    (root / "S3").mkdir()
    return root


def test_the_folder_gives_people_in_order_with_their_groups(folder):
    notes = []
    found = wesad.read(folder, "stress", notes.append)
    assert [x.subject for x in found] == ["S2", "S10"]
    assert dict(found[0].about) == {"age": "20–29", "sex": "male"}
    assert notes == ["S3 has no S3.pkl; skipped"]
    assert found[0].labels == {"rest", "stress"}
    assert wesad.read(folder, "condition", notes.append)[0].labels == {"rest", "stress", "amusement", "meditation"}
    assert wesad.read(folder, "affect", notes.append)[0].labels == {"rest", "stress", "amusement"}


def test_wrist_signals_are_the_arrays_in_their_units(folder):
    truth = person(2)["signal"]["wrist"]
    recording = wesad.read(folder, "stress", print)[0].open()
    assert {n: s.info.spec.hz for n, s in recording.streams.items()} == {
        "e4.acc": 32, "e4.bvp": 64, "e4.eda": 4, "e4.temp": 4,
    }
    for name, key, scale in (("e4.acc", "ACC", 1 / 64), ("e4.bvp", "BVP", 1), ("e4.eda", "EDA", 1), ("e4.temp", "TEMP", 1)):
        np.testing.assert_array_equal(recording.streams[name].segments[0].values, truth[key] * scale)
    assert recording.metadata["wrist_offset_s"] == "0"


def test_conditions_are_intervals_and_windows_get_labels(folder):
    one = wesad.read(folder, "stress", print)[0]
    notes = []
    recording = one.open()
    spans = [(i.start_ns / NS, i.stop_ns / NS, i.label) for i in one.intervals(recording, notes.append)]
    assert spans == [(10.0, 250.0, "rest"), (260.0, 380.0, "stress")]
    assert "the wrist's begins 0 s later" in notes[0]
    line = read_line(one, target("stress", one.labels), notes.append)
    assert line.rest_s == ((10.0, 250.0),)
    assert [line.y[k] for k in (0, 1, 6, 7, 8, 9, 10, 11)] == [-1, 0, 0, -1, -1, 1, 1, -1]
    assert line.about["device"] == "Empatica E4"


def test_the_wrist_offset_is_explicit(folder, tmp_path):
    other = tmp_path / "WESAD"
    os.symlink(folder, other)
    (folder / wesad.OFFSETS).write_text("subject,offset_s\nS2,1.5\n")
    try:
        shifted = wesad.read(other, "stress", print)[0]
        recording = shifted.open()
        assert {s.start_ns for s in recording.streams.values()} == {int(1.5 * NS)}
        assert recording.metadata["wrist_offset_s"] == "1.5"
        notes = []
        # The chest's clock carries the conditions: the wrist's first second and a half is missing, they do not move.
        assert shifted.intervals(recording, notes.append)[0].start_ns == 10 * NS
        assert "1.5 s later" in notes[0]
        (folder / wesad.OFFSETS).write_text("subject,offset_s\nS2,soon\n")
        with pytest.raises(LabelError, match="subject,offset_s"):
            wesad.read(other, "stress", print)
    finally:
        (folder / wesad.OFFSETS).unlink()


def test_the_chest_is_a_data_set_of_its_own(folder):
    one = wesad_chest.DATASET(folder, "stress", print)[0]
    recording = one.open()
    assert {s.info.spec.hz for s in recording.streams.values()} == {700.0}
    assert sorted(recording.streams) == ["respiban.acc", "respiban.ecg", "respiban.eda", "respiban.temp"]
    assert "wrist_offset_s" not in recording.metadata


def test_a_pickle_of_python_2_is_read():
    text = (
        b"(dp0\nS'a'\ncnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\ntcnumpy\ndtype\n"
        b"(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n"
        b"S'\\x00\\x00\\x00\\x00\\x00\\x00\\xf8?\\x00\\x00\\x00\\x00\\x00\\x00\\x04@'\ntbs."
    )
    np.testing.assert_array_equal(load(text)["a"], [1.5, 2.5])


class Bomb:
    """What a pickle can do to who loads it."""

    def __init__(self, call, *args):
        self.call = (call, args)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("call", [os.system, eval, print, np.fromfile, np.memmap, pickle.loads])
def test_nothing_in_a_pickle_is_executed(tmp_path, call):
    mark = tmp_path / "executed"
    value = {"signal": Bomb(call, f"touch {mark}" if call is os.system else b"1")}
    with pytest.raises(ImportFormatError, match="nothing of it was executed"):
        load(pickle.dumps(value))
    assert not mark.exists()


def test_a_pickle_cannot_take_all_memory():
    with pytest.raises(ImportFormatError, match="nothing of it was executed"):
        load(b"\x80\x02}r\xff\xff\xff\x7fR.")


@pytest.mark.parametrize(
    "value",
    [
        np.array([object()], object), np.array(["a"]), np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
        np.zeros((1, 1, 1, 1)), np.array(["2020"], "M8[D]"),
    ],
    ids=["objects", "text", "records", "dimensions", "dates"],
)
def test_arrays_of_anything_but_numbers_are_refused(value):
    with pytest.raises(ImportFormatError):
        load(pickle.dumps(value))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_pickles_raise_only_the_typed_error(data):
    value = {"signal": {"wrist": {"EDA": np.arange(6.0)}}, "label": [1, 2]}
    whole = bytearray(pickle.dumps(value, data.draw(st.integers(0, 5))))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    with contextlib.suppress(ImportFormatError):
        load(bytes(whole[:cut]))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d.pop("label"), "has not the keys"),
        (lambda d: d["signal"].pop("wrist"), "has not the keys"),
        (lambda d: d["signal"]["wrist"].clear(), "holds none of"),
        (lambda d: d["signal"]["wrist"].update(BVP=np.zeros((5, 2))), "has not samples of 1 numbers"),
        (lambda d: d["signal"]["wrist"].update(BVP="no"), "has not samples of 1 numbers"),
    ],
)
def test_pickles_that_are_not_wesad_say_what_is_missing(tmp_path, change, why):
    content = {"signal": {"wrist": {"BVP": np.zeros((5, 1))}}, "label": np.zeros(5)}
    change(content)
    (tmp_path / "S2").mkdir()
    (tmp_path / "S2" / "S2.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(ImportFormatError, match=why):
        wesad.read(tmp_path, "stress", print)[0].open()


def test_no_folder_and_nobody(tmp_path):
    with pytest.raises(LabelError, match="cannot be read"):
        wesad.read(tmp_path / "none", "stress", print)
    with pytest.raises(LabelError, match="holds no"):
        wesad.read(tmp_path, "stress", print)
