"""The PDF: page one holds, nothing is clipped, nothing lies over anything else, the same in gives the same out."""

import re
import shutil
import subprocess
from html import unescape

import pytest
from report_cases import predictions, profile, recording, vectors
from test_report_languages import DENIALS, FORBIDDEN

import feltsense
from feltsense.core.profile import RestInterval
from feltsense.core.timeline import NS
from feltsense.errors import UnknownNameError
from feltsense.report import page, pdf, plain, session, summarise
from feltsense.report.blocks import Document, Head, Items, Line, NewPage, Para, Picture, Section, Table
from feltsense.report.drawing import words
from feltsense.report.summary import ModelLine, model_line

POPPLER = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler-utils (pdftotext)")
WORD = re.compile(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>')
PAGE = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', re.S)
OVERLAP = 0.3
"""Part of a word's height and width that may lie over another: boxes of a font are taller than its letters."""


@pytest.fixture(scope="module")
def summary():
    card = ModelLine("stress-1.0", "20 people", "balanced accuracy 0.71")
    return summarise(recording(), predictions(), profile(), model=card, vectors=vectors())


def pages(content, tmp_path):
    """Each page's size and words with their boxes."""
    path = tmp_path / "r.pdf"
    path.write_bytes(content)
    told = subprocess.run(["pdftotext", "-bbox", str(path), "-"], capture_output=True, check=True).stdout.decode()
    for width, height, body in PAGE.findall(told):
        boxes = [(*map(float, w[:4]), unescape(w[4])) for w in WORD.findall(body)]
        yield float(width), float(height), boxes


def overlapping(boxes):
    """Pairs of words that lie over each other."""
    found = []
    boxes = sorted(boxes, key=lambda b: b[1])
    for i, (x0, y0, x1, y1, text) in enumerate(boxes):
        for u0, v0, u1, v1, other in boxes[i + 1 :]:
            if v0 >= y1:
                break
            across = min(x1, u1) - max(x0, u0)
            down = min(y1, v1) - max(y0, v0)
            if across > OVERLAP * min(x1 - x0, u1 - u0) and down > OVERLAP * min(y1 - y0, v1 - v0):
                found.append((text, other))
    return found


@POPPLER
@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_pages_hold_what_they_should_and_nothing_overlaps(summary, language, paper, tmp_path):
    document = session(summary, "Study team, room 12", language)
    found = list(pages(pdf(document, paper), tmp_path))
    size = {"a4": (595.3, 841.9), "letter": (612.0, 792.0)}[paper]
    for width, height, boxes in found:
        assert (width, height) == pytest.approx(size, abs=0.1)
        assert all(x0 >= 30 and x1 <= width - 30 and y0 >= 20 and y1 <= height - 20 for x0, y0, x1, y1, _ in boxes)
        assert not overlapping(boxes)
    first = " ".join(b[4] for b in found[0][2])
    for word in ("P-0042", "stress-1.0", "Study", {"en": "mean", "de": "bedeutet"}[language]):
        assert word in first
    everything = " ".join(b[4] for f in found for b in f[2])
    # What the HTML page says, the PDF says.
    html = re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]*>", " ", page(document), flags=re.S)
    for word in set(re.findall(r"[\w-]{4,}", unescape(html))):
        assert word in everything.replace("- ", "-"), word


@POPPLER
def test_long_texts_and_many_rows(tmp_path):
    long = "a-very-long-pseudonym-" * 12
    rows = tuple(
        Line((f"row {k}", "some words that go on for a while " * 3, f"{k * 1234567}"), k % 2 == 0) for k in range(120)
    )
    table = Table("caption", ("Name", "Words", "Number"), rows, (2,), heading=True)
    blocks = (Head(long, long, long), Section("A table", (table,)), NewPage(), Section("Box", (Items((long,)),), "limits"))
    for width, _, boxes in pages(pdf(Document(long, "en", blocks, long)), tmp_path):
        assert all(x1 <= width - 25 for _, _, x1, _, _ in boxes)
        assert not overlapping(boxes)


@POPPLER
def test_markup_in_a_pseudonym_is_text(tmp_path, summary):
    from dataclasses import replace

    nasty = '<b>x</b>&amp;<font size="99">'
    text = " ".join(b[4] for *_, boxes in pages(pdf(session(replace(summary, subject=nasty))), tmp_path) for b in boxes)
    assert "<b>x</b>&amp;<font" in text


def test_the_same_bytes_and_words_under_every_chart(summary):
    document = session(summary)
    assert pdf(document) == pdf(document)
    assert pdf(plain(summary)).startswith(b"%PDF-")
    charts = re.findall(r'<svg viewBox="0 0 720.*?</svg>', page(document), flags=re.S)
    assert len(charts) == 8
    assert all(len(words(c)) > 20 for c in charts)
    with pytest.raises(UnknownNameError, match="a4, letter"):
        pdf(document, "a5")


@POPPLER
def test_the_words_of_a_chart_stand_beneath_it(summary, tmp_path):
    for language in ("en", "de"):
        document = session(summary, "Study team, room 12", language)
        pictures = [b for s in document.blocks if isinstance(s, Section) for b in s.blocks if isinstance(b, Picture)]
        # However much is written before them.
        for more in range(0, 60, 7):
            filled = Document("t", language, (*(Para("line") for _ in range(more)), *pictures), "foot")
            texts = ["".join("".join(b[4].split()) for b in boxes) for *_, boxes in pages(pdf(filled), tmp_path)]
            for p in pictures:
                caption, told = ("".join(t.split()) for t in (p.caption, words(p.svg)[:60]))
                assert any(caption in t and told in t for t in texts), (more, p.caption)


@POPPLER
@pytest.mark.parametrize(("subject", "language", "paper"), [("S02", "de", "letter"), ("S18", "en", "a4")])
def test_reports_of_real_recordings(data_dir, subject, language, paper, tmp_path):
    # Thin data, gaps by the dozen, a model's real answers: what made-up recordings do not have.
    made = feltsense.open_recording(data_dir / "stress-predict" / subject)
    model = feltsense.load_bundle()
    profile = feltsense.calibrate(made, [RestInterval(made.start_ns, made.start_ns + 270 * NS)], model)
    found = summarise(made, feltsense.predict(made, model, profile, 30.0), profile, model=model_line(model))
    for say in (session, plain):
        document = say(found, "Study team, room 12", language)
        for width, height, boxes in pages(pdf(document, paper), tmp_path):
            assert all(x0 >= 30 and x1 <= width - 30 and y0 >= 20 and y1 <= height - 20 for x0, y0, x1, y1, _ in boxes)
            assert not overlapping(boxes)
        text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page(document), flags=re.S)
        for denial in DENIALS:
            text = text.replace(denial, "")
        assert not FORBIDDEN.search(text), FORBIDDEN.search(text)
