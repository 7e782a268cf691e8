"""Who is there: a scan, and which model each device is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from feltsense.errors import MissingExtraError
from feltsense_bridge import devices
from feltsense_bridge.device import Advertisement
from feltsense_bridge.errors import explain, transport_errors

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SECONDS", "Sighting", "scan"]

SECONDS: Final = 5.0
"""How long a scan listens: straps advertise several times a second, phones' radios listen part of the time."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device that was seen.

    Attributes
    ----------
    advertisement : Advertisement
        What it says of itself.
    model : str or None
        Model that can read it; None if nobody knows it.
    """

    advertisement: Advertisement
    model: str | None

    def answers_to(self, wanted: str) -> bool:
        """Whether an address or a name (or the end of one, as printed on a strap) means this device."""
        word = wanted.strip().casefold()
        name = self.advertisement.name.casefold()
        return bool(word) and (word == self.advertisement.address.casefold() or word == name or name.endswith(f" {word}"))


async def scan(
    seconds: float = SECONDS, *, backend: Any = None, until: Callable[[list[Sighting]], bool] | None = None
) -> list[Sighting]:
    """Listen for advertisements.

    Parameters
    ----------
    seconds : float
        How long.
    backend : class, optional
        Bleak scanner backend, for example a virtual radio's ``scanner``; default the platform's.
    until : callable, optional
        Given what was seen so far, whether that is enough.

    Returns
    -------
    list of Sighting
        Known models first, then the nearest.

    Raises
    ------
    MissingExtraError
        If Bleak is not installed.
    AdapterError
        If this machine's Bluetooth is off, absent or forbidden.
    """
    try:
        from bleak import BleakScanner
    except ImportError:
        raise MissingExtraError("ble", "a scan for sensors") from None
    seen: dict[str, Sighting] = {}
    enough = asyncio.Event()

    def heard(found: Any, data: Any) -> None:
        before = seen.get(found.address)
        # A device's name and services come in two packets; what one lacks the other has said.
        old = before.advertisement if before else Advertisement(found.address)
        advertisement = Advertisement(
            found.address,
            data.local_name or found.name or old.name,
            tuple(dict.fromkeys((*old.services, *(u.lower() for u in data.service_uuids)))),
            data.rssi,
            {**old.manufacturer, **data.manufacturer_data},
        )
        seen[found.address] = Sighting(advertisement, devices.identify(advertisement))
        if until is not None and until(_sorted(seen)):
            enough.set()

    scanner = BleakScanner(heard) if backend is None else BleakScanner(heard, backend=backend)
    try:
        async with scanner, asyncio.timeout(seconds):
            await enough.wait()
    except TimeoutError:
        pass
    except transport_errors() as error:
        raise explain(error, "this machine's Bluetooth", "scanning") from error
    return _sorted(seen)


def _sorted(seen: dict[str, Sighting]) -> list[Sighting]:
    return sorted(seen.values(), key=lambda s: (s.model is None, -s.advertisement.rssi, s.advertisement.address))
