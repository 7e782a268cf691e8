"""Polar Verity Sense, an optical arm band: PPG, acceleration, pulse intervals, gyroscope and magnetometer.

Facts: Polar's public PMD document and the public SDK's notes; the dialogue is in
:mod:`feltsense_bridge.devices._polar`.

- PPG frames have three LEDs and ambient light, in device counts as they come: ``ppg`` is the first LED; ``ppg2``,
  ``ppg3`` and ``ambient`` are the others, by name. Ambient light is not subtracted.
- Frames are delta-compressed, and multiplied by the factor that the sensor names.
- Pulse intervals begin some 25 s after the start, and come in batches. What the sensor blocks (movement) is NaN; the
  contact flags are not used, because documents disagree on their sense. The Heart Rate service says a rate every 5 s
  only while they run.
- SDK mode, if another program left it on, ends heart rate and pulse intervals; a power cycle leaves it.
- A clock that somebody has set may jump at the next power cycle: the session's clock map starts anew then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from feltsense_bridge.devices import _polar as polar
from feltsense_bridge.devices._pmd import Measurement, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEVICE", "PolarVeritySense"]

PPG_RATE_HZ: Final = 55
"""Wanted rate of PPG: the only one outside SDK mode."""
MOTION_RATE_HZ: Final = 52
"""Wanted rate of acceleration and gyroscope: the only one outside SDK mode."""
ACC_RANGE_G: Final = 8
"""Wanted range of acceleration: an arm that runs reaches 5 g and more."""
MAG_RATE_HZ: Final = 20
"""Wanted rate of the magnetometer: an arm turns slower than that."""


class PolarVeritySense(polar.PolarDevice):
    """A Polar Verity Sense.

    Parameters
    ----------
    streams : sequence of str, optional
        Of ``ppg``, ``acc``, ``ppi``, ``gyro``, ``mag``, ``ppg2``, ``ppg3``, ``ambient``, ``heart_rate`` and ``rr``;
        default what the sensor offers of the first three.
    """

    model: ClassVar[str] = "polar_verity_sense"
    advertised: ClassVar[str] = "Polar Sense"
    sources: ClassVar[Mapping[str, polar.Source]] = {
        "ppg": polar.led(0),
        "acc": polar.ACC,
        "ppi": polar.PPI,
        "gyro": polar.GYRO,
        "mag": polar.MAG,
        "ppg2": polar.led(1, 4),
        "ppg3": polar.led(2, 4),
        "ambient": polar.led(3, 4, signal="ambient_light"),
    }
    default: ClassVar[tuple[str, ...]] = ("ppg", "acc", "ppi")
    wanted: ClassVar[polar.Wanted] = {
        (Measurement.PPG, Setting.RATE): PPG_RATE_HZ,
        (Measurement.ACC, Setting.RATE): MOTION_RATE_HZ,
        (Measurement.ACC, Setting.RANGE): ACC_RANGE_G,
        (Measurement.GYRO, Setting.RATE): MOTION_RATE_HZ,
        (Measurement.MAGNETOMETER, Setting.RATE): MAG_RATE_HZ,
    }


DEVICE = PolarVeritySense
