"""Presenters: joining, consent, permissions, pairing, home, leaving, settings, the flow. No window, no radio."""

from dataclasses import replace

import pytest

from feltsense.errors import InputError
from feltsense_app.presenters import flow, home
from feltsense_app.presenters.base import Presenter
from feltsense_app.presenters.consent import Asked, ConsentPresenter
from feltsense_app.presenters.flow import Done, FlowPresenter, Page, resume
from feltsense_app.presenters.home import HomePresenter, Level, SensorStatus, Status
from feltsense_app.presenters.join import Invitation, JoinPresenter
from feltsense_app.presenters.leave import Choice, LeavePresenter, Proof
from feltsense_app.presenters.markers import MarkersPresenter
from feltsense_app.presenters.pair import PairPresenter, Place, Seen
from feltsense_app.presenters.permissions import Grant, PermissionsPresenter, needed
from feltsense_app.presenters.settings import SCALES, SettingsPresenter, SettingsState
from feltsense_app.presenters.share import SharePresenter
from feltsense_app.service.invite import read

H10, BOARD, OTHER = Seen("1", "H10 A", "polar_h10"), Seen("2", "felt-01", "open_board"), Seen("3", "Watch", None)


def test_a_watcher_hears_the_state_now_and_every_change_once_until_it_stops():
    p = Presenter(Page.HOME)
    p._state = SettingsState()
    heard = []
    stop = p.watch(heard.append)
    p._set(dark=True)
    p._set(dark=True)
    stop()
    stop()
    p._set(dark=False)
    assert [s.dark for s in heard] == [False, True]


def consent(**changes):
    agreed = []
    asked = (Asked("ppg", "pulse", required=True, granted=True), Asked("ecg", "heart"))
    return ConsentPresenter("text", "2", asked, lambda: 7, agreed.append), agreed


def test_consent_starts_with_everything_off_whatever_the_study_says():
    p, _ = consent()
    assert not any(a.granted for a in p.state.asked)
    assert p.state.missing == ("consent.read", "consent.required", "consent.sign")


def test_consent_needs_reading_what_is_required_and_a_signature():
    p, agreed = consent()
    assert not p.accept()
    p.seen()
    p.toggle("ppg")
    p.sign("   ")
    assert p.state.missing == ("consent.sign",)
    p.sign("A" * 500)
    assert len(p.state.signature) == 100
    assert p.accept()
    assert agreed[0].granted == ("ppg",)
    assert agreed[0].refused == ("ecg",)
    assert (agreed[0].version, agreed[0].t_ns) == ("2", 7)
    p.toggle("ppg")
    assert not p.accept()


class Phone:
    def __init__(self, grants, answers=()):
        self.grants, self.answers, self.opened = dict(grants), list(answers), 0

    def permission(self, name):
        return self.grants[name]

    def request(self, name, answered):
        self.grants[name] = self.answers.pop(0)
        answered(self.grants[name])

    def open_settings(self):
        self.opened += 1


def test_permissions_only_for_what_was_consented_to():
    assert needed(("ppg",)) == ("bluetooth", "notifications")
    assert needed(("voice", "face", "ppg")) == ("bluetooth", "notifications", "camera", "microphone")


def test_a_permission_refused_for_ever_leads_to_the_settings():
    done = []
    phone = Phone({"bluetooth": Grant.UNKNOWN, "notifications": Grant.GRANTED}, [Grant.DENIED, Grant.FOREVER])
    p = PermissionsPresenter(phone, ("bluetooth", "notifications"), lambda: done.append(1))
    p.ask("bluetooth")
    assert not p.go_on()
    p.ask("bluetooth")
    p.ask("bluetooth")
    assert phone.opened == 1
    phone.grants["bluetooth"] = Grant.GRANTED
    p.again()
    assert p.go_on()
    assert done == [1]


def pairing(*places):
    paired, scans = [], []
    places = places or (Place("open_board"), Place("polar_h10", required=False))
    return PairPresenter(places, lambda: scans.append(1), paired.append), paired, scans


def test_a_place_fills_itself_and_what_does_not_fit_is_named():
    p, paired, scans = pairing()
    assert not p.state.ready
    p.start()
    p.start()
    assert scans == [1]
    p.saw([H10, OTHER])
    assert not p.state.ready
    assert not p.go_on()
    p.saw([BOARD])
    assert p.state.others == (OTHER,)
    p.scanned()
    assert p.go_on()
    assert paired == [(BOARD, H10)]


