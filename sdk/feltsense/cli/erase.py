"""``feltsense erase``: a participant's recordings and key, or one stream of a recording; with the proof."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.errors import InputError

if TYPE_CHECKING:
    import argparse

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    from feltsense.cli._keys import add_keys

    p = commands.add_parser(
        "erase",
        help="erase a participant, or a stream of a recording",
        description="Destroy the key, overwrite and remove the files, then search for what was in them.",
    )
    p.add_argument("where", type=Path, metavar="DIR|FILE", help="folder of recordings; with --stream, one recording")
    p.add_argument("--subject", metavar="NAME", help="erase all of this participant, and the key")
    p.add_argument("--stream", action="append", default=[], metavar="ID", help="take this stream out of FILE; repeatable")
    p.add_argument("--audit", type=Path, metavar="LOG", help="note it in this audit log")
    p.add_argument("--yes", action="store_true", help="do not ask")
    add_keys(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, erase, print the proof."""
    from feltsense.cli._keys import key_of, vault
    from feltsense.study import Audit, erase_participant, erase_streams

    if bool(args.subject) == bool(args.stream):
        msg = "name either --subject NAME with a folder, or --stream ID with a recording"
        raise InputError(msg)
    what = args.subject or ", ".join(args.stream)
    if not args.yes:
        if not sys.stdin.isatty():
            msg = "nothing was erased: it cannot be undone, so say --yes"
            raise InputError(msg)
        print(f"Erase {what} in {args.where}? This cannot be undone. Type the name to go on: ", end="", flush=True)
        if sys.stdin.readline().strip() != what:
            msg = "nothing was erased"
            raise InputError(msg)
    if args.subject:
        proof = erase_participant(args.where, args.subject, vault(args.keys, args.where / "x"))
    else:
        proof = erase_streams(args.where, args.stream, key_of(args.where, args.keys))
    print(f"erased: {what}")
    print(f"  key {proof.key} destroyed" if proof.key else "  no key to destroy")
    for name in proof.files:
        print(f"  {name}")
    print(f"  searched {proof.searched} bytes for {proof.needles} pieces of it: none found")
    if args.audit is not None:
        print(f"  audit: {Audit(args.audit).note('erase', what)}")
    return 0
