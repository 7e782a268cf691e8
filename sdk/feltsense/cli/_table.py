"""Tables of windows as CSV or Parquet: written whole or not at all."""

from __future__ import annotations

import csv
import math
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from feltsense.core.timeline import NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from feltsense.core.vector import FeatureSchema

__all__ = ["SUFFIXES", "Table", "column_names", "writer"]

SUFFIXES = (".csv", ".parquet")
UNIX = ("start_unix", "end_unix")
"""Columns given as integer nanoseconds: text with all nine digits in CSV, the nearest number in Parquet."""
_TEXT = ("path",)


class Table(Protocol):
    """An open table."""

    def write(self, columns: Mapping[str, Any]) -> None:
        """Append rows, given as columns; NaN is missing."""


def column_names(schema: FeatureSchema) -> list[str]:
    """Columns of the contract."""
    return ["start_s", "end_s", *UNIX, *schema.names, *(f"quality.{m}" for m in schema.modalities)]


def writer(path: Path) -> Callable[[Path, Sequence[str]], AbstractContextManager[Table]]:
    """What opens a table of that name.

    Raises
    ------
    MissingExtraError
        If its library is not installed.
    """
    if path.suffix.lower() != ".parquet":
        return _csv
    from feltsense.errors import MissingExtraError

    try:
        import pyarrow.parquet  # noqa: F401 - asked for, so that it is missed before the work is done
    except ImportError:
        raise MissingExtraError("scale", "writing Parquet") from None
    return _parquet


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A name beside the path, which becomes the path when all went well."""
    beside = path.with_name(path.name + ".part")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _csv(path: Path, names: Sequence[str]) -> Iterator[Table]:
    with _whole(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(names)

        class Csv:
            def write(self, columns: Mapping[str, Any]) -> None:
                cells = [_cells(name, columns[name]) for name in names]
                lines.writerows(zip(*cells, strict=True))

        yield Csv()


def _cells(name: str, column: Sequence[Any]) -> list[Any]:
    if name in _TEXT:
        return list(column)
    if name in UNIX:
        return [f"{ns // NS}.{ns % NS:09d}" for ns in column]
    # The writer itself writes floats by their repr, and faster.
    return ["" if math.isnan(x) else x for x in np.asarray(column, np.float64).tolist()]


@contextmanager
def _parquet(path: Path, names: Sequence[str]) -> Iterator[Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string() if name in _TEXT else pa.float64()) for name in names])
    with _whole(path) as beside, pq.ParquetWriter(beside, schema) as file:

        class Parquet:
            def write(self, columns: Mapping[str, Any]) -> None:
                arrays = []
                for field in schema:
                    column = columns[field.name]
                    # An integer division rounds once.
                    given = [ns / NS for ns in column] if field.name in UNIX else column
                    arrays.append(pa.array(given, field.type, from_pandas=True))
                file.write_table(pa.Table.from_arrays(arrays, schema=schema))

        yield Parquet()
