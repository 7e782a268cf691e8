"""Spectrum and slow indices of a window's heart beats: what each needs, and why it is missing where it is.

They come from the longest piece of the window without a gap; intervals that are no NN are left out of it, as long as
they are few.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from feltsense.core.vector import FeatureSpec, Reason
from feltsense.dsp.complexity import radius_of
from feltsense.dsp.repeats import Fluctuations, Repeats
from feltsense.dsp.spectrum import STILL_MS, band_powers
from feltsense.features._nn_line import longest_piece

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.dsp.strip import Strip
    from feltsense.features._beats import Beats
    from feltsense.features._nn_line import Piece

__all__ = ["SLOW_SPECS", "Slow", "Why", "longest", "spectral"]

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
_GATE = {HF_SECONDS: 0, LF_SECONDS: 1, VLF_SECONDS: 2}
_GATES = tuple(3 if s.name == "sampen" else _GATE[s.min_seconds] for s in SLOW_SPECS)
"""Which of the reasons in :class:`Why` is that of each feature."""
_SPECTRAL = ("lf", "hf", "lf_hf", "lf_nu", "hf_nu", "hf_ln")
_NAN = math.nan


def longest(beats: Beats) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Times in s, intervals in ms and their validity, of the longest piece; the beat that begins it has no interval."""
    p, q = longest_piece(beats.interval_ms) if len(beats.interval_ms) else (0, 0)
    interval = beats.interval_ms[p + 1 : q]
    return interval.cumsum() / 1e3, interval, beats.valid[p + 1 : q]


class Why(NamedTuple):
    """Why the slow features cannot be given."""

    hf: Reason
    """Those of a minute."""
    lf: Reason
    """Those of two."""
    vlf: Reason
    """Those of five."""
    sampen: Reason

    def each(self) -> list[Reason]:
        """One a feature, in the order of :data:`SLOW_SPECS`."""
        return [self[k] for k in _GATES]


class Slow:
    """Slow features of windows over one stream's NN.

    Parameters
    ----------
    nn : Strip
        They, in its one row.
    """

    def __init__(self, nn: Strip) -> None:
        self._repeats, self._fluctuations = Repeats(nn), Fluctuations(nn)

    def of(self, seconds: float, present_s: float, piece: Piece, worst: Reason) -> tuple[list[float], Why]:
        """Value of each feature, in order, and why some are missing; a value counts where the reason is ``ok``.

        Parameters
        ----------
        seconds : float
            Length of the window; windows are asked for in order.
        present_s : float
            Seconds of it in which there is signal.
        piece : Piece
            Its longest piece without a gap.
        worst : Reason
            What is wrong with it first of all.
        """
        if seconds < HF_SECONDS:
            return [_NAN] * len(SLOW_SPECS), Why(*(Reason.TOO_SHORT,) * 4)
        interval, nn = piece.interval_ms, piece.nn
        sound = len(nn) == len(interval)
        at_s = interval.cumsum()
        at_s /= 1e3
        span = float(at_s[-1]) if len(at_s) else 0.0
        spoilt = Reason.OK
        if present_s <= 0.0:
            spoilt = Reason.NO_SIGNAL
        elif not len(interval) or len(nn) / len(interval) < USABLE:
            spoilt = Reason.ARTEFACT
        hf, lf, vlf = [_reason(least_s, seconds, span, spoilt, worst) for least_s in _GATE]
        powers: tuple[float, ...] = (_NAN,) * 9
        if hf is Reason.OK:
            powers = _powers(at_s if sound else at_s[piece.valid > 0.0], nn)
        entropy, alpha, repeats = _NAN, _NAN, lf
        if lf is Reason.OK:
            radius = radius_of(nn)
            if radius:
                alpha = self._fluctuations.exponent(piece.first, len(nn))
            if len(nn) < _SAMPEN_LEAST:
                repeats = Reason.TOO_FEW_BEATS
            else:
                entropy = self._repeats.entropy(piece.first, len(nn), radius)
        return [*powers, entropy, alpha], Why(hf, lf, vlf, repeats)


def _reason(least_s: float, seconds: float, span_s: float, spoilt: Reason, worst: Reason) -> Reason:
    """Why what needs `least_s` seconds cannot be given."""
    if seconds < least_s:
        return Reason.TOO_SHORT
    if span_s < SPANNED * least_s and spoilt is not Reason.NO_SIGNAL:
        return Reason.GAP if worst is Reason.OK else worst
    return spoilt


def _powers(at_s: NDArray[np.float64], nn: NDArray[np.float64]) -> tuple[float, ...]:
    powers = band_powers(at_s, nn)
    # Of a metronome, even the rounding has a spectrum.
    breaths = 60.0 * powers.breath_hz if powers.hf > STILL_MS**2 else _NAN
    return (*_shares(powers.lf, powers.hf), breaths, powers.vlf, powers.total)


def _shares(low: float, high: float) -> tuple[float, ...]:
    both = high > STILL_MS**2
    if not both:
        return low, high, _NAN, _NAN, _NAN, _NAN
    # numpy's logarithm, as for arrays: math's may differ in a bit.
    return low, high, low / high, low / (low + high), high / (low + high), float(np.log(high))


def spectral(low: float, high: float) -> dict[str, float]:
    """What follows from the power of LF and HF; NaN where there is no HF."""
    return dict(zip(_SPECTRAL, _shares(low, high), strict=True))
