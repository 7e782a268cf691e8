"""What lies on the phone: the clock over restarts, the key, what is sealed with it, and a disk that is full."""

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from app_cases import Handset, on_the_air

from feltsense.errors import KeyStoreError
from feltsense.store import Vault, key_id
from feltsense_app.platform.desktop import Desktop
from feltsense_app.presenters.prompts import Logged, Stage
from feltsense_app.service import safe as safes
from feltsense_app.service.clock import System, session_clock
from feltsense_app.service.erasing import erase
from feltsense_app.service.kept import Journal
from feltsense_app.service.safe import Safe
from feltsense_app.service.shelf import Shelf
from feltsense_app.service.zone import LocalZone

NS = 10**9


class Machine:
    """Clocks of a machine."""

    def __init__(self, boot="a", up=5 * NS, wall=1000 * NS):
        self.id, self.up, self.wall = boot, up, wall

    def system(self):
        return System(lambda: self.id, lambda: self.up, lambda: self.wall)

    def passes(self, seconds):
        self.up += seconds * NS
        self.wall += seconds * NS


def test_session_time_goes_on_over_a_restart_whatever_the_phone_shows(tmp_path):
    machine = Machine()
    first = session_clock(tmp_path, machine.system())
    assert first() == 1000 * NS
    machine.passes(60)
    machine.wall -= 3600 * NS
    assert first() == 1060 * NS
    again = session_clock(tmp_path, machine.system())
    machine.passes(5)
    assert again() == 1065 * NS
    machine.id, machine.up = "b", 0
    assert session_clock(tmp_path, machine.system())() == machine.wall


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"boot": "a"}', '{"boot": "a", "base": "x"}'])
def test_a_clock_file_that_says_nothing_is_begun_anew(tmp_path, text):
    (tmp_path / "clock.json").write_text(text)
    assert session_clock(tmp_path, Machine().system())() == 1000 * NS
    assert json.loads((tmp_path / "clock.json").read_text()) == {"boot": "a", "base": 995 * NS}


def test_a_machine_that_cannot_tell_its_starts_apart_takes_the_time_it_shows(tmp_path):
    machine = Machine(boot="")
    session_clock(tmp_path, machine.system())
    machine.wall += 500 * NS
    assert session_clock(tmp_path, machine.system())() == machine.wall
    here = session_clock(tmp_path / "no folder", System())
    assert abs(here() - time.time_ns()) < 5 * NS


@pytest.fixture
def summer(monkeypatch):
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    if before is None:
        monkeypatch.delenv("TZ")
    else:
        monkeypatch.setenv("TZ", before)
    time.tzset()


def test_local_time_follows_summer_time(summer):
    zone = LocalZone()
    hours = [datetime(2026, month, 1, 12, tzinfo=zone).astimezone(UTC).hour for month in (1, 7)]
    assert hours == [11, 10]
    back = datetime(2026, 7, 1, 10, tzinfo=UTC).astimezone(zone)
    assert (back.hour, back.dst().total_seconds(), back.tzname()) == (12, 0, "CET")
    assert zone.utcoffset(None).total_seconds() in (3600, 7200)


LINE = Logged(5, "a/b/0", "a", Stage.ANSWERED, (("mood", "0.1,0.2"),))


def test_answers_and_the_baseline_are_sealed_beside_the_recordings(tmp_path):
    safe = Safe(tmp_path, "secret")
    safe.open("P1")
    journal = Journal(tmp_path / "prompts.jsonl", safe)
    journal.append(LINE)
    assert b"mood" not in (tmp_path / "prompts.jsonl").read_bytes()
    assert journal.read() == (LINE,)
    line = safe.seal("text", "baseline")
    assert safe.unseal(line, "baseline") == "text"
    for wrong, place in ((line, "journal"), ("sealed:!!", "baseline"), (line[:-8], "baseline")):
        with pytest.raises(ValueError, match=r"sealed|seal|damaged"):
            safe.unseal(wrong, place)
    safe.close()
    assert safe.unseal("plain", "baseline") == "plain"
    with pytest.raises(ValueError, match="not open"):
        safe.unseal(line, "baseline")
    assert journal.read() == ()


