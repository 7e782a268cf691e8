"""A question of the study: a grid, a slider, a choice or words."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kivy.metrics import dp
from kivy.uix.slider import Slider

from feltsense_app.presenters.study import Kind, Question
from feltsense_app.screens.plots import MoodGrid
from feltsense_app.screens.widgets import Act, Field, PageScreen, Row, Small, Words

if TYPE_CHECKING:
    from feltsense_app.presenters.prompts import PromptsState

__all__ = ["PromptScreen"]


class PromptScreen(PageScreen):
    """The prompt that waits."""

    title_key = "prompt.title"
    back = True

    def show(self, state: PromptsState) -> None:
        """Open first: seen and opened are logged apart."""
        self.ids.body.clear_widgets()
        self.ids.foot.clear_widgets()
        w, prompts, now = self.words, self.c.prompts, self.c.radio.shown
        if state.waiting is None:
            self.put(Words(text=w("prompt.none")))
        elif not state.opened:
            self.put(Words(text=w("prompt.waiting")))
            self.foot(Act(w("prompt.open"), lambda: prompts.open(now()), main=True))
        else:
            self._ask(self.c.study.questions[state.question])

    def _ask(self, question: Question) -> None:
        self.put(Words(text=question.text))
        {Kind.GRID: self._grid, Kind.SLIDER: self._slider, Kind.CHOICE: self._choice, Kind.TEXT: self._text}[question.kind](
            question
        )

    def _answer(self, value: str) -> None:
        self.c.prompts.answer(value, self.c.radio.shown())

    def _grid(self, question: Question) -> None:
        w = self.words
        send = Act(w("prompt.done"), lambda: self._answer(f"{grid.chosen[0]},{grid.chosen[1]}"), main=True, off=True)
        grid = MoodGrid(lambda _v, _a: setattr(send, "off", False))
        ends = Row()
        ends.add_widget(Small(text=w("prompt.unpleasant")))
        ends.add_widget(Small(text=w("prompt.pleasant"), halign="right"))
        up, down = Small(text=w("prompt.active"), halign="center"), Small(text=w("prompt.calm"), halign="center")
        self.put(Small(text=w("prompt.grid")), up, grid, down, ends)
        self.foot(send)

    def _slider(self, question: Question) -> None:
        slider = Slider(min=0, max=100, value=50, step=1, size_hint_y=None, height=dp(56), cursor_size=(dp(40), dp(40)))
        ends = Row()
        low, high = question.choices if len(question.choices) == 2 else ("0", "100")
        ends.add_widget(Small(text=low))
        ends.add_widget(Small(text=high, halign="right"))
        send = Act(self.words("prompt.done"), lambda: self._answer(f"{slider.value:.0f}"), main=True, off=True)
        # Untouched is no answer: the middle would be one that nobody gave.
        slider.bind(on_touch_up=lambda s, t: setattr(send, "off", send.off and not s.collide_point(*t.pos)))
        self.put(slider, ends)
        self.foot(send)

    def _choice(self, question: Question) -> None:
        self.put(*(Act(choice, partial(self._answer, choice)) for choice in question.choices))

    def _text(self, question: Question) -> None:
        field = Field(multiline=True)
        self.put(field)
        self.foot(Act(self.words("prompt.done"), lambda: self._answer(field.text), main=True))
