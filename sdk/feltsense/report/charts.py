"""Which charts a report draws, and what each says in words."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from feltsense.core.event import EventKind
from feltsense.report.estimate import CALIBRATION
from feltsense.report.say import Say
from feltsense.report.svg import STRIP_NAMES, Band, Chart, Look, Row, Strip, coverage_chart, line_chart, timeline_chart
from feltsense.report.words import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from feltsense.report.account import StreamLine
    from feltsense.report.estimate import Estimate, EstimatePoint
    from feltsense.report.figures import Figure
    from feltsense.report.summary import Summary

__all__ = ["OPEN", "answers", "coverage", "decisions", "pattern", "timeline", "trend"]

OPEN = "hatch"
"""Fill of windows in which another class cannot be ruled out."""
_MARGIN = 0.08
"""Part of the range left free above and below a curve."""


def pattern(estimate: Estimate, state: str) -> str:
    """Fill of a state: the class that is decided about is solid, another class light, no decision empty."""
    if state == CALIBRATION:
        return "dots"
    if not state:
        return "pale"
    return "solid" if state == estimate.about else "light"


def decisions(summary: Summary, estimate: Estimate, say: Say | None = None) -> str:
    """Probability over time with the decision of every window underneath."""
    say = say or Say()
    about = say.told(estimate.about)
    known = [p for p in estimate.points if math.isfinite(p.probability)]
    words = say("Probability of {about} from 0 to 1 for {n} windows.", about=about, n=len(estimate.points)) + " "
    if known:
        high = max(known, key=lambda p: p.probability)
        value = say.number(high.probability, 2)
        words += say(
            "The highest is {value} in the window from {when}.", value=value, when=_span(say, high.start_s, high.stop_s)
        )
        words += " "
    words += _runs_in_words(estimate, say)
    title = say("Estimated probability of {about} over time", about=about)
    chart = Chart("estimate", title, words, summary.seconds, say.language == "de")
    points = [((p.start_s + p.stop_s) / 2, p.probability) for p in estimate.points]
    strips = [Strip(a, b, pattern(estimate, state)) for a, b, state in _runs(estimate)]
    strips += [Strip(a, b, OPEN, 1) for a, b, state in _runs(estimate, lambda p: "open" if p.open else "") if state]
    line = _open_gaps(points, _step(points))
    look = Look(guide=(0.5, 0.5, ""), bands=_bands(summary, say), strips=strips, height=64.0)
    return line_chart(chart, line, (0.0, 1.0), look, tuple(say(n) for n in STRIP_NAMES))


def trend(summary: Summary, figure: Figure, number: int, say: Say | None = None) -> str:
    """One figure over time, with the person's own rest as a range."""
    say = say or Say()
    values = [p.value for p in figure.points if math.isfinite(p.value)]
    if not values:
        return ""
    low, high = min(values), max(values)
    guide = None
    if math.isfinite(figure.rest.median):
        guide = (figure.rest.low, figure.rest.high, say("own rest"))
        low, high = min(low, figure.rest.low), max(high, figure.rest.high)
    room = (high - low or abs(high) or 1.0) * _MARGIN
    title = say(figure.title)
    words = say(
        "{title} from {low} to {high} {unit} over {n} usable windows.",
        title=title,
        low=say.point(f"{min(values):.3g}"),
        high=say.point(f"{max(values):.3g}"),
        unit=figure.unit,
        n=len(values),
    )
    if guide is not None:
        a, b = (say.point(f"{v:.3g}") for v in guide[:2])
        words += " " + say("The own rest ranges from {low} to {high} {unit}.", low=a, high=b, unit=figure.unit)
    chart = Chart(f"trend-{number}", say("{title} over time", title=title), words, summary.seconds, say.language == "de")
    points = [((p.start_s + p.stop_s) / 2, p.value) for p in figure.points]
    line = _open_gaps(points, _step(points))
    return line_chart(chart, line, (low - room, high + room), Look(guide=guide, bands=_labels(summary, say), height=66.0))


