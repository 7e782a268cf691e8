"""A virtual Polar H10: Heart Rate service, battery, device information, and PMD with ECG and acceleration.

Frames of 73 ECG or 36 acceleration samples, raw; the rest is :mod:`feltsense_bridge.testing._polar`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense_bridge.devices._pmd import Measurement, Setting
from feltsense_bridge.testing._polar import EPOCH_2019_NS, Made, VirtualPolar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

__all__ = ["EPOCH_2019_NS", "VirtualH10", "whole"]

_PER_UNIT: Final = 1000.0
"""µV in a mV, mg in a g."""


def whole(per_unit: float, bits: int) -> Callable[[NDArray[np.float64]], NDArray[np.int32]]:
    """Values to whole counts that fit so many bits."""
    limit = 2 ** (bits - 1) - 1
    return lambda values: np.clip(np.rint(values * per_unit), -limit, limit).astype(np.int32)


class VirtualH10(VirtualPolar):
    """A Polar H10 that plays a recording: kinds ``ecg`` and ``acc``, and beats.

    Parameters are those of :class:`~feltsense_bridge.testing._polar.VirtualPolar`. At the strap's own rate samples
    come out as they are, to 1 µV or 1 mg.

    Examples
    --------
    ::

        h10 = await radio.add(VirtualH10(recording, drift_ppm=20))
        h10.drop("ecg")                  # the next ECG frame gets lost
        await h10.vanish(10)             # out of reach for ten simulated seconds
        await h10.finished()
        h10.produced["ecg"]              # samples, heard or not
    """

    own = "h10"
    product: ClassVar[str] = "H10"
    made: ClassVar[Mapping[str, Made]] = {
        "ecg": Made(Measurement.ECG, "ecg", 0, 73, {Setting.RATE: (130,), Setting.RESOLUTION: (14,)}, whole(_PER_UNIT, 24)),
        "acc": Made(
            Measurement.ACC,
            "acc",
            1,
            36,
            {Setting.RATE: (25, 50, 100, 200), Setting.RESOLUTION: (16,), Setting.RANGE: (2, 4, 8)},
            whole(_PER_UNIT, 16),
        ),
    }
