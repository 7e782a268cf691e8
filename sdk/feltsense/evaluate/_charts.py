"""Charts as inline SVG: no script, readable in grey, each with its content in words."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Bar", "Series", "bars", "curves", "dots"]

INK, GRID, MODEL, GUARD, ALARM = "#222", "#ddd", "#2463a4", "#888", "#b00"
_ROW, _HIGH = 22, 14
"""Pixels: height of a row of bars, height of a bar."""
_LEFT, _RIGHT, _WIDE = 290, 660, 720
_W, _H, _MARGIN = 420, 300, 58
"""Pixels: size of a chart of curves, and the room for its axes."""
_LONGEST = 18
"""Letters of a name below a dot; the whole name is the dot's title."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a bar chart: its name, value, interval, and whether it is a guard."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    guard: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """A curve: its name and points; dashed curves are baselines."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False
    marks: bool = False


def bars(rows: Sequence[Bar], label: str, ceiling: float | None = None) -> str:
    """Horizontal bars from 0.3 to 1, with 95 % intervals; `ceiling` is drawn as a line."""
    least = 0.3
    height = _ROW * len(rows) + 34

    def x(value: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * min(max((value - least) / (1.0 - least), 0.0), 1.0)

    out = [_open(_WIDE, height, label)]
    for tick in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        colour, dash = (INK, ' stroke-dasharray="3 3"') if tick == 0.5 else (GRID, "")
        out.append(_line(x(tick), 4, x(tick), height - 24, colour, dash))
        out.append(_text(x(tick), height - 8, f"{tick:g}", "middle", 11))
    for i, row in enumerate(rows):
        y = 6 + i * _ROW
        out.append(_text(_LEFT - 8, y + 11, row.name, "end"))
        if row.value is None:
            out.append(_text(_LEFT + 4, y + 11, "not defined", "start", 11))
            continue
        fill = GUARD if row.guard else MODEL
        out.append(f'<rect x="{_LEFT}" y="{y}" width="{x(row.value) - _LEFT:.1f}" height="{_HIGH}" fill="{fill}"/>')
        if row.low is not None and row.high is not None:
            out.append(_line(x(row.low), y + 7, x(row.high), y + 7, INK, ' stroke-width="2"'))
        out.append(_text(_RIGHT + 8, y + 11, f"{row.value:.3f}", "start"))
    if ceiling is not None:
        out.append(_line(x(ceiling), 0, x(ceiling), height - 24, ALARM, ' stroke-width="2" stroke-dasharray="6 3"'))
        out.append(_text(x(ceiling) - 4, height - 26, "a rater", "end", 11))
    return "".join([*out, "</svg>"])


def dots(rows: Sequence[tuple[str, float]], label: str, middle: float | None = None) -> str:
    """One dot a person, sorted by the caller, from 0 to 1."""
    step = max(8.0, min(26.0, 640.0 / max(len(rows), 1)))
    # Names stand aslant below: 10 pixels high, some 5.5 wide a letter.
    longest = min(max((len(n) for n, _ in rows), default=0), _LONGEST)
    left, below = max(60, round(20 + 2.9 * longest)), round(22 + 4.9 * longest)
    wide, high = int(left + step * len(rows) + 20), 190 + below

    def y(value: float) -> float:
        return 10 + 180 * (1.0 - value)

    out = [_open(wide, high, label)]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        out.append(_line(left - 10, y(tick), wide - 10, y(tick), INK if tick == 0.5 else GRID))
        out.append(_text(left - 16, y(tick) + 4, f"{tick:g}", "end", 11))
    if middle is not None:
        out.append(_line(left - 10, y(middle), wide - 10, y(middle), MODEL, ' stroke-dasharray="6 3"'))
    every = max(1, int(26 / step))
    for i, (name, value) in enumerate(rows):
        at, foot = left + step * i, y(0.0) + 16
        told = f"<title>{escape(name)} {value:.3f}</title>"
        out.append(f'<circle cx="{at:.1f}" cy="{y(value):.1f}" r="4" fill="{MODEL}">{told}</circle>')
        if i % every == 0:
            turn = f'transform="rotate(-60 {at:.1f} {foot:.1f})"'
            short = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
            out.append(f'<text x="{at:.1f}" y="{foot:.1f}" font-size="10" text-anchor="end" {turn}>{escape(short)}</text>')
    return "".join([*out, "</svg>"])


def curves(series: Sequence[Series], label: str, axes: tuple[str, str], top: float = 1.0, bottom: float = 0.0) -> str:
    """Curves over 0 to 1; `bottom` and `top` bound the other axis. Each is named at its end, and told by its dash."""

    def x(value: float) -> float:
        return _MARGIN + (_W - _MARGIN - 14) * value

    def y(value: float) -> float:
        inside = min(max((value - bottom) / (top - bottom), 0.0), 1.0)
        return 12 + (_H - _MARGIN - 12) * (1.0 - inside)

    out = [_open(_W, _H, label)]
    for k in range(5):
        part = k / 4
        level = bottom + (top - bottom) * part
        out += [_line(x(0), y(level), x(1), y(level), GRID), _text(x(0) - 6, y(level) + 4, f"{level:.2g}", "end", 11)]
        out.append(_text(x(part), _H - _MARGIN + 16, f"{part:g}", "middle", 11))
    out.append(_text(x(0.5), _H - 8, axes[0], "middle"))
    turn = f'transform="rotate(-90 12 {_H / 2 - 20:.0f})"'
    out.append(f'<text x="12" y="{_H / 2 - 20:.0f}" font-size="12" text-anchor="middle" {turn}>{escape(axes[1])}</text>')
    for i, s in enumerate(series):
        out.append(_curve(s, i, x, y))
    return "".join([*out, "</svg>"])


def _curve(s: Series, place: int, x: Callable[[float], float], y: Callable[[float], float]) -> str:
    colour = GUARD if s.dashed else (MODEL, ALARM, INK)[place % 3]
    path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in s.points)
    dash = ' stroke-dasharray="5 4"' if s.dashed else ""
    out = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
    if s.marks:
        out += "".join(f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3.5" fill="{colour}"/>' for a, b in s.points)
    at = 26 + 16 * place
    out += _line(_W - 170, at - 4, _W - 150, at - 4, colour, f' stroke-width="2"{dash}')
    return out + _text(_W - 144, at, s.name, "start", 11)


def _open(wide: int, high: int, label: str) -> str:
    size = f'viewBox="0 0 {wide} {high}" width="{wide}" height="{high}"'
    return f'<svg {size} role="img" aria-label="{escape(label)}"><title>{escape(label)}</title>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{more}/>'


def _text(x: float, y: float, text: str, anchor: str, size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{INK}">{escape(text)}</text>'
