"""Numbers that several devices share: assigned GATT UUIDs in long form, and the epochs of device clocks.

UUIDs are the Bluetooth SIG's assigned numbers (16 bit, here on the SIG's base) as Bleak writes them: lower case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feltsense_bridge.device import Advertisement

from feltsense.errors import UnknownNameError

__all__ = [
    "BATTERY_LEVEL",
    "EPOCH_2000_NS",
    "HEART_RATE_MEASUREMENT",
    "HEART_RATE_SERVICE",
    "advertises",
    "assigned",
    "celsius",
    "chosen",
]


def assigned(number: int) -> str:
    """Long form of a 16-bit assigned number."""
    return f"{number:08x}-0000-1000-8000-00805f9b34fb"


HEART_RATE_SERVICE: Final = assigned(0x180D)
HEART_RATE_MEASUREMENT: Final = assigned(0x2A37)
BATTERY_LEVEL: Final = assigned(0x2A19)

EPOCH_2000_NS: Final = 946_684_800 * 1_000_000_000
"""2000-01-01T00:00:00Z in Unix nanoseconds: what some device clocks count from."""


def advertises(advertisement: Advertisement, service: str) -> bool:
    """Whether an advertisement names a service."""
    return service.lower() in {s.lower() for s in advertisement.services}


def chosen(model: str, offered: Sequence[str], streams: Sequence[str] | None, default: Sequence[str]) -> tuple[str, ...]:
    """Streams that were asked for, each checked, in the order of `offered`.

    Raises
    ------
    UnknownNameError
        If the model has no such stream.
    """
    for name in streams or ():
        if name not in offered:
            raise UnknownNameError(f"stream of {model}", name, offered)
    wanted = default if streams is None else streams
    return tuple(name for name in offered if name in wanted)


def celsius(degrees: float, *, fahrenheit: bool) -> float:
    """A temperature in °C, whichever of the two units a sensor speaks."""
    return (degrees - 32.0) / 1.8 if fahrenheit else degrees
