"""A place for each sensor, red until it is filled."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from feltsense_app.screens.widgets import Act, Card, PageScreen, Small, Words

if TYPE_CHECKING:
    from feltsense_app.presenters.pair import PairState, Place

__all__ = ["PairScreen"]


class PairScreen(PageScreen):
    """Pairing."""

    title_key = "pair.title"

    def build(self) -> None:
        """Listen as soon as the screen is seen."""
        self.look = Act(self.words("pair.scan"), self.c.pair.start)
        self.go = Act(self.words("pair.start"), self.c.pair.go_on, main=True)
        self.foot(self.look, self.go)
        self.c.pair.start()

    def show(self, state: PairState) -> None:
        """Each place, then what else is in reach."""
        w = self.words
        self.ids.body.clear_widgets()
        self.put(Words(text=w("pair.lead")), *(self._card(p) for p in state.places))
        self.put(*(Small(text=w("pair.other", name=s.name)) for s in state.others))
        if state.trouble:
            self.put(Words(text=state.trouble, role="bad"))
        self.look.text = w("pair.scanning" if state.scanning else "pair.scan")
        self.look.off, self.go.off = state.scanning, not state.ready

    def _card(self, place: Place) -> Card:
        w = self.words
        filled = place.sensor is not None
        card = Card(edge="good" if filled else "bad" if place.required else "line")
        card.add_widget(Words(text=self.app.name_of("model", place.model), bold=True))
        missing = w("pair.missing") if place.required else f"{w('pair.missing')} ({w('pair.optional')})"
        text = w("pair.found", name=place.sensor.name) if place.sensor is not None else missing
        card.add_widget(Words(text=text, role="good" if filled else "bad" if place.required else "muted"))
        if place.choices:
            card.add_widget(Words(text=w("pair.choose")))
        for seen in place.choices:
            label = f"{seen.name}  ({seen.address[-5:]})"
            card.add_widget(Act(label, partial(self.c.pair.choose, place.model, seen.address)))
        return card
