"""Things that happen at a moment: markers, labels, consent, gaps of attention of the link."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Event", "EventKind"]


class EventKind(StrEnum):
    """What an event is about."""

    MARKER = "marker"
    """A button press or a mark set by a person or a protocol."""
    LABEL = "label"
    """Start of a labelled interval; `value` is its length in seconds, `text` the label."""
    CALIBRATION = "calibration"
    """Start of an interval of known rest; `value` is its length in seconds."""
    CONNECTED = "connected"
    """A device was connected; `text` is the device."""
    DISCONNECTED = "disconnected"
    """A device was lost; `text` is the device."""
    STALLED = "stalled"
    """A stream's segment has ended and nothing earlier than this will come; `text` is the stream id."""
    CLOCK_RESET = "clock_reset"
    """A device's clock started anew; `text` is the device."""
    BEAT = "beat"
    """An annotated heart beat; `text` is the annotator's symbol."""
    CONSENT = "consent"
    """Consent to a stream given or withdrawn; `text` is JSON, see :mod:`feltsense.study.consent`."""
    ANSWER = "answer"
    """An answer to a study's prompt; `value` is its number, `text` the prompt's id, or JSON where there is more to tell."""
    EXPRESSION = "expression"
    """A moment of a short facial expression; `text` is the measure and ``onset``, ``apex`` or ``end``."""
    NOTE = "note"
    """Free text."""


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One thing that happened.

    Attributes
    ----------
    t_ns : int
        Session time, Unix nanoseconds.
    kind : EventKind
        What it is about.
    value : float
        A number that belongs to it; NaN-free, 0 where there is none.
    text : str
        Words that belong to it.
    """

    t_ns: int
    kind: EventKind
    value: float = 0.0
    text: str = ""
