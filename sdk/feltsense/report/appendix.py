"""The appendix of a session's report: tachogram, Poincaré plot, skin conductance in parts, NeuroKit2's long-form tables.

What is drawn are the NN intervals that the long-form analysis uses: valid ones, none across a gap. A recording with more
than :data:`MOST` of them is drawn up to there, and says so.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.timeline import NS
from feltsense.core.window import Window
from feltsense.dsp.filters import ECG_LEAST_RATE
from feltsense.features._binding import bind
from feltsense.report.blocks import Block, Line, NewPage, Para, Picture, Section, Table
from feltsense.report.eda_chart import eda_pictures
from feltsense.report.long_form import long_form
from feltsense.report.say import Say
from feltsense.report.svg import Chart, Look, line_chart, scatter_chart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.core.recording import Recording
    from feltsense.report.long_form import Analysis, Index

__all__ = ["appendix"]

MOST = 3000
"""Intervals drawn: an hour; more would be a black bar."""
_LEAST = 5
_FULL_S = 1.5
"""Beats further apart than this are not joined: an interval was left out between them."""


def appendix(recording: Recording, language: str = "en") -> tuple[Block, ...]:
    """Say the appendix.

    Parameters
    ----------
    recording : Recording
        The session.
    language : str
        ``en`` or ``de``.

    Raises
    ------
    MissingExtraError
        If NeuroKit2 is not installed (``feltsense[physio]``).
    """
    say = Say(language)
    found = long_form(recording)
    t_s, nn_ms = _nn(recording)
    blocks: list[Block] = [NewPage(), *_pictures(say, recording, t_s, nn_ms)]
    hrv = [a for a in found.analyses if a.kind == "hrv"]
    eda = [a for a in found.analyses if a.kind == "eda"]
    if hrv:
        blocks.append(Section(say("Heart rate variability, long form"), tuple(b for a in hrv for b in _hrv(say, a))))
    if eda:
        blocks.append(Section(say("Skin conductance, long form"), (*eda_pictures(say, recording), _eda(say, eda))))
    if not found.analyses:
        blocks.append(Para(say("There is no ECG and no skin conductance to analyse at length.")))
    else:
        blocks.append(Para(say("Computed by {library}.", library=found.library), small=True))
    return tuple(blocks)


def _nn(recording: Recording) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times (seconds from the first sample) and lengths (ms) of the valid NN intervals."""
    from feltsense.features._neurokit_windows import NeuroKitEcg

    bound = bind("ecg", recording.infos())
    if not bound or bound["ecg"].spec.hz < ECG_LEAST_RATE:
        return np.empty(0), np.empty(0)
    extractor = NeuroKitEcg(bound)
    for chunk in recording.streams[bound["ecg"].id].chunks():
        extractor.push(chunk)
    extractor.close(bound["ecg"].id)
    beats = extractor.beats(Window(0, recording.start_ns, recording.stop_ns))
    return (beats.t_ns[beats.valid] - recording.start_ns) / NS, beats.interval_ms[beats.valid]


def _pictures(say: Say, recording: Recording, t_s: NDArray[np.float64], nn: NDArray[np.float64]) -> list[Block]:
    if len(nn) < _LEAST:
        return []
    cut = len(nn) > MOST
    t_s, nn = t_s[:MOST], nn[:MOST]
    low, high = float(nn.min()), float(nn.max())
    room = 0.08 * (high - low or 1.0)
    comma = say.language == "de"
    told = say("{n} intervals from {low} to {high} ms.", n=len(nn), low=say.number(low, 0), high=say.number(high, 0))
    points = []
    for k, (t, v) in enumerate(zip(t_s.tolist(), nn.tolist(), strict=True)):
        if k and t - t_s[k - 1] > _FULL_S * v / 1000:
            points.append((t, math.nan))
        points.append((t, v))
    end = float(t_s[-1]) if cut else recording.seconds
    tachogram = Chart("tachogram", say("Tachogram: NN intervals over time"), told, end, comma)
    drawn = line_chart(tachogram, points, (low - room, high + room), Look(height=110.0))
    follows = np.abs(np.diff(t_s) - nn[1:] / 1000) < 0.5 * nn[1:] / 1000
    a, b = nn[:-1][follows], nn[1:][follows]
    blocks: list[Block] = [Picture(say("Tachogram: NN intervals over time, ms"), drawn)]
    if len(a) >= _LEAST:
        # Brennan, Palaniswami & Kamen 2001: spread across and along the line of identity.
        sd1, sd2 = float(np.std((b - a) / math.sqrt(2), ddof=1)), float(np.std((b + a) / math.sqrt(2), ddof=1))
        numbers = {"n": len(a), "sd1": say.number(sd1, 1), "sd2": say.number(sd2, 1)}
        said = say("{n} pairs; SD1 {sd1} ms across the diagonal, SD2 {sd2} ms along it.", **numbers)
        plot = Chart("poincare", say("Poincaré plot: each NN interval against the next"), said, 1.0, comma)
        picture = scatter_chart(plot, list(zip(a.tolist(), b.tolist(), strict=True)), (low - room, high + room))
        blocks.append(Picture(say("Poincaré plot: each NN interval (ms) against the next"), picture))
    if cut:
        blocks.append(Para(say("Only the first {n} intervals are drawn.", n=MOST)))
    return [Section(say("Heart beats"), tuple(blocks))]


def _hrv(say: Say, a: Analysis) -> list[Block]:
    caption = say(
        "{method}, {stream}: {n} NN intervals, {length} usable, {share} left out.",
        method=a.method,
        stream=a.stream,
        n=a.beats,
        length=say.duration(a.seconds),
        share=say.percent(a.left_out),
    )
    cells = [_cells(say, i) for i in a.indices]
    half = (len(cells) + 1) // 2
    pairs = [Line((*left, *right)) for left, right in zip(cells[:half], [*cells[half:], ("", "")][:half], strict=True)]
    head = (say("Index"), say("Value"), say("Index"), say("Value"))
    return [Table(caption, head, tuple(pairs), (1, 3), heading=True)]


def _eda(say: Say, analyses: list[Analysis]) -> Table:
    names = [i.name for i in analyses[0].indices]
    units = {i.name: i.unit for i in analyses[0].indices}
    head = (say("Index"), *(a.method for a in analyses))
    rows = []
    for n in names:
        cells = [_value(say, next(i for i in a.indices if i.name == n)) for a in analyses]
        unit = "" if units[n] == "1" else f", {units[n]}"
        rows.append(Line((f"{n}{unit}", *cells)))
    caption = say("Skin conductance separated in several ways; they need not agree.")
    return Table(caption, head, tuple(rows), tuple(range(1, len(head))), heading=True)


def _cells(say: Say, i: Index) -> tuple[str, str]:
    return (i.name if i.unit == "1" else f"{i.name}, {i.unit}", _value(say, i))


def _value(say: Say, i: Index) -> str:
    if math.isfinite(i.value):
        return say.point(f"{i.value:.4g}")
    return f"– ({say.told(str(i.reason).replace('_', ' '))})"
