"""Polar H10 chest strap: ECG and acceleration with device timestamps, heart rate and intervals without.

Facts: Polar's public PMD document (see :mod:`feltsense_bridge.devices._pmd`) and product notes; the dialogue is in
:mod:`feltsense_bridge.devices._polar`.

- Rates are nominal: 130 Hz is 130 Hz ± 2 %. Time comes from the frames' stamps.
- The clock counts from 2019-01-01 whenever the strap was off the body for about a minute; nobody sets it here,
  because setting it is no better than a second. The session's clock map turns device time into session time.
- The strap keeps the ECG on for ever when it is taken off with the stream running: ``stop`` must be sent.
- Heart rate and intervals are delivered only if asked for by name: ECG gives better ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from feltsense_bridge.devices import _polar as polar
from feltsense_bridge.devices._pmd import Measurement, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ACC_RANGE_G", "ACC_RATE_HZ", "DEVICE", "PolarH10"]

ACC_RATE_HZ: Final = 50
"""Wanted rate of acceleration: body motion is below 20 Hz. The nearest that the strap offers is taken."""
ACC_RANGE_G: Final = 8
"""Wanted range of acceleration: running reaches 5 g at the chest. The nearest that the strap offers is taken."""


class PolarH10(polar.PolarDevice):
    """A Polar H10.

    Parameters
    ----------
    streams : sequence of str, optional
        Of ``ecg``, ``acc``, ``heart_rate`` and ``rr``; default what the strap offers of ``ecg`` and ``acc``.
    """

    model: ClassVar[str] = "polar_h10"
    offered: ClassVar[tuple[str, ...]] = ("ecg", "acc", "heart_rate", "rr")
    advertised: ClassVar[str] = "Polar H10"
    sources: ClassVar[Mapping[str, polar.Source]] = {"ecg": polar.ECG, "acc": polar.ACC}
    default: ClassVar[tuple[str, ...]] = ("ecg", "acc")
    wanted: ClassVar[polar.Wanted] = {
        (Measurement.ACC, Setting.RATE): ACC_RATE_HZ,
        (Measurement.ACC, Setting.RANGE): ACC_RANGE_G,
    }


DEVICE = PolarH10
