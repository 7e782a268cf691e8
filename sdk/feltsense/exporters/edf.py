"""EDF+ (edfio): every stream with a rate, digitised to 16 bits, and events as annotations.

EDF+ holds one fixed rate a signal, in whole samples a data record, and no gaps but filled ones: a gap is filled with the
channel's lowest value and annotated ``no data``, and so are samples without a reading. True rate and device stand in the
header (``transducer_type``), streams without a rate (beat intervals) become annotations. Sixteen bits over the range of
each channel: the error is below a 65,535th of it. EDF+ knows no encryption.
"""

from __future__ import annotations

import datetime
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.core.event import EventKind
from feltsense.core.timeline import NS
from feltsense.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from feltsense.core.recording import Recording, Stream

__all__ = ["ENDINGS", "EXPORTER"]

ENDINGS = (".edf",)
_MISSING = "no data"
_MOST_SECONDS = 8 * 86_400
"""A recording longer than EDF's eight digits of records of a second would allow for is no session."""


def EXPORTER(recording: Recording, out: Path) -> None:  # noqa: N802 (its name is the registry's)
    """Write the file."""
    try:
        import edfio
    except ImportError:
        raise MissingExtraError("report", "EDF+") from None
    rated = [s for s in recording.streams.values() if s.info.spec.rate is not None]
    if not rated:
        msg = f"{out}: no stream has a rate, and EDF+ holds nothing else; export to CSV"
        raise InputError(msg)
    seconds = math.ceil(recording.seconds)
    if seconds > _MOST_SECONDS:
        msg = f"{out}: {recording.seconds / 86400:.1f} days are too long for one EDF+ file; export days one by one"
        raise InputError(msg)
    signals = []
    t0 = recording.start_ns
    notes: list[tuple[float, float | None, str]] = [
        ((e.t_ns - t0) / NS, _length(e.kind, e.value), f"{e.kind}: {e.text}") for e in recording.events
    ]
    for stream in rated:
        for c, channel in enumerate(stream.info.spec.kind.channels):
            filled, missing = _filled(stream, c, t0, seconds)
            signals.append(_signal(edfio, stream, channel, filled))
            if c == 0:
                notes += [(a, b - a, f"{_MISSING}: {stream.info.id}") for a, b in missing]
    for stream in recording.streams.values():
        if stream.info.spec.rate is None:
            for s in stream.segments:
                at = (s.time.times(0, len(s.values)) - t0) / NS
                notes += [(float(t), None, f"{stream.info.id} {v[0]:g}") for t, v in zip(at, s.values, strict=True)]
    begun = datetime.datetime.fromtimestamp(t0 // NS, datetime.UTC)
    edfio.Edf(
        signals,
        patient=edfio.Patient(code=_ascii(recording.subject)),
        recording=edfio.Recording(startdate=begun.date(), equipment_code="feltsense"),
        starttime=begun.time(),
        data_record_duration=1,
        annotations=[edfio.EdfAnnotation(max(t, 0.0), d, text) for t, d, text in sorted(notes, key=lambda n: n[0])],
    ).write(out)


def _signal(edfio: Any, stream: Stream, channel: str, values: NDArray[np.float64]) -> Any:
    info = stream.info
    present = values[np.isfinite(values)]
    lowest = float(present.min()) if len(present) else 0.0
    label = info.id if info.spec.width == 1 else f"{info.id} {channel}"
    return edfio.EdfSignal(
        np.where(np.isfinite(values), values, lowest),
        _whole(info.spec.rate or Fraction(1)),
        label=_ascii(label)[:16],
        transducer_type=_ascii(f"{info.device} true rate {info.spec.rate} Hz")[:80],
        physical_dimension=_ascii(info.spec.unit)[:8],
    )


def _whole(rate: Fraction) -> int:
    """Samples in a data record of a second: a rate that is no whole number takes the next one up."""
    return math.ceil(rate)


def _filled(stream: Stream, channel: int, t0: int, seconds: int) -> tuple[NDArray[np.float64], list[tuple[float, float]]]:
    """One channel on the file's grid, NaN where nothing is, and the spans without data."""
    rate = _whole(stream.info.spec.rate or Fraction(1))
    out = np.full(seconds * rate, np.nan)
    there = np.zeros(len(out), bool)
    for s in stream.segments:
        at = np.rint((s.time.times(0, len(s.values)) - t0) / NS * rate).astype(int)
        inside = (at >= 0) & (at < len(out))
        out[at[inside]] = s.values[inside, channel]
        there[at[inside]] = True
    if stream.info.spec.rate != rate:
        # A grid finer than the samples: each place takes the sample before it, within a segment's pace.
        places = np.flatnonzero(there)
        before = np.searchsorted(places, np.arange(len(out)), side="right") - 1
        near = (before >= 0) & (np.arange(len(out)) - places[np.maximum(before, 0)] <= 1)
        out = np.where(near, out[places[np.maximum(before, 0)]], np.nan)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.isnan(out).view(np.int8), [0]])))
    return out, [(a / rate, b / rate) for a, b in edges.reshape(-1, 2)]


def _length(kind: EventKind, value: float) -> float | None:
    return value if kind in (EventKind.LABEL, EventKind.CALIBRATION) and value > 0 else None


def _ascii(text: str) -> str:
    """EDF+ headers are printable ASCII without blanks in names."""
    return text.encode("ascii", "replace").decode().replace(" ", "_") or "X"
