"""Small models that controls are made of: a clock, motion alone, a plain late fusion, and who can tell the time.

Each is fitted on the learning side of a split, like the model that it stands beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from feltsense.core.modality import length_of
from feltsense.experts.linear import Linear
from feltsense.fusion.late import probabilities
from feltsense.train.margins import class_weights
from feltsense.train.running import smooth

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.train.examples import Line
    from feltsense.train.splits import SubjectSplit
    from feltsense.train.targets import Target

__all__ = ["Clock", "LateFusion", "Motion", "TimeTeller"]

_TREES: Final[Mapping[str, Any]] = {
    "objective": "multiclass", "num_leaves": 15, "min_data_in_leaf": 20, "verbosity": -1, "num_threads": 1,
    "deterministic": True, "seed": 0,
}
_ROUNDS = 100
STRENGTH = 0.01
"""Penalty of the plain late fusion: in the middle of those that the model chooses from."""
LEAST_QUALITY = 0.05
RIDGE = 0.01
"""Penalty of the time teller, a window: enough for columns that are copies of each other."""


def _boosted(x: NDArray[np.float64], y: NDArray[np.int64], classes: int) -> Any:
    import lightgbm

    data = lightgbm.Dataset(x, y, weight=class_weights(y, classes))
    return lightgbm.train({**_TREES, "num_class": classes}, data, _ROUNDS)


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """Boosted trees that see nothing but the time since the start."""

    trees: Any
    classes: int

    @classmethod
    def fit(cls, split: SubjectSplit, classes: int) -> Self:
        """Fit."""
        lines = split.learn.lines
        t = np.concatenate([x.stop_s[x.scored] for x in lines])[:, None]
        return cls(_boosted(t, np.concatenate([x.y[x.scored] for x in lines]), classes), classes)

    def __call__(self, line: Line) -> NDArray[np.float64]:
        """Probabilities (n, classes)."""
        if not len(line.y):
            return np.empty((0, self.classes))
        return np.asarray(self.trees.predict(line.stop_s[:, None])).reshape(-1, self.classes)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Boosted trees that see nothing but motion, as it is and against the person's rest."""

    trees: Any
    classes: int

    @classmethod
    def fit(cls, split: SubjectSplit, classes: int) -> Self | None:
        """Fit; None where nobody's motion was recorded."""
        lines = [x for x in split.learn.lines if x.motion is not None and x.motion.shape[1] == _width(split.learn.lines)]
        if not lines:
            return None
        x = np.concatenate([_moved(line)[line.scored] for line in lines])
        if not np.isfinite(x).any():
            return None
        return cls(_boosted(x, np.concatenate([line.y[line.scored] for line in lines]), classes), classes)

    def __call__(self, line: Line) -> NDArray[np.float64]:
        """Probabilities (n, classes)."""
        if not len(line.y) or line.motion is None or not line.motion.shape[1]:
            return np.full((len(line.y), self.classes), 1.0 / self.classes)
        return np.asarray(self.trees.predict(_moved(line))).reshape(-1, self.classes)


def _width(lines: Sequence[Line]) -> int:
    return max((x.motion.shape[1] for x in lines if x.motion is not None), default=0)


def _moved(line: Line) -> NDArray[np.float64]:
    motion = np.empty((len(line.y), 0)) if line.motion is None else line.motion
    return np.concatenate([motion, motion - _mean(motion[line.resting])], axis=1)


def _mean(x: NDArray[np.float64]) -> NDArray[np.float64]:
    seen = np.isfinite(x)
    count = seen.sum(axis=0)
    total = np.where(seen, x, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class LateFusion:
    """One logistic regression a modality on distances from rest, their logits averaged over whoever is there.

    The plain baseline against which effective robustness is measured: no weights, no fading, no choice.
    """

    modalities: tuple[str, ...]
    experts: tuple[Linear | None, ...]
    scale: NDArray[np.float64]
    half_life_s: float
    classes: int

    @classmethod
    def fit(cls, split: SubjectSplit, target: Target) -> Self:
        """Fit."""
        lines, classes = split.learn.lines, len(target.classes)
        apart = np.concatenate([(x.x - x.rest_mean)[x.scored] for x in lines])
        y = np.concatenate([x.y[x.scored] for x in lines])
        spread = np.sqrt(_mean((apart - _mean(apart)) ** 2))
        scale = np.where(spread > 0, spread, 1.0)
        experts: list[Linear | None] = []
        modalities = tuple(m for m in lines[0].schema.modalities if length_of(m) is None)
        for m in modalities:
            z = _part(apart / scale, lines[0], m)
            there = np.isfinite(z).any(axis=1)
            able = len(np.unique(y[there])) == classes
            experts.append(Linear.fit(z[there], y[there], classes, STRENGTH) if able else None)
        return cls(modalities, tuple(experts), scale, target.half_lives[-1], classes)

    def __call__(self, line: Line) -> NDArray[np.float64]:
        """Probabilities (n, classes), smoothed; those of no evidence where nothing is there."""
        apart = (line.x - line.rest_mean) / self.scale
        total, count = np.zeros((len(line.y), self.classes - 1)), np.zeros(len(line.y))
        for m, expert in zip(self.modalities, self.experts, strict=True):
            z = _part(apart, line, m)
            there = np.isfinite(z).any(axis=1) & (line.quality[:, line.schema.modalities.index(m)] >= LEAST_QUALITY)
            if expert is not None:
                total += np.where(there[:, None], expert.margins(z), 0.0)
                count += there
        logit = total / np.maximum(count, 1)[:, None]
        return probabilities(smooth(logit, count > 0, line.known, line.stop_s, self.half_life_s))


def _part(x: NDArray[np.float64], line: Line, modality: str) -> NDArray[np.float64]:
    return x[:, [i for i, m in enumerate(line.schema.owner) if m == modality]]


@dataclass(frozen=True, slots=True, eq=False)
class TimeTeller:
    """Ridge regression from a model's inputs to the time since the start, learned from calm windows.

    Where it can tell the time of an unseen person, so can the model: what it says may be the protocol's order.
    """

    see: Callable[[Line], NDArray[np.float64]]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weight: NDArray[np.float64]
    base: float

    @classmethod
    def fit(cls, split: SubjectSplit, see: Callable[[Line], NDArray[np.float64]]) -> Self:
        """Fit on what a model sees of a recording, (n, inputs)."""
        z = np.concatenate([see(x)[_calm(x)] for x in split.learn.lines])
        t = np.concatenate([x.stop_s[_calm(x)] for x in split.learn.lines])
        mean = np.nan_to_num(_mean(z))
        spread = np.sqrt(np.nan_to_num(_mean((z - mean) ** 2)))
        scale = np.where(spread > 0, spread, 1.0)
        standard = np.nan_to_num((z - mean) / scale)
        gram = standard.T @ standard + RIDGE * max(len(t), 1) * np.eye(len(mean))
        middle = float(t.mean()) if len(t) else 0.0
        weight = np.asarray(np.linalg.solve(gram, standard.T @ (t - middle)), np.float64)
        return cls(see, mean, scale, weight, middle)

    def __call__(self, line: Line) -> NDArray[np.float64]:
        """Time and what it is taken for (n, 2), of calm windows."""
        calm = _calm(line)
        standard = np.nan_to_num((self.see(line)[calm] - self.mean) / self.scale)
        return np.stack([line.stop_s[calm], standard @ self.weight + self.base], axis=1)


def _calm(line: Line) -> NDArray[np.bool_]:
    out: NDArray[np.bool_] = line.scored & (line.y == 0)
    return out
