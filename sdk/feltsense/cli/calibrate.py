"""``feltsense calibrate``: learn a person's rest."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    p = subparsers.add_parser("calibrate", help="learn a person's rest from a recording")
    p.add_argument("recording", help=".felt file, or an E4 folder or zip")
    p.add_argument(
        "--rest", nargs=2, required=True, metavar=("START", "END"), action="append",
        help="interval of known rest: seconds from the first sample, or ISO 8601 (UTC unless an offset is given)",
    )
    p.add_argument("--model", metavar="BUNDLE", help="model to calibrate for (default: the shipped one for stress)")
    p.add_argument("--out", required=True, metavar="PROFILE", help="profile to write, JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Calibrate and write the profile."""
    from feltsense import bundle
    from feltsense.calibration import calibrate
    from feltsense.cli._times import session_ns
    from feltsense.core.profile import RestInterval
    from feltsense.importers import open_recording

    recording = open_recording(args.recording)
    t0 = recording.start_ns
    rest = [RestInterval(session_ns(a, t0), session_ns(b, t0)) for a, b in args.rest]
    profile = calibrate(recording, rest, bundle.load(args.model, runner="numpy"))
    profile.save(args.out)
    sys.stdout.write(f"{args.out}: {profile.lineage[-1]}; {len(profile.rest)} features\n")
    return 0
