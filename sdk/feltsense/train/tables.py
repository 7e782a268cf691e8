"""Windows as tables: to pandas and back, so that anybody's features can be judged by the same protocol.

A table has a row a window: ``subject``, ``recording`` (optional), ``end_s``, ``label`` (empty: none), ``rest`` (true in
the windows that lie wholly in the known rest that calibrates), ``<modality>.<feature>`` and ``quality.<modality>``
(optional: 1 where a feature is finite). What a table cannot show it cannot hide either: rows that two people share, and
columns that have the same mean and spread in everyone, are refused where the cohort is made
(:class:`feltsense.train.splits.Cohort`).
"""

from __future__ import annotations

import csv
import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense import features
from feltsense.core.modality import base
from feltsense.core.vector import FeatureSchema
from feltsense.errors import InputError, MissingExtraError, SchemaError, UnknownNameError
from feltsense.train.examples import HOP_S, Line
from feltsense.train.labels import UNLABELLED
from feltsense.train.traces import Traces, moments_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from feltsense.train.targets import Target

__all__ = ["columns_of", "from_frame", "to_frame", "write_columns", "write_table"]

_ROUNDING_S = 1e-6
"""Seconds in a table were rounded when they were written."""
_NEEDED = ("subject", "end_s", "label")


def columns_of(lines: Sequence[Line], target: Target) -> dict[str, Any]:
    """The table of some recordings, column by column.

    Raises
    ------
    SchemaError
        If the recordings have different features.
    """
    schema = lines[0].schema
    if any(x.schema.names != schema.names for x in lines):
        msg = "recordings with different features do not make one table"
        raise SchemaError(msg)
    names = np.array(["", *target.classes])
    x, quality = np.concatenate([line.x for line in lines]), np.concatenate([line.quality for line in lines])
    return {
        "subject": np.concatenate([np.full(len(line.y), line.subject) for line in lines]),
        "recording": np.concatenate([np.full(len(line.y), line.path) for line in lines]),
        "start_s": np.concatenate([line.stop_s - line.window_s for line in lines]),
        "end_s": np.concatenate([line.stop_s for line in lines]),
        "label": names[np.concatenate([line.y for line in lines]) + 1],
        "rest": np.concatenate([_inside(line.stop_s, line.rest_s, line.window_s) for line in lines]),
        **{n: x[:, i] for i, n in enumerate(schema.names)},
        **{f"quality.{m}": quality[:, j] for j, m in enumerate(schema.modalities)},
    }


def write_table(path: Path, lines: Sequence[Line], target: Target) -> None:
    """Write the table of some recordings as Parquet or CSV; see :func:`write_columns`."""
    if not any(len(x.y) for x in lines):
        msg = f"{path}: there is no window to write"
        raise InputError(msg)
    write_columns(path, columns_of([x for x in lines if len(x.y)], target))


def write_columns(path: Path, columns: Mapping[str, Any]) -> None:
    """Write columns as a table.

    Raises
    ------
    InputError
        If the name ends in neither ``.parquet`` nor ``.csv``.
    MissingExtraError
        If Parquet is asked for and pyarrow is not installed.
    """
    if path.suffix == ".parquet":
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise MissingExtraError("scale", "writing Parquet") from None
        pyarrow.parquet.write_table(pyarrow.table(dict(columns)), path)
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(columns)
            plain = (c.tolist() if isinstance(c, np.ndarray) else c for c in columns.values())
            table.writerows(["" if v != v else v for v in row] for row in zip(*plain, strict=True))
    else:
        msg = f"{path}: tables are written as .parquet or .csv"
        raise InputError(msg)


def to_frame(lines: Sequence[Line], target: Target) -> Any:
    """The table of some recordings as a pandas DataFrame."""
    import pandas as pd

    return pd.DataFrame(columns_of(lines, target))


def from_frame(frame: Any, target: Target) -> list[Line]:
    """Recordings of a pandas DataFrame.

    Parameters
    ----------
    frame : pandas.DataFrame
        As the module's header says. A feature that is not in the table is missing in every window.
    target : Target
        Classes, modalities and window length.

    Raises
    ------
    InputError
        If a column is missing or a value is wrong; the message names it.
    SchemaError
        If a feature is not known.
    """
    missing = [c for c in _NEEDED if c not in frame.columns]
    if missing or not len(frame):
        msg = f"the table has no {'rows' if not missing else 'column ' + ', '.join(missing)}; it needs {', '.join(_NEEDED)}"
        raise InputError(msg)
    # Features over further windows are a table's own choice: one that has none makes a model without.
    there = {str(c).partition(".")[0] for c in frame.columns}
    wanted = [m for m in target.watched if m in target.modalities or m in there]
    schema = FeatureSchema([(m, features.extractor(m).specs) for m in wanted])
    _known(frame.columns, schema)
    recording = frame["recording"] if "recording" in frame.columns else frame["subject"]
    places: dict[tuple[str, str], list[int]] = {}
    for i, key in enumerate(zip(frame["subject"].astype(str), recording.astype(str), strict=True)):
        places.setdefault(key, []).append(i)
    return [_line(frame.iloc[rows], key, schema, target) for key, rows in places.items()]


