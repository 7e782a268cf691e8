"""A folder of recordings on the command line: one person's course, or a study's coverage."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.cli._progress import progress
from feltsense.errors import FeltsenseError, InputError

if TYPE_CHECKING:
    from feltsense.report.course import Course, Digest

__all__ = ["course_of", "courses_of", "holds_recordings"]

_CACHE = "feltsense digests 1"


def holds_recordings(folder: Path) -> bool:
    """Whether a path is a folder of ``.felt`` files, and not one of another format."""
    return folder.is_dir() and any(folder.rglob("*.felt"))


def course_of(folder: Path, days: int, subject: str | None, cache: Path | None) -> Course:
    """The course of one person's recordings in a folder.

    Raises
    ------
    InputError
        If nothing usable is in it, or it holds several people and none is named.
    """
    from feltsense.report.course import course

    digests, unreadable = _digests(folder, cache)
    for text in unreadable:
        sys.stderr.write(f"note: left out: {text}\n")
    people = sorted({d.subject for d in digests})
    if subject is None and len(people) > 1:
        msg = f"{folder}: holds recordings of {', '.join(people)}; name one with --subject"
        raise InputError(msg)
    chosen = [d for d in digests if subject in (None, d.subject)]
    if not chosen:
        msg = f"{folder}: no usable recording of {subject or 'anybody'}; known: {', '.join(people) or 'none'}"
        raise InputError(msg)
    return course(chosen, days)


def courses_of(folder: Path, days: int, cache: Path | None) -> tuple[list[Course], list[str]]:
    """Everybody's course in a folder, over the same days, and what could not be read."""
    from feltsense.report.course import course

    digests, unreadable = _digests(folder, cache)
    if not digests:
        msg = f"{folder}: no recording in it could be read; " + (unreadable[0] if unreadable else "it holds none")
        raise InputError(msg)
    latest = max(digests, key=lambda d: d.start_ns)
    out = []
    for person in sorted({d.subject for d in digests}):
        mine = [d for d in digests if d.subject == person]
        out.append(course(mine, days, until_ns=latest.start_ns))
    return out, unreadable


def _digests(folder: Path, cache: Path | None) -> tuple[list[Digest], list[str]]:
    """Digests of all recordings; those that did not change come from the cache, where there is one."""
    from feltsense.importers import open_recording
    from feltsense.report.course import digest

    known = {} if cache is None else _load(cache)
    paths = sorted(folder.rglob("*.felt"))
    found: list[Digest] = []
    fresh: dict[str, Digest] = {}
    unreadable: list[str] = []
    for path in progress(paths, len(paths), "read"):
        state = path.stat()
        name = f"{path.relative_to(folder)}|{state.st_size}|{state.st_mtime_ns}"
        made = known.get(name)
        if made is None:
            try:
                made = digest(open_recording(path))
            except FeltsenseError as e:
                unreadable.append(str(e))
                continue
        fresh[name] = made
        found.append(made)
    if cache is not None:
        content = {"format": _CACHE, "digests": {k: d.plain() for k, d in fresh.items()}}
        cache.write_text(json.dumps(content), encoding="utf-8")
    return found, unreadable


def _load(path: Path) -> dict[str, Digest]:
    from feltsense.report.course import Digest

    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _CACHE:
            return {}
        return {str(k): Digest.of(d) for k, d in content["digests"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        msg = f"{path}: is no file of digests ({e}); name another, or remove it"
        raise InputError(msg) from e
