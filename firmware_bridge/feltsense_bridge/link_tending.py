"""What a link asks of a device while it streams: its time, and lost frames (:class:`~feltsense_bridge.device.Tended`).

Questions only are sent here. Answers come as notifications, so that a capture of those replays all there is to know.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from feltsense.core.timeline import to_ns
from feltsense_bridge.device import Tended
from feltsense_bridge.errors import transport_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from feltsense_bridge.device import Device
    from feltsense_bridge.intake import Intake
    from feltsense_bridge.link_connection import Connection

__all__ = ["tend"]

TICK_S: Final = 0.25
"""So often is looked whether there is something to ask for: a hole is filled before a screen shows it."""
FIRST_PINGS: Final = 8
"""Questions for the device's time, one a tick, before they become rare: of eight, one is likely to meet no delay."""
PING_S: Final = 10.0
"""Then one in so many seconds: a crystal drifts by less than a millisecond meanwhile."""


async def tend(connection: Connection, device: Device, intake: Intake, clock: Callable[[], int], speed: float) -> None:
    """Until the connection is over, ask a device that can be asked.

    Parameters
    ----------
    connection : Connection
        Streams.
    device : Device
        Whose it is.
    intake : Intake
        Knows what is missing.
    clock : callable
        Session time, Unix ns.
    speed : float
        How many times faster than real time it runs.
    """
    asked, due_ns = 0, clock()
    while isinstance(device, Tended):
        wanted = intake.wanted(clock())
        requests = [] if wanted is None else [device.fetch(*wanted)]
        if clock() >= due_ns:
            question = device.ping(clock())
            requests += [question] if question is not None else []
            asked += 1
            due_ns += to_ns(TICK_S if asked < FIRST_PINGS else PING_S)
        try:
            for request in requests:
                await connection.write(request)
            async with asyncio.timeout(TICK_S / max(1.0, speed)):
                await connection.over.wait()
                return
        except TimeoutError:
            continue
        except transport_errors():
            # It goes, or refuses: its streams decide what becomes of it.
            break
    await connection.over.wait()
