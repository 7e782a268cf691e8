"""The features of one recording as a table: a plain function over one path, so that many can be mapped.

:func:`recording_table` reads and computes; :func:`spool` does it in a worker and leaves the table in a file, because a
folder's tables together may be larger than memory, and their columns are not known before the last one.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from feltsense.core.timeline import NS
from feltsense.core.vector import FeatureSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Grid", "RecordingTable", "load", "recording_table", "spool", "spooled", "united"]


class Grid(NamedTuple):
    """What is asked of each recording.

    Attributes
    ----------
    window : float or None
        Seconds; None is the whole recording.
    hop : float
        Seconds.
    engine : str
        What computes the features.
    beside : tuple of float
        Lengths, in seconds, of what is looked at again at the end of each window.
    """

    window: float | None
    hop: float
    engine: str
    beside: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class RecordingTable:
    """All windows of one recording.

    Attributes
    ----------
    schema : FeatureSchema
        Its features.
    t0_ns : int
        Its first sample.
    seconds : float
        Its length.
    start_ns : ndarray of int64, shape (windows,)
        Where each window begins.
    length_ns : int
        Length of a window.
    values, quality : ndarray of float64, shapes (windows, features) and (windows, modalities)
        NaN where missing; 0..1.
    """

    schema: FeatureSchema
    t0_ns: int
    seconds: float
    start_ns: NDArray[np.int64]
    length_ns: int
    values: NDArray[np.float64]
    quality: NDArray[np.float64]

    def cells(self, names: Sequence[str]) -> dict[str, Any]:
        """Columns by name, those of other recordings as missing; ``*_unix`` as integer nanoseconds."""
        n = len(self.start_ns)
        begin = self.start_ns - self.t0_ns
        own: dict[str, Any] = {
            "start_s": begin / NS,
            "end_s": (begin + self.length_ns) / NS,
            "start_unix": self.start_ns.tolist(),
            "end_unix": (self.start_ns + self.length_ns).tolist(),
        }
        own |= {name: self.values[:, i] for i, name in enumerate(self.schema.names)}
        own |= {f"quality.{m}": self.quality[:, i] for i, m in enumerate(self.schema.modalities)}
        # No stream, no quality.
        absent = {name: np.full(n, 0.0 if name.startswith("quality.") else np.nan) for name in names if name not in own}
        return {name: own[name] if name in own else absent[name] for name in names}


def recording_table(
    path: Path, grid: Grid, watch: Callable[[Sequence[str]], Iterable[str]] = lambda names: names
) -> RecordingTable:
    """Features of a recording.

    Parameters
    ----------
    path : path
        The recording.
    grid : Grid
        What is asked.
    watch : callable, optional
        Given the modalities, gives them back one by one (and shows how far they are).

    Raises
    ------
    InputError
        If it cannot be read, or has nothing that has features.
    """
    from feltsense.batch import Batch
    from feltsense.core.modality import over
    from feltsense.core.table import FeatureTable
    from feltsense.errors import InputError
    from feltsense.features import modalities
    from feltsense.features._binding import bind
    from feltsense.importers import open_recording

    recording = open_recording(path)
    names = [m for m in modalities() if bind(m, recording.infos())]
    if not names:
        msg = f"{path}: none of its streams ({', '.join(sorted(recording.streams))}) has features"
        raise InputError(msg)
    window, hop = (grid.window, grid.hop) if grid.window else (recording.seconds, recording.seconds)
    parts: list[FeatureTable] = [
        Batch(recording, modalities=sorted([m, *(over(m, s) for s in grid.beside)]), engine=grid.engine).table(
            window=window, hop=hop
        )
        for m in watch(names)
    ]
    first = parts[0]
    return RecordingTable(
        united([p.schema for p in parts]),
        recording.start_ns,
        recording.seconds,
        first.start_ns,
        first.length_ns,
        np.concatenate([p.values for p in parts], axis=1),
        np.concatenate([p.quality for p in parts], axis=1),
    )


def united(schemas: Sequence[FeatureSchema]) -> FeatureSchema:
    """Schema with the modalities of all, each once, in the order of their names."""
    from feltsense.features import extractor

    found = sorted({m for s in schemas for m in s.modalities})
    return FeatureSchema([(m, extractor(m).specs) for m in found])


def spooled(grid: Grid, path: Path) -> tuple[str, bytes]:
    """Compute a recording's table on another machine: what is wrong, and what :func:`spool` would have kept."""
    kept = io.BytesIO()
    return spool(path, grid, kept), kept.getvalue()


def spool(path: Path, grid: Grid, where: Path | BinaryIO) -> str:
    """Compute a recording's table and keep it in a file; what is wrong, or an empty text."""
    from feltsense.errors import FeltsenseError

    try:
        table = recording_table(path, grid)
    except (FeltsenseError, OSError) as e:  # as text: not every error survives the way between processes
        return str(e) or type(e).__name__
    numbers = np.array([table.t0_ns, table.length_ns], np.int64)
    np.savez(
        where,
        modalities=np.array(table.schema.modalities),
        numbers=numbers,
        seconds=table.seconds,
        start_ns=table.start_ns,
        values=table.values,
        quality=table.quality,
    )
    return ""


def load(where: Path) -> RecordingTable:
    """Read what :func:`spool` kept."""
    from feltsense.features import extractor

    with np.load(where, allow_pickle=False) as kept:
        schema = FeatureSchema([(m, extractor(m).specs) for m in kept["modalities"].tolist()])
        t0, length = kept["numbers"].tolist()
        return RecordingTable(
            schema, t0, float(kept["seconds"]), kept["start_ns"], length, kept["values"], kept["quality"]
        )
