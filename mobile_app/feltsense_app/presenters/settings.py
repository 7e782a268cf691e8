"""Settings: how the app looks and speaks. What they change is kept at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feltsense_app.presenters.base import Presenter
from feltsense_app.words import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SCALES", "SettingsPresenter", "SettingsState"]

SCALES = (1.0, 1.3, 1.6)
"""Sizes of type."""


@dataclass(frozen=True, slots=True)
class SettingsState:
    """What can be set.

    Attributes
    ----------
    language : str
        Of the app.
    dark, high_contrast : bool
        Colours.
    scale : float
        Of type, one of :data:`SCALES`.
    """

    language: str = "en"
    dark: bool = False
    high_contrast: bool = False
    scale: float = 1.0


class SettingsPresenter(Presenter[SettingsState]):
    """Change settings.

    Parameters
    ----------
    state : SettingsState
        As kept.
    keep : callable
        Told every change.
    """

    def __init__(self, state: SettingsState, keep: Callable[[SettingsState], None]) -> None:
        super().__init__(state)
        self._keep = keep

    def language(self, language: str) -> None:
        """Speak another language; one that is not there changes nothing."""
        if language in LANGUAGES:
            self._change(language=language)

    def dark(self, *, on: bool) -> None:
        """Dark or light."""
        self._change(dark=on)

    def high_contrast(self, *, on: bool) -> None:
        """High contrast or ordinary."""
        self._change(high_contrast=on)

    def larger(self) -> None:
        """The next size of type, from the largest back to the first."""
        place = SCALES.index(self.state.scale) if self.state.scale in SCALES else -1
        self._change(scale=SCALES[(place + 1) % len(SCALES)])

    def _change(self, **changes: object) -> None:
        before = self.state
        self._set(**changes)
        if self.state != before:
            self._keep(self.state)
