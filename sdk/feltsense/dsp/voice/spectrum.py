"""Spectra of frames: mel bands, and the numbers that describe a spectrum's shape.

Contract
--------
Every function takes power spectra, shape (frames, bins), and gives one number a frame; ratios and slopes do not depend
on the level. Powers get a floor far below 16 bits, so that digital silence has finite logarithms.

Sources: alpha ratio, Hammarberg index and slopes as in Eyben 2016 (GeMAPS), IEEE Trans Affect Comput 7:190; mel bands
as in Young 2006, The HTK Book; roll-off, centroid, spread, flux as in Peeters 2004, CUIDADO report.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["FLOOR", "TRANSFORM", "WINDOW", "db", "describe", "flux", "mel_power", "power_spectra"]

WINDOW, TRANSFORM = 640, 1024
"""Samples of a frame (40 ms at 16 kHz: two periods of 50 Hz) and of its transform."""
FLOOR = 1e-16
"""Power re full scale: −160 dB, while the noise of 16 bits has −125 dB in a bin."""
_LOW_HZ, _HIGH_HZ = 20.0, 8000.0


def db(power: Array) -> Array:
    """Decibels of a power."""
    out: Array = 10.0 * np.log10(np.maximum(power, FLOOR))
    return out


@lru_cache(maxsize=2)
def _hamming() -> Array:
    w = np.hamming(WINDOW)
    # A sine of full scale has the power ½ in its bins together.
    out: Array = w / np.sqrt((w * w).sum() * TRANSFORM / 2.0)
    return out


def power_spectra(frames: Array) -> Array:
    """Power in each bin, re full scale; (frames, WINDOW) → (frames, TRANSFORM / 2 + 1)."""
    centred = frames - frames.mean(axis=1, keepdims=True)
    spectrum = fft.rfft(centred * _hamming(), TRANSFORM, axis=1)
    out: Array = spectrum.real**2 + spectrum.imag**2 + FLOOR / TRANSFORM
    return out


@lru_cache(maxsize=8)
def _mel(count: int, rate: float) -> tuple[NDArray[np.intp], Array, Array]:
    """First bin from each edge of the bands on, and what a bin gives to the band that rises there and to the one that falls.

    Triangles are equally spaced in mel = 2595·log10(1 + f/700), and reach from peak to peak of their neighbours.
    """
    low, high = (2595.0 * np.log10(1.0 + hz / 700.0) for hz in (_LOW_HZ, _HIGH_HZ))
    edges = 700.0 * (10.0 ** (np.linspace(low, high, count + 2) / 2595.0) - 1.0)
    bins = np.fft.rfftfreq(TRANSFORM, 1.0 / rate)
    starts = np.searchsorted(bins, edges)
    if (np.diff(starts) < 1).any():
        msg = f"{count} mel bands are narrower than the {bins[1]:g} Hz of a bin"
        raise ValueError(msg)
    inside = np.arange(starts[0], starts[-1])
    of = np.searchsorted(starts, inside, "right") - 1
    rising = (bins[inside] - edges[of]) / np.diff(edges)[of]
    return starts, rising, 1.0 - rising


def mel_power(power: Array, count: int, rate: float) -> Array:
    """Power in each mel band; (frames, bins) → (frames, count).

    Sums along each frame, and no product of matrices: that would start threads for next to nothing.
    """
    starts, rising, falling = _mel(count, rate)
    part = power[:, starts[0] : starts[-1]]
    where = starts[:-1] - starts[0]
    up, down = np.add.reduceat(part * rising, where, axis=1), np.add.reduceat(part * falling, where, axis=1)
    out: Array = up[:, :-1] + down[:, 1:]
    return out


def flux(power: Array) -> Array:
    """Change of the spectrum's shape from the frame before: distance of unit-sum amplitude spectra; 0 in the first."""
    shape = np.sqrt(power / power.sum(axis=1, keepdims=True))
    out = np.zeros(len(power))
    out[1:] = np.sqrt(np.square(np.diff(shape, axis=0)).sum(axis=1))
    return out


@lru_cache(maxsize=2)
def _axes(rate: float) -> tuple[Array, dict[str, slice]]:
    hz = np.fft.rfftfreq(TRANSFORM, 1.0 / rate).astype(np.float64)

    def between(low: float, high: float) -> slice:
        a, b = np.searchsorted(hz, (low, high))
        return slice(int(a), int(b))

    edges = {
        "low": (50.0, 1000.0), "high": (1000.0, 5000.0), "first": (0.0, 2000.0), "second": (2000.0, 5000.0),
        "slope_0_500": (20.0, 500.0), "slope_500_1500": (500.0, 1500.0), "tilt": (100.0, 5000.0),
        "high_1k": (1000.0, 8001.0), "high_4k": (4000.0, 8001.0),
    }  # fmt: skip
    return hz, {k: between(*v) for k, v in edges.items()}


def describe(power: Array, rate: float) -> dict[str, Array]:
    """Numbers of a spectrum's shape, by name of the row's column."""
    hz, part = _axes(rate)
    total = power.sum(axis=1)
    shape = power / total[:, None]
    levels = db(power)
    running = np.cumsum(shape, axis=1)
    centroid = shape @ hz
    out = {
        "alpha_ratio": db(power[:, part["low"]].sum(axis=1)) - db(power[:, part["high"]].sum(axis=1)),
        "hammarberg": levels[:, part["first"]].max(axis=1) - levels[:, part["second"]].max(axis=1),
        "centroid": centroid,
        "spread": np.sqrt(np.maximum(shape @ (hz * hz) - centroid * centroid, 0.0)),
        "entropy": -(shape * np.log(np.maximum(shape, 1e-300))).sum(axis=1) / np.log(len(hz)),
        "tilt": _slope(levels[:, part["tilt"]], np.log2(hz[part["tilt"]])),
        "high_1k": db(shape[:, part["high_1k"]].sum(axis=1)),
        "high_4k": db(shape[:, part["high_4k"]].sum(axis=1)),
    }
    for name in ("slope_0_500", "slope_500_1500"):
        out[name] = _slope(levels[:, part[name]], hz[part[name]])
    for share in (25, 50, 75, 90):
        out[f"rolloff{share}"] = hz[np.minimum((running < share / 100.0).sum(axis=1), len(hz) - 1)]
    return out


def _slope(y: Array, x: Array) -> Array:
    """Least-squares slope of each row over `x`."""
    d = x - x.mean()
    out: Array = (y - y.mean(axis=1, keepdims=True)) @ d / (d @ d)
    return out
