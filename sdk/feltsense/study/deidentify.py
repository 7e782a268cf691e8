"""De-identified recordings: dates shifted, serial numbers and free text out, voice and pictures out.

Rules
-----
- What is kept is listed, not what is removed: a metadata field or a kind of event that nobody thought of is out.
- All times move by the same whole number of days: times of day, intervals and weekdays (by multiples of 7) stay, the
  date does not. Clocks of devices move by as much: some of them run on the calendar.
- Signals are kept as they are. A heart beat may identify a person who has another recording of it: this is
  de-identified data (HIPAA 45 CFR 164.514(b)(2) names the identifiers), not anonymous data.
"""

from __future__ import annotations

import re
from dataclasses import replace

from feltsense.core.chunk import StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.timeline import NS, TimeMap
from feltsense.errors import StudyError

__all__ = ["deidentify"]

_METADATA = ("source", "recorder", "firmware", "importer")
"""Fields that say how, never who, where or when."""
_WITH_TEXT = (EventKind.LABEL, EventKind.CALIBRATION, EventKind.BEAT)
"""Events whose text is a protocol's word or an annotator's symbol."""
_WITHOUT_TEXT = (EventKind.MARKER, EventKind.CONNECTED, EventKind.DISCONNECTED, EventKind.CLOCK_RESET)
_MEDIA = ("voice", "audio", "face", "camera", "microphone", "text")
_SERIAL = re.compile(r"(?i)\b(?:[0-9a-f]{2}[:-]){2,}[0-9a-f]{2}\b|\b(?=[0-9a-f]*\d)[0-9a-f]{6,}\b|\b\w*\d{4,}\w*\b")
_DAY = 86_400 * NS
_LEAST_DAYS = 1


def deidentify(recording: Recording, pseudonym: str, shift_days: int) -> Recording:
    """De-identify a recording.

    Parameters
    ----------
    recording : Recording
        What to de-identify; it stays as it is.
    pseudonym : str
        New pseudonym; the list of which is whose is kept elsewhere.
    shift_days : int
        Days by which all times move, the same for all recordings of a participant and secret; not 0.

    Raises
    ------
    StudyError
        If the shift is 0, or the new pseudonym is the old one.
    """
    if abs(shift_days) < _LEAST_DAYS:
        msg = "dates must move by at least a day, and by the same for all recordings of a participant"
        raise StudyError(msg)
    if pseudonym == recording.subject:
        msg = f"the new pseudonym {pseudonym!r} is the old one; choose another"
        raise StudyError(msg)
    by = int(shift_days) * _DAY
    streams = {}
    for stream in recording.streams.values():
        if stream.info.spec.name.startswith(_MEDIA):
            continue
        info = StreamInfo(_clean(stream.info.id), stream.info.spec, _clean(stream.info.device))
        if info.id in streams:
            msg = f"streams {stream.info.id!r} and another differ in a serial number only; rename one first"
            raise StudyError(msg)
        streams[info.id] = Stream(info, tuple(_moved(s, by) for s in stream.segments))
    metadata = {k: _clean(v) for k, v in recording.metadata.items() if k in _METADATA}
    return Recording(pseudonym, streams, tuple(_events(recording, by)), metadata | {"deidentified": "true"})


def _events(recording: Recording, by: int) -> list[Event]:
    out = []
    for e in recording.events:
        if e.kind in _WITH_TEXT:
            out.append(replace(e, t_ns=e.t_ns + by))
        elif e.kind is EventKind.STALLED:
            # The text is a stream's id, and replays need it.
            out.append(replace(e, t_ns=e.t_ns + by, text=_clean(e.text)))
        elif e.kind in _WITHOUT_TEXT:
            out.append(replace(e, t_ns=e.t_ns + by, text=""))
    return out


def _moved(segment: Segment, by: int) -> Segment:
    t = segment.time
    time = TimeMap(t.rate, t.index, t.device_ns + by, t.arrival_ns + by, t.t_ns + by, t.unc_ns)
    return replace(segment, time=time)


def _clean(text: str) -> str:
    """Without what looks like a serial number or an address."""
    return " ".join(_SERIAL.sub("", text).split())
