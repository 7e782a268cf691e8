"""Folds → the figures of a report, as plain JSON values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.evaluate import metrics
from feltsense.evaluate.protocol import PIECE_S, SHUFFLES, Arm
from feltsense.train.examples import HOP_S, PURITY, REST_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feltsense.evaluate.protocol import Fold
    from feltsense.train.targets import Target

__all__ = ["result"]

PER_PERSON = ("balanced_accuracy", "auroc", "macro_f1", "accuracy")
DIGITS = 6


def result(done: Sequence[Fold], target: Target, training: Mapping[str, Any]) -> dict[str, Any]:
    """All figures of an evaluation.

    Parameters
    ----------
    done : sequence of Fold
        One a person.
    target : Target
        What was estimated.
    training : mapping
        Where the data come from.
    """
    decided = target.classes.index(target.decision)
    joined = {name: Arm.joined([f.arms[name] for f in done]) for name in done[0].arms}
    figures = {
        name: arm.figures(decided, interval=name != "order_randomised", matched=name != "order_randomised")
        for name, arm in joined.items()
    }
    figures["order_randomised"]["windows"] //= SHUFFLES
    rest = joined["rest"]
    common = int(np.bincount(rest.truth).argmax())
    always = Arm(rest.subject, rest.time_s, rest.truth, np.eye(len(target.classes))[np.full(len(rest.truth), common)])
    figures["majority"] = always.figures(decided, interval=False)
    body = {
        "target": target.name,
        "classes": list(target.classes),
        "decision": target.decision,
        "data": dict(training),
        "protocol": {
            "split": "leave one person out" if "raw" in joined else "one model, given",
            "window_s": target.window_s, "hop_s": HOP_S, "purity": PURITY, "rest_s": REST_S,
            "smoothing_half_life_s": target.half_life_s, "order_randomised_piece_s": PIECE_S,
            "order_randomised_timelines": SHUFFLES, "bootstraps": metrics.BOOTSTRAPS,
        },
        "figures": figures,
        "gains": _gains(joined),
        "people": [_person(f, decided) for f in done],
    }
    plain: dict[str, Any] = _plain(body)
    return plain


def _gains(joined: Mapping[str, Arm]) -> dict[str, Any]:
    """Paired over people: how much calibration adds in balanced accuracy."""
    out: dict[str, Any] = {}
    rest = joined["rest"]
    for name in ("raw", "rest_model_without_profile"):
        other = joined.get(name)
        if other is None or not np.array_equal(other.truth, rest.truth):
            continue
        a, b = rest.probability.argmax(axis=1), other.probability.argmax(axis=1)

        def gain(rows: np.ndarray[Any, np.dtype[np.int64]], a: Any = a, b: Any = b) -> float:
            truth = rest.truth[rows]
            return metrics.balanced_accuracy(truth, a[rows]) - metrics.balanced_accuracy(truth, b[rows])

        every = np.arange(len(a))
        out[f"rest_over_{name}"] = {
            "balanced_accuracy": gain(every), "balanced_accuracy_95": metrics.bootstrap_interval(rest.subject, gain),
        }
    return out


def _person(fold: Fold, decided: int) -> dict[str, Any]:
    figures = fold.arms["rest"].figures(decided, interval=False, matched=False)
    return {
        "subject": fold.subject, "windows": fold.windows, "unanswered": fold.unanswered,
        **{n: figures[n] for n in PER_PERSON},
        "share": float((fold.arms["rest"].truth == decided).mean()) if len(fold.arms["rest"].truth) else None,
    }


def _plain(value: Any) -> Any:
    """JSON values: rounded, NaN as null."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float | np.floating):
        return round(float(value), DIGITS) if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
