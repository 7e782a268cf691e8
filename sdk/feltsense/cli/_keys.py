"""The keys of encrypted recordings on the command line: where they are, and who wraps them.

Rules
-----
- The folder of the keys is ``--keys``, else ``FELTSENSE_KEYS``, else ``keys`` beside the recording.
- The passphrase is ``FELTSENSE_PASSPHRASE``. Without one the system's key store is used; a key that needs a passphrase
  asks for it on a terminal (:func:`with_passphrase`) and is an error elsewhere.
- What makes recordings encrypts with ``--encrypt``, and makes the participant's key the first time.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from feltsense.store import DataKey, Vault

__all__ = ["add_encrypt", "add_keys", "key_of", "not_opened", "sealing_key", "vault", "with_passphrase"]


def add_keys(p: argparse.ArgumentParser) -> None:
    """Add the option that names the folder of the keys."""
    p.add_argument(
        "--keys",
        type=Path,
        metavar="DIR",
        help="folder of the participants' keys (default: $FELTSENSE_KEYS, else `keys` beside the recording); "
        "a passphrase is taken from $FELTSENSE_PASSPHRASE, without one the system's key store is asked",
    )


def add_encrypt(p: argparse.ArgumentParser) -> None:
    """Add the options of a command that makes a recording."""
    p.add_argument(
        "--encrypt",
        action="store_true",
        help="encrypt the recording with the participant's key, which is made if there is none; "
        "nothing is written if that cannot be done",
    )
    add_keys(p)


def sealing_key(args: argparse.Namespace, subject: str) -> DataKey | None:
    """The key that ``--encrypt`` asks for; None without it."""
    from feltsense.errors import InputError

    if args.encrypt:
        return vault(args.keys, args.out).key(subject)
    if args.keys is not None:
        msg = "--keys says where the keys are; to encrypt with them add --encrypt"
        raise InputError(msg)
    return None


def with_passphrase(command: Callable[[], int]) -> int:
    """Run a command; if it needs a passphrase and there is a terminal, ask and run it again.

    Keys are looked for before anything is written, so what is run twice has changed nothing yet.
    """
    from feltsense.errors import KeyStoreError, PassphraseError
    from feltsense.store.keys import PASSPHRASE_VARIABLE

    try:
        return command()
    except PassphraseError as needed:
        if not sys.stdin.isatty():
            raise
        import getpass

        passphrase = getpass.getpass("New passphrase: " if needed.new else "Passphrase: ")
        if needed.new and getpass.getpass("Once more: ") != passphrase:
            msg = "the two passphrases differ; nothing was written"
            raise KeyStoreError(msg) from None
        # In the environment, where the workers of a command find it too.
        os.environ[PASSPHRASE_VARIABLE] = passphrase
    try:
        return command()
    finally:
        del os.environ[PASSPHRASE_VARIABLE]


def vault(folder: Path | None, recording: Path) -> Vault:
    """The vault that the command line names."""
    from feltsense.store.keys import KEYS_VARIABLE, PASSPHRASE_VARIABLE, Vault

    where = folder or Path(os.environ.get(KEYS_VARIABLE) or recording.parent / "keys")
    return Vault(where, os.environ.get(PASSPHRASE_VARIABLE) or None)


def key_of(recording: Path, folder: Path | None) -> DataKey | None:
    """The key that seals a recording; None where it is plain."""
    from feltsense.store import key_id

    sealed = key_id(recording)
    return None if sealed is None else vault(folder, recording).by_id(sealed)


def not_opened(count: int, why: Exception) -> str:
    """That so many recordings stayed closed, the first one's reason, and how to open them."""
    from feltsense.store.keys import KEYS_VARIABLE, PASSPHRASE_VARIABLE

    what = "1 recording is encrypted and was" if count == 1 else f"{count} recordings are encrypted and were"
    how = f"the passphrase is taken from {PASSPHRASE_VARIABLE}, the folder of the keys from {KEYS_VARIABLE}"
    reason = str(why).partition("; ")[0]
    return f"{what} not opened ({reason}); {how}, and without a passphrase the system's key store is asked"
