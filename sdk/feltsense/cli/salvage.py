"""``feltsense salvage``: what is left of a damaged recording, and what is lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    from feltsense.cli._keys import add_keys

    p = commands.add_parser(
        "salvage",
        help="save what is left of a damaged recording",
        description="Save every row that is still whole in a new file, and say how many samples are lost.",
    )
    p.add_argument("recording", type=Path, help="the damaged .felt file; it is only read")
    p.add_argument("--out", type=Path, required=True, metavar="NEW.felt", help="file to write; it must not exist")
    add_keys(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Salvage and print the account."""
    from feltsense.cli._keys import key_of
    from feltsense.errors import KeyStoreError, RecordingError
    from feltsense.store import salvage

    try:
        key = key_of(args.recording, args.keys)
    except KeyStoreError:
        raise
    except RecordingError:
        # So damaged that it does not say whether it is encrypted: salvage finds out from the rows.
        key = None
    account = salvage(args.recording, args.out, key)
    width = max((len(s.id) for s in account.streams), default=0)
    for s in account.streams:
        lost = "unknown" if s.lost is None else str(s.lost)
        print(f"{s.id:<{width}}  saved {s.kept:>9}  lost {lost:>9}  at {s.breaks} places")
    lost = "an unknown number" if account.events_lost is None else str(account.events_lost)
    print(f"events: {account.events} saved, {lost} lost")
    for note in account.notes:
        print(f"note: {note}")
    print(f"{args.out}  (look at it with: feltsense info {args.out})")
    return 0
