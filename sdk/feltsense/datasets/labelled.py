"""Labelled recordings: where they are, whose they are, and which seconds carry which label.

Rules
-----
- A label is an interval of seconds. ``start``/``stop`` count from the recording's first sample, or are Unix time
  (`unix`): only the recording itself knows its first sample.
- Labels that reach past the signal by up to 60 s are trimmed and reported; further out they belong to another
  recording, and that is an error.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.core.profile import ABOUT
from feltsense.core.timeline import NS, to_ns
from feltsense.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from feltsense.core.recording import Recording

__all__ = ["Interval", "Labelled", "Mark", "read_manifest", "read_own"]

SLACK_S = 60.0
"""Labels may end this much after the signal (or begin before it): devices are stopped a little early."""

COLUMNS = ("path", "subject", "label")
GROUPS = (*ABOUT, "device")
"""Optional columns of a manifest that name a person's group."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A label as it is written down; no start and stop means the whole recording.

    `rater` is whose opinion it is, `share` how much of it goes to this label (1: all).
    """

    label: str
    start: float | None = None
    stop: float | None = None
    unix: bool = False
    rater: str = ""
    share: float = 1.0


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A label on the session's time, [start_ns, stop_ns)."""

    start_ns: int
    stop_ns: int
    label: str
    rater: str = ""
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Labelled:
    """One recording with labels.

    Attributes
    ----------
    subject : str
        Pseudonym.
    path : Path
        A recording file, or a folder or archive that an importer reads.
    marks : tuple of Mark
        Its labels.
    where : str
        Where the labels are written, for errors.
    about : tuple of (str, str)
        Groups that are known: ``("sex", "f")``, ``("age", "30–39")``.
    """

    subject: str
    path: Path
    marks: tuple[Mark, ...]
    where: str
    about: tuple[tuple[str, str], ...] = ()

    @property
    def labels(self) -> frozenset[str]:
        """What may be among the labels."""
        return frozenset(m.label for m in self.marks)

    def open(self) -> Recording:
        """Read the recording."""
        from feltsense.importers import open_recording

        return open_recording(self.path, self.subject)

    def intervals(self, recording: Recording, note: Callable[[str], None]) -> tuple[Interval, ...]:
        """Place the labels on the recording's time, in order.

        Parameters
        ----------
        recording : Recording
            What was recorded.
        note : callable
            Told in one line what was trimmed.

        Raises
        ------
        LabelError
            If a label lies more than 60 s outside the signal, or two labels overlap.
        """
        first, last = recording.start_ns, recording.stop_ns
        out: list[Interval] = []
        trimmed = 0
        for mark in self.marks:
            origin = 0 if mark.unix else first
            start = first if mark.start is None else origin + to_ns(mark.start)
            stop = last if mark.stop is None else origin + to_ns(mark.stop)
            beyond = max(stop - last, first - start)
            if beyond > to_ns(SLACK_S):
                msg = (
                    f"{self.where}: label {mark.label!r} of {self.subject} lies {beyond / NS:.0f} s outside the signal of "
                    f"{self.path} (up to {SLACK_S:.0f} s are trimmed): check that the labels belong to this recording"
                )
                raise LabelError(msg)
            trimmed = max(trimmed, beyond)
            if min(stop, last) > max(start, first):
                out.append(Interval(max(start, first), min(stop, last), mark.label, mark.rater, mark.share))
        if trimmed > 0:
            note(f"{self.subject}: labels reach {trimmed / NS:.1f} s past the signal; trimmed")
        out.sort()
        for rater in {i.rater for i in out}:
            for a, b in pairwise([i for i in out if i.rater == rater and i.share >= 1.0]):
                if b.start_ns < a.stop_ns:
                    at = (b.start_ns - first) / NS
                    whose = f" (rater {rater})" if rater else ""
                    msg = f"{self.where}: labels {a.label!r} and {b.label!r} of {self.subject}{whose} overlap at {at:.1f} s"
                    raise LabelError(msg)
        return tuple(out)


