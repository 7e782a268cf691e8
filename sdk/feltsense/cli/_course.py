"""A folder of recordings on the command line: one person's course, or a study's coverage.

Sessions are reduced on all cores; what did not change since the last time comes from the cache, where there is one.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feltsense.cli._keys import not_opened
from feltsense.cli._progress import progress
from feltsense.errors import FeltsenseError, InputError, KeyStoreError, PassphraseError, RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from feltsense.report.course import Course, Digest
    from feltsense.store import DataKey

__all__ = ["Judge", "course_of", "courses_of", "holds_recordings", "reduced"]

_CACHE = "feltsense digests 2"
_FEW = 6
"""Sessions that one process has reduced before another one has started."""
_ROUNDS = 3
"""Tasks of each process: few enough to load the model seldom, enough to see progress."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Which model is to say something about each session, with whose profile; None for the shipped one and for nobody's."""

    model: Path | None = None
    profile: Path | None = None

    @property
    def name(self) -> str:
        """Changes when either does."""
        parts = [b"" if p is None else p.read_bytes() for p in (self.model, self.profile)]
        if self.model is None:
            from feltsense import bundle

            parts[0] = bundle.load(None, "numpy").id.encode()  # to be named, not to be run
        return hashlib.sha256(b"|".join(parts)).hexdigest()[:16]


def holds_recordings(folder: Path) -> bool:
    """Whether a path is a folder of ``.felt`` files, and not one of another format."""
    return folder.is_dir() and any(folder.rglob("*.felt"))


def course_of(folder: Path, days: int, subject: str | None, cache: Path | None, judge: Judge) -> Course:
    """The course of one person's recordings in a folder.

    Raises
    ------
    InputError
        If nothing usable is in it, or it holds several people and none is named.
    """
    from feltsense.report.course import course

    digests, unreadable = _digests(folder, cache, judge)
    people = sorted({d.subject for d in digests})
    if subject is None and len(people) > 1:
        msg = f"{folder}: holds recordings of {', '.join(people)}; name one with --subject"
        raise InputError(msg)
    chosen = [d for d in digests if subject in (None, d.subject)]
    if not chosen:
        why = f"known: {', '.join(people)}" if people or not unreadable else unreadable[0]
        msg = f"{folder}: no usable recording of {subject or 'anybody'}; {why}"
        raise InputError(msg)
    for text in unreadable:
        sys.stderr.write(f"note: left out: {text}\n")
    return course(chosen, days)


def courses_of(folder: Path, days: int, cache: Path | None) -> tuple[list[Course], list[str]]:
    """Everybody's course in a folder, over the same days, and what could not be read."""
    from feltsense.report.course import course

    digests, unreadable = _digests(folder, cache, None)
    if not digests:
        msg = f"{folder}: no recording in it could be read; " + (unreadable[0] if unreadable else "it holds none")
        raise InputError(msg)
    latest = max(digests, key=lambda d: d.start_ns)
    out = []
    for person in sorted({d.subject for d in digests}):
        mine = [d for d in digests if d.subject == person]
        out.append(course(mine, days, until_ns=latest.start_ns))
    return out, unreadable


def _digests(folder: Path, cache: Path | None, judge: Judge | None) -> tuple[list[Digest], list[str]]:
    """Digests of all recordings, and what could not be read."""
    from feltsense.report.course import Digest

    known = {} if cache is None else _load(cache)
    paths = sorted(folder.rglob("*.felt"))
    told_by = "" if judge is None else judge.name
    names = [f"{p.relative_to(folder)}|{_state(p)}|{told_by}" for p in paths]
    made: list[Digest | str | None] = [known.get(name) for name in names]
    fresh = [n for n, digest in enumerate(made) if digest is None]
    keys = dict(zip(fresh, _keys([paths[n] for n in fresh]), strict=True))
    shut = [key for key in keys.values() if isinstance(key, KeyStoreError)]
    opened = [(n, key) for n, key in keys.items() if not isinstance(key, KeyStoreError)]
    found = _reduced([paths[n] for n, _ in opened], [key for _, key in opened], judge)
    for k, outcome in progress(found, len(opened), "read"):
        made[opened[k][0]] = outcome
    if cache is not None:
        kept = {n: d.plain() for n, d in zip(names, made, strict=True) if isinstance(d, Digest)}
        cache.write_text(json.dumps({"format": _CACHE, "digests": kept}), encoding="utf-8")
    told = [not_opened(len(shut), shut[0])] if shut else []
    return [d for d in made if isinstance(d, Digest)], told + [d for d in made if isinstance(d, str)]


def _state(path: Path) -> str:
    state = path.stat()
    return f"{state.st_size}|{state.st_mtime_ns}"


def _keys(paths: list[Path]) -> list[DataKey | KeyStoreError | None]:
    """The key of each recording, why there is none, or None where it is plain (or damaged, which its reading says)."""
    from feltsense.store import key_id
    from feltsense.store.keys import Keyring

    ring = Keyring()
    out: list[DataKey | KeyStoreError | None] = []
    for path in paths:
        try:
            sealed = key_id(path)
            out.append(None if sealed is None else ring.key(path, sealed))
        except PassphraseError as e:
            if sys.stdin.isatty():
                raise  # asked for, and all is tried again
            out.append(e)
        except KeyStoreError as e:
            out.append(e)
        except RecordingError:
            out.append(None)
    return out


def _reduced(paths: list[Path], keys: list[DataKey | None], judge: Judge | None) -> Iterator[tuple[int, Digest | str]]:
    """Number and digest of each recording, or what is wrong with it."""
    from feltsense.cli._pool import each
    from feltsense.report.course import Digest

    jobs = max(min(os.cpu_count() or 1, len(paths) // _FEW), 1)
    # Every so many recordings are one task, which loads the model once.
    tasks = [range(k, len(paths), jobs * _ROUNDS) for k in range(min(jobs * _ROUNDS, len(paths)))]
    asked = [([(paths[n], keys[n]) for n in task], judge) for task in tasks]
    for k, outcome in each(reduced, asked, jobs):
        told = json.loads(outcome) if outcome.startswith("[") else [f"{paths[n]}: {outcome}" for n in tasks[k]]
        yield from ((n, t if isinstance(t, str) else Digest.of(t)) for n, t in zip(tasks[k], told, strict=True))


def reduced(recordings: Sequence[tuple[Path, DataKey | None]], judge: Judge | None) -> str:
    """Recordings' digests as JSON, or what is wrong with each; for a worker."""
    from feltsense import bundle
    from feltsense.core.profile import UserProfile
    from feltsense.importers import open_recording
    from feltsense.report.digest import digest

    model = None if judge is None else bundle.load(judge.model)
    profile = None if judge is None or judge.profile is None else UserProfile.load(judge.profile)
    out: list[str | dict[str, Any]] = []
    for path, key in recordings:
        try:
            out.append(digest(open_recording(path, key=key), model, profile).plain())
        except FeltsenseError as e:
            out.append(str(e))
    return json.dumps(out)


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
