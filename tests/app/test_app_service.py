"""What runs in a pocket: kept state, the recorder under faults, and a day of restarts."""

import asyncio
import json
from dataclasses import replace

import pytest
from app_cases import Handset, on_the_air

from feltsense.core.event import EventKind
from feltsense.datasets.synthetic import participant
from feltsense.store import read, write
from feltsense_app.presenters.consent import Consent
from feltsense_app.presenters.flow import Page
from feltsense_app.presenters.home import Level
from feltsense_app.presenters.leave import Proof
from feltsense_app.presenters.pair import Seen
from feltsense_app.presenters.settings import SettingsState
from feltsense_app.service.erasing import erase
from feltsense_app.service.kept import Kept, load, save
from feltsense_app.service.safe import Safe

CONSENT = Consent("1", ("ppg", "eda", "acc", "ecg", "inference"), ("skin_temperature",), "P", 5)


def test_what_is_kept_comes_back(tmp_path):
    kept = Kept("demo", "P-01", CONSENT, allowed=True, sensors=(Seen("a", "b", "c"),), settings=SettingsState("de"))
    save(tmp_path / "app.json", kept)
    assert load(tmp_path / "app.json") == (kept, "")
    assert load(tmp_path / "nothing.json") == (Kept(), "")


HALF = '{"version": 1, "consent": 3, "sensors": [], "settings": {}}'


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 9}', HALF])
def test_a_file_that_cannot_be_read_is_put_aside_not_overwritten(tmp_path, text):
    path = tmp_path / "app.json"
    path.write_text(text)
    kept, why = load(path)
    assert kept == Kept()
    assert "app.unreadable" in why
    assert (tmp_path / "app.unreadable").read_text() == text


def test_erasing_leaves_nothing_personal(tmp_path):
    safe = Safe(tmp_path, "secret")
    safe.open("P-77-long")
    write(tmp_path / "a.felt", replace(participant(1, 7), subject="P-77-long"), key=safe.key)
    for name in ("baseline.json", "prompts.jsonl", "report-a.html"):
        (tmp_path / name).write_text("P-77-long " * 100)
    proof = erase(tmp_path, "P-77-long", safe.vault)
    assert (proof.files, proof.key) == (4, True)
    assert proof.pieces > 10
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
    assert erase(tmp_path, "P-77-long", safe.vault) == Proof()


async def until(holds, ticks=1500):
    for _ in range(ticks):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to that")


async def joined(c, *streams, code="demo"):
    """Up to the pairing, as a person would."""
    c.join.enter(code)
    c.join.join()
    for stream in streams or CONSENT.granted:
        c.consent.toggle(stream)
    c.consent.seen()
    c.consent.sign("P")
    assert c.consent.accept()
    assert c.permissions.go_on()
    c.pair.start()
    await until(lambda: len([p for p in c.pair.state.places if p.sensor]) == 2)
    assert c.pair.go_on()
    await until(lambda: c.recorder.recording)


async def test_the_whole_flow_without_a_window(tmp_path):
    async with on_the_air(tmp_path) as c:
        running = asyncio.create_task(c.run())
        await joined(c)
        c.begin_rest()
        await until(lambda: c.wizard.state.phase.value in ("done", "again"), 3000)
        assert c.wizard.state.phase.value == "done", c.wizard.state
        c.wizard.close()
        c.markers.press()
        c.markers.say("coffee")
        await until(lambda: c.results.state.label != "", 3000)
        assert c.home.state.status.inference
        c.share.press()
        await until(lambda: not c.share.state.busy, 3000)
        assert c.share.state.path.endswith(".html")
        c.pause()
        await until(lambda: not c.recorder.recording)
        assert c.home.state.level is Level.IDLE
        running.cancel()
        await asyncio.wait([running])
        recording = read(c.recordings[0], c.recorder.key)
        kinds = {e.kind for e in recording.events}
        assert {EventKind.MARKER, EventKind.CALIBRATION, EventKind.CONSENT} <= kinds
        # Temperature was not consented to: the board never sent it.
        assert {s.info.spec.name for s in recording.streams.values()} == {"ppg", "eda", "acc", "ecg"}
        assert c.kept.rested
        assert c.phone.awake == [True, False]


@pytest.mark.parametrize(("later_s", "files"), [(600, 1), (0, 2)])
async def test_a_start_goes_on_by_itself_in_the_same_file_but_never_back_in_time(tmp_path, later_s, files):
    async with on_the_air(tmp_path) as c:
        running = asyncio.create_task(c.run())
        await joined(c)
        await until(lambda: c.home.state.status.seconds > 20)
        running.cancel()
        await asyncio.wait([running])
        before = read(c.recordings[0], c.recorder.key)
    async with on_the_air(tmp_path, later_s=later_s) as c:
        assert c.flow.state.page is Page.WIZARD
        running = asyncio.create_task(c.run())
        await until(lambda: c.recorder.recording and c.home.state.status.seconds > 20)
        running.cancel()
        await asyncio.wait([running])
        assert len(c.recordings) == files
        assert not c.home.state.status.trouble
        after = read(c.recordings[0], c.recorder.key)
    for name, stream in before.streams.items():
        segments = after.streams[name].segments
        assert (len(segments) > len(stream.segments)) is (files == 1)
        assert all(s.gap is not None for s in segments[len(stream.segments) :])