def answers(summary: Summary, prompt: str, number: int, say: Say | None = None) -> str:
    """A person's own answers to one prompt, on the same axis of time as the numbers."""
    say = say or Say()
    given = [(a.at_s, a.value) for a in summary.answers if a.prompt == prompt]
    values = [v for _, v in given]
    low, high = min(values), max(values)
    room = (high - low or abs(high) or 1.0) * _MARGIN
    # Nothing is known between two answers: points, and no line.
    points = [p for t, v in given for p in ((t, v), (t, math.nan))]
    title = say("Own answers to “{prompt}”", prompt=prompt)
    words = "; ".join(f"{clock(t)}: {say.point(f'{v:g}')}" for t, v in given)
    chart = Chart(f"answers-{number}", title, words, summary.seconds, say.language == "de")
    return line_chart(chart, points, (low - room, high + room), Look(bands=_labels(summary, say), height=44.0))


def coverage(summary: Summary, say: Say | None = None) -> str:
    """What is there of every stream, gaps open."""
    say = say or Say()
    rows = [Row(s.id, s.spans) for s in summary.streams]
    words = "; ".join(f"{s.id}: {_share(s, say)}, {say.some(len(s.gaps), 'gap', 'gaps')}" for s in summary.streams)
    chart = Chart("coverage", say("When each stream delivered data"), f"{words}.", summary.seconds)
    return coverage_chart(chart, rows)


def timeline(summary: Summary, say: Say | None = None) -> str:
    """When something happened: a row for each kind of event, intervals as long as they were."""
    say = say or Say()
    spans: dict[str, list[tuple[float, float]]] = {}
    for e in summary.events:
        name = e.text if e.kind == EventKind.LABEL else e.kind.replace("_", " ")
        spans.setdefault(say.told(name), []).append((e.at_s, e.at_s + e.seconds))
    told = "; ".join(f"{name}: {', '.join(_when(say, a, b) for a, b in found)}" for name, found in spans.items())
    rows = [Row(name, tuple(found)) for name, found in spans.items()]
    return timeline_chart(Chart("timeline", say("Timeline"), f"{told}.", summary.seconds), rows)


def _when(say: Say, a: float, b: float) -> str:
    return _span(say, a, b) if b > a else clock(max(a, 0.0))


def _share(stream: StreamLine, say: Say) -> str:
    if stream.coverage is None:
        return say("{n} samples", n=stream.received)
    return say("{share} covered", share=say.percent(stream.coverage))


def _span(say: Say, a: float, b: float) -> str:
    return say("{low} to {high}", low=clock(max(a, 0.0)), high=clock(b))


def _step(points: Sequence[tuple[float, float]]) -> float:
    return min((b[0] - a[0] for a, b in itertools.pairwise(points)), default=0.0)


def _open_gaps(points: Iterable[tuple[float, float]], step: float) -> list[tuple[float, float]]:
    """Break the line where windows are missing altogether, not only where their value is."""
    out: list[tuple[float, float]] = []
    for t, v in points:
        if out and t - out[-1][0] > 1.5 * step:
            out.append((t, math.nan))
        out.append((t, v))
    return out


def _runs(estimate: Estimate, of: Callable[[EstimatePoint], str] = lambda p: p.state) -> list[tuple[float, float, str]]:
    """Runs of one state. A window stands for the step around its middle, so that runs neither overlap nor leave holes."""
    middles = [((p.start_s + p.stop_s) / 2, of(p)) for p in estimate.points]
    half = _step([(t, 0.0) for t, _ in middles]) / 2 or 1.0
    runs: list[tuple[float, float, str]] = []
    for t, state in middles:
        if runs and runs[-1][2] == state and t - half - runs[-1][1] < half:
            runs[-1] = (runs[-1][0], t + half, state)
        else:
            runs.append((t - half, t + half, state))
    return runs


def _runs_in_words(estimate: Estimate, say: Say) -> str:
    about = say.told(estimate.about)
    told = [_span(say, a, b) for a, b, state in _runs(estimate) if state == estimate.about]
    if told:
        return say("Estimated as {about}: {when}.", about=about, when=", ".join(told))
    return say("Never estimated as {about}.", about=about)


def _bands(summary: Summary, say: Say) -> list[Band]:
    return [Band(a, b, say("known rest"), "dots") for a, b in summary.rests] + _labels(summary, say)


def _labels(summary: Summary, say: Say) -> list[Band]:
    labels = [e for e in summary.events if e.kind == EventKind.LABEL and e.seconds > 0]
    return [Band(e.at_s, e.at_s + e.seconds, say.told(e.text)) for e in labels]
