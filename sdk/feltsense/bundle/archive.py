"""The file: a zip of model.onnx, arrays.npz, bundle.json and card.md, sealed by hashes.

Rules
-----
- ``bundle.json`` holds the SHA-256 of the other parts and of itself without that field: any altered byte is refused.
- Exactly these four members, no pickle, at most :data:`LARGEST_BYTES` unpacked: a bundle is data, never code.
- No time stamps: the same model gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.bundle.schema import FORMAT, VERSIONS, pack, unpack
from feltsense.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from feltsense.bundle.schema import Model

__all__ = ["Parts", "read", "seal"]

GRAPH, ARRAYS, BODY, CARD = "model.onnx", "arrays.npz", "bundle.json", "card.md"
LARGEST_BYTES = 64_000_000
"""A bundle of this project is below 1 MB; this bounds what a hostile zip can unpack to."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_LEVEL = 9
ID_DIGITS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """A bundle's content, checked."""

    model: Model
    graph: bytes
    card: str
    id: str
    """First 16 digits of the hash of everything: names the model in predictions."""


def seal(model: Model, graph: bytes, card: str) -> bytes:
    """Bytes of a bundle."""
    body, arrays = pack(model)
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]
    parts = {GRAPH: graph, ARRAYS: packed.getvalue(), CARD: card.encode()}
    body["parts"] = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(parts.items())}
    body["digest"] = _digest(body)
    parts[BODY] = json.dumps(body, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name in (BODY, CARD, ARRAYS, GRAPH):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), parts[name], zipfile.ZIP_DEFLATED, _LEVEL)
    return out.getvalue()


def read(path: Path) -> Parts:
    """Read a bundle and check it.

    Raises
    ------
    BundleError
        If it is no bundle, of another version, or altered; the message says which part.
    """
    parts = _members(path)
    try:
        body = json.loads(parts[BODY])
    except (ValueError, RecursionError) as e:
        msg = f"{path}: damaged bundle ({BODY}: {e}); get a fresh copy"
        raise BundleError(msg) from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        msg = f"{path}: not a feltsense bundle ({BODY}: field 'format'); make one with: feltsense train"
        raise BundleError(msg)
    if body.get("version") not in VERSIONS:
        found = body.get("version")
        mine = f"{', '.join(map(str, VERSIONS[:-1]))} and {VERSIONS[-1]}"
        msg = f"{path}: bundle version {found!r}, this release reads {mine}; update feltsense, or train again"
        raise BundleError(msg)
    hashes = body.get("parts")
    for name in (GRAPH, ARRAYS, CARD):
        if not isinstance(hashes, dict) or hashes.get(name) != hashlib.sha256(parts[name]).hexdigest():
            msg = f"{path}: {name} was altered (its hash is not the one in {BODY}); get a fresh copy"
            raise BundleError(msg)
    if body.get("digest") != _digest(body):
        msg = f"{path}: {BODY} was altered (its digest does not fit); get a fresh copy"
        raise BundleError(msg)
    model = unpack(body, _arrays(path, parts[ARRAYS]), str(path))
    return Parts(model, parts[GRAPH], _text(path, parts[CARD]), body["digest"][:ID_DIGITS])


def _digest(body: Mapping[str, Any]) -> str:
    text = json.dumps({k: v for k, v in body.items() if k != "digest"}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _members(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if sorted(i.filename for i in infos) != sorted((GRAPH, ARRAYS, BODY, CARD)):
                inside = ", ".join(i.filename for i in infos[:6])
                msg = f"{path}: not a feltsense bundle (it holds {inside}); make one with: feltsense train"
                raise BundleError(msg)
            if sum(i.file_size for i in infos) > LARGEST_BYTES:
                msg = f"{path}: unpacks to more than {LARGEST_BYTES} bytes: no bundle is that large"
                raise BundleError(msg)
            return {i.filename: archive.read(i) for i in infos}
    except FileNotFoundError:
        msg = f"{path}: no such bundle; make one with: feltsense train"
        raise BundleError(msg) from None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as e:
        msg = f"{path}: not a feltsense bundle ({e}); make one with: feltsense train"
        raise BundleError(msg) from None


def _arrays(path: Path, data: bytes) -> dict[str, NDArray[np.generic]]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, OSError, KeyError, zipfile.BadZipFile, EOFError) as e:
        msg = f"{path}: damaged bundle ({ARRAYS}: {e}); get a fresh copy"
        raise BundleError(msg) from None


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as e:
        msg = f"{path}: damaged bundle ({CARD}: {e}); get a fresh copy"
        raise BundleError(msg) from None
