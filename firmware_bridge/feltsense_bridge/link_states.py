"""The states of a link, as a table.

::

    idle ──open──▶ connecting ──connected──▶ starting ──started──▶ streaming
                     ▲    │                     │                      │
                    due   failed         failed, lost            failed, lost
                     │    ▼                     ▼                      ▼
                   waiting ◀────────────────────┴──────────────────────┘

    any state but closed ──close, fatal──▶ closed
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TRANSITIONS", "Signal", "State"]


class State(StrEnum):
    """Where a link stands."""

    IDLE = "idle"
    """Made, not opened."""
    CONNECTING = "connecting"
    """A new client tries to reach the device."""
    STARTING = "starting"
    """Connected; the device's start dialogue runs."""
    STREAMING = "streaming"
    """Frames come, or should."""
    WAITING = "waiting"
    """Not connected; the next attempt is a while off."""
    CLOSED = "closed"
    """For good: asked to, or hopeless."""


class Signal(StrEnum):
    """What moves a link from one state to another."""

    OPEN = "open"
    CONNECTED = "connected"
    STARTED = "started"
    FAILED = "failed"
    """The attempt failed, or the streams fell silent: there may be a better one."""
    LOST = "lost"
    """The connection went."""
    DUE = "due"
    """The wait before the next attempt is over."""
    FATAL = "fatal"
    """No further attempt can help."""
    CLOSE = "close"


_ALIVE = tuple(s for s in State if s is not State.CLOSED)

TRANSITIONS: Final[Mapping[tuple[State, Signal], State]] = MappingProxyType(
    {
        (State.IDLE, Signal.OPEN): State.CONNECTING,
        (State.CONNECTING, Signal.CONNECTED): State.STARTING,
        (State.CONNECTING, Signal.FAILED): State.WAITING,
        (State.STARTING, Signal.STARTED): State.STREAMING,
        (State.STARTING, Signal.FAILED): State.WAITING,
        (State.STARTING, Signal.LOST): State.WAITING,
        (State.STREAMING, Signal.FAILED): State.WAITING,
        (State.STREAMING, Signal.LOST): State.WAITING,
        (State.WAITING, Signal.DUE): State.CONNECTING,
        **{(state, Signal.CLOSE): State.CLOSED for state in _ALIVE},
        **{(state, Signal.FATAL): State.CLOSED for state in _ALIVE},
    }
)
"""State and signal → next state; what is not here cannot happen, and is a bug."""
