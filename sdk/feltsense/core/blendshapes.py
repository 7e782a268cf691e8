"""The 52 coefficients of a face that ARKit names and that phones and browsers deliver: how far each muscle moves, 0 to 1.

Contract
--------
- Names and order are those of Apple's ``ARFaceAnchor.BlendShapeLocation``. MediaPipe delivers 51 of them and a
  ``_neutral``, which says nothing and is passed over.
- A row has all 52. A shape that its maker does not know is NaN in every row; a row in which no face was found is all NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["MUSCLES", "PAIRED", "SHAPES", "coefficients"]

_EYE = ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")
_SIDED = ("Smile", "Frown", "Dimple", "Stretch")
SHAPES: Final = (
    *(f"eye{what}{side}" for side in ("Left", "Right") for what in _EYE),
    "jawForward", "jawLeft", "jawRight", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    *(f"mouth{what}{side}" for what in _SIDED for side in ("Left", "Right")),
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    *(f"mouth{what}{side}" for what in ("Press", "LowerDown", "UpperUp") for side in ("Left", "Right")),
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""All 52, in order."""

PASSED_OVER: Final = frozenset({"_neutral"})
TOLERANCE: Final = 1e-3
"""Beyond 0 and 1: what single precision and a network's last layer leave."""


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def _muscles() -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for i, name in enumerate(SHAPES):
        stem = name.removesuffix("Left").removesuffix("Right")
        # What moves to a side as a whole has no left and right of its own.
        found.setdefault(f"{stem}_side" if stem in ("jaw", "mouth") else _snake(stem), []).append(i)
    return {name: tuple(columns) for name, columns in found.items()}


MUSCLES: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(_muscles())
"""What moves → its columns: left and right together."""
PAIRED: Final = tuple(c for name, c in MUSCLES.items() if len(c) == 2 and not name.endswith("_side"))
"""Columns of what is there on both sides, left and right."""


def coefficients(shapes: Mapping[str, float] | ArrayLike) -> NDArray[np.float64]:
    """Check a frame's coefficients; a row in the order of :data:`SHAPES`.

    Parameters
    ----------
    shapes : mapping of str to float, or array_like, shape (52,)
        By name, or all in order. A name that is missing in a mapping is a shape that its maker does not know: NaN.

    Raises
    ------
    InputError
        If a name is unknown, none is known, there are not 52, or a value is not finite or not between 0 and 1.
    """
    row = np.full(len(SHAPES), np.nan)
    if isinstance(shapes, Mapping):
        unknown = sorted(set(shapes) - set(SHAPES) - PASSED_OVER)
        if unknown:
            near = get_close_matches(str(unknown[0]), SHAPES, 1)
            hint = f"; did you mean {near[0]!r}?" if near else "; names are ARKit's, such as 'mouthSmileLeft'"
            msg = f"blendshapes: {unknown[0]!r} is none of the 52{hint}"
            raise InputError(msg)
        for i, name in enumerate(SHAPES):
            if name in shapes:
                row[i] = _number(name, shapes[name])
        if np.isnan(row).all():
            msg = "blendshapes: none of the 52 is there; give None for a frame without a face"
            raise InputError(msg)
    else:
        given = np.asarray(shapes, dtype=np.float64)
        if given.shape != row.shape:
            msg = f"blendshapes: give 52 numbers in the order of feltsense.core.blendshapes.SHAPES, got shape {given.shape}"
            raise InputError(msg)
        row[:] = [_number(name, v) for name, v in zip(SHAPES, given.tolist(), strict=True)]
    out: NDArray[np.float64] = np.clip(row, 0.0, 1.0)
    return out


def _number(name: str, value: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not -TOLERANCE <= number <= 1.0 + TOLERANCE:
        msg = f"blendshapes: {name} is {value!r}; coefficients are numbers from 0 to 1"
        raise InputError(msg)
    return number
