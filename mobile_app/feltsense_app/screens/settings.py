"""How the app looks and speaks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from feltsense_app.screens.widgets import Act, PageScreen, Row, Words
from feltsense_app.words import LANGUAGES

if TYPE_CHECKING:
    from feltsense_app.presenters.settings import SettingsState

__all__ = ["SettingsScreen"]

NAMES = {"en": "English", "de": "Deutsch", "es": "Español"}
"""Each language in itself."""


class SettingsScreen(PageScreen):
    """Settings."""

    title_key = "settings.title"
    back = True

    def show(self, state: SettingsState) -> None:
        """As they are."""
        w, settings = self.words, self.c.settings
        self.ids.body.clear_widgets()
        languages = Row()
        for code in LANGUAGES:
            languages.add_widget(Act(NAMES[code], partial(settings.language, code), main=code == state.language))
        dark = Act(self._text("settings.dark", on=state.dark), lambda: settings.dark(on=not state.dark))
        contrast = Act(
            self._text("settings.contrast", on=state.high_contrast),
            lambda: settings.high_contrast(on=not state.high_contrast),
        )
        size = Act(w("settings.size", percent=round(state.scale * 100)), settings.larger)
        self.put(Words(text=w("settings.language")), languages, dark, contrast, size)

    def _text(self, key: str, *, on: bool) -> str:
        return f"{self.words(key)}: {self.words('settings.on' if on else 'settings.off')}"
