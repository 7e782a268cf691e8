"""A code, the study that it is of, and a code name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense_app.screens.widgets import Act, Field, PageScreen, Small, Words

if TYPE_CHECKING:
    from feltsense_app.presenters.join import JoinState

__all__ = ["JoinScreen"]


class JoinScreen(PageScreen):
    """A code, the study that it is of, and a code name."""

    title_key = "join.title"

    def build(self) -> None:
        """The fields stay, so that typing is not lost."""
        w, join = self.words, self.c.join
        self.code = Field(hint_text=w("join.code"))
        self.name_field = Field()
        self.name_field.bind(text=lambda _, text: join.name(text))
        self.found, self.contact, self.trouble = Words(bold=True), Small(), Words(role="bad")
        self.yes = Act(w("join.yes"), join.join, main=True)
        look = Act(w("join.look"), lambda: join.enter(self.code.text))
        self.camera = Act("", join.scan)
        self.put(Words(text=w("join.lead")), self.camera, self.code, look, self.trouble, self.found, self.contact)
        self.put(Small(text=w("join.name")), self.name_field)
        self.foot(self.yes)

    def show(self, state: JoinState) -> None:
        """What was found, or what is wrong."""
        self.found.text, self.contact.text, self.trouble.text = state.title, state.contact, state.trouble
        if self.name_field.text != state.pseudonym:
            self.name_field.text = state.pseudonym
        self.yes.off = not state.ready
        self.camera.text, self.camera.off = self.words("join.scanning" if state.scanning else "join.scan"), state.scanning
