"""A model over one recording's windows, as a session would have done it.

The base runner on a batch, then the smoothing: window by window it is what :class:`feltsense.session.Session` gives
(a test holds the two together). A timeline that was changed (another order, nothing but calm, a sensor that fell
silent) is a :class:`Line` of its own, so that everything that runs along with the windows runs anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from feltsense.bundle.run import Inputs, NumpyRunner
from feltsense.core.modality import base
from feltsense.crossmodal.memory import earlier, looked_back, starts
from feltsense.train.running import decided, smooth
from feltsense.train.timelines import PIECE_S, Timeline, calm_only, own_seed, rearranged, retimed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from feltsense.bundle.schema import Model
    from feltsense.train.examples import Line

__all__ = [
    "PIECE_S", "Answers", "answer", "answers", "calm_only", "inputs_of", "own_seed", "rearranged", "retimed", "silenced",
]


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
    return answers(model, [line], calibrated=calibrated, without=without)[0]


def answers(
    model: Model, lines: Sequence[Line], *, calibrated: bool = True, without: Sequence[str] = ()
) -> list[Answers]:
    """Answers for several timelines, which take each step of what runs along together; arguments as :func:`answer`."""
    if not lines:
        return []
    said = [_each_window(model, x, calibrated, without) for x in lines]
    logit, present, known = (np.concatenate(part) for part in zip(*said, strict=True))
    sizes = [len(x.y) for x in lines]
    number = np.repeat(np.arange(len(lines)), sizes)
    smoothed = smooth(logit, present, known, np.concatenate([x.stop_s for x in lines]), model.half_life_s, number)
    probability = decided(smoothed, present, known, model.hold, number)
    cut = np.cumsum(sizes)[:-1]
    return [Answers(*part) for part in zip(*(np.split(x, cut) for x in (logit, probability, present)), strict=True)]


def _each_window(
    model: Model, line: Line, calibrated: bool, without: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Logits before the smoothing, where anything is there, and where the person's baseline applies."""
    if without:
        gone = np.isin([base(m) for m in line.schema.modalities], list(without))
        line = silenced(line, np.broadcast_to(gone, line.quality.shape))
    t = Timeline.of(line, (model.normaliser, model.adaptive), model.columns(line.schema), calibrated=calibrated)
    n = len(line.y)
    quality = np.array([line.quality[:, line.schema.modalities.index(m)] for m in model.modalities]).T.reshape(n, -1)
    blank = Inputs.of(model, t.x, quality)
    runner = NumpyRunner(model)
    given = replace(blank, rest_mean=t.rest_mean, rest_seconds=t.rest_seconds, seen=t.seen)
    out = runner.run(given)
    if model.joint is not None:
        tokens, gates = looked_back(out.token, out.gate, earlier(line.stop_s, starts(t.known)))
        out = runner.run(replace(given, tokens=tokens, gates=gates))
    present = out.abstain[:, 0] == 0.0
    return out.logit, present, t.known


def inputs_of(model: Model, line: Line) -> NDArray[np.float64]:
    """What the experts of a model see of a recording: standings (n, inputs), NaN where missing."""
    t = Timeline.of(line, (model.normaliser, model.adaptive), model.columns(line.schema))
    return model.adaptive(t.z, t.seen)


def silenced(line: Line, missing: NDArray[np.bool_]) -> Line:
    """The recording with modalities missing in some windows, `missing` (n, modalities of the schema)."""
    owner = np.array([line.schema.modalities.index(m) for m in line.schema.owner], np.int64)
    return replace(line, x=np.where(missing[:, owner], np.nan, line.x), quality=np.where(missing, 0.0, line.quality))
