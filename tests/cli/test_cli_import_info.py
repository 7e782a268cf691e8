"""`feltsense import` and `feltsense info`: files made, refusals in one line with exit code 2, every gap shown."""

import json
import shutil

import numpy as np
import pytest

from feltsense.cli import main
from feltsense.core.chunk import Chunk, Gap, GapReason, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.store import Writer, read

T0 = 1_700_000_000 * NS
EDA = "1600000000.000000\n4.000000\n0.000000\n" + "0.412345\n" * 39


@pytest.fixture
def e4(tmp_path):
    (tmp_path / "P7").mkdir()
    (tmp_path / "P7" / "EDA.csv").write_text(EDA)
    return tmp_path / "P7"


@pytest.fixture
def run(capsys):
    def command(*words):
        code = main([str(w) for w in words])
        return code, *capsys.readouterr()

    return command


def refused(result, *words):
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("feltsense: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err


def test_import_makes_a_file_once(e4, tmp_path, run):
    out = tmp_path / "P7.felt"
    code, said, _ = run("import", "e4", e4, "--subject", "P07", "--out", out)
    assert (code, said.count("\n")) == (0, 1)
    assert "P07, 1 streams, 10 s, 0 events (note: BVP.csv is absent" in said
    assert read(out).subject == "P07"
    before = out.read_bytes()
    refused(run("import", "e4", e4, "--out", out), "P7.felt: already exists", "--force")
    assert out.read_bytes() == before
    assert run("import", "e4", e4, "--out", out, "--force")[0] == 0
    assert read(out).subject == "P7"


def test_import_encrypts(e4, tmp_path, run, monkeypatch):
    out = tmp_path / "P7.felt"
    monkeypatch.setenv("FELTSENSE_PASSPHRASE", "correct horse")
    refused(run("import", "e4", tmp_path / "nobody", "--subject", "seventeen", "--encrypt", "--out", out), "nobody")
    assert not (tmp_path / "keys").exists(), "what cannot be read leaves no key"
    assert run("import", "e4", e4, "--subject", "seventeen", "--encrypt", "--out", out)[0] == 0
    assert not [word for word in (b"seventeen", b"e4.", b"eda", b"empatica") if word in out.read_bytes().lower()]
    assert "seventeen" in run("info", out)[1]


def test_import_says_what_is_wrong(e4, tmp_path, run):
    out = tmp_path / "x.felt"
    (e4 / "EDA.csv").write_text(EDA[:-3])
    refused(run("import", "e4", e4, "--out", out), "EDA.csv, line 42", "cut off")
    refused(run("import", "e4", tmp_path, "--out", out), "no signal of an Empatica E4")
    refused(run("import", "e4", e4, "--out", out, "--channel", "V5"), "no option 'channel'")
    refused(run("import", "e5", e4, "--out", out), "unknown importer 'e5'; known: csv, e4, video, wav, wfdb")
    (e4 / "EDA.csv").write_text(EDA)
    refused(run("import", "e4", e4, "--out", tmp_path / "no" / "x.felt"), "cannot be made")
    assert not out.exists()


def test_import_csv_and_wfdb(data_dir, tmp_path, run):
    schema = {"streams": [{"id": "w.eda", "kind": "eda", "columns": ["eda"], "rate": 4, "start": 0}]}
    (tmp_path / "s.json").write_text(json.dumps(schema))
    (tmp_path / "d.csv").write_text("eda\n1.0\n2.0\n")
    words = ("import", "csv", tmp_path / "d.csv", "--schema", tmp_path / "s.json", "--out", tmp_path / "d.felt")
    assert run(*words)[0] == 0
    assert read(tmp_path / "d.felt").account()["w.eda"].received == 2
    assert run("import", "wfdb", data_dir / "mitdb" / "100", "--channel", "V5", "--out", tmp_path / "100.felt")[0] == 0
    recording = read(tmp_path / "100.felt")
    assert (recording.subject, recording.stream("wfdb.ecg").info.device) == ("100", "V5")


def test_info_shows_every_gap_with_reason_and_time(tmp_path, run):
    path = tmp_path / "s.felt"
    ecg, rr = StreamInfo("h10.ecg", spec("ecg", 130), "Polar H10"), StreamInfo("h10.rr", spec("rr", None), "Polar H10")
    with Writer(path, "S 1", {"firmware": "3.1"}) as writer:
        for info in (ecg, rr):
            writer.declare(info)
        writer.append(Chunk(ecg, 0, 0, np.zeros(1300), TimeMap.uniform(T0, ecg.spec.rate)))
        gap = Gap(73, 73, GapReason.LINK)
        writer.append(Chunk(ecg, 1, 0, np.zeros(1300), TimeMap.uniform(T0 + 1373 * NS // 130, ecg.spec.rate), gap))
        gap = Gap(1300, 1302, GapReason.DISCONNECT)
        writer.append(Chunk(ecg, 2, 0, np.full(130, np.nan), TimeMap.uniform(T0 + 3973 * NS // 130, ecg.spec.rate), gap))
        writer.append(Chunk(rr, 0, 0, np.ones(2), TimeMap.irregular([T0 + NS, T0 + 2 * NS])))
        writer.event(Event(T0, EventKind.MARKER))
        writer.event(Event(T0, EventKind.MARKER))
    code, said, _ = run("info", path)
    assert code == 0
    lines = [line.split() for line in said.splitlines()]
    assert said.startswith(f"{path}: subject S 1, 0:00:32 from 2023-11-14T22:13:20.000+00:00")
    assert ["h10.ecg", "ecg", "mV", "130", "Hz", "2730", "1373", "to", "1375", "2", "63.4%", "Polar", "H10"] in lines
    assert ["h10.rr", "rr", "s", "irregular", "2", "0", "0", "Polar", "H10"] in lines
    assert ["h10.ecg", "0:00:10", "0.56", "s", "73", "link"] in lines
    assert ["h10.ecg", "0:00:21", "10.00", "s", "1300", "to", "1302", "disconnect"] in lines
    assert "events: 2 marker" in said

    facts = json.loads(run("info", path, "--json")[1])
    assert facts["metadata"] == {"firmware": "3.1"}
    assert facts["events"] == {"marker": 2}
    stream = facts["streams"][0]
    assert (stream["received"], stream["missing"], stream["missing_upper"], stream["unreadable"]) == (2730, 1373, 1375, 130)
    assert [(g["samples"], g["samples_upper"], g["reason"]) for g in stream["gaps"]] == [
        (73, 73, "link"),
        (1300, 1302, "disconnect"),
    ]
    assert stream["gaps"][0]["start_s"] == pytest.approx(10.0, abs=1e-6)


def test_info_of_other_things(e4, tmp_path, run):
    assert "e4.eda" in run("info", e4)[1]
    shutil.make_archive(str(tmp_path / "P7"), "zip", e4)
    assert "e4.eda" in run("info", tmp_path / "P7.zip")[1]
    Writer(tmp_path / "empty.felt", "S").close()
    code, said, _ = run("info", tmp_path / "empty.felt")
    assert code == 0
    assert "no samples" in said
    assert json.loads(run("info", tmp_path / "empty.felt", "--json")[1])["streams"] == []
    refused(run("info", tmp_path / "nothing"), "does not exist")
    (tmp_path / "x").write_text("hello")
    refused(run("info", tmp_path / "x"), "neither a .felt file nor an Empatica E4")
    (tmp_path / "cut.felt").write_bytes((tmp_path / "empty.felt").read_bytes()[:9000])
    refused(run("info", tmp_path / "cut.felt"), "damaged or cut off")


def test_info_of_a_real_recording(data_dir, run):
    said = run("info", data_dir / "stress-predict" / "S02")[1]
    assert "e4.bvp   ppg               1     64 Hz      228173    0" in said
    assert "more gaps (all of them: --json)" in said
    assert "events: 9 marker" in said
