"""Erasing what is on this phone: the key destroyed, files overwritten, removed, and looked for afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense.errors import KeyStoreError, StudyError
from feltsense.store import is_felt
from feltsense.store.keys import overwrite
from feltsense.study import erase_participant
from feltsense_app.presenters.leave import Proof

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from feltsense.store import Vault

__all__ = ["erase"]


def erase(folder: Path, subject: str, vault: Vault) -> Proof:
    """Destroy the key, then overwrite and remove everything personal: recordings, baseline, answers, reports.

    Overwriting reaches a file's own blocks. What a flash memory has copied elsewhere by itself it does not reach: there
    the destroyed key is what makes it unreadable.

    Parameters
    ----------
    folder : Path
        Where all of it is, and nothing else.
    subject : str
        Pseudonym.
    vault : Vault
        The keys.

    Returns
    -------
    Proof
        What was erased, and that nothing was found afterwards.

    Raises
    ------
    OSError
        If something could not be erased; its name is in the text.
    StudyError
        If something of a recording is still found afterwards.
    """
    files = _files(folder)
    recordings = [p for p in files if is_felt(p)]
    keys = [p for p in files if p.parent == vault.folder]
    beside = {f"{p.name}{end}" for p in recordings for end in ("-wal", "-shm")}
    # Answers, baseline and reports first: the search afterwards reads everything that is still there.
    _remove(p for p in files if p not in recordings and p not in keys and p.name not in beside)
    pieces, searched = _proven(folder, subject, vault, recordings) if recordings or keys else (0, 0)
    # What another study, or damage, has left.
    _remove(_files(folder))
    left = sorted(p.name for p in _files(folder))
    if left:
        msg = f"still there: {', '.join(left)}"
        raise OSError(msg)
    return Proof(sum(p not in keys and p.name not in beside for p in files), pieces, searched, bool(keys))


def _files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        overwrite(path)
        path.unlink()


def _proven(folder: Path, subject: str, vault: Vault, recordings: list[Path]) -> tuple[int, int]:
    """Erase the participant's recordings and key; how many pieces were looked for afterwards, in how many bytes."""
    try:
        done = erase_participant(folder, subject, vault)
    except StudyError:
        # Either nothing here is this participant's, or all was removed and something is still found.
        if recordings and not any(p.exists() for p in recordings):
            raise
        return 0, 0
    except KeyStoreError:
        # A key store that refuses must not keep anybody from erasing: without the file here, what it has is of no use.
        return 0, 0
    return done.needles, done.searched
