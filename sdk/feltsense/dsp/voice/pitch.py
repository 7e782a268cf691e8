"""Fundamental frequency by autocorrelation and a path of least cost (Boersma 1993, IFA Proceedings 17:97).

Contract
--------
- :func:`candidates` measures each frame on its own; :func:`path` chooses among them over a span. Both are pure.
- The autocorrelation of the windowed frame is divided by that of the window (Boersma's eq. 9), so that its value at the
  period is the share of periodic power, and the harmonics-to-noise ratio is 10·log10(r / (1 − r)).
- The chosen peak is placed between lags by band-limited interpolation: a parabola alone is biased by up to .3 % at 400 Hz.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["CEILING_HZ", "FLOOR_HZ", "WINDOW_S", "Candidates", "Track", "candidates", "harmonicity", "path"]

FLOOR_HZ, CEILING_HZ = 60.0, 600.0
"""A low male creak and a shout of a woman or a child."""
WINDOW_S = 3.0 / FLOOR_HZ
"""Three periods of the lowest voice (Boersma)."""

_KEPT = 6
"""Candidates a frame: the period, its double and half, and some for noise."""
_VOICING, _SILENCE = 0.45, 0.03
_OCTAVE, _JUMP, _CHANGE = 0.01, 0.35, 0.14
"""Costs as in Boersma's own program, for steps of 10 ms."""
_DOUBLE, _NEAR, _WEAKER = 1.7, 0.12, 0.15
"""A period above 1.7 times its run's median is a double where a candidate within 12 % of the median is not weaker by
more than .15: two cycles of a rough voice are often more alike than one."""
_TAPS = 14
"""Lags on either side of a peak that interpolate it; the shortest period has 26."""
_LARGEST = 1.0 - 1e-6


class Candidates(NamedTuple):
    """Possible periods of each frame; shape (frames, kept).

    Attributes
    ----------
    lag : ndarray
        Period in samples.
    strength : ndarray
        Normalised autocorrelation there; −9 where there is no further candidate.
    curve : ndarray, shape (frames, lags)
        Normalised autocorrelation at whole lags.
    """

    lag: Array
    strength: Array
    curve: Array


class Track(NamedTuple):
    """The chosen period of each frame.

    Attributes
    ----------
    lag : ndarray, shape (frames,)
        Period in samples, 0 where unvoiced.
    strength : ndarray, shape (frames,)
        Normalised autocorrelation at the period; of the best candidate where unvoiced.
    """

    lag: Array
    strength: Array


@lru_cache(maxsize=4)
def _window(size: int, length: int, lags: int) -> tuple[Array, Array]:
    """Hann window and its normalised autocorrelation."""
    w = np.hanning(size + 2)[1:-1]
    own = fft.irfft(np.abs(fft.rfft(w, length)) ** 2, length)[:lags]
    return w, own / own[0]


def candidates(frames: Array, rate: float) -> Candidates:
    """Find the possible periods of frames.

    Parameters
    ----------
    frames : ndarray, shape (frames, WINDOW_S · rate)
        Sound.
    rate : float
        Hz.
    """
    size = frames.shape[1]
    least, most = int(rate / CEILING_HZ), int(rate / FLOOR_HZ) + 1
    lags = most + _TAPS + 2
    length = fft.next_fast_len(size + lags, real=True)
    w, own = _window(size, length, lags)
    centred = frames - frames.mean(axis=1, keepdims=True)
    r = fft.irfft(np.abs(fft.rfft(centred * w, length)) ** 2, length, axis=1)[:, :lags]
    r = r / (r[:, :1] + 1e-12) / own
    before, at, after = r[:, least - 1 : most], r[:, least : most + 1], r[:, least + 1 : most + 2]
    peak = (at > before) & (at >= after) & (at > 0.3 * _VOICING)
    bend = before - 2.0 * at + after
    shift = np.clip(0.5 * (before - after) / np.where(np.abs(bend) < 1e-12, -1e-12, bend), -1.0, 1.0)
    height = at - 0.25 * (before - after) * shift
    lag = np.arange(least, most + 1) + shift
    score = np.where(peak, np.minimum(height, _LARGEST) - _OCTAVE * np.log2(FLOOR_HZ * lag / rate), -9.0)
    best = np.argpartition(-score, _KEPT - 1, axis=1)[:, :_KEPT]
    chosen = np.take_along_axis(score, best, 1)
    there = chosen > -9.0
    return Candidates(
        np.where(there, np.take_along_axis(lag, best, 1), 0.0),
        np.where(there, np.take_along_axis(np.minimum(height, _LARGEST), best, 1), -9.0),
        r,
    )


