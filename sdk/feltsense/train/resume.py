"""What is done already: results of an interrupted run, kept in a folder that the user names, and taken up again.

Rules
-----
- A result is kept under a digest of all that it depends on: the code of this package, the job, the files' sizes and
  times. Another model, another label, another release: another name; nothing stale is ever taken up.
- A result is written beside its place and moved there: an interrupted run leaves no half of one.
- Arrays and JSON, never a pickle: a folder that somebody sends is only read.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense import features
from feltsense.core.vector import FeatureSchema
from feltsense.errors import InputError
from feltsense.train.examples import Line
from feltsense.train.traces import Moments, Traces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.datasets.labelled import Labelled
    from feltsense.train.targets import Target

__all__ = ["Kept", "digest_of", "digest_of_code", "fingerprint", "line_from", "line_parts"]

SUFFIX = ".npz"
_ROWS = ("stop_s", "x", "quality", "y", "known", "rest_mean", "rest_seconds", "votes", "motion", "rest_x")
_META = "meta"

Parts = dict[str, "NDArray[Any]"]


class Kept:
    """Results in a folder.

    Parameters
    ----------
    folder : Path
        Made if it is not there.

    Raises
    ------
    InputError
        If nothing can be written there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            msg = f"{folder}: cannot be made ({e.strerror}); name another folder to work in"
            raise InputError(msg) from None

    def has(self, kind: str, key: str) -> bool:
        """Whether there is such a result."""
        return (self.folder / f"{kind}-{key}{SUFFIX}").is_file()

    def get(self, kind: str, key: str) -> Parts | None:
        """A result, or None where there is none that can be read."""
        try:
            with np.load(self.folder / f"{kind}-{key}{SUFFIX}", allow_pickle=False) as found:
                return {name: found[name] for name in found.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def put(self, kind: str, key: str, parts: Parts) -> None:
        """Keep a result."""
        place = self.folder / f"{kind}-{key}{SUFFIX}"
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **parts)
        beside = place.with_suffix(f".{os.getpid()}.part")
        beside.write_bytes(buffer.getvalue())
        beside.replace(place)


@cache
def digest_of_code() -> str:
    """Digest of this package's source."""
    root = Path(__file__).parents[1]
    h = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        h.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return h.hexdigest()


def fingerprint(labelled: Labelled, target: Target) -> str:
    """Digest of all that a recording's windows depend on."""
    path = labelled.path
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path] if path.exists() else []
    seen = [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    told = [f"{f.name}={getattr(labelled, f.name)!r}" for f in fields(labelled) if f.name != "where"]
    return hashlib.sha256(repr((digest_of_code(), target, told, seen)).encode()).hexdigest()[:32]


def line_parts(line: Line, notes: Sequence[str] = ()) -> Parts:
    """A line as arrays, with what was noted when it was read."""
    parts = {name: value for name in _ROWS if (value := getattr(line, name)) is not None}
    meta = {
        "subject": line.subject, "path": line.path, "rest_s": line.rest_s, "start_unix": line.start_unix,
        "window_s": line.window_s, "about": dict(line.about), "names": list(line.schema.names),
        "moments": {n: [getattr(m, f.name) for f in fields(Moments)] for n, m in line.traces.moments.items()},
    }  # fmt: skip
    return {**parts, "prints": line.traces.prints, _META: np.array(json.dumps({**meta, "notes": list(notes)}))}


def line_from(parts: Mapping[str, NDArray[Any]], target: Target) -> tuple[Line, list[str]] | None:
    """The line of these arrays and its notes; None where they are those of other features."""
    schema = FeatureSchema([(m, features.extractor(m).specs) for m in target.watched])
    meta = json.loads(str(parts[_META]))
    if tuple(meta["names"]) != schema.names:
        return None
    rows = {name: parts[name] for name in _ROWS if name in parts}
    moments = {n: Moments(*values) for n, values in meta["moments"].items()}
    rest_s = tuple((float(a), float(b)) for a, b in meta["rest_s"])
    line = Line(
        meta["subject"], meta["path"], schema, rows["stop_s"], rows["x"], rows["quality"], rows["y"], rows["known"],
        rows["rest_mean"], rows["rest_seconds"], rest_s, meta["start_unix"], meta["window_s"],
    )
    line = replace(line, traces=Traces(parts["prints"], moments), about=meta["about"])
    line = replace(line, votes=rows.get("votes"), motion=rows.get("motion"), rest_x=rows.get("rest_x"))
    return line, list(meta["notes"])


def digest_of(*values: object) -> str:
    """Digest of arrays, lines and plain values, together with the code."""
    h = hashlib.sha256(digest_of_code().encode())
    for value in values:
        parts = line_parts(value) if isinstance(value, Line) else {"value": np.array(repr(value))}
        for name, array in parts.items():
            h.update(name.encode() + str(array.dtype).encode() + np.ascontiguousarray(array).tobytes())
    return h.hexdigest()[:32]
