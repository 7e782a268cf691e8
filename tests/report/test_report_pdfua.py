"""What a validator of PDF/UA-1 (ISO 14289-1) looks for in a tagged report, as far as another library can see it."""

import io
import itertools
import re

import pypdf
import pytest
from pypdf.generic import ContentStream
from report_cases import predictions, profile, recording, vectors

from feltsense.report import plain, session, summarise
from feltsense.report.summary import ModelLine
from feltsense.report.tagged import tagged_pdf

SHOWS = {b"Tj", b"TJ", b"'", b'"', b"S", b"s", b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"Do", b"sh", b"EI"}
"""Operators that put something on the page (ISO 32000-1, table 51)."""
INSIDE = {
    "TR": {"Table", "THead", "TBody", "TFoot"},
    "TH": {"TR"},
    "TD": {"TR"},
    "LI": {"L"},
    "Lbl": {"LI", "Note", "Reference", "BibEntry"},
    "LBody": {"LI"},
}
"""Where elements may stand (ISO 32000-1, 14.8.4.3)."""


@pytest.fixture(scope="module")
def readers():
    card = ModelLine("stress-1.0", "20 people", "balanced accuracy 0.71")
    summary = summarise(recording(), predictions(), profile(), model=card, vectors=vectors())
    made = (session(summary, "Study team", "en"), session(summary, "Study team", "de"), plain(summary, "", "de"))
    return [pypdf.PdfReader(io.BytesIO(tagged_pdf(d))) for d in made]


def kids(node):
    found = node.get("/K", [])
    found = found.get_object() if hasattr(found, "get_object") else found
    return found if isinstance(found, list) else [found]


def walk(node, parent=""):
    """(element, its parent's role, pages' marks of it), in reading order."""
    marks, inner = [], []
    for kid in kids(node):
        kid = kid.get_object() if hasattr(kid, "get_object") else kid
        if isinstance(kid, int):
            marks.append((node.raw_get("/Pg").idnum, int(kid)))
        elif kid.get("/Type") == "/MCR":
            marks.append(((kid if "/Pg" in kid else node).raw_get("/Pg").idnum, int(kid["/MCID"])))
        elif "/S" in kid:
            inner.append(kid)
    role = str(node.get("/S", ""))[1:]
    yield node, parent, marks
    for kid in inner:
        yield from walk(kid, role)


def tree(reader):
    root = reader.trailer["/Root"]["/StructTreeRoot"]
    return [found for found in walk(root) if "/S" in found[0]]


def marked(reader, page):
    """Marks of a page's content; fails where something is shown outside of any."""
    open_, found = [], []
    for operands, operator in ContentStream(page.get_contents(), reader).operations:
        if operator in (b"BDC", b"BMC"):
            properties = operands[1] if len(operands) > 1 else {}
            mark = properties.get("/MCID") if hasattr(properties, "get") else None
            assert mark is not None or operands[0] == "/Artifact" or open_, operands
            open_.append(mark)
            found += [] if mark is None else [int(mark)]
        elif operator == b"EMC":
            open_.pop()
        elif operator in SHOWS:
            assert open_, "something is on the page and neither tagged nor an artefact"
    assert not open_
    return found


def test_all_content_is_tagged_once_or_an_artefact(readers):
    for reader in readers:
        in_tree = [mark for *_, marks in tree(reader) for mark in marks]
        assert len(set(in_tree)) == len(in_tree)
        on_pages = [(p.indirect_reference.idnum, mark) for p in reader.pages for mark in marked(reader, p)]
        assert sorted(on_pages) == sorted(in_tree)
        for page in reader.pages:
            assert page["/Tabs"] == "/S" or "/Annots" not in page
            assert "/StructParents" in page


def test_elements_stand_where_they_may_and_headings_skip_no_level(readers):
    for reader in readers:
        found = [(str(e["/S"])[1:], parent) for e, parent, _ in tree(reader)]
        for role, parent in found:
            assert parent in INSIDE.get(role, {parent}), (role, parent)
        levels = [int(role[1]) for role, _ in found if re.fullmatch(r"H[1-6]", role)]
        assert levels[0] == 1
        assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
        rows = [e for e, *_ in tree(reader) if e["/S"] == "/TR"]
        assert rows or reader is readers[-1]


def test_figures_have_words_and_a_place(readers):
    for reader in readers:
        figures = [e for e, *_ in tree(reader) if e["/S"] == "/Figure"]
        assert figures
        for e in figures:
            assert str(e["/Alt"]).strip()
            attributes = e["/A"].get_object()
            attributes = attributes if isinstance(attributes, list) else [attributes]
            box = next(list(map(float, a.get_object()["/BBox"])) for a in attributes if "/BBox" in a.get_object())
            assert box[0] < box[2]
            assert box[1] < box[3]


def test_fonts_are_embedded_and_their_letters_known(readers):
    for reader in readers:
        fonts = {k: f.get_object() for p in reader.pages for k, f in p["/Resources"].get("/Font", {}).items()}
        assert fonts
        for font in fonts.values():
            below = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(below["/FontDescriptor"].get_object())
            assert "/ToUnicode" in font


def test_the_document_says_what_it_is(readers):
    for reader in readers:
        root = reader.trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"].value
        assert "/Suspects" not in root["/MarkInfo"] or not root["/MarkInfo"]["/Suspects"].value
        assert root["/ViewerPreferences"]["/DisplayDocTitle"].value
        told = root["/Metadata"].get_data().decode()
        assert "<pdfuaid:part>1</pdfuaid:part>" in told
        assert reader.metadata.title in told
        assert str(root["/Lang"]) in told
        assert not reader.is_encrypted
