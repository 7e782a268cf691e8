"""Whether a recording is whole: every row looked at, and everything that is wrong told.

Unlike :func:`~feltsense.store.read`, which stops at the first damage. Without the key of an encrypted recording its
structure, its checksums and its counts of rows are looked at, and that much is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.errors import RecordingError
from feltsense.store.opening import check_totals, check_whole, keyless, load_streams, opened
from feltsense.store.reader import event_of, key_id, read_segments
from feltsense.store.rows import COLUMNS, RESTORE, lock_of

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Callable, Iterator

    from feltsense.store.rows import Rows
    from feltsense.store.seal import DataKey

__all__ = ["Verdict", "verify"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found.

    Attributes
    ----------
    sealed : bool
        Whether the recording is encrypted.
    opened : bool
        Whether the content of its rows was looked at: False where the key was not given.
    rows : int
        Rows that were looked at.
    wrong : tuple of str
        What is wrong, a sentence each; empty where nothing is.
    """

    sealed: bool
    opened: bool
    rows: int
    wrong: tuple[str, ...]


def verify(path: str | os.PathLike[str], key: DataKey | None = None) -> Verdict:
    """Look at every row of a recording.

    Parameters
    ----------
    path : str or path-like
        The file.
    key : DataKey, optional
        Of an encrypted recording.

    Raises
    ------
    RecordingError
        If it is no ``.felt`` file at all, or of a newer schema.
    KeyStoreError
        If the key is another one.
    """
    where = Path(path)
    sealed = key_id(where) is not None
    wrong: list[str] = []
    if sealed and key is None:
        with keyless(where) as db:
            count = _checksums(db, where, wrong)
            _note(wrong, lambda: check_whole(db, where), where)
        return Verdict(sealed, False, count, tuple(wrong))
    with opened(where, key, whole=False) as (rows, version):
        count = _checksums(rows.db, where, wrong)
        for look in _looks(rows, version):
            _note(wrong, look, where)
    return Verdict(sealed, True, count, tuple(dict.fromkeys(wrong)))


def _looks(rows: Rows, version: int) -> Iterator[Callable[[], object]]:
    yield lambda: check_whole(rows.db, rows.path)
    yield lambda: list(rows.all("about"))
    yield lambda: list(rows.all("metadata"))
    yield lambda: [event_of(rows.path, *row) for row in rows.all("event")]
    yield lambda: [list(read_segments(rows, k, info)) for k, info in load_streams(rows).items()]
    yield lambda: check_totals(rows, version)


def _checksums(db: sqlite3.Connection, path: Path, wrong: list[str]) -> int:
    """Every row against its checksum; how many rows there are."""
    from feltsense.store.rows import row_sum

    count = 0
    _note(wrong, lambda: lock_of(db, path), path)
    for table, names in COLUMNS.items():
        listed = ", ".join((*names, "body", "crc"))

        def look(table: str = table, listed: str = listed) -> None:
            nonlocal count
            for key, *columns, body, crc in db.execute(f"SELECT rowid, {listed} FROM {table} ORDER BY rowid"):  # noqa: S608
                count += 1
                if crc != row_sum(table, columns, body):
                    wrong.append(f"table {table}, row {key}: the checksum does not fit")

        _note(wrong, look, path)
    return count


def _note(wrong: list[str], look: Callable[[], object], path: Path) -> None:
    import sqlite3

    try:
        look()
    except RecordingError as e:
        wrong.append(str(e).removeprefix(f"{path}: ").removeprefix("is damaged or cut off: ").removesuffix(f"; {RESTORE}"))
    except (sqlite3.Error, UnicodeDecodeError) as e:
        wrong.append(" ".join(str(e).split()))
