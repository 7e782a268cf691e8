"""Nothing is allowed until it is given; what is withdrawn stops at once; the events tell it all."""

import pytest
from study_cases import STUDY, study

from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording
from feltsense.errors import StudyError
from feltsense.store import read, write
from feltsense.study import Audit, Consent, Study


def test_give_and_withdraw_by_stream(tmp_path):
    consent = Consent(Study.of(STUDY))
    assert not consent.given
    assert not consent.complete
    events = consent.give(["ecg", "eda"], "A. B.", 10)
    assert consent.given == {"ecg", "eda"}
    assert consent.complete
    assert not consent.allows("rr")
    events += consent.withdraw(["eda"], 20, erase=True)
    events += consent.withdraw(["ecg"], 30, erase=False)
    assert (consent.given, consent.to_erase) == (frozenset(), {"eda"})
    # As events of a recording, through the file.
    write(tmp_path / "s.felt", Recording("P", {}, events))
    back = Consent.of(Study.of(STUDY), read(tmp_path / "s.felt").events)
    assert (back.given, back.to_erase) == (consent.given, consent.to_erase)
    assert Consent.of(Study.of(STUDY), events[:3]).given == {"ecg"}


def test_all_at_once_and_again():
    consent = Consent(Study.of(STUDY))
    consent.give(["ecg", "eda"], "x", 1)
    assert len(consent.withdraw(None, 2, erase=True)) == 2
    assert not consent.given
    consent.give(["ecg"], "x", 3)
    assert (consent.given, consent.to_erase) == ({"ecg"}, {"eda"})


def test_a_new_text_needs_a_new_consent_and_other_studies_count_for_nothing():
    events = Consent(Study.of(STUDY)).give(["ecg"], "x", 1)
    newer = Study.of(study(consent=STUDY["consent"] | {"version": "3"}))
    assert not Consent.of(newer, events).given
    assert not Consent.of(Study.of(study(id="other")), events).given


def test_refusals():
    consent = Consent(Study.of(STUDY))
    with pytest.raises(StudyError, match="records no 'acc'; its streams: ecg, eda, rr"):
        consent.give(["acc"], "x", 1)
    with pytest.raises(StudyError, match="needs a signature"):
        consent.give(["ecg"], " ", 1)
    assert not consent.given
    unsigned = Consent(Study.of(study(consent=STUDY["consent"] | {"signature": False})))
    unsigned.give(["ecg"], "", 1)
    assert unsigned.given


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"action": "give"}', '{"action":"give","study":"calm-2026"}'])
def test_events_that_make_no_sense_give_nothing(text):
    assert not Consent.of(Study.of(STUDY), [Event(1, EventKind.CONSENT, 0.0, text)]).given


class TestAudit:
    def test_the_chain(self, tmp_path):
        log = Audit(tmp_path / "audit.log")
        assert log.check() == []
        heads = [log.note("export", f"P{k:02d}.felt \u2028", "team", t_ns=k) for k in range(5)]
        assert log.check() == []
        assert log.head == heads[-1]
        assert [e["action"] for e in Audit(log.path).entries()] == ["export"] * 5
        assert log.check(heads[2]) == []

    @pytest.mark.parametrize("change", ["edit", "drop", "swap", "cut", "junk"])
    def test_what_was_changed_is_noticed(self, tmp_path, change):
        log = Audit(tmp_path / "audit.log")
        head = [log.note("erase", f"P{k}", t_ns=k) for k in range(5)][-1]
        lines = log.path.read_text().splitlines()
        if change == "edit":
            lines[2] = lines[2].replace("P2", "P9")
        elif change == "drop":
            del lines[2]
        elif change == "swap":
            lines[1], lines[2] = lines[2], lines[1]
        elif change == "cut":
            del lines[4]
        else:
            lines[3] = "{"
        log.path.write_text("\n".join(lines) + "\n")
        assert len(log.check(head)) == 1
        if change != "cut":
            with pytest.raises(StudyError, match="broken log"):
                log.note("export", "x")
