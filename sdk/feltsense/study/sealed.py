"""Sealed exports: recordings that only the study can open, not even the phone that made them.

A sealed export is a zip of two members: the recording, encrypted with a fresh key like any encrypted ``.felt`` file,
and that key, encrypted to the study's public key: X25519 with a fresh key pair, HKDF-SHA256 over the shared secret
(both public keys in its context), AES-256-GCM (RFC 9180 does the same with more choices). The fresh secrets are
forgotten when the export is written.
"""

from __future__ import annotations

import base64
import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feltsense.errors import KeyStoreError, MissingExtraError, RecordingError, StudyError
from feltsense.store import DataKey, read, write

if TYPE_CHECKING:
    from feltsense.core.recording import Recording

__all__ = ["new_study_key", "open_export", "seal_export"]

_RECORDING, _KEY = "recording.felt", "key.json"
_FORMAT = "feltsense sealed export 1"
_MOST = 64 << 30
"""No recording is larger: a zip that says so is a bomb."""
_KEY_MOST = 10_000


def new_study_key() -> tuple[str, str]:
    """Make a study's key pair.

    Returns
    -------
    (str, str)
        The private key, to be kept where exports are opened and nowhere else, and the public key for the study file.
    """
    x = _x25519()
    private = x.X25519PrivateKey.generate()
    return _text(private.private_bytes_raw()), _text(private.public_key().public_bytes_raw())


def seal_export(recording: Recording, out: str | os.PathLike[str], public_key: str) -> None:
    """Write a recording that only the holder of the study's private key can open.

    Raises
    ------
    StudyError
        If the public key is none, or `out` exists or cannot be made.
    """
    target = Path(out)
    if target.exists():
        msg = f"{target}: already exists and is not overwritten; choose another name"
        raise StudyError(msg)
    key = DataKey.new()
    head = json.dumps({"format": _FORMAT, "id": key.id, **_wrapped(key, public_key)}, indent=1)
    part = target.with_name(f"{target.name}.part")
    try:
        write(part, recording, overwrite=True, key=key)
        with zipfile.ZipFile(target, "x", zipfile.ZIP_STORED, allowZip64=True) as file:
            file.writestr(_KEY, head)
            file.write(part, _RECORDING)
        with target.open("rb+") as done:
            os.fsync(done.fileno())
    except OSError as e:
        target.unlink(missing_ok=True)
        msg = f"{target}: cannot be written ({e.strerror})"
        raise StudyError(msg) from e
    finally:
        # What is in it is encrypted with a key that is forgotten with this function.
        part.unlink(missing_ok=True)


def open_export(path: str | os.PathLike[str], private_key: str) -> Recording:
    """Open a sealed export.

    Raises
    ------
    StudyError
        If it is no sealed export, damaged, or sealed to another study's key.
    """
    import tempfile

    where = Path(path)
    try:
        with zipfile.ZipFile(where) as file, tempfile.TemporaryDirectory(prefix="feltsense-") as folder:
            if {i.filename for i in file.infolist()} != {_KEY, _RECORDING}:
                msg = f"{where}: is a zip, but no sealed export"
                raise StudyError(msg)
            if file.getinfo(_KEY).file_size > _KEY_MOST or file.getinfo(_RECORDING).file_size > _MOST:
                msg = f"{where}: is larger than any export; it was changed"
                raise StudyError(msg)
            head = json.loads(file.read(_KEY))
            key = _unwrapped(where, head, private_key)
            inner = Path(file.extract(_RECORDING, folder))
            return read(inner, key)
    except (zipfile.BadZipFile, OSError, ValueError, KeyError, TypeError, EOFError, NotImplementedError) as e:
        msg = f"{where}: is no sealed export, or damaged ({e}); get it again"
        raise StudyError(msg) from e
    except (RecordingError, KeyStoreError) as e:
        msg = f"{where}: the recording in it is damaged; get it again ({e})"
        raise StudyError(msg) from e


def _wrapped(key: DataKey, public_key: str) -> dict[str, str]:
    x = _x25519()
    try:
        public = x.X25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
    except ValueError as e:
        msg = "the study's public key is no X25519 key in base64; take it from the study file"
        raise StudyError(msg) from e
    private = x.X25519PrivateKey.generate()
    ephemeral = private.public_key().public_bytes_raw()
    nonce = os.urandom(12)
    box = _box(private.exchange(public), ephemeral, public.public_bytes_raw())
    return {
        "ephemeral": _text(ephemeral),
        "to": public_key,
        "sealed": _text(nonce + box.encrypt(nonce, key.secret, f"{_FORMAT}|{key.id}".encode())),
    }


def _unwrapped(path: Path, head: dict[str, Any], private_key: str) -> DataKey:
    from cryptography.exceptions import InvalidTag

    x = _x25519()
    try:
        private = x.X25519PrivateKey.from_private_bytes(base64.b64decode(private_key.strip(), validate=True))
    except ValueError as e:
        msg = "the private key is no X25519 key in base64; it is the first line that `feltsense study key` printed"
        raise StudyError(msg) from e
    if head["format"] != _FORMAT:
        msg = f"{path}: is of another version; update feltsense"
        raise StudyError(msg)
    mine = private.public_key().public_bytes_raw()
    ephemeral = base64.b64decode(head["ephemeral"], validate=True)
    box = _box(private.exchange(x.X25519PublicKey.from_public_bytes(ephemeral)), ephemeral, mine)
    sealed = base64.b64decode(head["sealed"], validate=True)
    try:
        return DataKey(head["id"], box.decrypt(sealed[:12], sealed[12:], f"{_FORMAT}|{head['id']}".encode()))
    except InvalidTag:
        to = "this key" if head["to"] == _text(mine) else "another key"
        msg = f"{path}: does not open; it says that it is sealed to {to}, or it was changed"
        raise StudyError(msg) from None


def _box(shared: bytes, ephemeral: bytes, public: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=_FORMAT.encode() + ephemeral + public)
    return AESGCM(kdf.derive(shared))


def _x25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import x25519
    except ImportError:
        raise MissingExtraError("store", "a sealed export") from None
    return x25519


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
