"""Features → model inputs: logarithms, differences, and the distance from the person's own rest.

Rules
-----
- A value that is not finite is missing. Beyond 1e30 counts as not finite: it is no measurement.
- log features are log(max(x, 0) + offset) in the feature's own unit.
- Rest is known as the mean of each *feature* over `seconds` of rest. It enters the same transforms as a value:
  the input's baseline is T(mean rest), shrunk to the population: (s·T(rest) + κ·population)/(s + κ). κ is in
  seconds, so that the hop at which rest was measured does not change its meaning; s = 0 is "nobody known".
- z = (T(x) − baseline) / spread, clipped. The spread² is the variance within a person, plus what is not known about
  the person's rest: (between · κ / (s + κ))². So nobody known gives a plain standing among people, and a person
  whose rest is known is compared with that person.
- z is rounded to a grid of 2⁻²⁰. All else is in double, element by element, where runtimes agree but for the last
  bit of a logarithm; next to a tree's threshold at 0 that bit would decide. On the grid it does not, and every
  grid point is an exact float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CLIP", "GRID", "LARGEST", "Normaliser"]

LARGEST = 1e30
CLIP = 8.0
"""Standard deviations: further out is as far out as can be (an artefact must not outvote every other input)."""
GRID = 2.0**20
"""Steps per standard deviation: CLIP · GRID = 2²³ has room in the 24 bits of a float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Normaliser:
    """How features become inputs.

    Attributes
    ----------
    offset : ndarray, shape (features,)
        Offset of the logarithm; NaN where the feature is taken as it is.
    left, right : ndarray of int64, shape (inputs,)
        Input = T(left), or T(left) − T(right) where right ≥ 0.
    population, within, between : ndarray, shape (inputs,)
        Mean of people's rest; standard deviation within a person, and of people's rest.
    kappa : float
        Seconds of rest that the population counts as.
    """

    offset: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    population: NDArray[np.float64]
    within: NDArray[np.float64]
    between: NDArray[np.float64]
    kappa: float

    def transform(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inputs before normalisation (n, inputs) of features (n, features)."""
        logged = ~np.isnan(self.offset)
        finite = np.where(np.abs(x) < LARGEST, x, np.nan)
        safe = np.where(logged, np.maximum(finite, 0.0) + np.where(logged, self.offset, 1.0), 1.0)
        with np.errstate(divide="ignore"):
            moved = np.where(logged, np.log(safe), finite)
        # log(0) of an offset of 0 is no measurement either.
        moved = np.where(np.abs(moved) < LARGEST, moved, np.nan)
        single = self.right < 0
        return moved[:, self.left] - np.where(single, 0.0, moved[:, np.where(single, self.left, self.right)])

    def seconds(self, rest_seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Seconds of rest behind each input: of its scarcer feature."""
        right = np.where(self.right < 0, self.left, self.right)
        return np.minimum(rest_seconds[:, self.left], rest_seconds[:, right])

    def standard(
        self, rest_mean: NDArray[np.float64], rest_seconds: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What each input is compared with, and the spread it is measured in, both (n, inputs)."""
        rest = self.transform(rest_mean)
        known = np.isfinite(rest)
        s = np.where(known, np.maximum(self.seconds(rest_seconds), 0.0), 0.0)
        total = s + self.kappa
        baseline = (s * np.where(known, rest, 0.0) + self.kappa * self.population) / total
        unsure = self.between * self.kappa / total
        return baseline, np.sqrt(self.within * self.within + unsure * unsure)

    def __call__(
        self, x: NDArray[np.float64], rest_mean: NDArray[np.float64], rest_seconds: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Normalised inputs (n, inputs); NaN where missing."""
        baseline, spread = self.standard(rest_mean, rest_seconds)
        z = np.clip((self.transform(x) - baseline) / spread, -CLIP, CLIP)
        # Adding 0 makes −0 a 0.
        out: NDArray[np.float64] = np.round(z * GRID) / GRID + 0.0
        return out
