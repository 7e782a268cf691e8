"""What platforms do differently, each with its issue, and where it is dealt with.

A link behaves the same everywhere; what it takes for that is in this table and in the code that it names.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from feltsense_bridge.link_connection import Client

__all__ = ["QUIRKS", "IndicatingClient", "NotifyingClient", "Quirk", "fitted", "for_platform", "notify_options"]

CCCD: Final = "00002902-0000-1000-8000-00805f9b34fb"
"""Client characteristic configuration: what switches notifications (1) and indications (2) on."""
INDICATE: Final = b"\x02\x00"


@dataclass(frozen=True, slots=True)
class Quirk:
    """One of them.

    Attributes
    ----------
    platform : str
        ``linux``, ``windows``, ``macos``, ``android`` (python-for-android), or ``any``.
    what : str
        What happens.
    issue : str
        Where it was reported.
    dealt_with : str
        What is done.
    """

    platform: str
    what: str
    issue: str
    dealt_with: str


_BLEAK: Final = "https://github.com/hbldh/bleak/issues/"
_POLAR: Final = "https://github.com/polarofficial/polar-ble-sdk/issues/"
QUIRKS: Final = (
    Quirk("windows", "a client that has been connected cannot connect again, or hangs", f"{_BLEAK}2017",
          "a new client object for every attempt, each within a time-out"),
    Quirk("linux", "AcquireNotify loses notifications of some devices; Bleak's default has changed twice", f"{_BLEAK}1885",
          "StartNotify is asked for by name (notify_options)"),
    Quirk("any", "notifications are lost that come before they are enabled", f"{_BLEAK}1836",
          "every dialogue subscribes first and starts streams last"),
    Quirk("any", "a sensor that was taken off stays connected and says nothing", f"{_POLAR}383",
          "the watchdog minds the data, apart from the connection"),
    Quirk("android", "Bleak enables notifications where a characteristic only indicates",
          "https://bleak.readthedocs.io/en/latest/backends/android.html",
          "the characteristic's configuration is written once more (IndicatingClient)"),
    Quirk("any", "an H10 measures on after it was taken off, until its battery is empty",
          "https://github.com/polarofficial/polar-ble-sdk/blob/master/KnownIssues.md",
          "streams are stopped on every way out"),
    Quirk("any", "a clock that is set is set to the second", f"{_POLAR}651",
          "no clock is set; each is mapped to the session's"),
    Quirk("any", "beat intervals of the Heart Rate service have no time", f"{_POLAR}676",
          "they are placed by their own sum, and their uncertainty is stated"),
)  # fmt: skip
"""What is known."""


def for_platform() -> str:
    """The platform that this process runs on, as the table names it."""
    if os.environ.get("P4A_BOOTSTRAP") is not None:
        return "android"
    return {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")


def notify_options(platform: str) -> Mapping[str, Any]:
    """What to tell Bleak beside the characteristic when notifications are enabled."""
    return {"bluez": {"use_start_notify": True}} if platform == "linux" else {}


class IndicatingClient:
    """A Bleak client that enables indications where there is nothing but those; all else is the client's own.

    Parameters
    ----------
    client : BleakClient
        What enables notifications only.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def start_notify(self, uuid: str, callback: Callable[[Any, bytearray], None], /) -> None:
        """Enable notifications, or indications where the characteristic has only those."""
        await self._client.start_notify(uuid, callback)
        found = self._client.services.get_characteristic(uuid)
        if found is None or "notify" in found.properties or "indicate" not in found.properties:
            return
        for descriptor in found.descriptors:
            if descriptor.uuid == CCCD:
                # Bleak's own method refuses this descriptor: it is the backend's business, which has it wrong here.
                await self._client._backend.write_gatt_descriptor(descriptor, INDICATE)


class NotifyingClient:
    """A Bleak client with the platform's options for notifications; all else is the client's own."""

    def __init__(self, client: Any, options: Mapping[str, Any]) -> None:
        self._client = client
        self._options = options

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def start_notify(self, uuid: str, callback: Callable[[Any, bytearray], None], /) -> None:
        """Enable notifications as the platform needs it."""
        await self._client.start_notify(uuid, callback, **self._options)


def fitted(client: Any, platform: str) -> Client:
    """A platform's own client, with what it takes there."""
    options = notify_options(platform)
    out = NotifyingClient(client, options) if options else client
    return IndicatingClient(out) if platform == "android" else out
