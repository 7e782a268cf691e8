"""The type of a report on paper: embedded fonts, styles in a size, and how wide words become."""

from __future__ import annotations

from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BODY", "INK", "SOFT", "Type", "families"]

BODY = 8.5
"""Points of the running text; page one holds on one sheet of either paper with it."""
INK, SOFT, THIN = "#1a1a1a", "#4a4a4a", "#6a6a6a"


class Type:
    """Styles, all larger or smaller by `scale`.

    Parameters
    ----------
    scale : float
        1 for the usual size.
    """

    def __init__(self, scale: float = 1.0) -> None:
        from reportlab.lib.styles import ParagraphStyle

        self.type = size = BODY * scale
        self.plain, self.bold, italic = _fonts()
        fine, large = size - 1.3, 11 * scale
        base = ParagraphStyle("body", fontName=self.plain, fontSize=size, leading=size * 1.27, textColor=INK)
        self.body = base
        self.small = ParagraphStyle("small", base, fontSize=fine, leading=fine * 1.25, textColor=SOFT)
        self.title = ParagraphStyle("title", base, fontName=self.bold, fontSize=16 * scale, leading=19 * scale)
        self.lead = ParagraphStyle("lead", base, fontSize=size + 0.8, leading=(size + 0.8) * 1.27)
        self.heading = ParagraphStyle(
            "h2", base, fontName=self.bold, fontSize=large, leading=14 * scale, spaceBefore=5, keepWithNext=1
        )
        self.strong = ParagraphStyle("strong", base, fontName=self.bold)
        # A caption stays with its chart, a heading with what follows: neither stands alone at the foot of a page.
        self.caption = ParagraphStyle("caption", self.strong, keepWithNext=1)
        self.tight = ParagraphStyle("tight", self.strong, fontSize=size - 0.8, leading=size + 1)
        self.said = ParagraphStyle("said", self.small, fontSize=size - 2, leading=(size - 2) * 1.2)
        self.told = ParagraphStyle("told", self.small, keepWithNext=1)
        self.right = ParagraphStyle("right", base, alignment=2)
        self.thin = ParagraphStyle("thin", base, fontName=italic, textColor=THIN)
        self.thin_right = ParagraphStyle("thin-right", self.thin, alignment=2)

    def text(self, text: str, style: Any) -> Any:
        """A paragraph of plain text."""
        from reportlab.platypus import Paragraph

        return Paragraph(escape(text.replace("\u202f", "\u00a0"), quote=False), style)

    def measure(self, text: str, bold: bool = False, size: float = 0.0) -> float:
        """Width of a text in points."""
        from reportlab.pdfbase.pdfmetrics import stringWidth

        return float(stringWidth(text, self.bold if bold else self.plain, size or self.type))

    def fitted(self, text: str, room: float, size: float) -> str:
        """A text cut by an ellipsis to a width."""
        if self.measure(text, size=size) <= room:
            return text
        while text and self.measure(f"{text}…", size=size) > room:
            text = text[:-1]
        return f"{text}…"

    def scaled(self, text: str, style: Any, scale: float) -> Any:
        """A paragraph in a style that is set smaller."""
        if scale < 1.0:
            style = style.clone("scaled", fontSize=style.fontSize * scale, leading=style.leading * scale)
        return self.text(text, style)


def _fonts() -> tuple[str, str, str]:
    """Register a family that has all our signs; its files come with a library that is there."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for folder, names in families():
        files = [folder / f"{n}.ttf" for n in names]
        if all(f.exists() for f in files):
            for name, file in zip(names, files, strict=True):
                pdfmetrics.registerFont(TTFont(name, str(file)))
            return names
    return ("Helvetica", "Helvetica-Bold", "Helvetica-Oblique")


def families() -> Iterator[tuple[Path, tuple[str, str, str]]]:
    """Folders and names of fonts that come with a library; the first that is there is taken."""
    # DejaVu has Greek, Cyrillic and the arrows; Vera, which reportlab brings, has the Latin alphabets.
    found = find_spec("matplotlib")
    if found is not None and found.origin:
        fonts = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
        yield fonts, ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique")
    found = find_spec("reportlab")
    if found is not None and found.origin:
        yield Path(found.origin).parent / "fonts", ("Vera", "VeraBd", "VeraIt")
