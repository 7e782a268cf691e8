"""Skin conductance of a session drawn: with its tonic part, and the phasic part with the onsets of responses.

The separation is NeuroKit2's ``highpass``, the first of those whose numbers the appendix lists. Samples that are not usable
are left open; so is everything between two stretches. What is drawn keeps the least and the greatest of each piece of the
line, so that no response is lost on paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.timeline import NS
from feltsense.core.window import Window
from feltsense.features import neurokit
from feltsense.features._binding import bind
from feltsense.features._neurokit_windows import NeuroKitEda
from feltsense.report.blocks import Picture
from feltsense.report.long_form import CLASSIC_US
from feltsense.report.svg import Chart, Look, line_chart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.core.recording import Recording
    from feltsense.report.say import Say

__all__ = ["Separated", "eda_pictures", "separated"]

METHOD = neurokit.EDA_METHODS[0]
PIECES = 900
"""Pieces of the line: about two units of the drawing each."""


@dataclass(frozen=True, slots=True)
class Separated:
    """Skin conductance in parts.

    Attributes
    ----------
    t_s : ndarray of float64, shape (n,)
        Seconds from the recording's first sample; a NaN ends each stretch.
    level, tonic, phasic : ndarray of float64, shape (n,)
        µS; NaN where a sample is not usable.
    onsets : ndarray of float64, shape (k,)
        Seconds at which a response of at least 0.05 µS begins.
    """

    t_s: NDArray[np.float64]
    level: NDArray[np.float64]
    tonic: NDArray[np.float64]
    phasic: NDArray[np.float64]
    onsets: NDArray[np.float64]


def separated(recording: Recording) -> Separated | None:
    """Separate a recording's skin conductance; None without one that can be.

    Raises
    ------
    MissingExtraError
        If NeuroKit2 is not installed.
    """
    bound = bind("eda", recording.infos())
    if not bound:
        return None
    info = bound["eda"]
    extractor = NeuroKitEda(bound)
    for chunk in recording.streams[info.id].chunks():
        extractor.push(chunk)
    extractor.close(info.id)
    rows, onsets = [], []
    for t_ns, raw, good in extractor.stretches(Window(0, recording.start_ns, recording.stop_ns)):
        pair = neurokit.separate(raw, info.spec.hz, METHOD)
        if pair is None:
            continue
        t_s = (t_ns - recording.start_ns) / NS
        rows.append(np.column_stack([t_s, *(np.where(good, x, np.nan) for x in (raw, *pair))]))
        rows.append(np.full((1, 4), np.nan))
        at, sizes = neurokit.responses(pair[1])
        onsets.append(t_s[at[good[at] & (sizes >= CLASSIC_US)]])
    if not rows:
        return None
    t, level, tonic, phasic = np.concatenate(rows).T
    return Separated(t, level, tonic, phasic, np.concatenate(onsets))


def eda_pictures(say: Say, recording: Recording) -> list[Picture]:
    """The two charts; none where nothing could be separated."""
    parts = separated(recording)
    if parts is None or not np.isfinite(parts.tonic).any():
        return []
    comma, end = say.language == "de", recording.seconds
    tonic, phasic = _ends(parts.tonic), _ends(parts.phasic)
    low, high = _ends(np.concatenate([parts.level, parts.tonic]))
    numbers = {"low": say.number(tonic[0], 2), "high": say.number(tonic[1], 2)}
    said = say("Tonic part from {low} to {high} µS; the measured line lies behind it.", **numbers)
    title = say("Skin conductance and its tonic part")
    look = Look(height=80.0, behind=_thinned(parts.t_s, parts.level), wide=1.5)
    chart = Chart("eda-tonic", title, said, end, comma)
    first = line_chart(chart, _thinned(parts.t_s, parts.tonic), _roomy(low, high), look)
    numbers = {"low": say.number(phasic[0], 2), "high": say.number(phasic[1], 2)}
    told = say("Phasic part from {low} to {high} µS with {n} responses of at least 0.05 µS.", n=len(parts.onsets), **numbers)
    title_2 = say("Phasic part of the skin conductance")
    look = Look(height=80.0, marks=parts.onsets.tolist(), wide=1.0)
    chart = Chart("eda-phasic", title_2, told, end, comma)
    second = line_chart(chart, _thinned(parts.t_s, parts.phasic), _roomy(*phasic), look)
    return [
        Picture(f"{title}, µS ({METHOD})", first),
        Picture(say("{title}, µS; a stroke marks the onset of a response", title=title_2), second),
    ]


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    return float(np.nanmin(values)), float(np.nanmax(values))


def _roomy(low: float, high: float) -> tuple[float, float]:
    room = 0.08 * (high - low or abs(high) or 1.0)
    return low - room, high + room


def _thinned(t_s: NDArray[np.float64], values: NDArray[np.float64]) -> list[tuple[float, float]]:
    """The least and the greatest of each piece, in order of time; what is missing stays missing."""
    size = max(math.ceil(len(values) / PIECES), 1)
    out: list[tuple[float, float]] = []
    for a in range(0, len(values), size):
        t, v = t_s[a : a + size], values[a : a + size]
        known = np.flatnonzero(np.isfinite(v))
        ends = sorted({int(known[np.argmin(v[known])]), int(known[np.argmax(v[known])])}) if len(known) else []
        points = [(float(t[k]), float(v[k])) for k in ends]
        if len(known) < len(v):
            # A hole inside a piece opens the line at its end.
            points.append((float(t[known[-1]]) if len(known) else math.nan, math.nan))
        out += points
    return out
