"""``feltsense import``: a recording in a foreign format becomes a ``.felt`` file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add", "run"]

OPTIONS = ("schema", "channel", "annotator", "region", "start")
"""Words of the command line that go to the importer; it refuses those that it does not know."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    from feltsense.cli._keys import add_encrypt

    p = commands.add_parser(
        "import",
        help="turn a foreign recording into a .felt file",
        description="Turn a foreign recording into a .felt file: e4 (Empatica folder or zip), wfdb, csv, video, wav.",
    )
    p.add_argument("format", help="e4, wfdb, csv, video or wav (a voice as measures; the sound is not kept)")
    p.add_argument("source", type=Path, help="folder, zip, record or file")
    p.add_argument("--subject", metavar="ID", help="pseudonym (default: name of the source)")
    p.add_argument("--out", type=Path, required=True, metavar="FILE.felt", help="file to write")
    p.add_argument("--force", action="store_true", help="replace FILE.felt if it exists")
    p.add_argument("--schema", metavar="S.json", help="csv: what the columns are")
    p.add_argument("--channel", metavar="LEAD", help="wfdb: the ECG lead to use (default: the first)")
    p.add_argument("--annotator", metavar="SUFFIX", help="wfdb: annotation file to read (default: atr, if there is one)")
    p.add_argument(
        "--region", metavar="R", help="video: auto (default), face, frame (all is skin), or X,Y,WIDTH,HEIGHT in pixels"
    )
    p.add_argument("--start", metavar="TIME", help="video: when the first frame was taken (ISO 8601)")
    add_encrypt(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read and write."""
    from feltsense import store
    from feltsense.cli._keys import sealing_key
    from feltsense.errors import RecordingError
    from feltsense.importers import importer

    read = importer(args.format)
    if args.out.exists() and not args.force:
        # Said before minutes of reading, not after.
        msg = f"{args.out}: already exists and is not overwritten; choose another name, or add --force"
        raise RecordingError(msg)
    source = args.source.resolve()
    subject = args.subject or (source.name if source.is_dir() else source.stem)
    options = {name: value for name in OPTIONS if (value := getattr(args, name)) is not None}
    recording = read(args.source, subject, options)
    # After reading: a source that cannot be read leaves no key behind either.
    store.write(args.out, recording, overwrite=args.force, key=sealing_key(args, subject))
    note = recording.metadata.get("note", "")
    print(
        f"{args.out}: {recording.subject}, {len(recording.streams)} streams, {recording.seconds:.0f} s, "
        f"{len(recording.events)} events{f' (note: {note})' if note else ''}"
    )
    return 0
