"""Recordings in other formats: one file a format, found by its name; ``docs/exports.md`` says what each keeps.

An exporter is a module with ``EXPORTER``, a function of a recording and the target's path, and ``ENDINGS``, the names that
it answers to. It never replaces a file: the caller has looked.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.core import registry
from feltsense.errors import InputError

if TYPE_CHECKING:
    import os

    from feltsense.core.recording import Recording

__all__ = ["endings", "export"]


def endings() -> dict[str, str]:
    """Ending of a name → exporter."""
    found: dict[str, str] = {}
    for name in registry.names(__name__):
        for ending in registry.discover(__name__, "ENDINGS", "exporter", name):
            found[ending] = name
    return found


def export(recording: Recording, out: str | os.PathLike[str]) -> None:
    """Write a recording in the format that the target's name ends in.

    Raises
    ------
    InputError
        If no exporter answers to the name, the target exists, or the format cannot hold the recording.
    """
    target = Path(out)
    known = endings()
    ending = max((e for e in known if target.name.lower().endswith(e)), key=len, default="")
    if not ending:
        msg = f"{target}: no format ends like this; known: {', '.join(sorted(known))}"
        raise InputError(msg)
    if target.exists():
        msg = f"{target}: already exists and is not overwritten; choose another name"
        raise InputError(msg)
    if not recording.streams:
        msg = f"{target}: the recording holds no samples, so there is nothing to export"
        raise InputError(msg)
    try:
        registry.discover(__name__, "EXPORTER", "exporter", known[ending])(recording, target)
    except OSError as e:
        msg = f"{target}: cannot be written ({e.strerror or e}); check the folder and its free space"
        raise InputError(msg) from e
