"""WESAD: wrist (Empatica E4) and chest (RespiBAN) of people at rest, under social stress, amused and meditating.

Layout (Schmidt 2018, ICMI, and the data set's own notes): ``S2/S2.pkl`` holds the signals of both devices, synchronised
by its authors, and a condition for each of the chest's 700 samples a second; ``S2/S2_readme.txt`` says age and sex;
``S2/S2_E4_Data.zip`` is the wristband's own export.

Rules
-----
- Pickles are read as arrays, never executed (:mod:`feltsense.datasets._numpickle`).
- Conditions 1, 2, 3, 4 are baseline, stress, amusement and meditation; the others (0 between, 5–7) have no label. For
  the target ``stress`` baseline is rest, and amusement and meditation are left out; for others amusement is a class.
- **The wrist's clock.** The pickle begins both devices at the same instant, and that is where they are put. An error
  of that alignment that somebody measured goes into ``wrist_offsets.csv`` beside the people (``subject,offset_s``: how
  much later the wrist's first sample was taken); it is said in a note, and kept in the recording's metadata, also when
  it is 0. Nothing tells the year: sessions begin at Unix time 0.
- The chest's converter gives physical units already; ACC of the wrist is in 1/64 g.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from feltsense.core.chunk import StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import SignalSpec, kind
from feltsense.core.timeline import NS, TimeMap, to_ns
from feltsense.datasets._numpickle import load
from feltsense.datasets.labelled import Interval, Labelled
from feltsense.errors import ImportFormatError, LabelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["CHEST", "DATASET", "NOTICE", "WRIST", "WesadRecording", "read", "read_part"]

NOTICE = "WESAD, (c) 2018 Robert Bosch GmbH and University of Siegen; for research, ask its authors for other uses"
CHEST_HZ: Final = 700
WRIST, CHEST = "wrist", "chest"
OFFSETS = "wrist_offsets.csv"
_SIGNALS: Final = {
    # part: {key: (stream, kind, unit a count, rate)}
    WRIST: {
        "BVP": ("e4.bvp", "ppg", 1.0, 64), "EDA": ("e4.eda", "eda", 1.0, 4),
        "TEMP": ("e4.temp", "skin_temperature", 1.0, 4), "ACC": ("e4.acc", "acc", 1.0 / 64.0, 32),
    },
    CHEST: {
        "ECG": ("respiban.ecg", "ecg", 1.0, CHEST_HZ), "EDA": ("respiban.eda", "eda", 1.0, CHEST_HZ),
        "Temp": ("respiban.temp", "skin_temperature", 1.0, CHEST_HZ), "ACC": ("respiban.acc", "acc", 1.0, CHEST_HZ),
    },
}  # fmt: skip
_DEVICE = {WRIST: "Empatica E4", CHEST: "RespiBAN"}
_CONDITIONS: Final = {
    "stress": {1: "rest", 2: "stress"},
    "condition": {1: "rest", 2: "stress", 3: "amusement", 4: "meditation"},
}
_OTHERWISE: Final = {1: "rest", 2: "stress", 3: "amusement"}
_AGE_BAND = 10


@dataclass(frozen=True, slots=True)
class WesadRecording(Labelled):
    """One person's pickle: labels are read with the signals, since both are in it.

    Attributes
    ----------
    part : str
        ``"wrist"`` or ``"chest"``.
    conditions : tuple of (int, str)
        The data set's numbers that become labels.
    offset_s : float
        How much later than the chest's the wrist's first sample was taken.
    """

    part: str = WRIST
    conditions: tuple[tuple[int, str], ...] = ()
    offset_s: float = 0.0

    @property
    def labels(self) -> frozenset[str]:
        """What may be among the labels."""
        return frozenset(label for _, label in self.conditions)

    def open(self) -> Recording:
        """Read the signals of one device, and the conditions as events."""
        content = load(self.path)
        try:
            signals = content["signal"][self.part]
            numbers = np.asarray(content["label"]).reshape(-1)
        except (KeyError, TypeError, IndexError):
            msg = f"{self.path}: has not the keys signal, {self.part} and label of a WESAD pickle"
            raise ImportFormatError(msg) from None
        start = to_ns(self.offset_s) if self.part == WRIST else 0
        streams = {s.info.id: s for s in (self._stream(k, signals, start) for k in _SIGNALS[self.part]) if s is not None}
        if not streams:
            msg = f"{self.path}: {self.part} holds none of {', '.join(_SIGNALS[self.part])}"
            raise ImportFormatError(msg)
        events = [
            Event(round(a * NS / CHEST_HZ), EventKind.LABEL, (b - a) / CHEST_HZ, label)
            for a, b, label in _runs(numbers, dict(self.conditions))
        ]
        metadata = {"importer": "wesad", "source": self.path.name, "part": self.part}
        if self.part == WRIST:
            metadata["wrist_offset_s"] = f"{self.offset_s:g}"
        return Recording(self.subject, streams, tuple(events), metadata)

    def _stream(self, key: str, signals: Any, start_ns: int) -> Stream | None:
        name, kind_name, scale, rate = _SIGNALS[self.part][key]
        if not isinstance(signals, dict) or key not in signals:
            return None
        what = kind(kind_name)
        try:
            values = np.atleast_1d(np.asarray(signals[key], np.float64) * scale)
        except (TypeError, ValueError):
            values = np.empty(0)
        if not values.size or values.size != len(values) * len(what.channels):
            msg = f"{self.path}: {self.part} {key} has not samples of {len(what.channels)} numbers"
            raise ImportFormatError(msg)
        values = values.reshape(len(values), -1)
        values.setflags(write=False)
        info = StreamInfo(name, SignalSpec(what, Fraction(rate)), _DEVICE[self.part])
        return Stream(info, (Segment(values, TimeMap.uniform(start_ns, Fraction(rate))),))

    def intervals(self, recording: Recording, note: Callable[[str], None]) -> tuple[Interval, ...]:
        """The conditions, within the signal."""
        note(f"{self.subject}: conditions are on the chest's clock; the wrist's begins {self.offset_s:g} s later")
        out = []
        for e in recording.events:
            start, stop = max(e.t_ns, recording.start_ns), min(e.t_ns + to_ns(e.value), recording.stop_ns)
            if e.kind is EventKind.LABEL and stop > start:
                out.append(Interval(start, stop, e.text))
        return tuple(out)


def _runs(numbers: NDArray[Any], names: Mapping[int, str]) -> list[tuple[int, int, str]]:
    """(first sample, sample after the last, label) of each stretch of a condition that has a name."""
    edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)] if len(numbers) else []
    return [(a, b, names[int(numbers[a])]) for a, b in pairwise(edges) if int(numbers[a]) in names]


def read(folder: Path, target: str, note: Callable[[str], None]) -> list[Labelled]:
    """Everyone's wrist; see :func:`read_part`."""
    return read_part(WRIST, folder, target, note)


