"""The tagged PDF, read by another library: structure, language, title, words of every chart, all texts in reading order."""

import builtins
import io
import re

import pypdf
import pytest
from report_cases import predictions, profile, recording, vectors

from feltsense.cli import main
from feltsense.errors import MissingExtraError, UnknownNameError
from feltsense.report import plain, session, summarise
from feltsense.report.blocks import Document, Grid, Head, Items, Line, Para, Picture, Section, Table, Terms
from feltsense.report.drawing import words
from feltsense.report.summary import ModelLine
from feltsense.report.tagged import tagged_pdf


@pytest.fixture(scope="module")
def summary():
    card = ModelLine("stress-1.0", "20 people", "balanced accuracy 0.71")
    return summarise(recording(), predictions(), profile(), model=card, vectors=vectors())


def opened(document, paper="a4"):
    return pypdf.PdfReader(io.BytesIO(tagged_pdf(document, paper)))


def elements(reader):
    """Elements of the structure tree in reading order."""

    def walk(node):
        node = node.get_object()
        if isinstance(node, list):
            for child in node:
                yield from walk(child)
        elif isinstance(node, dict) and "/S" in node:
            yield node
            yield from walk(node["/K"]) if "/K" in node else ()

    yield from walk(reader.trailer["/Root"]["/StructTreeRoot"]["/K"])


def roles(reader):
    return [str(e["/S"])[1:] for e in elements(reader)]


def inner(blocks):
    for b in blocks:
        yield b
        if isinstance(b, Section):
            yield from inner(b.blocks)
        if isinstance(b, Grid):
            yield from b.pictures


@pytest.mark.parametrize("paper", ["a4", "letter"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_structure_language_title_and_words(summary, language, paper):
    document = session(summary, "Study team, room 12", language)
    reader = opened(document, paper)
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == language
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata.title == document.title
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()
    size = {"a4": (595.3, 841.9), "letter": (612, 792)}[paper]
    assert tuple(map(float, reader.pages[0].mediabox[2:])) == pytest.approx(size, abs=0.1)
    found = roles(reader)
    said = list(inner(document.blocks))
    assert found.count("H1") == 1
    assert found.count("H2") == sum(isinstance(b, Section) for b in said)
    assert found.count("Table") == sum(isinstance(b, Table) for b in said)
    assert found.count("TH") == sum(len(b.head) for b in said if isinstance(b, Table))
    assert found.count("TD") == sum(len(line.cells) for b in said if isinstance(b, Table) for line in b.rows)
    told = [str(e["/Alt"]) for e in elements(reader) if e["/S"] == "/Figure"]
    assert told == [words(b.svg) for b in said if isinstance(b, Picture)]
    assert all(told)
    for e in elements(reader):
        if e["/S"] == "/TH":
            attributes = e["/A"].get_object()
            attributes = attributes if isinstance(attributes, list) else [attributes]
            assert any(a.get_object().get("/Scope") == "/Column" for a in attributes)


def test_every_text_is_there(summary):
    document = plain(summary, "Study team", "de")
    reader = opened(document)
    squeezed = re.sub(r"\s", "", "".join(p.extract_text() for p in reader.pages))
    for b in inner(document.blocks):
        named = {Head: ("title", "lead", "note"), Section: ("title",), Para: ("text",), Picture: ("caption",)}
        said = [getattr(b, name) for name in named.get(type(b), ())] + (list(b.items) if isinstance(b, Items) else [])
        said += [t for row in b.rows for t in row] if isinstance(b, Terms) else []
        for text in said:
            # A word may be hyphenated nowhere: none of its letters may be missing.
            assert re.sub(r"\s", "", text) in squeezed, text


def test_the_same_bytes_and_nothing_is_markup():
    bad = 'P#1 "quoted" \\ #panic("x") $a$ *b* _c_ <l> @r [x] // no \n \x00 end'
    table = Table(bad, (bad, "n"), (Line((bad, "1"), thin=True), Line((bad, "2"))), (1,), heading=True)
    document = Document(bad, "en", (Head(bad, bad, bad), Section(bad, (Terms(((bad, bad),)), Items((bad,)), table))), bad)
    first = tagged_pdf(document)
    assert first == tagged_pdf(document)
    text = re.sub(r"\s", "", "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(first)).pages))
    assert text.count(re.sub(r"[\s\x00]", "", bad)) >= 9
    empty = Document("t", "en", (Items(()), Terms(()), Grid(())), "")
    assert tagged_pdf(empty).startswith(b"%PDF")


def test_what_is_missing_is_named(monkeypatch):
    with pytest.raises(UnknownNameError, match="known: a4, letter"):
        tagged_pdf(Document("t", "en", (), ""), "a5")
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "typst":
            raise ImportError
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"feltsense\[accessible\]"):
        tagged_pdf(Document("t", "en", (), ""))


def test_command_line(tmp_path, capsys):
    felt, out = tmp_path / "s.felt", tmp_path / "s.pdf"
    assert main(["simulate", "--minutes", "7", "--out", str(felt)]) == 0
    assert main(["report", str(felt), "--hop", "60", "--accessible", "--language", "de", "--out", str(out)]) == 0
    assert pypdf.PdfReader(out).trailer["/Root"]["/Lang"] == "de"
    assert main(["report", str(felt), "--accessible", "--out", str(tmp_path / "s.html")]) == 2
    assert "is for a PDF" in capsys.readouterr().err
