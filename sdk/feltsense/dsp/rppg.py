"""The pulse in the colour of skin: from mean colours of a few skin regions to a pulse wave.

Skin is a little darker, and a little less green, whenever blood is in it. Light that changes, and a head that moves,
change all three colours in proportion; the methods differ in how they keep the pulse and drop what is in proportion.

- :func:`green` the green channel alone (Verkruysse 2008, Opt Express 16:21434): a baseline; :func:`single` is
  what is left where a finger lies on the lens.
- :func:`pos` plane orthogonal to skin (Wang 2017, IEEE Trans Biomed Eng 64:1479, algorithm 1).
- :func:`chrom` chrominance (de Haan & Jeanne 2013, IEEE Trans Biomed Eng 60:2878).
- :func:`regular` frames as they came on a regular grid; :func:`combined` one wave of several regions; :func:`levelled`
  the same strength all along.

A wave has no unit and grows with the brightness of the light: dark when blood is in the skin, so that it rises like a
pulse oximeter's. Only its rate means something; its shape and its beat to beat variation do not (frames are 33 ms apart
and the noise is larger than the pulse), so there is no variability from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.interpolate import make_interp_spline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["chrom", "combined", "green", "levelled", "pos", "regular", "single"]

WINDOW_S = 1.6
"""Stretch in which colours are normalised: at least one beat of a slow heart (Wang 2017, section V: 1.6 s)."""
LEVEL_S = 3.0
"""Stretch over which a wave's strength is taken: some beats."""
_FAINT = 0.3
"""Strength, as a share of the median one, below which nothing is made stronger: a silent end stays silent."""
_TINY = 1e-12


def regular(t_s: Array, columns: Array, rate: float) -> Array:
    """Frames on a regular grid, by a cubic spline through their own times.

    Parameters
    ----------
    t_s : ndarray, shape (n,)
        Times of the frames, ascending; no step may be longer than what a spline may cross.
    columns : ndarray, shape (n, c)
        Finite values.
    rate : float
        Hz of the grid; the camera's own.

    Returns
    -------
    ndarray, shape (m, c)
        From the first frame's time on.
    """
    grid = t_s[0] + np.arange(int((t_s[-1] - t_s[0]) * rate + 1e-6) + 1) / rate
    order = 3 if len(t_s) > 3 else 1
    out: Array = make_interp_spline(t_s, columns, k=order)(np.minimum(grid, t_s[-1]))
    return out


def green(rgb: Array) -> Array:
    """Pulse wave from green alone, shape (n,): see :func:`single`."""
    return single(rgb, 1)


def single(rgb: Array, channel: int) -> Array:
    """Pulse wave from one colour; linear trend removed.

    Parameters
    ----------
    rgb : ndarray, shape (n, 3)
        Mean colour of the skin, regular in time.
    channel : int
        0 red, 1 green, 2 blue.
    """
    y = -rgb[:, channel] / rgb[:, channel].mean()
    x = np.arange(len(y)) - 0.5 * (len(y) - 1)
    y = y - y.mean()
    return np.asarray(y - x * (np.sum(x * y) / max(float(np.sum(x * x)), _TINY)))


def pos(rgb: Array, rate: float) -> Array:
    """Pulse wave by POS: overlap-added stretches of 1.6 s.

    Parameters
    ----------
    rgb : ndarray, shape (n, 3)
        Mean colour of the skin, regular in time, positive.
    rate : float
        Hz.

    Returns
    -------
    ndarray, shape (n,)
        All 0 where the input is shorter than a stretch.
    """
    n, size = len(rgb), int(np.ceil(WINDOW_S * rate))
    wave = np.zeros(n)
    if n < size:
        return wave
    colours = sliding_window_view(rgb, size, axis=0)
    colours = colours / colours.mean(axis=2, keepdims=True)
    r, g, b = colours[:, 0], colours[:, 1], colours[:, 2]
    first, second = g - b, g + b - 2.0 * r
    # Standard deviations of the stretches weigh the two axes so that what they share in phase remains.
    alpha = first.std(axis=1) / (second.std(axis=1) + _TINY)
    stretch = first + alpha[:, None] * second
    stretch -= stretch.mean(axis=1, keepdims=True)
    for offset in range(size):
        wave[offset : offset + n - size + 1] -= stretch[:, offset]
    return wave


def chrom(rgb: Array, rate: float) -> Array:
    """Pulse wave by CHROM: Hann-weighted stretches of 1.6 s that overlap by half.

    Parameters
    ----------
    rgb : ndarray, shape (n, 3)
        Mean colour of the skin, regular in time, positive.
    rate : float
        Hz.

    Returns
    -------
    ndarray, shape (n,)
        All 0 where the input is shorter than a stretch.
    """
    n, half = len(rgb), int(np.ceil(WINDOW_S * rate / 2.0))
    size = 2 * half
    wave = np.zeros(n)
    if n < size:
        return wave
    weight = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
    x: Array = np.arange(size, dtype=np.float64) - 0.5 * (size - 1)
    for start in range(0, n - size + 1, half):
        r, g, b = (rgb[start : start + size] / rgb[start : start + size].mean(axis=0)).T
        axes: tuple[Array, Array] = (3.0 * r - 2.0 * g, 1.5 * r + g - 1.5 * b)
        first, second = (_level(y, x) for y in axes)
        wave[start : start + size] += weight * (first - first.std() / (second.std() + _TINY) * second)
    return wave


def _level(y: Array, x: Array) -> Array:
    """Without mean and linear trend: what the paper's band pass drops in so short a stretch."""
    y = y - y.mean()
    return np.asarray(y - x * (np.sum(x * y) / np.sum(x * x)))


def levelled(wave: Array, rate: float) -> Array:
    """The wave at one strength all along: a moment of motion must not outweigh a minute of pulse.

    Parameters
    ----------
    wave : ndarray, shape (n,)
        Without offset.
    rate : float
        Hz.
    """
    size = min(len(wave), int(np.ceil(LEVEL_S * rate)))
    if not size:
        return wave
    total = np.concatenate(([0.0], np.cumsum(wave * wave)))
    start = np.clip(np.arange(len(wave)) - size // 2, 0, len(wave) - size)
    strength = np.sqrt(np.maximum(total[start + size] - total[start], 0.0) / size)
    middle = float(np.median(strength))
    return np.asarray(wave / np.maximum(strength, _FAINT * middle)) if middle > 0.0 else wave


def combined(waves: Array) -> Array:
    """One wave of several regions, each weighted by how well it agrees with the others' mean.

    Parameters
    ----------
    waves : ndarray, shape (n, regions)
        Of one method; the pulse is in phase all over a face.

    Returns
    -------
    ndarray, shape (n,)
        The maximum-ratio combination: weights are each region's share of the common wave over the variance of what
        it has beside it. A region of hair, or a cheek under moving light, counts little.
    """
    common = np.median(waves, axis=1) if waves.shape[1] > 2 else waves.mean(axis=1)
    power = float(np.sum(common * common))
    if power <= 0.0:
        return common
    share = np.maximum((waves * common[:, None]).sum(axis=0) / power, 0.0)
    rest = np.mean((waves - common[:, None] * share) ** 2, axis=0)
    weight = share / np.maximum(rest, _TINY * max(power, _TINY))
    total = float(weight.sum())
    mixed: Array = (waves * (weight / total)).sum(axis=1) if total > 0.0 else waves.mean(axis=1)
    return mixed
