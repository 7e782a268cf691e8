"""WFDB records against the reference package, and against the format's own arithmetic."""

import builtins
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.event import EventKind
from feltsense.core.timeline import NS
from feltsense.errors import ImportFormatError, InputError, MissingExtraError, UnknownNameError
from feltsense.importers import importer

SAMPLES = 500


def load(source, **options):
    return importer("wfdb")(Path(source), "S", options)


def record(folder, name="r", signals=(("MLII", "mV"), ("V5", "mV")), fs=360, **more):
    rng = np.random.default_rng(0)
    p_signal = np.round(rng.normal(size=(SAMPLES, len(signals))), 2)
    wfdb.wrsamp(
        name, fs=fs, units=[u for _, u in signals], sig_name=[n for n, _ in signals], p_signal=p_signal,
        fmt=["16"] * len(signals), adc_gain=[200.0] * len(signals), baseline=[0] * len(signals),
        write_dir=str(folder), **more,
    )  # fmt: skip
    wfdb.wrann(
        name, "atr", np.array([3, 100, 200]), symbol=["N", "V", "+"], aux_note=["", "", "(AFIB"], write_dir=str(folder)
    )
    return folder / name, np.round(p_signal * 200) / 200


@pytest.mark.parametrize("name", ["100", "105"])
def test_mit_bih_equals_the_reference_reader(data_dir, name):
    source = data_dir / "mitdb" / name
    expected, notes = wfdb.rdrecord(str(source)), wfdb.rdann(str(source), "atr")
    recording = load(source)
    _, second = expected.sig_name
    assert set(recording.streams) == {"wfdb.ecg", f"wfdb.ecg_{second.lower()}"}
    for stream_id, column in (("wfdb.ecg", 0), (f"wfdb.ecg_{second.lower()}", 1)):
        stream = recording.stream(stream_id)
        np.testing.assert_array_equal(stream.segments[0].values[:, 0], expected.p_signal[:, column])
        assert (stream.info.device, stream.info.spec.hz, stream.info.spec.unit) == (expected.sig_name[column], 360, "mV")
    # MIT-BIH 212 has 11 bits at 200 counts a mV: another reading of the same bytes.
    raw = np.frombuffer(source.with_suffix(".dat").read_bytes(), np.uint8).reshape(-1, 3).astype(int)
    counts = (raw[:, 0] | (raw[:, 1] & 0x0F) << 8) ^ 0x800
    np.testing.assert_allclose(
        recording.stream("wfdb.ecg").segments[0].values[:, 0], (counts - 0x800 - 1024) / 200, atol=1e-12
    )
    beats = [e for e in recording.events if e.kind is EventKind.BEAT]
    codes = set("NLRBAaJSVrFejnE/fQ?")
    where = [int(s) for s, symbol in zip(notes.sample, notes.symbol, strict=True) if symbol in codes]
    assert [round(e.t_ns * 360 / NS) for e in beats] == where
    time = recording.stream("wfdb.ecg").segments[0].time
    assert [e.t_ns for e in beats] == [time.time_at(i) for i in where]
    assert len(beats) == {"100": 2273, "105": 2572}[name]
    assert len(recording.events) == len(notes.sample)


def test_channel_and_annotator_choose(data_dir):
    r = load(data_dir / "mitdb" / "100.hea", channel="v5")
    assert {k: s.info.device for k, s in r.streams.items()} == {"wfdb.ecg": "V5", "wfdb.ecg_mlii": "MLII"}
    with pytest.raises(UnknownNameError, match="unknown channel 'X'; known: MLII, V5"):
        load(data_dir / "mitdb" / "100", channel="X")
    with pytest.raises(ImportFormatError, match=r"100\.qrs: does not exist"):
        load(data_dir / "mitdb" / "100", annotator="qrs")
    with pytest.raises(ImportFormatError, match="it holds 100, 105"):
        load(data_dir / "mitdb")


def test_units_names_and_dates(tmp_path):
    from datetime import date, time

    signals = (("II", "uV"), ("RESP", "mV"), ("PLETH", "NU"), ("aVF", "mV"), ("ECG1", "V"), ("EDA", "uS"), ("avf", "mV"))
    _, values = record(tmp_path, signals=signals, fs=250.5, base_date=date(2020, 1, 2), base_time=time(3, 4, 5, 250_000))
    r = load(tmp_path)
    assert {k: s.info.spec.unit for k, s in r.streams.items()} == {
        "wfdb.ecg": "mV", "wfdb.ppg": "1", "wfdb.ecg_avf": "mV", "wfdb.ecg_ecg1": "mV", "wfdb.eda": "uS",
        "wfdb.ecg_avf_6": "mV",
    }  # fmt: skip
    assert r.metadata["note"] == "not imported: RESP (mV)"
    np.testing.assert_allclose(r.stream("wfdb.ecg").segments[0].values[:, 0], values[:, 0] / 1000, atol=1e-12)
    np.testing.assert_allclose(r.stream("wfdb.ecg_ecg1").segments[0].values[:, 0], values[:, 4] * 1000, atol=1e-9)
    assert r.start_ns == 1_577_934_245_250_000_000
    assert float(r.stream("wfdb.ecg").info.spec.rate) == 250.5
    assert [(e.kind, e.text) for e in r.events] == [
        (EventKind.BEAT, "N"),
        (EventKind.BEAT, "V"),
        (EventKind.NOTE, "+ (AFIB"),
    ]


def test_what_is_wrong_is_said(tmp_path, monkeypatch):
    with pytest.raises(ImportFormatError, match=r"nothing\.hea: does not exist"):
        load(tmp_path / "nothing")
    path, _ = record(tmp_path, signals=(("RESP", "mV"),))
    with pytest.raises(ImportFormatError, match=r"only RESP \(mV\); an ECG lead is in mV"):
        load(path)
    path, _ = record(tmp_path)
    dat = path.with_suffix(".dat")
    dat.write_bytes(dat.read_bytes()[:100])
    with pytest.raises(ImportFormatError, match=r"r\.hea: cannot be read as a WFDB record .*copy the"):
        load(path)
    dat.unlink()
    with pytest.raises(ImportFormatError, match="cannot be read"):
        load(path)
    path.with_suffix(".hea").write_text("r 0 128 0\n")
    with pytest.raises(ImportFormatError, match="no signals"):
        load(path)
    real = builtins.__import__

    def without(name, *args):
        if name == "wfdb":
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"feltsense\[wfdb\]"):
        load(path)


@settings(max_examples=80)
@given(st.sampled_from([".hea", ".dat", ".atr"]), st.floats(0, 1), st.binary(max_size=3), st.booleans())
@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_mutated_records_raise_nothing_else(suffix, place, new, cut):
    with TemporaryDirectory() as folder:
        path, _ = record(Path(folder))
        file = path.with_suffix(suffix)
        data = file.read_bytes()
        at = int(place * len(data))
        file.write_bytes(data[:at] + new + (b"" if cut else data[at + len(new) :]))
        with suppress(InputError):
            load(path)
