"""Recordings in foreign formats: one file a format, each names its function in ``IMPORTER``.

Contract
--------
- ``IMPORTER(source, subject, options) -> Recording``; options are words of the command line, and a word that the
  format does not know is an error.
- Values come out as the file has them (scaled to the signal's unit), times as exact integer nanoseconds. Nothing is
  cut, filled, resampled or cleaned; what is odd about a source is said in ``metadata["note"]``.
- Whatever is wrong with a source, the error is an :class:`~feltsense.errors.InputError` (or a missing extra) that
  names the file and the line, and says what to do.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.core import registry
from feltsense.errors import RecordingError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from feltsense.core.recording import Recording
    from feltsense.store import DataKey

__all__ = ["importer", "importers", "open_recording", "recordings_in"]

WAV = ".wav"


def importers() -> tuple[str, ...]:
    """Names of all formats that have an importer."""
    return registry.names(__name__)


def importer(name: str) -> Callable[[Path, str, Mapping[str, str]], Recording]:
    """The importer of a format.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    found: Callable[[Path, str, Mapping[str, str]], Recording] = registry.discover(__name__, "IMPORTER", "importer", name)
    return found


def recordings_in(folder: Path) -> list[Path]:
    """Recordings of a folder and the folders in it, in order of their names: ``.felt`` and WAV files, E4 folders and zips.

    An E4 folder is one recording; so the list is empty where the folder itself is one, and where it holds none. What a
    system hides is passed over.
    """
    from feltsense.importers import e4

    if e4.is_folder(folder):
        return []
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            found += [path] if e4.is_folder(path) else recordings_in(path)
        elif path.suffix.lower() in (".felt", ".zip", WAV):
            found.append(path)
    return found


def open_recording(path: str | os.PathLike[str], subject: str | None = None, key: DataKey | None = None) -> Recording:
    """Open a recording by its content: a ``.felt`` file, an Empatica E4 folder or zip, or a WAV file.

    Parameters
    ----------
    path : str or path-like
        What to open.
    subject : str, optional
        Pseudonym; default the one in the file, else the name of the folder or zip.
    key : DataKey, optional
        Of an encrypted recording; default the one that the environment names.

    Raises
    ------
    RecordingError
        If it is missing, damaged or something else.
    ImportFormatError
        If an E4 folder or zip, or a WAV file, is damaged or incomplete.
    """
    from feltsense import store
    from feltsense.importers import e4, wav
    from feltsense.store.keys import Keyring

    where = Path(path)
    if store.is_felt(where):
        sealed = store.key_id(where) if key is None else None
        recording = store.read(where, key if sealed is None else Keyring().key(where, sealed))
        return recording if subject is None else replace(recording, subject=subject)
    if not where.exists():
        msg = f"{where}: does not exist; check the name"
        raise RecordingError(msg)
    if where.is_dir() or e4.is_zip(where):
        return e4.IMPORTER(where, subject or e4.name_of(where), {})
    if where.suffix.lower() == WAV or wav.is_wav(where):
        return wav.IMPORTER(where, subject or where.stem, {})
    msg = (
        f"{where}: is neither a .felt file nor an Empatica E4 folder or zip nor a WAV file; "
        "other formats become one by: feltsense import FORMAT SOURCE --out FILE.felt"
    )
    raise RecordingError(msg)
