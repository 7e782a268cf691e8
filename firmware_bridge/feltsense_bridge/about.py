"""What a sensor says of itself: battery, maker, model, serial number and versions, asked over a connection of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from feltsense.errors import ProtocolError
from feltsense_bridge.devices._gatt import BATTERY_LEVEL
from feltsense_bridge.devices._information import TEXTS, Information
from feltsense_bridge.errors import explain, lacks, transport_errors

if TYPE_CHECKING:
    from feltsense_bridge.link_connection import ClientFactory

__all__ = ["Information", "about"]

PATIENCE_S: Final = 15.0
"""Connecting and reading seven numbers takes a second or two; a sensor out of reach is not waited for longer."""


async def about(address: str, factory: ClientFactory, label: str = "") -> Information:
    """Connect, read what the sensor has of it, disconnect.

    Parameters
    ----------
    address : str
        The sensor.
    factory : callable
        Makes the client: :func:`feltsense_bridge.link_connection.bleak_client`.
    label : str
        Its name, for people; default its address.

    Raises
    ------
    LinkError
        If it cannot be reached, or breaks off.
    """
    client = factory(address, lambda: None)
    troubles: tuple[type[Exception], ...] = (*transport_errors(), ProtocolError)
    said: dict[str, bytes] = {}
    try:
        async with asyncio.timeout(PATIENCE_S):
            await client.connect()
            for uuid in (BATTERY_LEVEL, *TEXTS):
                try:
                    said[uuid] = bytes(await client.read_gatt_char(uuid))
                except transport_errors() as error:
                    # A sensor has whichever it likes.
                    if not lacks(error):
                        raise
        return Information.of(said)
    except troubles as error:
        raise explain(error, label or address, "asking what it is") from error
    finally:
        await client.disconnect()
