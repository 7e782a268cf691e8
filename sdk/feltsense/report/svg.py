"""Small charts as inline SVG: lines with gaps left open, bands, strips and coverage bars.

Rules
-----
- Pure strings, no library, no external request, no script. Every text is escaped. They stand inside an HTML page,
  which needs no namespace on them.
- Each chart carries a ``<title>`` and a ``<desc>``: what it shows, in words, for those who hear the page.
- Readable in grey: states differ by pattern and by a word beside them, never by colour alone.
- A line is broken wherever a value is missing; nothing is drawn across a gap.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "STRIP_NAMES",
    "Band",
    "Chart",
    "Look",
    "Row",
    "Strip",
    "coverage_chart",
    "line_chart",
    "scatter_chart",
    "swatch",
    "timeline_chart",
]

WIDTH = 720.0
"""Width of the drawing; the page scales it. 720 units on the 180 mm of an A4 page make 11 units of type 2.8 mm high."""
LEFT, RIGHT = 92.0, 62.0
LANE, STRIP, AXIS = 20.0, 14.0, 24.0
"""Heights of the label lane above a plot, the state strip and the time axis below it."""
STRIP_NAMES = ("decision", "left open")
"""What stands beside the strips."""
CHAR = 6.6
"""Mean width of a character at the charts' 12 units of type, used to leave out words that would not fit."""
NAME = 13
"""Characters for which there is room left of a plot."""
MARK = 7.0
MIN_NOTCH = 2.5
"""A gap is drawn at least this wide: half a second in an hour would be invisible."""

INK, GREY, PALE, LINE = "#1a1a1a", "#5b5b5b", "#e9e9e9", "#0b4f8a"
PATTERNS = {"solid": INK, "pale": "#ffffff", "light": "#d2d2d2", "hatch": "url(#{0}-hatch)", "dots": "url(#{0}-dots)"}
"""Fills that differ in grey: solid, empty, light, hatched, dotted."""


@dataclass(frozen=True, slots=True)
class Band:
    """A labelled interval in the lane above a plot, with its borders drawn through the plot."""

    start: float
    stop: float
    text: str
    pattern: str = "pale"


