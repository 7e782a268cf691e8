"""Skin conductance responses to events: the response whose onset lies 1–4 s after a marker.

Rules
-----
- Windows and responses are those of the features (:mod:`feltsense.dsp.eda`), with the same verdicts: nothing is read from
  a time in which the sensor was off the skin.
- Several responses: the first counts, as the later ones may belong to what came after. None, in a time that was usable:
  the amplitude is missing with ``none_found``, since a response of 0 is a habit of tables, not a measurement.

Source: Boucsein 2012, Electrodermal Activity, section 2.6 (first-interval response, 1–4 s).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feltsense.core.event import EventKind
from feltsense.core.timeline import to_ns
from feltsense.core.vector import Reason
from feltsense.core.window import Window
from feltsense.dsp.eda import LEAST_SCR_RATE
from feltsense.errors import InputError
from feltsense.features._binding import bind
from feltsense.features._eda_line import EdaLine
from feltsense.quality.eda import REASONS

if TYPE_CHECKING:
    from feltsense.core.event import Event
    from feltsense.core.recording import Recording

__all__ = ["EventResponse", "event_responses"]

FROM_S, TO_S = 1.0, 4.0
"""When a response to an event begins."""
_LEAST_USABLE = 0.9
"""Share of that time that must be usable to say that there was no response."""


@dataclass(frozen=True, slots=True)
class EventResponse:
    """What followed an event.

    Attributes
    ----------
    event : Event
        The event.
    latency_s : float
        Event to onset; NaN where there is no response.
    amplitude_us : float
        Trough to peak, µS; NaN where there is none.
    rise_s : float
        Onset to summit; NaN where there is none.
    reason : Reason
        ``ok``; ``none_found`` where nothing answered; else why nothing can be said.
    """

    event: Event
    latency_s: float
    amplitude_us: float
    rise_s: float
    reason: Reason


def event_responses(
    recording: Recording, kind: EventKind = EventKind.MARKER, stream: str | None = None
) -> tuple[EventResponse, ...]:
    """The response to each event of a kind, in the order of the events.

    Parameters
    ----------
    recording : Recording
        With a stream of EDA.
    kind : EventKind, optional
        Which events.
    stream : str, optional
        Which stream of EDA; default as for the features.

    Raises
    ------
    InputError
        If there is no stream of EDA, or it is sampled too slowly for responses to have a shape.
    """
    bound = bind("eda", recording.infos(), stream)
    if not bound:
        msg = f"{recording.subject}: no stream of kind eda; streams: {', '.join(sorted(recording.streams))}"
        raise InputError(msg)
    info = bound["eda"]
    if info.spec.hz < LEAST_SCR_RATE:
        msg = f"{info.id}: responses need {LEAST_SCR_RATE:g} Hz, it has {info.spec.hz:g} Hz"
        raise InputError(msg)
    line = EdaLine(info.spec.hz)
    for chunk in recording.streams[info.id].chunks():
        line.push(chunk)
    line.close()
    return tuple(_response(line, e) for e in recording.events if e.kind is kind)


def _response(line: EdaLine, event: Event) -> EventResponse:
    start, stop = event.t_ns + to_ns(FROM_S), event.t_ns + to_ns(TO_S)
    times, rows = line.responses(start, stop)
    if len(times):
        latency = (int(times[0]) - event.t_ns) / 1e9
        return EventResponse(event, latency, float(rows[0, 0]), float(rows[0, 1]), Reason.OK)
    verdicts = line.between([Window(0, start, stop)])[0].verdicts
    expected = (TO_S - FROM_S) * line.rate
    if (verdicts == 0).sum() >= _LEAST_USABLE * expected:
        reason = Reason.NONE_FOUND
    else:
        worst = int(verdicts.max()) if len(verdicts) else 0
        reason = REASONS[worst] if worst else Reason.GAP if len(verdicts) else Reason.NO_SIGNAL
    return EventResponse(event, math.nan, math.nan, math.nan, reason)
