"""What goes wrong between a sensor and an app, on purpose: seeded, composable, for any virtual sensor.

Contract
--------
- ``sensor.suffer(Jitter(), During(Loss(0.1), 10, 50), seed=1)``, before or while it plays. Notifications pass the
  faults in the order given, answers to commands pass untouched. Times are seconds of simulated time from the moment
  at which the sensor began to play.
- The same faults and seed do the same to the same packets. What a fault draws does not depend on the others.
- A :class:`~feltsense_bridge.testing.channel.Channel` is the same without a radio (sans-io): packets in, packets out,
  each with the time of its arrival.
- Delays keep the order, as Bluetooth does; :class:`Reordering` breaks it, and belongs after them.
- What was under way when a connection goes is lost.

========================= ================================================================================
fault                     what happens
========================= ================================================================================
Latency, Jitter           packets arrive later: a constant; a connection interval and a heavy tail
Loss, Duplication         packets get lost, alone or in runs; arrive twice
Corruption                bits flip, or the end is cut off
Reordering                packets are overtaken by those after them
MtuLimit                  the sensor grants packets no longer than this; what is longer is cut
DisconnectStorm           the connection ends again and again
SupervisionTimeout        nothing gets through, and only then does the connection end
SilentStall               nothing gets through on a connection that stands
ClockReset                the sensor's clock starts anew
:func:`slow_consumer`     the app takes its time over every item
========================= ================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from feltsense.core.timeline import to_ns
from feltsense_bridge.testing.channel import Action, Channel, Packet

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable

    from feltsense_bridge.testing.radio import VirtualRadio

    Stage = Callable[[Packet, float], list[Packet]]

__all__ = [
    "Action",
    "Channel",
    "ClockReset",
    "Corruption",
    "DisconnectStorm",
    "Duplication",
    "During",
    "Fault",
    "Jitter",
    "Latency",
    "Loss",
    "MtuLimit",
    "Packet",
    "Reordering",
    "SilentStall",
    "SupervisionTimeout",
    "slow_consumer",
]

ATT_HEADER: Final = 3
"""Bytes of a packet that are not the notification's value."""
_T = TypeVar("_T")


class Fault:
    """One thing that goes wrong. Subclasses are frozen: what they remember is in what :meth:`stage` makes."""

    mtu: int | None = None
    """Longest packet that the sensor grants; None: no limit."""

    def stage(self, rng: np.random.Generator) -> Stage:
        """A function of a packet and the second at which it was sent; gives what arrives of it."""
        return lambda packet, _at: [packet]

    def moments(self, rng: np.random.Generator) -> list[tuple[float, Action]]:
        """What happens to the sensor, and at which second."""
        return []


@dataclass(frozen=True)
class During(Fault):
    """A fault from one second to another only.

    Attributes
    ----------
    fault : Fault
        One that lasts.
    start, stop : float
        Seconds.
    """

    fault: Fault
    start: float
    stop: float

    def stage(self, rng: np.random.Generator) -> Stage:
        """What becomes of packets."""
        inner = self.fault.stage(rng)
        return lambda packet, at: inner(packet, at) if self.start <= at < self.stop else [packet]

    def moments(self, rng: np.random.Generator) -> list[tuple[float, Action]]:
        """When the sensor itself is hit."""
        return [(at, action) for at, action in self.fault.moments(rng) if self.start <= at < self.stop]


@dataclass(frozen=True)
class Latency(Fault):
    """Every packet arrives `seconds` later."""

    seconds: float = 0.02

    def stage(self, rng: np.random.Generator) -> Stage:
        """What becomes of packets."""
        return lambda packet, _at: [replace(packet, t_ns=packet.t_ns + to_ns(self.seconds))]


@dataclass(frozen=True)
class Jitter(Fault):
    """A packet waits for the next connection event, and some for much longer; the order stays.

    Attributes
    ----------
    seconds : float
        Connection interval: the delay is uniform over it. 45 ms is the longest that phones ask for.
    tail_share, tail : float
        Share of packets that wait an exponential time more, and its mean in seconds.
    """

    seconds: float = 0.045
    tail_share: float = 0.05
    tail: float = 0.15

    def stage(self, rng: np.random.Generator) -> Stage:
        """What becomes of packets."""
        latest = 0

        def late(packet: Packet, _at: float) -> list[Packet]:
            nonlocal latest
            delay = rng.uniform(0, self.seconds)
            delay += rng.exponential(self.tail) if rng.random() < self.tail_share else 0.0
            latest = max(latest, packet.t_ns + to_ns(delay))
            return [replace(packet, t_ns=latest)]

        return late


