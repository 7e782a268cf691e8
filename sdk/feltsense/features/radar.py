"""Radar: how far the nearest person is, how they move, how many there are; also from a camera's targets.

Contract: :mod:`feltsense.core.extractor`; rows and :class:`~feltsense.core.target.Target`: :mod:`feltsense.core.target`. A
window looks at its own frames only. Speeds are along the line of sight, negative towards the sensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feltsense.core.target import polar
from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.features._gate import collect
from feltsense.features._one_stream import OneStream
from feltsense.quality.radar import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.core.chunk import StreamInfo
    from feltsense.core.window import Window

__all__ = ["EXTRACTOR", "Radar"]

_OWN = "this library"
_LEVEL_S, _SPREAD_S = 1.0, 5.0
STILL_MPS = 0.1
"""Slower is breathing and swaying (the sensor's step is 0.01 m/s, its noise some hundredths)."""


class Radar(OneStream):
    """Features of one stream of targets."""

    requires: ClassVar[str] = "radar_targets"
    specs: ClassVar[tuple[FeatureSpec, ...]] = (
        FeatureSpec("present_frac", "1", "Share of frames with a target", _OWN, _LEVEL_S),
        FeatureSpec("n_targets", "1", "Mean number of targets a frame", _OWN, _LEVEL_S),
        FeatureSpec("distance", "m", "Median distance of the nearest target", _OWN, _LEVEL_S),
        FeatureSpec("distance_sd", "m", "Standard deviation of that distance", _OWN, _SPREAD_S),
        FeatureSpec("azimuth", "deg", "Median azimuth of the nearest target, positive to the right", _OWN, _LEVEL_S),
        FeatureSpec("speed", "m/s", "Mean absolute speed of the nearest target", _OWN, _LEVEL_S),
        FeatureSpec("speed_p90", "m/s", "90th percentile of that speed", _OWN, _SPREAD_S),
        FeatureSpec(
            "approach", "1", "Share of frames in which the nearest target comes closer by over 0.1 m/s", _OWN, _LEVEL_S
        ),
        FeatureSpec("moving_frac", "1", "Share of frames in which the nearest target moves by over 0.1 m/s", _OWN, _LEVEL_S),
    )

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        super().__init__(streams)
        self._rate = float(self._tail.info.spec.rate) if self._tail.info.spec.rate is not None else None

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        t_ns, rows = self._tail.between(window.start_ns, window.stop_ns)
        if not len(t_ns):
            return Extracted.nothing(len(self.specs), Reason.NO_SIGNAL)
        found = polar(rows)
        expected = window.seconds * self._rate if self._rate is not None else float(len(rows))
        good, quality, worst = judge(found, expected)
        usable_s = window.seconds * float(good.sum()) / max(expected, float(len(rows)))
        values = _values(found[good]) if good.any() else dict.fromkeys((s.name for s in self.specs), float("nan"))
        reasons = {}
        for spec in self.specs:
            if window.seconds < spec.min_seconds:
                reasons[spec.name] = Reason.TOO_SHORT
            elif usable_s < spec.min_seconds * 0.8:
                reasons[spec.name] = Reason.TOO_SHORT if worst is Reason.OK else worst
            else:
                reasons[spec.name] = Reason.OK
        return collect(self.specs, values, reasons, (quality, worst))


def _values(found: NDArray[np.float64]) -> dict[str, float]:
    """Values of possible frames; those of the nearest target are NaN where nobody is in view."""
    there = np.isfinite(found[:, :, 0])
    present = there.any(axis=1)
    values = {"present_frac": float(present.mean()), "n_targets": float(there.sum(axis=1).mean())}
    nearest = np.argmin(np.where(there, found[:, :, 0], np.inf), axis=1)
    d, v, a = found[np.arange(len(found)), nearest][present].T
    names = ("distance", "distance_sd", "azimuth", "speed", "speed_p90", "approach", "moving_frac")
    v = v[np.isfinite(v)]
    if not len(d) or not len(v):
        return values | dict.fromkeys(names, float("nan"))
    size = np.abs(v)
    numbers = (
        np.median(d),
        d.std(),
        np.median(a),
        size.mean(),
        np.percentile(size, 90),
        (v < -STILL_MPS).mean(),
        (size > STILL_MPS).mean(),
    )
    return values | dict(zip(names, map(float, numbers), strict=True))


EXTRACTOR = Radar
