"""Utterances: recordings that are one window each, many of one person.

A manifest whose recordings are all WAV files, each labelled as a whole, is read this way, whatever the target: every
file becomes one window as long as itself, and a person's files become one line of windows. They have no order and share
no memory, so they stand a day apart. The first four files (by path) of the class ``neutral`` or ``rest`` calibrate the
person, at most half of them; they are learned from and never scored.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.utterance import REST_UTTERANCES, UTTERANCE_REST_S, WHOLE
from feltsense.train.tasks import REST
from feltsense.train.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from feltsense.datasets.labelled import Labelled
    from feltsense.train.examples import Line
    from feltsense.train.targets import Target

__all__ = ["NEUTRAL", "as_utterances", "by_person", "only_utterances"]

NEUTRAL = "neutral"
_APART_S = 86_400.0
_MEMORY_S = 1e-3
"""Half-life of the smoothing: none, also where windows are put into another order."""
_WAV = ".wav"


def only_utterances(labelled: Iterable[Labelled]) -> bool:
    """Whether every recording is a WAV file that is labelled as a whole."""
    return all(
        x.path.suffix.lower() == _WAV and all(m.start is None and m.stop is None for m in x.marks) for x in labelled
    )


def as_utterances(target: Target) -> Target:
    """The target for whole recordings of a voice; the neutral class, where there is one, is the reference."""
    calm = [c for c in (NEUTRAL, REST) if c in target.classes]
    classes = tuple(sorted(target.classes, key=lambda c: (c not in calm[:1], c)))
    whole = replace(target, window_s=WHOLE, half_lives=(_MEMORY_S,))
    return replace(whole, classes=classes, decision=classes[1], modalities=("voice",), further_s=())


def by_person(lines: Sequence[Line], target: Target) -> list[Line]:
    """One line a person, of all utterances."""
    people = sorted({x.subject for x in lines})
    return [_joined([x for x in lines if x.subject == p and len(x.y)], target) for p in people]


def _joined(lines: list[Line], target: Target) -> Line:
    lines = sorted(lines, key=lambda x: x.path)
    calm = [x for x in lines if x.y[0] == 0] if target.classes[0] in (NEUTRAL, REST) else []
    calm = calm[: min(REST_UTTERANCES, len(calm) // 2)]
    ordered = [*calm, *(x for x in lines if not any(x is c for c in calm))]
    x = np.concatenate([line.x for line in ordered])
    mean, count = _rest(x[: len(calm)])
    votes = None
    if all(line.votes is not None for line in ordered):
        votes = np.concatenate([line.votes for line in ordered if line.votes is not None])
    return replace(
        ordered[0],
        stop_s=_APART_S * np.arange(1, len(ordered) + 1, dtype=np.float64),
        x=x,
        quality=np.concatenate([line.quality for line in ordered]),
        y=np.concatenate([line.y for line in ordered]),
        known=np.ones(len(ordered), np.bool_),
        rest_mean=mean,
        rest_seconds=count * UTTERANCE_REST_S,
        rest_s=((0.0, (len(calm) + 0.5) * _APART_S),) if calm else (),
        traces=Traces(),
        votes=votes,
        motion=None,
        rest_x=None,
    )


def _rest(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and number of the finite values of each column."""
    seen = np.isfinite(x)
    count = seen.sum(axis=0)
    total = np.where(seen, x, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), count.astype(np.float64)
