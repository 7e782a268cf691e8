"""Every answer of an evaluation as a table, so that any two models can be compared later: Parquet, or CSV.

Columns: ``arm, subject, recording_unix, end_s, truth, p_<class>…``.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.errors import InputError, MissingExtraError
from feltsense.evaluate.arms import Arm
from feltsense.train.tables import write_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from feltsense.evaluate.arms import Fold

__all__ = ["classes_in", "read", "write"]

_COLUMNS = ("arm", "subject", "recording_unix", "end_s", "truth")


def write(path: Path, done: Sequence[Fold], classes: Sequence[str]) -> None:
    """Write everybody's answers, in every arm.

    Raises
    ------
    InputError
        If the name ends in neither ``.parquet`` nor ``.csv``.
    MissingExtraError
        If Parquet is asked for and pyarrow is not installed.
    """
    names = [f"p_{c}" for c in classes]
    arms = dict.fromkeys(n for f in done for n in f.arms)
    joined = {n: Arm.joined([f.arms[n] for f in done if n in f.arms]) for n in arms}
    columns = {
        "arm": [n for n, a in joined.items() for _ in range(len(a.truth))],
        "subject": [s for a in joined.values() for s in a.subject.tolist()],
        "recording_unix": [v for a in joined.values() for v in a.start_unix.tolist()],
        "end_s": [v for a in joined.values() for v in a.time_s.tolist()],
        "truth": [classes[k] for a in joined.values() for k in a.truth.tolist()],
        **{n: [v for a in joined.values() for v in a.probability[:, i].tolist()] for i, n in enumerate(names)},
    }
    write_columns(path, columns)


def read(path: Path, arm: str, classes: Sequence[str]) -> Arm:
    """Answers of one arm.

    Raises
    ------
    InputError
        If the file is no such table, or has no such arm.
    """
    columns = _columns(path)
    try:
        keep = [i for i, name in enumerate(columns["arm"]) if name == arm]
        if not keep:
            msg = f"{path}: has no answers of {arm!r}; it has {', '.join(sorted(set(columns['arm'])))}"
            raise InputError(msg)
        number = {c: i for i, c in enumerate(classes)}
        return Arm(
            np.array([columns["subject"][i] for i in keep]),
            np.array([float(columns["recording_unix"][i]) for i in keep]),
            np.array([float(columns["end_s"][i]) for i in keep]),
            np.array([number[columns["truth"][i]] for i in keep], np.int64),
            np.array([[float(columns[f"p_{c}"][i]) for c in classes] for i in keep]),
        )
    except (KeyError, ValueError) as e:
        raise _no_table(path, e) from None


def classes_in(path: Path) -> tuple[str, ...]:
    """Classes that the answers are about, in order.

    Raises
    ------
    InputError
        If the file is no table of answers.
    """
    return tuple(n.removeprefix("p_") for n in _columns(path) if n.startswith("p_"))


def _columns(path: Path) -> Mapping[str, Sequence[str]]:
    try:
        return _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    except (OSError, KeyError, ValueError, UnicodeDecodeError, csv.Error) as e:
        raise _no_table(path, e) from None


def _no_table(path: Path, why: Exception) -> InputError:
    return InputError(f"{path}: no table of answers ({why!r}); give what feltsense evaluate --answers wrote")


def _read_csv(path: Path) -> Mapping[str, Sequence[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows: Iterable[dict[str, str]] = list(csv.DictReader(file))
    names = next(iter(rows), {})
    return {n: [r[n] for r in rows] for n in names} or {n: [] for n in _COLUMNS}


def _read_parquet(path: Path) -> Mapping[str, Sequence[str]]:
    arrow, parquet = _parquet()
    try:
        table: Mapping[str, Sequence[str]] = parquet.read_table(path).to_pydict()
    except arrow.ArrowInvalid as e:
        raise ValueError(str(e)) from None
    return table


def _parquet() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("scale", "reading and writing Parquet") from None
    return pyarrow, pyarrow.parquet
