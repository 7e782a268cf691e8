"""A thermal array before a face: nose minus forehead, its slope, and how much of the nose's tip the pixels see.

Under stress the vessels of the nose narrow and its tip cools, by 1 °C in mental work and several in a speech before an
audience; the forehead stays. Their difference cancels the sensor's drift and the room's. A frame is measured alone
(:mod:`feltsense.features._thermal_face`); a window takes the mean of its frames, since a pixel's noise of 0.1 °C is
0.3 °C of a nose tip in one frame and 0.03 °C in a minute at 2 Hz.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feltsense.core.timeline import NS
from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.dsp.blocks import Tail
from feltsense.features._gate import collect
from feltsense.features._thermal_face import find_face, temperatures
from feltsense.quality.thermal_array import CUT, OK, REASONS, turned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.window import Window

    Array = NDArray[np.float64]

__all__ = ["EXTRACTOR", "ThermalArray"]

RATE_TOLERANCE = 0.03
"""Converters run up to 2 % off their nominal rate; that is no missing frame."""
ROWS = 24
"""Rows of the catalogue's array; its pixels come row by row."""
_LEVEL_S, _SLOPE_S = 10.0, 30.0
_ENGERT = "Engert 2014, PLoS ONE 9:e90782"
_OWN = "this library"
_NEVER = -(2**62)
_NOSE, _FOREHEAD, _WIDTH, _TIP, _VERDICT = range(5)


class ThermalArray:
    """Features of one thermal array that looks at a face."""

    requires: ClassVar[str] = "thermal_array"
    uses: ClassVar[tuple[str, ...]] = ()
    specs: ClassVar[tuple[FeatureSpec, ...]] = (
        FeatureSpec("nose_minus_forehead", "degC", "Mean of nose tip (as in nose) − forehead", _ENGERT, _LEVEL_S),
        FeatureSpec("nose_slope", "degC/min", "Least-squares slope of nose tip − forehead", _ENGERT, _SLOPE_S),
        FeatureSpec("nose", "degC", "Mean temperature of the nose's tip, corrected for coverage", _ENGERT, _LEVEL_S),
        FeatureSpec("forehead", "degC", "Mean over frames of the forehead's median", _ENGERT, _LEVEL_S),
        FeatureSpec("nose_pixels", "1", "Area of the nose's tip (22 mm) in pixels: corrects coverage", _OWN, _LEVEL_S),
        FeatureSpec("face_width", "1", "Median width of the face in pixels", _OWN, _LEVEL_S),
        FeatureSpec("coverage", "1", "Share of the window's frames with a face that can be measured", _OWN),
    )  # fmt: skip

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        self._rate = streams[self.requires].spec.hz
        self._times = Tail(0, np.int64)
        self._rows = Tail(5)
        self._final_ns = _NEVER

    def push(self, chunk: Chunk) -> None:
        """Take the next frames."""
        if not len(chunk):
            return
        self._times.append(chunk.times)
        self._rows.append(np.array([_measure(v.reshape(ROWS, -1)) for v in chunk.values]))
        self._final_ns = chunk.stop_ns

    def close(self, stream_id: str) -> None:
        """End the segment: nothing is carried across anyway."""

    def final_ns(self, stream_id: str) -> int:
        """All that came is final: a frame is measured alone."""
        return self._final_ns

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        n = self._times.start + int(np.searchsorted(self._times.rows, before_ns))
        self._times.drop(n)
        self._rows.drop(n)

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        a, b = (int(i) for i in np.searchsorted(self._times.rows, (window.start_ns, window.stop_ns)))
        t_ns, rows = self._times.rows[a:b], self._rows.rows[a:b]
        if not len(rows):
            return Extracted.nothing(len(self.specs), Reason.NO_SIGNAL)
        verdicts = turned(rows[:, _VERDICT].astype(np.uint8), rows[:, _WIDTH])
        share, worst = self._quality(verdicts, window)
        good = verdicts == OK
        usable_s = float(good.sum()) / self._rate * (1.0 + RATE_TOLERANCE)
        reasons = {}
        for spec in self.specs:
            if window.seconds < spec.min_seconds:
                reasons[spec.name] = Reason.TOO_SHORT
            elif usable_s < spec.min_seconds:
                reasons[spec.name] = Reason.TOO_SHORT if worst is Reason.OK else worst
            else:
                reasons[spec.name] = Reason.OK
        values = _values(t_ns[good], rows[good]) if good.any() else dict.fromkeys(reasons, float("nan"))
        return collect(self.specs, values | {"coverage": share}, reasons, (share, worst))

    def _quality(self, verdicts: NDArray[np.uint8], window: Window) -> tuple[float, Reason]:
        """Share of the window's frames that can be measured; and what spoils most of the others."""
        expected = window.seconds * self._rate
        counts = np.bincount(verdicts, minlength=len(REASONS)).astype(float)
        if len(verdicts) < expected * (1.0 - RATE_TOLERANCE) - 1.0:
            counts[REASONS.index(Reason.GAP)] += expected - len(verdicts)
        share = float(counts[OK] / counts.sum())
        return (1.0, Reason.OK) if share == 1.0 else (share, REASONS[1 + int(np.argmax(counts[1:]))])


def _measure(frame: Array) -> tuple[float, ...]:
    """Nose, forehead, width, area of the tip, and verdict of one frame."""
    nan = float("nan")
    face, verdict = find_face(frame)
    if face is None:
        return nan, nan, nan, nan, float(verdict)
    pair = temperatures(frame, face)
    if pair is None:
        return nan, nan, face.width, face.tip_pixels, float(CUT)
    return *pair, face.width, face.tip_pixels, float(OK)


def _values(t_ns: NDArray[np.int64], rows: Array) -> dict[str, float]:
    nose, forehead, width, tip = (np.ascontiguousarray(rows[:, i]) for i in (_NOSE, _FOREHEAD, _WIDTH, _TIP))
    difference = nose - forehead
    minutes = (t_ns - t_ns[0]) / (60 * NS)
    minutes -= minutes.mean()
    spread = float(minutes @ minutes)
    level = float(difference.mean())
    return {
        "nose_minus_forehead": level,
        "nose_slope": float(minutes @ (difference - level)) / spread if spread > 0.0 else float("nan"),
        "nose": float(nose.mean()),
        "forehead": float(forehead.mean()),
        "nose_pixels": float(np.median(tip)),
        "face_width": float(np.median(width)),
    }


EXTRACTOR = ThermalArray
