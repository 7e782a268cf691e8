"""How far people who labelled the same windows agree: the ceiling of what can be asked of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["agreement"]


def agreement(votes: NDArray[np.float64], truth: NDArray[np.int64]) -> dict[str, Any]:
    """Agreement of raters, and the balanced accuracy of one of them against the label.

    Parameters
    ----------
    votes : ndarray, shape (n, classes)
        Raters a class, or shares of a soft label.
    truth : ndarray of int64, shape (n,)
        The label that came of it.

    Returns
    -------
    dict
        ``pairwise_agreement``: share of pairs of raters who agree, and ``fleiss_kappa`` (Fleiss 1971, Psychol Bull
        76:378, eq. 3 and 7, for windows with two raters or more; null for soft labels). ``ceiling``: mean over classes
        of the share of votes that the label got, which is the balanced accuracy of a rater drawn at random.
    """
    said = np.isfinite(votes).all(axis=1)
    votes, truth = votes[said], truth[said]
    raters = votes.sum(axis=1)
    shares = votes / raters[:, None]
    got = shares[np.arange(len(truth)), truth] if len(truth) else np.empty(0)
    ceiling = float(np.mean([got[truth == k].mean() for k in np.unique(truth)])) if len(truth) else float("nan")
    out: dict[str, Any] = {
        "windows": len(truth), "ceiling": ceiling,
        "unanimous": float((shares.max(axis=1) >= 1.0).mean()) if len(truth) else None,
        "pairwise_agreement": None, "fleiss_kappa": None,
    }  # fmt: skip
    several = raters >= 2
    if several.any():
        n, v = raters[several], votes[several]
        each = ((v**2).sum(axis=1) - n) / (n * (n - 1))
        chance = float(((v.sum(axis=0) / n.sum()) ** 2).sum())
        agreed = float(each.mean())
        out["pairwise_agreement"] = agreed
        out["fleiss_kappa"] = (agreed - chance) / (1 - chance) if chance < 1 else None
    return out
