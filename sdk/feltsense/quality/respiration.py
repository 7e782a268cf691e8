"""Is this breathing? Breaths that follow each other without a hole, alike in length and depth.

Rules
-----
- Absolute: nothing is rescaled inside the window, and the signal's unit does not matter.
- Noise that went through the band-pass has waves, too; their depths and lengths scatter by half and more, those of a
  person at rest by a tenth to a quarter. A sigh costs its share and no more.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.vector import Reason
from feltsense.quality.beats import trace_faults

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.dsp.cells import Summary

__all__ = ["LEAST_QUALITY", "faults", "judge"]

_STEADY, _RANDOM = 0.25, 0.55
"""Relative scatter (half the middle 80 % over the median) of breaths of a person, and of noise."""
_WORTH_NAMING = 0.9
LEAST_QUALITY = 0.2
"""Below it no value is given: noise in the band always has some rate."""
_FAULTY = 0.2
"""Share of flat stretches that is worth naming as the reason."""
_LEAST = 3
"""Fewer breaths have no scatter."""


def faults(rate: float) -> Summary:
    """Summary of a stretch of the raw signal: flat, at a rail (0 or 1 each)."""
    # A belt's unit is its own: flat is what does not change at all.
    return partial(trace_faults, rate=rate, floor=0.0)


def judge(
    interval: NDArray[np.float64], depth: NDArray[np.float64], present: float, spanned: float, flat: float
) -> tuple[float, Reason]:
    """Quality of a window and what is wrong with it first of all.

    Parameters
    ----------
    interval, depth : ndarray, shape (n,)
        Lengths and depths of the window's breaths.
    present : float
        Share of the window in which there is signal.
    spanned : float
        Share of that which breaths account for.
    flat : float
        Share of the signal that is a flat line or at the converter's rail.
    """
    if present <= 0.0:
        return 0.0, Reason.NO_SIGNAL
    if flat > _FAULTY:
        return 0.0, Reason.FLATLINE
    if len(interval) < _LEAST:
        return 0.0, Reason.NOISE if present >= _WORTH_NAMING else Reason.GAP
    scatter = max(_scatter(interval), _scatter(depth))
    steady = float(np.clip((_RANDOM - scatter) / (_RANDOM - _STEADY), 0.0, 1.0))
    quality = min(1.0, present * min(1.0, spanned) * steady * (1.0 - flat))
    if present < _WORTH_NAMING:
        return quality, Reason.GAP
    return quality, Reason.OK if min(steady, spanned) >= _WORTH_NAMING else Reason.NOISE


def _scatter(x: NDArray[np.float64]) -> float:
    low, middle, high = np.percentile(x, (10, 50, 90))
    return float(0.5 * (high - low) / middle) if middle > 0.0 else float("inf")
