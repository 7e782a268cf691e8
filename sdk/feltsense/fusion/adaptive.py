"""Where a value stands among everything that the person has shown so far: the causal adaptive baseline.

Rules
-----
- Each normalised input has a histogram of the seconds that the person has spent in each of its bins. The bins are
  fixed: quantiles of the training people's rest-centred values, and a few wide ones on either side for people unlike
  them. So memory is bounded, histograms add, and what was put in can be taken out.
- F(z) = (Σ share_b(z)·(κ·population_b + seen_b) + c) / (κ + Σ seen + 2c): an empirical-Bayes distribution function.
  share_b is the part of bin b below z, linear within a bin; the training people count as κ seconds, so that somebody
  new is placed among people first and among the own past later. c is Laplace's: nobody is ever the highest for sure.
- The input becomes the logistic score of F, of unit variance where F is uniform; on the grid of
  :mod:`feltsense.fusion.inputs`, so that runtimes agree.
- Causal: a window is compared with what came before it, and counted afterwards.
- Everything is in seconds: a window counts as long as the hop, and the meaning does not depend on it.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.fusion.inputs import CLIP, GRID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["INNER", "OUTER", "SCORE", "Adaptive", "histories"]

INNER = 32
"""Bins between the least and the largest training value, each with as many of them."""
OUTER = 8
"""Bins on either side, up to the clip of the inputs."""
SCORE = math.sqrt(3.0) / math.pi
"""The logistic distribution has the standard deviation π/√3."""
_APART = 1e-6
"""Least width of a bin: many training values are equal where a count is 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Adaptive:
    """Bins, population and weights.

    Attributes
    ----------
    edges : ndarray, shape (inputs, bins + 1)
        Strictly increasing.
    population : ndarray, shape (inputs, bins)
        Share of the training people's time in each bin.
    kappa : float
        Seconds that the population counts as.
    floor : float
        Seconds added on either side of every value.
    """

    edges: NDArray[np.float64]
    population: NDArray[np.float64]
    kappa: float
    floor: float

    @classmethod
    def fit(cls, z: NDArray[np.float64], kappa: float, floor: float) -> Adaptive:
        """Bins of normalised inputs (n, inputs) of training people."""
        width = z.shape[1]
        edges = np.empty((width, INNER + 2 * OUTER + 1))
        for j in range(width):
            seen = z[np.isfinite(z[:, j]), j]
            q = np.quantile(seen, np.linspace(0, 1, INNER + 1)) if len(seen) else np.linspace(-1, 1, INNER + 1)
            low = np.linspace(min(-CLIP, float(q[0])) - 1, float(q[0]), OUTER + 1)[:-1]
            high = np.linspace(float(q[-1]), max(CLIP, float(q[-1])) + 1, OUTER + 1)[1:]
            line = np.concatenate([low, q, high])
            edges[j] = np.maximum.accumulate(line) + _APART * np.arange(len(line))
        population = np.zeros((width, INNER + 2 * OUTER))
        population[:, OUTER : OUTER + INNER] = 1.0 / INNER
        return cls(edges, population, kappa, floor)

    @property
    def bins(self) -> int:
        """Number of bins."""
        return int(self.population.shape[1])

    @property
    def digest(self) -> str:
        """Names the bins: histograms of other bins cannot be used."""
        return hashlib.sha256(np.ascontiguousarray(self.edges).tobytes()).hexdigest()[:16]

    def place(self, z: NDArray[np.float64]) -> NDArray[np.int64]:
        """Bin of each input (n, inputs); −1 where it is missing."""
        inner = self.edges[:, 1:-1]
        out = (inner[None] <= z[:, :, None]).sum(axis=2)
        return np.where(np.isfinite(z), out, -1).astype(np.int64)

    def named(self, inputs: Sequence[str], counts: NDArray[np.int64]) -> dict[str, tuple[int, ...]]:
        """Counts (inputs, bins) as a profile keeps them."""
        return {n: tuple(int(c) for c in row) for n, row in zip(inputs, counts, strict=True) if row.any()}

    def count(self, z: NDArray[np.float64], milliseconds: int) -> NDArray[np.int64]:
        """Milliseconds in each bin (inputs, bins) of windows (n, inputs) that count as so many each."""
        place = self.place(z)
        out: NDArray[np.int64] = (place[:, :, None] == np.arange(self.bins)).sum(axis=0) * np.int64(milliseconds)
        return out

    def __call__(self, z: NDArray[np.float64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores (n, inputs) of normalised inputs against seconds seen (n, inputs, bins)."""
        low, wide = self.edges[:, :-1], np.diff(self.edges, axis=1)
        missing = np.isnan(z)
        # In place: rows times inputs times bins are large enough for each further array to cost as much as its sum.
        share = np.where(missing, 0.0, z)[:, :, None] - low
        share /= wide
        np.clip(share, 0.0, 1.0, out=share)
        share *= seen + self.kappa * self.population
        below = share.sum(axis=2) + self.floor
        total = seen.sum(axis=2) + (self.kappa + 2.0 * self.floor)
        score = np.log(below / (total - below)) * SCORE
        out: NDArray[np.float64] = np.where(missing, np.nan, np.round(score * GRID) / GRID + 0.0)
        return out


def histories(
    adaptive: Adaptive, z: NDArray[np.float64], counted: NDArray[np.bool_], mass: float, start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What had been seen before each window of a timeline, in seconds (n, inputs, bins).

    Parameters
    ----------
    adaptive : Adaptive
        Bins.
    z : ndarray, shape (n, inputs)
        Normalised inputs, in order.
    counted : ndarray of bool, shape (n,)
        Windows that count.
    mass : float
        Seconds that each counts as.
    start : ndarray, shape (inputs, bins)
        What had been seen before the first.
    """
    place = adaptive.place(z)
    hit = (place[:, :, None] == np.arange(adaptive.bins)) & counted[:, None, None]
    before = np.zeros((len(z), *start.shape))
    # Row by row: numpy's own running sum along the first axis takes ten times as long.
    for i in range(1, len(z)):
        np.add(before[i - 1], hit[i - 1], out=before[i])
    before *= mass
    before += start
    return before
