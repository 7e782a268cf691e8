"""Own results: what, how sure, why, and the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense_app.screens.plots import DayBars
from feltsense_app.screens.widgets import Act, Card, PageScreen, Small, Words

if TYPE_CHECKING:
    from feltsense_app.presenters.results import ResultsState
    from feltsense_app.presenters.share import ShareState

__all__ = ["ResultsScreen"]


class ResultsScreen(PageScreen):
    """Own results."""

    title_key = "results.title"
    back = True

    def build(self) -> None:
        """The day's picture stays."""
        w = self.words
        self.now, self.day = Card(), DayBars()
        self.made = Small()
        self.share = Act(w("results.share"), self.c.share.press)
        again = Act(w("results.rest"), self.c.flow.again)
        self.put(self.now, Small(text=w("results.day")), self.day, self.share, self.made, again)
        self.put(Small(text=w("results.not")))
        self.foot(Small(text=w("crisis", crisis=self.c.study.crisis)))
        self._unshare = self.c.share.watch(self._shared)

    def on_leave(self) -> None:
        """Follow neither any longer."""
        self._unshare()
        super().on_leave()

    def show(self, state: ResultsState) -> None:
        """The sentence first."""
        w = self.words
        self.now.clear_widgets()
        reason = w("reason.signals")
        self.now.add_widget(Words(text=w(state.sentence, reason=reason), bold=True))
        if state.label:
            self.now.add_widget(Words(text=w("results.sure" if state.sure else "results.unsure")))
        if state.why:
            self.now.add_widget(Small(text=w("results.why")))
        for why in state.why:
            key = f"results.{'towards' if why.towards else 'away'}{'.strong' if why.strong else ''}"
            self.now.add_widget(Words(text=w(key, modality=self.app.name_of("modality", why.modality))))
        if state.inference:
            self.now.add_widget(Small(text=w("home.badge")))
        self.day.take(state.day)

    def _shared(self, state: ShareState) -> None:
        self.share.off = state.busy
        self.made.text = self.words("results.shared", path=state.path) if state.path else state.trouble
