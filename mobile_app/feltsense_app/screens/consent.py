"""The text, a switch for each stream, and the signature."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from feltsense_app.screens.widgets import Act, Card, Field, PageScreen, Row, Small, Words

if TYPE_CHECKING:
    from feltsense_app.presenters.consent import ConsentState

__all__ = ["ConsentScreen"]


class ConsentScreen(PageScreen):
    """The text, a switch a stream, and the signature."""

    title_key = "consent.title"

    def build(self) -> None:
        """The switches are made anew with the state; the field stays."""
        w, consent = self.words, self.c.consent
        self.switches = Card()
        self.missing = Words(role="bad")
        self.name_field = Field(hint_text=w("consent.signature"))
        self.name_field.bind(text=lambda _, text: consent.sign(text))
        self.accept = Act(w("consent.accept"), consent.accept, main=True)
        text = Card()
        text.add_widget(Words(text=consent.state.text))
        text.add_widget(Small(text=w("consent.version", version=consent.state.version)))
        self.put(Words(text=w("consent.lead")), text, self.switches, Small(text=w("consent.signature")), self.name_field)
        self.foot(self.missing, self.accept)
        self.ids.scroll.bind(scroll_y=lambda *_: self._read())
        self.ids.body.bind(height=lambda *_: self._read())
        self._read()

    def _read(self) -> None:
        """Seen to its end: scrolled down, or all of it fits."""
        scroll = self.ids.scroll
        if self.c.consent is not None and scroll.scroll_y < 0.05:
            self.c.consent.seen()

    def show(self, state: ConsentState) -> None:
        """Each stream by itself."""
        w, app = self.words, self.app
        self.switches.clear_widgets()
        for asked in state.asked:
            row = Row()
            need = w("consent.needed" if asked.required else "consent.optional")
            purpose = asked.purpose or app.name_of("purpose", asked.stream)
            row.add_widget(Words(text=f"{app.name_of('signal', asked.stream)} ({need})\n{purpose}"))
            on = w("settings.on" if asked.granted else "settings.off")
            press = partial(self.c.consent.toggle, asked.stream)
            row.add_widget(Act(on, press, main=asked.granted, size_hint_x=None, width=app.theme.touch * 1.6))
            self.switches.add_widget(row)
        self.missing.text = w(state.missing[0]) if state.missing else ""
        self.accept.off = bool(state.missing)
