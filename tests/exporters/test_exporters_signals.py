"""What goes out comes back: without loss where the format allows, within half a digit where it does not."""

import gzip
import json
import zipfile

import numpy as np
import pyedflib
import pytest

import feltsense
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Stream
from feltsense.core.timeline import NS
from feltsense.errors import ImportFormatError, InputError
from feltsense.exporters import endings, export
from feltsense.exporters.table import read_table
from same_recording import T0, assert_same, infos, live_chunks


@pytest.fixture(scope="module")
def recording():
    rng = np.random.default_rng(4)
    streams = {i.id: Stream.from_chunks(i, live_chunks(i, rng, samples=300)) for i in infos()}
    events = (
        Event(T0 + 5 * NS, EventKind.LABEL, 30.0, "stress"),
        Event(T0 + 6 * NS, EventKind.NOTE, -1.5, 'comma, "quotes"\nline ä'),
    )
    return Recording("P 01, x", streams, events, {"firmware": "1,2", "": "\n"})


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_tables_read_back_to_the_same_bits_and_times(recording, tmp_path, ending):
    path = tmp_path / f"r{ending}"
    export(recording, path)
    back = read_table(path)
    assert_same(back, recording, anchors=False)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\0", "stream\n"])
def test_tables_that_are_none(tmp_path, text):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(ImportFormatError, match=r"no table of ours|cannot be read"):
        read_table(path)


def test_a_damaged_table_names_the_stream(recording, tmp_path):
    path = tmp_path / "r.csv"
    export(recording, path)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    del lines[-3]
    path.write_text("".join(lines), encoding="utf-8")
    with pytest.raises(ImportFormatError, match="out of order"):
        read_table(path)


def test_edf_is_what_an_independent_reader_reads(tmp_path):
    whole = feltsense.participant(seed=2, minutes=7)
    path = tmp_path / "r.edf"
    export(whole, path)
    with pyedflib.EdfReader(str(path)) as file:
        labels = file.getSignalLabels()
        ecg = labels.index("h10.ecg")
        assert file.getSampleFrequency(ecg) == 130
        assert file.getPhysicalDimension(ecg) == "mV"
        assert "true_rate_130_Hz" in file.getTransducer(ecg)
        truth = whole.stream("h10.ecg").segments[0].values[:, 0]
        got = file.readSignal(ecg)[: len(truth)]
        assert np.abs(got - truth).max() <= (truth.max() - truth.min()) / 65535
        _, _, texts = file.readAnnotations()
        assert any("label: stress" in t for t in texts)
        assert file.getStartdatetime().isoformat() == "2026-01-01T09:00:00"


def test_edf_gaps_and_odd_rates_are_annotated(recording, tmp_path):
    path = tmp_path / "r.edf"
    export(recording, path)
    with pyedflib.EdfReader(str(path)) as file:
        _, lengths, texts = file.readAnnotations()
        assert any(t.startswith("no data: h10.ecg") for t in texts)
        assert any(t.startswith("h10.rr") for t in texts)
        labels = file.getSignalLabels()
        acc = next(n for n, name in enumerate(labels) if name.startswith("h10.acc"))
        assert file.getSampleFrequency(acc) == 26
        assert "12773/500" in file.getTransducer(acc)
        assert lengths.max() > 0


def test_bids(recording, tmp_path):
    path = tmp_path / "r.bids.zip"
    export(recording, path)
    with zipfile.ZipFile(path) as file:
        names = file.namelist()
        assert "dataset_description.json" in names
        ecg = sorted(n for n in names if "recording-h10ecg" in n and n.endswith("tsv.gz"))
        assert len(ecg) == 3
        for number, name in enumerate(ecg):
            segment = recording.stream("h10.ecg").segments[number]
            text = gzip.decompress(file.read(name)).decode()
            values = [float("nan") if v == "n/a" else float(v) for v in text.split()]
            assert np.array(values).tobytes() == segment.values.tobytes()
            about = json.loads(file.read(name.replace("tsv.gz", "json")))
            assert about["SamplingFrequency"] == 130
            assert about["StartTime"] == pytest.approx((segment.time.time_at(0) - recording.start_ns) / NS)
            if number:
                assert about["SamplesMissingBefore"]["AtLeast"] == segment.gap.samples
        events = next(n for n in names if n.endswith("_events.tsv"))
        assert "stress" in file.read(events).decode()


def test_refusals(recording, tmp_path):
    assert {".csv", ".parquet", ".edf", ".bids.zip"} <= set(endings())
    with pytest.raises(InputError, match=r"known: .*\.csv"):
        export(recording, tmp_path / "r.xls")
    (tmp_path / "r.csv").write_text("mine")
    with pytest.raises(InputError, match="not overwritten"):
        export(recording, tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_text() == "mine"
    with pytest.raises(InputError, match="no samples"):
        export(Recording("S", {}), tmp_path / "e.csv")
    rr = {k: s for k, s in recording.streams.items() if k == "h10.rr"}
    with pytest.raises(InputError, match="no stream has a rate"):
        export(Recording("S", rr), tmp_path / "r.edf")
    with pytest.raises(InputError, match="cannot be written"):
        export(recording, tmp_path / "no" / "r.csv")
