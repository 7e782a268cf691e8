"""Bad input to the commands that read recordings: one sentence, exit code 2, and nothing changed on disk."""

import json
import sqlite3

import pytest
import yaml

import feltsense
from feltsense.cli import main
from feltsense.core.recording import Recording
from feltsense.store import Vault, Writer


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A plain, a sealed and an empty recording, a key's folder, a study file; and nothing in the environment."""
    for name in ("FELTSENSE_PASSPHRASE", "FELTSENSE_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    whole = feltsense.participant(seed=1, minutes=7)
    small = Recording("P-seventeen", {"board.temp": whole.stream("board.temp")}, whole.events)
    feltsense.write("plain.felt", small)
    feltsense.write("sealed.felt", small, key=Vault("keys", "right horse").key("P-seventeen"))
    Writer("empty.felt", "P-seventeen").close()
    return tmp_path


def state(folder):
    return {p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def refused(capsys, folder, *line):
    """The sentence of a refusal; fails if anything on disk changed, or there is more than a sentence."""
    before = state(folder)
    capsys.readouterr()
    assert main([str(w) for w in line]) == 2, line
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("feltsense: ")
    assert err.count("\n") == 1
    assert state(folder) == before, "nothing changed on disk"
    return err


READS = (
    ("info", "{}"),
    ("report", "{}", "--out", "r.html"),
    ("report", "{}", "--out", "r.pdf"),
    ("report", "{}", "--out", "r.fhir.json"),
    ("predict", "{}", "--out", "p.csv"),
    ("features", "{}", "--out", "f.csv"),
    ("calibrate", "{}", "--rest", "0", "270", "--out", "u.json"),
    ("export", "{}", "--out", "e.edf"),
)


def on(path):
    return [[w.format(path) for w in line] for line in READS]


def test_a_wrong_passphrase(place, capsys, monkeypatch):
    monkeypatch.setenv("FELTSENSE_PASSPHRASE", "wrong horse")
    for line in on("sealed.felt"):
        assert "the passphrase is wrong" in refused(capsys, place, *line)


def test_no_passphrase(place, capsys):
    for line in on("sealed.felt"):
        assert "is wrapped by a passphrase" in refused(capsys, place, *line)


def test_a_missing_key(place, capsys, monkeypatch):
    monkeypatch.setenv("FELTSENSE_PASSPHRASE", "right horse")
    monkeypatch.setenv("FELTSENSE_KEYS", str(place / "elsewhere"))
    for line in on("sealed.felt"):
        assert "has no key" in refused(capsys, place, *line)


@pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.999])
def test_half_a_download(place, capsys, part):
    whole = (place / "plain.felt").read_bytes()
    (place / "plain.felt").write_bytes(whole[: int(len(whole) * part)])
    for line in on("plain.felt"):
        told = refused(capsys, place, *line)
        assert "plain.felt: " in told
        assert part < 0.01 or "it is cut off, with " in told


def test_a_file_of_a_newer_version(place, capsys):
    db = sqlite3.connect("plain.felt")
    db.execute("PRAGMA user_version = 9")
    db.close()
    for line in (*on("plain.felt"), ("verify", "plain.felt")):
        assert "update feltsense" in refused(capsys, place, *line)


def test_a_study_file_with_an_unknown_stream(place, capsys):
    content = {"feltsense_study": 1, "id": "x", "title": "x", "languages": ["en"], "setting": "home", "purpose": "research",
               "streams": {"aura": {}}, "retention": {"days": 1, "then": "erase"},
               "consent": {"version": "1", "text": {"en": "x"}},
               "contact": {"name": "x", "reach": "x", "crisis": {"en": "x"}}}  # fmt: skip
    (place / "s.json").write_text(json.dumps(content))
    (place / "s.yaml").write_text(yaml.safe_dump(content))
    for name in ("s.json", "s.yaml"):
        assert "streams.aura is no stream" in refused(capsys, place, "study", "check", name)


def test_a_report_over_no_usable_data(place, capsys):
    for line in on("empty.felt"):
        if line[0] in ("info", "features"):
            continue
        assert "no samples" in refused(capsys, place, *line) or line[0] == "export"
    (place / "folder").mkdir()
    (place / "empty.felt").rename(place / "folder" / "empty.felt")
    told = refused(capsys, place, "report", "folder", "--out", "r.html")
    assert "no usable recording of anybody; recording of 'P-seventeen' holds no samples" in told
