"""WFDB records (PhysioNet): header, signals and annotations, by the ``wfdb`` package (extra ``wfdb``).

Rules
-----
- A signal's kind follows from its name and unit; what is none of the catalogue's is left out, and the note says so.
- The ECG lead named by the option ``channel`` (default the first) is ``wfdb.ecg``, the others ``wfdb.ecg_<lead>``.
- Annotations of the option ``annotator`` (default ``atr``; none where the file is absent) become events: beats are
  BEAT with the annotator's symbol, everything else is a NOTE with its symbol and text.
- Signals sampled faster than the record's frames keep their own rate. A record without a date begins at Unix time 0.
"""

from __future__ import annotations

import re
from datetime import UTC
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from feltsense.core.chunk import StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import SignalSpec, spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.errors import ImportFormatError, MissingExtraError, UnknownNameError
from feltsense.importers._table import check_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["IMPORTER"]

_BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
"""Annotation codes that mark a QRS complex (WFDB Applications Guide, annotation codes)."""
_VOLT = {"V": 1000.0, "mV": 1.0, "uV": 1e-3, "µV": 1e-3, "nV": 1e-6}
_LEAD = re.compile(r"(m?l?i{1,3}|a?v[rlf]|m?l?v\d?r?|mc?l\d|c[cm]\d|d\d|.*e[ck]g.*|lead.*)\d?", re.IGNORECASE)
"""Standard leads and the modified ones of ambulatory records: I, aVR, V5, MLII, MV1, MCL1, CC5, CM4, D3, ECG1."""
_OTHERS = (
    # name, kind, unit → factor (None: any unit, as it is)
    (re.compile(r"ppg|pleth", re.IGNORECASE), "ppg", None),
    (re.compile(r"eda|gsr|skin cond", re.IGNORECASE), "eda", {"uS": 1.0, "µS": 1.0, "microsiemens": 1.0, "uSiemens": 1.0}),
    (re.compile(r"temp", re.IGNORECASE), "skin_temperature", {"degC": 1.0, "C": 1.0, "degree_Celsius": 1.0}),
)
# What the package raises on damaged files is whatever its indexing and arithmetic raise.
_UNREADABLE = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    AssertionError,
    OSError,
    EOFError,
    MemoryError,
)


class _Signal(NamedTuple):
    """One usable signal: its lead, what it is, and its factor to the catalogue's unit."""

    position: int
    name: str
    spec: SignalSpec
    scale: float


def read_wfdb(source: Path, subject: str, options: Mapping[str, str]) -> Recording:
    """Import a WFDB record.

    Parameters
    ----------
    source : Path
        The record, with or without ``.hea``, or a folder that holds one.
    subject : str
        Pseudonym.
    options : mapping of str to str
        ``channel``: the lead that becomes ``wfdb.ecg``; ``annotator``: suffix of the annotation file.

    Raises
    ------
    ImportFormatError
        If the record is missing, damaged, or has no signal that is known.
    UnknownNameError
        If there is no such lead.
    MissingExtraError
        If ``wfdb`` is not installed.
    """
    try:
        import wfdb
    except ImportError as e:
        raise MissingExtraError("wfdb", "importing WFDB records") from e
    check_options("wfdb", options, ("channel", "annotator"))
    record = _record(source)
    try:
        if not wfdb.rdheader(str(record)).n_sig:
            msg = f"{record}.hea: the record has annotations but no signals; there is nothing to import"
            raise ImportFormatError(msg)
        data = wfdb.rdrecord(str(record), smooth_frames=False)
        start = 0 if data.base_datetime is None else _unix(data.base_datetime)
        signals, left = _signals(data)
        streams = _streams(data, _first(signals, options.get("channel")), start)
    except _UNREADABLE as e:
        msg = f"{record}.hea: cannot be read as a WFDB record ({_brief(e)}); copy the .hea and its signal files again"
        raise ImportFormatError(msg) from e
    if not streams:
        msg = f"{record}.hea: no signal that is known, only {', '.join(left) or 'none'}; an ECG lead is in mV"
        raise ImportFormatError(msg)
    events = _events(wfdb, record, options.get("annotator"), Fraction(data.fs).limit_denominator(1_000_000), start)
    notes = [f"not imported: {', '.join(left)}"] if left else []
    notes += ["the record has no date: times count from 1970"] if data.base_datetime is None else []
    metadata = {"importer": "wfdb", "source": record.name, "comments": "; ".join(data.comments), "note": "; ".join(notes)}
    return Recording(subject, streams, events, {k: v for k, v in metadata.items() if v})


IMPORTER = read_wfdb


