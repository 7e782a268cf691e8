"""Polar 360, an optical band: PPG, acceleration, skin temperature and pulse intervals.

Facts: Polar's public PMD document and the public SDK's notes; the dialogue is in
:mod:`feltsense_bridge.devices._polar`.

- PPG frames have two LEDs and a status: ``ppg`` is the first LED, ``ppg2`` the second, by name.
- Skin temperature (``temp``) is a 32-bit float in °C.
- The clock is months of drift off at times (the public SDK's issue 610): it is mapped, never believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from feltsense_bridge.devices import _polar as polar
from feltsense_bridge.devices._pmd import Measurement, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEVICE", "Polar360"]

ACC_RATE_HZ: Final = 50
"""Wanted rate of acceleration: body motion is below 20 Hz."""
ACC_RANGE_G: Final = 8
"""Wanted range of acceleration: an arm that runs reaches 5 g and more."""
TEMPERATURE_RATE_HZ: Final = 4
"""Wanted rate of skin temperature: the highest, that of other wrist sensors."""


class Polar360(polar.PolarDevice):
    """A Polar 360.

    Parameters
    ----------
    streams : sequence of str, optional
        Of ``ppg``, ``acc``, ``temp``, ``ppi``, ``ppg2``, ``heart_rate`` and ``rr``; default what the sensor offers
        of the first three.
    """

    model: ClassVar[str] = "polar_360"
    advertised: ClassVar[str] = "Polar 360"
    sources: ClassVar[Mapping[str, polar.Source]] = {
        "ppg": polar.led(0),
        "acc": polar.ACC,
        "temp": polar.SKIN_TEMPERATURE,
        "ppi": polar.PPI,
        "ppg2": polar.led(1, 3),
    }
    default: ClassVar[tuple[str, ...]] = ("ppg", "acc", "temp")
    wanted: ClassVar[polar.Wanted] = {
        (Measurement.ACC, Setting.RATE): ACC_RATE_HZ,
        (Measurement.ACC, Setting.RANGE): ACC_RANGE_G,
        (Measurement.SKIN_TEMPERATURE, Setting.RATE): TEMPERATURE_RATE_HZ,
    }


DEVICE = Polar360
