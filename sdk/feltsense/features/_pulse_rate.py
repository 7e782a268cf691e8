"""Heart rates of a window of pulse beats: from intervals, and from the wave's spectrum without any beats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.timeline import NS
from feltsense.dsp.intervals import quantile
from feltsense.dsp.peaks import parabola

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.features._beats import Beats

__all__ = ["Band", "power", "rates", "spectral_rate"]

_BAND_HZ = (0.75, 3.0)
"""45–180 bpm."""
_RESOLUTION_HZ = 1.0 / 64.0
"""Spacing of the padded spectrum: 1 bpm; a parabola refines it."""
_WEIGHT_POWER = 4.0
"""A beat that looks half as much like its neighbours counts a sixteenth."""
_LEAST_SPAN_S = 10.0
"""A slope over a shorter time is respiration."""
_LEAST_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Band:
    """Bins of a padded spectrum that can be a heart rate."""

    points: int
    """Length of the padded transform."""
    first: int
    width: int
    hz: float
    """Spacing of the bins."""

    @classmethod
    def at(cls, rate: float, size: int) -> Band:
        """For stretches of `size` samples at `rate` Hz."""
        points = 1 << int(np.ceil(np.log2(max(rate / _RESOLUTION_HZ, size))))
        hz = rate / points
        first = int(np.ceil(_BAND_HZ[0] / hz))
        return cls(points, first, int(np.floor(_BAND_HZ[1] / hz)) - first + 1, hz)


def power(x: NDArray[np.float64], band: Band) -> NDArray[np.float64]:
    """Hann periodogram of a stretch in the band, arbitrary unit, shape (band.width,)."""
    spectrum = np.fft.rfft((x - x.mean()) * np.hanning(len(x)), band.points)[band.first : band.first + band.width]
    return spectrum.real**2 + spectrum.imag**2


def spectral_rate(spectra: NDArray[np.float64], band: Band) -> float:
    """Strongest rate in the mean of spectra, bpm; NaN without any, or without power."""
    if not len(spectra):
        return float("nan")
    mean = spectra.mean(axis=0)
    k = int(np.argmax(mean))
    if not mean[k] > 0.0:
        return float("nan")
    inner = 0 < k < len(mean) - 1
    offset = parabola(float(mean[k - 1]), float(mean[k]), float(mean[k + 1])) if inner else 0.0
    return 60.0 * band.hz * (band.first + k + offset)


def rates(beats: Beats) -> dict[str, float]:
    """Rates from the valid intervals of a window; NaN where there are hardly any."""
    x = beats.interval_ms[beats.valid]
    names = ("hr", "hr_weighted", "hr_p5", "hr_p95", "hr_slope", "prv_mean_pp", "prv_iqr")
    if len(x) < _LEAST_INTERVALS:
        return dict.fromkeys(names, float("nan"))
    order = np.argsort(x, kind="stable")
    p5, q25, median, q75, p95 = (quantile(x[order], q) for q in (0.05, 0.25, 0.5, 0.75, 0.95))
    weight = np.cumsum(beats.pair[beats.valid][order] ** _WEIGHT_POWER)
    weighted = float(x[order][int(np.searchsorted(weight, weight[-1] / 2.0))])
    t = (beats.t_ns[beats.valid] - beats.t_ns[0]) / NS
    t = t - t.mean()
    slope = -float((t * (x - x.mean())).sum() / (t * t).sum()) if t[-1] - t[0] > _LEAST_SPAN_S else float("nan")
    numbers = (60e3 / median, 60e3 / weighted, 60e3 / p95, 60e3 / p5, slope, float(x.mean()), q75 - q25)
    return dict(zip(names, numbers, strict=True))