def _known(columns: Sequence[str], schema: FeatureSchema) -> None:
    extra = {"subject", "recording", "start_s", "end_s", "label", "rest", "start_unix", "end_unix"}
    for name in columns:
        modality = str(name).partition(".")[0]
        mine = modality in schema.modalities
        if name in extra or modality == "quality" or (not mine and base(modality) in features.modalities()):
            continue
        if name not in schema.names:
            raise UnknownNameError("column of a feature table", str(name), schema.names)


def _line(rows: Any, who: tuple[str, str], schema: FeatureSchema, target: Target) -> Line:
    stop_s = _numbers(rows, "end_s", who[0])
    if not np.all(np.isfinite(stop_s)) or np.any(np.diff(stop_s) <= 0):
        msg = f"{who[0]}: end_s must be seconds that grow from row to row within a recording"
        raise InputError(msg)
    number = {c: i for i, c in enumerate(target.classes)}
    label = ["" if v is None or v != v else str(v) for v in rows["label"].tolist()]
    odd = sorted({v for v in label if v and v not in number})
    if odd:
        msg = f"{who[0]}: label {odd[0]!r} is none of {', '.join(target.classes)}"
        raise InputError(msg)
    nothing = np.full(len(rows), np.nan)
    x = np.stack([_numbers(rows, n, who[0]) if n in rows.columns else nothing for n in schema.names], axis=1)
    quality = [
        _numbers(rows, f"quality.{m}", who[0]) if f"quality.{m}" in rows.columns else _there(x, schema, m)
        for m in schema.modalities
    ]
    rest = rows["rest"].to_numpy().astype(bool) if "rest" in rows.columns else np.zeros(len(rows), bool)
    spans = _spans(stop_s, rest, target.window_s)
    inside = _inside(stop_s, spans, target.window_s)
    seen = np.isfinite(x[inside])
    count = seen.sum(axis=0)
    mean = np.where(count > 0, np.where(seen, x[inside], 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    known = stop_s > spans[0][0] if spans else np.ones(len(rows), bool)
    moments = {n: m for i, n in enumerate(schema.names) if (m := moments_of(x[:, i])) is not None}
    return Line(
        *who, schema, stop_s, x, np.nan_to_num(np.stack(quality, axis=1)),
        np.array([number.get(v, UNLABELLED) for v in label], np.int64), known, mean,
        np.where(count > 0, count * HOP_S + target.window_s - HOP_S, 0.0), spans, 0.0, target.window_s,
        Traces(_row_prints(x), moments),
    )  # fmt: skip


def _numbers(rows: Any, column: str, subject: str) -> NDArray[np.float64]:
    try:
        return np.asarray(rows[column].to_numpy(), np.float64)
    except (TypeError, ValueError):
        msg = f"{subject}: column {column} holds something that is no number"
        raise InputError(msg) from None


def _there(x: NDArray[np.float64], schema: FeatureSchema, modality: str) -> NDArray[np.float64]:
    mine = np.isfinite(x[:, [i for i, m in enumerate(schema.owner) if m == modality]])
    return np.asarray(mine.any(axis=1), np.float64)


def _inside(stop_s: NDArray[np.float64], spans: Sequence[tuple[float, float]], window_s: float) -> NDArray[np.bool_]:
    """Windows that lie wholly in one of the spans of rest."""
    out = np.zeros(len(stop_s), np.bool_)
    for a, b in spans:
        out |= (stop_s - window_s >= a - _ROUNDING_S) & (stop_s <= b + _ROUNDING_S)
    return out


def _spans(stop_s: NDArray[np.float64], rest: NDArray[np.bool_], window_s: float) -> tuple[tuple[float, float], ...]:
    """Seconds that the resting windows cover, joined where they touch."""
    out: list[tuple[float, float]] = []
    for t in stop_s[rest].tolist():
        if out and t - window_s <= out[-1][1]:
            out[-1] = (out[-1][0], t)
        else:
            out.append((t - window_s, t))
    return tuple(out)


def _row_prints(x: NDArray[np.float64]) -> NDArray[np.uint64]:
    """A hash of each row that has numbers: rows that two people share are one person's."""
    full = x[np.isfinite(x).any(axis=1)] + 0.0
    hashed = [int.from_bytes(hashlib.blake2b(row.tobytes(), digest_size=8).digest(), "little") for row in full]
    return np.unique(np.array(hashed, np.uint64))
