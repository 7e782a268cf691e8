"""Something large that many jobs read, in one file that every process of this machine maps.

Arrays are views of the file, so that what a worker holds of it is what its job has touched, is the page cache's, and is
given back when the job ends: not one copy a worker, growing with the number of people. The file lies in a temporary
folder of this user's, is written and read by this program alone, and is gone with the work.
"""

from __future__ import annotations

import mmap
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Shelved", "shelve"]

_APART: Final = 64
"""Arrays begin on the border of a cache line, as numpy's own."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """What lies in a file; `sizes` are the lengths of its parts, the first without arrays, in bytes."""

    path: Path
    sizes: tuple[int, ...]

    def take(self) -> Any:
        """The value, its arrays read-only views of the file."""
        with self.path.open("rb") as file:
            # The views keep the map open for as long as any of them is there.
            whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        parts = [whole[a:b] for a, b in _places(self.sizes)]
        return pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301 (written by this program, for itself)


def shelve(value: object, path: Path) -> Shelved:
    """Write a value into a new file.

    Parameters
    ----------
    value : object
        Anything that can be sent to another process.
    path : Path
        The file, in a folder that nobody else can write to.
    """
    import cloudpickle  # what Dask sends things with: classes of a notebook, too

    arrays: list[pickle.PickleBuffer] = []
    told = cloudpickle.dumps(value, protocol=5, buffer_callback=arrays.append)
    parts = [memoryview(told), *(a.raw() for a in arrays)]
    sizes = tuple(p.nbytes for p in parts)
    with path.open("xb") as file:
        for part, (begin, _) in zip(parts, _places(sizes), strict=True):
            file.seek(begin)
            file.write(part)
    return Shelved(path, sizes)


def _places(sizes: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Where each part begins and ends."""
    begin = 0
    for size in sizes:
        yield begin, begin + size
        begin += -(-size // _APART) * _APART
