"""How gracefully a model degrades when modalities go missing: the two figures of MultiBench.

With scores f₀ … f₁₀ at 0, 10, … 100 % missing (Liang 2021, NeurIPS Datasets and Benchmarks, section 4; robustness.py
of its code):

- relative robustness = area under the curve, by trapezoids;
- effective robustness = Σ (fᵢ − (LFᵢ + f₀ − LF₀)), LF being plain late fusion moved to the same clean score: what is
  gained by how the model fuses, apart from how good it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.evaluate.metrics import balanced_accuracy
from feltsense.evaluate.protocol import LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feltsense.evaluate.arms import Arm

__all__ = ["effective", "missing", "relative"]


def relative(scores: Sequence[float]) -> float:
    """Area under the scores, the missing share running from 0 to 1."""
    s = np.asarray(scores)
    return float((s[1:] + s[:-1]).sum() / 2 / (len(s) - 1))


def effective(scores: Sequence[float], late_fusion: Sequence[float]) -> float:
    """Sum of what is above plain late fusion at an equal clean score."""
    f, lf = np.asarray(scores), np.asarray(late_fusion)
    return float((f - (lf + f[0] - lf[0])).sum())


def missing(model: Sequence[Arm], late_fusion: Sequence[Arm] | None) -> dict[str, Any]:
    """Curves in balanced accuracy, and both figures; effective robustness is null without a baseline."""
    mine = [balanced_accuracy(a.truth, a.said) for a in model]
    out: dict[str, Any] = {"share_missing": list(LEVELS), "model": mine, "relative_robustness": relative(mine)}
    if late_fusion is not None:
        plain = [balanced_accuracy(a.truth, a.said) for a in late_fusion]
        out["late_fusion"] = plain
        out["late_fusion_relative_robustness"] = relative(plain)
        out["effective_robustness"] = effective(mine, plain)
    return out
