"""How often these people were asked before: a ledger of configurations, kept beside the data.

Whoever tries three hundred configurations on twenty people and reports the best one reports luck. The ledger counts,
so that nobody has to remember. One JSON object a line: a digest of the configuration, of the people, the figures.

Rules
-----
- A configuration is told by its figures: evaluating the same one again, or after a change that changes nothing, adds
  nothing. What was configured is written beside them.
- Counted are other configurations on the same people and target that came before, so that a repeated evaluation gives
  the same report.
- Where the ledger cannot be written, the report says that nobody counted.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["NAME", "Entry", "digest", "record"]

NAME = "feltsense-ledger.jsonl"

Entry = dict[str, Any]


def digest(value: Any) -> str:
    """Short digest of plain values, whatever the order of their keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def record(path: Path, people: Sequence[str], configuration: Mapping[str, Any], figures: Mapping[str, float]) -> Entry:
    """Write this evaluation down; how many others there were.

    Parameters
    ----------
    path : Path
        The ledger.
    people : sequence of str
        Who was judged.
    configuration : mapping
        What was tried; ``target`` is among it.
    figures : mapping
        What came of it: ``balanced_accuracy``, ``auroc``.

    Returns
    -------
    dict
        ``kept`` (whether it could be written), ``others`` (other configurations tried on these people before; null
        where the ledger cannot be read) and ``best_other`` (their best balanced accuracy).
    """
    who = digest([configuration.get("target"), sorted(people)])
    entries = _read(path)
    if entries is None:
        return {"kept": False, "others": None, "best_other": None}
    tried = [e for e in entries if e.get("people") == who]
    mine = next((i for i, e in enumerate(tried) if all(e.get(k) == v for k, v in figures.items())), None)
    before = {(str(e.get("auroc")), e.get("balanced_accuracy")) for e in tried[:mine]}
    kept = mine is not None or _append(path, {"people": who, "n": len(people), "what": dict(configuration), **figures})
    best = [v for _, v in before if isinstance(v, int | float)]
    return {"kept": kept, "others": len(before), "best_other": max(best) if best else None}


def _read(path: Path) -> list[Entry] | None:
    """All entries; a line that cannot be read is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError):
        return None
    out = []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            out.append(value)
    return out


def _append(path: Path, entry: Entry) -> bool:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, sort_keys=True, ensure_ascii=False, default=str) + "\n")
    except OSError:
        return False
    return True