async def test_a_lost_sensor_is_said_and_comes_back(tmp_path):
    async with on_the_air(tmp_path) as c:
        running = asyncio.create_task(c.run())
        await joined(c)
        await until(lambda: c.home.state.status.seconds > 5)
        c.begin_rest()
        levels = []
        c.home.watch(lambda s: levels.append(s.level))
        strap = next(s for s in c.radio.air.sensors if "Polar" in s.name)
        await strap.vanish(30.0)
        await until(lambda: Level.BAD in levels)
        assert c.wizard.state.reason == "wizard.again.lost"
        await until(lambda: any("please look" in title and "out of reach" in text for title, text in c.phone.said))
        await until(lambda: c.home.state.level is Level.GOOD, 3000)
        await until(lambda: any(s.missing for s in c.home.state.status.sensors), 3000)
        running.cancel()
        await asyncio.wait([running])
        recording = read(c.recordings[0], c.recorder.key)
        assert any(s.gap is not None for s in recording.streams["h10.ecg"].segments)


async def test_a_full_phone_ends_the_recording_with_its_reason(tmp_path):
    async with on_the_air(tmp_path) as c:
        running = asyncio.create_task(c.run())
        await joined(c)
        c.phone.free = 1e6
        await until(lambda: not c.recorder.recording)
        assert c.home.state.sentence == "home.no_space"
        assert read(c.recordings[0], c.recorder.key).seconds > 0
        running.cancel()
        await asyncio.wait([running])


async def test_a_file_that_cannot_be_written_is_said(tmp_path):
    async with on_the_air(tmp_path) as c:
        (tmp_path / "x.felt").write_text("not a recording")
        strap = (Seen("1", "s", "polar_h10"),)
        assert not await c.recorder.record(tmp_path / "x.felt", "P", strap, frozenset(("ecg",)))
        assert c.home.state.level is Level.BAD
        assert "x.felt" in c.home.state.status.trouble


async def test_withdrawing_erases_and_starts_from_the_beginning(tmp_path):
    async with on_the_air(tmp_path) as c:
        running = asyncio.create_task(c.run())
        await joined(c)
        await until(lambda: c.home.state.status.seconds > 5)
        c.leave.ask("withdraw_erase")
        c.leave.confirm()
        await until(lambda: c.leave.state.done is not None)
        assert c.flow.state.page is Page.GOODBYE
        await until(lambda: not c.recorder.recording)
        running.cancel()
        await asyncio.wait([running])
        assert not [p for p in (tmp_path / "data").rglob("*") if p.is_file()]
        kept = json.loads((tmp_path / "app.json").read_text())
        assert (kept["study"], kept["consent"]) == ("", None)


async def test_without_consent_to_the_estimate_there_is_none(tmp_path):
    async with on_the_air(tmp_path) as c:
        running = asyncio.create_task(c.run())
        await joined(c, "ppg", "eda", "ecg")
        c.begin_rest()
        await until(lambda: c.wizard.state.phase.value in ("done", "again"), 3000)
        assert c.wizard.state.phase.value == "done"
        await until(lambda: c.home.state.status.seconds > 150, 3000)
        assert not c.home.state.status.inference
        assert c.results.state.label == ""
        running.cancel()
        await asyncio.wait([running])


def test_a_handset_is_what_the_app_asks_for(tmp_path):
    phone = Handset(tmp_path)
    assert phone.space() == (1e12, 0.9)


async def test_a_recording_that_was_taken_away_goes_on_in_another_file(tmp_path):
    async with on_the_air(tmp_path) as c:
        running = asyncio.create_task(c.run())
        await joined(c)
        await until(lambda: c.home.state.status.seconds > 5)
        gone = c.recordings[0]
        for path in gone.parent.glob(f"{gone.name}*"):
            path.unlink()
        await until(lambda: "is gone" in c.home.state.status.trouble)
        await until(lambda: c.recorder.recording and c.recordings not in ([], [gone]), 3000)
        await until(lambda: c.home.state.status.seconds > 5)
        assert not c.home.state.status.trouble
        running.cancel()
        await asyncio.wait([running])
        assert read(c.recordings[-1], c.recorder.key).seconds > 0


async def test_a_phone_that_has_room_again_records_again(tmp_path):
    async with on_the_air(tmp_path) as c:
        running = asyncio.create_task(c.run())
        await joined(c)
        c.phone.free = 1e6
        await until(lambda: not c.recorder.recording)
        assert any("full" in text for _, text in c.phone.said)
        c.phone.free = 1e12
        await until(lambda: c.recorder.recording, 3000)
        running.cancel()
        await asyncio.wait([running])
        assert len(c.recordings) == 1


async def test_a_mark_set_while_nothing_is_recorded_is_in_the_next_recording(tmp_path):
    async with on_the_air(tmp_path) as c:
        running = asyncio.create_task(c.run())
        await joined(c)
        await until(lambda: c.home.state.status.seconds > 5)
        c.pause()
        await until(lambda: not c.recorder.recording)
        c.markers.press()
        c.markers.say("in between")
        c.resume()
        await until(lambda: c.recorder.recording)
        running.cancel()
        await asyncio.wait([running])
        assert "in between" in [e.text for e in read(c.recordings[-1], c.recorder.key).events]
