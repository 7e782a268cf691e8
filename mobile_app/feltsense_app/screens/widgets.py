"""A dozen widgets in the theme's colours and sizes; what is touched is never smaller than a finger."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.app import App
from kivy.lang import Builder
from kivy.metrics import Metrics
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label
from kivy.uix.screenmanager import Screen
from kivy.uix.scrollview import ScrollView
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Callable

    from feltsense_app.presenters.base import Presenter

__all__ = ["Act", "Band", "Card", "Column", "Field", "PageScreen", "Passed", "Row", "Small", "Title", "Words"]

STILL_DP = 12
"""A finger that stays rolls less than this."""

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class Words(Label):  # type: ignore[misc]
    """Text that wraps, in the colour of its role."""

    role = StringProperty("text")


class Small(Words):
    """Secondary text."""


class Title(Words):
    """What a screen is."""


class Act(ButtonBehavior, Label):  # type: ignore[misc]
    """Something to touch. `main`: the one thing to do here; `off`: not possible yet."""

    main = BooleanProperty(defaultvalue=False)
    off = BooleanProperty(defaultvalue=False)

    def __init__(self, text: str, pressed: Callable[[], object], **looks: Any) -> None:
        super().__init__(text=text, **looks)
        self._pressed = pressed

    def on_touch_up(self, touch: Any) -> bool:
        """What moved away under a finger that stayed was touched all the same; a finger that went away means no."""
        self.always_release = math.hypot(touch.x - touch.ox, touch.y - touch.oy) < STILL_DP * Metrics.density
        return bool(super().on_touch_up(touch))

    def on_release(self) -> None:
        """Do it, if it is possible."""
        if not self.off:
            self._pressed()


class Card(BoxLayout):  # type: ignore[misc]
    """A card; `edge` marks it with the colour of a role."""

    edge = StringProperty("")


class Band(BoxLayout):  # type: ignore[misc]
    """A status: colour, and inside it the sign and the word."""

    level = StringProperty("idle")


class Passed(Widget):  # type: ignore[misc]
    """How much of something has passed, 0 to 1."""

    value = NumericProperty(0.0)


class Field(TextInput):  # type: ignore[misc]
    """Something to type."""


class Column(BoxLayout):  # type: ignore[misc]
    """Things below each other."""


class Row(BoxLayout):  # type: ignore[misc]
    """Things beside each other."""


class PageBody(ScrollView):  # type: ignore[misc]
    """What scrolls; what fits begins at the top."""

    def on_viewport_size(self, _: Any, size: tuple[float, float]) -> None:
        """Back to the top, when everything fits."""
        if size[1] <= self.height:
            self.scroll_y = 1


class PageScreen(Screen):  # type: ignore[misc]
    """A screen that shows one presenter while it is seen.

    Parameters
    ----------
    name : str
        Of the page.
    presenter : callable
        Gives the presenter when the screen is shown; None where there is nothing to show yet.
    """

    title_key = ""
    back = False

    def __init__(self, name: str, presenter: Callable[[], Presenter[Any] | None]) -> None:
        super().__init__(name=name)
        self._find = presenter
        self._stop: Callable[[], None] | None = None
        self.app = App.get_running_app()
        self.words = self.app.words
        self.c = self.app.conductor
        if self.back:
            home = Act(self.words("back"), self.c.flow.back, size_hint_x=None, width=self.app.theme.touch * 2)
            self.ids.head.add_widget(home, index=1)

    def on_pre_enter(self) -> None:
        """Build what stays, and follow the presenter."""
        self.ids.title.text = self.words(self.title_key)
        self.ids.body.clear_widgets()
        self.ids.foot.clear_widgets()
        self.ids.scroll.scroll_y = 1
        self.build()
        presenter = self._find()
        if presenter is not None:
            self._stop = presenter.watch(self.show)

    def on_leave(self) -> None:
        """Follow it no longer: nothing is drawn that nobody sees."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    def build(self) -> None:
        """Make the widgets that stay."""

    def show(self, state: Any) -> None:
        """Bring the widgets to the state."""

    def put(self, *widgets: Any) -> None:
        """Add to the part that scrolls."""
        for widget in widgets:
            self.ids.body.add_widget(widget)

    def foot(self, *widgets: Any) -> None:
        """Add to the part that stays at the bottom."""
        for widget in widgets:
            self.ids.foot.add_widget(widget)
