"""Spectrum and slow indices of a window's heart beats: what each needs, and why it is missing where it is.

They come from the longest piece of the window without a gap; intervals that are no NN are left out of it, as long as
they are few.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.vector import FeatureSpec, Reason
from feltsense.dsp.complexity import dfa_short, sample_entropy
from feltsense.dsp.spectrum import STILL_MS, band_powers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.core.window import Window
    from feltsense.features._beats import Beats

__all__ = ["SLOW_SPECS", "longest", "slow", "spectral"]

_TASK_FORCE = "Task Force 1996, Circulation 93:1043"
_RICHMAN = "Richman & Moorman 2000, Am J Physiol 278:H2039"
_HIRSCH = "Hirsch & Bishop 1981, Am J Physiol 241:H620"
_PENG = "Peng 1995, Chaos 5:82"
HF_SECONDS, LF_SECONDS, VLF_SECONDS = 60.0, 120.0, 300.0
"""Seconds for HF and LF: nine and five periods of the band's lower edge; VLF is that of five minutes by definition."""
SPANNED = 0.9
"""Share of them that beats must span without a gap: intervals begin at a window's first beat, the last one is cut off."""
USABLE = 0.9
"""Share of a piece's intervals that must be NN: across larger holes a spline invents power."""
_SAMPEN_LEAST = 200
"""NN below which patterns hardly repeat."""

SLOW_SPECS = (
    FeatureSpec("lf", "ms²", "power of NN at 0.04–0.15 Hz (cubic spline 4 Hz, Hann periodogram)", _TASK_FORCE, LF_SECONDS),
    FeatureSpec("hf", "ms²", "power of NN at 0.15–0.4 Hz (cubic spline 4 Hz, Hann periodogram)", _TASK_FORCE, HF_SECONDS),
    FeatureSpec("lf_hf", "1", "LF / HF", _TASK_FORCE, LF_SECONDS),
    FeatureSpec("lf_nu", "1", "LF / (LF + HF)", _TASK_FORCE, LF_SECONDS),
    FeatureSpec("hf_nu", "1", "HF / (LF + HF)", _TASK_FORCE, LF_SECONDS),
    FeatureSpec("hf_ln", "1", "natural logarithm of HF, ms²", _TASK_FORCE, HF_SECONDS),
    FeatureSpec(
        "resp_rate",
        "1/min",
        "60 · frequency of the one peak of NN's spectrum that stands out at 0.12–0.5 Hz; missing where none does",
        _HIRSCH,
        HF_SECONDS,
    ),
    FeatureSpec("vlf", "ms²", "power of NN at 0.0033–0.04 Hz (the same spectrum)", _TASK_FORCE, VLF_SECONDS),
    FeatureSpec("total_power", "ms²", "VLF + LF + HF", _TASK_FORCE, VLF_SECONDS),
    FeatureSpec("sampen", "1", "sample entropy of NN: m = 2, r = 0.2 SD, at least 200 NN", _RICHMAN, LF_SECONDS),
    FeatureSpec("dfa_alpha1", "1", "exponent of detrended fluctuations of NN over 4–11 beats", _PENG, LF_SECONDS),
)
"""In the order of the features."""
_NOTHING = {s.name: math.nan for s in SLOW_SPECS}
_BY_SECONDS = {k: [s.name for s in SLOW_SPECS if s.min_seconds == k] for k in (HF_SECONDS, LF_SECONDS, VLF_SECONDS)}


def longest(beats: Beats) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Times in s, intervals in ms and their validity, of the longest piece; the beat that begins it has no interval."""
    interval = beats.interval_ms
    begins = (np.flatnonzero(np.isnan(interval[1:])) + 1).tolist()
    pieces = [slice(a + 1, b) for a, b in pairwise((0, *begins, len(interval)))]
    best = max(pieces, key=lambda p: float(interval[p].sum())) if begins else pieces[0]
    return interval[best].cumsum() / 1e3, interval[best], beats.valid[best]


def slow(window: Window, present_s: float, beats: Beats, worst: Reason) -> tuple[dict[str, float], dict[str, Reason]]:
    """Value and reason of each slow feature; the value counts where the reason is ``ok``.

    Parameters
    ----------
    window : Window
        The window.
    present_s : float
        Seconds of it in which there is signal.
    beats : Beats
        Its beats.
    worst : Reason
        What is wrong with it first of all.
    """
    length = window.seconds
    if length < HF_SECONDS:
        return _NOTHING, dict.fromkeys(_NOTHING, Reason.TOO_SHORT)
    at_s, interval, valid = longest(beats)
    sound = len(interval) > 0 and bool(valid.all())
    nn = interval if sound else interval[valid]
    span = float(at_s[-1]) if len(at_s) else 0.0
    spoilt = Reason.OK
    if present_s <= 0.0:
        spoilt = Reason.NO_SIGNAL
    elif not len(interval) or len(nn) / len(interval) < USABLE:
        spoilt = Reason.ARTEFACT
    reasons: dict[str, Reason] = {}
    for least_s, names in _BY_SECONDS.items():
        reason = spoilt
        if length < least_s:
            reason = Reason.TOO_SHORT
        elif span < SPANNED * least_s and reason is not Reason.NO_SIGNAL:
            reason = Reason.GAP if worst is Reason.OK else worst
        reasons |= dict.fromkeys(names, reason)
    values = dict(_NOTHING)
    if reasons["hf"] is Reason.OK:
        powers = band_powers(at_s if sound else at_s[valid], nn)
        values |= spectral(powers.lf, powers.hf)
        values["vlf"], values["total_power"] = powers.vlf, powers.total
        if powers.hf > STILL_MS**2:  # of a metronome, even the rounding has a spectrum
            values["resp_rate"] = 60.0 * powers.breath_hz
    if reasons["sampen"] is Reason.OK:
        if len(nn) < _SAMPEN_LEAST:
            reasons["sampen"] = Reason.TOO_FEW_BEATS
        else:
            values["sampen"] = sample_entropy(nn)
        values["dfa_alpha1"] = dfa_short(nn)
    return values, reasons


def spectral(low: float, high: float) -> dict[str, float]:
    """What follows from the power of LF and HF; NaN where there is no HF."""
    both = high > STILL_MS**2
    return {
        "lf": low,
        "hf": high,
        "lf_hf": low / high if both else math.nan,
        "lf_nu": low / (low + high) if both else math.nan,
        "hf_nu": high / (low + high) if both else math.nan,
        "hf_ln": float(np.log(high)) if both else math.nan,
    }
