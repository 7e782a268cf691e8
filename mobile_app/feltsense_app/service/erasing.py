"""Erasing what is on this phone: overwritten, removed, and looked for afterwards."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from feltsense.store import is_felt
from feltsense.study import erase_participant

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["erase"]


def erase(folder: Path, subject: str) -> str:
    """Overwrite and remove everything personal: recordings, baseline, answers, reports.

    Overwriting reaches a file's own blocks. What a flash memory has copied elsewhere by itself it does not reach; the
    file system gives nobody a way to.

    Parameters
    ----------
    folder : Path
        Where all of it is, and nothing else.
    subject : str
        Pseudonym.

    Returns
    -------
    str
        How many files were erased, and that none is left.

    Raises
    ------
    OSError
        If one could not be erased; its name is in the text.
    StudyError
        If something of a recording is still found afterwards.
    """
    recordings = [p for p in folder.iterdir() if is_felt(p)]
    beside = {f"{p.name}{end}" for p in recordings for end in ("-wal", "-shm")}
    others = [p for p in folder.iterdir() if p not in recordings and p.name not in beside]
    for path in others:
        with path.open("r+b") as out:
            out.write(bytes(path.stat().st_size))
            out.flush()
            os.fsync(out.fileno())
        path.unlink()
    proof = ""
    if recordings:
        done = erase_participant(folder, subject)
        proof = f"; {done.needles} pieces looked for in {done.searched} bytes, none found"
    left = sorted(p.name for p in folder.iterdir())
    if left:
        msg = f"still there: {', '.join(left)}"
        raise OSError(msg)
    return f"{len(recordings) + len(others)} files erased, 0 left{proof}"
