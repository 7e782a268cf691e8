"""Names of modalities, and of a modality over a window of its own length.

``ppg`` is the pulse wave over a session's window; ``ppg@30s`` is the same over the last 30 seconds of that window, with
features ``ppg@30s.hr``, a quality ``quality.ppg@30s`` and reasons of its own. Both come from one extractor: the signal is
filtered and searched once. Lengths are whole seconds: a name has one dot, and that is the feature's.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from feltsense.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["base", "length_of", "lengths", "over"]

_AT, _UNIT = "@", "s"
_WHOLE = re.compile(r"[1-9][0-9]{0,5}s", re.ASCII)


def over(modality: str, seconds: float) -> str:
    """Name of a modality over its last seconds.

    Raises
    ------
    InputError
        If these are no length.
    """
    if not (math.isfinite(seconds) and seconds >= 1 and seconds == int(seconds)):
        msg = f"{modality}: the length of a window beside is a whole number of seconds, 1 at least; got {seconds}"
        raise InputError(msg)
    return f"{modality}{_AT}{int(seconds)}{_UNIT}"


def base(name: str) -> str:
    """The modality behind a name, with or without a length, or behind a feature's name."""
    return name.partition(_AT)[0].partition(".")[0]


def length_of(name: str) -> float | None:
    """Length in seconds that a modality's (or a feature's) name says; None where it says none.

    Raises
    ------
    InputError
        If what follows the mark is no length, or not as :func:`over` writes it.
    """
    modality, mark, text = name.partition(".")[0].partition(_AT)
    if not mark:
        return None
    if not (modality and _WHOLE.fullmatch(text)):
        msg = f"{name!r}: a modality over its last seconds is written like {over(modality or 'ppg', 30.0)}"
        raise InputError(msg)
    return float(text.removesuffix(_UNIT))


def lengths(names: Iterable[str]) -> tuple[float, ...]:
    """Lengths that some names say, each once, the longest first."""
    return tuple(sorted({s for n in names if (s := length_of(n)) is not None}, reverse=True))
