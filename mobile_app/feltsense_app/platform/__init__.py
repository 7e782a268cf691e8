"""What differs between a desktop and a phone: folders, space, battery, permissions, notifications."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from fractions import Fraction
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from feltsense.vision import Frame
    from feltsense_app.presenters.permissions import Grant

__all__ = ["Phone", "here", "on_android"]


class Phone(Protocol):
    """What the app asks of where it runs."""

    folder: Path
    """Where the app keeps its files."""

    def space(self) -> tuple[float, float | None]:
        """Free bytes, and the battery from 0 to 1 where there is one."""

    def secret(self) -> str | None:
        """What wraps the keys of recordings; None: the system's key store does."""

    def language(self) -> str:
        """As the system names it."""

    def notify(self, title: str, text: str) -> None:
        """Show a notification."""

    def pictures(self) -> Iterator[Any]:
        """What the camera sees, picture after picture; InputError where it cannot be used."""

    def frames(self, rate: Fraction) -> Generator[Frame]:
        """Pictures of the camera that looks at the person, with their times, for as long as they are asked for.

        InputError, at once or with the first one, where there is none that can be used.
        """

    def sound(self, rate: Fraction) -> Generator[NDArray[np.float64]]:
        """What the microphone hears at so many samples a second: pieces of shape (n,), full scale ±1, without holes.

        InputError, at once or with the first one, where there is none that can be used.
        """

    def permission(self, name: str) -> Grant:
        """Where a permission stands."""

    def request(self, name: str, answered: Callable[[Grant], None]) -> None:
        """Ask for a permission."""

    def open_settings(self) -> None:
        """Show the system's settings of this app."""

    def stay_awake(self, *, on: bool) -> None:
        """Begin or end the foreground service that keeps a recording alive."""


def on_android() -> bool:
    """Whether this is a phone."""
    return hasattr(sys, "getandroidapilevel")


def here(folder: Path | None = None) -> Phone:
    """The platform that the app runs on; `folder` replaces the usual one on a desktop."""
    if on_android():
        from feltsense_app.platform.android import Android

        return Android()
    from feltsense_app.platform.desktop import Desktop

    return Desktop(folder)
