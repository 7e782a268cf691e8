"""Page one holds all that it must, as HTML and on both papers, in both languages, for a clinician and a participant."""

import json
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from html import unescape

import pytest
from report_cases import moved, predictions, profile, recording, vectors

import feltsense
from feltsense.cli import main
from feltsense.core.event import Event, EventKind
from feltsense.core.profile import RestInterval
from feltsense.core.recording import Recording
from feltsense.core.timeline import NS
from feltsense.report import page, pdf, plain, session, summarise
from feltsense.report.course import Digest, course
from feltsense.report.course_content import over_days
from feltsense.report.digest import digest
from feltsense.report.plain_course import plain_days
from feltsense.report.summary import ModelLine, model_line
from feltsense.report.tally import Tally, card
from feltsense.session import predict

POPPLER = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler-utils (pdftotext)")
WHOM = "Dr. Example, ward 7"
DAY_NS = 86_400 * NS
REST_S = 270.0


@pytest.fixture(scope="module")
def model():
    return feltsense.load_bundle()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three days of one person, the second without a recording, with answers."""
    folder = tmp_path_factory.mktemp("P07")
    for day in (0, 2):
        made = feltsense.participant(seed=1 + day, minutes=7 if day else 11)
        at = made.start_ns + day * DAY_NS
        told = [Event(at + (60 + k) * NS, EventKind.ANSWER, 30.0 + day + k, "tense") for k in range(2)]
        feltsense.write(folder / f"{day}.felt", moved(made, day * DAY_NS, told, "P07"))
    return folder


@pytest.fixture(scope="module")
def person(folder, model):
    first = feltsense.read(folder / "0.felt")
    rest = RestInterval(first.start_ns, first.start_ns + round(REST_S * NS))
    return feltsense.calibrate(first, [rest], model)


@pytest.fixture(scope="module")
def digests(folder, model, person):
    return [digest(feltsense.read(p), model, person) for p in sorted(folder.glob("*.felt"))]


def html_text(document):
    """What stands on the page before the evidence, as text."""
    first = page(document).partition('<div class="new-page">')[0]
    return unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", first, flags=re.S))


def paper_text(document, paper, tmp_path):
    path = tmp_path / "r.pdf"
    path.write_bytes(pdf(document, paper))
    told = subprocess.run(["pdftotext", "-l", "1", "-layout", str(path), "-"], capture_output=True, check=True)
    return told.stdout.decode()


def squeezed(text):
    return re.sub(r"\s+", "", text)


SESSION = {
    "en": ("P-0042", "2027-01-15 08:00:00 UTC", "Polar H10", "Coverage", "97.0 % (least: board.temp, 92.6 %)", "Heart rate",
           "66 (65 to 67)", "+12", "tense: 40", "no estimate: ECG: gap, skin conductance: no signal", "Beats corrected",
           "3.0 %", "stress-1.0", "0.71", "Calibrated to this person on 270 s", "does not mean", "not a diagnosis", WHOM),
    "de": ("P-0042", "2027-01-15 08:00:00 UTC", "Polar H10", "Abdeckung", "97,0 % (am wenigsten: board.temp, 92,6 %)",
           "Herzfrequenz", "66 (65 bis 67)", "+12", "tense: 40", "EKG: Lücke", "Zu korrigierende Herzschläge", "3,0 %",
           "stress-1.0", "20 people", "0,71", "Auf diese Person kalibriert", "nicht bedeutet", "keine Diagnose", WHOM),
}  # fmt: skip


@pytest.fixture(scope="module")
def summary():
    about = ModelLine("stress-1.0", "20 people", "balanced accuracy 0.71")
    made = recording()
    told = Event(made.start_ns + 400 * NS, EventKind.ANSWER, 40.0, "tense")
    made = Recording(made.subject, made.streams, (*made.events, told), made.metadata)
    found = summarise(made, predictions(), profile(), model=about, vectors=vectors())
    return replace(found, corrected=0.03)


@POPPLER
@pytest.mark.parametrize("language", ["en", "de"])
def test_page_one_of_a_session(summary, language, tmp_path):
    document = session(summary, WHOM, language)
    texts = [html_text(document), *(paper_text(document, p, tmp_path) for p in ("a4", "letter"))]
    for text in texts:
        for word in SESSION[language]:
            assert squeezed(word) in squeezed(text), word


@POPPLER
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_participants_page_is_one_page_in_plain_words(summary, digests, model, person, language, tmp_path):
    whole = course(digests, 14)
    for document in (plain(summary, WHOM, language), plain_days(whole, WHOM, language, card(model_line(model), person))):
        words = {"en": ("% of the time", "it says nothing", "not a diagnosis", "have your recordings erased", "tense"),
                 "de": ("% der Zeit", "es nichts", "keine Diagnose", "löschen lassen", "tense")}[language]  # fmt: skip
        for text in (html_text(document), paper_text(document, "a4", tmp_path), paper_text(document, "letter", tmp_path)):
            for word in (*words, WHOM):
                assert squeezed(word) in squeezed(text), word
            for jargon in ("RMSSD", "SCL", "SCR", "AUROC", "PRV"):
                assert jargon not in text


@POPPLER
@pytest.mark.parametrize("language", ["en", "de"])
def test_page_one_of_a_course(digests, model, person, language, tmp_path):
    made = course(digests, 14)
    document = over_days(made, WHOM, language, card(model_line(model), person))
    t = made.tally
    words = {
        "en": ("P07", "From", "Open board, Polar H10", "Coverage", "100 %", "Heart rate, bpm", "Own range",
               "Beats corrected",
               f"Of {t.outside} minutes outside the calibration {t.decided} (", f"{t.hits} of these are “stress”",
               "Minutes estimated as “stress”, %", "Own answers to “tense”", "Grey dots", model.id, "balanced accuracy 0.",
               "Calibrated to this person on 270 s", "does not mean", "not a diagnosis", WHOM),
        "de": ("P07", "Von", "Open board, Polar H10", "Abdeckung", "100 %", "Herzfrequenz, bpm", "Eigener Bereich",
               "Zu korrigierende Herzschläge", f"Von {t.outside} Minuten", f"{t.hits} davon lauten „Belastung“",
               "Als „Belastung“ geschätzte Minuten, %", "Eigene Antworten auf „tense“", "Graue Punkte", model.id,
               "balancierte Genauigkeit 0,", "mit 270 s bekannter Ruhe", "nicht bedeutet", "keine Diagnose", WHOM),
    }  # fmt: skip
    for text in (html_text(document), paper_text(document, "a4", tmp_path), paper_text(document, "letter", tmp_path)):
        for word in words[language]:
            assert squeezed(word) in squeezed(text), word


def test_estimates_of_the_days_come_out_of_the_files(folder, digests, model, person):
    made = course(digests, 3)
    assert [d.sessions for d in made.days] == [1, 0, 1]
    counts, silent, resting = Counter(), 0, 0
    for path, day in zip(sorted(folder.glob("*.felt")), (0, 2), strict=True):
        said = list(predict(feltsense.read(path), model, person, 60.0))
        rests = person.intervals
        outside = [p for p in said if not any(p.start_ns < r.stop_ns and r.start_ns < p.stop_ns for r in rests)]
        found = Counter(p.label for p in outside if not p.abstained)
        e, tally = made.days[day].estimates, made.days[day].tally
        assert tally.labels == dict(found)
        assert (e.usable, e.windows) == (sum(found.values()), len(outside))
        assert e.median == pytest.approx(found["stress"] / sum(found.values()))
        counts += found
        silent += sum(p.abstained for p in outside)
        resting += len(said) - len(outside)
    assert made.tally.labels == dict(counts)
    assert made.tally.outside - made.tally.decided == silent
    assert made.tally.calibration == resting > 0
    rows = re.findall(r"<tr.*?</tr>", page(over_days(made, WHOM, "en", card(model_line(model), person))), flags=re.S)
    rows = [[unescape(re.sub("<[^>]*>", "", c)) for c in re.findall(r"<t[dh].*?</t[dh]>", r, flags=re.S)] for r in rows]
    for d in (made.days[0], made.days[2]):
        t = d.tally
        mean = sum(a.value for a in d.answers) / len(d.answers)
        assert [d.day.isoformat(), f"{t.hits}/{t.decided}", f"{t.outside - t.decided}/{t.outside}", f"{mean:.1f}"] in rows


def test_silences_are_added_up_and_told():
    one = Tally("stress", "stress", {"rest": 3}, {"ecg:gap eda:no_signal": 2}, 1, 4)
    two = Tally("stress", "stress", {"rest": 1, "stress": 5}, {"undecided": 3, "ecg:gap eda:no_signal": 2}, 0, 0)
    both = Tally.together([one, None, two])
    assert (both.decided, both.outside, both.hits, both.open, both.calibration) == (9, 16, 5, 1, 4)
    assert list(both.silent.items()) == [("ecg:gap eda:no_signal", 4), ("undecided", 3)]
    assert Tally.together([None]) is None
    assert Tally.parse(json.loads(json.dumps({f: getattr(one, f) for f in one.__slots__}))) == one
    quiet = Digest("P", 0, 600.0, 1.0, ("d",), 0, (), {}, None, (), both)
    text = html_text(over_days(course([quiet], 1), WHOM))
    assert "No estimate in 7 minutes (ECG: gap, skin conductance: no signal: 4; no class could be ruled out: 3)." in text
    assert "In 1 of the 9 decided minutes the other class cannot be ruled out." in text


def test_another_persons_profile_and_none_are_said(digests, model, person):
    other = digest(recording(minutes=3, events=False))
    told = over_days(course([other], 3), WHOM, "en", card(model_line(model), person))
    assert "The profile belongs to P07" in html_text(told)
    assert "Not calibrated: no rest" in html_text(over_days(course(digests, 3), WHOM, "en", card(model_line(model))))


def test_command_line(folder, person, tmp_path, capsys):
    user, cache, out = tmp_path / "u.json", tmp_path / "d.json", tmp_path / "r.html"
    person.save(user)
    line = ["report", str(folder), "--days", "3", "--profile", str(user), "--contact", WHOM, "--out", str(out)]
    assert main([*line, "--digests", str(cache)]) == 0
    first = out.read_text(encoding="utf-8")
    assert "Calibrated to this person on 270 s" in first
    assert main([*line, "--digests", str(cache)]) == 0
    assert out.read_text(encoding="utf-8") == first
    assert main([*line[:4], *line[6:], "--digests", str(cache)]) == 0
    assert "Not calibrated" in out.read_text(encoding="utf-8"), "digests of another profile are not taken"
    assert main([*line, "--for", "participant", "--language", "de"]) == 0
    assert "Ihre letzten 3 Tage" in out.read_text(encoding="utf-8")
    capsys.readouterr()
