"""Whether there is one face in the picture, lit and sharp enough to say something about it.

Verdicts are given row by row (:mod:`feltsense.core.face_row`); a window's quality is the share of its time with a usable
row. A row whose picture was not searched for a face (a patch of skin) needs light and skin only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.face_row import AT, SKIN, span
from feltsense.core.vector import Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["REASONS", "verdicts"]

DARK_GREY = 20.0
"""Mean grey level of 255: below, eight bits and a sensor's noise leave no shades of a face, and no cascade finds it."""
COVERED_GREY = 6.0
"""Standard deviation of the picture's grey levels: an empty wall has 8, a finger or a cover less."""
BLUR_SHARPNESS = 0.008
"""Of a face's 64 × 64 cells: a blur of 3 % of the face's width gives that, in which an eyelid can no longer be seen."""
MOST_CLIPPED = 0.5
"""Share of skin at the end of the scale."""

REASONS = (
    Reason.OK,
    Reason.NO_FACE,
    Reason.SEVERAL_FACES,
    Reason.DARK,
    Reason.COVERED,
    Reason.BLUR,
    Reason.SATURATED,
    Reason.GAP,
)
"""Meaning of a verdict's number."""
_CODE = {reason: i for i, reason in enumerate(REASONS)}


def verdicts(rows: NDArray[np.float64]) -> NDArray[np.int64]:
    """What each row is good for: 0, or the number of its reason in :data:`REASONS`.

    Parameters
    ----------
    rows : ndarray, shape (n, columns)
        Rows of a camera's front end.
    """
    faces, luma, contrast, sharpness, clipped = (
        rows[:, AT[c]] for c in ("faces", "luma", "contrast", "sharpness", "clipped")
    )
    skin = np.isfinite(rows[:, span(SKIN[0], SKIN[-1])]).any(axis=1)
    seen = np.isfinite(rows).any(axis=1)
    found = np.zeros(len(rows), np.int64)
    # From the least to the most telling: the last one that applies stays.
    for reason, applies in (
        (Reason.BLUR, sharpness < BLUR_SHARPNESS),
        (Reason.SEVERAL_FACES, faces > 1.0),
        (Reason.SATURATED, clipped > MOST_CLIPPED),
        (Reason.NO_FACE, (faces == 0.0) | (seen & ~skin & np.isnan(faces))),
        (Reason.COVERED, (faces == 0.0) & (contrast < COVERED_GREY)),
        (Reason.DARK, luma < DARK_GREY),
        (Reason.GAP, ~seen),
    ):
        found[applies] = _CODE[reason]
    return found
