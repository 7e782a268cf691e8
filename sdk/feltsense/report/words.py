"""How the report says things: numbers, times, reasons. Pure text; escaping is the page's business."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from feltsense.core.timeline import NS

if TYPE_CHECKING:
    from feltsense.report.figures import Level

__all__ = [
    "IN_SHORT",
    "LIMITS",
    "PARTS",
    "clock",
    "count",
    "duration",
    "gap_reason",
    "level",
    "moment",
    "number",
    "part",
    "percent",
    "signed",
    "silence",
]

IN_SHORT = "Not a medical device, not a diagnosis: an estimate from body signals, compared with the person's own rest."
"""The limits in one sentence, for the top of the page."""

LIMITS = (
    "This is not a medical device and not a diagnosis. It does not find, rule out or follow any illness.",
    "An estimate says how this person's signals compare with their own rest and with people in a laboratory task. "
    "It is not a measurement of how someone feels, and the person's own word comes first.",
    "Exercise, talking, heat, cold, coffee, medicines and a loose sensor change the same signals.",
    "Nobody watches these data live. In an emergency, call the local emergency number.",
)
"""What a report does not mean."""

PARTS = {
    "ecg": "ECG",
    "ppg": "pulse",
    "eda": "skin conductance",
    "skin_temperature": "skin temperature",
    "motion": "movement",
    "respiration": "respiration",
    "voice": "voice",
    "face": "face",
    "joint": "interaction",
    "base": "starting value",
}
"""Modalities and the other parts of an estimate, in words."""

_GAPS = {
    "link": "lost on the radio while connected",
    "disconnect": "the connection was down",
    "stall": "connected, but the sensor sent nothing",
    "restart": "the sensor or the recorder started anew",
    "overflow": "the recorder was too slow",
    "corrupt": "arrived damaged and was refused",
    "source": "missing in the imported file",
}

_SILENCES = {
    "undecided": "no class could be ruled out",
    "no_signal": "no usable signal",
}


def number(value: float, digits: int = 1) -> str:
    """A value, or a dash where there is none; no minus before a zero."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:.{digits}f}"
    return (text.removeprefix("-") if float(text) == 0 else text).replace("-", "−")


def signed(value: float, digits: int = 1) -> str:
    """A change, with its sign."""
    text = number(value, digits)
    return f"+{text}" if math.isfinite(value) and value > 0 and float(f"{value:.{digits}f}") != 0 else text


def count(n: int, upper: int | None = None) -> str:
    """A count with thin spaces between thousands; a range where the upper bound differs."""
    text = f"{n:,}".replace(",", "\u202f")
    return text if upper is None or upper == n else f"{text} to {count(upper)}"


def part(name: str) -> str:
    """A modality or another part of an estimate in words."""
    return PARTS.get(name, name.replace("_", " "))


def percent(share: float) -> str:
    """A share; never rounded up to all or down to nothing."""
    value = 100 * share
    if 99.95 <= value < 100:
        return "> 99.9 %"
    if 0 < value < 0.05:
        return "< 0.1 %"
    return f"{value:.0f} %" if value in (0, 100) else f"{value:.1f} %"


def level(found: Level, digits: int = 1) -> str:
    """Median with its range."""
    if not found.usable:
        return "–"
    return f"{number(found.median, digits)} ({number(found.low, digits)} to {number(found.high, digits)})"


def clock(seconds: float) -> str:
    """Minutes and seconds from the start."""
    whole = round(max(seconds, 0.0))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def moment(t_ns: int) -> str:
    """A moment in the world, UTC."""
    return datetime.fromtimestamp(t_ns // NS, UTC).strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """A length of time."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60} min {rest % 60} s" if hours else f"{rest // 60} min {rest % 60} s"


def gap_reason(reason: str) -> str:
    """Why samples are missing, in words."""
    return _GAPS.get(reason, reason)


def silence(reason: str) -> tuple[tuple[str, ...], ...]:
    """Why there is no estimate, in words: one text, or pairs of a modality and its reason."""
    if reason in _SILENCES:
        return ((_SILENCES[reason],),)
    pairs = (text.partition(":") for text in reason.split())
    return tuple((a, b.replace("_", " ")) if b else (a.replace("_", " "),) for a, _, b in pairs)
