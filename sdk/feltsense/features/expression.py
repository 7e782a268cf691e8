"""Expression: what a face's blendshapes say of a window (muscles, smiles, lids, short expressions).

Contract: :mod:`feltsense.core.extractor`; rows: :mod:`feltsense.core.blendshapes`. Coefficients come from a phone, a browser
or a camera's own software; no picture is needed. A shape that its maker does not deliver is missing (``not_supported``)
in every feature made of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.blendshapes import MUSCLES, PAIRED
from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.dsp.expressions import END, ExpressionFinder
from feltsense.features._face_mesh import LID_SPECS, LONGEST_STEP_S, lids
from feltsense.features._frames import FrameTail
from feltsense.features._gate import collect
from feltsense.features._one_stream import Kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.window import Window
    from feltsense.features._frames import Frames

    Array = NDArray[np.float64]

__all__ = ["EXTRACTOR", "Expression"]

_ARKIT = "Apple, ARFaceAnchor.BlendShapeLocation"
_EKMAN = "Ekman, Davidson & Friesen 1990, JPSP 58:342"
_OWN = "this library"
_LEVEL_S, _RATE_S = 1.0, 10.0
RATE_TOLERANCE: Final = 0.1
"""Frames that are a tenth fewer than the camera aims at are no gap."""
_SPECS = (
    *(
        FeatureSpec(f"{name}_{what}", "1", f"{long} of the coefficient (of two sides, their mean)", _ARKIT, _LEVEL_S)
        for name in MUSCLES
        for what, long in (("mean", "Mean"), ("sd", "Standard deviation"))
    ),
    FeatureSpec("smile_eyes", "1", "Mean of the lesser of smile and raised cheeks", _EKMAN, _LEVEL_S),
    FeatureSpec("asymmetry", "1", "Mean difference between the sides of paired muscles", _OWN, _LEVEL_S),
    FeatureSpec("activity", "1/s", "Mean absolute change of all coefficients a second", _OWN, _LEVEL_S),
    *LID_SPECS,
    FeatureSpec(
        "short_rate", "1/min", "Short expressions (0.04–4 s, of any muscle) that end in the window", _OWN, _RATE_S
    ),
    FeatureSpec("present_frac", "1", "Share of the frames with a face", _OWN, _LEVEL_S),
)  # fmt: skip


class Expression(Kept[FrameTail]):
    """Features of one stream of blendshapes."""

    requires: ClassVar[str] = "blendshapes"
    specs: ClassVar[tuple[FeatureSpec, ...]] = _SPECS

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        info = streams[self.requires]
        super().__init__(FrameTail(info.spec.width))
        self._rate = info.spec.hz
        self._finder = ExpressionFinder()
        self._ends: list[int] = []

    def push(self, chunk: Chunk) -> None:
        """Take the next rows."""
        super().push(chunk)
        self._ends += [e.t_ns for e in self._finder.push(chunk) if e.text.endswith(END)]

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        super().forget(before_ns)
        self._ends = [t for t in self._ends if t >= before_ns]

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        frames = self._tail.within(window)
        if not len(frames):
            return Extracted.nothing(len(self.specs), Reason.NO_SIGNAL)
        seen = np.asarray(np.isfinite(frames.rows).any(axis=1))
        quality = _quality(seen, window.seconds * self._rate)
        values, reasons = _muscles(frames.rows[seen]), dict[str, Reason]()
        pieces = frames.pieces(seen, LONGEST_STEP_S)
        values["activity"] = _activity(frames, pieces)
        blink = frames.rows[:, MUSCLES["eye_blink"]].mean(axis=1)
        if seen.any() and np.isfinite(blink[seen]).all():
            eyes, why = lids(frames.t_s, blink, pieces)
            values, reasons = values | eyes, reasons | why
        values["present_frac"] = float(seen.mean())
        observed = sum(float(frames.t_s[p][-1] - frames.t_s[p][0]) for p in pieces)
        if observed >= _RATE_S - 2.0 * LONGEST_STEP_S:
            count = sum(window.start_ns <= t < window.stop_ns for t in self._ends)
            values["short_rate"] = 60.0 * count / observed
        elif seen.any():
            reasons["short_rate"] = Reason.TOO_SHORT
        for spec in self.specs:
            there = np.isfinite(values.setdefault(spec.name, float("nan")))
            if window.seconds < spec.min_seconds:
                reasons[spec.name] = Reason.TOO_SHORT
            else:
                reasons.setdefault(spec.name, Reason.OK if there else Reason.NOT_SUPPORTED if seen.any() else quality[1])
        return collect(self.specs, values, reasons, quality)


def _quality(seen: NDArray[np.bool_], expected: float) -> tuple[float, Reason]:
    """Share of the window's frames that are there and have a face."""
    lost = expected - len(seen) if len(seen) < expected * (1.0 - RATE_TOLERANCE) - 1.0 else 0.0
    share = float(seen.sum()) / (len(seen) + lost)
    if share == 1.0:
        return 1.0, Reason.OK
    return share, Reason.GAP if lost > float((~seen).sum()) else Reason.NO_FACE


def _muscles(rows: Array) -> dict[str, float]:
    """Level and spread of each muscle, smile and asymmetry."""
    values: dict[str, float] = {}
    if not len(rows):
        return values
    level = {name: np.ascontiguousarray(rows[:, c]).mean(axis=1) for name, c in MUSCLES.items()}
    for name, y in level.items():
        values[f"{name}_mean"], values[f"{name}_sd"] = float(y.mean()), float(y.std())
    values["smile_eyes"] = float(np.minimum(level["mouth_smile"], level["cheek_squint"]).mean())
    sides = np.array(PAIRED)
    apart = np.abs(rows[:, sides[:, 0]] - rows[:, sides[:, 1]])
    known = np.isfinite(apart).all(axis=0)
    values["asymmetry"] = float(np.ascontiguousarray(apart[:, known]).mean()) if known.any() else float("nan")
    return values


def _activity(frames: Frames, pieces: list[slice]) -> float:
    """Mean absolute change a second of the shapes that are delivered."""
    known = np.isfinite(frames.rows).any(axis=0)
    moved = seconds = 0.0
    for p in pieces:
        rows = np.ascontiguousarray(frames.rows[p][:, known])
        moved += float(np.abs(np.diff(rows, axis=0)).sum())
        seconds += float(frames.t_s[p][-1] - frames.t_s[p][0])
    return moved / (seconds * int(known.sum())) if seconds > 0.0 else float("nan")


EXTRACTOR = Expression
