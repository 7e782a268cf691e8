"""CSV by schema: values and times as the file has them, gaps where its clock jumps, errors by field and line."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.chunk import Gap, GapReason
from feltsense.core.timeline import NS
from feltsense.errors import ImportFormatError
from feltsense.importers import importer

EDA = {"id": "w.eda", "kind": "eda", "columns": ["EDA"], "rate": 4, "start": 1600000000.5}
ACC = {
    "id": "w.acc",
    "kind": "acc",
    "columns": ["x", "y", "z"],
    "time": "t",
    "time_unit": "ms",
    "rate": "25",
    "scale": 0.001,
}
RR = {"id": "w.rr", "kind": "rr", "columns": ["rr"], "time": "t", "time_unit": "iso", "file": "rr.csv", "device": "strap"}
TEXT = "t,EDA,x,y,z\n" + "".join(f"{1_600_000_000_000 + 40 * k},0.{k},{k},-{k},1000\n" for k in range(10))


@pytest.fixture
def load(tmp_path):
    def run(streams, text=TEXT, **top):
        (tmp_path / "s.json").write_text(json.dumps({"streams": streams} | top))
        (tmp_path / "d.csv").write_bytes(text.encode() if isinstance(text, str) else text)
        return importer("csv")(tmp_path / "d.csv", "S", {"schema": str(tmp_path / "s.json")})

    return run


def test_rate_and_start(load):
    r = load([EDA])
    stream = r.stream("w.eda")
    assert stream.start_ns == 1_600_000_000_500_000_000
    assert stream.segments[0].values[:, 0].tolist() == [float(f"0.{k}") for k in range(10)]
    assert (stream.info.spec.hz, r.subject, dict(r.metadata)) == (4.0, "S", {"importer": "csv", "source": "d.csv"})
    assert load([EDA | {"start": "2020-09-13T14:26:40.5+02:00"}]).start_ns == stream.start_ns
    assert (
        load([{k: v for k, v in EDA.items() if k != "start"}], start="2020-09-13T12:26:40.500").start_ns == stream.start_ns
    )


def test_rate_and_times_with_gaps(load):
    lines = TEXT.splitlines(keepends=True)
    stream = load([ACC], "".join(lines[:4] + lines[7:])).stream("w.acc")
    first, second = stream.segments
    assert (len(first.values), len(second.values)) == (3, 4)
    assert (first.gap, second.gap) == (None, Gap(3, 3, GapReason.SOURCE))
    assert second.time.times(0, 2).tolist() == [1_600_000_000_240_000_000, 1_600_000_000_280_000_000]
    assert second.values[0].tolist() == [6 * 0.001, -6 * 0.001, 1.0]


def test_irregular_by_iso_times_and_missing_numbers(load, tmp_path):
    text = "t;rr\n2024-05-01T10:00:00.000001;0.8\n2024-05-01T12:00:01+02:00;\n2024-05-01T10:00:02Z;NA\n"
    (tmp_path / "rr.csv").write_text(text)
    stream = load([RR], delimiter=";").stream("w.rr")
    origin = round(datetime(2024, 5, 1, 10, tzinfo=UTC).timestamp()) * NS
    assert (stream.segments[0].time.times(0, 3) - origin).tolist() == [1000, NS, 2 * NS]
    np.testing.assert_array_equal(stream.segments[0].values[:, 0], [0.8, np.nan, np.nan])
    assert (stream.info.device, stream.info.spec.rate) == ("strap", None)


def test_without_header_quoted_cells_and_exact_unix_times(load):
    columns = {"columns": [2], "time": 1, "time_unit": "s", "rate": None}
    stream = load(
        [EDA | columns | {"start": None}], '1600000000.123456789,"0.5"\r\n1600000001.123456790,0.6\r\n', header=False
    ).stream("w.eda")
    assert stream.segments[0].time.times(0, 2).tolist() == [1_600_000_000_123_456_789, 1_600_000_001_123_456_790]
    assert load([EDA | columns | {"start": 10}], "0,1\n1,1\n", header=False).start_ns == 10 * NS


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (TEXT.replace("0.3", "abc"), "line 5: 'abc' in column 'EDA' is not a number"),
        (TEXT.replace("0.3", "inf"), "line 5: 'inf'"),
        (TEXT.replace("0.3,", ""), "line 5: has 4 columns, expected 5"),
        (TEXT.replace("0.3", "1e999"), "line 5: a number of w.eda is too large"),
        (TEXT.replace("EDA", "eda"), "has no column 'EDA'; it has t, eda, x, y, z"),
        (TEXT.replace("EDA", "x"), "line 1: a column name is there twice"),
        (TEXT.replace("1600000000080", "now"), "line 4: 'now' is no time in 'ms'"),
        (TEXT.replace("1600000000080", "1e99"), "line 4: '1e99' is no time"),
        (TEXT.replace("1600000000080", "1600000000040"), "line 4: the time is not after the line before"),
        (TEXT.replace("0.3", '"0.3'), "unexpected end of data"),
        ("", "holds no samples"),
        ("t,EDA,x,y,z\n", "holds no samples"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_by_line(load, tmp_path, text, what):
    with pytest.raises(ImportFormatError) as e:
        load([EDA, ACC], text)
    assert str(e.value).startswith(f"{tmp_path / 'd.csv'}")
    assert what in str(e.value)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"kind": "aura"}, "unknown kind 'aura'; known: ecg"),
        ({"kind": ["eda"]}, "unknown kind"),
        ({"columns": ["a", "b"]}, "eda has the channels eda, but 2 columns are named"),
        ({"columns": "EDA"}, "'columns' must be a list"),
        ({"columns": [1]}, "'columns' must be a list and 'time' one of names"),
        ({"rate": 0}, "rate of eda must be positive"),
        ({"rate": "fast"}, "rate of eda must be positive"),
        ({"rate": True}, "'rate' must be a number"),
        ({"rate": None}, "needs either 'rate' and 'start', or 'time'"),
        ({"start": None}, "needs either"),
        ({"start": "yesterday"}, "yesterday"),
        ({"start": -1}, "'start' must be Unix seconds"),
        ({"start": 1e300}, "'start' must be Unix seconds"),
        ({"scale": 0}, "'scale' must be a number other than 0"),
        ({"scale": "1"}, "'scale' must be"),
        ({"time_unit": "h"}, "time_unit 'h' is none of s, ms"),
        ({"id": ""}, "'id'"),
        ({"colour": 1}, "unknown field 'colour'"),
    ],
)
def test_what_is_wrong_in_a_schema_is_named_by_field(load, tmp_path, change, what):
    with pytest.raises(ImportFormatError) as e:
        load([ACC, EDA | change])
    assert str(e.value).startswith(f"{tmp_path / 's.json'}, streams[1]: ")
    assert what in str(e.value)


def test_a_missing_or_broken_schema(load, tmp_path):
    with pytest.raises(ImportFormatError, match=r"streams\[0\]: field 'columns' is missing"):
        load([{"id": "a", "kind": "eda"}])
    with pytest.raises(ImportFormatError, match="is there twice"):
        load([EDA, EDA])
    with pytest.raises(ImportFormatError, match="expected an object with a list 'streams'"):
        load([])
    with pytest.raises(ImportFormatError, match=r"streams\[0\]: expected an object"):
        load([5])
    with pytest.raises(ImportFormatError, match="'delimiter' must be one character"):
        load([EDA], delimiter="::")
    with pytest.raises(ImportFormatError, match=r"s\.json: unknown field 'sep'"):
        load([EDA], sep=";")
    with pytest.raises(ImportFormatError, match="name a JSON schema with --schema"):
        importer("csv")(tmp_path / "d.csv", "S", {})
    with pytest.raises(ImportFormatError, match=r"no\.json: cannot be read"):
        importer("csv")(tmp_path / "d.csv", "S", {"schema": str(tmp_path / "no.json")})
    (tmp_path / "s.json").write_text("{")
    with pytest.raises(ImportFormatError, match="is no JSON"):
        importer("csv")(tmp_path / "d.csv", "S", {"schema": str(tmp_path / "s.json")})
    with pytest.raises(ImportFormatError, match=r"rr\.csv: cannot be read"):
        load([RR])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats() | st.text(max_size=5),
    lambda c: st.lists(c, max_size=3),
)
FIELD = st.sampled_from(["id", "kind", "file", "columns", "rate", "time", "time_unit", "scale", "start", "device"])


@settings(max_examples=200)
@given(st.dictionaries(FIELD, JSON, max_size=2), st.floats(0, 1), st.binary(max_size=4), st.sampled_from([EDA, ACC]))
def test_mutated_schemas_and_files_raise_nothing_else(changes, place, new, stream):
    data = TEXT.encode()
    at = int(place * len(data))
    with TemporaryDirectory() as folder:
        schema, file = Path(folder, "s.json"), Path(folder, "d.csv")
        schema.write_text(json.dumps({"streams": [stream | changes]}))
        file.write_bytes(data[:at] + new + data[at + len(new) :])
        with suppress(ImportFormatError):
            importer("csv")(file, "S", {"schema": str(schema)})
