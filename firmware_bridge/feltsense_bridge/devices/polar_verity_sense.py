"""Polar Verity Sense, an optical arm band: PPG, acceleration, pulse intervals, gyroscope and magnetometer.

Facts: Polar's public PMD document and the public SDK's notes; the dialogue is in
:mod:`feltsense_bridge.devices._polar`.

- PPG frames have three LEDs and ambient light, in device counts as they come: ``ppg`` is the first LED; ``ppg2``,
  ``ppg3`` and ``ambient`` are the others, by name. Ambient light is not subtracted.
- Frames are delta-compressed, and multiplied by the factor that the sensor names.
- Pulse intervals begin some 25 s after the start, and come in batches. What the sensor blocks (movement) is NaN; the
  contact flags are not used, because documents disagree on their sense. The Heart Rate service says a rate every 5 s
  only while they run.
- SDK mode offers more rates, and ends heart rate and pulse intervals. It is switched on only by `sdk_mode`, and off when
  the streams are stopped. If another program left it on, a power cycle leaves it.
- A clock that somebody has set may jump at the next power cycle: the session's clock map starts anew then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from feltsense.errors import InputError, LinkError
from feltsense_bridge.devices import _polar as polar
from feltsense_bridge.devices._pmd import Measurement, Setting, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DEVICE", "PolarVeritySense"]

PPG_RATE_HZ: Final = 55
"""Wanted rate of PPG: the only one outside SDK mode."""
MOTION_RATE_HZ: Final = 52
"""Wanted rate of acceleration and gyroscope: the only one outside SDK mode."""
ACC_RANGE_G: Final = 8
"""Wanted range of acceleration: an arm that runs reaches 5 g and more."""
MAG_RATE_HZ: Final = 20
"""Wanted rate of the magnetometer: an arm turns slower than that."""
_ENDED: Final = ("ppi", "heart_rate", "rr")
"""Streams that SDK mode ends."""


class PolarVeritySense(polar.PolarDevice):
    """A Polar Verity Sense.

    Parameters
    ----------
    streams : sequence of str, optional
        Of ``ppg``, ``acc``, ``ppi``, ``gyro``, ``mag``, ``ppg2``, ``ppg3``, ``ambient``, ``heart_rate`` and ``rr``;
        default what the sensor offers of the first three, in SDK mode of the first two.
    sdk_mode : bool
        Switch SDK mode on: other rates, but no ``ppi``, ``heart_rate`` and ``rr``.
    rates : mapping of str to int, optional
        Stream → its rate in SDK mode, in Hz; one that the sensor does not offer is refused. Lights share one rate.

    Raises
    ------
    InputError
        If a stream is asked for that SDK mode ends, or a rate without SDK mode or of a stream that is not asked for.
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

    def __init__(
        self, streams: Sequence[str] | None = None, *, sdk_mode: bool = False, rates: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(streams)
        self._sdk_mode = sdk_mode
        ended = [name for name in self.streams if name in _ENDED] if sdk_mode else []
        if ended and self._named:
            msg = f"{self.model}: SDK mode ends {', '.join(ended)}: leave out the streams, or SDK mode"
            raise InputError(msg)
        self.streams = tuple(name for name in self.streams if name not in ended)
        self._rates: dict[Measurement, int] = {}
        for name, rate in (rates or {}).items():
            if not sdk_mode or name not in self.streams:
                msg = f"{self.model}: a rate of {name} needs sdk_mode=True, and {name} among the streams"
                raise InputError(msg)
            if self._rates.setdefault(self.sources[name].kind, rate) != rate:
                msg = f"{self.model}: {name} and the other lights come in the same frames: give them one rate"
                raise InputError(msg)

    def _choose(self, what: Measurement, offered: Settings) -> Settings:
        rate = self._rates.get(what)
        if rate is None:
            return super()._choose(what, offered)
        known = offered.get(Setting.RATE, ())
        if rate not in known:
            rates = ", ".join(map(str, sorted(known)))
            msg = f"{self.model} has no {rate} Hz for {self._label(what)}: choose one of {rates} Hz"
            raise LinkError(msg)
        return super()._choose(what, {**offered, Setting.RATE: (rate,)})


DEVICE = PolarVeritySense
