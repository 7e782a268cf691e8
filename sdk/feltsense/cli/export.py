"""``feltsense export``: a recording in another format, de-identified or sealed for a study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.errors import InputError

if TYPE_CHECKING:
    import argparse

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    p = commands.add_parser(
        "export",
        help="write a recording in another format, de-identified or sealed",
        description="Write a recording as CSV, Parquet, EDF+ or BIDS; or as .felt, de-identified; or sealed for a study.",
    )
    p.add_argument("recording", type=Path, help="a .felt file, or an E4 folder or zip")
    p.add_argument("--out", type=Path, required=True, metavar="FILE", help=".csv, .parquet, .edf, .bids.zip, .felt or .zip")
    p.add_argument("--to", metavar="KEY", help="seal it to this public key of a study (made by: feltsense study key)")
    p.add_argument("--deidentify", metavar="NAME", help="new pseudonym; serials, free text and dates go")
    p.add_argument("--shift-days", type=int, metavar="N", help="with --deidentify: move all dates by N days")
    p.add_argument("--audit", type=Path, metavar="LOG", help="note it in this audit log")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, change, write."""
    from feltsense.exporters import export
    from feltsense.importers import open_recording
    from feltsense.store import write
    from feltsense.study import Audit, deidentify, seal_export

    if (args.deidentify is None) != (args.shift_days is None):
        msg = "--deidentify NAME and --shift-days N belong together"
        raise InputError(msg)
    recording = open_recording(args.recording)
    if args.deidentify is not None:
        recording = deidentify(recording, args.deidentify, args.shift_days)
    if args.to is not None:
        seal_export(recording, args.out, args.to)
    elif args.out.suffix.lower() == ".felt":
        write(args.out, recording)
    else:
        export(recording, args.out)
    print(f"{args.out}: recording of {recording.subject} ({'sealed' if args.to else 'not encrypted'})")
    if args.audit is not None:
        print(f"audit: {Audit(args.audit).note('export', str(args.out.name))}")
    return 0
