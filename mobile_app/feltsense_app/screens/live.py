"""Signals as they come, drawn only while they are seen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from kivy.clock import Clock

from feltsense_app.screens.plots import Trace
from feltsense_app.screens.still import Still
from feltsense_app.screens.widgets import Card, PageScreen, Small, Words

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from feltsense_app.presenters.base import Presenter
    from feltsense_app.presenters.live import LiveState

__all__ = ["LiveScreen"]

UNITS = {"1": "", "uS": "µS", "degC": "°C"}
"""The catalogue's unit → as people write it."""
FPS = 30
"""Frames a second, as the window has them: smooth enough for a pulse."""


class LiveScreen(PageScreen):
    """A card for each stream."""

    title_key = "live.title"
    back = True

    def __init__(self, name: str, presenter: Callable[[], Presenter[Any] | None]) -> None:
        super().__init__(name, presenter)
        self.still = Still.beneath(self, lambda: self.app.theme.background)

    def build(self) -> None:
        """Redraw while the screen is seen."""
        self._frame = -1
        self.still.over.clear()
        self.traces = dict[str, tuple[Trace, Small, str]]()
        self.none = Words(text=self.words("live.none"))
        self.put(self.none)
        self._timer = Clock.schedule_interval(lambda _: self._draw(), 0)
        self.c.live.show(visible=True)

    def on_leave(self) -> None:
        """Nothing is drawn that nobody sees."""
        self._timer.cancel()
        self.c.live.show(visible=False)
        super().on_leave()

    def show(self, state: LiveState) -> None:
        """A card for a stream that is new."""
        for name, signal, unit in state.streams:
            if name not in self.traces:
                card, trace, numbers = Card(), Trace(), Small()
                card.add_widget(Words(text=self.app.name_of("signal", signal)))
                card.add_widget(trace)
                card.add_widget(numbers)
                self.traces[name] = (trace, numbers, UNITS.get(unit, unit))
                self.ids.body.remove_widget(self.none)
                self.put(card)
                self.still.over.add(trace.curve)

    def _draw(self) -> None:
        self._frame, until = self._frame + 1, self.c.radio.clock() - self.c.live.behind_ns
        self.still.clip(self.ids.scroll)
        for name, (trace, numbers, unit) in self.traces.items():
            picture, shift = self.c.live.seen(name, until)
            trace.take(picture, shift)
            # Numbers once a second: nobody reads faster, and text costs more than the curve.
            if self._frame % FPS == 0 and math.isfinite(picture.low):
                numbers.text = self.words("live.range", low=picture.low, high=picture.high, unit=unit)
