"""Is this an accelerometer that is alive? Gravity must be there, and something must change in a window.

Rules
-----
- A second whose mean magnitude is below 0.5 g or above 4 g is not a person's: no posture and no gait does that for
  a second; all zeros, a wrong scale and a saturated converter do.
- A window in which no axis ever changes by one step is a stuck converter: breathing and pulse move a worn sensor.
- How much somebody moves is no matter of quality here; it is what is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.vector import Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LEAST_G", "MOST_G", "STUCK_S", "judge"]

LEAST_G = 0.5
MOST_G = 4.0
"""Mean magnitude over a second: sprinting stays below 3 g, and free fall for a second is 5 m deep."""
STUCK_S = 30.0
"""Coarse converters (1/64 g) may rest for 10 s on a wrist on a table; not for so long."""


def judge(magnitude: NDArray[np.float64], moved: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Reason]:
    """Which seconds of a window are usable, and what is wrong with the others.

    Parameters
    ----------
    magnitude : ndarray of float64, shape (n,)
        Mean magnitude of each second, in g.
    moved : ndarray of bool, shape (n,)
        Whether any axis changed within the second.
    """
    stuck = len(moved) >= STUCK_S and not moved.any()
    high, low = magnitude > MOST_G, magnitude < LEAST_G
    good = np.zeros(len(magnitude), np.bool_) if stuck else ~(high | low)
    if good.all():
        return good, Reason.OK
    return good, Reason.SATURATED if not stuck and high.sum() > low.sum() else Reason.FLATLINE
