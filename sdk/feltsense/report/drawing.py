"""The report's own SVG charts on a PDF canvas, as vectors: the same drawing on paper as on the screen.

Only what :mod:`feltsense.report.svg` writes is understood: rectangles, paths of straight lines, polylines, circles, text,
and its two patterns. Anything else is an error, so that no mark is lost silently.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["draw", "size", "words"]

_COMMAND = re.compile(r"([MHVvhlz])([^MHVvhlz]*)")
_HATCH_STEP, _DOT_STEP = 4.0, 6.0


def size(svg: str) -> tuple[float, float]:
    """Width and height of a chart, in its own units."""
    _, _, width, height = (float(v) for v in _parse(svg).get("viewBox", "").split())
    return width, height


def words(svg: str) -> str:
    """What a chart shows, in words."""
    found = _parse(svg).find("desc")
    return "" if found is None else (found.text or "")


def draw(svg: str, canvas: Any, width: float, font: str, type_size: float = 12.0) -> None:
    """Draw a chart with its lower left corner at the origin, `width` points wide."""
    root = _parse(svg)
    own, height = size(svg)
    scale = width / own
    canvas.saveState()
    canvas.scale(scale, -scale)
    canvas.translate(0, -height)
    canvas.setLineWidth(1.0)
    for element in root:
        _element(element, canvas, font, type_size)
    canvas.restoreState()


def _parse(svg: str) -> Any:
    return Xml.fromstring(svg)  # noqa: S314 (our own chart)


def _element(e: Any, canvas: Any, font: str, type_size: float) -> None:
    match e.tag:
        case "title" | "desc" | "defs":
            return
        case "rect":
            _rect(e, canvas)
        case "path":
            _path(e, canvas)
        case "polyline":
            _polyline(e, canvas)
        case "circle":
            canvas.setFillColor(e.get("fill"))
            canvas.circle(float(e.get("cx")), float(e.get("cy")), float(e.get("r")), stroke=0, fill=1)
        case "text":
            _text(e, canvas, font, type_size)
        case other:
            msg = f"a chart has a {other}, which the PDF cannot draw"
            raise ValueError(msg)


def _rect(e: Any, canvas: Any) -> None:
    x, y, w, h = (float(e.get(k)) for k in ("x", "y", "width", "height"))
    fill, stroke = e.get("fill", "none"), e.get("stroke")
    if fill.startswith("url("):
        _pattern(fill, canvas, (x, y, w, h))
    elif fill != "none":
        canvas.setFillColor(fill)
        canvas.rect(x, y, w, h, stroke=0, fill=1)
    if stroke:
        canvas.setStrokeColor(stroke)
        canvas.rect(x, y, w, h, stroke=1, fill=0)


def _pattern(fill: str, canvas: Any, box: tuple[float, float, float, float]) -> None:
    x, y, w, h = box
    canvas.saveState()
    clip = canvas.beginPath()
    clip.rect(x, y, w, h)
    canvas.clipPath(clip, stroke=0, fill=0)
    hatched = fill.endswith("-hatch)")
    canvas.setFillColor("#ffffff" if hatched else "#f4f4f4")
    canvas.rect(x, y, w, h, stroke=0, fill=1)
    if hatched:
        canvas.setStrokeColor("#8a8a8a")
        # On a grid of the whole drawing, so that pieces beside each other go on.
        start = (x - h) // _HATCH_STEP * _HATCH_STEP
        for k in range(int((w + 2 * h) / _HATCH_STEP) + 2):
            at = start + k * _HATCH_STEP
            canvas.line(at, y + h, at + h, y)
    else:
        canvas.setFillColor("#707070")
        for k in range(int(w / _DOT_STEP) + 1):
            for n in range(int(h / _DOT_STEP) + 1):
                canvas.circle(x + 3 + k * _DOT_STEP, y + 3 + n * _DOT_STEP, 1.0, stroke=0, fill=1)
    canvas.restoreState()


def _path(e: Any, canvas: Any) -> None:
    path = canvas.beginPath()
    x = y = 0.0
    for command, numbers in _steps(e.get("d")):
        match command:
            case "M":
                x, y = numbers
                path.moveTo(x, y)
                continue
            case "H":
                x = numbers[0]
            case "V":
                y = numbers[0]
            case "h":
                x += numbers[0]
            case "v":
                y += numbers[0]
            case "l":
                x, y = x + numbers[0], y + numbers[1]
            case _:
                path.close()
                continue
        path.lineTo(x, y)
    stroke, fill, dash = e.get("stroke"), e.get("fill", "none"), e.get("stroke-dasharray")
    canvas.saveState()
    if dash:
        canvas.setDash([float(v) for v in dash.split()])
    if stroke:
        canvas.setStrokeColor(stroke)
    if fill != "none":
        canvas.setFillColor(fill)
    canvas.drawPath(path, stroke=bool(stroke), fill=fill != "none")
    canvas.restoreState()


def _steps(d: str) -> Iterator[tuple[str, list[float]]]:
    for command, rest in _COMMAND.findall(d):
        yield command, [float(v) for v in rest.replace(",", " ").split()]


def _polyline(e: Any, canvas: Any) -> None:
    points = [tuple(float(v) for v in pair.split(",")) for pair in e.get("points").split()]
    path = canvas.beginPath()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    canvas.saveState()
    canvas.setStrokeColor(e.get("stroke"))
    canvas.setLineWidth(float(e.get("stroke-width", "1")))
    canvas.setLineJoin(1)
    canvas.drawPath(path, stroke=1, fill=0)
    canvas.restoreState()


def _text(e: Any, canvas: Any, font: str, type_size: float) -> None:
    canvas.saveState()
    canvas.translate(float(e.get("x")), float(e.get("y")))
    # The drawing stands on its head, the letters must not.
    canvas.scale(1, -1)
    canvas.setFillColor("#1a1a1a")
    canvas.setFont(font, type_size)
    place = {"start": canvas.drawString, "end": canvas.drawRightString}.get(e.get("text-anchor"), canvas.drawCentredString)
    place(0, 0, (e.text or "").replace("\u202f", "\u00a0"))
    canvas.restoreState()
