"""Skin temperature: level, slope, range, spread.

For a wear check and a report. The shipped stress model does not use it: over a session skin warms under the strap,
so its level tells the time as much as the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feltsense.core.timeline import NS
from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.features._gate import collect
from feltsense.features._one_stream import OneStream
from feltsense.quality.skin_temperature import REASONS, verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.core.chunk import StreamInfo
    from feltsense.core.window import Window

__all__ = ["EXTRACTOR", "SkinTemperature"]

RATE_TOLERANCE = 0.03
"""Converters run up to 2 % off their nominal rate; that is no missing sample."""
_LEVEL_S = 10.0
_SPREAD_S = 30.0
_SLOPE_S = 48.0
"""A window of 60 s of which a fifth may be missing: skin changes by some hundredths of a degree a minute."""
_SOURCE = "Vinkers 2013, Stress 16:520"


class SkinTemperature(OneStream):
    """Features of one skin temperature stream."""

    requires: ClassVar[str] = "skin_temperature"
    specs: ClassVar[tuple[FeatureSpec, ...]] = (
        FeatureSpec("mean", "degC", "Mean of the usable samples", _SOURCE, _LEVEL_S),
        FeatureSpec("median", "degC", "Median of the usable samples", _SOURCE, _LEVEL_S),
        FeatureSpec("slope", "degC/min", "Least-squares slope", _SOURCE, _SLOPE_S),
        FeatureSpec("range", "degC", "Largest minus smallest sample", _SOURCE, _SPREAD_S),
        FeatureSpec("sd", "degC", "Standard deviation", _SOURCE, _SPREAD_S),
    )

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        super().__init__(streams)
        self._rate = self._tail.info.spec.hz

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        t_ns, columns = self._tail.between(window.start_ns, window.stop_ns)
        if not len(t_ns):
            return Extracted.nothing(len(self.specs), Reason.NO_SIGNAL)
        found = verdicts(t_ns, columns[:, 0], self._rate)
        quality, worst = self._quality(found, window)
        good = found == 0
        t_ns, x = t_ns[good], columns[good, 0]
        usable_s = len(x) / self._rate * (1.0 + RATE_TOLERANCE)
        reasons = {}
        for spec in self.specs:
            if window.seconds < spec.min_seconds:
                reasons[spec.name] = Reason.TOO_SHORT
            elif usable_s < spec.min_seconds:
                reasons[spec.name] = Reason.TOO_SHORT if worst is Reason.OK else worst
            else:
                reasons[spec.name] = Reason.OK
        values = _values(t_ns, x) if len(x) else dict.fromkeys(reasons, float("nan"))
        return collect(self.specs, values, reasons, (quality, worst))

    def _quality(self, found: NDArray[np.uint8], window: Window) -> tuple[float, Reason]:
        """Share of the window's samples that are there and usable; and what spoils most of it."""
        expected = window.seconds * self._rate
        counts = np.bincount(found, minlength=len(REASONS)).astype(float)
        if len(found) < expected * (1.0 - RATE_TOLERANCE) - 1.0:
            counts[REASONS.index(Reason.GAP)] += expected - len(found)
        share = float(counts[0] / counts.sum())
        return (1.0, Reason.OK) if share == 1.0 else (share, REASONS[1 + int(np.argmax(counts[1:]))])


def _values(t_ns: NDArray[np.int64], x: NDArray[np.float64]) -> dict[str, float]:
    minutes = (t_ns - t_ns[0]) / (60 * NS)
    minutes -= minutes.mean()
    spread = float(minutes @ minutes)
    level = float(x.mean())
    return {
        "mean": level,
        "median": float(np.median(x)),
        "slope": float(minutes @ (x - level)) / spread if spread > 0.0 else float("nan"),
        "range": float(np.ptp(x)),
        "sd": float(x.std()),
    }


EXTRACTOR = SkinTemperature
