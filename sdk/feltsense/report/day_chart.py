"""Charts with a day on each place: a number with its usable data underneath, and who recorded when.

The rules of :mod:`feltsense.report.svg` hold: pure strings, words for every chart, readable in grey, nothing drawn across
a day without a value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from feltsense.report.svg import ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

__all__ = ["Dot", "day_chart", "grid_chart"]

WIDTH, LEFT, RIGHT = 720.0, 92.0, 62.0
BAR, AXIS = 10.0, 19.0
SMALL_WIDTH, SMALL_LEFT, SMALL_RIGHT = 360.0, 46.0, 6.0
"""Of a chart that takes half of the page's width: the same type, half as wide."""
TOP, BOTTOM = 5.0, 45.0
INK, GREY, PALE, SOFT = "#1a1a1a", "#5b5b5b", "#e9e9e9", "#b9b9b9"
_MARKS = 5
_CELL = 16.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A day's value (NaN without), the usable share of its data, and whether it is thin."""

    day: date
    value: float
    share: float
    thin: bool


def day_chart(
    ident: str, words: tuple[str, str], dots: Sequence[Dot], guide: tuple[float, float] | None, comma: bool = False
) -> str:
    """A number over days, half of the page wide; underneath how much of each day is usable.

    Parameters
    ----------
    ident : str
        Unique on the page.
    words : (str, str)
        Title and description.
    dots : sequence of Dot
        Every day of the span.
    guide : (float, float) or None
        The own range.
    comma : bool
        Whether decimals have a comma, and days stand before months.
    """
    known = [d.value for d in dots if math.isfinite(d.value)] + ([*guide] if guide else [])
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    room = (high - low or abs(high) or 1.0) * 0.1
    low, high = low - room, high + room
    inner = SMALL_WIDTH - SMALL_LEFT - SMALL_RIGHT
    step = inner / max(len(dots), 1)

    def x(k: float) -> float:
        return SMALL_LEFT + (k + 0.5) * step

    def y(v: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (v - low) / (high - low)

    body = []
    if guide:
        a, b = y(guide[1]), y(guide[0])
        body.append(_rect(SMALL_LEFT, a, inner, max(b - a, 0.5), "#e4e4e4"))
    marks = ticks(low, high, 3)
    for v in marks if len(marks) > 1 else ticks(low, high, 4):
        body.append(f'<path d="M{SMALL_LEFT:g} {y(v):.1f}H{SMALL_WIDTH - SMALL_RIGHT:g}" stroke="{PALE}"/>')
        label = f"{v:g}".replace(".", ",") if comma else f"{v:g}"
        body.append(_text(SMALL_LEFT - 5, y(v) + 4, label, "end"))
    body.append(_rect(SMALL_LEFT, TOP, inner, BOTTOM - TOP, "none", GREY))
    body += _line(dots, x, y)
    for k, d in enumerate(dots):
        if math.isfinite(d.value):
            colour = SOFT if d.thin else INK
            body.append(f'<circle cx="{x(k):.1f}" cy="{y(d.value):.1f}" r="2.6" fill="{colour}"/>')
    foot = BOTTOM + 3
    for k, d in enumerate(dots):
        left = x(k) - 0.38 * step
        body.append(_rect(left, foot, 0.76 * step, BAR, "#ffffff", "#c8c8c8"))
        if d.share > 0:
            tall = BAR * min(d.share, 1.0)
            body.append(_rect(left, foot + BAR - tall, 0.76 * step, tall, SOFT if d.thin else GREY))
    body += _dates([d.day for d in dots], x, foot + BAR, comma)
    return _wrap(ident, words, SMALL_WIDTH, foot + BAR + AXIS, body)


def grid_chart(ident: str, words: tuple[str, str], days: Sequence[date], rows: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Who recorded on which day: the darker, the more of it has data (share 0 to 1, 0 for nothing)."""
    step = (WIDTH - LEFT - RIGHT) / max(len(days), 1)
    body = []
    for n, (name, shares) in enumerate(rows):
        top = 4.0 + n * _CELL
        body.append(_text(LEFT - 8, top + _CELL - 5, name[:12], "end"))
        for k, share in enumerate(shares):
            fill = "#ffffff" if share <= 0 else "#d2d2d2" if share < 0.5 else "#8a8a8a" if share < 0.8 else INK
            body.append(_rect(LEFT + k * step, top, step, _CELL - 2, fill, "#c8c8c8"))
    foot = 4.0 + len(rows) * _CELL
    body += _dates(days, lambda k: LEFT + (k + 0.5) * step, foot)
    return _wrap(ident, words, WIDTH, foot + AXIS, body)


def _line(dots: Sequence[Dot], x: Callable[[float], float], y: Callable[[float], float]) -> list[str]:
    """Between days that follow each other and are not thin."""
    out = []
    for k in range(len(dots) - 1):
        a, b = dots[k], dots[k + 1]
        if all(math.isfinite(d.value) and not d.thin for d in (a, b)):
            points = f"{x(k):.1f},{y(a.value):.1f} {x(k + 1):.1f},{y(b.value):.1f}"
            out.append(f'<polyline points="{points}" fill="none" stroke="{GREY}" stroke-width="1.5"/>')
    return out


def _dates(days: Sequence[date], x: Callable[[float], float], top: float, day_first: bool = False) -> list[str]:
    every = max(1, math.ceil(len(days) / _MARKS))
    out = []
    for k in range(0, len(days), every):
        out.append(f'<path d="M{x(k):.1f} {top:.1f}v4" stroke="{GREY}"/>')
        out.append(_text(x(k), top + 16, days[k].strftime("%d.%m." if day_first else "%m-%d")))
    return out


def _wrap(ident: str, words: tuple[str, str], width: float, height: float, body: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-labelledby="{ident}-title {ident}-desc">'
        f'<title id="{ident}-title">{escape(words[0])}</title><desc id="{ident}-desc">{escape(words[1])}</desc>'
        f"{''.join(body)}</svg>"
    )


def _rect(x: float, y: float, width: float, height: float, fill: str, stroke: str | None = None) -> str:
    border = "" if stroke is None else f' stroke="{stroke}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"{border}/>'


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
