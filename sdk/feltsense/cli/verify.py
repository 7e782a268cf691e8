"""``feltsense verify``: whether a recording is whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.errors import KeyStoreError, RecordingError

if TYPE_CHECKING:
    import argparse

    from feltsense.store.keys import Keyring

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
    p.add_argument("recording", type=Path, help="a .felt file, or a folder of them")
    add_keys(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify and print."""
    from feltsense.cli._keys import not_opened
    from feltsense.store.keys import Keyring

    ring = Keyring(args.keys)
    if not args.recording.is_dir():
        wrong, why = _one(args.recording, ring)
        if wrong:
            raise RecordingError(wrong)
        if why is not None:
            print(f"  structure and checksums only: the rows were not opened ({why})")
        return 0
    paths = sorted(args.recording.rglob("*.felt"))
    if not paths:
        msg = f"{args.recording}: holds no .felt file; name a recording, or the folder of some"
        raise RecordingError(msg)
    outcomes = []
    for path in paths:
        try:
            outcomes.append(_one(path, ring))
        except RecordingError as e:
            outcomes.append((str(e), None))
    shut = [why for _, why in outcomes if why is not None]
    if shut:
        print(f"structure and checksums only: {not_opened(len(shut), shut[0])}")
    wrong_ones = [wrong for wrong, _ in outcomes if wrong]
    for wrong in wrong_ones[1:]:
        print(wrong)
    if wrong_ones:
        msg = f"{len(wrong_ones)} of {len(paths)} recordings are damaged: {wrong_ones[0]}"
        raise RecordingError(msg)
    return 0


def _one(path: Path, ring: Keyring) -> tuple[str, KeyStoreError | None]:
    """Look at one recording: what is wrong with it, and why its rows could not be opened."""
    from feltsense.store import key_id, verify

    key, why = None, None
    try:
        if (sealed := key_id(path)) is not None:
            key = ring.key(path, sealed)
    except KeyStoreError as e:
        # What needs no key is looked at all the same.
        why = e
    verdict = verify(path, key)
    how = "encrypted" if verdict.sealed else "not encrypted"
    for what in verdict.wrong[:MOST]:
        print(f"{path}: {what}")
    if verdict.wrong:
        more = f" (the first {MOST} are listed)" if len(verdict.wrong) > MOST else ""
        findings = f"{path}: is damaged, {len(verdict.wrong)} findings{more}"
        return f"{findings}; save what is left with: feltsense salvage FILE --out NEW.felt", why
    print(f"{path}: whole, {verdict.rows} rows, {how}")
    return "", why
