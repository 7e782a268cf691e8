"""A report as a list of blocks: what is said and in which order, and nothing of how HTML or PDF write it.

Texts are plain; whoever writes them down escapes them. A :class:`Picture` is one of :mod:`feltsense.report.svg`'s
charts, with its words in it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Block",
    "Document",
    "Grid",
    "Head",
    "Items",
    "Legend",
    "Line",
    "NewPage",
    "Para",
    "Picture",
    "Section",
    "Table",
    "Terms",
]


@dataclass(frozen=True, slots=True)
class Head:
    """Title, what it comes to in a sentence, and the limits in another."""

    title: str
    lead: str
    note: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]
    boxed: str = ""
    """``notice`` or ``limits``: in a frame, since it must not be missed."""


@dataclass(frozen=True, slots=True)
class Para:
    """A paragraph."""

    text: str
    small: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list; `counts` are short and may stand side by side."""

    items: tuple[str, ...]
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """Names with what they are."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table; thin data are greyed."""

    cells: tuple[str, ...]
    thin: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `numbers` are the columns that stand right, `heading` says whether the first cell names its row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[Line, ...]
    numbers: tuple[int, ...] = ()
    heading: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart and its caption."""

    caption: str
    svg: str


@dataclass(frozen=True, slots=True)
class Grid:
    """Small charts, two beside each other; their numbers stand in a table elsewhere."""

    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Legend:
    """Fills of a chart and what they mean."""

    name: str
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NewPage:
    """What follows begins on a new page, on paper."""


Block = Head | Section | Para | Items | Terms | Table | Picture | Grid | Legend | NewPage


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Attributes
    ----------
    title, language : str
        Title and ISO 639 code.
    blocks : tuple of Block
        In order.
    foot : str
        At the end, or at the foot of every page.
    """

    title: str
    language: str
    blocks: tuple[Block, ...]
    foot: str = ""
