"""Is there a face in this thermal frame, large enough and whole? One verdict a frame.

Rules
-----
- A person is warmer than 28 °C and warmer than what is behind by 3 °C; where the room is as warm as skin, no edge can be
  found, and nothing is measured.
- The face must be whole at its top and sides, and 8 pixels wide: below that the tip of the nose is less than a pixel and
  the skin around it does not fit between nose and rim (0.55 m for a 32 × 24 array behind a 55° lens, 0.25 m behind 110°).
- The shutter's recalibration and a head that turns away change the face's apparent width: frames that differ from the
  window's middle width by more than 15 % are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.vector import Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CUT", "LEAST_CONTRAST_C", "LEAST_SKIN_C", "LEAST_WIDTH_PX", "MISSING", "NOBODY", "NO_CONTRAST", "OK", "REASONS",
    "SMALL", "TURNED", "turned",
]  # fmt: skip

LEAST_SKIN_C = 28.0
"""°C; a face in a cool room is 32 °C and more, its nose may be 25 °C."""
LEAST_CONTRAST_C = 3.0
"""°C; thirty times the noise of a pixel."""
LEAST_WIDTH_PX = 8.0
_TURNED_BY = 0.15
"""A head turned by 30° is 13 % narrower."""

OK, MISSING, NOBODY, NO_CONTRAST, CUT, SMALL, TURNED = range(7)
REASONS = (
    Reason.OK, Reason.GAP, Reason.OFF_SKIN, Reason.NOISE, Reason.OFF_SKIN, Reason.NOT_SUPPORTED, Reason.MOTION,
)  # fmt: skip
"""What a verdict's number means."""


def turned(verdicts: NDArray[np.uint8], width: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Verdicts of a window's frames, those left out whose face is not as wide as in the others.

    Parameters
    ----------
    verdicts : ndarray of uint8, shape (n,)
        Of each frame alone.
    width : ndarray, shape (n,)
        Pixels; NaN where there is no face.
    """
    good = verdicts == OK
    if not good.any():
        return verdicts
    middle = float(np.median(width[good]))
    out = verdicts.copy()
    out[good & (np.abs(width - middle) > _TURNED_BY * middle)] = TURNED
    return out
