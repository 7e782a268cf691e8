"""``feltsense features``: windows of a recording → features.csv (columns: contract).

Columns: ``start_s,end_s`` (from the recording's first sample), ``start_unix,end_unix``, every
``<modality>.<feature>``, every ``quality.<modality>``. A value that is missing is an empty cell; numbers are written so
that reading them gives the same bits. A folder of WAV files gives one table with the column ``path`` in front, relative
to the folder; ``--window whole`` makes each file one window, and so one row.
"""

from __future__ import annotations

import csv
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feltsense.core.timeline import NS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from feltsense.core.chunk import Chunk
    from feltsense.core.event import Event
    from feltsense.core.recording import Recording
    from feltsense.core.vector import FeatureSchema, FeatureVector
    from feltsense.core.window import Window
    from feltsense.session import Pipeline

__all__ = ["add", "columns", "row", "run"]

DEFAULT_WINDOW_S, DEFAULT_HOP_S = 60.0, 5.0
"""The shortest window in which responses of the skin and a heart's variability can be counted; a readable pace."""
WHOLE = 0.0
"""What ``--window whole`` is read as."""
LEAST_S, LARGEST_S = 0.05, 86_400.0
"""Finer than the fastest signal has an answer, and a day."""


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    p = subparsers.add_parser("features", help="compute the features of every window of a recording")
    p.add_argument("recording", help=".felt file, an E4 folder or zip, a WAV file or a folder of them")
    p.add_argument(
        "--window", type=_window, default=DEFAULT_WINDOW_S, metavar="SECONDS",
        help="length (default: %(default)g), or: whole (each recording is one window)",
    )
    p.add_argument("--hop", type=float, default=DEFAULT_HOP_S, metavar="SECONDS", help="step (default: %(default)g)")
    p.add_argument("--engine", default="stream", metavar="NAME", help="what computes them: stream (default) or neurokit")
    p.add_argument("--out", required=True, metavar="CSV", help="table to write")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compute and write the table."""
    from feltsense.cli._progress import progress
    from feltsense.errors import InputError, UnknownNameError
    from feltsense.features import ENGINES
    from feltsense.importers import open_recording, wav_files
    from feltsense.session import Pipeline

    out = Path(args.out)
    if args.engine not in ENGINES:
        raise UnknownNameError("feature engine", args.engine, ENGINES)
    if out.suffix.lower() != ".csv":
        msg = f"--out {args.out}: this release writes .csv tables only; give a name that ends in .csv"
        raise InputError(msg)
    if not out.parent.is_dir():
        msg = f"--out {args.out}: the folder {out.parent} does not exist; make it first"
        raise InputError(msg)
    for name in ("window", "hop"):
        seconds = getattr(args, name)
        if seconds != WHOLE and not LEAST_S <= seconds <= LARGEST_S:
            msg = f"--{name} {seconds:g}: give {LEAST_S:g} to {LARGEST_S:g} seconds"
            raise InputError(msg)
    folder = Path(args.recording)
    files = wav_files(folder) if folder.is_dir() else []
    if files:
        return _folder(args, folder, files)
    recording = open_recording(args.recording)
    t0 = recording.start_ns
    window, hop = _grid(args, recording)
    pipeline = Pipeline(recording.infos(), window=window, hop=hop, start_ns=t0, engine=args.engine)
    if not pipeline.schema.names:
        msg = f"{args.recording}: none of its streams ({', '.join(sorted(recording.streams))}) has features"
        raise InputError(msg)
    items = list(recording.items())
    windows = _windows(pipeline, progress(items, len(items), "features"))
    rows = _write(out, columns(pipeline.schema), (row(t0, w, v) for w, v in windows))
    if not rows:
        # A header alone is a valid table; silence about why would not be a valid answer.
        length = recording.seconds
        sys.stderr.write(f"feltsense: {args.recording}: {length:g} s long, shorter than one window of {args.window:g} s\n")
    sys.stdout.write(f"{args.out}: {rows} windows, {len(pipeline.schema.names)} features\n")
    return 0


def _window(text: str) -> float:
    """Seconds, or 0 for a whole recording."""
    return WHOLE if text == "whole" else float(text)


def _grid(args: argparse.Namespace, recording: Recording) -> tuple[float, float]:
    """Window and hop in seconds; the whole of a recording is one window, and there is no second."""
    return (recording.seconds, recording.seconds) if args.window == WHOLE else (args.window, args.hop)


def _folder(args: argparse.Namespace, folder: Path, files: list[Path]) -> int:
    """One table of a folder of WAV files."""
    from feltsense.cli._progress import progress
    from feltsense.importers import open_recording
    from feltsense.session import Pipeline

    header: list[str] = []

    def rows() -> Iterator[list[str]]:
        for path in progress(files, len(files), "features"):
            recording = open_recording(path)
            window, hop = _grid(args, recording)
            t0 = recording.start_ns
            pipeline = Pipeline(recording.infos(), window=window, hop=hop, start_ns=t0, engine=args.engine)
            if not header:
                header.extend(("path", *columns(pipeline.schema)))
                yield header
            name = path.relative_to(folder).as_posix()
            yield from ([name, *row(t0, w, v)] for w, v in _windows(pipeline, recording.items()))

    table = rows()
    count = _write(Path(args.out), next(table), table)
    sys.stdout.write(f"{args.out}: {count} windows of {len(files)} files, {len(header)} columns\n")
    return 0


def _windows(pipeline: Pipeline, items: Iterable[Chunk | Event]) -> Iterator[tuple[Window, FeatureVector]]:
    for item in items:
        yield from pipeline.push(item)
    yield from pipeline.finish()


def columns(schema: FeatureSchema) -> list[str]:
    """Header of the table."""
    return ["start_s", "end_s", "start_unix", "end_unix", *schema.names, *(f"quality.{m}" for m in schema.modalities)]


def row(start_ns: int, window: Window, vector: FeatureVector) -> list[str]:
    """One window as cells."""
    numbers = (*vector.values.tolist(), *vector.quality.tolist())
    return [
        repr((window.start_ns - start_ns) / NS),
        repr((window.stop_ns - start_ns) / NS),
        _unix(window.start_ns),
        _unix(window.stop_ns),
        *("" if math.isnan(x) else repr(x) for x in numbers),
    ]


def _unix(ns: int) -> str:
    """Unix seconds with all nine digits: a float would round them."""
    return f"{ns // NS}.{ns % NS:09d}"


def _write(path: Path, header: list[str], rows: Iterable[list[str]]) -> int:
    """Write the table whole or not at all; number of rows."""
    beside = path.with_name(path.name + ".part")
    count = 0
    try:
        with beside.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            for cells in rows:
                writer.writerow(cells)
                count += 1
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return count
