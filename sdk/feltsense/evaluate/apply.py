"""A model over one recording's windows, as a session would have done it.

The base runner on a batch, then the smoothing: window by window it is what :class:`feltsense.session.Session` gives
(a test holds the two together).
"""

from __future__ import annotations

from dataclasses import dataclass
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

__all__ = ["Answers", "answer", "rearranged"]

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
    columns = model.columns(line.schema)
    n = len(line.y)
    quality = np.array([line.quality[:, line.schema.modalities.index(m)] for m in model.modalities]).T.reshape(n, -1)
    for m in without:
        quality[:, model.modalities.index(m)] = 0.0
    seconds = np.where(line.known[:, None] & calibrated, line.rest_seconds[columns], 0.0)
    inputs = Inputs(
        line.x[:, columns], quality, np.broadcast_to(line.rest_mean[columns], (n, len(columns))), seconds,
        np.full((n, len(model.classes) - 1), np.nan), np.zeros((n, 1)),
    )
    out = NumpyRunner(model).run(inputs)
    present = out.abstain[:, 0] == 0.0
    smoothed = smooth(out.logit, present, line.known, line.stop_s, model.half_life_s)
    return Answers(out.logit, probabilities(smoothed), present)


def rearranged(line: Line, hop_s: float, seed: int) -> NDArray[np.int64]:
    """Windows in an order that no clock knows: calibration first, then label-pure pieces of ≤ 5 min, shuffled.

    Windows without a label are left out. The result indexes the line's windows.
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
    order = np.random.default_rng(seed).permutation(len(pieces))
    return np.concatenate([np.arange(first), *(pieces[i] for i in order)]).astype(np.int64)
