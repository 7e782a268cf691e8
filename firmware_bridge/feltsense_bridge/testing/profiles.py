"""Profiles of the models that a :class:`~feltsense_bridge.testing.VirtualGatt` plays, one function a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense_bridge.devices import core as core_codec
from feltsense_bridge.devices import health_thermometer as thermometer
from feltsense_bridge.testing.gatt import Output, Profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feltsense_bridge.testing.gatt import Moment

__all__ = ["core", "health_thermometer"]


def _count(moment: Moment, stream: str, step: float) -> int | None:
    """The last value of a stream in steps of its resolution; None where there is none."""
    values = moment.values.get(stream)
    return None if values is None or not np.isfinite(values[-1, 0]) else round(float(values[-1, 0]) / step)


def core() -> Profile:
    """CORE: core and skin temperature in one notification, and a heart rate if the recording has one at a rate."""

    def encode(moment: Moment) -> Sequence[bytes]:
        said = core_codec.CoreMeasurement(
            _count(moment, "core_temperature", 0.01),
            _count(moment, "skin_temperature", 0.01),
            int(core_codec.Quality.GOOD),
            _count(moment, "heart_rate", 1.0),
        )
        return [said.encode()]

    kinds = {name: name for name in core_codec.Core.offered}
    return Profile("CORE", core_codec.SERVICE, kinds, (Output(tuple(kinds), core_codec.MEASUREMENT, encode),))


def health_thermometer(site: int | None = thermometer.Site.EAR) -> Profile:
    """A thermometer at one place of the body; ``None`` does not say where, and plays a core temperature."""
    on_skin = site in (thermometer.Site.ARMPIT, thermometer.Site.FINGER, thermometer.Site.TOE)
    stream = "skin_temperature" if on_skin else "core_temperature"

    def encode(moment: Moment) -> Sequence[bytes]:
        degrees = float(moment.values[stream][-1, 0])
        return [thermometer.TemperatureMeasurement(degrees, site=site).encode()]

    output = Output((stream,), thermometer.MEASUREMENT, encode, indicate=True)
    return Profile("thermo", thermometer.SERVICE, {stream: stream}, (output,))
