"""``feltsense features``: windows of a recording, or of every recording in a folder → a table (columns: contract).

Columns: ``start_s,end_s`` (from the recording's first sample), ``start_unix,end_unix``, every
``<modality>.<feature>``, every ``quality.<modality>``. A value that is missing is an empty cell (CSV) or null (Parquet);
numbers are written so that reading them gives the same bits. A folder gives one table with the column ``path`` in front,
relative to the folder, and the columns of all its recordings; ``--window whole`` makes each recording one window, and so
one row.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from feltsense.cli._recording_table import Grid

__all__ = ["add", "run"]

DEFAULT_WINDOW_S, DEFAULT_HOP_S = 60.0, 5.0
"""The shortest window in which responses of the skin and a heart's variability can be counted; a readable pace."""
WHOLE = "whole"
"""Each recording is one window."""
LEAST_S, LARGEST_S = 0.05, 86_400.0
"""Finer than the fastest signal has an answer, and a day."""


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    p = subparsers.add_parser("features", help="compute the features of every window of a recording, or of a folder of them")
    p.add_argument("recording", help=".felt file, an E4 folder or zip, a WAV file, or a folder of such recordings")
    p.add_argument(
        "--window", type=_window, default=DEFAULT_WINDOW_S, metavar="SECONDS",
        help="length (default: %(default)g), or: whole (each recording is one window)",
    )
    p.add_argument("--hop", type=float, default=DEFAULT_HOP_S, metavar="SECONDS", help="step (default: %(default)g)")
    p.add_argument(
        "--beside", type=_lengths, default=(), metavar="SECONDS",
        help="also over the last seconds of each window, for example 30,15: columns like ppg@30s.hr",
    )
    p.add_argument("--engine", default="stream", metavar="NAME", help="what computes them: stream (default) or neurokit")
    p.add_argument(
        "--jobs", "--workers", dest="jobs", type=int, default=0, metavar="N",
        help="recordings of a folder at a time (default: every core)",
    )
    p.add_argument("--scheduler", default="", metavar="ADDRESS", help="Dask scheduler whose workers read a folder, tcp://HOST:PORT")
    p.add_argument("--out", required=True, metavar="TABLE", help="table to write, .csv or .parquet")
    p.set_defaults(run=run)


def _window(text: str) -> float | None:
    """Seconds; None for a whole recording."""
    return None if text == WHOLE else float(text)


def _lengths(text: str) -> tuple[float, ...]:
    """Lengths with commas."""
    return tuple(dict.fromkeys(float(part) for part in text.split(",") if part.strip()))


def run(args: argparse.Namespace) -> int:
    """Compute and write the table."""
    from feltsense.importers import recordings_in

    _check(args)
    source = Path(args.recording)
    files = recordings_in(source) if source.is_dir() else []
    return _folder(args, source, files) if files else _single(args, source)


def _check(args: argparse.Namespace) -> None:
    """Refuse what cannot work before anything is read."""
    from feltsense.cli._table import SUFFIXES, writer
    from feltsense.core.modality import over
    from feltsense.errors import InputError, UnknownNameError
    from feltsense.features import ENGINES

    out = Path(args.out)
    if args.engine not in ENGINES:
        raise UnknownNameError("feature engine", args.engine, ENGINES)
    if out.suffix.lower() not in SUFFIXES:
        msg = f"--out {args.out}: give a name that ends in {' or '.join(SUFFIXES)}"
        raise InputError(msg)
    writer(out)  # its library is there
    if args.engine == "neurokit":
        from feltsense.features import neurokit

        neurokit.library()
    if not out.parent.is_dir():
        msg = f"--out {args.out}: the folder {out.parent} does not exist; make it first"
        raise InputError(msg)
    for name in ("window", "hop"):
        seconds = getattr(args, name)
        if seconds is not None and not LEAST_S <= seconds <= LARGEST_S:
            msg = f"--{name} {seconds:g}: give {LEAST_S:g} to {LARGEST_S:g} seconds"
            raise InputError(msg)
    for seconds in args.beside:
        over("--beside", seconds)
        if args.window is not None and seconds > args.window:
            msg = f"--beside {seconds:g}: no more than the window has, {args.window:g} s, whose last seconds these are"
            raise InputError(msg)
    if args.jobs and args.scheduler:
        msg = "--jobs is for processes of this machine, --scheduler for those of a cluster: choose one"
        raise InputError(msg)
    if args.jobs < 0:
        msg = f"--jobs {args.jobs}: give how many recordings at a time, or leave it out for every core"
        raise InputError(msg)


