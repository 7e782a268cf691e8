"""Virtual optical sensors of Polar: Verity Sense, OH1 and 360 (see :mod:`feltsense_bridge.testing._polar`).

- A recording's ``ppg`` is one light; every LED shows it, in whole counts, and ambient light is 0.
- Pulse intervals are a recording's ``ppi``, else its ``rr``, else its beats, in whole ms.
- The Verity Sense has SDK mode: more rates, and no heart rate and intervals.
- The Verity Sense and the 360 compress their frames, the OH1 does not and gives its pulse intervals no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense_bridge.devices._pmd import Measurement, Setting, Settings
from feltsense_bridge.testing._polar import Made, VirtualPolar, as_bits
from feltsense_bridge.testing.h10 import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

__all__ = ["VirtualOH1", "VirtualPolar360", "VirtualVeritySense"]

_COMPRESSED: Final = 0x80
_PPG_BITS: Final = 22
_ACC_G: Final = 8
_ACC_FACTOR: Final = _ACC_G / 2**15
"""g a count: 16 bits over the range."""
_GYRO_DEG_S: Final = 2000
_GYRO_FACTOR: Final = _GYRO_DEG_S / 2**15
_MAG_GAUSS: Final = 50
_MAG_FACTOR: Final = _MAG_GAUSS / 2**15
_UT_PER_GAUSS: Final = 100.0


def _lights(leds: int, others: int) -> Callable[[NDArray[np.float64]], NDArray[np.int32]]:
    """Columns of LEDs that all show the recording's, then columns of 0."""
    counts = whole(1.0, _PPG_BITS)

    def columns(values: NDArray[np.float64]) -> NDArray[np.int32]:
        light = np.repeat(counts(values), leds, axis=1)
        return np.hstack([light, np.zeros((len(light), others), np.int32)])

    return columns


def _ppg(rates: tuple[int, ...], layout: int, per_frame: int, leds: int, others: int) -> Made:
    settings: Settings = {Setting.RATE: rates, Setting.RESOLUTION: (_PPG_BITS,), Setting.CHANNELS: (leds + others,)}
    return Made(Measurement.PPG, "ppg", layout, per_frame, settings, _lights(leds, others))


def _motion(kind: Measurement, signal: str, rates: tuple[int, ...], reach: int, factor: float, times: float = 1.0) -> Made:
    """16-bit counts over a range, compressed."""
    settings: Settings = {Setting.RATE: rates, Setting.RESOLUTION: (16,), Setting.RANGE: (reach,), Setting.CHANNELS: (3,)}
    return Made(kind, signal, _COMPRESSED, 24, settings, whole(1 / (factor * times), 16), factor)


class VirtualVeritySense(VirtualPolar):
    """A Polar Verity Sense that plays a recording: ``ppg``, ``acc``, ``gyroscope``, ``magnetometer``, and beats."""

    own = "verity"
    product: ClassVar[str] = "Sense"
    ppi: ClassVar[bool] = True
    made: ClassVar[Mapping[str, Made]] = {
        "ppg": _ppg((55,), _COMPRESSED, 13, 3, 1),
        "acc": _motion(Measurement.ACC, "acc", (52,), _ACC_G, _ACC_FACTOR),
        "gyro": _motion(Measurement.GYRO, "gyroscope", (52,), _GYRO_DEG_S, _GYRO_FACTOR),
        "mag": _motion(Measurement.MAGNETOMETER, "magnetometer", (10, 20, 50, 100), _MAG_GAUSS, _MAG_FACTOR, _UT_PER_GAUSS),
    }
    sdk_rates: ClassVar[Mapping[str, tuple[int, ...]]] = {
        "ppg": (28, 44, 55, 135, 176),
        "acc": (26, 52, 104, 208, 416),
        "gyro": (26, 52, 104, 208, 416),
    }


class VirtualOH1(VirtualPolar):
    """A Polar OH1 that plays a recording: ``ppg``, ``acc``, and beats."""

    own = "oh1"
    product: ClassVar[str] = "OH1"
    ppi: ClassVar[bool] = True
    ppi_stamped: ClassVar[bool] = False
    made: ClassVar[Mapping[str, Made]] = {
        "ppg": _ppg((130,), 0, 18, 3, 1),
        "acc": Made(
            Measurement.ACC,
            "acc",
            1,
            36,
            {Setting.RATE: (50,), Setting.RESOLUTION: (16,), Setting.RANGE: (_ACC_G,)},
            whole(1000.0, 16),
        ),
    }


class VirtualPolar360(VirtualPolar):
    """A Polar 360 that plays a recording: ``ppg``, ``acc``, ``skin_temperature``, and beats."""

    own = "polar360"
    product: ClassVar[str] = "360"
    ppi: ClassVar[bool] = True
    made: ClassVar[Mapping[str, Made]] = {
        "ppg": _ppg((22,), _COMPRESSED | 13, 18, 2, 1),
        "acc": _motion(Measurement.ACC, "acc", (50,), _ACC_G, _ACC_FACTOR),
        "temp": Made(
            Measurement.SKIN_TEMPERATURE,
            "skin_temperature",
            0,
            4,
            {Setting.RATE: (1, 2, 4), Setting.RESOLUTION: (32,)},
            as_bits,
        ),
    }
