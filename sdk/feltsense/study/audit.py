"""The audit log: who did what with whose data, a line each, chained by hashes.

Rules
-----
- Lines are appended and synced, never changed. Each holds the hash of the line before it and its own: a line that
  was changed, taken out or put in breaks the chain from there on.
- That the last lines were cut off no chain can show: keep :attr:`Audit.head` elsewhere (it is printed with every
  export and erasure) and give it to :meth:`Audit.check`.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feltsense.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Audit"]

_ROOT = "0" * 64


class Audit:
    """An append-only log of one study.

    Parameters
    ----------
    path : str or path-like
        File; made with the first line.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @property
    def head(self) -> str:
        """Hash of the last line."""
        last = _ROOT
        for _, line in self._lines():
            last = str(line.get("hash", last))
        return last

    def note(self, action: str, what: str, who: str = "", t_ns: int | None = None) -> str:
        """Append a line.

        Parameters
        ----------
        action : str
            ``open``, ``export``, ``erase``, …
        what : str
            With which file, which participant.
        who : str
            Who did it.
        t_ns : int, optional
            When; default now.

        Returns
        -------
        str
            The new head.

        Raises
        ------
        StudyError
            If the log's chain is broken, or it cannot be written.
        """
        import time

        if wrong := self.check():
            msg = f"{self.path}: {wrong[0]}; nothing is added to a broken log, keep it and begin a new one"
            raise StudyError(msg)
        count, before = 0, _ROOT
        for n, line in self._lines():
            count, before = n, line["hash"]
        at = time.time_ns() if t_ns is None else int(t_ns)
        line = {"n": count + 1, "t_ns": at, "who": who, "action": action, "what": what, "before": before}
        line["hash"] = _hash(line)
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as e:
            msg = f"{self.path}: cannot be written ({e.strerror}); nothing was done"
            raise StudyError(msg) from e
        return str(line["hash"])

    def check(self, head: str | None = None) -> list[str]:
        """What is wrong with the chain, a sentence each; empty where nothing is.

        Parameters
        ----------
        head : str, optional
            The last line's hash as it was noted elsewhere; without it lines cut off the end go unnoticed.
        """
        before = _ROOT
        hashes = []
        for n, line in self._lines():
            if line.get("n") != n or line.get("before") != before:
                return [f"line {n} does not follow the line before it"]
            if line.get("hash") != _hash(line):
                return [f"line {n} was changed"]
            before = line["hash"]
            hashes.append(before)
        if head is not None and head not in (hashes or [_ROOT]):
            return ["lines are missing at its end: the head that was noted is not in it"]
        return []

    def entries(self) -> list[dict[str, Any]]:
        """All lines."""
        return [line for _, line in self._lines()]

    def _lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        if not self.path.exists():
            return
        for n, text in enumerate(self.path.read_bytes().decode(errors="replace").split("\n"), 1):
            if not text:
                continue
            try:
                line = json.loads(text)
            except ValueError:
                line = {}
            yield n, line if isinstance(line, dict) else {}


def _hash(line: dict[str, Any]) -> str:
    content = {k: v for k, v in line.items() if k != "hash"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
