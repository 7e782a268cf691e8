"""What stands still is drawn once: a picture of a layout, drawn anew only when something in it changes.

A frame then costs one picture and what moves on top of it, instead of every card and every word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kivy.graphics import Canvas, ClearBuffers, ClearColor, Color, Fbo, Rectangle
from kivy.graphics.scissor_instructions import ScissorPop, ScissorPush
from kivy.uix.floatlayout import FloatLayout

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Still"]


class Still(FloatLayout):  # type: ignore[misc]
    """A layout whose children are drawn into a picture; :attr:`over` is drawn on top of it.

    Parameters
    ----------
    background : callable
        Colour behind the children, asked when the picture's size changes.
    """

    def __init__(self, background: Callable[[], Any]) -> None:
        self.canvas = Canvas()
        with self.canvas:
            self._picture = Fbo(size=(1, 1))
            Color(1, 1, 1, 1)
            self._place = Rectangle()
        with self.canvas:
            self._clip = ScissorPush()
            self.over = Canvas()
            ScissorPop()
        with self._picture:
            self._colour = ClearColor(*background())
            ClearBuffers()
        self._background = background
        super().__init__()

    @classmethod
    def beneath(cls, screen: Any, background: Callable[[], Any]) -> Still:
        """Put a layout of this kind beneath all that a screen has."""
        layout, still = screen.children[0], cls(background)
        screen.remove_widget(layout)
        still.add_widget(layout)
        screen.add_widget(still)
        return still

    def clip(self, widget: Any) -> None:
        """Draw :attr:`over` inside this widget only."""
        place = (*map(int, widget.to_window(*widget.pos)), int(widget.width), int(widget.height))
        if place != (self._clip.x, self._clip.y, self._clip.width, self._clip.height):
            self._clip.x, self._clip.y, self._clip.width, self._clip.height = place

    def add_widget(self, widget: Any, index: int = 0, canvas: Any = None) -> None:
        """Add a child, drawn into the picture."""
        whole, self.canvas = self.canvas, self._picture
        super().add_widget(widget, index, canvas)
        self.canvas = whole

    def remove_widget(self, widget: Any) -> None:
        """Take a child out."""
        whole, self.canvas = self.canvas, self._picture
        super().remove_widget(widget)
        self.canvas = whole

    def on_size(self, _: Any, size: Any) -> None:
        """A picture of the size of the layout."""
        self._picture.size = (max(int(size[0]), 1), max(int(size[1]), 1))
        self._colour.rgba = self._background()
        # Dot by dot: mixing neighbours is work for nothing where the picture has the screen's own size.
        self._picture.texture.mag_filter = self._picture.texture.min_filter = "nearest"
        self._place.size, self._place.texture = self._picture.size, self._picture.texture