def _refine(r: Array, lag: Array) -> tuple[Array, Array]:
    """Place and height of peaks by band-limited interpolation (Hann-windowed sinc) at three points around each."""
    step = 0.2
    heights = []
    for offset in (-step, 0.0, step):
        where = lag + offset
        base = np.floor(where).astype(np.int64)
        taps = np.arange(1 - _TAPS, _TAPS + 1)
        d = (where - base)[:, None] - taps
        kernel = np.sinc(d) * (0.5 + 0.5 * np.cos(np.pi * np.clip(d / _TAPS, -1.0, 1.0)))
        index = np.clip(base[:, None] + taps, 0, r.shape[1] - 1)
        heights.append((np.take_along_axis(r, index, 1) * kernel).sum(axis=1))
    a, b, c = heights
    bend = a - 2.0 * b + c
    shift = np.clip(0.5 * (a - c) / np.where(np.abs(bend) < 1e-12, -1e-12, bend), -2.0, 2.0)
    return lag + step * shift, np.minimum(b - 0.25 * (a - c) * shift, _LARGEST)


def path(found: Candidates, loudness: Array, rate: float) -> Track:
    """Choose one candidate a frame: strong, near its neighbour's pitch, voiced in runs (Boersma's eqs. 23–27).

    Parameters
    ----------
    found : Candidates
        Of consecutive frames, 10 ms apart.
    loudness : ndarray, shape (frames,)
        Largest absolute sample of each frame over that of the span, 0..1.
    rate : float
        Hz, of the lags.
    """
    n, k = found.lag.shape
    unvoiced = _VOICING + np.maximum(0.0, 2.0 - loudness / (_SILENCE / (1.0 + _VOICING)))
    there = found.strength > -9.0
    octaves = np.log2(np.where(there, FLOOR_HZ * found.lag / rate, 1.0))
    score = np.concatenate((np.where(there, found.strength - _OCTAVE * octaves, -9.0), unvoiced[:, None]), axis=1)
    # Where both are voiced a jump costs by its octaves, a change of voicing costs a constant.
    pitch = np.concatenate((octaves, np.zeros((n, 1))), axis=1)
    voiced = np.ones(k + 1)
    voiced[k] = 0.0
    both = _JUMP * np.outer(voiced, voiced)
    change = _CHANGE * np.abs(voiced[:, None] - voiced[None])
    cost = both * np.abs(pitch[:-1, :, None] - pitch[1:, None, :]) + change
    best = score[0]
    back = np.zeros((n, k + 1), np.int64)
    for t in range(1, n):
        total = best[:, None] - cost[t - 1]
        back[t] = total.argmax(axis=0)
        best = total.max(axis=0) + score[t]
    choice = np.zeros(n, np.int64)
    choice[-1] = best.argmax()
    for t in range(n - 1, 0, -1):
        choice[t - 1] = back[t, choice[t]]
    rows = np.arange(n)
    is_voiced = choice < k
    inside = np.minimum(choice, k - 1)
    lag = np.where(is_voiced, found.lag[rows, inside], 0.0)
    strength = np.where(is_voiced, found.strength[rows, inside], np.maximum(found.strength.max(axis=1), 0.0))
    _undouble(found, lag, strength)
    voiced_rows = np.flatnonzero(lag > 0.0)
    lag[voiced_rows], strength[voiced_rows] = _refine(found.curve[voiced_rows], lag[voiced_rows])
    return Track(lag, strength)


def _undouble(found: Candidates, lag: Array, strength: Array) -> None:
    """Take the single period where a run fell to its double."""
    edge = np.flatnonzero(np.diff(np.concatenate(([0], (lag > 0.0).astype(np.int8), [0]))))
    for a, b in zip(edge[::2].tolist(), edge[1::2].tolist(), strict=True):
        usual = float(np.median(lag[a:b]))
        for t in (a + np.flatnonzero(lag[a:b] > _DOUBLE * usual)).tolist():
            other = np.where(np.abs(found.lag[t] / usual - 1.0) < _NEAR, found.strength[t], -9.0)
            best = int(other.argmax())
            if other[best] > strength[t] - _WEAKER:
                lag[t], strength[t] = found.lag[t, best], other[best]


def harmonicity(strength: Array) -> Array:
    """Harmonics-to-noise ratio in dB from the normalised autocorrelation at the period (Boersma's eq. 4)."""
    r = np.clip(strength, 1e-4, _LARGEST)
    out: Array = 10.0 * np.log10(r / (1.0 - r))
    return out
