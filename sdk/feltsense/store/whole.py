"""Writing a whole recording: all of it, or nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.core.recording import Stream
from feltsense.errors import RecordingError
from feltsense.store.tail import seconds_a_row
from feltsense.store.writer import Writer, in_the_way, remove

if TYPE_CHECKING:
    from feltsense.core.recording import Recording
    from feltsense.store.seal import DataKey

__all__ = ["write"]


def write(
    path: str | os.PathLike[str], recording: Recording, *, overwrite: bool = False, key: DataKey | None = None
) -> None:
    """Write a whole recording, all or nothing.

    Parameters
    ----------
    path : str or path-like
        File to make.
    recording : Recording
        What to write.
    overwrite : bool
        Replace an existing file; until the new one is complete the old one stays.
    key : DataKey, optional
        Encrypts it.

    Raises
    ------
    RecordingError
        If the file exists and `overwrite` is false, or it cannot be made.
    """
    target = Path(path)
    if target.is_dir() or (target.exists() and not overwrite):
        raise RecordingError(in_the_way(target))
    part = target.with_name(f"{target.name}.part")
    remove(part)
    try:
        with Writer(part, recording.subject, recording.metadata, key) as writer:
            for stream in recording.streams.values():
                writer.declare(stream.info)
                for segment in stream.segments:
                    chunks = list(Stream(stream.info, (segment,)).chunks(seconds_a_row(stream.info)))
                    # A segment that lost all its samples still has its gap to tell.
                    for chunk in chunks or [segment.chunk(stream.info, 0, 0)]:
                        writer.append(chunk)
            for event in recording.events:
                writer.event(event)
        os.replace(part, target)
        _settle(target.parent)
    except OSError as e:
        msg = f"{target}: cannot be put in place ({e.strerror})"
        raise RecordingError(msg) from e
    finally:
        remove(part)


def _settle(folder: Path) -> None:
    """Have the disk know the new name, too: a loss of power would leave the old one."""
    with suppress(OSError):  # not every system syncs a folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
