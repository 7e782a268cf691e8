"""Sealing rows: AES-256-GCM, bound to their place in their recording.

Rules
-----
- A row's content is sealed as a whole; its place (recording, table, row, and for samples stream, segment and sample)
  is the associated data: a row that was moved, swapped or copied from another recording does not open.
- Nonces are 96 random bits (NIST SP 800-38D, 8.2.2: good for 2³² rows a key; a person's lifetime of 10 s rows is 2²⁸).
- What is not sealed does not exist: a sealed recording with a plain row is refused, so nobody can slip one in.
"""

from __future__ import annotations

import json
import os
import secrets
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from feltsense.errors import MissingExtraError, RecordingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["KEY_BYTES", "DataKey", "Seal", "pack_fields", "unpack_fields"]

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one participant's recordings.

    Attributes
    ----------
    id : str
        Names the key in a recording; says nothing about the participant.
    secret : bytes
        32 random bytes; never shown.
    """

    id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            msg = f"a data key has {KEY_BYTES} bytes, this one {len(self.secret)}"
            raise ValueError(msg)

    @classmethod
    def new(cls) -> DataKey:
        """Make a key from the system's random numbers."""
        return cls(secrets.token_hex(8), secrets.token_bytes(KEY_BYTES))


class Seal:
    """Seals and opens the rows of one recording.

    Parameters
    ----------
    key : DataKey
        The participant's key.
    recording : str
        The recording's own random name, which every row is bound to.

    Raises
    ------
    MissingExtraError
        If the cryptography library is not installed.
    RecordingError
        If it is there and does not encrypt.
    """

    def __init__(self, key: DataKey, recording: str) -> None:
        self.key = key
        self.recording = recording
        self._box = _aesgcm(key.secret)
        # A broken or replaced library must not write plaintext: what is sealed must differ, and open again.
        probe = secrets.token_bytes(64)
        sealed = self.seal(probe, b"probe")
        if (
            probe[:16] in sealed
            or len(sealed) != len(probe) + NONCE_BYTES + TAG_BYTES
            or self.open(sealed, b"probe") != probe
        ):
            msg = "encryption was asked for and is not in force: the cryptography library gives back what it was given"
            raise RecordingError(msg)

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Nonce, ciphertext and tag."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._box.encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Content of sealed bytes.

        Raises
        ------
        ValueError
            If they were changed, belong elsewhere, or another key sealed them.
        """
        from cryptography.exceptions import InvalidTag

        if len(sealed) < NONCE_BYTES + TAG_BYTES:
            msg = "the sealed bytes are cut off"
            raise ValueError(msg)
        try:
            return self._box.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
        except InvalidTag:
            msg = "the seal does not open: the row was changed or moved"
            raise ValueError(msg) from None

    def place(self, table: str, row: int, *fields: object) -> bytes:
        """Associated data of a row."""
        return json.dumps([self.recording, table, row, *fields]).encode()


def pack_fields(fields: Sequence[object]) -> bytes:
    """A row's fields as bytes: JSON for what JSON holds exactly, raw bytes behind it."""
    blobs = [f for f in fields if isinstance(f, bytes)]
    plain = [{"b": len(f)} if isinstance(f, bytes) else f for f in fields]
    head = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    return struct.pack("<I", len(head)) + head + b"".join(blobs)


def unpack_fields(raw: bytes) -> list[Any]:
    """Fields of bytes; ValueError where they are none."""
    if len(raw) < 4:
        msg = "a row's fields are cut off"
        raise ValueError(msg)
    (length,) = struct.unpack_from("<I", raw)
    fields = json.loads(raw[4 : 4 + length])
    at = 4 + length
    for i, value in enumerate(fields):
        if isinstance(value, dict):
            fields[i] = raw[at : at + value["b"]]
            at += value["b"]
    if at != len(raw):
        msg = "a row's fields do not add up"
        raise ValueError(msg)
    return list(fields)


def _aesgcm(secret: bytes) -> AESGCM:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise MissingExtraError("store", "an encrypted recording") from None
    return AESGCM(secret)
