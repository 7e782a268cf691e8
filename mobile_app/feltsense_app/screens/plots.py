"""What is drawn: a trace of a signal, the grid of valence and arousal, and the bars of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from kivy.app import App
from kivy.graphics import Canvas, Color, Line, Mesh, Rectangle
from kivy.metrics import dp
from kivy.properties import ObjectProperty
from kivy.uix.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from feltsense_app.presenters.results import Bin

__all__ = ["DayBars", "MoodGrid", "Trace"]


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
    """The last seconds of a signal; a gap is a gap. The curve is drawn apart from the rest, see :attr:`curve`."""

    def __init__(self, height_dp: float = 96) -> None:
        self.curve = Canvas()
        """What moves; for a canvas above the one that this widget stands in."""
        with self.curve:
            self._colour = Color()
            self._mesh = Mesh(mode="triangles")
        self._columns = 0
        super().__init__(height_dp)

    def take(self, pairs: NDArray[np.float64], low: float, high: float) -> None:
        """Draw these columns: least and greatest value each."""
        self._colour.rgba = self.theme.signal
        bars = pairs.reshape(-1, 2)
        if len(bars) != self._columns:
            self._columns = len(bars)
            corners = np.arange(self._columns)[:, None] * 4 + np.array([0, 1, 2, 0, 2, 3])
            self._mesh.indices = corners.ravel().tolist()
        left, bottom = self.to_window(self.x + dp(4), self.y + dp(6))
        box = (left, bottom, self.width - dp(8), self.height - dp(12))
        self._mesh.vertices = curve(bars, (low, max(high - low, 1e-9)), box, dp(0.75)).ravel()


def curve(
    bars: NDArray[np.float64], scale: tuple[float, float], box: tuple[float, float, float, float], half: float
) -> NDArray[np.float32]:
    """Corners of a bar for each column, which touch where samples follow each other; none for a gap.

    A software rasteriser draws bars four times as fast as lines.

    Parameters
    ----------
    bars : array, shape (columns, 2)
        Least and greatest value of each column; NaN for a gap.
    scale : (float, float)
        Value at the bottom, and how much more it is at the top.
    box : (float, float, float, float)
        Left, bottom, width, height on the screen.
    half : float
        Half of the curve's width.

    Returns
    -------
    array, shape (columns, 4, 4)
        x, y and twice nothing (no texture) of each corner.
    """
    n = len(bars)
    y = box[1] + box[3] * (bars - scale[0]) / scale[1]
    # Up or down to the neighbour before: the curve has no holes where it is steep.
    low, high = np.fmin(y[1:, 0], np.where(np.isfinite(y[1:, 0]), y[:-1, 1], np.nan)), np.fmax(
        y[1:, 1], np.where(np.isfinite(y[1:, 1]), y[:-1, 0], np.nan)
    )
    y[1:, 0], y[1:, 1] = low, high
    y += (-half, half)
    there = np.isfinite(y[:, 0])
    out = np.zeros((n, 4, 4), np.float32)
    x = box[0] + box[2] * np.arange(n + 1) / n
    out[:, (0, 3), 0], out[:, (1, 2), 0] = x[:-1, None], x[1:, None]
    out[:, :2, 1], out[:, 2:, 1] = y[:, :1], y[:, 1:]
    out[~there] = 0.0
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
