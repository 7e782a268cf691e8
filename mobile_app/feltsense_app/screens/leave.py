"""Leave, erase, and goodbye."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from feltsense_app.presenters.leave import Choice
from feltsense_app.screens.widgets import Act, Band, PageScreen, Small, Words

if TYPE_CHECKING:
    from feltsense_app.presenters.leave import LeaveState
    from feltsense_app.words import Words as Texts

__all__ = ["GoodbyeScreen", "LeaveScreen"]


class LeaveScreen(PageScreen):
    """Nothing happens at the first touch."""

    title_key = "leave.title"
    back = True

    def show(self, state: LeaveState) -> None:
        """The choices, the question, or what was done."""
        w, leave = self.words, self.c.leave
        self.ids.body.clear_widgets()
        self.ids.foot.clear_widgets()
        if state.asked is not None:
            band = Band(level="bad")
            band.add_widget(Words(text=w(f"leave.{state.asked}"), role="status_text"))
            self.put(band, Words(text=w("leave.sure")))
            self.foot(Act(w("cancel"), leave.cancel), Act(w("leave.confirm"), leave.confirm, main=True))
            return
        self.put(Words(text=w("leave.lead")))
        self.put(*(Act(w(f"leave.{choice}"), partial(leave.ask, choice)) for choice in Choice))
        if state.trouble:
            self.put(Words(text=w("leave.trouble", trouble=state.trouble), role="bad"))
        if state.done is not None:
            self.put(Words(text=w("leave.done")), *_proof(w, state))


class GoodbyeScreen(PageScreen):
    """The end of a study."""

    title_key = "goodbye.title"

    def show(self, state: LeaveState) -> None:
        """Thanks, and what was erased."""
        w = self.words
        self.ids.body.clear_widgets()
        self.ids.foot.clear_widgets()
        self.put(Words(text=w("goodbye.text")), *_proof(w, state))
        self.foot(Act(w("goodbye.new"), self.c.flow.done, main=True))


def _proof(w: Texts, state: LeaveState) -> list[Small]:
    """What was erased, as it was proven."""
    proof = state.proof
    if proof is None:
        return []
    said = [Small(text=w("leave.proof", files=proof.files))]
    said += [Small(text=w("leave.proof.key"))] if proof.key else []
    return said + ([Small(text=w("leave.proof.searched", pieces=proof.pieces))] if proof.pieces else [])
