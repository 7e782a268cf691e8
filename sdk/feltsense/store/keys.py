"""Participants' keys: a folder with one wrapped key a participant.

Rules
-----
- A participant has one random data key. It is stored wrapped, never plain: by a key in the operating system's key
  store, or by a key derived from a passphrase (scrypt). Recordings hold the data key's id and nothing more, so
  destroying the one small file here makes every copy of the recordings unreadable, wherever it is.
- A key file is written whole and beside, then moved: a crash leaves the old one or the new one. It is never replaced.
- No key store that keeps secrets in plain text is used.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feltsense.errors import KeyStoreError, MissingExtraError, PassphraseError
from feltsense.store.seal import KEY_BYTES, DataKey, Seal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KEYS_VARIABLE", "PASSPHRASE_VARIABLE", "Keyring", "Vault"]

PASSPHRASE_VARIABLE = "FELTSENSE_PASSPHRASE"  # noqa: S105 (a name, no secret)
KEYS_VARIABLE = "FELTSENSE_KEYS"
SERVICE = "feltsense"
"""Name under which the operating system's key store keeps ours."""
SCRYPT = {"n": 2**15, "r": 8, "p": 3}
"""OWASP Password Storage Cheat Sheet: 32 MiB, three passes; as strong as 128 MiB in one, and a phone has the memory."""
_MOST_N, _MOST_RP = 2**20, 64
"""A file may not ask for more work than a minute: it may be a stranger's."""
_SUFFIX = ".key.json"
_FORMAT = "feltsense key 1"


