"""Lost frames that the device can send again: the frames behind them wait, so that everything comes in its order.

Contract
--------
- One :class:`Refill` a stream whose frames are numbered and kept by the device. Frames go in as they arrive, and come
  out in the order of their numbers. Nothing is inserted into what has come out: chunks stay contiguous, the store
  append-only, and results independent of when a frame arrived.
- A hole makes the frames behind it wait, until the hole is filled, the device says that it no longer has the frames,
  or :data:`WAIT_S` have passed without a frame of the hole. Then what is there comes out, and the account finds the gap.
- Times are those of arrivals, so that a capture decides as the session did. An outage stops the waiting's clock: the
  device keeps what it measures meanwhile.
- Each frame carries what tore the hole before it, if it is known (an overflow, a damaged notification), through the
  waiting: of several holes each keeps its own reason. A frame of a hole that was fetched again has the hole's.
- A frame that is behind what has come out is handed on at once: the account knows doubles and stragglers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from feltsense.core.chunk import GapReason
from feltsense.core.timeline import to_ns
from feltsense_bridge.continuity import Stragglers

if TYPE_CHECKING:
    from feltsense_bridge.device import Frame

__all__ = ["Refill"]

WAIT_S: Final = 5.0
"""An answer takes some connection intervals, 0.2 s; five seconds forgive a radio that is busy or loses some."""
ASK_S: Final = 1.0
"""When nothing of a hole came for so long, it is asked for once more: the request or the frames may have been lost."""
WAITING_FRAMES: Final = 4096
"""So many frames may wait (35 minutes at two a second): a hole that takes longer to fill stays one."""

Released = list[tuple["Frame", int, GapReason]]
"""Frames whose turn it is, each with its arrival, and the reason of a hole before it."""


class Refill:
    """Puts one stream's frames in order, and knows which to ask for.

    Parameters
    ----------
    modulus : int
        What numbers wrap at. A hole of half of it or more is not filled: it could be a number that went back.
    pace : float
        How many times faster than real time arrivals run: a busy machine must not look like a device that is silent.
    """

    def __init__(self, modulus: int, pace: float = 1.0) -> None:
        self._modulus = modulus
        self._wait_ns, self._ask_ns = to_ns(WAIT_S * max(1.0, pace)), to_ns(ASK_S)
        self._next: int | None = None
        self._device_ns = 0
        self._held: dict[int, tuple[Frame, int, GapReason]] = {}
        self._since = 0
        self._asked: int | None = None
        self._refused = False
        self._stragglers = Stragglers()

    def __bool__(self) -> bool:
        """Whether frames wait."""
        return bool(self._held)

    def push(self, frame: Frame, arrival_ns: int, hint: GapReason = GapReason.LINK) -> Released:
        """Take a frame; give those whose turn it is. `hint`: why frames before it are missing, if some are."""
        number = frame.sequence
        if number is None:
            return [(frame, arrival_ns, hint)]
        if frame.again:
            hint = self._torn_by(number)
        ahead = 0 if self._next is None else (number - self._next) % self._modulus
        if ahead >= self._modulus // 2:
            return self._behind(frame, arrival_ns, hint)
        if ahead == 0 or self._refused:
            out = self.flush() if ahead else []
            self._advance(frame, arrival_ns)
            return [*out, (frame, arrival_ns, hint), *self._follow()]
        if not self._held:
            self._since, self._asked = arrival_ns, None
        self._held[number] = (frame, arrival_ns, hint)
        return self.flush() if len(self._held) > WAITING_FRAMES else []

    def overdue(self, now_ns: int) -> Released:
        """What has waited for too long."""
        return self.flush() if self._held and now_ns - self._since > self._wait_ns else []

    def resume(self, now_ns: int) -> None:
        """Connected anew: waiting begins again, and what was asked for is forgotten with the connection."""
        self._since, self._asked, self._refused = now_ns, None, False

    def wanted(self, now_ns: int) -> tuple[int, int] | None:
        """First number and count of the frames to ask for now; None if there are none, or they are on their way."""
        if not self._held or self._next is None or self._refused:
            return None
        if self._asked is not None and now_ns - self._asked < self._ask_ns:
            return None
        self._asked = now_ns
        first = self._next
        return first, min((number - first) % self._modulus for number in self._held)

    def kept(self, first: int, frames: int) -> Released:
        """The device's answer: these will come, what is before them is gone."""
        if self._next is None or not self._held:
            return []
        gone = (first - self._next) % self._modulus
        hole = min((number - self._next) % self._modulus for number in self._held)
        if not frames:
            gone = hole
        if not 0 < gone <= hole:
            return []
        self._next = (self._next + gone) % self._modulus
        return self._follow()

    def refuse(self) -> Released:
        """The device does not send again: frames wait no longer, until the next connection."""
        self._refused = True
        return self.flush()

    def flush(self) -> Released:
        """All that waits, in order; what is missing stays missing."""
        out: Released = []
        while self._held and self._next is not None:
            start = self._next
            self._next = min(self._held, key=lambda number: (number - start) % self._modulus)
            out += self._follow()
        return out

    def _follow(self) -> Released:
        """What waits and follows without a hole."""
        out: Released = []
        while self._next is not None and self._next in self._held:
            frame, arrival_ns, hint = self._held.pop(self._next)
            self._advance(frame, arrival_ns)
            out.append((frame, arrival_ns, hint))
        return out

    def _behind(self, frame: Frame, arrival_ns: int, hint: GapReason) -> Released:
        """A frame whose number has been passed: a straggler, or the device was switched off and on."""
        if frame.again:
            return []
        later = frame.device_ns is None or frame.device_ns > self._device_ns
        if later or self._stragglers.went_back(frame.device_ns or 0):
            # The number went back, and counts anew from here.
            out = self.flush()
            self._advance(frame, arrival_ns)
            return [*out, (frame, arrival_ns, hint)]
        return [(frame, arrival_ns, hint)]

    def _torn_by(self, number: int) -> GapReason:
        """Reason of the hole that a number is in: the next frame that waits has it."""
        ahead = min(self._held, key=lambda n: (n - number) % self._modulus, default=None)
        return GapReason.LINK if ahead is None else self._held[ahead][2]

    def _advance(self, frame: Frame, arrival_ns: int) -> None:
        self._stragglers.clear()
        self._next = ((frame.sequence or 0) + 1) % self._modulus
        self._device_ns = frame.device_ns or 0
        self._since = max(self._since, arrival_ns)
        if frame.again and self._held:
            self._asked = self._since
