"""``feltsense verify``: whether a recording is whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.errors import KeyStoreError, RecordingError

if TYPE_CHECKING:
    import argparse

__all__ = ["add", "run"]

MOST = 20
"""Findings that are listed; the others are counted."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    from feltsense.cli._keys import add_keys

    p = commands.add_parser(
        "verify",
        help="check that a recording is whole",
        description="Look at every row of a recording: checksums, seals, counts. Nothing is changed.",
    )
    p.add_argument("recording", type=Path, help="a .felt file")
    add_keys(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify and print."""
    from feltsense.cli._keys import key_of
    from feltsense.store import verify

    note = ""
    try:
        key = key_of(args.recording, args.keys)
    except KeyStoreError as e:
        # What needs no key is looked at all the same.
        key, note = None, str(e)
    verdict = verify(args.recording, key)
    how = "encrypted" if verdict.sealed else "not encrypted"
    for what in verdict.wrong[:MOST]:
        print(f"{args.recording}: {what}")
    if verdict.wrong:
        more = f" (the first {MOST} are listed)" if len(verdict.wrong) > MOST else ""
        msg = (
            f"{args.recording}: is damaged, {len(verdict.wrong)} findings{more}; "
            "save what is left with: feltsense salvage FILE --out NEW.felt"
        )
        raise RecordingError(msg)
    print(f"{args.recording}: whole, {verdict.rows} rows, {how}")
    if not verdict.opened:
        print(f"  structure and checksums only: the rows were not opened ({note})")
    return 0