def _record(source: Path) -> Path:
    """Path of the record without its suffix."""
    if source.is_dir():
        headers = sorted(source.glob("*.hea"))
        if len(headers) != 1:
            known = ", ".join(h.stem for h in headers) or "none"
            msg = f"{source}: name one record in this folder; it holds {known}"
            raise ImportFormatError(msg)
        return headers[0].with_suffix("")
    record = source.with_suffix("") if source.suffix in (".hea", ".dat", ".atr") else source
    if not record.with_name(f"{record.name}.hea").is_file():
        msg = f"{record}.hea: does not exist; name a WFDB record, which is a .hea file and its signal files"
        raise ImportFormatError(msg)
    return record


def _unix(moment: Any) -> int:
    """Unix ns of the header's date and time, which has no time zone: taken as UTC."""
    return round(Fraction(moment.replace(tzinfo=UTC).timestamp()).limit_denominator(1_000_000) * NS)


def _signals(data: Any) -> tuple[list[_Signal], list[str]]:
    """Signals that the catalogue knows, and the names of those that it does not."""
    known: list[_Signal] = []
    left: list[str] = []
    for position, (name, unit, per_frame) in enumerate(
        zip(data.sig_name or (), data.units or (), data.samps_per_frame or (), strict=True)
    ):
        what, scale = _what(name, unit)
        if not what:
            left.append(f"{name} ({unit})")
            continue
        rate = Fraction(data.fs).limit_denominator(1_000_000) * per_frame
        known.append(_Signal(position, name, spec(what, rate), scale))
    return known, left


def _what(name: str, unit: str) -> tuple[str, float]:
    """Kind of a signal and its factor; an empty kind where it is none."""
    for pattern, kind_name, units in _OTHERS:
        if pattern.search(name) and (units is None or unit in units):
            return kind_name, 1.0 if units is None else units[unit]
    if _LEAD.fullmatch(name) and unit in _VOLT:
        return "ecg", _VOLT[unit]
    return "", 0.0


def _first(signals: list[_Signal], channel: str | None) -> list[_Signal]:
    """Signals with the chosen ECG lead first."""
    if channel is None:
        return signals
    leads = [s for s in signals if s.spec.name == "ecg"]
    chosen = [s for s in leads if s.name.lower() == channel.lower()]
    if not chosen:
        raise UnknownNameError("channel", channel, tuple(s.name for s in leads))
    return [chosen[0], *(s for s in signals if s is not chosen[0])]


def _streams(data: Any, signals: list[_Signal], start: int) -> dict[str, Stream]:
    streams: dict[str, Stream] = {}
    for signal in signals:
        name = f"wfdb.{signal.spec.name}"
        if name in streams:
            name = f"{name}_{re.sub('[^a-z0-9]+', '_', signal.name.lower())}"
        if name in streams:
            name = f"{name}_{signal.position}"
        values = np.asarray(data.e_p_signal[signal.position], dtype=np.float64) * signal.scale
        if np.isinf(values).any():
            msg = f"signal {signal.name} is not finite: its gain is 0"
            raise ValueError(msg)
        values = values[:, None]
        values.setflags(write=False)
        rate = signal.spec.rate
        if rate is not None:
            time = TimeMap.uniform(start, rate)
            streams[name] = Stream(StreamInfo(name, signal.spec, signal.name), (Segment(values, time),))
    return {k: s for k, s in streams.items() if len(s.segments[0].values)}


def _events(wfdb: Any, record: Path, annotator: str | None, rate: Fraction, start: int) -> tuple[Event, ...]:
    path = record.with_name(f"{record.name}.{annotator or 'atr'}")
    if not path.is_file():
        if annotator is None:
            return ()
        msg = f"{path}: does not exist; name the annotator by its file's suffix"
        raise ImportFormatError(msg)
    try:
        return tuple(_annotated(wfdb.rdann(str(record), annotator or "atr"), rate, start))
    except _UNREADABLE as e:
        msg = f"{path}: cannot be read as annotations ({_brief(e)}); copy it again, or remove it to import without"
        raise ImportFormatError(msg) from e


def _annotated(notes: Any, rate: Fraction, start: int) -> Iterator[Event]:
    for sample, symbol, aux in zip(notes.sample, notes.symbol, notes.aux_note, strict=True):
        # The same arithmetic as a time map's, so that a beat lies exactly on its sample.
        t_ns = start + int(sample) * (NS * rate.denominator) // rate.numerator
        if symbol in _BEATS:
            yield Event(t_ns, EventKind.BEAT, 0.0, symbol)
        else:
            yield Event(t_ns, EventKind.NOTE, 0.0, f"{symbol} {str(aux).rstrip(chr(0))}".strip())


def _brief(error: BaseException) -> str:
    """An error of a library, for one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
