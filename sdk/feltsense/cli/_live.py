"""Live estimates in a terminal: a panel that is redrawn, or one line a window where the output goes to a pipe.

Rules
-----
- What a state is, is said in words; colour is added on a terminal only, and never alone.
- ``NO_COLOR`` and ``TERM=dumb`` are respected.
- Nothing here computes anything but its own layout.
"""

from __future__ import annotations

import math
import os
import shutil
from typing import TYPE_CHECKING, TextIO

from feltsense.report.say import Say
from feltsense.report.words import clock

if TYPE_CHECKING:
    from feltsense.core.prediction import Prediction
    from feltsense.core.vector import FeatureVector

__all__ = ["Screen", "line", "probability"]

BAR = 20
"""Characters of a bar: one is 5 %."""
VITALS = (
    ("HR", ("ecg.hr", "ppg.hr"), "bpm", 0),
    ("SCL", ("eda.scl_mean",), "µS", 2),
)
"""Shown beside the estimate: name, features in order of preference, unit, decimals."""
_WHY = 2
"""Largest contributions named in a line; more would not fit."""
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_COLOURS = {True: "\x1b[1;33m", False: "\x1b[1;36m"}


def about(prediction: Prediction) -> str:
    """The class whose probability is shown: the one that the target names, else the last."""
    classes = tuple(prediction.probabilities)
    return prediction.target if prediction.target in classes or not classes else classes[-1]


def probability(prediction: Prediction) -> float:
    """Probability of :func:`about`; NaN where there is none."""
    return prediction.probabilities.get(about(prediction), math.nan)


def bar(p: float) -> str:
    """A bar for a probability; empty and marked where there is none."""
    if not math.isfinite(p):
        return "[" + " " * BAR + "]"
    full = round(p * BAR)
    return "[" + "#" * full + "." * (BAR - full) + "]"


def verdict(prediction: Prediction) -> str:
    """The decision, or why there is none."""
    if prediction.reason == "calibration":
        return "calibration"
    if prediction.abstained or not prediction.label:
        return f"says nothing: {Say('en').silence(prediction.reason or 'undecided')}"
    return prediction.label


def why(prediction: Prediction) -> str:
    """The largest contributions to this window's own logit. The shown probability is smoothed: it follows them."""
    parts = sorted(((n, c) for n, c in prediction.contributions.items() if n != "base" and c), key=lambda p: -abs(p[1]))
    return ", ".join(f"{name} {value:+.1f}" for name, value in parts[:_WHY])


def vitals(vector: FeatureVector | None) -> str:
    """Heart rate and skin conductance, a dash where they could not be measured."""
    if vector is None:
        return ""
    shown = []
    for name, features, unit, digits in VITALS:
        values = [vector[f] for f in features if f in vector.schema.names]
        if values:
            value = next((v for v in values if math.isfinite(v)), math.nan)
            shown.append(f"{name} {value:.{digits}f} {unit}" if math.isfinite(value) else f"{name} –")
    return "  ".join(shown)


def line(at_s: float, prediction: Prediction, vector: FeatureVector | None) -> str:
    """One window as one line."""
    p = probability(prediction)
    number = f"{p:.2f}" if math.isfinite(p) else "  – "
    parts = [
        f"{clock(at_s):>6}  {about(prediction)} {number} {bar(p)}",
        f"{verdict(prediction):<12}",
        f"{vitals(vector)}  quality {prediction.quality:.2f}".strip(),
    ]
    reasons = why(prediction)
    return "  ".join([*parts, f"evidence {reasons}"] if reasons else parts)


class Screen:
    """Where live estimates go.

    Parameters
    ----------
    out : text stream
        Usually ``sys.stdout``.
    length_s : float
        Length of the session, for the progress bar.
    title : str
        Who and how fast.
    """

    def __init__(self, out: TextIO, length_s: float, title: str) -> None:
        self._out = out
        self._length = max(length_s, 1.0)
        self._title = title
        self._live = out.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = self._live and "NO_COLOR" not in os.environ
        self._drawn = 0

    def say(self, text: str) -> None:
        """Write lines that stay."""
        self._clear()
        self._out.write(f"{text}\n")
        self._out.flush()

    def show(self, at_s: float, prediction: Prediction, vector: FeatureVector | None) -> None:
        """Show one window; `at_s` is its end, in seconds from the start."""
        if not self._live:
            self._out.write(f"{line(at_s, prediction, vector)}\n")
            self._out.flush()
            return
        self._clear()
        lines = self._panel(at_s, prediction, vector)
        self._out.write("".join(f"{text}\n" for text in lines))
        self._out.flush()
        self._drawn = len(lines)

    def close(self) -> None:
        """Leave the last panel where it is and go on below it."""
        self._drawn = 0

    def _clear(self) -> None:
        if self._drawn:
            self._out.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0

    def _panel(self, at_s: float, prediction: Prediction, vector: FeatureVector | None) -> list[str]:
        p = probability(prediction)
        number = f"{p:.2f}" if math.isfinite(p) else " – "
        share = min(at_s / self._length, 1.0)
        loud = _COLOURS[prediction.label == about(prediction)] if prediction.label and not prediction.abstained else _DIM
        rows = [
            (self._title, _DIM),
            (f"time      {clock(at_s):>6} {bar(share)} {clock(self._length)}", ""),
            (f"{about(prediction):<9} {number:>6} {bar(p)} {verdict(prediction)}", loud),
            (f"evidence  {why(prediction) or 'no contribution yet'}", ""),
            (f"body      {vitals(vector) or '–'}", ""),
            (f"quality   {prediction.quality:>6.2f} {bar(prediction.quality)}", ""),
        ]
        width = shutil.get_terminal_size().columns - 1
        return [self._paint(text[:width], style) for text, style in rows]

    def _paint(self, text: str, style: str) -> str:
        return f"{style}{text}{_PLAIN}" if self._colour and style else text