@dataclass(frozen=True)
class Loss(Fault):
    """Packets get lost.

    Attributes
    ----------
    share : float
        Chance that a loss begins with a packet.
    run : int
        Packets that are lost in a row.
    """

    share: float = 0.05
    run: int = 1

    def stage(self, rng: np.random.Generator) -> Stage:
        """What becomes of packets."""
        left = 0

        def lose(packet: Packet, _at: float) -> list[Packet]:
            nonlocal left
            if left == 0 and rng.random() < self.share:
                left = self.run
            if left == 0:
                return [packet]
            left -= 1
            return []

        return lose


@dataclass(frozen=True)
class Duplication(Fault):
    """A `share` of packets arrives twice."""

    share: float = 0.05

    def stage(self, rng: np.random.Generator) -> Stage:
        """What becomes of packets."""
        return lambda packet, _at: [packet, packet] if rng.random() < self.share else [packet]


@dataclass(frozen=True)
class Corruption(Fault):
    """A `share` of packets arrives damaged.

    Attributes
    ----------
    share : float
        Of packets.
    bits : int
        Bits that flip; 0: the packet is cut short instead. Bluetooth's own check catches flipped bits; what gets
        through are mistakes of firmware and drivers. A protocol without a check of its own cannot tell them.
    """

    share: float = 0.05
    bits: int = 1

    def stage(self, rng: np.random.Generator) -> Stage:
        """What becomes of packets."""

        def damage(packet: Packet, _at: float) -> list[Packet]:
            if not packet.data or rng.random() >= self.share:
                return [packet]
            data = bytearray(packet.data)
            if not self.bits:
                return [replace(packet, data=bytes(data[: rng.integers(len(data))]))]
            for bit in rng.choice(8 * len(data), min(self.bits, 8 * len(data)), replace=False):
                data[bit // 8] ^= 1 << bit % 8
            return [replace(packet, data=bytes(data))]

        return damage


@dataclass(frozen=True)
class Reordering(Fault):
    """A `share` of packets is held for `seconds`, and overtaken by those after it."""

    share: float = 0.05
    seconds: float = 1.0

    def stage(self, rng: np.random.Generator) -> Stage:
        """What becomes of packets."""
        hold = to_ns(self.seconds)
        return lambda packet, _at: [replace(packet, t_ns=packet.t_ns + (hold if rng.random() < self.share else 0))]


@dataclass(frozen=True)
class MtuLimit(Fault):
    """The sensor grants packets of `mtu` bytes at most, from the next connection on; a longer notification is cut."""

    mtu: int = 23

    def stage(self, rng: np.random.Generator) -> Stage:
        """What becomes of packets."""
        return lambda packet, _at: [replace(packet, data=packet.data[: self.mtu - ATT_HEADER])]


@dataclass(frozen=True)
class DisconnectStorm(Fault):
    """The connection ends `times` times within `within` seconds from second `at` on."""

    at: float = 10.0
    times: int = 11
    within: float = 10.0

    def moments(self, rng: np.random.Generator) -> list[tuple[float, Action]]:
        """When the sensor itself is hit."""
        drawn = np.sort(rng.uniform(self.at, self.at + self.within, self.times))
        return [(float(at), Action.DISCONNECT) for at in drawn]


@dataclass(frozen=True)
class SupervisionTimeout(Fault):
    """From second `at` on nothing gets through; `seconds` later the connection ends."""

    at: float = 10.0
    seconds: float = 6.0

    def stage(self, rng: np.random.Generator) -> Stage:
        """What becomes of packets."""
        return lambda packet, at: [] if self.at <= at < self.at + self.seconds else [packet]

    def moments(self, rng: np.random.Generator) -> list[tuple[float, Action]]:
        """When the sensor itself is hit."""
        return [(self.at + self.seconds, Action.DISCONNECT)]


@dataclass(frozen=True)
class SilentStall(Fault):
    """From second `at` on nothing gets through for `seconds`; the connection stands."""

    at: float = 10.0
    seconds: float = 10.0

    def stage(self, rng: np.random.Generator) -> Stage:
        """What becomes of packets."""
        return lambda packet, at: [] if self.at <= at < self.at + self.seconds else [packet]


@dataclass(frozen=True)
class ClockReset(Fault):
    """At second `at` the sensor's clock shows again what it showed when it was switched on; it measures on."""

    at: float = 10.0

    def moments(self, rng: np.random.Generator) -> list[tuple[float, Action]]:
        """When the sensor itself is hit."""
        return [(self.at, Action.RESET_CLOCK)]


async def slow_consumer(items: AsyncIterable[_T], radio: VirtualRadio, seconds: float) -> AsyncIterator[_T]:
    """Iterate as an app that is busy for `seconds` of simulated time with every item."""
    async for item in items:
        yield item
        await radio.sleep(seconds)
