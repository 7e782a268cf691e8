"""A model over one recording's windows, as a session would have done it.

The base runner on a batch, then the smoothing: window by window it is what :class:`feltsense.session.Session` gives
(a test holds the two together). A timeline that was changed (another order, nothing but calm, a sensor that fell
silent) is a :class:`Line` of its own, so that everything that runs along with the windows runs anew.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from feltsense.bundle.run import Inputs, NumpyRunner
from feltsense.fusion.late import probabilities
from feltsense.train.stacking import smooth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from feltsense.bundle.schema import Model
    from feltsense.train.examples import Line

__all__ = ["PIECE_S", "Answers", "answer", "calm_only", "inputs_of", "own_seed", "rearranged", "retimed", "silenced"]

PIECE_S = 300.0
"""Longest label-pure piece of a rearranged timeline."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a model says about one recording's windows.

    Attributes
    ----------
    logit, probability : ndarray, shape (n, classes − 1), (n, classes)
        Before smoothing, and final.
    present : ndarray of bool, shape (n,)
        Whether any modality was there.
    """

    logit: NDArray[np.float64]
    probability: NDArray[np.float64]
    present: NDArray[np.bool_]


def answer(model: Model, line: Line, *, calibrated: bool = True, without: Sequence[str] = ()) -> Answers:
    """Answers for one recording.

    Parameters
    ----------
    model : Model
        The model.
    line : Line
        Windows.
    calibrated : bool
        Whether the person's rest is used.
    without : sequence of str
        Modalities that are taken away.
    """
    if without:
        gone = np.isin(line.schema.modalities, list(without))
        line = silenced(line, np.broadcast_to(gone, line.quality.shape))
    columns = model.columns(line.schema)
    n = len(line.y)
    quality = np.array([line.quality[:, line.schema.modalities.index(m)] for m in model.modalities]).T.reshape(n, -1)
    seconds = np.where(line.known[:, None] & calibrated, line.rest_seconds[columns], 0.0)
    inputs = Inputs(
        line.x[:, columns], quality, np.broadcast_to(line.rest_mean[columns], (n, len(columns))), seconds,
        np.full((n, len(model.classes) - 1), np.nan), np.zeros((n, 1)),
    )
    out = NumpyRunner(model).run(inputs)
    present = out.abstain[:, 0] == 0.0
    smoothed = smooth(out.logit, present, line.known, line.stop_s, model.half_life_s)
    return Answers(out.logit, probabilities(smoothed), present)


def inputs_of(model: Model, line: Line) -> NDArray[np.float64]:
    """What the experts of a model see of a recording: normalised inputs (n, inputs), NaN where missing."""
    columns = model.columns(line.schema)
    seconds = np.where(line.known[:, None], line.rest_seconds[columns], 0.0)
    return model.normaliser(line.x[:, columns], np.broadcast_to(line.rest_mean[columns], seconds.shape), seconds)


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


def rearranged(line: Line, hop_s: float, seed: int) -> tuple[Line, NDArray[np.int64]]:
    """Windows in an order that no clock knows: calibration first, then label-pure pieces of ≤ 5 min, shuffled.

    Windows without a label are left out. With the new timeline comes the number that each window had before.
    """
    last = np.flatnonzero(line.resting)
    first = int(last[-1]) + 1 if len(last) else 0
    labels = line.y[first:]
    starts = np.flatnonzero(np.diff(labels, prepend=np.nan) != 0)
    longest = max(1, int(PIECE_S / hop_s))
    pieces: list[NDArray[np.int64]] = []
    for a, b in zip(starts, [*starts[1:], len(labels)], strict=True):
        if b > a and labels[a] >= 0:
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


def silenced(line: Line, missing: NDArray[np.bool_]) -> Line:
    """The recording with modalities missing in some windows, `missing` (n, modalities of the schema)."""
    owner = np.array([line.schema.modalities.index(m) for m in line.schema.owner], np.int64)
    return replace(line, x=np.where(missing[:, owner], np.nan, line.x), quality=np.where(missing, 0.0, line.quality))
