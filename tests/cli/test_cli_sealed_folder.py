"""A folder with encrypted recordings: how many stay closed and how they are opened, in one sentence; each key once."""

import pytest

import feltsense
from feltsense.cli import main
from feltsense.core.recording import Recording
from feltsense.store import Vault, keys

HOW = "the passphrase is taken from FELTSENSE_PASSPHRASE, the folder of the keys from FELTSENSE_KEYS"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three encrypted recordings of one person."""
    for name in ("FELTSENSE_PASSPHRASE", "FELTSENSE_KEYS"):
        monkeypatch.delenv(name, raising=False)
    key = Vault(tmp_path / "days" / "keys", "right horse").key("P-seventeen")
    for k in range(3):
        feltsense.write(tmp_path / "days" / f"{k}.felt", small("P-seventeen", k), key=key)
    return tmp_path / "days"


def small(subject, seed):
    made = feltsense.participant(seed=seed, minutes=7)
    return Recording(subject, {"board.temp": made.stream("board.temp")}, made.events)


def run(capsys, *line):
    code = main([str(w) for w in line])
    return code, *capsys.readouterr()


def test_without_a_passphrase_one_sentence(folder, capsys):
    out = folder.parent / "r.html"
    code, told, said = run(capsys, "report", folder, "--out", out)
    assert (code, told, said.count("\n")) == (2, "", 1)
    assert "3 recordings are encrypted and were not opened (" in said
    assert HOW in said
    assert not out.exists()


def test_what_is_plain_is_reported_and_what_is_shut_is_counted(folder, capsys):
    feltsense.write(folder / "plain.felt", small("P-seventeen", 9))
    for line in (("report", folder, "--out", folder.parent / "r.html"),
                 ("study", "dashboard", folder, "--out", folder.parent / "d.html")):  # fmt: skip
        code, _, said = run(capsys, *line)
        assert code == 0
        if line[0] == "report":
            assert said.startswith("note: left out: 3 recordings are encrypted and were not opened (")
    assert "3 recordings are encrypted" in (folder.parent / "d.html").read_text(encoding="utf-8")


def test_with_the_passphrase_each_key_is_unwrapped_once(folder, capsys, monkeypatch):
    unwrapped = []
    derive = keys._derive
    monkeypatch.setattr(keys, "_derive", lambda *a: unwrapped.append(1) or derive(*a))
    monkeypatch.setenv("FELTSENSE_PASSPHRASE", "right horse")
    assert run(capsys, "report", folder, "--out", folder.parent / "r.html")[0] == 0
    assert len(unwrapped) == 1
    monkeypatch.setenv("FELTSENSE_PASSPHRASE", "wrong horse")
    code, _, said = run(capsys, "report", folder, "--out", folder.parent / "r.html")
    assert (code, said.count("\n")) == (2, 1)
    assert "3 recordings are encrypted" in said
    assert "the passphrase is wrong" in said
    assert len(unwrapped) == 2


def test_on_a_terminal_the_passphrase_is_asked_for(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "right horse")
    assert run(capsys, "report", folder, "--out", folder.parent / "r.html")[0] == 0


def test_verify_looks_at_a_folder(folder, capsys, monkeypatch):
    code, told, _ = run(capsys, "verify", folder)
    assert code == 0
    assert told.count("whole, ") == 3
    assert "structure and checksums only: 3 recordings are encrypted and were not opened (" in told
    assert HOW in told
    monkeypatch.setenv("FELTSENSE_PASSPHRASE", "right horse")
    code, told, _ = run(capsys, "verify", folder)
    assert (code, "checksums only" in told) == (0, False)
    (folder / "1.felt").write_bytes((folder / "1.felt").read_bytes()[:9000])
    code, told, said = run(capsys, "verify", folder)
    assert (code, said.count("\n")) == (2, 1)
    assert "1 of 3 recordings are damaged: " in said
    assert "1.felt" in said
    code, _, said = run(capsys, "verify", folder / "keys")
    assert (code, "holds no .felt file" in said) == (2, True)