def test_without_a_key_store_nothing_is_sealed_and_it_is_said(tmp_path, monkeypatch):
    def refuses(_self, _subject):
        raise KeyStoreError("this system has no key store")

    safe = Safe(tmp_path, None)
    monkeypatch.setattr(Vault, "key", refuses)
    safe.open("P1")
    assert safe.key is None
    assert "no key store" in safe.why
    assert safe.seal("text", "x") == "text"


def test_a_key_that_does_not_open_is_no_reason_to_write_plainly(tmp_path):
    Safe(tmp_path, "secret").open("P1")
    with pytest.raises(KeyStoreError, match="passphrase"):
        Safe(tmp_path, "another").open("P1")
    said = []
    (tmp_path / "data").mkdir()
    Safe(tmp_path / "data", "secret").open("P1")
    shelf = Shelf(Handset(tmp_path, passphrase="another"), said.append)  # noqa: S106 (of a phone that is none)
    shelf.keep(pseudonym="P1")
    assert not shelf.unlock()
    assert "passphrase" in said[0]


def test_a_full_disk_is_said_and_what_was_to_be_kept_is_kept_with_the_next(tmp_path):
    said = []
    shelf = Shelf(Handset(tmp_path), said.append)
    shelf.keep(pseudonym="P1")
    shelf.unlock()
    journal = shelf.journal()
    journal.append(LINE)
    # As full a disk as a test that may be root can have: folders in the way.
    (tmp_path / "app.new").mkdir()
    shelf.keep(rested=True)
    assert shelf.kept.rested
    (shelf.data / "aside").write_bytes((shelf.data / "prompts.jsonl").read_bytes())
    (shelf.data / "prompts.jsonl").unlink()
    (shelf.data / "prompts.jsonl").mkdir()
    later = replace(LINE, t_ns=6)
    with pytest.raises(OSError, match=r"prompts\.jsonl"):
        journal.append(later)
    (shelf.data / "prompts.jsonl").rmdir()
    (shelf.data / "aside").rename(shelf.data / "prompts.jsonl")
    (tmp_path / "app.new").rmdir()
    journal.append(replace(LINE, t_ns=7))
    assert [x.t_ns for x in journal.read()] == [5, 6, 7]
    shelf.keep(allowed=True)
    assert Shelf(Handset(tmp_path), said.append).kept.rested
    assert len(said) == 1


def test_a_baseline_that_cannot_be_read_is_said_and_asked_for_again(tmp_path):
    said = []
    shelf = Shelf(Handset(tmp_path), said.append)
    shelf.keep(pseudonym="P1", rested=True)
    shelf.profile_path.write_text("{")
    assert shelf.baseline() is None
    assert "baseline.json" in said[0]
    assert not shelf.kept.rested


def test_erasing_needs_no_key_store_and_takes_what_is_anybodys(tmp_path, monkeypatch):
    safe = Safe(tmp_path, "secret")
    safe.open("P1")
    (tmp_path / "strange.felt").write_bytes(b"SQLite format 3\0" + bytes(100))

    def refuses(_self, _subject):
        raise KeyStoreError("locked")

    monkeypatch.setattr(Vault, "destroy", refuses)
    assert erase(tmp_path, "P1", safe.vault).key
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_the_phones_own_language_is_spoken_first(tmp_path):
    assert Shelf(Handset(tmp_path, speaks="es_MX"), print).kept.settings.language == "es"


def test_a_desktop_takes_its_passphrase_from_where_the_command_line_does(tmp_path, monkeypatch):
    monkeypatch.delenv("FELTSENSE_PASSPHRASE", raising=False)
    assert Desktop(tmp_path).secret() is None
    monkeypatch.setenv("FELTSENSE_PASSPHRASE", "from outside")
    assert Desktop(tmp_path).secret() == "from outside"
    assert Desktop(tmp_path, "own").secret() == "own"
    desk = Desktop(tmp_path)
    for k in range(100):
        desk.notify("title", str(k))
    assert len(desk.said) <= 20
    assert desk.said[-1] == ("title", "99")


async def test_the_apps_recordings_are_sealed(tmp_path):
    async with on_the_air(tmp_path) as c:
        c.shelf.keep(pseudonym="participant-one")
        assert c.shelf.unlock()
        path = c.shelf.session(c.radio.clock())
        c.recorder.key = c.shelf.safe.key
        with c.recorder._opened(path, "participant-one"):
            pass
        assert key_id(path) == c.shelf.safe.key.id
        assert b"participant-one" not in path.read_bytes()
    assert safes.FOLDER == "keys"
