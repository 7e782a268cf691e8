"""Empatica E4: equal to an independent reading of the CSV files; what is wrong is named by file and line."""

import csv
import io
import zipfile
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.chunk import GapReason
from feltsense.core.event import EventKind
from feltsense.core.timeline import NS
from feltsense.errors import FeltsenseError, ImportFormatError, InputError, RecordingError, UnknownNameError
from feltsense.importers import importer, importers, open_recording
from feltsense.store import read, write
from same_recording import assert_same

SUBJECTS = [f"S{n:02d}" for n in range(2, 22)]
KINDS = {
    "BVP": ("e4.bvp", "ppg"),
    "EDA": ("e4.eda", "eda"),
    "TEMP": ("e4.temp", "skin_temperature"),
    "ACC": ("e4.acc", "acc"),
}

SMALL = {
    "BVP.csv": "1600000000.25\n64.000000\n" + "".join(f"{k - 60}.{k % 100:02d}\n" for k in range(128)),
    "EDA.csv": "1600000000.000000\n4.000000\n0.000000\n" + "0.412345\n" * 7,
    "TEMP.csv": "1600000000.000000\n4.000000\n" + "33.29\n" * 8,
    "ACC.csv": "1600000000.0, 1600000000.0, 1600000000.0\n32.000000, 32.000000, 32.000000\n" + "-64,32,1\n" * 64,
    "IBI.csv": "1600000000.000000, IBI\n1.500000,0.750000\n2.250000,0.750000\n9.000000,0.875000\n",
    "tags.csv": "1600000001.50\r\n1600000002\r\n",
    "HR.csv": "1600000010.000000\n1.000000\n80.00\n",
    "info.txt": "not read",
}


