"""``feltsense report``: one page about one recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.errors import InputError

if TYPE_CHECKING:
    import argparse

__all__ = ["add", "run"]

ENDINGS = (".html", ".htm")
"""Kinds of report that exist."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    p = commands.add_parser(
        "report",
        help="write one page about a recording",
        description="Write one self-contained HTML page: numbers at rest and afterwards, estimates, every gap.",
    )
    p.add_argument("recording", type=Path, help="a .felt file, or an E4 folder or zip")
    p.add_argument("--out", type=Path, required=True, metavar="REPORT.html", help="page to write")
    p.add_argument("--profile", type=Path, metavar="USER.json", help="profile made by: feltsense calibrate")
    p.add_argument("--model", type=Path, metavar="BUNDLE", help="model bundle (default: the one that comes with feltsense)")
    p.add_argument("--hop", type=float, default=5.0, help="seconds between two estimates (default: %(default)g)")
    p.add_argument("--contact", default="", metavar="TEXT", help="whom to ask about the report, printed at its foot")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, predict, write."""
    if args.out.suffix.lower() not in ENDINGS:
        msg = f"{args.out}: reports are written as {' or '.join(ENDINGS)}; give --out a name with that ending"
        raise InputError(msg)
    from feltsense import bundle, session
    from feltsense.core.profile import UserProfile
    from feltsense.importers import open_recording
    from feltsense.report import html, summarise
    from feltsense.report.summary import model_line

    recording = open_recording(args.recording)
    profile = None if args.profile is None else UserProfile.load(args.profile)
    model = bundle.load(args.model)
    predictions = session.predict(recording, model, profile, args.hop)
    summary = summarise(recording, predictions, profile, model=model_line(model))
    args.out.write_text(html(summary, args.contact), encoding="utf-8")
    print(f"{args.out}: report on {recording.subject}, {len(summary.sampled_gaps)} gaps, {len(summary.notices)} notices")
    return 0
