"""Is this the temperature of skin? Plausible range and plausible speed.

Rules
-----
- Outside 15–42 °C it is not a living person's skin; faster than 0.5 °C in a second it is contact lost or found.
- No rule tells a sensor on a table in a warm room from a cold wrist: that needs another signal.
- A verdict is a function of the window's samples only. Nothing is judged across a gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.signals import CATALOGUE
from feltsense.core.timeline import NS
from feltsense.core.vector import Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["REASONS", "STEEPEST_C_PER_S", "verdicts"]

STEEPEST_C_PER_S = 0.5
"""Skin follows the vessels beneath it with a time constant of minutes; most worn wrists stay below 0.1 °C in a second."""
GAP_SAMPLES = 1.5
"""Samples further apart than this many periods are no neighbours."""

REASONS = (Reason.OK, Reason.ARTEFACT, Reason.OFF_SKIN, Reason.GAP)
"""What a verdict's number means."""
_STEEP, _OUTSIDE, _MISSING = 1, 2, 3


def verdicts(t_ns: NDArray[np.int64], values: NDArray[np.float64], rate: float) -> NDArray[np.uint8]:
    """Verdict on each sample of a window.

    Parameters
    ----------
    t_ns : ndarray of int64, shape (n,)
        Session times.
    values : ndarray of float64, shape (n,)
        °C, NaN where the device sent none.
    rate : float
        Hz.

    Returns
    -------
    ndarray of uint8, shape (n,)
        Numbers in :data:`REASONS`.
    """
    out = np.zeros(len(values), np.uint8)
    lag = max(1, round(rate))
    if len(values) > lag:
        near = (t_ns[lag:] - t_ns[:-lag]) < (lag + GAP_SAMPLES - 1.0) * NS / rate
        steep = near & (np.abs(values[lag:] - values[:-lag]) > STEEPEST_C_PER_S * lag / rate)
        out[lag:][steep] = _STEEP
        out[:-lag][steep] = _STEEP
    kind = CATALOGUE["skin_temperature"]
    out[(values < kind.low) | (values > kind.high)] = _OUTSIDE
    out[np.isnan(values)] = _MISSING
    return out
