"""Experts out of fold: what they would have said about people they never saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from feltsense.experts.linear import Linear
from feltsense.experts.neural import Neural
from feltsense.experts.trees import Trees
from feltsense.fusion.late import probabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.experts import Expert

__all__ = ["BOOSTED", "Fit", "Rows", "class_weights", "fit_expert", "log_loss", "out_of_fold"]

STRENGTHS: Final = (0.003, 0.03)
"""Inverse penalties to choose from: with 20 people the good ones are far below the usual 1."""
ROUNDS: Final = (40, 80, 120)
"""Numbers of boosting rounds to choose from."""
PENALTIES: Final = (6.0,)
WIDE: Final = 200
"""Inputs of one modality from which its linear expert is a shrinkage discriminant: better there than a penalty, and fitted
in a quarter of the time."""
SHRINKAGES: Final = (0.2, 0.4, 0.6, 0.8)
"""Shrinkages to choose from. Ledoit and Wolf's own (about .1 for 479 inputs) takes a person's utterances for independent
ones; people left out are told apart better with more (``benchmarks/bench_emotion.py``)."""
SCALES: Final = tuple(2.0**-k for k in range(6))
"""By which a discriminant's odds may be multiplied before they are judged."""
SETTINGS: Final[Mapping[str, tuple[float, ...]]] = {"linear": STRENGTHS, "trees": ROUNDS, "neural": PENALTIES}

BOOSTED: Final[Mapping[str, Any]] = {
    "num_leaves": 7,
    "learning_rate": 0.05,
    "min_data_in_leaf": 160,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
}
"""Shallow and slow: few people, strongly correlated windows."""
_FIXED: Final[Mapping[str, Any]] = {
    "deterministic": True, "force_row_wise": True, "num_threads": 1, "seed": 20, "verbosity": -1, "max_bin": 63,
}
SEED = 20


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """All windows of all people, stacked.

    Attributes
    ----------
    z : ndarray, shape (n, inputs)
        Inputs: where the person stands.
    usable : ndarray of bool, shape (n, inputs)
        Measured, and in range.
    quality : ndarray, shape (n, modalities)
        0..1.
    y : ndarray of int64, shape (n,)
        Class number, −1 where there is no label.
    train, scored : ndarray of bool, shape (n,)
        Windows to learn from (rest of the calibration too), and to judge by (without it).
    owner : ndarray of int64, shape (inputs,)
        Modality of each input.
    subject, line : ndarray, shape (n,)
        Whose window, and of which recording.
    stop_s : ndarray, shape (n,)
        End of the window in its recording.
    known : ndarray of bool, shape (n,)
        The person's baseline applies.
    calm : ndarray of bool, shape (n,)
        Windows to judge by of timelines in which nothing but rest follows the calibration.
    classes : int
        Number of classes.
    """

    z: NDArray[np.float64]
    usable: NDArray[np.bool_]
    quality: NDArray[np.float64]
    y: NDArray[np.int64]
    train: NDArray[np.bool_]
    scored: NDArray[np.bool_]
    owner: NDArray[np.int64]
    subject: NDArray[np.str_]
    line: NDArray[np.int64]
    stop_s: NDArray[np.float64]
    known: NDArray[np.bool_]
    calm: NDArray[np.bool_]
    classes: int


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """An expert to be: its setting, and its out-of-fold margins (n, classes − 1)."""

    modality: str
    columns: NDArray[np.int64]
    kind: str
    setting: float
    margins: NDArray[np.float64]


def class_weights(y: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Weight of each row, so that the classes have equal shares; mean 1."""
    counts = np.bincount(y, minlength=classes)
    out: NDArray[np.float64] = len(y) / np.maximum(counts, 1)[y] / max(int((counts > 0).sum()), 1)
    return out


def log_loss(logit: NDArray[np.float64], y: NDArray[np.int64], classes: int) -> float:
    """Mean negative log-probability of the true class, classes weighted to equal shares."""
    p = probabilities(logit)[np.arange(len(y)), y]
    return float(np.average(-np.log(np.maximum(p, 1e-12)), weights=class_weights(y, classes)))


def out_of_fold(
    rows: Rows, modality: str, columns: NDArray[np.int64], kind: str, folds: Sequence[NDArray[np.bool_]],
    settings: tuple[float, ...] = (),
) -> Fit:
    """Choose an expert's setting (of `settings`, or those of its kind) by its out-of-fold loss; its margins with it."""
    shrunk = kind == "linear" and len(columns) > WIDE
    settings = SHRINKAGES if shrunk else settings or SETTINGS[kind]
    margins = {s: np.zeros((len(rows.z), rows.classes - 1)) for s in settings}
    for held in folds:
        learn = rows.train & ~held
        z, y = rows.z[np.ix_(learn, columns)], rows.y[learn]
        new = rows.z[np.ix_(held, columns)]
        if kind == "linear":
            for s in settings:
                margins[s][held] = _linear(z, y, rows.classes, s).margins(new)
        elif kind == "neural":
            for s in settings:
                margins[s][held] = Neural.fit(z, y, class_weights(y, rows.classes), s, SEED).margins(new)
        else:
            booster = _boost(z, y, rows.classes, int(max(settings)))
            for s in settings:
                margins[s][held] = Trees.from_booster(booster, int(s)).margins(new)
    # A modality that is missing says nothing, whatever it would have said: it is not judged there.
    judged = rows.scored & np.isfinite(rows.z[:, columns]).any(axis=1)
    # A discriminant's odds are too sure, which the fusion's weight mends afterwards: it is judged as mended.
    scales = SCALES if shrunk else SCALES[:1]
    losses = {s: min(log_loss(k * margins[s][judged], rows.y[judged], rows.classes) for k in scales) for s in settings}
    best = min(settings, key=lambda s: (losses[s], s))
    return Fit(modality, columns, kind, float(best), margins[best])


def _linear(z: NDArray[np.float64], y: NDArray[np.int64], classes: int, setting: float) -> Linear:
    """The linear expert of so many inputs."""
    return (Linear.discriminant if z.shape[1] > WIDE else Linear.fit)(z, y, classes, setting)


def fit_expert(rows: Rows, fit: Fit) -> tuple[Expert, Callable[[NDArray[np.float64]], NDArray[np.float64]]]:
    """Fit an expert on everyone; with it its margins as its own library computes them."""
    z, y = rows.z[np.ix_(rows.train, fit.columns)], rows.y[rows.train]
    if fit.kind == "linear":
        linear = _linear(z, y, rows.classes, fit.setting)
        return linear, linear.margins
    if fit.kind == "neural":
        neural = Neural.fit(z, y, class_weights(y, rows.classes), fit.setting, SEED)
        return neural, neural.margins
    booster = _boost(z, y, rows.classes, int(fit.setting))

    def library(new: NDArray[np.float64]) -> NDArray[np.float64]:
        raw = np.asarray(booster.predict(new.astype(np.float32).astype(np.float64), raw_score=True))
        return raw[:, None] if raw.ndim == 1 else raw[:, 1:] - raw[:, :1]

    return Trees.from_booster(booster), library


def _boost(z: NDArray[np.float64], y: NDArray[np.int64], classes: int, rounds: int) -> Any:
    import lightgbm

    goal = {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
    # The runners see float32: so does the training, or thresholds would fall between two of their values.
    data = lightgbm.Dataset(z.astype(np.float32).astype(np.float64), y, weight=class_weights(y, classes))
    return lightgbm.train({**goal, **BOOSTED, **_FIXED}, data, rounds)
