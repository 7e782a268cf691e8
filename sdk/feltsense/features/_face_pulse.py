"""Heart rate from the skin's colour in a window of camera rows; nothing where it is not sure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from feltsense.core.face_row import REGIONS, SKIN
from feltsense.core.vector import Reason
from feltsense.dsp import rppg
from feltsense.dsp.rate_peak import Spectrum, decibels, mean_rate, ridge, spectrum
from feltsense.quality.rppg import Evidence, judge

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.features._frames import Frames

    Array = NDArray[np.float64]

__all__ = ["LEAST_S", "PulseRate", "pulse_rate"]

Method = Callable[["Array"], "Array"]
"""Mean colours, shape (n, 3) → pulse wave, shape (n,)."""

LEAST_S = 8.0
"""Shortest piece of frames in which a rate is looked for: six beats of a slow heart."""
LONGEST_STEP_S = 0.25
"""Longest step between frames that a spline may cross: half a beat of a fast heart."""
STRETCH_S, WHOLE_S = 20.0, 25.0
"""Seconds of a stretch in which a rate is taken as one, and from which on a piece is looked at in stretches."""
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
        Power about the rate and its double over the rest of the band, in the mean of all waves' spectra.
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
    # At least one grey level: nothing is divided by black.
    colour = np.maximum(np.ascontiguousarray(skin[:, :3, cells].transpose(0, 2, 1)), 1.0)
    good = np.asarray(np.isfinite(colour).all(axis=(1, 2)))
    pieces = [p for p in frames.pieces(good, max(LONGEST_STEP_S, 3.0 / rate)) if _span(frames, p) >= LEAST_S]
    if not pieces:
        return _none(Reason.TOO_SHORT)
    level = np.array([float(np.median(np.concatenate([colour[p, :, k] for p in pieces]))) for k in range(3)])
    if level.max() < _DARKEST:
        return _none(Reason.DARK)
    regions = [_regular(frames.t_s[p], colour[p], rate) for p in pieces]
    weight = [np.ascontiguousarray(share[p][:, cells]).mean(axis=0) for p in pieces]
    if level.min() >= _DARKEST:
        methods: list[Method] = [partial(rppg.pos, rate=rate), partial(rppg.chrom, rate=rate)]
    else:
        # Skin on the lens, lit from behind: hardly any blue is left, and no motion to be told from the pulse.
        channel = 1 if level[1] >= _DARKEST else 0
        methods = [partial(rppg.single, channel=channel)]
    return _rate(regions, weight, rate, methods)


def _span(frames: Frames, piece: slice) -> float:
    return float(frames.t_s[piece][-1] - frames.t_s[piece][0])


def _regular(t_s: Array, colour: Array, rate: float) -> Array:
    flat = rppg.regular(t_s, colour.reshape(len(t_s), -1), rate)
    return flat.reshape(len(flat), -1, 3)


def _rate(regions: list[Array], weight: list[Array], rate: float, methods: list[Method]) -> PulseRate:
    """Rate of pieces of regular colours, shape (n, cells, 3) each."""
    seconds = sum(len(x) for x in regions) / rate
    stretches = [(k, s) for k, x in enumerate(regions) for s in _stretches(len(x), rate)]
    found: list[list[Spectrum]] = []
    main: list[Array] = []
    for method in methods:
        mixed = [rppg.combined(np.stack([method(x[:, k]) for k in range(x.shape[1])], axis=1)) for x in regions]
        whole = [method((x * w[None, :, None]).sum(axis=1) / w.sum()) for x, w in zip(regions, weight, strict=True)]
        mixed, whole = ([rppg.levelled(x - x.mean(), rate) for x in waves] for waves in (mixed, whole))
        found.append([Spectrum.mean([spectrum(mixed[k][s], rate), spectrum(whole[k][s], rate)]) for k, s in stretches])
        main = main or mixed
    together = [Spectrum.mean(spectra) for spectra in zip(*found, strict=True)]
    course = ridge(together)
    # One method alone agrees with itself: it must stand out more (see the judge).
    apart = [abs(a - b) * 60.0 for a, b in zip(ridge(found[0]), ridge(found[-1]), strict=True)]
    share = float(np.mean([s.share(hz) for s, hz in zip(together, course, strict=True)]))
    evidence = Evidence(seconds, float(np.mean(course)), decibels(share), float(np.median(apart)), len(methods))
    reason = judge(evidence)
    if reason is not Reason.OK:
        return PulseRate(float("nan"), evidence.snr_db, evidence.agree_bpm, reason)
    rates, spans = [], []
    for n, ((k, s), hz, line) in enumerate(zip(stretches, course, together, strict=True)):
        part = _own(stretches, n)
        rates.append(mean_rate(main[k][s], rate, hz, line.half_hz, part))
        spans.append(part.stop - part.start)
    return PulseRate(float(np.average(rates, weights=spans)) * 60.0, evidence.snr_db, evidence.agree_bpm, reason)


def _own(stretches: list[tuple[int, slice]], n: int) -> slice:
    """The part of a stretch that lies nearer to its middle than to those of its neighbours in the same piece."""
    k, s = stretches[n]
    start, stop = 0, s.stop - s.start
    if n and stretches[n - 1][0] == k:
        start = (stretches[n - 1][1].stop - s.start) // 2
    if n + 1 < len(stretches) and stretches[n + 1][0] == k:
        stop = (s.stop + stretches[n + 1][1].start) // 2 - s.start
    return slice(start, stop)


def _stretches(n: int, rate: float) -> list[slice]:
    """Overlapping stretches of a piece, evenly placed from its start to its end; the whole of a short one."""
    if n / rate < WHOLE_S:
        return [slice(0, n)]
    size = round(STRETCH_S * rate)
    count = max(2, 1 + int(np.ceil((n - size) / (size / 2.0))))
    return [slice(a, a + size) for a in np.linspace(0, n - size, count).round().astype(int).tolist()]
