"""The way from a virtual sensor to an app: a channel that faults act on, and a courier that carries what it delays.

:class:`Channel` is sans-io; :class:`Courier` is its use on a radio. What can go wrong is in
:mod:`feltsense_bridge.testing.faults`.
"""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.timeline import NS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from feltsense_bridge.testing.faults import Fault

__all__ = ["Action", "Channel", "Courier", "Packet"]


@dataclass(frozen=True, slots=True)
class Packet:
    """A notification on its way: when it arrives (Unix ns), and its bytes."""

    t_ns: int
    data: bytes


class Action(Enum):
    """What happens to a sensor at one moment."""

    DISCONNECT = auto()
    RESET_CLOCK = auto()


class Channel:
    """Faults in a row, without a radio.

    Parameters
    ----------
    faults : sequence of Fault
        In the order in which packets pass them.
    seed : int
        Of all that is drawn.
    begin_ns : int
        Time of second 0, Unix ns.
    """

    def __init__(self, faults: Sequence[Fault], seed: int = 0, begin_ns: int = 0) -> None:
        self.begin_ns = begin_ns
        self._stages = [f.stage(np.random.default_rng([seed, k, 0])) for k, f in enumerate(faults)]
        drawn = [f.moments(np.random.default_rng([seed, k, 1])) for k, f in enumerate(faults)]
        self.moments = sorted((m for ms in drawn for m in ms), key=lambda m: m[0])
        """Second and action, in order."""
        self.mtu = min((f.mtu for f in faults if f.mtu is not None), default=None)

    def send(self, t_ns: int, data: bytes) -> list[Packet]:
        """What arrives of a packet that is sent now."""
        at = (t_ns - self.begin_ns) / NS
        packets = [Packet(t_ns, data)]
        for stage in self._stages:
            packets = [out for packet in packets for out in stage(packet, at)]
        return packets


class Courier:
    """Carries what a channel delays, in the order of arrival (the sensors use it).

    Parameters
    ----------
    channel : Channel
        What happens on the way.
    clock : callable
        Simulated time.
    until : coroutine function
        Sleeps until a simulated time.
    transmit : coroutine function
        Takes what arrives: the token that it was posted with, and its bytes.
    """

    def __init__(
        self,
        channel: Channel,
        clock: Callable[[], int],
        until: Callable[[int], Awaitable[None]],
        transmit: Callable[[object, bytes], Awaitable[None]],
    ) -> None:
        self.channel = channel
        self._clock = clock
        self._until = until
        self._transmit = transmit
        self._heap: list[tuple[int, int, object, bytes]] = []
        self._posted = 0
        self._turn = asyncio.Lock()

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._heap)

    def post(self, token: object, data: bytes) -> list[int]:
        """Send a packet now; when to call :meth:`deliver` for what arrives of it."""
        times = []
        for packet in self.channel.send(self._clock(), data):
            heapq.heappush(self._heap, (packet.t_ns, self._posted, token, packet.data))
            self._posted += 1
            times.append(packet.t_ns)
        return times

    async def deliver(self, t_ns: int) -> None:
        """Wait until then, and hand over all that has arrived, in order."""
        await self._until(t_ns)
        async with self._turn:
            while self._heap and self._heap[0][0] <= self._clock():
                _, _, token, data = heapq.heappop(self._heap)
                await self._transmit(token, data)
