"""Face: what a camera's rows say of a window (heart rate from the skin, appearance, motion).

Contract: :mod:`feltsense.core.extractor`; rows: :mod:`feltsense.core.face_row`. A window looks at its own rows only.

- Measures of a mesh are missing (``not_supported``) where rows have no landmarks.
- Heart rate is that of the skin's colour, and given only where it stands out (:mod:`feltsense.quality.rppg`). It is a
  mean rate: no beats, no variability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.features._face_look import LOOK_SPECS, look
from feltsense.features._face_mesh import MESH_SPECS, mesh
from feltsense.features._face_pulse import LEAST_S, pulse_rate
from feltsense.features._frames import FrameTail
from feltsense.features._gate import collect
from feltsense.features._one_stream import Kept
from feltsense.quality.face import REASONS, verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.core.chunk import StreamInfo
    from feltsense.core.window import Window
    from feltsense.features._frames import Frames

__all__ = ["EXTRACTOR", "Face"]

_OWN = "this library"
_WANG = "Wang 2017, IEEE TBME 64:1479 (POS); de Haan 2013, IEEE TBME 60:2878 (CHROM, SNR)"
_LEVEL_S = 1.0
RATE_TOLERANCE = 0.1
"""A camera in dim light exposes longer than it says; frames that are a tenth fewer are no gap."""

_PRESENCE = (
    FeatureSpec("present_frac", "1", "Share of the frames with a face (or skin, where none was looked for)", _OWN, _LEVEL_S),
    FeatureSpec("width_px", "px", "Median width of the face's box", _OWN, _LEVEL_S),
    FeatureSpec("fps", "Hz", "Frames per second that came", _OWN, _LEVEL_S),
    FeatureSpec("sharpness", "1", "Median of the face's Laplacian variance / variance, 64 × 64 cells", _OWN, _LEVEL_S),
)
_PULSE = (
    FeatureSpec("rppg_hr", "bpm", "Mean heart rate of the skin's colour: POS of 9 cells combined, gated", _WANG, LEAST_S),
    FeatureSpec("rppg_snr", "dB", "Power at the rate and its double (± 0.1 Hz) / rest of 0.7–3.5 Hz", _WANG, LEAST_S),
    FeatureSpec("rppg_agree", "bpm", "Difference between the rates by POS and by CHROM", _WANG, LEAST_S),
)


class Face(Kept[FrameTail]):
    """Features of one camera's rows."""

    requires: ClassVar[str] = "face"
    specs: ClassVar[tuple[FeatureSpec, ...]] = (*_PRESENCE, *_PULSE, *LOOK_SPECS, *MESH_SPECS)

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        info = streams[self.requires]
        super().__init__(FrameTail(info.spec.width))
        self._rate = info.spec.hz

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        frames = self._tail.within(window)
        if not len(frames):
            return Extracted.nothing(len(self.specs), Reason.NO_SIGNAL)
        found = verdicts(frames.rows)
        quality = _quality(found, window.seconds * self._rate)
        values, reasons = _presence(frames, found, quality[1], window.seconds)
        pulse = pulse_rate(frames, self._rate)
        # Too few frames in one piece have a deeper reason, where the picture has one.
        shallow = pulse.reason in (Reason.TOO_SHORT, Reason.NO_SIGNAL) and quality[1] is not Reason.OK
        why = quality[1] if shallow else pulse.reason
        values |= {"rppg_hr": pulse.bpm, "rppg_snr": pulse.snr_db, "rppg_agree": pulse.agree_bpm}
        reasons |= {"rppg_hr": why}
        reasons |= {n: Reason.OK if np.isfinite(values[n]) else why for n in ("rppg_snr", "rppg_agree")}
        seen = look(frames, found == 0)
        values |= seen
        reasons |= {n: _why(v, quality[1]) for n, v in seen.items()}
        measured, why_not = mesh(frames)
        values |= measured
        reasons |= {n: why_not.get(n) or _why(v, quality[1]) for n, v in measured.items()}
        for spec in self.specs:
            if window.seconds < spec.min_seconds:
                reasons[spec.name] = Reason.TOO_SHORT
        return collect(self.specs, values, reasons, quality)


def _quality(found: NDArray[np.int64], expected: float) -> tuple[float, Reason]:
    """Share of the window's frames that are there and usable; and what spoils most of it."""
    counts = np.bincount(found, minlength=len(REASONS)).astype(float)
    if len(found) < expected * (1.0 - RATE_TOLERANCE) - 1.0:
        counts[REASONS.index(Reason.GAP)] += expected - len(found)
    share = float(counts[0] / counts.sum())
    return (1.0, Reason.OK) if share == 1.0 else (share, REASONS[1 + int(np.argmax(counts[1:]))])


def _presence(
    frames: Frames, found: NDArray[np.int64], worst: Reason, seconds: float
) -> tuple[dict[str, float], dict[str, Reason]]:
    present = ~np.isin(found, [REASONS.index(r) for r in (Reason.NO_FACE, Reason.COVERED, Reason.DARK, Reason.GAP)])
    values = {"present_frac": float(present.mean()), "fps": len(frames) / seconds}
    for name, column in (("width_px", "width"), ("sharpness", "sharpness")):
        x = frames.column(column)
        x = x[np.isfinite(x)]
        values[name] = float(np.median(x)) if len(x) else float("nan")
    return values, {name: _why(v, worst) for name, v in values.items()}


def _why(value: float, worst: Reason) -> Reason:
    """Why a value is missing: what is wrong with the picture, else that the rows do not have it."""
    if np.isfinite(value):
        return Reason.OK
    return Reason.NOT_SUPPORTED if worst is Reason.OK else worst


EXTRACTOR = Face
