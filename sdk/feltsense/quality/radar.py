"""Whether a radar's frames are there and possible. That nobody is in view is an answer, not a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.vector import Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MOST_M", "MOST_MPS", "judge"]

MOST_M = 10.0
"""Farther than a room, and than a 24 GHz module sees a person (HLK-LD2450: 6 m)."""
MOST_MPS = 8.0
"""A sprinter in a room."""
_TOLERANCE = 0.1


def judge(polar: NDArray[np.float64], expected: float) -> tuple[NDArray[np.bool_], float, Reason]:
    """Frames that are possible, the window's quality, and what is wrong with the others.

    Parameters
    ----------
    polar : ndarray, shape (n, slots, 3)
        Distance, speed, azimuth; NaN where there is no target.
    expected : float
        Number of frames that the window should have.
    """
    wild = ((polar[:, :, 0] > MOST_M) | (np.abs(polar[:, :, 1]) > MOST_MPS)).any(axis=1)
    good = np.asarray(~wild)
    if not len(polar):
        return good, 0.0, Reason.NO_SIGNAL
    missing = max(expected * (1.0 - _TOLERANCE) - 1.0 - len(polar), 0.0)
    share = float(good.sum()) / (len(polar) + missing)
    if share == 1.0:
        return good, 1.0, Reason.OK
    return good, share, Reason.ARTEFACT if wild.sum() >= missing else Reason.GAP
