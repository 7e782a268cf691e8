"""Whether probabilities can be taken at their word, and what is gained by answering less often.

Rules
-----
- Few windows look badly calibrated however good the model is. Beside each error stands the floor: the error that a
  perfectly calibrated model, saying the same probabilities, would show on as many windows.
- The model's probabilities mean "if the classes were as likely"; truths of the floor are drawn with the shares that
  the classes have, and weighted back, as in the figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.evaluate import metrics
from feltsense.evaluate.arms import equal_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.evaluate.arms import Arm

__all__ = ["calibration", "reliability_bins", "risk_coverage"]

DRAWS = 200
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
"""Shares answered at which the figures are given."""
STEPS = 50
_EDGE = 1e-12


def calibration(arm: Arm, decided: int, seed: int) -> dict[str, Any]:
    """Expected calibration error, pooled and person by person, each beside its floor."""
    hit, p = arm.truth == decided, arm.probability[:, decided]
    everyone = _error_and_floor(hit, p, np.random.default_rng([seed, 0]))
    people = []
    for i, s in enumerate(dict.fromkeys(arm.subject.tolist())):
        mine = arm.subject == s
        if 0 < hit[mine].sum() < mine.sum():
            people.append({"subject": s, **_error_and_floor(hit[mine], p[mine], np.random.default_rng([seed, i + 1]))})
    return {
        "pooled": everyone,
        "people": people,
        "person_mean": float(np.mean([q["error"] for q in people])) if people else None,
        "person_mean_floor": float(np.mean([q["floor"] for q in people])) if people else None,
        "bins": reliability_bins(hit, p),
    }


def _error_and_floor(hit: NDArray[np.bool_], p: NDArray[np.float64], rng: np.random.Generator) -> dict[str, float]:
    """The error, and mean and 95th percentile of what calibrated models would show."""
    share = np.clip(hit.mean(), _EDGE, 1.0 - _EDGE)
    odds = share / (1.0 - share) * np.clip(p, _EDGE, 1.0 - _EDGE) / np.clip(1.0 - p, _EDGE, 1.0)
    natural = odds / (1.0 + odds)
    floor = []
    for _ in range(DRAWS):
        drawn = rng.random(len(p)) < natural
        if 0 < drawn.sum() < len(drawn):
            floor.append(_error(drawn, p))
    return {
        "error": _error(hit, p),
        "floor": float(np.mean(floor)) if floor else float("nan"),
        "floor_95": float(np.quantile(floor, 0.95)) if floor else float("nan"),
    }


def _error(hit: NDArray[np.bool_], p: NDArray[np.float64]) -> float:
    return metrics.calibration_error(hit, p, equal_shares(hit.astype(np.int64)))


def reliability_bins(hit: NDArray[np.bool_], p: NDArray[np.float64]) -> list[dict[str, float]]:
    """What was said and how often it was so, in ten equal bins, classes at equal shares."""
    w = equal_shares(hit.astype(np.int64)) if len(hit) else np.empty(0)
    place = np.minimum((p * metrics.BINS).astype(int), metrics.BINS - 1)
    out = []
    for b in range(metrics.BINS):
        m = place == b
        if m.any():
            total = float(w[m].sum())
            out.append({
                "said": float((w[m] * p[m]).sum() / total), "was": float((w[m] * hit[m]).sum() / total),
                "windows": int(m.sum()),
            })  # fmt: skip
    return out


def risk_coverage(arm: Arm) -> dict[str, Any]:
    """Error among the windows that are answered when the least sure are not, and the area under that curve.

    Sure is the probability of what is said (Geifman & El-Yaniv 2017). Where answers are equally sure, their windows
    come in together: an order among them would be made up.
    """
    sure = arm.probability.max(axis=1)
    order = np.argsort(-sure, kind="stable")
    wrong = (arm.said != arm.truth)[order].astype(np.float64)
    n = len(wrong)
    if not n:
        return {"aurc": float("nan"), "curve": [], "at": []}
    _, where = np.unique(-sure[order], return_inverse=True)
    wrong = (np.bincount(where, wrong) / np.bincount(where))[where]
    risk = np.cumsum(wrong) / np.arange(1, n + 1)
    points = np.unique(np.maximum(1, np.round(np.linspace(1.0 / STEPS, 1.0, STEPS) * n).astype(int)))
    at = []
    for c in COVERAGES:
        kept = order[: max(1, round(c * n))]
        at.append({
            "coverage": c, "error": float(risk[len(kept) - 1]),
            "balanced_accuracy": metrics.balanced_accuracy(arm.truth[kept], arm.said[kept]),
        })  # fmt: skip
    curve = [{"coverage": float(k / n), "error": float(risk[k - 1])} for k in points]
    return {"aurc": float(risk.mean()), "curve": curve, "at": at}
