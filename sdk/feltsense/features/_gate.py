"""What a window may be asked for, and the reason where it may not: shared by the modalities that count beats."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from feltsense.core.vector import Extracted, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.core.vector import FeatureSpec
    from feltsense.core.window import Window
    from feltsense.dsp.runs import Piece

__all__ = ["Gates", "Need", "Spans", "collect", "gated", "missing"]


class Need(NamedTuple):
    """What a feature needs beside its minimum of seconds."""

    have: int
    """How many it has (intervals, differences, beats)."""
    least: int
    """How many it needs."""


class Spans:
    """Where a stream has signal: the session times its runs begin and end.

    Parameters
    ----------
    period_ns : int
        Time that a sample stands for.
    """

    def __init__(self, period_ns: int) -> None:
        self._period = period_ns
        self._spans: list[list[int]] = []
        self._run = -1

    def push(self, piece: Piece) -> None:
        """Take the next samples."""
        if not len(piece.t_ns):
            return
        stop = int(piece.t_ns[-1]) + self._period
        if piece.run == self._run and self._spans:
            self._spans[-1][1] = stop
        else:
            self._spans.append([int(piece.t_ns[0]), stop])
            self._run = piece.run

    def overlap_ns(self, window: Window) -> int:
        """Time of the window in which there is signal."""
        return sum(max(0, min(b, window.stop_ns) - max(a, window.start_ns)) for a, b in self._spans)

    def forget(self, before_ns: int) -> None:
        """Drop the spans that end before a time; the last one stays, it may grow."""
        while len(self._spans) > 1 and self._spans[0][1] < before_ns:
            self._spans.pop(0)


def missing(least_s: float, window: Window, present_s: float, need: Need, worst: Reason) -> Reason:
    """Why a feature cannot be given; ``ok`` when it can.

    Parameters
    ----------
    least_s : float
        How many seconds of signal it needs.
    window : Window
        The window.
    present_s : float
        Seconds of it in which there is signal.
    need : Need
        What it must have beside time.
    worst : Reason
        What is wrong with the window first of all (the reason of its quality).
    """
    if window.seconds < least_s:
        return Reason.TOO_SHORT
    if present_s <= 0.0:
        return Reason.NO_SIGNAL
    if present_s < least_s:
        return Reason.GAP
    if need.have < need.least:
        return Reason.TOO_FEW_BEATS if worst in (Reason.OK, Reason.GAP) else worst
    return Reason.OK


def collect(
    specs: Sequence[FeatureSpec], values: Mapping[str, float], reasons: Mapping[str, Reason], quality: tuple[float, Reason]
) -> Extracted:
    """Features in the order of the specs; a value that could not be computed is missing whatever its gate said."""
    return gated([values[s.name] for s in specs], [reasons[s.name] for s in specs], quality)


def gated(values: Sequence[float], reasons: Sequence[Reason], quality: tuple[float, Reason]) -> Extracted:
    """As :func:`collect`, of values and reasons that are in order already."""
    return Gates.of(reasons).let(np.array(values, dtype=np.float64), quality)


class Gates(NamedTuple):
    """The reasons of a window's features, in order; those of many windows are the same, and made once."""

    reasons: tuple[Reason, ...]
    closed: NDArray[np.intp]
    """Places of the features that may not be given."""
    given: bytes
    """Which may, a byte each."""

    @classmethod
    def of(cls, reasons: Sequence[Reason]) -> Gates:
        """Gates of so many features."""
        given = np.array([r is Reason.OK for r in reasons], dtype=np.bool_)
        return cls(tuple(reasons), np.flatnonzero(~given), given.tobytes())

    def let(self, values: NDArray[np.float64], quality: tuple[float, Reason]) -> Extracted:
        """Let values through, shape (features,), which are changed; one that could not be computed is missing, too."""
        if len(self.closed):
            values[self.closed] = math.nan
        finite = np.isfinite(values)
        if finite.tobytes() == self.given:
            return Extracted(values, self.reasons, *quality)
        values[~finite] = math.nan
        there = finite.tolist()
        why = [Reason.NONE_FOUND if r is Reason.OK and not f else r for r, f in zip(self.reasons, there, strict=True)]
        return Extracted(values, tuple(why), *quality)
