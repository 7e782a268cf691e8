"""A recording's windows in an order, as a session would see them: own, or one that no clock knows.

All of a protocol's tasks come in the same order for everyone, and whatever runs along (what has been seen so far, the
smoothing) can learn that order instead of the state. So models are fitted on rearranged timelines: calibration first,
then label-pure pieces of at most five minutes, shuffled, with everything that runs along computed anew.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from feltsense.calibration import REST_HOP_S
from feltsense.fusion.adaptive import histories
from feltsense.session import MS
from feltsense.train.examples import HOP_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from feltsense.fusion.adaptive import Adaptive
    from feltsense.fusion.inputs import Normaliser
    from feltsense.train.examples import Line

__all__ = ["PIECE_S", "Timeline", "calm_only", "own_seed", "rearranged", "retimed"]

PIECE_S = 300.0
"""Longest label-pure piece of a rearranged timeline."""


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """A line's windows, with what a session would have known at each.

    Attributes
    ----------
    known : ndarray of bool, shape (n,)
        The person's baseline applies.
    x : ndarray, shape (n, features)
        The model's features.
    rest_mean, rest_seconds : ndarray, shape (n, features)
        The person's rest, as far as it applies.
    z : ndarray, shape (n, inputs)
        Normalised inputs.
    seen : ndarray, shape (n, inputs, bins)
        Seconds in each bin before each window.
    """

    known: NDArray[np.bool_]
    x: NDArray[np.float64]
    rest_mean: NDArray[np.float64]
    rest_seconds: NDArray[np.float64]
    z: NDArray[np.float64]
    seen: NDArray[np.float64]

    @classmethod
    def of(
        cls, line: Line, parts: tuple[Normaliser, Adaptive], columns: NDArray[np.int64], *, calibrated: bool = True
    ) -> Timeline:
        """What a session would have known.

        Parameters
        ----------
        line : Line
            Windows, every :data:`feltsense.train.examples.HOP_S` seconds.
        parts : (Normaliser, Adaptive)
            How features become inputs, and what they are counted in.
        columns : ndarray of int64, shape (features,)
            The model's features in the line's schema.
        calibrated : bool
            Whether the person's rest is used.
        """
        normaliser, adaptive = parts
        n = len(line.y)
        known = line.known if calibrated else np.ones(n, np.bool_)
        x = line.x[:, columns]
        mean = np.broadcast_to(line.rest_mean[columns], x.shape)
        seconds = np.where(known[:, None] & calibrated, line.rest_seconds[columns], 0.0)
        z = normaliser(x, mean, seconds)
        start = np.zeros(adaptive.population.shape)
        rest = line.rest_x
        if calibrated and rest is not None and len(rest):
            new = rest[:, columns]
            known_rest = (np.broadcast_to(v[columns], new.shape) for v in (line.rest_mean, line.rest_seconds))
            theirs = normaliser(new, *known_rest)
            start = adaptive.count(theirs, round(REST_HOP_S * MS)) / MS
        # Windows of the rest are in `start` already.
        counted = ~(line.resting & known) if start.any() else np.ones(n, np.bool_)
        mass = min(HOP_S, line.window_s)
        first = int(np.argmax(known)) if known.any() else n
        seen = np.concatenate([
            histories(adaptive, z[:first], counted[:first], mass, np.zeros(start.shape)),
            histories(adaptive, z[first:], counted[first:], mass, start),
        ])
        return cls(known, x, mean, seconds, z, seen)


def retimed(line: Line, order: NDArray[np.int64], hop_s: float) -> Line:
    """Some of a recording's windows in another order, on a clock that runs from its beginning."""
    first = float(line.stop_s[0]) if len(line.stop_s) else 0.0
    return replace(
        line,
        stop_s=first + hop_s * np.arange(len(order), dtype=np.float64),
        x=line.x[order],
        quality=line.quality[order],
        y=line.y[order],
        known=line.known[order],
        votes=None if line.votes is None else line.votes[order],
        motion=None if line.motion is None else line.motion[order],
    )


def own_seed(line: Line, *more: int) -> np.random.Generator:
    """Random numbers of a recording's own, whoever else is there: people with one protocol must not share an order."""
    return np.random.default_rng([zlib.crc32(f"{line.subject} {line.start_unix!r}".encode()), *more])


def rearranged(
    line: Line, hop_s: float, seed: int, only: Sequence[int] | None = None
) -> tuple[Line, NDArray[np.int64]]:
    """Windows in an order that no clock knows: calibration first, then label-pure pieces of ≤ 5 min, shuffled.

    Windows without a label are left out, and so are those of other classes than `only`. With the new timeline comes
    the number that each window had before.
    """
    last = np.flatnonzero(line.resting)
    first = int(last[-1]) + 1 if len(last) else 0
    labels = line.y[first:]
    starts = np.flatnonzero(np.diff(labels, prepend=np.nan) != 0)
    longest = max(1, int(PIECE_S / hop_s))
    pieces: list[NDArray[np.int64]] = []
    for a, b in zip(starts, [*starts[1:], len(labels)], strict=True):
        if b > a and labels[a] >= 0 and (only is None or labels[a] in only):
            pieces += np.array_split(np.arange(first + a, first + b), int(np.ceil((b - a) / longest)))
    shuffled = own_seed(line, seed).permutation(len(pieces))
    order = np.concatenate([np.arange(first), *(pieces[i] for i in shuffled)]).astype(np.int64)
    return retimed(line, order, hop_s), order


def calm_only(line: Line, hop_s: float, calm: int) -> tuple[Line, NDArray[np.int64]]:
    """The session as it would have been had nothing happened: up to the calibration, then the calm windows alone."""
    last = np.flatnonzero(line.resting)
    first = int(last[-1]) + 1 if len(last) else 0
    order = np.concatenate([np.arange(first), first + np.flatnonzero(line.y[first:] == calm)]).astype(np.int64)
    return retimed(line, order, hop_s), order
