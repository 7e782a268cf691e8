"""What the phone has to allow, asked for one at a time with the reason, and a way on when it was refused for ever.

Only what the consented streams need is asked for. A phone that was told "don't ask again" never shows the question
again: then the way on is its settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["NEEDS", "Grant", "Permissions", "PermissionsPresenter", "PermissionsState", "needed"]

NEEDS = {
    **dict.fromkeys(("camera", "face", "video"), "camera"),
    **dict.fromkeys(("microphone", "voice", "audio"), "microphone"),
}
"""Stream → permission beyond Bluetooth and notifications, which every study needs."""


class Grant(StrEnum):
    """What the phone says."""

    UNKNOWN = "unknown"
    GRANTED = "granted"
    DENIED = "denied"
    """Refused; may be asked again."""
    FOREVER = "forever"
    """Refused and not to be asked again: only the settings help."""


class Permissions(Protocol):
    """The phone's side."""

    def permission(self, name: str) -> Grant:
        """Where a permission stands."""

    def request(self, name: str, answered: Callable[[Grant], None]) -> None:
        """Ask; `answered` is called once, now or later."""

    def open_settings(self) -> None:
        """Show the phone's settings of this app."""


@dataclass(frozen=True, slots=True)
class PermissionsState:
    """What the permissions screen shows.

    Attributes
    ----------
    grants : tuple of (str, Grant)
        Permission and where it stands, in the order in which they are asked for.
    """

    grants: tuple[tuple[str, Grant], ...]

    @property
    def ready(self) -> bool:
        """Whether all are granted."""
        return all(g is Grant.GRANTED for _, g in self.grants)


def needed(streams: Sequence[str]) -> tuple[str, ...]:
    """Permissions for streams."""
    extra = sorted({NEEDS[s] for s in streams if s in NEEDS})
    return ("bluetooth", "notifications", *extra)


class PermissionsPresenter(Presenter[PermissionsState]):
    """Ask the phone.

    Parameters
    ----------
    phone : Permissions
        The phone.
    names : sequence of str
        See :func:`needed`.
    done : callable
        Called when all are granted.
    """

    def __init__(self, phone: Permissions, names: Sequence[str], done: Callable[[], None]) -> None:
        super().__init__(PermissionsState(tuple((n, phone.permission(n)) for n in names)))
        self._phone, self._done = phone, done

    def ask(self, name: str) -> None:
        """Ask for one, or show the settings where asking is over."""
        if dict(self.state.grants)[name] is Grant.FOREVER:
            self._phone.open_settings()
        else:
            self._phone.request(name, lambda grant: self._answered(name, grant))

    def again(self) -> None:
        """Look again, when somebody comes back from the settings."""
        self._set(grants=tuple((n, self._phone.permission(n)) for n, _ in self.state.grants))

    def go_on(self) -> bool:
        """Leave the screen; False while something is not granted."""
        if self.state.ready:
            self._done()
        return self.state.ready

    def _answered(self, name: str, grant: Grant) -> None:
        self._set(grants=tuple((n, grant if n == name else g) for n, g in self.state.grants))
