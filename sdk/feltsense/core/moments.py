"""Count, sum and sum of squares that add and subtract exactly.

A person's baseline must be mergeable (two phones, two sessions) and revertible (a window that turns out not to
have been rest). Floating-point sums are neither: they depend on the order. So values are put on a fixed grid of
2⁻³² and summed as integers, which are exact in Python; mean and variance come out as correctly rounded
quotients, with none of the cancellation of the sum-of-squares formula in floating point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Moments"]

_GRID_BITS = 32
_GRID = 1 << _GRID_BITS


@dataclass(frozen=True, slots=True)
class Moments:
    """Exact running count, mean and squared deviation of one feature.

    Attributes
    ----------
    n : int
        Number of values.
    total, squares : int
        Sum of values and of squared values on the grid of 2⁻³².
    """

    n: int = 0
    total: int = 0
    squares: int = 0

    def update(self, value: float) -> Moments:
        """With one more value; a NaN changes nothing."""
        return self._moved(value, 1)

    def revert(self, value: float) -> Moments:
        """Without a value that was put in before: exactly undoes :meth:`update`."""
        return self._moved(value, -1)

    def merge(self, other: Moments) -> Moments:
        """Both together; associative and commutative, exactly."""
        return Moments(self.n + other.n, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        """Mean; NaN when empty."""
        return float(Fraction(self.total, self.n * _GRID)) if self.n else math.nan

    @property
    def m2(self) -> float:
        """Sum of squared deviations from the mean; 0 when empty."""
        if not self.n:
            return 0.0
        return float(Fraction(self.squares * self.n - self.total * self.total, self.n * _GRID * _GRID))

    @property
    def sd(self) -> float:
        """Standard deviation (n − 1); NaN below two values."""
        return math.sqrt(self.m2 / (self.n - 1)) if self.n > 1 else math.nan

    def _moved(self, value: float, sign: int) -> Moments:
        if not math.isfinite(value):
            return self
        x = round(value * _GRID)
        return Moments(self.n + sign, self.total + sign * x, self.squares + sign * x * x)
