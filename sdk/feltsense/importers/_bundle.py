"""The files of a folder, or of a zip that may hold them in one inner folder, by name."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

from feltsense.errors import ImportFormatError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["read_files"]

LARGEST = 512 * 1024 * 1024
"""Bytes of one file at most: the E4's memory is full after 60 h, which is 110 MB of BVP. A zip may lie about it."""


def read_files(source: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """Read those of `names` that are there, whatever their case.

    Raises
    ------
    ImportFormatError
        If the source is missing or unreadable, or a zip holds a name more than once.
    """
    wanted = {n.lower(): n for n in names}
    try:
        if source.is_dir():
            inside = {
                wanted[f.name.lower()]: f for f in sorted(source.iterdir()) if f.name.lower() in wanted and f.is_file()
            }
            return {name: _bounded(source, name, file.stat().st_size, file.read_bytes()) for name, file in inside.items()}
        with zipfile.ZipFile(source) as archive:
            return _unzip(source, archive, wanted)
    except (OSError, ValueError) as e:
        msg = f"{source}: cannot be read ({getattr(e, 'strerror', None) or e}); check the name"
        raise ImportFormatError(msg) from e
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, KeyError) as e:
        # RuntimeError: encrypted, or a compression that Python does not know.
        msg = f"{source}: is not a zip that can be read ({e}); download it again, or unpack it and name the folder"
        raise ImportFormatError(msg) from e


def _unzip(source: Path, archive: zipfile.ZipFile, wanted: Mapping[str, str]) -> dict[str, bytes]:
    found: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        folder, _, file = info.filename.rpartition("/")
        name = wanted.get(file.lower())
        # macOS packs a shadow of every file in a folder of its own.
        if name is None or folder.startswith("__MACOSX"):
            continue
        if name in found:
            msg = f"{source}: holds {found[name].filename} and {info.filename}; unpack it and import one folder at a time"
            raise ImportFormatError(msg)
        found[name] = info
    files: dict[str, bytes] = {}
    for name, info in found.items():
        with archive.open(info) as member:
            files[name] = _bounded(source, name, info.file_size, member.read(LARGEST + 1))
    return files


def _bounded(source: Path, name: str, size: int, data: bytes) -> bytes:
    if max(size, len(data)) > LARGEST:
        msg = f"{source}/{name}: is larger than {LARGEST} bytes; no recording of this device is; cut it"
        raise ImportFormatError(msg)
    return data
