"""A report as PDF, A4 or Letter: the same blocks as the HTML page, charts as vectors, fonts embedded.

Rules
-----
- Page one is page one: the evidence begins on a new page.
- Every chart's words stand under it in small type: this PDF has no tags that a screen reader could find them by. The
  HTML page is accessible, and so is :mod:`feltsense.report.tagged`.
- The same document gives the same bytes.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from feltsense.errors import MissingExtraError, UnknownNameError
from feltsense.report import drawing
from feltsense.report.blocks import Document, Grid, Head, Items, Legend, NewPage, Para, Picture, Section, Table, Terms
from feltsense.report.pdf_type import INK, SOFT, Type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from feltsense.report.blocks import Block

__all__ = ["PAPERS", "pdf"]

PAPERS = ("a4", "letter")
MARGIN = 40.0
"""Points, 14 mm: what every printer can print."""
FOOT = 30.0
SCALES = (1.0, 0.95, 0.9, 0.85)
"""Smaller type for a page one that would not hold on one sheet; below seven points nobody reads."""
_SWATCH = 20.0
_WIDEST = 0.45
"""Part of a table that a column of words may take."""


def pdf(document: Document, paper: str = "a4") -> bytes:
    """Write a document as PDF.

    Parameters
    ----------
    document : Document
        What to write.
    paper : str
        ``a4`` or ``letter``.

    Raises
    ------
    MissingExtraError
        If ``feltsense[report]`` is not installed.
    UnknownNameError
        If the paper is another one.
    """
    if paper not in PAPERS:
        raise UnknownNameError("paper", paper, PAPERS)
    try:
        from reportlab.lib import pagesizes
        from reportlab.platypus import SimpleDocTemplate
    except ImportError:
        raise MissingExtraError("report", "a report as PDF") from None
    width, height = pagesizes.A4 if paper == "a4" else pagesizes.LETTER

    def template(out: io.BytesIO) -> Any:
        return SimpleDocTemplate(
            out,
            pagesize=(width, height),
            leftMargin=MARGIN,
            rightMargin=MARGIN,
            topMargin=MARGIN - 6,
            bottomMargin=MARGIN + FOOT / 2,
            title=document.title,
            author="feltsense",
            lang=document.language,
            invariant=1,
        )

    writer = _fitting(document, width - 2 * MARGIN - 12, template)
    out = io.BytesIO()
    story = [f for block in document.blocks for f in writer.flow(block)]

    def foot(canvas: Any, doc: Any) -> None:
        canvas.saveState()
        canvas.setStrokeColor(INK)
        canvas.line(MARGIN, MARGIN + 4, width - MARGIN, MARGIN + 4)
        canvas.setFillColor(SOFT)
        canvas.setFont(writer.plain, 7.5)
        # A long contact is cut by an ellipsis here: it stands in full beside what the report does not mean.
        room = width - 2 * MARGIN - 30
        canvas.drawString(MARGIN, MARGIN - 6, writer.fitted(f"{document.title} · {document.foot}", room, 7.5))
        canvas.drawRightString(width - MARGIN, MARGIN - 6, str(doc.page))
        canvas.restoreState()

    template(out).build(story, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _fitting(document: Document, width: float, template: Callable[[io.BytesIO], Any]) -> _Writer:
    """What writes the document so large that page one is one page: a notice or a long name may need smaller type."""
    ends = [n for n, block in enumerate(document.blocks) if isinstance(block, NewPage)]
    for scale in SCALES if ends else ():
        writer = _Writer(width, scale)
        trial = template(io.BytesIO())
        trial.build([f for block in document.blocks[: ends[0]] for f in writer.flow(block)])
        if trial.page == 1:
            return writer
    return _Writer(width)


class _Writer(Type):
    """Blocks to what the layout engine flows, on lines of a width."""

    def __init__(self, width: float, scale: float = 1.0) -> None:
        super().__init__(scale)
        self.width = width

    def flow(self, b: Block) -> list[Any]:
        from reportlab.platypus import PageBreak, Spacer

        match b:
            case Head(title, lead, note):
                parts = (self.text(title, self.title), self.text(lead, self.lead), self.text(note, self.body))
                return [*parts, _rule(), Spacer(0, 3)]
            case Section():
                return self._section(b)
            case Para(text, small):
                return [self.text(text, self.small if small else self.body), Spacer(0, 2)]
            case Items(items, counts):
                return self._items(items, counts)
            case Terms(rows):
                return self._terms(rows)
            case Table():
                return self._table(b)
            case Picture():
                return self._picture(b)
            case Grid(pictures):
                return self._grid(pictures)
            case Legend():
                return self._legend(b)
            case NewPage():
                return [PageBreak()]

    def _section(self, b: Section) -> list[Any]:
        from reportlab.platypus import Spacer
        from reportlab.platypus import Table as Grid

        inner = [f for block in b.blocks for f in self.flow(block)]
        heading = self.text(b.title, self.heading)
        if not b.boxed:
            return [heading, *inner]
        box = Grid([[[heading, *inner]]], colWidths=[self.width])
        box.setStyle([("BOX", (0, 0), (-1, -1), 1.2, INK), ("TOPPADDING", (0, 0), (-1, -1), 1)])
        return [Spacer(0, 4), box, Spacer(0, 2)]

    def _items(self, items: Sequence[str], counts: bool) -> list[Any]:
        from reportlab.platypus import Table as Grid

        if not items:
            return []
        columns = 2 if counts and len(items) > 1 else 1
        bullets = [self.text(f"• {i}", self.body) for i in items]
        bullets += [""] * (-len(bullets) % columns)
        rows = [bullets[k : k + columns] for k in range(0, len(bullets), columns)]
        grid = Grid(rows, colWidths=[(self.width - 12) / columns] * columns, hAlign="LEFT")
        grid.setStyle([("TOPPADDING", (0, 0), (-1, -1), 0.4), ("BOTTOMPADDING", (0, 0), (-1, -1), 0.6), _TOP])
        return [grid]

    def _terms(self, rows: Sequence[tuple[str, str]]) -> list[Any]:
        from reportlab.platypus import Table as Grid

        if not rows:
            return []
        first = min(max(self.measure(k, size=self.type - 1) for k, _ in rows) + 12, self.width * _WIDEST)
        half = self.width / 2 - first
        # Short ones stand side by side, as long as there is one beside them.
        lines: list[list[tuple[str, str]]] = []
        for row in rows:
            short = self.measure(row[1]) < half - 14
            if lines and short and len(lines[-1]) == 1 and self.measure(lines[-1][0][1]) < half - 14:
                lines[-1].append(row)
            else:
                lines.append([row])
        cells = [[c for k, v in line for c in (self.text(k, self.small), self.text(v, self.body))] for line in lines]
        look: list[Any] = [("TOPPADDING", (0, 0), (-1, -1), 0.4), ("BOTTOMPADDING", (0, 0), (-1, -1), 0.8), _TOP]
        for n, line in enumerate(cells):
            if len(line) == 2:
                line += ["", ""]
                look.append(("SPAN", (1, n), (3, n)))
        grid = Grid(cells, colWidths=[first, half] * 2, hAlign="LEFT")
        grid.setStyle(look)
        return [grid]

    def _table(self, b: Table) -> list[Any]:
        from reportlab.platypus import Spacer
        from reportlab.platypus import Table as Grid

        widths = self._widths(b)
        # What is too wide even with every word on a line of its own is set smaller, as a whole.
        scale = min(self.width / sum(widths), 1.0)
        head = [self.scaled(c, self.right if n in b.numbers else self.strong, scale) for n, c in enumerate(b.head)]
        cells = [head, *([self._cell(b, line.thin, n, c, scale) for n, c in enumerate(line.cells)] for line in b.rows)]
        grid = Grid(cells, colWidths=[w * scale for w in widths], repeatRows=1, hAlign="LEFT")
        look: list[Any] = [
            ("LINEBELOW", (0, 0), (-1, 0), 1.1, INK),
            ("LINEBELOW", (0, 1), (-1, -1), 0.4, "#c8c8c8"),
            ("TOPPADDING", (0, 0), (-1, -1), 1.2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.8),
            ("LEFTPADDING", (0, 0), (-1, -1), 6 * scale),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6 * scale),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            _TOP,
        ]
        grid.setStyle(look)
        return [self.text(b.caption, self.told), grid, Spacer(0, 4)]

    def _cell(self, b: Table, thin: bool, column: int, text: str, scale: float) -> Any:
        right = column in b.numbers
        if thin:
            return self.scaled(text, self.thin_right if right else self.thin, scale)
        if b.heading and column == 0:
            return self.scaled(text, self.strong, scale)
        return self.scaled(text, self.right if right else self.body, scale)

    def _widths(self, b: Table) -> list[float]:
        """Each column as wide as its longest text, words columns less where there is not room for all."""
        pad = 13.0
        longest = []
        for n in range(len(b.head)):
            texts = [b.head[n], *(line.cells[n] for line in b.rows)]
            longest.append(max(self.measure(t, bold=(b.heading and n == 0) or k == 0) for k, t in enumerate(texts)) + pad)
        spare = self.width - sum(longest)
        if spare >= 0:
            return longest
        # Columns of numbers give first, for which only the head wraps; then the widest, down to their longest word.
        least = [self._least(b, n) + pad for n in range(len(b.head))]
        order = sorted(range(len(longest)), key=lambda n: (n not in b.numbers, least[n] - longest[n]))
        for n in order:
            give = min(longest[n] - least[n], -spare)
            if give > 0:
                longest[n] -= give
                spare += give
        return longest

    def _least(self, b: Table, n: int) -> float:
        # Words may wrap; a number and what belongs to it may not.
        texts = [line.cells[n] for line in b.rows]
        words = [*b.head[n].split(" "), *(texts if n in b.numbers else [w for t in texts for w in t.split(" ")])]
        return max((self.measure(w, bold=True) for w in words), default=0.0)

    def _picture(self, b: Picture) -> list[Any]:
        from reportlab.platypus import Spacer

        chart = _chart(b.svg, self.width, self.plain)
        chart.keepWithNext = True  # what it says in words stays beneath it
        return [self.text(b.caption, self.caption), chart, self.text(drawing.words(b.svg), self.said), Spacer(0, 4)]

    def _grid(self, pictures: Sequence[Picture]) -> list[Any]:
        from reportlab.platypus import Table as Flow

        each = (self.width - 16) / 2
        cells: list[Any] = [[self.text(p.caption, self.tight), _chart(p.svg, each, self.plain)] for p in pictures]
        cells += [""] * (len(cells) % 2)
        grid = Flow([cells[k : k + 2] for k in range(0, len(cells), 2)], colWidths=[self.width / 2] * 2, hAlign="LEFT")
        grid.setStyle([("LEFTPADDING", (0, 0), (0, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 0), _TIGHT, _TOP])
        return [grid]

    def _legend(self, b: Legend) -> list[Any]:
        from reportlab.platypus import Spacer
        from reportlab.platypus import Table as Grid

        from feltsense.report.svg import swatch

        # As many in a row as there is room for.
        rows: list[list[tuple[str, str]]] = [[]]
        left = self.width
        for fill, text in b.entries:
            need = _SWATCH + 18 + self.measure(text, size=self.type - 1.3)
            if need > left and rows[-1]:
                rows.append([])
                left = self.width
            rows[-1].append((fill, text))
            left -= need
        out: list[Any] = []
        for row in rows:
            cells = [c for f, t in row for c in (_chart(swatch("legend", f), _SWATCH, self.plain), self.text(t, self.small))]
            widths = [w for _, t in row for w in (_SWATCH + 4, self.measure(t, size=self.type - 1.3) + 14)]
            grid = Grid([cells], colWidths=widths, hAlign="LEFT")
            grid.setStyle([("LEFTPADDING", (0, 0), (-1, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 0.5), _TIGHT, _TOP])
            out.append(grid)
        return [*out, Spacer(0, 2)]


_TOP = ("VALIGN", (0, 0), (-1, -1), "TOP")
_TIGHT = ("BOTTOMPADDING", (0, 0), (-1, -1), 0.5)


def _rule() -> Any:
    from reportlab.platypus import HRFlowable

    return HRFlowable(width="100%", thickness=1.6, color=INK, spaceBefore=3, spaceAfter=3)


def _chart(svg: str, width: float, font: str) -> Any:
    from reportlab.platypus import Flowable

    own, height = drawing.size(svg)

    class Chart(Flowable):  # type: ignore[misc]
        """A chart as vectors."""

        def __init__(self) -> None:
            super().__init__()
            self.width, self.height = width, height * width / own

        def draw(self) -> None:
            drawing.draw(svg, self.canv, width, font)

    return Chart()