def folder(path, changes=None):
    path.mkdir(exist_ok=True)
    for name, text in (SMALL | (changes or {})).items():
        if text is not None:
            (path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def zipped(path, changes=None, inner=""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (SMALL | (changes or {})).items():
            if text is not None:
                archive.writestr(f"{inner}{name}", text)
    return path


def oracle(path, name):
    """Start (ns), rate and rows by the standard library."""
    with (path / f"{name}.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    return int(Decimal(rows[0][0]) * NS), Decimal(rows[1][0]), [[float(c) for c in row] for row in rows[2:]]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_real_recordings_equal_an_independent_reading(data_dir, subject):
    source = data_dir / "stress-predict" / subject
    recording = open_recording(source)
    assert recording.subject == subject
    names = KINDS if subject in ("S02", "S17") else {"EDA": KINDS["EDA"]}
    for name, (stream_id, kind) in names.items():
        start, rate, rows = oracle(source, name)
        stream = recording.stream(stream_id)
        assert (stream.info.spec.name, stream.info.spec.rate) == (kind, rate)
        (segment,) = stream.segments
        expected = np.array(rows) / (64 if name == "ACC" else 1)
        np.testing.assert_array_equal(segment.values, expected)
        at = [0, 1, len(rows) - 1]
        assert [segment.time.time_at(i) for i in at] == [start + int(i * NS / rate) for i in at]
    assert {k for k, _ in KINDS.values()} < set(recording.streams)
    tags = (source / "tags.csv").read_text().split()
    assert sorted(e.t_ns for e in recording.events) == sorted(int(Decimal(t) * NS) for t in tags)
    assert {e.kind for e in recording.events} == {EventKind.MARKER}
    beats = recording.stream("e4.ibi")
    with (source / "IBI.csv").open(newline="") as file:
        rows = [[float(c) for c in row] for row in list(csv.reader(file))[1:]]
    assert np.concatenate([s.values[:, 0] for s in beats.segments]).tolist() == [r[1] for r in rows]
    for segment in beats.segments:
        t = segment.time.device_times(0, len(segment.values))
        np.testing.assert_allclose(np.diff(t) / NS, segment.values[1:, 0], atol=1 / 64 + 1e-9)


def test_a_real_recording_survives_the_file(data_dir, tmp_path):
    recording = open_recording(data_dir / "stress-predict" / "S03")
    write(tmp_path / "s.felt", recording)
    assert_same(read(tmp_path / "s.felt"), recording)
    assert open_recording(tmp_path / "s.felt", subject="other").subject == "other"


def test_a_small_one_in_full(tmp_path):
    r = open_recording(folder(tmp_path / "P7"))
    assert r.subject == "P7"
    assert {k: a.received for k, a in r.account().items()} == {
        "e4.bvp": 128,
        "e4.eda": 8,
        "e4.temp": 8,
        "e4.acc": 64,
        "e4.ibi": 3,
    }
    assert r.stream("e4.bvp").start_ns == 1_600_000_000_250_000_000
    assert r.stream("e4.acc").segments[0].values[0].tolist() == [-1.0, 0.5, 1 / 64]
    assert r.stream("e4.eda").segments[0].values[0, 0] == 0.0
    first, second = r.stream("e4.ibi").segments
    assert first.time.times(0, 2).tolist() == [1_600_000_001_500_000_000, 1_600_000_002_250_000_000]
    assert (first.gap, second.gap.reason, len(second.values)) == (None, GapReason.SOURCE, 1)
    # 9 − 0.875 − 2.25 = 5.875 s without a beat: 2 at the longest interval, 23 at the shortest.
    assert (second.gap.samples, second.gap.upper) == (2, 23)
    assert [e.t_ns for e in r.events] == [1_600_000_001_500_000_000, 1_600_000_002 * NS]
    assert dict(r.metadata) == {"importer": "e4", "source": "P7"}


@pytest.mark.parametrize("inner", ["", "1600000000_A0/", "a/b/"])
def test_zip_is_folder(tmp_path, inner):
    shadow = {f"__MACOSX/{inner}._BVP.csv": "x", f"__MACOSX/{inner}BVP.csv": "x"}
    archive = zipped(tmp_path / "P7.zip", inner=inner)
    with zipfile.ZipFile(archive, "a") as file:
        for name, text in shadow.items():
            file.writestr(name, text)
    one, other = open_recording(folder(tmp_path / "P7")), open_recording(archive)
    assert one.subject == other.subject == "P7"
    assert other.metadata["source"] == "P7.zip"
    for stream in one.streams:
        np.testing.assert_array_equal(one.stream(stream).segments[0].values, other.stream(stream).segments[0].values)
    assert one.events == other.events


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_what_editors_do_to_text_changes_nothing(tmp_path, ending):
    edited = {k: "\ufeff" + v.replace("\r\n", "\n").replace("\n", ending) + ending for k, v in SMALL.items()}
    one, other = open_recording(folder(tmp_path / "P")), open_recording(folder(tmp_path / "Q", edited), subject="P")
    for stream in one.streams:
        np.testing.assert_array_equal(one.stream(stream).segments[0].values, other.stream(stream).segments[0].values)


def test_missing_modalities_are_noted(tmp_path):
    r = open_recording(folder(tmp_path / "P", {"TEMP.csv": None, "IBI.csv": "", "tags.csv": None, "ACC.csv": None}))
    assert set(r.streams) == {"e4.bvp", "e4.eda"}
    assert r.metadata["note"] == "TEMP.csv is absent; ACC.csv is absent"


def test_a_file_that_ends_early_and_strange_tags_are_noted(tmp_path):
    long = "1600000000\n4.0\n" + "33.29\n" * 800
    r = open_recording(folder(tmp_path / "P", {"TEMP.csv": long, "tags.csv": "1500000000\n"}))
    assert "e4.bvp ends 198 s early" in r.metadata["note"]
    assert "1 of 1 tags lie outside" in r.metadata["note"]


EDA = SMALL["EDA.csv"]


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        (dict.fromkeys(SMALL), "", "no signal of an Empatica E4"),
        ({"EDA.csv": ""}, "EDA.csv, line 1", "found nothing"),
        ({"EDA.csv": "1600000000\n"}, "EDA.csv, line 2", "found nothing"),
        ({"EDA.csv": "1600000000\n4.0\n"}, "EDA.csv, line 3", "no samples"),
        ({"TEMP.csv": "1600000000\n33.29\n33.29\n"}, "TEMP.csv, line 2", "is the rate line missing"),
        ({"TEMP.csv": "1600000000\n33.00\n33.29\n"}, "TEMP.csv, line 2", "is the rate line missing"),
        ({"EDA.csv": "1600000000\n0.000000\n0.4\n"}, "EDA.csv, line 2", "is the rate line missing"),
        ({"EDA.csv": "1600000000\n-4\n0.4\n"}, "EDA.csv, line 2", "cannot be the rate"),
        ({"EDA.csv": "1600000000\n1e0\n0.4\n"}, "EDA.csv, line 2", "cannot be the rate"),
        ({"BVP.csv": "64.000000\n-0.00\n-0.00\n"}, "BVP.csv, line 1", "not a Unix time"),
        ({"EDA.csv": "4.000000\n4.000000\n0.400000\n"}, "EDA.csv, line 1", "Unix time"),
        ({"EDA.csv": EDA.replace("1600000000", "today")}, "EDA.csv, line 1", "'today"),
        ({"EDA.csv": EDA[:-4]}, "EDA.csv, line 10", "cut off after '0.412'"),
        ({"ACC.csv": SMALL["ACC.csv"][:-2]}, "ACC.csv, line 66", "cut off after '-64,32,'"),
        ({"ACC.csv": SMALL["ACC.csv"][:-1]}, "ACC.csv, line 66", "cut off"),
        ({"ACC.csv": SMALL["ACC.csv"] + "1,2\n"}, "ACC.csv, line 67", "has 2 columns, expected 3"),
        ({"ACC.csv": SMALL["ACC.csv"].replace("32.000000, 32", "32.000000, 31")}, "ACC.csv, line 2", "3 times"),
        ({"EDA.csv": EDA.replace("0.000000\n0.4", "0.000000\n\n0.4", 1)}, "EDA.csv, line 4", "is empty"),
        ({"EDA.csv": EDA + "nan\n"}, "EDA.csv, line 11", "'nan' is not a number"),
        ({"EDA.csv": EDA + "1_0\n0.4\n"}, "EDA.csv, line 11", "'1_0' is not a number"),
        ({"EDA.csv": EDA + "1e999\n0.4\n"}, "EDA.csv, line 11", "too large"),
        ({"EDA.csv": EDA.encode() + b"\xff\xfe\n"}, "EDA.csv, line 11", "is not a number"),
        ({"EDA.csv": EDA + "1.0,2.0\n"}, "EDA.csv, line 11", "has 2 columns, expected 1"),
        ({"IBI.csv": "1600000000\n1,0.5\n"}, "IBI.csv, line 1", "the word IBI"),
        ({"IBI.csv": "1600000000, IBI\n1.5,0.5\n1.5,0.5\n"}, "IBI.csv, line 3", "times must grow"),
        ({"IBI.csv": "1600000000, IBI\n1.5,-0.5\n"}, "IBI.csv, line 2", "intervals be positive"),
        ({"tags.csv": "1600000001\nnow\n"}, "tags.csv, line 2", "'now' is not a Unix time"),
        ({"tags.csv": "16000\n"}, "tags.csv, line 1", "is not a Unix time"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, changes, where, what):
    source = folder(tmp_path / "P", changes)
    for path in (source, zipped(tmp_path / "P.zip", changes)):
        with pytest.raises(ImportFormatError) as e:
            open_recording(path)
        message = str(e.value)
        assert message.startswith(f"{path}/{where}" if where else f"{path}: ")
        assert what in message
        assert "\n" not in message
        assert len(message) < 300 + len(str(path))


def test_a_last_line_without_its_end_is_taken_only_where_it_is_whole(tmp_path):
    r = open_recording(folder(tmp_path / "P", {"EDA.csv": EDA[:-1]}))
    assert r.account()["e4.eda"].received == 8


def test_what_is_no_recording(tmp_path):
    (tmp_path / "x.bin").write_bytes(b"hello")
    (tmp_path / "x.zip").write_bytes(zipped(tmp_path / "y.zip").read_bytes()[:-30])
    with pytest.raises(RecordingError, match="feltsense import FORMAT"):
        open_recording(tmp_path / "x.bin")
    with pytest.raises(RecordingError, match="does not exist"):
        open_recording(tmp_path / "nothing")
    for attempt in (open_recording, lambda p: importer("e4")(p, "S", {})):
        with pytest.raises(ImportFormatError, match="not a zip that can be read"):
            attempt(tmp_path / "x.zip")
    with pytest.raises(ImportFormatError, match="cannot be read"):
        importer("e4")(tmp_path / "nothing", "S", {})
    with pytest.raises(ImportFormatError, match="no option 'a'"):
        importer("e4")(tmp_path, "S", {"a": "b"})
    with pytest.raises(UnknownNameError, match="unknown importer 'abc'; known: csv, e4, video, wav, wfdb"):
        importer("abc")
    assert importers() == ("csv", "e4", "video", "wav", "wfdb")


def test_two_recordings_in_one_zip(tmp_path):
    archive = zipped(tmp_path / "two.zip", inner="a/")
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("b/BVP.csv", SMALL["BVP.csv"])
    with pytest.raises(ImportFormatError, match=r"holds a/BVP\.csv and b/BVP\.csv"):
        open_recording(archive)


def test_a_file_beyond_any_device_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("feltsense.importers._bundle.LARGEST", 100)
    for source in (folder(tmp_path / "P"), zipped(tmp_path / "P.zip")):
        with pytest.raises(ImportFormatError, match="larger than"):
            open_recording(source)


MUTATION = st.tuples(
    st.sampled_from(sorted(n for n in SMALL if n.endswith(".csv"))),
    st.floats(0, 1),
    st.integers(0, 5),
    st.one_of(st.binary(max_size=4), st.sampled_from([b"\n", b",", b"nan", b"1e99", b"-", b".", b"\r", b'"', b"#"])),
)


@settings(max_examples=300)
@given(st.lists(MUTATION, min_size=1, max_size=4), st.booleans())
def test_mutated_folders_raise_nothing_else(mutations, cut):
    files = {k: v.encode() for k, v in SMALL.items()}
    for name, place, length, new in mutations:
        at = int(place * len(files[name]))
        files[name] = files[name][:at] + new + (b"" if cut else files[name][at + length :])
    with TemporaryDirectory() as where:
        try:
            recording = open_recording(folder(Path(where, "P"), files))
        except InputError as e:
            assert "\n" not in str(e)  # noqa: PT017
        else:
            assert all(np.isfinite(s.segments[0].values).all() for s in recording.streams.values())


@settings(max_examples=200)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=4), st.booleans())
def test_mutated_zips_raise_nothing_else(at, new, cut):
    buffer = io.BytesIO()
    zipped(buffer)
    data = buffer.getvalue()
    at %= len(data)
    with TemporaryDirectory() as where:
        path = Path(where, "P.zip")
        path.write_bytes(data[:at] + new + (b"" if cut else data[at + len(new) :]))
        for attempt in (open_recording, lambda p: importer("e4")(p, "S", {})):
            with suppress(FeltsenseError):
                attempt(path)
