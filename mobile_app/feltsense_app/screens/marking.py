"""Marks on home: the moment of the first touch; then, at leisure, what it was."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from feltsense_app.screens.widgets import Act, Column, Field

if TYPE_CHECKING:
    from collections.abc import Callable

    from feltsense_app.presenters.markers import MarkersPresenter
    from feltsense_app.words import Words as Texts

__all__ = ["Marking"]


class Marking(Column):
    """One button, or what was it.

    Parameters
    ----------
    words : Words
        The app's sentences.
    markers : MarkersPresenter
        Who keeps marks.
    """

    def __init__(self, words: Texts, markers: MarkersPresenter) -> None:
        super().__init__()
        self._words, self._markers = words, markers
        self._what = Field(hint_text=words("home.mark.what"))
        self._show()

    def _show(self) -> None:
        w, markers = self._words, self._markers
        self.clear_widgets()
        if markers.state.pending_ns is None:
            self.add_widget(Act(w("home.mark"), partial(self._do, markers.press)))
            return
        self._what.text = ""
        self.add_widget(self._what)
        keep = partial(self._do, lambda: markers.say(self._what.text))
        self.add_widget(Act(w("home.mark.keep"), keep, main=True))
        self.add_widget(Act(w("cancel"), partial(self._do, markers.cancel)))

    def _do(self, action: Callable[[], None]) -> None:
        action()
        self._show()