def test_of_two_of_a_kind_the_person_chooses():
    p, _, _ = pairing(Place("polar_h10"))
    second = replace(H10, address="9", name="H10 B")
    p.start()
    p.saw([H10])
    p.saw([second])
    assert p.state.places[0].choices == (H10, second)
    assert not p.state.ready
    p.choose("polar_h10", "nobody")
    p.choose("open_board", "9")
    p.choose("polar_h10", "9")
    p.saw([H10])
    assert p.state.places[0].sensor == second
    assert p.state.others == (H10,)
    p.forget("polar_h10")
    assert p.state.places[0].sensor is None


def test_a_radio_that_is_off_is_said():
    p, _, scans = pairing()
    p.start()
    p.scanned("Bluetooth is off: switch it on")
    assert "off" in p.state.trouble
    p.start()
    assert (p.state.trouble, scans) == ("", [1, 1])


COMING = SensorStatus("strap")
BLOCKED = replace(COMING, trouble="Bluetooth is off")
AWAY = SensorStatus("strap", away_s=12.0)
WELL = SensorStatus("strap", streaming=True, quality=0.9)


@pytest.mark.parametrize(
    ("status", "level", "sentence"),
    [
        (Status(), Level.IDLE, "home.idle"),
        (Status(paused=True), Level.IDLE, "home.paused"),
        (Status(recording=True, sensors=(WELL,)), Level.GOOD, "home.good"),
        (Status(recording=True, sensors=(WELL, AWAY), free_bytes=1e8), Level.BAD, "home.away"),
        (Status(recording=True, sensors=(WELL, COMING)), Level.BAD, "home.coming"),
        (Status(recording=True, sensors=(AWAY, BLOCKED)), Level.BAD, "home.blocked"),
        (Status(recording=True, sensors=(WELL,), free_bytes=1e8), Level.WARN, "home.low_space"),
        (Status(recording=True, free_bytes=1e6), Level.BAD, "home.no_space"),
        (Status(recording=True, battery=0.1), Level.WARN, "home.low_battery"),
        (Status(recording=True, sensors=(replace(WELL, battery=0.05),)), Level.WARN, "home.sensor_battery"),
        (Status(recording=True, sensors=(replace(WELL, quality=0.1),)), Level.WARN, "home.poor"),
        (Status(paused=True, trouble="disk"), Level.BAD, "home.trouble"),
    ],
)
def test_home_says_the_worst_in_one_sentence(status, level, sentence):
    p = HomePresenter(lambda: None, lambda: None)
    p.update(status)
    assert (p.state.level, p.state.sentence) == (level, sentence)
    if sentence in ("home.away", "home.poor", "home.coming", "home.blocked"):
        assert dict(p.state.places)["sensor"] == "strap"


def test_the_one_button_pauses_and_goes_on():
    did = []
    p = HomePresenter(lambda: did.append("pause"), lambda: did.append("resume"))
    p.press()
    p.update(Status(recording=True))
    p.press()
    p.update(Status(recording=True, paused=True))
    p.press()
    assert did == ["resume", "pause", "resume"]
    assert home.RULES[-1][1] is Level.GOOD


def test_a_mark_is_of_the_first_touch():
    times, kept = iter((5, 6, 7)), []
    p = MarkersPresenter(lambda: next(times), kept.append)
    p.say("nothing was pressed")
    p.press()
    p.press()
    p.say("  coffee " + "x" * 300)
    assert kept[0].t_ns == 5
    assert kept[0].text.startswith("coffee")
    assert len(kept[0].text) == 200
    p.press()
    p.cancel()
    assert (p.state.count, len(kept)) == (1, 1)


class Keeper:
    def __init__(self, fails=False):
        self.did, self.fails = [], fails

    def stop(self):
        self.did.append("stop")

    def withdraw(self):
        self.did.append("withdraw")

    def erase(self):
        if self.fails:
            raise OSError("disk is read-only")
        self.did.append("erase")
        return Proof(3)