class Vault:
    """A folder of wrapped keys.

    Parameters
    ----------
    folder : str or path-like
        Where the key files are; made when the first key is.
    passphrase : str, optional
        Wraps the keys. Without one the operating system's key store does.

    Raises
    ------
    KeyStoreError
        If the passphrase is empty.
    """

    def __init__(self, folder: str | os.PathLike[str], passphrase: str | None = None) -> None:
        if passphrase is not None and not passphrase:
            msg = f"{folder}: the passphrase is empty; give one, or none to use the system's key store"
            raise KeyStoreError(msg)
        self.folder = Path(folder)
        self._passphrase = passphrase

    def __repr__(self) -> str:
        return f"Vault({str(self.folder)!r})"

    def make(self, subject: str) -> DataKey:
        """Make a participant's key.

        Raises
        ------
        KeyStoreError
            If the participant has one, or it cannot be stored.
        """
        path = self._named(subject)
        if path is not None:
            msg = f"{path}: {subject} has a key already; it is not replaced, since what it sealed could not be read again"
            raise KeyStoreError(msg)
        key = DataKey.new()
        wrap, how = self._wrapping(key.id)
        about = {"format": _FORMAT, "id": key.id, "subject": subject, "wrap": how}
        sealed = Seal(DataKey(key.id, wrap), _FORMAT).seal(key.secret, _place(about))
        self._store(key.id, about | {"sealed": base64.b64encode(sealed).decode()})
        return key

    def key(self, subject: str) -> DataKey:
        """A participant's key, made if there is none."""
        path = self._named(subject)
        return self.make(subject) if path is None else self._open(path)

    def by_id(self, key_id: str) -> DataKey:
        """The key that a recording names.

        Raises
        ------
        KeyStoreError
            If it is not here, or the passphrase is wrong.
        """
        path = self.folder / f"{key_id}{_SUFFIX}"
        if not key_id.isalnum() or not path.exists():
            msg = f"{self.folder}: has no key {key_id}; name the folder of the keys, or the key was destroyed"
            raise KeyStoreError(msg)
        return self._open(path)

    def subjects(self) -> dict[str, str]:
        """Participant → key id."""
        return {about["subject"]: about["id"] for about in map(_load, self._files())}

    def destroy(self, subject: str) -> str:
        """Destroy a participant's key: overwrite and remove its file, remove it from the system's key store.

        Returns
        -------
        str
            The key's id.

        Raises
        ------
        KeyStoreError
            If the participant has no key here.
        """
        path = self._named(subject)
        if path is None:
            msg = f"{self.folder}: {subject} has no key here; known: {', '.join(sorted(self.subjects())) or 'none'}"
            raise KeyStoreError(msg)
        about = _load(path)
        if about["wrap"]["by"] == "system":
            _system_remove(about["id"])
        overwrite(path)
        path.unlink()
        _sync(self.folder)
        return str(about["id"])

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob(f"*{_SUFFIX}"))

    def _named(self, subject: str) -> Path | None:
        return next((p for p in self._files() if _load(p)["subject"] == subject), None)

    def _wrapping(self, key_id: str) -> tuple[bytes, dict[str, Any]]:
        """A fresh wrapping key, and how to get it again."""
        if self._passphrase is None:
            wrap = secrets.token_bytes(KEY_BYTES)
            _system_put(key_id, wrap)
            return wrap, {"by": "system"}
        how = {"by": "passphrase", "salt": secrets.token_hex(16), **SCRYPT}
        return _derive(self._passphrase, how), how

    def _open(self, path: Path) -> DataKey:
        about = _load(path)
        how = about["wrap"]
        if how["by"] == "system":
            wrap = _system_get(about["id"])
        elif self._passphrase is None:
            msg = f"{path}: is wrapped by a passphrase; give it, for the command line in {PASSPHRASE_VARIABLE}"
            raise PassphraseError(msg)
        else:
            wrap = _derive(self._passphrase, how)
        plain = {k: about[k] for k in ("format", "id", "subject", "wrap")}
        try:
            sealed = base64.b64decode(about["sealed"], validate=True)
            return DataKey(about["id"], Seal(DataKey(about["id"], wrap), _FORMAT).open(sealed, _place(plain)))
        except ValueError:
            what = "the system's key store has another key" if how["by"] == "system" else "the passphrase is wrong"
            msg = f"{path}: {what}, or the file was changed; nothing was opened"
            raise KeyStoreError(msg) from None

    def _store(self, key_id: str, content: Mapping[str, Any]) -> None:
        target = self.folder / f"{key_id}{_SUFFIX}"
        part = target.with_suffix(".part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
            _sync(self.folder)
        except OSError as e:
            msg = f"{target}: the key cannot be stored ({e.strerror}); nothing is encrypted without it"
            raise KeyStoreError(msg) from e


class Keyring:
    """Keys of recordings as the environment names them, each unwrapped once: that takes a quarter of a second.

    The folder is in ``FELTSENSE_KEYS`` (else ``keys`` beside the recording), the passphrase in
    ``FELTSENSE_PASSPHRASE`` (else the system's key store is asked).

    Parameters
    ----------
    folder : Path, optional
        Where the keys are, whatever the environment says.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._known: dict[tuple[Path, str], DataKey | KeyStoreError] = {}

    def key(self, path: Path, key_id: str) -> DataKey:
        """The key of a recording, which names it.

        Raises
        ------
        KeyStoreError
            If it is not there, or the passphrase is missing or wrong.
        """
        folder = self._folder or Path(os.environ.get(KEYS_VARIABLE) or path.parent / "keys")
        if (folder, key_id) not in self._known:
            try:
                self._known[folder, key_id] = Vault(folder, os.environ.get(PASSPHRASE_VARIABLE) or None).by_id(key_id)
            except KeyStoreError as e:
                self._known[folder, key_id] = e
        found = self._known[folder, key_id]
        if isinstance(found, KeyStoreError):
            raise found
        return found


def overwrite(path: Path) -> None:
    """Overwrite a file with zeros and sync, in place.

    On flash memory the old cells may live on until the medium reuses them: what makes data unreadable there is the
    destroyed key.
    """
    size = path.stat().st_size
    with path.open("r+b", buffering=0) as file:
        left = size
        while left:
            left -= file.write(bytes(min(left, 1 << 20))) or 0
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _place(about: Mapping[str, Any]) -> bytes:
    return json.dumps(about, sort_keys=True).encode()


def _load(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        how = about["wrap"]
        good = about["format"] == _FORMAT and how["by"] in ("system", "passphrase")
        good = good and all(isinstance(about[k], str) for k in ("id", "subject", "sealed"))
        if how["by"] == "passphrase":
            good = good and isinstance(how["salt"], str) and all(isinstance(how[k], int) for k in SCRYPT)
            good = good and 1 < how["n"] <= _MOST_N and 0 < how["r"] * how["p"] <= _MOST_RP
            bytes.fromhex(how["salt"])
    except (OSError, ValueError, KeyError, TypeError) as e:
        msg = f"{path}: is no key file or damaged ({e}); restore it from a copy"
        raise KeyStoreError(msg) from e
    if not good:
        msg = f"{path}: is a key file of another version or damaged; restore it from a copy or update feltsense"
        raise KeyStoreError(msg)
    return dict(about)


def _derive(passphrase: str, how: Mapping[str, Any]) -> bytes:
    try:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
    except ImportError:
        raise MissingExtraError("store", "an encrypted recording") from None
    import unicodedata

    # The same passphrase typed on another keyboard may come composed differently.
    text = unicodedata.normalize("NFKC", passphrase).encode()
    try:
        kdf = Scrypt(salt=bytes.fromhex(how["salt"]), length=KEY_BYTES, n=how["n"], r=how["r"], p=how["p"])
        return kdf.derive(text)
    except (ValueError, MemoryError) as e:
        msg = f"the key cannot be derived from the passphrase ({e}); the key file was changed"
        raise KeyStoreError(msg) from e


def _keyring() -> Any:
    try:
        import keyring
    except ImportError:
        raise MissingExtraError("store", "the system's key store") from None
    backend = keyring.get_keyring()
    where = type(backend).__module__
    # Backends that store nothing, or store it for everybody to read.
    if where.startswith(("keyring.backends.fail", "keyring.backends.null", "keyrings.alt")):
        msg = (
            f"this system has no key store that keeps a secret (found {where}); use a passphrase, "
            f"for the command line in {PASSPHRASE_VARIABLE}"
        )
        raise PassphraseError(msg, new=True)
    return backend


def _system_put(key_id: str, wrap: bytes) -> None:
    backend = _keyring()
    text = base64.b64encode(wrap).decode()
    try:
        backend.set_password(SERVICE, key_id, text)
        kept = backend.get_password(SERVICE, key_id)
    except Exception as e:
        msg = f"the system's key store refuses ({e}); unlock it, or use a passphrase"
        raise KeyStoreError(msg) from e
    if kept != text:
        msg = "the system's key store does not keep what it is given; use a passphrase"
        raise KeyStoreError(msg)


def _system_get(key_id: str) -> bytes:
    try:
        text = _keyring().get_password(SERVICE, key_id)
        wrap = base64.b64decode(text or "", validate=True)
    except KeyStoreError:
        raise
    except Exception as e:
        msg = f"the system's key store refuses ({e}); unlock it"
        raise KeyStoreError(msg) from e
    if len(wrap) != KEY_BYTES:
        msg = f"the system's key store has no key {key_id}: it was destroyed, or made on another machine"
        raise KeyStoreError(msg)
    return wrap


def _system_remove(key_id: str) -> None:
    backend = _keyring()
    try:
        if backend.get_password(SERVICE, key_id) is not None:
            backend.delete_password(SERVICE, key_id)
        gone = backend.get_password(SERVICE, key_id) is None
    except Exception as e:
        msg = f"the system's key store refuses ({e}); unlock it, then erase again"
        raise KeyStoreError(msg) from e
    if not gone:
        msg = f"the system's key store still has key {key_id} after its removal; remove it there by hand"
        raise KeyStoreError(msg)
