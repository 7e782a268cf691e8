"""Codes: what a QR code holds comes back, and anything else is a sentence that helps."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.event import EventKind
from feltsense.errors import FeltsenseError, InputError, StudyError
from feltsense.study import When
from feltsense_app.presenters.consent import Consent
from feltsense_app.presenters.study import Kind
from feltsense_app.service import demo, invite

STUDY = dict(
    demo.CONTENT,
    id="calm",
    title="Calm",
    languages=["en", "de"],
    streams={"ecg": {"required": True, "device": "Polar H10"}, "eda": {}, "rr": {}},
    prompts=[
        {"id": "tense", "kind": "slider", "text": {"en": "Tense?", "de": "Angespannt?"}, "times": ["09:00"],
         "window": ["10:00", "20:00"], "count": 4, "expires_min": 20},
        {"id": "mood", "kind": "grid", "text": {"en": "Mood?", "de": "Laune?"}, "times": ["12:30"]},
    ],
)  # fmt: skip
STUDY["consent"] = {"version": "2", "signature": True, "text": {"en": "I agree", "de": "Ich stimme zu"}}
STUDY["contact"] = {"name": "Team", "reach": "room 12", "crisis": {"en": "Call 112.", "de": "Rufen Sie 112."}}


def test_a_code_says_the_study_and_who_takes_part():
    found = invite.read(invite.code_of(STUDY, "P-09"), "de")
    study = found.study
    assert (study.title, found.pseudonym, study.consent_text) == ("Calm", "P-09", "Ich stimme zu")
    assert {p.model: p.required for p in study.places} == {"polar_h10": True, "open_board": False, "heart_rate": False}
    assert [a.stream for a in study.asked] == ["ecg", "eda", "rr", "inference"]
    tense, mood = study.prompts
    assert tense.when == When(("09:00",), ("10:00", "20:00"), 4, expires_min=20)
    assert study.questions["tense"].choices == ("0", "100")
    assert study.questions["mood"].kind is Kind.GRID
    assert mood.when.times == ("12:30",)
    again = invite.read(found.source, "es")
    assert again.study.consent_text == "I agree"


def test_a_study_without_inference_asks_for_none():
    study = invite.read(json.dumps(STUDY | {"emotion_inference": False})).study
    assert "inference" not in [a.stream for a in study.asked]


def test_a_study_file_can_be_named(tmp_path):
    path = tmp_path / "study.json"
    path.write_text(json.dumps(STUDY))
    assert invite.read(str(path)).study.title == "Calm"
    yaml = pytest.importorskip("yaml", reason="pyyaml is absent")
    other = tmp_path / "study.yaml"
    other.write_text(yaml.safe_dump(STUDY, allow_unicode=True))
    assert json.loads(invite.read(str(other)).source) == json.loads(invite.read(str(path)).source)


def test_a_workplace_is_refused_with_its_reason():
    with pytest.raises(StudyError, match="workplace"):
        invite.read(json.dumps(STUDY | {"setting": "workplace"}))


STRANGE = ("", "hello", "feltsense:1:", "feltsense:1:!!!:P", "feltsense:2:abc:P", "{", "[1]", "nothing.json")


@pytest.mark.parametrize("code", STRANGE)
def test_what_is_no_code_says_what_to_do(code):
    with pytest.raises(InputError, match=r"scan|ask"):
        invite.read(code)


def test_a_code_that_would_unpack_without_end_is_refused():
    with pytest.raises(FeltsenseError, match="too long"):
        invite.read(invite.code_of({"id": "x" * (2 * invite.MOST)}, "P"))


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_code_is_never_anything_but_an_error_of_ours(data):
    code = invite.code_of(STUDY, "P")
    at = data.draw(st.integers(len(invite.PREFIX), len(code) - 3))
    damaged = code[:at] + data.draw(st.text(max_size=3)) + code[at + data.draw(st.integers(0, 4)) :]
    try:
        found = invite.read(damaged)
    except FeltsenseError:
        return
    assert found.study.id == "calm"


def test_consent_and_its_withdrawal_are_events():
    consent = Consent("2", ("ecg", "inference"), ("eda",), "A. B.", 7)
    events = invite.given(json.dumps(STUDY), consent)
    assert [e.kind for e in events] == [EventKind.CONSENT]
    assert "A. B." in events[0].text
    gone = invite.withdrawal(json.dumps(STUDY), consent, 9)
    assert [e.t_ns for e in gone] == [9]
    assert len(invite.given(demo.CODE, Consent("1", ("ppg", "eda"), (), "x", 1))) == 2