def read_part(part: str, folder: Path, target: str, note: Callable[[str], None]) -> list[Labelled]:
    """Everyone in the folder, one device.

    Parameters
    ----------
    part : str
        ``"wrist"`` or ``"chest"``.
    folder : Path
        Holds ``S2/S2.pkl``, ``S3/S3.pkl``, …
    target : str
        What is to be estimated: decides which conditions become which labels.
    note : callable
        Told in one line who was skipped.

    Raises
    ------
    LabelError
        If there is nobody, or ``wrist_offsets.csv`` is damaged.
    """
    try:
        people = sorted((p for p in folder.iterdir() if p.is_dir()), key=lambda p: (len(p.name), p.name))
    except OSError as e:
        msg = f"{folder}: cannot be read ({e.strerror}); give the folder that holds S2, S3, …"
        raise LabelError(msg) from None
    conditions = tuple(_CONDITIONS.get(target, _OTHERWISE).items())
    offsets = _offsets(folder / OFFSETS)
    out: list[Labelled] = []
    for person in people:
        path = person / f"{person.name}.pkl"
        if not path.is_file():
            note(f"{person.name} has no {path.name}; skipped")
            continue
        about = _about(person / f"{person.name}_readme.txt")
        offset = offsets.get(person.name, 0.0)
        out.append(WesadRecording(person.name, path, (), str(path), about, part, conditions, offset))
    if not out:
        msg = f"{folder}: holds no S2/S2.pkl; give the folder of WESAD that holds S2, S3, …"
        raise LabelError(msg)
    return out


def _offsets(path: Path) -> dict[str, float]:
    if not path.is_file():
        return {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            found = {row["subject"].strip(): float(row["offset_s"]) for row in csv.DictReader(file)}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, ValueError, AttributeError, TypeError) as e:
        msg = f"{path}: expected the columns subject,offset_s with seconds in each line ({e!r})"
        raise LabelError(msg) from None
    if any(not abs(v) < 3600.0 for v in found.values()):
        msg = f"{path}: an offset of an hour or more is no alignment error"
        raise LabelError(msg)
    return found


def _about(path: Path) -> tuple[tuple[str, str], ...]:
    """Age band and sex from the person's notes, where they are."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    out = []
    age, sex = re.search(r"(?im)^\s*age:\s*(\d{1,3})\b", text), re.search(r"(?im)^\s*gender:\s*(\w+)", text)
    if age:
        low = int(age[1]) // _AGE_BAND * _AGE_BAND
        out.append(("age", f"{low}–{low + _AGE_BAND - 1}"))
    if sex:
        out.append(("sex", sex[1].lower()))
    return tuple(out)


DATASET = read
