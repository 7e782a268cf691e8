"""How a face's 64 × 64 grey cells look: their distribution and their texture; numpy alone.

Grey levels are 0..255. All measures are of one picture; a window takes their means.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.face_row import GABORS, LBPS
from feltsense.vision.skin import SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["appearance", "gabor", "glcm", "grey", "lbp", "sharpness"]

_LEVELS = 32
"""Grey levels of co-occurrence: with 256, 64 × 64 cells would hardly repeat a pair (Haralick 1973 used 16)."""
_OFFSETS = ((0, 1), (1, 1), (1, 0), (1, -1))
"""Neighbours at 0, 45, 90 and 135 degrees."""
_DIAGONAL = round(math.sqrt(0.5), 5)
_CYCLES = (4.0, 8.0, 16.0)
"""Gabor filters: waves across the face. A mouth and eyes have 4, wrinkles 16."""
_ANGLES = 4
_OCTAVES = 1.0
"""Bandwidth of a filter (Daugman 1985: cells of the visual cortex have 1 to 1.5)."""


def appearance(cells: Array) -> Array:
    """All measures of a picture in the order of the row's columns, ``grey_mean`` to ``gabor11``.

    Parameters
    ----------
    cells : ndarray, shape (64, 64)
        Grey levels.
    """
    return np.concatenate((grey(cells), lbp(cells), glcm(cells), gabor(cells)))


def grey(cells: Array) -> Array:
    """Mean, standard deviation, skewness, and entropy in bits of whole grey levels, shape (4,)."""
    mean, spread = float(cells.mean()), float(cells.std())
    skew = float(np.mean((cells - mean) ** 3)) / spread**3 if spread > 0.0 else 0.0
    share = np.bincount(_whole(cells).ravel(), minlength=256) / cells.size
    share = share[share > 0.0]
    return np.array([mean, spread, skew, float(-(share * np.log2(share)).sum())])


def lbp(cells: Array) -> Array:
    """Histogram of rotation-invariant uniform local binary patterns (8 neighbours, radius 1), shape (10,), sum 1.

    Bins 0..8 count the ones of a pattern with at most two changes around the circle, bin 9 all others
    (Ojala 2002, IEEE Trans Pattern Anal 24:971, eq. 9).
    """
    x = np.rint(cells)
    centre = x[1:-1, 1:-1]

    def at(dy: int, dx: int) -> Array:
        return x[1 + dy : x.shape[0] - 1 + dy, 1 + dx : x.shape[1] - 1 + dx]

    a, b = _DIAGONAL, 1.0 - _DIAGONAL

    def between(dy: int, dx: int) -> Array:
        """Picture at a diagonal of length 1, by bilinear interpolation."""
        return b * (b * centre + a * at(0, dx)) + a * (b * at(dy, 0) + a * at(dy, dx))

    around = (at(0, 1), between(-1, 1), at(-1, 0), between(-1, -1), at(0, -1), between(1, -1), at(1, 0), between(1, 1))
    # Interpolation of equal neighbours must not fall a rounding error below the centre.
    bits = np.stack([n - centre >= -1e-9 for n in around])
    changes = (bits != np.roll(bits, 1, axis=0)).sum(axis=0)
    code = np.where(changes <= 2, bits.sum(axis=0), LBPS - 1)
    return np.bincount(code.ravel(), minlength=LBPS) / code.size


def glcm(cells: Array) -> Array:
    """Contrast, homogeneity, energy and correlation of grey level co-occurrence, means over four directions, shape (4,).

    32 levels, distance 1, symmetric (Haralick 1973, IEEE Trans Syst Man Cybern 3:610). Correlation of an even picture
    is 1.
    """
    level = _whole(cells) * _LEVELS // 256
    i, j = np.indices((_LEVELS, _LEVELS), dtype=np.float64)
    away = (i - j) ** 2
    found = np.empty((len(_OFFSETS), 4))
    for k, (dy, dx) in enumerate(_OFFSETS):
        first = level[: level.shape[0] - dy, max(-dx, 0) : level.shape[1] - max(dx, 0)]
        second = level[dy:, max(dx, 0) : level.shape[1] - max(-dx, 0)]
        pairs = np.bincount((first * _LEVELS + second).ravel(), minlength=_LEVELS**2).reshape(_LEVELS, _LEVELS)
        p = (pairs + pairs.T) / (2.0 * first.size)
        mean = float((p * i).sum())
        variance = float((p * (i - mean) ** 2).sum())
        together = float((p * (i - mean) * (j - mean)).sum())
        correlation = together / variance if variance > 0.0 else 1.0
        found[k] = (p * away).sum(), (p / (1.0 + away)).sum(), math.sqrt(float((p * p).sum())), correlation
    return np.asarray(found.mean(axis=0))


def gabor(cells: Array) -> Array:
    """Energy of 12 Gabor filters as shares of the picture's variance, shape (12,): 3 scales of 4 directions each.

    Filters are Gaussians in the spectrum of the picture (Daugman 1985, J Opt Soc Am A 2:1160), whose edges a Hann window
    takes away; an energy is a sum over the spectrum, no picture is filtered.
    """
    hann = np.hanning(SIDE + 2)[1:-1]
    x = (cells - cells.mean()) * hann[:, None] * hann[None, :]
    power = np.abs(np.fft.rfft2(x)) ** 2
    # Half a spectrum stands for the whole: its inner columns count twice.
    power[:, 1:-1] *= 2.0
    power[0, 0] = 0.0
    total = float(power.sum())
    return np.asarray((power[None] * _bank()).sum(axis=(1, 2)) / total) if total > 0.0 else np.zeros(GABORS)


@cache
def _bank() -> Array:
    """Squared filters over the half spectrum, shape (12, 64, 33)."""
    fy, fx = np.fft.fftfreq(SIDE, 1.0 / SIDE)[:, None], np.arange(SIDE // 2 + 1)[None, :]
    filters = []
    for cycles in _CYCLES:
        # Half height lies half an octave to either side.
        width = cycles * (2.0**_OCTAVES - 1.0) / (2.0**_OCTAVES + 1.0) / math.sqrt(2.0 * math.log(2.0))
        for k in range(_ANGLES):
            angle = math.pi * k / _ANGLES
            u, v = cycles * math.cos(angle), cycles * math.sin(angle)
            # A real filter has both of two opposite peaks.
            gaussian = sum(np.exp(-0.5 * ((fx - s * u) ** 2 + (fy - s * v) ** 2) / width**2) for s in (1.0, -1.0))
            filters.append(np.asarray(gaussian) ** 2)
    bank = np.stack(filters)
    bank.setflags(write=False)
    return bank


def sharpness(cells: Array) -> float:
    """Variance of the Laplacian over the variance: no unit, no dependence on light."""
    inner = cells[1:-1, 1:-1]
    laplacian = cells[:-2, 1:-1] + cells[2:, 1:-1] + cells[1:-1, :-2] + cells[1:-1, 2:] - 4.0 * inner
    spread = float(inner.var())
    return float(laplacian.var()) / spread if spread > 0.0 else 0.0


def _whole(cells: Array) -> NDArray[np.int64]:
    return np.clip(np.rint(cells), 0.0, 255.0).astype(np.int64)
