"""Labels on the session's time → a class, and the raters' votes, for each window; and which rest is known.

Rules
-----
- A rater labels a window where one label covers at least 95 % of it. With one rater that is the window's label.
- With several, the label is the one that more raters chose than any other; a tie is no label. Votes are kept.
- A soft label (`share` below 1) adds its share to its class; the window's label is the largest share.
- Known rest is rest in everybody's opinion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from feltsense.core.profile import RestInterval
from feltsense.core.timeline import to_ns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from feltsense.datasets.labelled import Interval

__all__ = ["PURITY", "UNLABELLED", "Span", "classes_of", "first_rest", "votes"]

PURITY = 0.95
"""Share of a window that its label covers at least."""
UNLABELLED = -1
_EVEN = 1e-9
"""Shares that differ by less are equal: they were added up from text."""


class Span(Protocol):
    """Something that lies in time: a window, a prediction."""

    @property
    def start_ns(self) -> int:
        """Its start, session time."""

    @property
    def stop_ns(self) -> int:
        """Its end."""


def votes(
    windows: Sequence[Span], intervals: Sequence[Interval], classes: Sequence[str]
) -> tuple[NDArray[np.float64], bool]:
    """Votes for each class (n, classes), NaN where nobody labels a window; and whether opinions may differ.

    Parameters
    ----------
    windows : sequence of Span
        Of the recording.
    intervals : sequence of Interval
        Its labels, every one among `classes`.
    classes : sequence of str
        Of the target.
    """
    raters = sorted({i.rater for i in intervals})
    soft = any(i.share < 1.0 for i in intervals)
    out = np.zeros((len(windows), len(classes)))
    for rater in raters:
        mine = [i for i in intervals if i.rater == rater]
        for n, window in enumerate(windows):
            out[n] += _opinion(window, mine, classes, soft=soft)
    out[out.sum(axis=1) == 0.0] = np.nan
    return out, soft or len(raters) > 1


def _opinion(
    window: Span, intervals: Sequence[Interval], classes: Sequence[str], *, soft: bool
) -> NDArray[np.float64]:
    """One rater's vote: one class, or shares that add up to 1, or nothing."""
    length = window.stop_ns - window.start_ns
    covered = np.zeros(len(classes))
    for i in intervals:
        if window.start_ns < i.stop_ns and i.start_ns < window.stop_ns:
            covered[classes.index(i.label)] += i.share * (min(window.stop_ns, i.stop_ns) - max(window.start_ns, i.start_ns))
    if soft:
        return covered / covered.sum() if covered.sum() >= PURITY * length else np.zeros(len(classes))
    best = int(covered.argmax())
    vote = np.zeros(len(classes))
    vote[best] = float(covered[best] >= PURITY * length)
    return vote


def classes_of(counted: NDArray[np.float64]) -> NDArray[np.int64]:
    """The class of each window, −1 where there is none or a tie."""
    filled = np.nan_to_num(counted)
    best = filled.max(axis=1, initial=0.0)
    leaders = (filled >= best[:, None] - _EVEN).sum(axis=1)
    chosen = filled.argmax(axis=1) if filled.shape[1] else np.zeros(len(filled), np.int64)
    return np.where((best > 0) & (leaders == 1), chosen, UNLABELLED).astype(np.int64)


def first_rest(intervals: Sequence[Interval], label: str | None, seconds: float) -> tuple[RestInterval, ...]:
    """The first seconds of known rest, in pieces where rest is interrupted."""
    left = to_ns(seconds)
    out = []
    for start, stop in _agreed(intervals, label):
        if left <= 0:
            break
        end = min(stop, start + left)
        out.append(RestInterval(start, end))
        left -= end - start
    return tuple(out)


def _agreed(intervals: Sequence[Interval], label: str | None) -> list[tuple[int, int]]:
    """Spans that every rater gives this label, wholly."""
    spans: list[tuple[int, int]] | None = None
    for rater in sorted({i.rater for i in intervals}):
        mine = [(i.start_ns, i.stop_ns) for i in intervals if i.rater == rater and i.label == label and i.share >= 1.0]
        if spans is None:
            spans = mine
        else:
            both = ((max(a, c), min(b, d)) for a, b in spans for c, d in mine)
            spans = sorted((a, b) for a, b in both if b > a)
    return spans or []