def read_manifest(path: str | Path) -> list[Labelled]:
    """Read a table of labels: columns path, subject, label, and some that are optional.

    These are start_s, end_s, rater, share, and the groups age, sex, culture, language and device. Paths are relative to
    the table. Rows of the same path are one recording. Several raters may label the same seconds; a soft label is several
    rows of the same seconds with a `share` each.

    Raises
    ------
    LabelError
        If a column or value is missing or wrong; the message names file, line and column.
    """
    path = Path(path)
    found: dict[tuple[str, str], list[Mark]] = {}
    about: dict[tuple[str, str], dict[str, str]] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
            if missing:
                msg = (
                    f"{path}: line 1: column {', '.join(missing)} missing; a manifest has path,subject,label[,start_s,end_s]"
                )
                raise LabelError(msg)
            for row in reader:
                where = f"{path}: line {reader.line_num}"
                if any(not (row[c] or "").strip() for c in COLUMNS):
                    msg = f"{where}: path, subject and label must not be empty"
                    raise LabelError(msg)
                start, stop = _seconds(row, "start_s", where), _seconds(row, "end_s", where)
                if start is not None and stop is not None and stop <= start:
                    msg = f"{where}: end_s {stop:g} is not after start_s {start:g}"
                    raise LabelError(msg)
                key = (row["path"].strip(), row["subject"].strip())
                rater, share = (row.get("rater") or "").strip(), _share(row, where)
                found.setdefault(key, []).append(Mark(row["label"].strip(), start, stop, rater=rater, share=share))
                about.setdefault(key, {}).update({g: text for g in GROUPS if (text := (row.get(g) or "").strip())})
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        msg = f"{path}: cannot read the manifest ({e})"
        raise LabelError(msg) from None
    if not found:
        msg = f"{path}: the manifest has no rows"
        raise LabelError(msg)
    return [
        Labelled(subject, path.parent / where, tuple(marks), str(path), tuple(sorted(about[where, subject].items())))
        for (where, subject), marks in found.items()
    ]


def read_own(path: str | Path, recording: Path, subject: str) -> Labelled:
    """Read a person's own labels of one recording: columns label, start_s, end_s, in seconds from its first sample.

    Raises
    ------
    LabelError
        If a column or value is missing or wrong; the message names file, line and column.
    """
    path, columns = Path(path), ("label", "start_s", "end_s")
    marks = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [c for c in columns if c not in (reader.fieldnames or ())]
            if missing:
                msg = f"{path}: line 1: column {', '.join(missing)} missing; labels have {','.join(columns)}"
                raise LabelError(msg)
            for row in reader:
                where = f"{path}: line {reader.line_num}"
                label = (row["label"] or "").strip()
                start, stop = _seconds(row, "start_s", where), _seconds(row, "end_s", where)
                if not label or start is None or stop is None:
                    msg = f"{where}: label, start_s and end_s must not be empty"
                    raise LabelError(msg)
                if stop <= start:
                    msg = f"{where}: end_s {stop:g} is not after start_s {start:g}"
                    raise LabelError(msg)
                marks.append(Mark(label, start, stop))
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        msg = f"{path}: cannot read the labels ({e})"
        raise LabelError(msg) from None
    return Labelled(subject, recording, tuple(marks), str(path))


def _share(row: Mapping[str, str | None], where: str) -> float:
    value = _seconds(row, "share", where)
    if value is None:
        return 1.0
    if not 0.0 < value <= 1.0:
        msg = f"{where}: column share: {value:g} is no share; it lies above 0 and up to 1"
        raise LabelError(msg)
    return value


def _seconds(row: Mapping[str, str | None], column: str, where: str) -> float | None:
    text = (row.get(column) or "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        msg = f"{where}: column {column}: {text!r} is no number"
        raise LabelError(msg)
    return value
