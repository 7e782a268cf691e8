"""The participant's key: recordings are sealed with it, and so are the baseline and the answers beside them.

Rules
-----
- The key is wrapped by the system's key store, or by a secret that the platform gives (:meth:`Phone.secret`).
- Where there is neither, and never was a key, nothing is sealed, and home says so with the reason. Where there is a key
  that does not open, nothing is recorded: what was promised to be sealed is not written plainly instead.
- Erasing destroys the key first.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from feltsense.errors import KeyStoreError, MissingExtraError
from feltsense.store import Vault
from feltsense.store.seal import Seal

if TYPE_CHECKING:
    from pathlib import Path

    from feltsense.store import DataKey

__all__ = ["FOLDER", "Safe"]

FOLDER = "keys"
"""Beside the recordings, where the command line looks for it, too."""
MARK = "sealed:"


class Safe:
    """A participant's key, once it is open.

    Parameters
    ----------
    folder : Path
        Of the recordings.
    secret : str or None
        What wraps the keys; None: the system's key store does.
    """

    def __init__(self, folder: Path, secret: str | None) -> None:
        self.vault = Vault(folder / FOLDER, secret)
        self.key: DataKey | None = None
        self.why = ""
        """Why nothing is sealed, in words; empty where it is."""

    def open(self, subject: str) -> None:
        """Open a participant's key, made if there is none.

        Raises
        ------
        KeyStoreError, MissingExtraError
            If there is a key and it does not open.
        """
        known = subject in self.vault.subjects()
        try:
            self.key, self.why = self.vault.key(subject), ""
        except (KeyStoreError, MissingExtraError) as error:
            if known:
                raise
            self.key, self.why = None, str(error)

    def close(self) -> None:
        """Forget the key."""
        self.key, self.why = None, ""

    def seal(self, text: str, place: str) -> str:
        """One line of letters that says the text to who has the key; `place` says what it is, so that none is swapped."""
        if self.key is None:
            return text
        return MARK + base64.b64encode(Seal(self.key, place).seal(text.encode(), place.encode())).decode()

    def unseal(self, line: str, place: str) -> str:
        """What was sealed; what was not comes back as it is.

        Raises
        ------
        ValueError
            If it was changed, or belongs to another key.
        """
        if not line.startswith(MARK):
            return line
        if self.key is None:
            msg = "it is sealed, and its key is not open"
            raise ValueError(msg)
        try:
            sealed = base64.b64decode(line.removeprefix(MARK), validate=True)
        except binascii.Error as error:
            msg = "it is damaged"
            raise ValueError(msg) from error
        return Seal(self.key, place).open(sealed, place.encode()).decode()