@dataclass(frozen=True, slots=True)
class Strip:
    """A run of one state in a strip below a plot; `pattern` is a key of :data:`PATTERNS`, `row` 0 or 1 (below it)."""

    start: float
    stop: float
    pattern: str
    row: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a coverage chart: its name, and the spans in which it has data."""

    name: str
    spans: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """What every chart needs.

    Attributes
    ----------
    ident : str
        Unique on the page; letters, digits and hyphens.
    title, description : str
        The text alternative.
    end_s : float
        Length of the time axis, from 0.
    """

    ident: str
    title: str
    description: str
    end_s: float
    comma: bool = False
    """Whether decimals are written with a comma."""

    def x(self, t: float) -> float:
        """Place of a time, kept inside the plot."""
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(t, 0.0), self.end_s) / self.end_s

    def wrap(self, height: float, body: Sequence[str]) -> str:
        """The whole element."""
        i = self.ident
        return (
            f'<svg viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
            f'aria-labelledby="{i}-title {i}-desc"><title id="{i}-title">{escape(self.title)}</title>'
            f'<desc id="{i}-desc">{escape(self.description)}</desc>{_defs(i)}{"".join(body)}</svg>'
        )


@dataclass(frozen=True, slots=True)
class Look:
    """What stands around a line.

    Attributes
    ----------
    guide : (float, float, str) or None
        A range drawn across the plot, with its name: the person's own rest. Low equal to high draws one line.
    bands : sequence of Band
        Labelled intervals.
    strips : sequence of Strip or None
        States, drawn in a strip under the plot.
    height : float
        Of the plot alone.
    behind : sequence of (float, float)
        A second line, thin and grey, behind the first.
    marks : sequence of float
        Moments that a stroke at the lower edge marks.
    wide : float
        Of the line.
    """

    guide: tuple[float, float, str] | None = None
    bands: Sequence[Band] = ()
    strips: Sequence[Strip] | None = None
    height: float = 120.0
    behind: Sequence[tuple[float, float]] = ()
    marks: Sequence[float] = ()
    wide: float = 2.0


def line_chart(
    chart: Chart,
    points: Sequence[tuple[float, float]],
    y_range: tuple[float, float],
    look: Look | None = None,
    names: Sequence[str] = STRIP_NAMES,
) -> str:
    """A value over time.

    Parameters
    ----------
    chart : Chart
        Title, description and time axis.
    points : sequence of (float, float)
        Seconds and value, in order; NaN breaks the line.
    y_range : (float, float)
        Lowest and highest value shown.
    look : Look, optional
        What stands around the line.
    names : sequence of str
        What stands beside the strips.
    """
    look = look or Look()
    guide, bands, strips, height = look.guide, look.bands, look.strips, look.height
    lanes = LANE * len({b.pattern for b in bands})
    top, bottom = lanes + 8.0, lanes + 8.0 + height
    body = [_rect(LEFT, top, WIDTH - LEFT - RIGHT, height, "none", GREY)]
    body += _value_axis(chart, y_range, top, bottom)
    if guide is not None:
        body += _guide(guide, y_range, top, bottom)
    body += _bands(chart, bands, bottom)
    body += _line([(chart.x(t), _y(v, y_range, top, bottom)) for t, v in look.behind], "#9a9a9a", 1.0)
    body += _line([(chart.x(t), _y(v, y_range, top, bottom)) for t, v in points], LINE, look.wide)
    body += [f'<path d="M{chart.x(t):.1f} {bottom - MARK:.1f}v{MARK:g}" stroke="{INK}"/>' for t in look.marks]
    if guide is not None:
        body.append(_guide_name(guide, y_range, top, bottom))
    foot = bottom
    if strips is not None:
        foot += 6.0
        rows = 1 + max((s.row for s in strips), default=0)
        body += [_rect(LEFT, foot + n * STRIP, WIDTH - LEFT - RIGHT, STRIP, "none", "#b0b0b0") for n in range(rows)]
        body += [_strip(chart, s, foot + s.row * STRIP) for s in strips]
        body += [_text(LEFT - 8, foot + (n + 1) * STRIP - 3, name, "end") for n, name in enumerate(names[:rows])]
        foot += rows * STRIP
    body += _time_axis(chart, foot)
    return chart.wrap(foot + AXIS, body)


def coverage_chart(chart: Chart, rows: Sequence[Row]) -> str:
    """Bars of what is there, one row a stream; gaps stay open and are marked above the bar."""
    step, bar = 24.0, 11.0
    body = []
    for n, row in enumerate(rows):
        top = 14.0 + n * step
        body.append(_text(LEFT - 8, top + bar - 1, row.name, "end"))
        body.append(_rect(LEFT, top, WIDTH - LEFT - RIGHT, bar, "#ffffff", "#b0b0b0"))
        body += [_rect(chart.x(a), top, max(chart.x(b) - chart.x(a), 0.5), bar, "#6d6d6d", None) for a, b in row.spans]
        for (_, a), (b, _) in itertools.pairwise(row.spans):
            body += _notch(chart.x(a), chart.x(b), top, bar)
    foot = 14.0 + len(rows) * step - (step - bar)
    return chart.wrap(foot + AXIS, [*body, *_time_axis(chart, foot + 4.0)])


def timeline_chart(chart: Chart, rows: Sequence[Row]) -> str:
    """When something was: one row a kind; a moment is a stroke."""
    step, bar = 18.0, 10.0
    body = []
    for n, row in enumerate(rows):
        top = 6.0 + n * step
        body.append(_text(LEFT - 8, top + bar - 1, row.name[:NAME], "end"))
        body.append(f'<path d="M{LEFT:g} {top + bar / 2:.1f}H{WIDTH - RIGHT:g}" stroke="{PALE}"/>')
        body += [_rect(chart.x(a), top, max(chart.x(b) - chart.x(a), MIN_NOTCH), bar, "#6d6d6d", None) for a, b in row.spans]
    foot = 6.0 + len(rows) * step
    return chart.wrap(foot + AXIS, [*body, *_time_axis(chart, foot)])


def scatter_chart(chart: Chart, points: Sequence[tuple[float, float]], around: tuple[float, float]) -> str:
    """Pairs of values on one scale, with the diagonal.

    Parameters
    ----------
    chart : Chart
        Title and description; its axis of time is not drawn.
    points : sequence of (float, float)
        Pairs.
    around : (float, float)
        Lowest and highest value of both axes.
    """
    side, top = 260.0, 8.0
    left = (WIDTH - side) / 2
    low, high = around

    def x(v: float) -> float:
        return left + side * (v - low) / (high - low)

    def y(v: float) -> float:
        return _y(v, around, top, top + side)

    body = [_rect(left, top, side, side, "none", GREY)]
    body.append(f'<polyline points="{x(low):.1f},{y(low):.1f} {x(high):.1f},{y(high):.1f}" fill="none" stroke="#b0b0b0"/>')
    for v in ticks(low, high):
        label = f"{v:g}".replace(".", "," if chart.comma else ".")
        body += [_text(left - 8, y(v) + 4, label, "end"), _text(x(v), top + side + 16, label)]
    body += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="1.6" fill="{LINE}"/>' for a, b in points]
    return chart.wrap(top + side + AXIS, body)


def swatch(ident: str, pattern: str) -> str:
    """A legend's sample of a fill; it stands beside its word, so it is hidden from those who hear the page."""
    fill = PATTERNS[pattern].format(ident)
    return f'<svg viewBox="0 0 28 14" aria-hidden="true">{_defs(ident)}{_rect(0.5, 0.5, 27, 13, fill, GREY)}</svg>'


def _notch(a: float, b: float, top: float, bar: float) -> list[str]:
    middle, width = (a + b) / 2, max(b - a, MIN_NOTCH)
    return [
        _rect(middle - width / 2, top - 0.5, width, bar + 1, "#ffffff", None),
        f'<path d="M{middle:.1f} {top - 1:.1f}l-4 -6h8z" fill="{INK}"/>',
    ]


