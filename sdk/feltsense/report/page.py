"""A report as one self-contained HTML page: semantic, printable, escaped, nothing fetched.

Rules
-----
- Every text (pseudonym, device, label, note, model id) passes :func:`html.escape`.
- No script, no font, no image, no link to anywhere: the page can be mailed, archived and printed as it is.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from feltsense.report.blocks import Document, Grid, Head, Items, Legend, NewPage, Para, Picture, Section, Table, Terms
from feltsense.report.content import session
from feltsense.report.style import CSS
from feltsense.report.svg import swatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feltsense.report.blocks import Block
    from feltsense.report.summary import Summary

__all__ = ["html", "page"]


def html(summary: Summary, contact: str = "", language: str = "en") -> str:
    """Write a session's report.

    Parameters
    ----------
    summary : Summary
        What to say.
    contact : str, optional
        Whom to ask about the report.
    language : str
        ``en`` or ``de``.

    Returns
    -------
    str
        A complete HTML document.
    """
    return page(session(summary, contact, language))


def page(document: Document) -> str:
    """Write a document as HTML."""
    body = "\n".join(p for p in (_block(b) for b in document.blocks) if p)
    foot = f"<footer><p>{escape(document.foot)}</p></footer>" if document.foot else ""
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(document.language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(document.title)}</title>\n<style>{CSS}</style>\n</head>\n<body>\n{body}\n{foot}\n</body>\n</html>\n"
    )


def _block(b: Block) -> str:
    match b:
        case Head(title, lead, note):
            return f'<header><h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p><p>{escape(note)}</p></header>'
        case Section(title, blocks, boxed):
            css = f' class="{boxed}"' if boxed else ""
            label = f' aria-label="{escape(title)}"' if boxed == "notice" else ""
            return f"<section{css}{label}><h2>{escape(title)}</h2>{''.join(map(_block, blocks))}</section>"
        case Para(text, small):
            return f'<p class="small">{escape(text)}</p>' if small else f"<p>{escape(text)}</p>"
        case Items(items, counts):
            css = ' class="counts"' if counts else ""
            return f"<ul{css}>{''.join(f'<li>{escape(i)}</li>' for i in items)}</ul>"
        case Terms(rows):
            listed = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in rows)
            return f'<dl class="terms">{listed}</dl>' if listed else ""
        case Table():
            return _table(b)
        case Picture(caption, svg):
            return f"<figure><figcaption>{escape(caption)}</figcaption>{svg}</figure>"
        case Grid(pictures):
            return f'<div class="grid">{"".join(map(_block, pictures))}</div>'
        case Legend(name, entries):
            shown = "".join(f"<li>{swatch(f'legend-{n}', f)}{escape(t)}</li>" for n, (f, t) in enumerate(entries))
            return f'<ul class="legend" aria-label="{escape(name)}">{shown}</ul>'
        case NewPage():
            return '<div class="new-page"></div>'


def _table(t: Table) -> str:
    head = _row(t.head, "th", t, "")
    body = "".join(_row(line.cells, "td", t, "thin" if line.thin else "") for line in t.rows)
    return (
        f'<div class="scroll"><table><caption><span>{escape(t.caption)}</span></caption><thead>{head}</thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(cells: Sequence[str], tag: str, table: Table, css: str) -> str:
    out = []
    for n, cell in enumerate(cells):
        name = "th" if tag == "th" or (table.heading and n == 0) else "td"
        scope = "" if name == "td" else ' scope="col"' if tag == "th" else ' scope="row"'
        align = ' class="number"' if n in table.numbers else ""
        out.append(f"<{name}{scope}{align}>{escape(cell)}</{name}>")
    opening = f'<tr class="{css}">' if css else "<tr>"
    return f"{opening}{''.join(out)}</tr>"
