"""A person's whereabouts, whatever saw them: the one schema for a radar's targets and a camera's.

A row of a stream of kind ``radar_targets`` holds up to three targets (x to the right and y away from the sensor in m,
speed in m/s, negative towards the sensor); a slot without one is NaN. :class:`Target` is one of them in the terms in which
rules are written: how far, how fast, in which direction. Rules and models that use it need not know the sensor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk

__all__ = ["SLOTS", "Target", "polar", "targets"]

SLOTS = 3
_WIDTH = 4


@dataclass(frozen=True, slots=True)
class Target:
    """One person (or thing that moves) at one moment.

    Attributes
    ----------
    t_ns : int
        Session time.
    distance_m : float
        From the sensor.
    speed_mps : float
        Along the line of sight; negative towards the sensor.
    azimuth_deg : float
        0 straight ahead, positive to the right as the sensor looks.
    source : str
        Id of the stream.
    """

    t_ns: int
    distance_m: float
    speed_mps: float
    azimuth_deg: float
    source: str


def polar(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance (m), speed (m/s) and azimuth (degrees) of each slot, shape (n, 3 slots, 3); NaN where there is none.

    Parameters
    ----------
    rows : ndarray, shape (n, 12)
        Rows of kind ``radar_targets``.
    """
    slots = rows.reshape(len(rows), SLOTS, _WIDTH)
    x, y = slots[:, :, 0], slots[:, :, 1]
    out = np.stack((np.hypot(x, y), slots[:, :, 2], np.degrees(np.arctan2(x, y))), axis=2)
    # Some modules fill a slot without a target with zeros: nobody is inside the sensor.
    out[~(out[:, :, 0] > 0.0)] = np.nan
    return out


def targets(chunk: Chunk) -> list[Target]:
    """All targets of a chunk of kind ``radar_targets``, in order of time and slot."""
    found = polar(chunk.values)
    return [
        Target(t, float(row[0]), float(row[1]), float(row[2]), chunk.stream.id)
        for t, rows in zip(chunk.times.tolist(), found, strict=True)
        for row in rows
        if np.isfinite(row[0])
    ]
