"""After the rest: a neutral face and a sentence read aloud, with what to do and how it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense_app.presenters.neutral import At, Step
from feltsense_app.screens.widgets import Act, Band, Card, PageScreen, Passed, Small, Words

if TYPE_CHECKING:
    from feltsense_app.presenters.neutral import NeutralState

__all__ = ["NeutralScreen"]

BANDS = {"neutral.good": "good", "neutral.settle": "idle"}
"""Feedback → level; what is not here asks for something."""


class NeutralScreen(PageScreen):
    """The steps after the rest."""

    title_key = "neutral.title"

    def build(self) -> None:
        """Nothing is shown yet."""
        self._page: tuple[Step, At] | None = None

    def show(self, state: NeutralState) -> None:
        """One page a phase, which stays while its numbers change: a finger must not lose what it touches."""
        if self._page != (state.step, state.at):
            self._page = state.step, state.at
            self.ids.body.clear_widgets()
            self.ids.foot.clear_widgets()
            self.passed = Passed()
            self.band, self.said = Band(), Words(role="status_text")
            self.band.add_widget(self.said)
            {At.TAKING: self._taking, At.AGAIN: self._again, At.INTRO: self._intro}.get(state.at, self._over)(state)
        self.passed.value = state.share
        self.band.level = BANDS.get(state.feedback, "warn")
        self.said.text = self.words(state.feedback) if state.feedback else ""

    def _intro(self, state: NeutralState) -> None:
        self._what(state)
        self._ways(Act(self.words("neutral.begin"), self.c.neutral.start, main=True))

    def _taking(self, state: NeutralState) -> None:
        self.put(self.passed, self.band)
        self._what(state)
        self._ways()

    def _again(self, state: NeutralState) -> None:
        self.put(self.band)
        self._what(state)
        self._ways(Act(self.words("again"), self.c.neutral.start, main=True))

    def _over(self, state: NeutralState) -> None:
        self.put(Words(text=self.words(f"neutral.{state.at}.{state.step}")), Small(text=state.why))
        self.foot(Act(self.words("next"), self.c.neutral.go_on, main=True))

    def _what(self, state: NeutralState) -> None:
        self.put(Words(text=self.words(f"neutral.{state.step}.lead", seconds=state.seconds)))
        if state.step is Step.VOICE:
            card = Card()
            card.add_widget(Words(text=self.words("neutral.voice.sentence")))
            self.put(card)

    def _ways(self, *first: Act) -> None:
        self.foot(*first, Act(self.words("neutral.skip"), self.c.neutral.skip))
