"""What the quality of every beat-bearing signal is made of: shape, rhythm, coverage, flat and railed stretches.

Rules
-----
- Absolute: a beat's quality is its correlation with the median shape of its neighbours, mapped by fixed limits.
  Nothing is rescaled inside the window, so the worst beat of a good window is still good, and noise stays noise.
- A product: one bad factor is enough. White noise has peaks everywhere; they are alike to a degree, because they
  were aligned by their crests, but their rhythm is not: shape and rhythm together tell noise from beats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.vector import Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Evidence", "Limits", "judge", "judge_mapped", "likeness", "trace_faults"]

LEAST_NEIGHBOURS = 5
"""Fewer beats make no template: a median of three follows each of them."""
RAIL_SECONDS = 0.1
"""A signal that stays exactly at its extreme for so long has hit the converter's rail."""
RAIL_LEAST = 4
"""…and for at least so many samples: coarse steps repeat a crest two or three times."""
RELATIVE_FLAT = 1e-9
"""A range below this share of the level is rounding, not signal."""
FAULTY = 0.2
"""Share of flat or railed stretches that is worth naming as the reason."""
WORTH_NAMING = 0.9
"""A factor above this is no reason."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How a correlation with the template is read.

    Attributes
    ----------
    alien, alike : float
        Correlation at and below which a beat counts 0, and at and above which it counts 1.
    """

    alien: float
    alike: float


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known of one window.

    Attributes
    ----------
    coverage : float
        Share of the window in which there is signal.
    likeness : ndarray, shape (n,)
        Correlation of each beat with its template.
    rhythm : float
        Share of the time with signal that valid intervals account for.
    flat, railed : float
        Share of the signal that is a flat line, or at the converter's rail.
    moving : float
        Share of the window in which the sensor is moved; explains, does not count.
    """

    coverage: float
    likeness: NDArray[np.float64]
    rhythm: float
    flat: float
    railed: float
    moving: float = 0.0


def likeness(shapes: NDArray[np.float64], neighbours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation of beats with the median shape of their neighbourhood, −1..1; 0 where there is no template.

    Parameters
    ----------
    shapes : ndarray, shape (n, m)
        Standardised shapes of the beats to judge.
    neighbours : ndarray, shape (k, m)
        Standardised shapes of the neighbourhood, these included.
    """
    if len(neighbours) < LEAST_NEIGHBOURS:
        return np.zeros(len(shapes))
    ordered, middle = np.sort(neighbours, axis=0), len(neighbours) // 2
    template = ordered[middle] if len(neighbours) % 2 else 0.5 * (ordered[middle - 1] + ordered[middle])
    template = template - float(np.add.reduce(template)) / len(template)
    size = math.sqrt(float(np.add.reduce(template * template)) / len(template))
    if size == 0.0:
        return np.zeros(len(shapes))
    # No matrix product: it may add up in another order for another number of rows.
    alike: NDArray[np.float64] = np.add.reduce(shapes * template, axis=1) / shapes.shape[1] / size
    return alike


def trace_faults(x: NDArray[np.float64], rate: float, floor: float) -> NDArray[np.float64]:
    """Whether stretches of raw signal are flat, and whether they are at a rail.

    Parameters
    ----------
    x : ndarray, shape (n,) or (k, n)
        Raw samples of one stretch, or of k.
    rate : float
        Hz.
    floor : float
        Peak-to-peak below which a stretch is flat, in the signal's unit.

    Returns
    -------
    ndarray, shape (2,) or (k, 2)
        Flat, railed: 0 or 1 each.
    """
    high, low = np.maximum.reduce(x, axis=-1, keepdims=True), np.minimum.reduce(x, axis=-1, keepdims=True)
    flat = high - low <= np.maximum(floor, RELATIVE_FLAT * np.maximum(np.abs(high), np.abs(low)))
    least = max(RAIL_LEAST, round(RAIL_SECONDS * rate)) - 1
    same = x[..., 1:] == x[..., :-1]
    railed = np.zeros_like(flat)
    if np.count_nonzero(same) >= least:  # mostly there are not as many in all
        stays = [np.count_nonzero(same & (x[..., 1:] == edge), axis=-1, keepdims=True) for edge in (high, low)]
        railed = ~flat & (np.maximum(*stays) >= least)
    return np.concatenate((flat, railed), axis=-1).astype(np.float64)


def judge(evidence: Evidence, limits: Limits) -> tuple[float, Reason]:
    """Quality of a window and, where it is not good, what is wrong first of all.

    Returns
    -------
    quality : float
        0..1: coverage × mean mapped likeness × rhythm × share not flat × share not railed.
    reason : Reason
        ``ok`` where no factor is below 0.9.
    """
    alike = np.minimum(np.maximum((evidence.likeness - limits.alien) / (limits.alike - limits.alien), 0.0), 1.0)
    return judge_mapped(evidence, alike)


def judge_mapped(evidence: Evidence, alike: NDArray[np.float64]) -> tuple[float, Reason]:
    """As :func:`judge`, of beats whose likeness is mapped to 0..1 already."""
    if evidence.coverage <= 0.0:
        return 0.0, Reason.NO_SIGNAL
    shape = float(np.add.reduce(alike)) / len(alike) if len(alike) else 0.0
    sound = (1.0 - evidence.flat) * (1.0 - evidence.railed)
    quality = min(1.0, max(0.0, evidence.coverage * shape * evidence.rhythm * sound))
    return quality, _reason(evidence, shape)


def _reason(evidence: Evidence, shape: float) -> Reason:
    moved = evidence.moving > FAULTY
    causes = (
        (evidence.flat > FAULTY, Reason.FLATLINE),
        (evidence.railed > FAULTY, Reason.SATURATED),
        (evidence.coverage < WORTH_NAMING, Reason.GAP),
        (not len(evidence.likeness), Reason.TOO_FEW_BEATS),
        (min(shape, evidence.rhythm) < WORTH_NAMING and moved, Reason.MOTION),
        (shape < WORTH_NAMING, Reason.NOISE),
        (evidence.rhythm < WORTH_NAMING, Reason.ARTEFACT),
    )
    return next((reason for holds, reason in causes if holds), Reason.OK)
