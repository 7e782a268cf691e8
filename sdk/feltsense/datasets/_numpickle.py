"""Arrays out of a pickle without executing it.

A pickle is a program: loading one from somebody else runs whatever they wrote. This reader knows numbers, text,
lists, dictionaries and plain numeric arrays. Every name that a pickle asks for is answered by a stand-in of our own or
refused; nothing of numpy's own unpickling runs, and no object is ever called.
"""

from __future__ import annotations

import io
import pickle
import re
import struct
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from feltsense.errors import ImportFormatError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["load"]

_NUMERIC = re.compile(r"[<>|=]?[biuf][1248]")
_MODULES: Final = frozenset({"numpy", "numpy.core.multiarray", "numpy._core.multiarray", "_codecs"})
MOST_DIMENSIONS = 3
LARGEST = 2**31
"""Bytes of one array at most: an hour and a half of eight channels at 700 Hz is a quarter of it."""


class _Dtype:
    """Stand-in of ``numpy.dtype``: a code and, from its state, the byte order."""

    def __init__(self, code: object, *_: object) -> None:
        # Written by Python 2, a code may come as bytes.
        self.code = code.decode("latin1") if isinstance(code, bytes) else str(code)
        if not _NUMERIC.fullmatch(self.code):
            msg = f"arrays of type {self.code!r} are not read: only numbers are"
            raise pickle.UnpicklingError(msg)
        self.order = "<"

    def __setstate__(self, state: tuple[object, ...]) -> None:
        order = state[1] if len(state) > 1 else "|"
        text = order.decode("latin1") if isinstance(order, bytes) else str(order)
        self.order = text if text in "<>" and text else "<"

    def numpy(self) -> np.dtype[Any]:
        return np.dtype(self.order + self.code.lstrip("<>|="))


class _Array:
    """Stand-in of ``numpy.ndarray``, filled by its state."""

    value: NDArray[Any]

    def __setstate__(self, state: tuple[object, ...]) -> None:
        if len(state) != 5:
            msg = "an array's state has not its five parts"
            raise pickle.UnpicklingError(msg)
        _, shape, dtype, fortran, raw = state
        data = raw.encode("latin1") if isinstance(raw, str) else raw
        if not isinstance(shape, tuple) or not isinstance(dtype, _Dtype) or not isinstance(data, bytes):
            msg = "an array's state is not that of numbers"
            raise pickle.UnpicklingError(msg)
        if len(shape) > MOST_DIMENSIONS or any(not isinstance(n, int) or n < 0 for n in shape):
            msg = f"an array of shape {shape!r} is not read"
            raise pickle.UnpicklingError(msg)
        kind = dtype.numpy()
        if len(data) > LARGEST or int(np.prod(shape, dtype=np.float64)) * kind.itemsize != len(data):
            msg = f"an array of shape {shape!r} does not fit its {len(data)} bytes"
            raise pickle.UnpicklingError(msg)
        self.value = np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C")


class _Scalar:
    """Stand-in of ``numpy.core.multiarray.scalar``."""

    def __init__(self, dtype: object, raw: object) -> None:
        data = raw.encode("latin1") if isinstance(raw, str) else raw
        if not isinstance(dtype, _Dtype) or not isinstance(data, bytes) or len(data) != dtype.numpy().itemsize:
            msg = "a number's state is not that of a number"
            raise pickle.UnpicklingError(msg)
        self.value = np.frombuffer(data, dtype.numpy())[0].item()


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _encode(text: object, encoding: object = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        msg = "only latin-1 text is turned into bytes"
        raise pickle.UnpicklingError(msg)
    return text.encode("latin1")


class _Reader(pickle._Unpickler):
    """Answers names by stand-ins.

    The one written in Python: its memory is a dictionary, where the one in C makes room for as many entries as the
    pickle's largest number says. Arrays are few long strings, so it is hardly slower.
    """

    known: ClassVar[dict[str, Any]] = {
        "_reconstruct": _reconstruct, "ndarray": _Array, "dtype": _Dtype, "scalar": _Scalar, "encode": _encode,
    }

    def find_class(self, module: str, name: str) -> Any:
        """A stand-in, or a refusal."""
        if module in _MODULES and name in self.known:
            return self.known[name]
        msg = f"asks for {module}.{name}, which a pickle of arrays has no use for"
        raise pickle.UnpicklingError(msg)

    def persistent_load(self, pid: Any) -> Any:
        """Never: arrays do not point outside."""
        msg = f"points outside itself ({pid!r})"
        raise pickle.UnpicklingError(msg)


def load(source: Path | bytes) -> Any:
    """Read a pickle of dictionaries, lists, text, numbers and numeric arrays.

    Parameters
    ----------
    source : Path or bytes
        File, or its content.

    Returns
    -------
    object
        With read-only arrays.

    Raises
    ------
    ImportFormatError
        If it is damaged, or asks for anything else.
    """
    where = "pickle" if isinstance(source, bytes) else str(source)
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
            return _plain(_Reader(file, encoding="latin1").load())
    except (
        pickle.UnpicklingError, OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError,
        ImportError, OverflowError, MemoryError, RecursionError, struct.error, UnicodeError,
    ) as e:  # fmt: skip
        msg = f"{where}: not a pickle of arrays ({e}); nothing of it was executed"
        raise ImportFormatError(msg) from None


def _plain(value: Any) -> Any:
    if isinstance(value, _Array):
        if not hasattr(value, "value"):
            msg = "an array without its numbers"
            raise pickle.UnpicklingError(msg)
        return value.value
    if isinstance(value, _Scalar):
        return value.value
    if isinstance(value, dict):
        return {_plain(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
