"""Colours and sizes as tokens: light, dark, high contrast, and how large type is.

Rules
-----
- Every text token on every surface token it is used on has a contrast of at least 4.5 : 1 (WCAG 2.1, 1.4.3), 7 : 1 in
  the high-contrast palettes (1.4.6); a test computes it.
- A status has a colour, a sign and a word: colour is never alone.
- Touch targets are at least 48 dp.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

__all__ = ["DARK", "HIGH_DARK", "HIGH_LIGHT", "LIGHT", "PAIRS", "TOUCH_DP", "Palette", "contrast", "palette", "rgba"]

TOUCH_DP: Final = 48
"""Least height and width of what is touched (Material and WCAG 2.5.5 agree on 44–48)."""


@dataclass(frozen=True, slots=True)
class Palette:
    """One set of colours, as ``#rrggbb``.

    Attributes
    ----------
    background, surface, sunken : str
        Screen, cards on it, and fields or plots inside cards.
    text, muted : str
        Ordinary and secondary text.
    line : str
        Borders.
    accent, accent_text : str
        The main action, and the text on it.
    good, warn, bad, idle : str
        Status bands; the text on them is `status_text`.
    status_text : str
        Text on a status band.
    signal : str
        Curves of signals.
    """

    background: str
    surface: str
    sunken: str
    text: str
    muted: str
    line: str
    accent: str
    accent_text: str
    good: str
    warn: str
    bad: str
    idle: str
    status_text: str
    signal: str


LIGHT: Final = Palette(
    background="#f4f6f8", surface="#ffffff", sunken="#e9edf1", text="#17212b", muted="#4a5763", line="#7b8894",
    accent="#0b5394", accent_text="#ffffff", good="#1b6e3c", warn="#7a4d00", bad="#a61b1b", idle="#4f5b66",
    status_text="#ffffff", signal="#0b5394",
)  # fmt: skip
DARK: Final = Palette(
    background="#11171d", surface="#1b232b", sunken="#0b1015", text="#eef2f5", muted="#b6c2cd", line="#7f8d9a",
    accent="#8cc4ff", accent_text="#08192b", good="#8fdca8", warn="#ffd27a", bad="#ffaaa5", idle="#c3ccd4",
    status_text="#0b1015", signal="#8cc4ff",
)  # fmt: skip
HIGH_LIGHT: Final = Palette(
    background="#ffffff", surface="#ffffff", sunken="#f2f2f2", text="#000000", muted="#1f1f1f", line="#000000",
    accent="#003366", accent_text="#ffffff", good="#00441b", warn="#4a2f00", bad="#6b0000", idle="#222222",
    status_text="#ffffff", signal="#003366",
)  # fmt: skip
HIGH_DARK: Final = Palette(
    background="#000000", surface="#000000", sunken="#101010", text="#ffffff", muted="#e8e8e8", line="#ffffff",
    accent="#ffff66", accent_text="#000000", good="#9dffb8", warn="#ffe38a", bad="#ffc4c0", idle="#eeeeee",
    status_text="#000000", signal="#66e0ff",
)  # fmt: skip

PAIRS: Final = (
    *((text, surface) for text in ("text", "muted") for surface in ("background", "surface", "sunken")),
    ("accent_text", "accent"),
    ("accent", "surface"),
    ("accent", "background"),
    *(("status_text", status) for status in ("good", "warn", "bad", "idle")),
    *((status, "surface") for status in ("good", "warn", "bad", "idle")),
    ("signal", "sunken"),
)
"""Text token and what it stands on, wherever the app puts one on the other."""


def palette(*, dark: bool, high_contrast: bool) -> Palette:
    """The palette that somebody chose."""
    if high_contrast:
        return HIGH_DARK if dark else HIGH_LIGHT
    return DARK if dark else LIGHT


def rgba(colour: str) -> tuple[float, float, float, float]:
    """``#rrggbb`` as four numbers from 0 to 1."""
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red, green, blue, 1.0


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgba(colour)[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.1, definition of contrast ratio)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def tokens() -> tuple[str, ...]:
    """Names of the colours of a palette."""
    return tuple(f.name for f in fields(Palette))
