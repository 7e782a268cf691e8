"""Which charts a report draws, and what each says in words."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from feltsense.core.event import EventKind
from feltsense.report.estimate import CALIBRATION
from feltsense.report.svg import Band, Chart, Row, Strip, coverage_chart, line_chart
from feltsense.report.words import clock, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from feltsense.report.account import StreamLine
    from feltsense.report.estimate import Estimate, EstimatePoint
    from feltsense.report.figures import Figure
    from feltsense.report.summary import Summary

__all__ = ["OPEN", "coverage", "decisions", "pattern", "trend"]

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


def decisions(summary: Summary, estimate: Estimate) -> str:
    """Probability over time with the decision of every window underneath."""
    known = [p for p in estimate.points if math.isfinite(p.probability)]
    words = f"Probability of {estimate.about} from 0 to 1 for {len(estimate.points)} windows. "
    if known:
        high = max(known, key=lambda p: p.probability)
        when = f"{clock(high.start_s)} to {clock(high.stop_s)}"
        words += f"The highest is {high.probability:.2f} in the window from {when}. "
    words += _runs_in_words(estimate)
    chart = Chart("estimate", f"Estimated probability of {estimate.about} over time", words, summary.seconds)
    points = [((p.start_s + p.stop_s) / 2, p.probability) for p in estimate.points]
    strips = [Strip(a, b, pattern(estimate, state)) for a, b, state in _runs(estimate)]
    strips += [Strip(a, b, OPEN, 1) for a, b, state in _runs(estimate, lambda p: "open" if p.open else "") if state]
    line = _open_gaps(points, _step(points))
    return line_chart(
        chart, line, (0.0, 1.0), guide=(0.5, 0.5, ""), bands=_bands(summary), strips=strips, height=130.0
    )


def trend(summary: Summary, figure: Figure, number: int) -> str:
    """One figure over time, with the person's own rest as a range."""
    values = [p.value for p in figure.points if math.isfinite(p.value)]
    if not values:
        return ""
    low, high = min(values), max(values)
    guide = None
    if math.isfinite(figure.rest.median):
        guide = (figure.rest.low, figure.rest.high, "own rest")
        low, high = min(low, figure.rest.low), max(high, figure.rest.high)
    room = (high - low or abs(high) or 1.0) * _MARGIN
    words = f"{figure.title} from {min(values):.3g} to {max(values):.3g} {figure.unit} over {len(values)} usable windows"
    words += "." if guide is None else f"; the own rest ranges from {guide[0]:.3g} to {guide[1]:.3g} {figure.unit}."
    chart = Chart(f"trend-{number}", f"{figure.title} over time", words, summary.seconds)
    points = [((p.start_s + p.stop_s) / 2, p.value) for p in figure.points]
    line = _open_gaps(points, _step(points))
    return line_chart(chart, line, (low - room, high + room), guide=guide, bands=_labels(summary), height=66.0)


def coverage(summary: Summary) -> str:
    """What is there of every stream, gaps open."""
    rows = [Row(s.id, s.spans) for s in summary.streams]
    words = "; ".join(f"{s.id}: {_share(s)}, {len(s.gaps)} {'gap' if len(s.gaps) == 1 else 'gaps'}" for s in summary.streams)
    chart = Chart("coverage", "When each stream delivered data", f"{words}.", summary.seconds)
    return coverage_chart(chart, rows)


def _share(stream: StreamLine) -> str:
    return f"{stream.received} samples" if stream.coverage is None else f"{percent(stream.coverage)} covered"


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


def _runs(
    estimate: Estimate, of: Callable[[EstimatePoint], str] = lambda p: p.state
) -> list[tuple[float, float, str]]:
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


def _runs_in_words(estimate: Estimate) -> str:
    told = [f"{clock(max(a, 0.0))} to {clock(b)}" for a, b, state in _runs(estimate) if state == estimate.about]
    return f"Estimated as {estimate.about}: {', '.join(told)}." if told else f"Never estimated as {estimate.about}."


def _bands(summary: Summary) -> list[Band]:
    return [Band(a, b, "known rest", "dots") for a, b in summary.rests] + _labels(summary)


def _labels(summary: Summary) -> list[Band]:
    labels = [e for e in summary.events if e.kind == EventKind.LABEL and e.seconds > 0]
    return [Band(e.at_s, e.at_s + e.seconds, e.text) for e in labels]
