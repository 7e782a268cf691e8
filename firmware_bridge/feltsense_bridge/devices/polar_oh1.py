"""Polar OH1 and OH1+, optical arm bands: PPG, acceleration and pulse intervals.

Facts: Polar's public PMD document and the public SDK's notes and issues; the dialogue is in
:mod:`feltsense_bridge.devices._polar`.

- PPG frames have three LEDs and ambient light: ``ppg`` is the first LED; ``ppg2``, ``ppg3`` and ``ambient`` are the
  others, by name.
- Pulse intervals come only if asked for by name: their frames can be without a time (a known fault of the firmware,
  the public SDK's issue 38). They are then placed by their sum, like those of a strap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from feltsense_bridge.devices import _polar as polar
from feltsense_bridge.devices._pmd import Measurement, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEVICE", "PolarOH1"]

ACC_RATE_HZ: Final = 50
"""Wanted rate of acceleration: body motion is below 20 Hz."""
ACC_RANGE_G: Final = 8
"""Wanted range of acceleration: an arm that runs reaches 5 g and more."""


class PolarOH1(polar.PolarDevice):
    """A Polar OH1 or OH1+.

    Parameters
    ----------
    streams : sequence of str, optional
        Of ``ppg``, ``acc``, ``ppi``, ``ppg2``, ``ppg3``, ``ambient``, ``heart_rate`` and ``rr``; default what the
        sensor offers of the first two.
    """

    model: ClassVar[str] = "polar_oh1"
    advertised: ClassVar[str] = "Polar OH1"
    sources: ClassVar[Mapping[str, polar.Source]] = {
        "ppg": polar.led(0),
        "acc": polar.ACC,
        "ppi": polar.PPI,
        "ppg2": polar.led(1, 4),
        "ppg3": polar.led(2, 4),
        "ambient": polar.led(3, 4, signal="ambient_light"),
    }
    default: ClassVar[tuple[str, ...]] = ("ppg", "acc")
    wanted: ClassVar[polar.Wanted] = {
        (Measurement.ACC, Setting.RATE): ACC_RATE_HZ,
        (Measurement.ACC, Setting.RANGE): ACC_RANGE_G,
    }


DEVICE = PolarOH1
