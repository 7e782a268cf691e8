"""Tables of numbers in text: parsed at C speed where they are right, line by line to find what is wrong.

Rules
-----
- Only finite decimal numbers; every line has the same number of cells; no line is empty but at the very end.
- The last line must be complete. Without its line end it is taken only where it has as many decimals as the line
  before: files cut off in the middle of a number would otherwise give a wrong last value without a word.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import numpy as np

from feltsense.errors import ImportFormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["check_options", "is_number", "read_table", "strip_mark"]

_NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?", re.ASCII)
_SHOWN = 40
_UTF8_MARK = b"\xef\xbb\xbf"


def is_number(cell: str) -> bool:
    """Whether a cell is a plain decimal number."""
    return _NUMBER.fullmatch(cell.strip(" ")) is not None


def strip_mark(data: bytes) -> bytes:
    """Bytes of a text file without the mark that some editors put first."""
    return data.removeprefix(_UTF8_MARK)


def check_options(name: str, options: Mapping[str, str], known: tuple[str, ...]) -> None:
    """Refuse options that an importer does not know.

    Raises
    ------
    ImportFormatError
        If there is one.
    """
    for option in options:
        if option not in known:
            msg = f"{name}: no option {option!r}; it knows {', '.join(known) or 'none'}"
            raise ImportFormatError(msg)


def read_table(data: bytes, where: str, first_line: int, columns: int) -> NDArray[np.float64]:
    """Parse comma-separated numbers.

    Parameters
    ----------
    data : bytes
        The lines.
    where : str
        Name of the file, for errors.
    first_line : int
        Number of the first of the lines in the file.
    columns : int
        Cells that each line must have.

    Returns
    -------
    ndarray of float64, shape (lines, columns)

    Raises
    ------
    ImportFormatError
        If a line breaks the rules; the message names it.
    """
    data = data.replace(b"\r\n", b"\n")
    complete = data.rstrip(b"\n") + b"\n" if data.endswith(b"\n") else _completed(data, where, first_line)
    if complete == b"\n":
        return np.empty((0, columns))
    if complete.isascii():
        try:
            table = np.loadtxt(io.StringIO(complete.decode("ascii")), delimiter=",", comments=None, ndmin=2)
        except ValueError:
            pass
        else:
            # loadtxt passes over empty lines and knows words like "nan": then the slow way finds the line.
            if table.shape == (complete.count(b"\n"), columns) and bool(np.isfinite(table).all()):
                return np.asarray(table, dtype=np.float64)
    return _line_by_line(complete, where, first_line, columns)


def _completed(data: bytes, where: str, first_line: int) -> bytes:
    """Data whose last line lacks its end, with it; or the error that it is cut off."""
    lines = data.rsplit(b"\n", 2)[-2:]
    last = lines[-1]
    if not data or (len(lines) == 2 and _decimals(last) > 0 and _shape(last) == _shape(lines[0])):
        return data + b"\n"
    number = first_line + data.count(b"\n")
    msg = (
        f"{where}, line {number}: the file is cut off after {_shown(last.decode('latin-1'))}; "
        "copy it again, or remove this line (or end it by a line break if it is complete)"
    )
    raise ImportFormatError(msg)


def _decimals(cell: bytes) -> int:
    return len(cell.rpartition(b".")[2]) if b"." in cell else 0


def _shape(line: bytes) -> list[int]:
    return [_decimals(cell) for cell in line.split(b",")]


def _line_by_line(data: bytes, where: str, first_line: int, columns: int) -> NDArray[np.float64]:
    rows: list[list[float]] = []
    for number, line in enumerate(data.decode("latin-1").split("\n")[:-1], first_line):
        cells = line.split(",")
        wrong = next((c for c in cells if not is_number(c)), None)
        if not line.strip():
            what = "is empty"
        elif len(cells) != columns:
            what = f"has {len(cells)} columns, expected {columns}"
        elif wrong is not None:
            what = f"{_shown(wrong)} is not a number"
        else:
            rows.append([float(c) for c in cells])
            continue
        msg = f"{where}, line {number}: {what}; correct or remove the line, or copy the file again"
        raise ImportFormatError(msg)
    table = np.array(rows)
    if not np.isfinite(table).all():
        number = first_line + int(np.argmin(np.isfinite(table).all(axis=1)))
        msg = f"{where}, line {number}: the number is too large; correct or remove the line"
        raise ImportFormatError(msg)
    return table


def _shown(cell: str) -> str:
    """A cell for a message: one line, not too long."""
    return repr(cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}…")
