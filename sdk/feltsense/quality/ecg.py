"""Quality of an ECG: template likeness × rhythm × coverage (after Orphanidou 2015, IEEE JBHI 19:832).

The two steps of that index, plausible RR intervals and correlation with a template, are kept; its yes/no per 10 s
becomes a number per window. Likeness is averaged over beats, so one ectopic beat costs its share and no more.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from feltsense.quality.beats import Limits, trace_faults

if TYPE_CHECKING:
    from feltsense.dsp.cells import Summary

__all__ = ["FLAT_MV", "LIMITS", "TRUSTED", "faults"]

FLAT_MV = 0.02
"""Peak-to-peak below which 2 s of ECG are a flat line: the lead is off, whatever hum is left on it."""
LIMITS = Limits(alien=0.5, alike=0.9)
"""White noise aligned by its crests reaches 0.3–0.5; clean beats of a chest strap 0.97 and more."""
TRUSTED = 0.66
"""Least correlation of a usable beat (Orphanidou 2015)."""


def faults(rate: float) -> Summary:
    """Summary of a cell: flat, railed."""
    return partial(trace_faults, rate=rate, floor=FLAT_MV)
