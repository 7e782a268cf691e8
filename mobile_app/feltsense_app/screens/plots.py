"""What is drawn: a trace of a signal, the grid of valence and arousal, and the bars of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from kivy.app import App
from kivy.graphics import Color, InstructionGroup, Line, Rectangle
from kivy.graphics.texture import Texture
from kivy.metrics import dp
from kivy.properties import ObjectProperty
from kivy.uix.widget import Widget

from feltsense_app.presenters.live import COLUMNS, LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from feltsense_app.presenters.live import Picture
    from feltsense_app.presenters.results import Bin

__all__ = ["DayBars", "MoodGrid", "Trace", "drawn"]

TRACE_DP, MARGIN_DP, WIDTH_DP = 96, 6, 1.5
"""Height of a trace, room around its curve, and the curve's own width."""


class _Drawn(Widget):  # type: ignore[misc]
    """Redraws when its place, its size or the colours change."""

    def __init__(self, height_dp: float) -> None:
        super().__init__(size_hint_y=None, height=dp(height_dp))
        self.theme = App.get_running_app().theme
        self.bind(pos=self._again, size=self._again)
        self.theme.bind(background=self._again)

    def _again(self, *_: Any) -> None:
        self.canvas.clear()
        with self.canvas:
            Color(*self.theme.sunken)
            Rectangle(pos=self.pos, size=self.size)
            self.draw()

    def draw(self) -> None:
        """Draw inside the canvas."""


class Trace(_Drawn):
    """The last seconds of a signal; a gap is a gap.

    The curve is a picture in a texture, made when there are new samples, and drawn apart from the rest, see :attr:`curve`:
    a frame moves the part of it that is seen. A software rasteriser does that ten times as fast as lines or bars.
    """

    def __init__(self) -> None:
        self.curve = InstructionGroup()
        """What moves; for a canvas above the one that this widget stands in."""
        self._quad = Rectangle()
        self._texture: Any = None
        self.curve.add(Color(1, 1, 1, 1))
        self.curve.add(self._quad)
        self._seen: tuple[object, ...] = ()
        super().__init__(TRACE_DP)

    def take(self, picture: Picture, shift: float) -> None:
        """Show this from its column `shift` on; nothing is drawn anew if that is what is shown already."""
        place = self.to_window(self.x + dp(MARGIN_DP), self.y)
        size, colour = (self.width - 2 * dp(MARGIN_DP), self.height), tuple(self.theme.signal)
        seen = (picture, colour, shift, place, size)
        if seen == self._seen:
            return
        if seen[:2] != self._seen[:2]:
            dots = drawn(picture.levels, colour, int(self.height), dp(MARGIN_DP), dp(WIDTH_DP))
            if self._texture is None or self._texture.height != len(dots):
                self._texture = self._quad.texture = Texture.create(size=dots.shape[1::-1], colorfmt="rgba")
                # Where a column is several dots wide, steps are softened; where it is about one, that is work for nothing.
                soft = "linear" if size[0] >= 2 * COLUMNS else "nearest"
                self._texture.mag_filter = self._texture.min_filter = soft
            self._texture.blit_buffer(dots.tobytes(), colorfmt="rgba", bufferfmt="ubyte")
        self._seen, self._quad.pos, self._quad.size = seen, place, size
        wide, top = self._texture.uvsize
        left, right = wide * shift / len(picture.levels), wide * (shift + COLUMNS) / len(picture.levels)
        self._quad.tex_coords = (left, 0, right, 0, right, top, left, top)


def drawn(
    levels: NDArray[np.uint8], colour: tuple[float, ...], height: int, margin: float, wide: float
) -> NDArray[np.uint8]:
    """Draw a curve; everything around it is transparent.

    Parameters
    ----------
    levels : array of uint8, shape (columns, 2)
        From where to where it reaches in each column, see :class:`~feltsense_app.presenters.live.Picture`.
    colour : tuple of float
        Red, green, blue and opacity, 0 to 1.
    height : int
        Dots from bottom to top.
    margin, wide : float
        Dots that stay empty above and below, and the curve's own width, in dots.

    Returns
    -------
    array of uint8, shape (height, columns, 4)
        Bottom row first.
    """
    ends = margin + (height - 2 * margin) * levels / np.float32(LEVELS)
    rows = np.arange(height)[:, None] + np.float32(0.5)
    inside = (rows >= ends[:, 0] - wide / 2) & (rows <= ends[:, 1] + wide / 2) & (levels[:, 0] <= levels[:, 1])
    dot = np.round(np.array(colour) * 255).astype(np.uint8)
    # The colour also where nothing is seen: a chip that mixes neighbours must not mix black into the curve's edge.
    out = np.empty((height, len(levels), 4), np.uint8)
    out[:] = dot
    out[..., 3] *= inside
    return out


class MoodGrid(_Drawn):
    """Valence from left to right, arousal from bottom to top; one touch is the answer."""

    chosen = ObjectProperty(None, allownone=True)

    def __init__(self, answered: Callable[[float, float], None]) -> None:
        self._answered = answered
        super().__init__(260)

    def draw(self) -> None:
        """The grid, and the point that was touched."""
        Color(*self.theme.line)
        for k in range(5):
            x, y = self.x + self.width * k / 4, self.y + self.height * k / 4
            wide = dp(2) if k == 2 else dp(1)
            Line(points=[x, self.y, x, self.top], width=wide)
            Line(points=[self.x, y, self.right, y], width=wide)
        if self.chosen is not None:
            Color(*self.theme.accent)
            v, a = self.chosen
            Line(circle=(self.x + self.width * (v + 1) / 2, self.y + self.height * (a + 1) / 2, dp(12)), width=dp(3))

    def on_touch_down(self, touch: Any) -> bool:
        """Where it was touched is how it feels."""
        if not self.collide_point(*touch.pos):
            return False
        v = 2 * (touch.x - self.x) / self.width - 1
        a = 2 * (touch.y - self.y) / self.height - 1
        self.chosen = (round(v, 3), round(a, 3))
        self._again()
        self._answered(*self.chosen)
        return True


class DayBars(_Drawn):
    """The last 24 hours in bars of five minutes: activated up, as at rest down, no answer in the middle."""

    def __init__(self) -> None:
        self._bins: Sequence[Bin] = ()
        super().__init__(90)

    def take(self, bins: Sequence[Bin]) -> None:
        """Draw these."""
        self._bins = bins
        self._again()

    def draw(self) -> None:
        """Up and down differ by place and by shape of the bar, not by colour alone."""
        Color(*self.theme.line)
        middle = self.y + self.height / 2
        Line(points=[self.x, middle, self.right, middle], width=1)
        if not self._bins:
            return
        last = self._bins[-1].start_s
        wide = self.width / 288
        for b in self._bins:
            x = self.right - wide * ((last - b.start_s) / 300 + 1)
            n = max(b.named + b.other + b.silent, 1)
            Color(*self.theme.signal)
            Rectangle(pos=(x, middle), size=(max(wide, 1), self.height / 2 * b.named / n))
            Color(*self.theme.muted)
            Rectangle(pos=(x, middle - self.height / 2 * b.other / n), size=(max(wide, 1), self.height / 2 * b.other / n))
            if b.silent and not b.named and not b.other:
                Rectangle(pos=(x, middle - dp(2)), size=(max(wide, 1), dp(4)))
