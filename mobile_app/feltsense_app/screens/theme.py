"""The palette as Kivy properties, so that a change of colours or of size is seen at once everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kivy.event import EventDispatcher
from kivy.metrics import dp, sp
from kivy.properties import ColorProperty, NumericProperty

from feltsense_app.theme import TOUCH_DP, palette, tokens

if TYPE_CHECKING:
    from feltsense_app.presenters.settings import SettingsState

__all__ = ["Theme"]

BODY_SP, SMALL_SP, TITLE_SP, LARGE_SP = 16, 14, 24, 20


class Theme(EventDispatcher):  # type: ignore[misc]
    """Colours and sizes; see :mod:`feltsense_app.theme`."""

    background = ColorProperty()
    surface = ColorProperty()
    sunken = ColorProperty()
    text = ColorProperty()
    muted = ColorProperty()
    line = ColorProperty()
    accent = ColorProperty()
    accent_text = ColorProperty()
    good = ColorProperty()
    warn = ColorProperty()
    bad = ColorProperty()
    idle = ColorProperty()
    status_text = ColorProperty()
    signal = ColorProperty()
    body = NumericProperty(BODY_SP)
    small = NumericProperty(SMALL_SP)
    title = NumericProperty(TITLE_SP)
    large = NumericProperty(LARGE_SP)
    touch = NumericProperty(TOUCH_DP)
    gap = NumericProperty(8)
    changed = NumericProperty(0)
    """Grows when all colours and sizes are there."""

    def apply(self, settings: SettingsState) -> None:
        """Look as somebody chose."""
        colours = palette(dark=settings.dark, high_contrast=settings.high_contrast)
        for name in tokens():
            setattr(self, name, getattr(colours, name))
        for name, size in (("body", BODY_SP), ("small", SMALL_SP), ("title", TITLE_SP), ("large", LARGE_SP)):
            setattr(self, name, sp(size * settings.scale))
        self.touch = dp(TOUCH_DP) * max(1.0, settings.scale * 0.85)
        self.gap = dp(10)
        self.changed += 1

    def colour(self, role: str, _changed: object = None) -> list[float]:
        """Colour of a role; a rule also names :attr:`changed`, so that it is asked again when the palette is another."""
        return list(getattr(self, role))
