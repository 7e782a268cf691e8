"""Every sentence has its German, and no report claims what it may not."""

import ast
import re
from pathlib import Path

import pytest
from report_cases import predictions, profile, recording, vectors

import feltsense
from feltsense.core.vector import Reason
from feltsense.errors import UnknownNameError
from feltsense.report import html, page, plain, plain_course, say, session, summarise
from feltsense.report.figures import FEATURES
from feltsense.report.german import GERMAN
from feltsense.report.say import Phrase, Say
from feltsense.report.summary import ModelLine, model_line
from feltsense.report.words import PARTS

FOLDER = Path(say.__file__).parent
FORBIDDEN = re.compile(
    r"diagnos|patholog|disorder|depress|anxiety|patient|treatment|abnormal|healthy|normal range|störung|krankhaft|patient",
    re.IGNORECASE,
)
DENIALS = ("not a diagnosis", "keine Diagnose", "No medical", "not a medical device")


def said():
    """Every English sentence that the code says, wherever it stands."""
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in ("say", "Phrase"):
                arguments = node.args[:1]
            elif name == "some":
                arguments = node.args[1:]
            else:
                continue
            for a in arguments:
                if isinstance(a, ast.Constant) and isinstance(a.value, str):
                    yield path.name, a.value


@pytest.mark.parametrize(("where", "text"), sorted(set(said())), ids=lambda t: t[:40])
def test_every_sentence_has_its_german_with_the_same_names(where, text):
    assert text in GERMAN, where
    names = [sorted(set(re.findall(r"{(\w+)}", t))) for t in (text, GERMAN[text])]
    assert names[0] == names[1]


def documents(language):
    card = ModelLine("stress-1.0", "20 people", "balanced accuracy 0.71")
    full = summarise(recording(), predictions(), profile(), model=card, vectors=vectors())
    bare = summarise(recording(minutes=8, events=False), vectors=())
    for summary in (full, bare):
        yield session(summary, "Study team", language)
        yield plain(summary, "", language)


@pytest.mark.parametrize("language", ["en", "de"])
def test_reports_in_both_languages_deny_and_do_not_claim(language):
    for document in documents(language):
        text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page(document), flags=re.S)
        assert any(d in text for d in DENIALS)
        for denial in DENIALS:
            text = text.replace(denial, "")
        assert not FORBIDDEN.search(text), FORBIDDEN.search(text)
        assert f'<html lang="{language}">' in page(document)


def test_german_is_german():
    german = "".join(page(d) for d in documents("de"))
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", german, flags=re.S)
    assert "Was dies nicht bedeutet" in text
    assert "Verglichen wird mit der eigenen Ruhe" in text
    for word in (" the ", " of ", " and ", " windows", "Usable", "thin data", "gaps"):
        assert word not in text, word
    assert re.search(r"\d,\d", text)
    assert not re.search(r"\d\.\d", re.sub(r"stress-1\.0|accuracy 0\.71", "", text))


def test_titles_of_the_numbers_are_there():
    assert {c[1] for row in FEATURES for c in row} <= set(GERMAN)
    assert {t for row in plain_course._SENTENCES.values() for t in row} <= set(GERMAN)
    assert set(plain_course._TITLES.values()) <= set(GERMAN)


def test_phrases_stay_english_until_said():
    phrase = Phrase("And {n} more.", {"n": 3})
    assert phrase == "And 3 more."
    assert Say("de")(phrase) == "Und 3 weitere."
    with pytest.raises(UnknownNameError, match="known: de, en"):
        Say("fr")


def test_the_default_is_english_for_clinicians():
    card = ModelLine("m", "d", "s")
    summary = summarise(recording(), predictions(), profile(), model=card, vectors=vectors())
    assert html(summary) == page(session(summary))


def test_the_card_of_the_shipped_model_is_said_in_german():
    model = feltsense.load_bundle(runner="numpy")
    line = model_line(model)
    summary = summarise(recording(), predictions(), profile(), model=line, vectors=vectors())
    told = re.sub(r"<[^>]*>", " ", page(session(summary, "", "de")) + page(plain(summary, "", "de")))
    for word in ("people", "licence", "accuracy", "calibrated", " of rest"):
        assert word not in told, word
    value, low, high = re.search(r"accuracy (\S+) \[(\S+), (\S+)\]", line.score).groups()
    german = f"{value} [{low}; {high}]".replace(".", ",")
    assert f"balancierte Genauigkeit {german} bei ausgelassenen Menschen (kalibriert mit 270 s Ruhe)" in told
    assert line.score in page(session(summary))


def test_parts_have_names_in_words():
    assert set(PARTS.values()) <= set(GERMAN)
    assert (Say().part("eda"), Say("de").part("eda")) == ("skin conductance", "Hautleitwert")
    assert (Say().part("ppg@30s"), Say("de").part("ppg@30s")) == ("pulse, last 30 s", "Puls, letzte 30 s")
    assert Say("de").part("thermal_array") == "thermal array"


def test_who_is_not_calibrated_gets_the_figure_of_such_people():
    model = feltsense.load_bundle(runner="numpy")
    line = model_line(model, calibrated=False)
    assert "(this model, person not calibrated)" in line.score
    (row,) = [r for r in model.card.splitlines() if r.startswith("| this model, person not calibrated |")]
    assert row.split("|")[2].strip() in line.score
    assert "dieses Modell, Person nicht kalibriert" in page(session(summarise(recording(), (), model=line), "", "de"))


def test_every_reason_has_its_german():
    assert {str(r).replace("_", " ") for r in Reason} - {"ok"} <= set(GERMAN)
