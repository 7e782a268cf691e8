"""``feltsense scan`` and ``record`` on the virtual radio: found, recorded, accounted for, ended by Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from feltsense.cli import main
from feltsense.cli._sensors import choose
from feltsense.core.event import EventKind
from feltsense.errors import InputError, PassphraseError
from feltsense.store import Vault, key_id, read
from feltsense_bridge.device import Advertisement
from feltsense_bridge.errors import NotFoundError, UnknownSensorError
from feltsense_bridge.scan import Sighting

H10 = Sighting(Advertisement("AA:01", "Polar H10 12345678"), "polar_h10")
OTHER = Sighting(Advertisement("AA:02", "Polar H10 87654321"), "polar_h10")
BOARD = Sighting(Advertisement("AA:03", "felt-01"), "open_board")
LAMP = Sighting(Advertisement("AA:04", "Lamp"), None)


def test_scan_lists_what_can_be_recorded(capsys):
    assert main(["scan", "--virtual", "--seconds", "10"]) == 0
    out = capsys.readouterr().out
    assert "polar_h10" in out
    assert "open_board" in out
    assert "feltsense record --device" in out


def test_record_writes_what_the_sensors_sent(tmp_path, capsys):
    path = tmp_path / "r.felt"
    assert main(["record", "--virtual", "--speed", "20", "--seconds", "30", "--subject", "P7", "--out", str(path)]) == 0
    recording = read(path)
    assert recording.subject == "P7"
    assert {"h10.ecg", "h10.acc", "board.ppg", "board.eda", "board.temp", "board.acc"} == set(recording.streams)
    assert 25 < recording.seconds < 45
    for stream_id, account in recording.account().items():
        assert account.missing == 0, stream_id
    assert [e.kind for e in recording.events].count(EventKind.CONNECTED) == 2
    labels = [e for e in recording.events if e.kind is EventKind.LABEL]
    assert labels[0].text == "rest"
    assert labels[-1].t_ns + labels[-1].value * 1e9 <= recording.stop_ns + 1000
    out = capsys.readouterr().out
    assert "h10.ecg" in out
    assert "received" in out
    # The same name again is refused before anything is touched.
    size = path.stat().st_size
    assert main(["record", "--virtual", "--out", str(path)]) == 2
    assert path.stat().st_size == size


@pytest.mark.skipif(sys.platform == "win32", reason="signals to a child are POSIX")
def test_ctrl_c_ends_it_cleanly(tmp_path):
    path = tmp_path / "c.felt"
    call = "import sys; from feltsense.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", call, "record", "--virtual", "--speed", "10", "--out", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as child:
        killer = threading.Timer(60, child.kill)
        killer.start()
        # Wait for the file to hold committed data.
        while child.poll() is None and not _begun(path):
            time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate()
        killer.cancel()
    assert child.returncode == 0, err
    assert "received" in out
    assert "Traceback" not in err
    assert sum(a.received for a in read(path).account().values()) > 0
    assert not path.with_name(path.name + "-wal").exists()


def _begun(path):
    wal = path.with_name(path.name + "-wal")
    return wal.exists() and wal.stat().st_size > 20_000


def test_sensors_are_chosen_by_name_or_taken_where_it_is_clear():
    assert choose([H10, BOARD, LAMP], []) == [H10, BOARD]
    assert choose([H10, OTHER, BOARD], ["12345678", "aa:03", "AA:01"]) == [H10, BOARD]
    with pytest.raises(InputError, match="several sensors"):
        choose([H10, OTHER], [])
    with pytest.raises(InputError, match="no sensor that feltsense can read"):
        choose([LAMP], ["lamp"])
    with pytest.raises(UnknownSensorError, match=r"'99' in reach \(in reach: Polar H10"):
        choose([H10], ["99"])
    with pytest.raises(NotFoundError, match="in reach"):
        choose([LAMP], [])


@pytest.mark.parametrize("wrong", [["--speed", "0"], ["--speed", "5"], ["--seconds", "-1", "--virtual"]])
def test_nonsense_is_refused_in_one_line(tmp_path, capsys, wrong):
    assert main(["record", "--out", str(tmp_path / "x.felt"), *wrong]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["scan", "--virtual", "--seconds", "0"]) == 2


def test_an_unknown_sensor_is_bad_input(tmp_path, capsys):
    path = tmp_path / "x.felt"
    assert main(["record", "--virtual", "--device", "nobody", "--out", str(path)]) == 2
    assert capsys.readouterr().err.startswith("feltsense: no sensor 'nobody' in reach (in reach: Polar H10")
    assert not path.exists()


def test_encrypt_leaves_nothing_readable_and_every_command_finds_the_key(tmp_path, capsys, monkeypatch):
    path, keys = tmp_path / "r.felt", tmp_path / "keys"
    monkeypatch.setenv("FELTSENSE_PASSPHRASE", "correct horse")
    line = ["record", "--virtual", "--speed", "30", "--seconds", "10", "--subject", "participant-seventeen"]
    assert main([*line, "--encrypt", "--keys", str(keys), "--out", str(path)]) == 0
    raw = path.read_bytes()
    for word in (b"participant-seventeen", b"board.eda", b"virtual sensors", b"connected", b"Polar H10"):
        assert word not in raw
    assert key_id(path) == Vault(keys).subjects()["participant-seventeen"]
    monkeypatch.setenv("FELTSENSE_KEYS", str(keys))
    capsys.readouterr()
    assert main(["info", str(path)]) == 0
    assert "participant-seventeen" in capsys.readouterr().out
    assert main(["verify", str(path)]) == 0
    monkeypatch.setenv("FELTSENSE_PASSPHRASE", "wrong horse")
    assert main(["info", str(path)]) == 2
    assert "passphrase is wrong" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "says"),
    [(["--encrypt", "--capture", "c.cap"], "readable for anybody"), (["--keys", "k"], "add --encrypt")],
)
def test_what_would_not_be_encrypted_is_refused(tmp_path, capsys, monkeypatch, more, says):
    monkeypatch.chdir(tmp_path)
    assert main(["record", "--virtual", "--out", "r.felt", *more]) == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_no_key_no_recording(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("FELTSENSE_PASSPHRASE", raising=False)
    monkeypatch.setattr("feltsense.store.keys._keyring", no_key_store)
    line = ["record", "--virtual", "--encrypt", "--out", str(tmp_path / "r.felt")]
    assert main(line) == 2
    assert "FELTSENSE_PASSPHRASE" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def no_key_store():
    msg = "no key store; a passphrase in FELTSENSE_PASSPHRASE"
    raise PassphraseError(msg, new=True)


def test_a_terminal_is_asked_for_the_passphrase(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("FELTSENSE_PASSPHRASE", raising=False)
    monkeypatch.setattr("feltsense.store.keys._keyring", no_key_store)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    said = iter(["a", "b", "a", "a", "a", "b"])
    monkeypatch.setattr("getpass.getpass", lambda question: next(said))
    path = tmp_path / "r.felt"
    line = ["simulate", "--minutes", "7", "--encrypt", "--out", str(path)]
    assert main(line) == 2
    assert "differ" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    assert main(line) == 0
    assert b"synthetic" not in path.read_bytes()
    assert main(["info", str(path)]) == 0, "asked once for a key that is there"
    assert main(["info", str(path)]) == 2
    assert "wrong" in capsys.readouterr().err
    assert "FELTSENSE_PASSPHRASE" not in os.environ
