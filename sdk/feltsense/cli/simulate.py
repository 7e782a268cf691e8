"""``feltsense simulate``: a synthetic participant, written to a recording file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    from feltsense.cli._keys import add_encrypt

    p = commands.add_parser(
        "simulate",
        help="write the recording of a synthetic participant",
        description="Write the recording of a synthetic participant: chest strap and wrist board, through rest, stress and "
        "recovery. The same seed gives the same recording.",
    )
    p.add_argument("--out", type=Path, required=True, metavar="REC.felt", help="file to write; it must not exist")
    p.add_argument("--seed", type=int, default=1, metavar="N", help="which participant (default: %(default)s)")
    p.add_argument("--minutes", type=float, default=14.0, metavar="M", help="length, at least 7 (default: %(default)g)")
    add_encrypt(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the file and say what to do next."""
    from feltsense.cli._keys import sealing_key
    from feltsense.core.event import EventKind
    from feltsense.datasets.synthetic import participant
    from feltsense.store import write

    recording = participant(args.seed, args.minutes)
    write(args.out, recording, key=sealing_key(args, recording.subject))
    print(f"{args.out}: {args.minutes:g} minutes of {recording.subject}, who does not exist")
    t0 = recording.start_ns
    for event in recording.events:
        if event.kind is EventKind.LABEL:
            start = (event.t_ns - t0) / 1e9
            print(f"  {start:6.0f} to {start + event.value:5.0f} s  {event.text}")
    print("Next:")
    print(f"  feltsense info {args.out}")
    print(f"  feltsense calibrate {args.out} --rest 0 270 --out user.json")
    print(f"  feltsense predict {args.out} --profile user.json --out predictions.csv")
    print(f"  feltsense replay {args.out} --profile user.json --speed 60")
    print(f"  feltsense report {args.out} --profile user.json --out report.html")
    return 0