@pytest.mark.parametrize(
    ("choice", "did", "left"),
    [
        (Choice.WITHDRAW_KEEP, ["stop", "withdraw"], True),
        (Choice.WITHDRAW_ERASE, ["stop", "withdraw", "erase"], True),
        (Choice.ERASE, ["stop", "erase"], False),
    ],
)
def test_leaving_does_what_was_confirmed_and_nothing_before(choice, did, left):
    keeper, gone = Keeper(), []
    p = LeavePresenter(keeper, lambda: gone.append(1))
    p.confirm()
    p.ask(choice)
    p.cancel()
    p.confirm()
    assert keeper.did == []
    p.ask(choice)
    p.confirm()
    assert keeper.did == did
    assert bool(gone) is left
    assert bool(p.state.proof) is ("erase" in did)


def test_an_erasure_that_failed_is_said_and_nobody_is_told_goodbye():
    gone = []
    p = LeavePresenter(Keeper(fails=True), lambda: gone.append(1))
    p.ask(Choice.WITHDRAW_ERASE)
    p.confirm()
    assert p.state.trouble == "disk is read-only"
    assert gone == []


def test_settings_are_kept_at_once_and_only_when_they_change():
    kept = []
    p = SettingsPresenter(SettingsState(), kept.append)
    p.language("xx")
    p.language("de")
    p.dark(on=True)
    p.dark(on=True)
    p.high_contrast(on=True)
    for _ in SCALES:
        p.larger()
    assert p.state == SettingsState("de", dark=True, high_contrast=True)
    assert len(kept) == 3 + len(SCALES)
    odd = SettingsPresenter(SettingsState(scale=9.0), kept.append)
    odd.larger()
    assert odd.state.scale == SCALES[0]


def test_where_to_go_on_after_a_start_follows_from_what_was_done():
    done = Done()
    pages = [resume(done)]
    for step in ("joined", "consented", "allowed", "paired", "rested", "neutral"):
        done = replace(done, **{step: True})
        pages.append(resume(done))
    assert pages == [Page.JOIN, Page.CONSENT, Page.PERMISSIONS, Page.PAIR, Page.WIZARD, Page.NEUTRAL, Page.HOME]


def test_the_flow():
    p = FlowPresenter(Page.JOIN)
    assert not p.go(Page.LIVE)
    assert not p.back()
    p.again()
    seen = []
    for _ in range(6):
        p.done()
        seen.append(p.state.page)
    assert seen[-1] is Page.HOME
    assert p.go(Page.LIVE)
    assert p.go(Page.RESULTS)
    assert not p.go(Page.JOIN)
    assert p.back()
    p.done()
    assert p.state.page is Page.HOME
    p.again()
    assert p.state.page is Page.WIZARD
    p.withdrawn()
    p.done()
    assert p.state.page is Page.JOIN
    assert set(flow.AFTER) == set(Page) - {Page.HOME}


def test_joining_shows_the_study_before_it_stores_anything():
    joined = []
    p = JoinPresenter(read, lambda invitation, name: joined.append((invitation.study.id, name)))
    assert not p.join()
    p.enter("wrong")
    assert "no code" in p.state.trouble
    p.enter(" demo ")
    assert p.state.title == "Demonstration"
    assert joined == []
    p.name("")
    assert not p.join()
    p.name("P-07" + "x" * 100)
    assert p.join()
    assert joined[0][0] == "demo"
    assert len(joined[0][1]) == 64
    p.enter("again wrong")
    assert not p.state.ready


def test_a_code_without_a_pseudonym_leaves_what_was_typed():
    p = JoinPresenter(lambda _: Invitation(read("demo").study, "x"), lambda *_: None)
    p.name("mine")
    p.enter("code")
    assert p.state.pseudonym == "mine"


def test_a_report_is_made_once_at_a_time():
    began = []
    p = SharePresenter(lambda: began.append(1))
    p.press()
    p.press()
    assert began == [1]
    p.made(path="a.html")
    p.press()
    p.made(trouble="no recording yet")
    assert (p.state.busy, p.state.path, p.state.trouble) == (False, "", "no recording yet")


def test_a_study_without_the_demo_code_is_bad_input():
    with pytest.raises(InputError, match="QR code"):
        read("x")


def test_a_camera_that_sees_a_code_enters_it():
    looked = []
    p = JoinPresenter(read, lambda *_: None, lambda: looked.append(1))
    p.scan()
    p.scan()
    assert looked == [1]
    p.saw("", "no camera")
    assert not p.state.scanning
    p.saw("demo")
    assert p.state.title == "Demonstration"
    JoinPresenter(read, lambda *_: None).scan()