def _defs(ident: str) -> str:
    return (
        f'<defs><pattern id="{ident}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="6" height="6" fill="#ffffff"/>'
        f'<rect width="2" height="6" fill="#8a8a8a"/></pattern>'
        f'<pattern id="{ident}-dots" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect width="6" height="6" fill="#f4f4f4"/><circle cx="3" cy="3" r="1" fill="#707070"/></pattern></defs>'
    )


def _rect(x: float, y: float, width: float, height: float, fill: str, stroke: str | None) -> str:
    border = "" if stroke is None else f' stroke="{stroke}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"{border}/>'


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _y(value: float, y_range: tuple[float, float], top: float, bottom: float) -> float:
    low, high = y_range
    return bottom - (bottom - top) * (value - low) / (high - low)


def _value_axis(chart: Chart, y_range: tuple[float, float], top: float, bottom: float) -> list[str]:
    out = []
    for v in ticks(*y_range):
        y = _y(v, y_range, top, bottom)
        out.append(f'<path d="M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}" stroke="{PALE}"/>')
        out.append(_text(LEFT - 8, y + 4, f"{v:g}".replace(".", "," if chart.comma else "."), "end"))
    return out


def _guide(guide: tuple[float, float, str], y_range: tuple[float, float], top: float, bottom: float) -> list[str]:
    low, high, _ = guide
    a = min(max(_y(high, y_range, top, bottom), top), bottom)
    b = min(max(_y(low, y_range, top, bottom), top), bottom)
    right = WIDTH - RIGHT
    out = [_rect(LEFT, a, right - LEFT, b - a, "#dfe7ee", None)] if b > a else []
    edges = (a, b) if b > a else (a,)
    return [*out, *(f'<path d="M{LEFT:g} {y:.1f}H{right:g}" stroke="{GREY}" stroke-dasharray="5 4"/>' for y in edges)]


def _guide_name(guide: tuple[float, float, str], y_range: tuple[float, float], top: float, bottom: float) -> str:
    """Name of a guide, beside the plot at its height: inside it would hide what was measured."""
    low, high, name = guide
    middle = (_y(high, y_range, top, bottom) + _y(low, y_range, top, bottom)) / 2
    return _text(WIDTH - RIGHT + 4, min(max(middle, top + 4), bottom) + 4, name, "start")


def _bands(chart: Chart, bands: Sequence[Band], bottom: float) -> list[str]:
    out = []
    lanes = sorted({b.pattern for b in bands})
    for band in bands:
        top = 4.0 + LANE * lanes.index(band.pattern)
        a, b = chart.x(band.start), chart.x(band.stop)
        if b <= a:
            continue
        out.append(_rect(a, top, b - a, LANE - 4, PATTERNS[band.pattern].format(chart.ident), GREY))
        out += [f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}" stroke="{GREY}" stroke-dasharray="2 3"/>' for x in (a, b)]
        width = CHAR * len(band.text)
        if width + 6 <= b - a:
            middle = (a + b) / 2
            out.append(_rect(middle - width / 2 - 2, top + 1.5, width + 4, LANE - 7, "#ffffff", None))
            out.append(_text(middle, top + 12, band.text))
    return out


def _strip(chart: Chart, strip: Strip, top: float) -> str:
    a, b = chart.x(strip.start), chart.x(strip.stop)
    return _rect(a, top, max(b - a, 0.5), STRIP, PATTERNS[strip.pattern].format(chart.ident), None)


def _line(points: Sequence[tuple[float, float]], colour: str, wide: float) -> list[str]:
    out: list[str] = []
    run: list[tuple[float, float]] = []
    for x, y in [*points, (math.nan, math.nan)]:
        if math.isfinite(y):
            run.append((x, y))
            continue
        if len(run) == 1:
            out.append(f'<circle cx="{run[0][0]:.1f}" cy="{run[0][1]:.1f}" r="2.2" fill="{colour}"/>')
        elif run:
            path = " ".join(f"{px:.1f},{py:.1f}" for px, py in run)
            look = f'fill="none" stroke="{colour}" stroke-width="{wide:g}" stroke-linejoin="round"'
            out.append(f'<polyline points="{path}" {look}/>')
        run = []
    return out


def _time_axis(chart: Chart, y: float) -> list[str]:
    """Minutes (or seconds, of a short recording) from the start; the first mark names the unit."""
    unit, name = (60.0, "min") if chart.end_s > 120 else (1.0, "s")
    out = []
    # A recording that lacks its last few samples still ends at the full minute for a reader.
    for v in ticks(0.0, chart.end_s / unit * 1.001, 8):
        x = chart.x(v * unit)
        out.append(f'<path d="M{x:.1f} {y:.1f}v4" stroke="{GREY}"/>')
        out.append(_text(x, y + 16, f"{v:g}" if v else f"0 {name}"))
    return out


def ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Round values inside [low, high], about `wanted` of them, in steps of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1.0, 2.0, 5.0, 10.0) if s * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]
