"""The keys of encrypted recordings on the command line: where they are, and who wraps them.

The folder of the keys is ``--keys``, else ``FELTSENSE_KEYS``, else ``keys`` beside the recording. The passphrase is
``FELTSENSE_PASSPHRASE``, else asked for on a terminal, else the system's key store is used.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from feltsense.store import DataKey, Vault

__all__ = ["add_keys", "key_of", "vault"]


def add_keys(p: argparse.ArgumentParser) -> None:
    """Add the option that names the folder of the keys."""
    p.add_argument(
        "--keys",
        type=Path,
        metavar="DIR",
        help="folder of the participants' keys (default: $FELTSENSE_KEYS, else `keys` beside the recording); "
        "a passphrase is taken from $FELTSENSE_PASSPHRASE, without one the system's key store is asked",
    )


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
