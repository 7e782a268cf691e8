"""Any rate to 16 kHz, block by block: the same bits however a stream was cut.

A block is whole periods of the ratio, so that every block begins on a sample of both rates; its context is longer than
half of the filter. Below 8 kHz there is no speech to analyse (a telephone has 8 kHz).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.signal import firwin, resample_poly

from feltsense.dsp.blocks import Tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["LEAST_RATE", "MOST_RATE", "Resampler"]

LEAST_RATE: Final = Fraction(8000)
MOST_RATE: Final = Fraction(384_000)
"""The fastest that sound cards offer; more is not sound."""
_FINEST = 20_000
"""Largest denominator of the ratio: off by less than 10⁻⁸."""
_HALF = 10
"""Samples of the slower rate in half a filter: flat to 90 % of the band, 60 dB beyond it."""
_BLOCK_S = 0.25


class Resampler:
    """Resamples one run.

    Parameters
    ----------
    rate : Fraction
        Hz that comes in, LEAST_RATE to MOST_RATE.
    target : int
        Hz that goes out.

    Raises
    ------
    ValueError
        If the rate is outside.
    """

    def __init__(self, rate: Fraction, target: int) -> None:
        if not LEAST_RATE <= rate <= MOST_RATE:
            msg = f"a voice needs {int(LEAST_RATE)} to {int(MOST_RATE)} samples a second, got {float(rate):g}"
            raise ValueError(msg)
        ratio = (target / rate).limit_denominator(_FINEST)
        self._up, self._down = ratio.numerator, ratio.denominator
        self._same = self._up == self._down
        most = max(self._up, self._down)
        self._taps = None if self._same else firwin(2 * _HALF * most + 1, 1.0 / most, window=("kaiser", 5.0))
        # In samples that come in: whole periods of the ratio.
        self._context = self._down * -(-_HALF * most // (self._up * self._down))
        self._block = self._down * max(1, round(_BLOCK_S * float(rate) / self._down))
        self._input = Tail()
        self._done = 0

    def push(self, x: Array) -> list[Array]:
        """Take the next samples; give what became complete."""
        if self._same:
            return [x] if len(x) else []
        self._input.append(x)
        out = []
        while self._input.stop >= self._done + self._block + self._context:
            out.append(self._convert(self._done + self._block))
            self._input.drop(self._done - self._context)
        return out

    def flush(self) -> list[Array]:
        """End the run; give the rest."""
        out = []
        while self._done < self._input.stop:
            out.append(self._convert(min(self._done + self._block, self._input.stop)))
        return out

    def wipe(self) -> None:
        """Overwrite what is held."""
        self._input.rows.fill(0.0)

    def _convert(self, stop: int) -> Array:
        first = max(self._done - self._context, 0)
        span = self._input.between(first, self._done + self._block + self._context)
        y = resample_poly(span, self._up, self._down, window=self._taps)
        a = (self._done - first) * self._up // self._down
        out: Array = y[a : a + -(-(stop - self._done) * self._up // self._down)]
        self._done = stop
        return out
