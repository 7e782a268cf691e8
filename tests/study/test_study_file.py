"""What a study file may say, what it may not, and that an error names the field."""

import json

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from study_cases import STUDY, study

from feltsense.errors import StudyError
from feltsense.study import Study


def test_json_and_yaml_say_the_same(tmp_path):
    (tmp_path / "s.json").write_text(json.dumps(STUDY))
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(STUDY, allow_unicode=True), encoding="utf-8")
    one, two = Study.load(tmp_path / "s.json"), Study.load(tmp_path / "s.yaml")
    assert one == two
    assert set(one.streams) == {"ecg", "eda", "rr"}
    assert one.streams["ecg"].required
    assert one.consent.text["de"] == "Ich stimme zu."
    assert one.prompts[0].when.count == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"streams": {"aura": {}}}, ("streams.aura", "is no stream", "ecg")),
        ({"streams": {"ecg": {"requird": True}}}, ("streams.ecg.requird", "did you mean required?")),
        ({"streams": ["ecg"]}, ("streams", "must be fields")),
        ({"setting": "office"}, ("setting", "workplace")),
        ({"retention": {"days": 0, "then": "erase"}}, ("retention.days", "whole number from 1")),
        ({"retention": {"days": 9, "then": "keep"}}, ("retention.then", "erase, deidentify")),
        ({"retention": {"days": 9}}, ("retention.then", "is missing")),
        ({"consent": {"version": 2.1, "text": {"en": "a", "de": "b"}}}, ("consent.version", "in quotes")),
        ({"consent": {"version": "2", "text": {"en": "a"}}}, ("consent.text.de", "is missing")),
        ({"feltsense_study": 2}, ("update feltsense",)),
        ({"languages": []}, ("languages",)),
        ({"id": "a b"}, ("id", "must be letters")),
        ({"colour": "red"}, ("colour", "is no field")),
        ({"public_key": "AAAA"}, ("public_key", "X25519")),
        ({"prompts": [STUDY["prompts"][0] | {"times": ["9:00"]}]}, ("prompts[0].times",)),
        ({"prompts": [STUDY["prompts"][0] | {"window": ["20:00", "10:00"]}]}, ("prompts[0].window",)),
        ({"prompts": [STUDY["prompts"][0] | {"count": 9}]}, ("prompts[0].apart_min", "no room")),
        ({"prompts": [STUDY["prompts"][0] | {"count": 0}]}, ("prompts[0].count", "belong together")),
        ({"prompts": [STUDY["prompts"][0] | {"after_change": "yes"}]}, ("prompts[0].after_change", "true or false")),
        ({"prompts": [STUDY["prompts"][0] | {"low": 5, "high": 5}]}, ("prompts[0].high",)),
        ({"prompts": [STUDY["prompts"][1] | {"choices": ["one"]}]}, ("prompts[0].choices",)),
        ({"prompts": [STUDY["prompts"][1]] * 2}, ("prompts", "twice")),
        ({"tasks": [STUDY["tasks"][0] | {"seconds": float("nan")}]}, ("tasks[0].seconds",)),
    ],
)
def test_errors_name_the_field(change, words):
    with pytest.raises(StudyError) as e:
        Study.of(study(**change), "my study")
    message = str(e.value)
    assert message.startswith("my study: ")
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("setting", ["workplace", "education"])
def test_emotion_inference_at_work_and_in_education_is_refused_with_the_reason(setting):
    for purpose in ("research", "wellbeing"):
        with pytest.raises(StudyError, match=r"prohibited \(EU AI Act, Article 5\(1\)\(f\)\)"):
            Study.of(study(setting=setting, purpose=purpose, acknowledged="Dr. A"))
    with pytest.raises(StudyError, match=r"acknowledged .*name who has checked"):
        Study.of(study(setting=setting, purpose="safety"))
    assert Study.of(study(setting=setting, purpose="medical", acknowledged="Dr. A, 2026-02-01")).emotion_inference
    assert not Study.of(study(setting=setting, emotion_inference=False)).emotion_inference
    without = study(setting=setting)
    del without["emotion_inference"]
    assert not Study.of(without).emotion_inference, "off unless declared"


@pytest.mark.parametrize("text", ["", "[]", "a: [", "{", "!!python/object:os.system {}", "a: &x [*x]"])
def test_damaged_files(tmp_path, text):
    for name in ("s.json", "s.yaml"):
        (tmp_path / name).write_text(text)
        with pytest.raises(StudyError) as e:
            Study.load(tmp_path / name)
        assert "\n" not in str(e.value)
    (tmp_path / "s.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(StudyError, match="UTF-8"):
        Study.load(tmp_path / "s.yaml")
    for name, words in (("no.yaml", "check the name"), ("s.txt", "end in")):
        (tmp_path / "s.txt").write_text("a")
        with pytest.raises(StudyError, match=words):
            Study.load(tmp_path / name)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300)
@example("streams", {"\n": None})
@given(st.sampled_from(sorted(STUDY)), VALUES)
def test_whatever_a_field_holds_the_error_is_ours(field, value):
    try:
        Study.of(study(**{field: value}))
    except StudyError as e:
        assert "\n" not in str(e).replace(repr(value), "")  # noqa: PT017
