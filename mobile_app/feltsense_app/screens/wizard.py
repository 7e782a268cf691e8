"""The rest: what to do, how much is left, and whether the signals are good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense_app.presenters.wizard import Phase
from feltsense_app.screens.widgets import Act, Band, PageScreen, Passed, Small, Title, Words

if TYPE_CHECKING:
    from feltsense_app.presenters.wizard import WizardState

__all__ = ["WizardScreen"]

BANDS = {"wizard.good": "good", "wizard.settle": "idle"}
"""Feedback → level; what is not here asks for something."""


class WizardScreen(PageScreen):
    """The baseline wizard."""

    title_key = "wizard.title"

    def show(self, state: WizardState) -> None:
        """One page a phase."""
        self.ids.body.clear_widgets()
        self.ids.foot.clear_widgets()
        {Phase.INTRO: self._intro, Phase.RESTING: self._resting, Phase.AGAIN: self._again}.get(state.phase, self._end)(state)

    def _intro(self, state: WizardState) -> None:
        w = self.words
        minutes = f"{state.left_s / 60:.0f}"
        self.put(Words(text=w("wizard.lead", minutes=minutes)))
        self.foot(Act(w("wizard.begin"), self.c.begin_rest, main=True))

    def _resting(self, state: WizardState) -> None:
        w = self.words
        left = w("wizard.left", minutes=state.left_s // 60, seconds=state.left_s % 60)
        band = Band(level=BANDS.get(state.feedback, "warn"))
        band.add_widget(Words(text=w(state.feedback), role="status_text"))
        self.put(Title(text=left), Passed(value=state.share), band)
        self.put(Small(text=w("wizard.lead", minutes=f"{(state.left_s + 59) // 60}")))

    def _again(self, state: WizardState) -> None:
        w = self.words
        band = Band(level="warn")
        band.add_widget(Words(text=w(state.reason), role="status_text"))
        self.put(band)
        self.foot(Act(w("again"), self.c.begin_rest, main=True))

    def _end(self, state: WizardState) -> None:
        w = self.words
        done = state.phase is Phase.DONE
        self.put(Words(text=w("wizard.done" if done else "wizard.learning")))
        self.foot(Act(w("next"), self.c.wizard.close, main=True, off=not done))
