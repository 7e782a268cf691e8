"""Stress-Predict: wrist recordings (Empatica E4) of people doing stress tasks in a laboratory.

Layout: one folder a person with the E4's CSV files, and ``labels.csv`` with ``subject,unix_time_s,label,…``, one row
a second: 1 during a task (Stroop, interview, hyperventilation), 0 at baseline or rest. Runs of equal labels become
intervals. People without a folder are skipped and reported.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.datasets.labelled import Labelled, Mark
from feltsense.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["DATASET", "NOTICE", "read"]

NOTICE = "Stress-Predict-Dataset, MIT licence, (c) 2022 Talha Iqbal"
LABELS = {"0": "rest", "1": "stress"}
_COLUMNS = ("subject", "unix_time_s", "label")


def read(folder: Path, target: str, note: Callable[[str], None]) -> list[Labelled]:
    """Everyone in the folder, with labels.

    Parameters
    ----------
    folder : Path
        Holds ``labels.csv`` and a folder a person.
    target : str
        What is to be estimated; the data set has the same two labels for all.
    note : callable
        Told in one line who was skipped.

    Raises
    ------
    LabelError
        If ``labels.csv`` is missing or damaged; the message names the line.
    """
    path = folder / "labels.csv"
    seconds = _seconds(path)
    out = []
    for subject in sorted(seconds):
        if not (folder / subject).is_dir():
            note(f"{subject} is in {path.name} but has no folder in {folder}; skipped")
            continue
        out.append(Labelled(subject, folder / subject, tuple(_runs(sorted(seconds[subject].items()))), str(path)))
    if not out:
        msg = f"{folder}: none of the people in {path.name} has a folder here; give the folder that holds S02, S03, …"
        raise LabelError(msg)
    return out


def _seconds(path: Path) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if any(c not in (reader.fieldnames or ()) for c in _COLUMNS):
                msg = f"{path}: line 1: expected columns {', '.join(_COLUMNS)}"
                raise LabelError(msg)
            for row in reader:
                text, second = row["label"], row["unix_time_s"] or ""
                if text not in LABELS or not second.isdecimal():
                    msg = f"{path}: line {reader.line_num}: label {text!r} at {second!r}; expected 0 or 1 at a Unix second"
                    raise LabelError(msg)
                found.setdefault(row["subject"], {})[int(second)] = LABELS[text]
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        msg = f"{path}: cannot read the labels ({e}); give the folder that holds labels.csv"
        raise LabelError(msg) from None
    return found


def _runs(rows: Iterable[tuple[int, str]]) -> Iterable[Mark]:
    """Runs of consecutive seconds with the same label."""
    label, start, stop = "", 0, 0
    for second, mine in rows:
        if label and (mine != label or second != stop):
            yield Mark(label, float(start), float(stop), unix=True)
            start = second
        elif not label:
            start = second
        label, stop = mine, second + 1
    if label:
        yield Mark(label, float(start), float(stop), unix=True)


DATASET = read