def _single(args: argparse.Namespace, source: Path) -> int:
    from feltsense.cli._progress import progress
    from feltsense.cli._recording_table import Grid, recording_table
    from feltsense.cli._table import column_names, writer

    grid = Grid(args.window, args.hop, args.engine, args.beside)
    table = recording_table(source, grid, lambda names: progress(names, len(names), "features"))
    names = column_names(table.schema)
    with writer(Path(args.out))(Path(args.out), names) as out:
        out.write(table.cells(names))
    if not len(table.start_ns):
        # A header alone is a valid table; silence about why would not be a valid answer.
        length = f"{table.seconds:g} s long, shorter than one window of {args.window:g} s"
        sys.stderr.write(f"feltsense: {args.recording}: {length}\n")
    sys.stdout.write(f"{args.out}: {len(table.start_ns)} windows, {len(table.schema.names)} features\n")
    return 0


def _folder(args: argparse.Namespace, folder: Path, files: list[Path]) -> int:
    """One table of a folder of recordings; one that fails is named, and does not lose the others."""
    from feltsense.cli._pool import each
    from feltsense.cli._progress import progress
    from feltsense.cli._recording_table import Grid, load, spool, united
    from feltsense.cli._table import column_names, writer
    from feltsense.errors import InputError

    grid, out = Grid(args.window, args.hop, args.engine, args.beside), Path(args.out)
    jobs = min(args.jobs or os.cpu_count() or 1, len(files))
    failed = 0
    with tempfile.TemporaryDirectory() as kept:
        tasks = [(path, grid, Path(kept) / f"{i}.npz") for i, path in enumerate(files)]
        done_by = _elsewhere(args.scheduler, tasks) if args.scheduler else each(spool, tasks, jobs)
        for i, problem in progress(done_by, len(tasks), "features"):
            if problem:
                failed += 1
                _say(f"{files[i]}: {problem.removeprefix(f'{files[i]}: ')}")
        done = [(files[i], t[2]) for i, t in enumerate(tasks) if t[2].exists()]
        if not done:
            msg = f"{folder}: none of its {len(files)} recordings could be used; what is wrong with each is said above"
            raise InputError(msg)
        schema = united([load(path).schema for _, path in done])
        names, count = column_names(schema), 0
        with writer(out)(out, ["path", *names]) as table:
            for source, path in done:
                part = load(path)
                if not len(part.start_ns):
                    _say(f"{source}: {part.seconds:g} s long, shorter than one window of {args.window:g} s")
                    continue
                table.write({"path": [source.relative_to(folder).as_posix()] * len(part.start_ns)} | part.cells(names))
                count += len(part.start_ns)
    words = f"{count} windows of {len(done)} recordings, {len(schema.names)} features"
    sys.stdout.write(f"{out}: {words}" + (f"; {failed} failed\n" if failed else "\n"))
    return 1 if failed else 0


def _elsewhere(scheduler: str, tasks: Sequence[tuple[Path, Grid, Path]]) -> Iterator[tuple[int, str]]:
    """Number and outcome of each task, done by the workers of a Dask scheduler, who see the files under the same path."""
    from feltsense.cli._recording_table import spooled
    from feltsense.train.parallel import cluster

    with cluster(1, scheduler) as crew:
        for i, (problem, table) in enumerate(crew.map(spooled, tasks[0][1], [path.absolute() for path, *_ in tasks])):
            if not problem:
                tasks[i][2].write_bytes(table)
            yield i, problem


def _say(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    sys.stderr.write(f"feltsense: {' '.join(text.split())}\n")
