"""Quality of a pulse wave: template likeness × rhythm × coverage.

As for ECG, with limits for the wrist: a pulse wave is smooth, so even noise in its band looks alike to a degree
once it is aligned by its crests, and a real one changes its shape with the arm's position.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from feltsense.quality.beats import Limits, trace_faults

if TYPE_CHECKING:
    from feltsense.dsp.cells import Summary

__all__ = ["LIMITS", "SHAPED", "STEADY", "TRUSTED", "faults"]

LIMITS = Limits(alien=0.4, alike=0.9)
"""Band-limited noise aligned by its crests reaches 0.5–0.6; a still wrist 0.9 and more."""
TRUSTED = 0.4
"""Least likeness of a beat that may time a heart rate: a median over a minute forgives a few."""
SHAPED = 0.7
"""Least likeness of a beat whose amplitude, rise and width are measured."""
STEADY = 0.75
"""Least likeness of both beats of an interval that may enter variability: one bad beat doubles RMSSD."""


def faults(rate: float) -> Summary:
    """Summary of a cell: flat, railed. Counts have no unit, so only an exactly constant signal is flat."""
    return partial(trace_faults, rate=rate, floor=0.0)
