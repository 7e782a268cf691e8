"""Motion: how much, how often, and whether the posture changed.

It explains bad signals and belongs into a report. The shipped stress model does not use it: people gesture when
they speak, and a protocol that makes them speak under stress would teach it that talking is stress.

Everything is computed from seconds on the run's own grid; a window takes the seconds that lie wholly in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.dsp.cells import Cells
from feltsense.dsp.runs import RunSplitter
from feltsense.features._gate import collect
from feltsense.quality.motion import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.window import Window

    Array = NDArray[np.float64]

__all__ = ["EXTRACTOR", "LEAST_RATE", "STILL_G", "Motion"]

LEAST_RATE = 8.0
"""Hz; gestures reach 3–4 Hz."""
STILL_G = 0.02
"""Standard deviation of the magnitude within a second: a resting wrist stays below it, a gesture is at 0.1."""
RATE_TOLERANCE = 0.03
"""Converters run up to 2 % off their nominal rate; that is no missing second."""

_LEVEL_S = 5.0
_SPREAD_S = 10.0
_HEES = "van Hees 2013, PLoS ONE 8:e61691"
_HILDEBRAND = "Hildebrand 2014, Med Sci Sports Exerc 46:1816; 2017, Scand J Med Sci Sports 27:1814"
_CLASSES_G = (0.0448, 0.1006, 0.4288)
"""ENMO from which a wrist's activity is light, moderate and vigorous."""
_OWN = "this library"
_NEVER = -(2**62)

# What a second is summarised to.
_MEAN, _VAR, _ENMO, _MOVED, _X = range(5)
_WIDTH = 7


class Motion:
    """Features of one acceleration stream."""

    requires: ClassVar[str] = "acc"
    uses: ClassVar[tuple[str, ...]] = ()
    specs: ClassVar[tuple[FeatureSpec, ...]] = (
        FeatureSpec("enmo_mean", "g", "Mean of max(magnitude − 1 g, 0)", _HEES, _LEVEL_S),
        FeatureSpec("magnitude_sd", "g", "Standard deviation of the magnitude over all usable seconds", _OWN, _LEVEL_S),
        FeatureSpec(
            "still_share", "1", "Share of seconds whose magnitude has a standard deviation below 0.02 g", _OWN, _LEVEL_S
        ),
        FeatureSpec(
            "activity_p90", "g", "90th percentile over seconds of the magnitude's standard deviation", _OWN, _SPREAD_S
        ),
        FeatureSpec(
            "posture_change",
            "deg",
            "Mean angle between each second's mean acceleration and that of the whole window",
            _OWN,
            _SPREAD_S,
        ),
        FeatureSpec(
            "activity_class",
            "1",
            "0 inactive, 1 light, 2 moderate, 3 vigorous: ENMO against 45, 101 and 429 mg (adults, wrist)",
            _HILDEBRAND,
            _LEVEL_S,
        ),
        FeatureSpec("coverage", "1", "Share of the window's seconds with a usable signal", _OWN),
    )

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        rate = streams[self.requires].spec.hz
        self._size = round(rate)
        self._second = self._size / rate if rate >= LEAST_RATE else 0.0
        self._cells = Cells(_second, max(2, self._size), max(2, self._size), _WIDTH, columns=3)
        self._split = RunSplitter()
        self._run = -1
        self._final_ns = _NEVER
        self._seen = False

    def push(self, chunk: Chunk) -> None:
        """Take the next samples."""
        for piece in self._split.push(chunk):
            if piece.run != self._run:
                self._run = piece.run
                self._cells.begin()
            self._cells.push(piece.values, piece.t_ns)
        if len(chunk):
            self._final_ns = chunk.stop_ns

    def close(self, stream_id: str) -> None:
        """End the segment; an unfinished second is lost."""
        self._split.close()

    def final_ns(self, stream_id: str) -> int:
        """All that came is final: a second is complete with its last sample."""
        return self._final_ns

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        self._cells.forget(before_ns)

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        if not self._second:
            return Extracted.nothing(len(self.specs), Reason.NOT_SUPPORTED)
        cells = self._cells.within(window.start_ns, window.stop_ns)
        if not len(cells):
            return Extracted.nothing(len(self.specs), Reason.NO_SIGNAL)
        good, worst = judge(cells[:, _MEAN], cells[:, _MOVED] > 0.0)
        # The window's ends cut one second in two.
        expected = max(window.seconds / self._second * (1.0 - RATE_TOLERANCE) - 1.0, 1.0)
        if worst is Reason.OK and len(cells) < expected:
            worst = Reason.GAP
        usable = cells[good]
        seconds = len(usable) * self._second
        quality = 1.0 if worst is Reason.OK else min(1.0, seconds / window.seconds)
        reasons = {}
        for spec in self.specs:
            if window.seconds < spec.min_seconds:
                reasons[spec.name] = Reason.TOO_SHORT
            elif seconds + self._second < spec.min_seconds or not len(usable):
                reasons[spec.name] = Reason.TOO_SHORT if worst is Reason.OK else worst
            else:
                reasons[spec.name] = Reason.OK
        values = _values(usable) if len(usable) else dict.fromkeys(reasons, float("nan"))
        return collect(self.specs, values | {"coverage": quality}, reasons, (quality, worst))


def _second(xyz: Array) -> Array:
    """Summary of one second: magnitude's mean, variance and excess over gravity, whether it moved, mean of each axis."""
    magnitude = np.sqrt(np.square(xyz).sum(axis=1))
    moved = float(np.ptp(xyz, axis=0).any())
    enmo = float(np.maximum(magnitude - 1.0, 0.0).mean())
    return np.array([magnitude.mean(), magnitude.var(), enmo, moved, *xyz.mean(axis=0)])


def _values(cells: Array) -> dict[str, float]:
    mean, var = np.ascontiguousarray(cells[:, _MEAN]), np.ascontiguousarray(cells[:, _VAR])
    spread = np.sqrt(var)
    direction = cells[:, _X:]
    lengths = np.sqrt(np.square(direction).sum(axis=1))
    middle = direction.mean(axis=0)
    length = float(np.sqrt(np.square(middle).sum()))
    scale = lengths * length
    aligned = (direction * middle).sum(axis=1)
    # A second that was nothing but shaking has no direction; neither has a window that turned a full circle.
    cosine = np.clip(np.divide(aligned, scale, out=np.ones_like(scale), where=scale > 0.0), -1.0, 1.0)
    enmo = float(np.ascontiguousarray(cells[:, _ENMO]).mean())
    return {
        "enmo_mean": enmo,
        "activity_class": float(np.searchsorted(_CLASSES_G, enmo, side="right")),
        "magnitude_sd": float(np.sqrt(var.mean() + mean.var())),
        "still_share": float((spread < STILL_G).mean()),
        "activity_p90": float(np.percentile(spread, 90)),
        "posture_change": float(np.degrees(np.arccos(cosine)).mean()),
    }


EXTRACTOR = Motion
