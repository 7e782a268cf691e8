"""A plain heart rate strap: the standard Heart Rate service, battery, device information."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from feltsense.errors import RecordingError
from feltsense_bridge.testing._heart_rate import HeartRateOutput
from feltsense_bridge.testing._sensor import VirtualSensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feltsense.core.recording import Recording
    from feltsense_bridge.testing.player import Playback

__all__ = ["VirtualStrap"]

_INCOMPLETE_16_BIT_SERVICES, _HEART_RATE = 0x02, 0x180D
HEART_RATE_ADVERTISED = struct.pack("<BBH", 3, _INCOMPLETE_16_BIT_SERVICES, _HEART_RATE)
"""Advertising structure that names the Heart Rate service."""


class VirtualStrap(VirtualSensor):
    """A heart rate strap that plays a recording's beats.

    It says once a simulated second what the heart did in it, from the first subscription on: intervals from the
    recording's ``rr`` stream or BEAT events, the rate from its ``heart_rate`` stream or else from the intervals.

    Parameters
    ----------
    source : Recording or Playback
        What it measures.
    name : str
        Advertised name.
    address : str, optional
        Bluetooth address; default one that the radio chooses.
    streams : mapping of str to str, optional
        ``rr`` or ``heart_rate`` → id of the recording's stream; default by prefix ``strap.`` and kind.
    drift_ppm : float
        Without effect: the service has no timestamps.

    Raises
    ------
    RecordingError
        If the recording has no beats.

    Examples
    --------
    ::

        strap = await radio.add(VirtualStrap(recording))
        strap.drop("heart_rate", 2)      # the next two notifications get lost
    """

    own = "strap"

    def __init__(
        self,
        source: Recording | Playback,
        name: str = "HR strap",
        *,
        address: str = "",
        streams: Mapping[str, str] | None = None,
        drift_ppm: float = 0.0,
    ) -> None:
        super().__init__(source, name, address=address, streams=streams, drift_ppm=drift_ppm)
        self._output = HeartRateOutput(self)
        if not self._output.beats:
            msg = f"{name}: the recording has no rr or heart_rate stream and no beats to play"
            raise RecordingError(msg)

    def _identity(self) -> tuple[str, str]:
        return "feltsense", "virtual strap"

    def _services(self) -> Sequence[Any]:
        return [self._output.service]

    def _advertised(self) -> bytes:
        return HEART_RATE_ADVERTISED

    def _sends(self) -> Sequence[str]:
        return ("heart_rate",)

    def _lost_connection(self) -> None:
        self._output.lost_connection()
