"""Heart rate from the skin's colour in a window of camera rows; nothing where it is not sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from feltsense.core.face_row import REGIONS, SKIN
from feltsense.core.vector import Reason
from feltsense.dsp import rppg
from feltsense.dsp.rate_peak import mean_rate, spectrum
from feltsense.quality.rppg import Evidence, judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from feltsense.features._frames import Frames

    Array = NDArray[np.float64]

__all__ = ["LEAST_S", "PulseRate", "pulse_rate"]

LEAST_S = 8.0
"""Shortest piece of frames in which a rate is looked for: six beats of a slow heart."""
LONGEST_STEP_S = 0.25
"""Longest step between frames that a spline may cross: half a beat of a fast heart."""
LEAST_HZ = 8.0
"""Slower cameras show the harmonics of a fast heart at wrong places."""
_LEAST_SHARE = 0.15
"""Share of a cell that must be skin for the cell to count."""
_DARKEST = 8.0
"""Mean grey level of a colour below which its steps are larger than the pulse."""


class PulseRate(NamedTuple):
    """What skin says of the heart.

    Attributes
    ----------
    bpm : float
        Mean heart rate; NaN where `reason` says why.
    snr_db : float
        Power about the rate and its double over the rest of the band, in the combined wave.
    agree_bpm : float
        Difference between POS and CHROM.
    reason : Reason
        ``ok`` when the rate is given.
    """

    bpm: float
    snr_db: float
    agree_bpm: float
    reason: Reason


def _none(reason: Reason) -> PulseRate:
    return PulseRate(float("nan"), float("nan"), float("nan"), reason)


def pulse_rate(frames: Frames, rate: float) -> PulseRate:
    """Heart rate of a window.

    Parameters
    ----------
    frames : Frames
        Rows of the window.
    rate : float
        Pace of the camera, Hz.
    """
    if rate < LEAST_HZ:
        return _none(Reason.NOT_SUPPORTED)
    skin = frames.columns(SKIN[0], SKIN[-1]).reshape(len(frames), 4, REGIONS)
    share = skin[:, 3]
    seen = np.isfinite(share).all(axis=1)
    cells = np.flatnonzero(np.median(share[seen], axis=0) > _LEAST_SHARE) if seen.any() else np.empty(0, np.int64)
    if not len(cells):
        return _none(Reason.NO_SIGNAL)
    colour = np.ascontiguousarray(skin[:, :3, cells].transpose(0, 2, 1))
    good = np.asarray((np.isfinite(colour) & (colour > 0.0)).all(axis=(1, 2)))
    pieces = [p for p in frames.pieces(good, max(LONGEST_STEP_S, 3.0 / rate)) if _span(frames, p) >= LEAST_S]
    if not pieces:
        return _none(Reason.TOO_SHORT)
    if min(float(np.median(colour[p, :, k])) for p in pieces for k in range(3)) < _DARKEST:
        return _none(Reason.DARK)
    regions = [_regular(frames.t_s[p], colour[p], rate) for p in pieces]
    weight = [np.ascontiguousarray(share[p][:, cells]).mean(axis=0) for p in pieces]
    return _rate(regions, weight, rate)


def _span(frames: Frames, piece: slice) -> float:
    return float(frames.t_s[piece][-1] - frames.t_s[piece][0])


def _regular(t_s: Array, colour: Array, rate: float) -> Array:
    flat = rppg.regular(t_s, colour.reshape(len(t_s), -1), rate)
    return flat.reshape(len(flat), -1, 3)


def _rate(regions: list[Array], weight: list[Array], rate: float) -> PulseRate:
    """Rate of pieces of regular colours, shape (n, cells, 3) each."""

    def waves(method: Callable[[Array], Array]) -> list[Array]:
        return [rppg.combined(np.stack([method(x[:, k]) for k in range(x.shape[1])], axis=1)) for x in regions]

    def whole(method: Callable[[Array], Array]) -> list[Array]:
        return [method((x * w[None, :, None]).sum(axis=1) / w.sum()) for x, w in zip(regions, weight, strict=True)]

    plane = waves(lambda x: rppg.pos(x, rate))
    chrominance = whole(lambda x: rppg.chrom(x, rate))
    seconds = sum(len(x) for x in regions) / rate
    one, other = spectrum(plane, rate), spectrum(chrominance, rate)
    hz, second = one.peak(), other.peak()
    evidence = Evidence(seconds, one.snr_db(hz), abs(hz - second) * 60.0)
    reason = judge(evidence)
    bpm = mean_rate(plane, rate, hz, one.half_hz) * 60.0 if reason is Reason.OK else float("nan")
    return PulseRate(bpm, evidence.snr_db, evidence.agree_bpm, reason)
