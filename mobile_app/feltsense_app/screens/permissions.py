"""What the phone has to allow, each with its reason."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from feltsense_app.presenters.permissions import Grant
from feltsense_app.screens.widgets import Act, Card, PageScreen, Small, Words

if TYPE_CHECKING:
    from feltsense_app.presenters.permissions import PermissionsState

__all__ = ["PermissionsScreen"]


class PermissionsScreen(PageScreen):
    """One permission a card, with its reason."""

    title_key = "permissions.title"

    def build(self) -> None:
        """Only the way on stays."""
        self.go = Act(self.words("next"), self.c.permissions.go_on, main=True)
        self.foot(self.go)

    def show(self, state: PermissionsState) -> None:
        """Where each stands."""
        w = self.words
        self.ids.body.clear_widgets()
        for name, grant in state.grants:
            card = Card(edge="good" if grant is Grant.GRANTED else "line")
            card.add_widget(Words(text=w(f"permissions.{name}")))
            key = "denied" if grant is Grant.UNKNOWN else grant.value
            card.add_widget(Small(text=w(f"permissions.{key}")))
            if grant is not Grant.GRANTED:
                label = w("permissions.settings" if grant is Grant.FOREVER else "permissions.allow")
                card.add_widget(Act(label, partial(self.c.permissions.ask, name)))
            self.put(card)
        self.go.off = not state.ready
