"""A report as tagged PDF (PDF/UA-1), for screen readers: headings, lists, tables and charts with their words.

Rules
-----
- The same blocks as the other PDF and the HTML page. Typst lays them out and writes the structure; it refuses to write a
  file that breaks PDF/UA-1, for example a chart without words. Needs ``feltsense[accessible]``.
- Texts are handed over as string literals: nothing in a pseudonym or a note can be markup.
- The same document gives the same bytes, on every machine: no date, and no fonts but those that come with libraries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feltsense.errors import MissingExtraError, UnknownNameError
from feltsense.report import drawing
from feltsense.report.blocks import Document, Grid, Head, Items, Legend, NewPage, Para, Picture, Section, Table, Terms
from feltsense.report.pdf import PAPERS
from feltsense.report.pdf_type import families
from feltsense.report.svg import swatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from feltsense.report.blocks import Block

__all__ = ["tagged_pdf"]

_PAPER = {"a4": "a4", "letter": "us-letter"}
_FAMILY = {"DejaVuSans": "DejaVu Sans", "Vera": "Bitstream Vera Sans"}
_SMALL = "7.2pt"


def tagged_pdf(document: Document, paper: str = "a4") -> bytes:
    """Write a document as tagged PDF.

    Parameters
    ----------
    document : Document
        What to write.
    paper : str
        ``a4`` or ``letter``.

    Raises
    ------
    MissingExtraError
        If ``feltsense[accessible]`` is not installed.
    UnknownNameError
        If the paper is another one.
    """
    if paper not in PAPERS:
        raise UnknownNameError("paper", paper, PAPERS)
    try:
        import typst
    except ImportError:
        raise MissingExtraError("accessible", "a tagged PDF") from None
    found = next(((f, _FAMILY[names[0]]) for f, names in families() if f.is_dir()), None)
    folders: list[Any] = [] if found is None else [found[0]]
    setup = _setup(document, paper, "" if found is None else found[1])
    source = "\n".join([*setup, *(f"#{_block(b)}" for b in document.blocks)])
    written: bytes = typst.compile(
        source.encode(),
        format="pdf",
        pdf_standards="ua-1",
        font_paths=folders,
        ignore_system_fonts=True,
    )
    return written


def _setup(document: Document, paper: str, family: str) -> list[str]:
    # A family of Typst's own stands behind ours, so that no sign is missing.
    fonts = ", ".join(_text(f) for f in (family, "Libertinus Serif") if f)
    foot = _text(f"{document.title} · {document.foot}")
    number = "counter(page).display()"
    return [
        f'#set document(title: {_text(document.title)}, author: "feltsense", date: none)',
        f"#set text(lang: {_text(document.language)}, font: ({fonts},), size: 8.5pt)",
        f'#set page(paper: "{_PAPER[paper]}", margin: 14mm, footer: context text(size: 7pt, '
        f"grid(columns: (1fr, auto), {foot}, {number})))",
        "#set par(spacing: 5pt, leading: 4pt)",
        "#set heading(numbering: none)",
        "#show heading: set block(above: 8pt, below: 4pt)",
        "#show heading.where(level: 1): set text(size: 16pt)",
        "#show heading.where(level: 2): set text(size: 11pt)",
        "#show figure: set block(above: 5pt, below: 6pt)",
        "#show figure.caption: set text(weight: 700, size: 8pt)",
        "#set figure(numbering: none, gap: 2pt)",
        "#set figure.caption(position: top)",
        '#set table(inset: (x: 4pt, y: 2pt), stroke: (x, y) => (bottom: if y == 0 { 1pt } else { 0.3pt + rgb("#c8c8c8") }))',
        "#set list(spacing: 4pt)",
        "#set terms(spacing: 4pt, hanging-indent: 9em)",
    ]


def _block(b: Block) -> str:
    match b:
        case Head(title, lead, note):
            rule = "line(length: 100%, stroke: 1.5pt)"
            return _all([f"heading(level: 1, {_text(title)})", _par(lead, "9.3pt"), _par(note), rule])
        case Section(title, blocks, boxed):
            inner = _all([f"heading(level: 2, {_text(title)})", *map(_block, blocks)])
            return f"block(width: 100%, stroke: 1.2pt, inset: 6pt, breakable: false, {inner})" if boxed else inner
        case Para(text, small):
            return _par(text, _SMALL) if small else _par(text)
        case Items(items):
            return f"list({', '.join(_text(i) for i in items)})" if items else "none"
        case Terms(rows):
            return f"terms({', '.join(f'terms.item({_text(k)}, {_text(v)})' for k, v in rows)})" if rows else "none"
        case Table():
            return _table(b)
        case Picture(caption, svg):
            return _picture(svg, f"caption: {_text(caption)}, ")
        case Grid(pictures):
            cells = ", ".join(_picture(p.svg, f"caption: {_text(p.caption)}, ") for p in pictures)
            return f"grid(columns: (1fr, 1fr), column-gutter: 8pt, {cells})"
        case Legend(_, entries):
            return _legend(entries)
        case NewPage():
            return "pagebreak(weak: true)"


def _table(t: Table) -> str:
    columns = len(t.head)
    align = ", ".join("right" if n in t.numbers else "left" for n in range(columns))
    # Columns of words share what those of numbers leave.
    widths = ", ".join("auto" if n in t.numbers or n == 0 else "1fr" for n in range(columns))
    head = ", ".join(f"strong({_text(c)})" for c in t.head)
    cells = ", ".join(_cell(c, line.thin, t.heading and n == 0) for line in t.rows for n, c in enumerate(line.cells))
    grid = f"table(columns: ({widths},), align: ({align},), table.header(repeat: true, {head}), {cells})"
    return _all([_par(t.caption, _SMALL), f"text(size: {'6.6pt' if columns > 6 else '8pt'}, {grid})"])


def _cell(text: str, thin: bool, heading: bool) -> str:
    if thin:
        return f'text(fill: rgb("#5f5f5f"), style: "italic", {_text(text)})'
    return f"strong({_text(text)})" if heading else _text(text)


def _legend(entries: Sequence[tuple[str, str]]) -> str:
    # The sample of a fill is nothing to be read out: its word stands beside it.
    parts = [
        f"box(pdf.artifact(box(baseline: 1pt, {_image(swatch(f'legend-{n}', fill), 'width: 20pt')})))"
        f" + {_text(f' {text}    ')}"
        for n, (fill, text) in enumerate(entries)
    ]
    return f"par(text(size: {_SMALL}, {' + '.join(parts)}))" if parts else "none"


def _picture(svg: str, caption: str) -> str:
    image = _image(svg, f"width: 100%, alt: {_text(drawing.words(svg))}")
    return f"figure({caption}alt: {_text(drawing.words(svg))}, {image})"


def _image(svg: str, more: str) -> str:
    # Inside a page a chart needs no namespace and takes the page's font; by itself it names both.
    named = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" font-family="DejaVu Sans" font-size="12" ', 1)
    return f'image(bytes({_text(named)}), format: "svg", {more})'


def _par(text: str, size: str = "8.5pt") -> str:
    return f"par(text(size: {size}, {_text(text)}))"


def _all(parts: Iterable[str]) -> str:
    return "{ " + "; ".join(parts) + " }"


def _text(text: str) -> str:
    """A string literal."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else " " for c in plain) + '"'
