"""Two devices' clocks against each other, by taps that both have felt: the delay that no clock map can see.

A clock map places a device's samples up to the least delay of its radio, some tens of milliseconds that differ between
devices. Who wants less taps both sensors together, irregularly, five times or more: each tap is a peak of acceleration in
both recordings, and the shift that brings the taps on top of each other is the difference of the delays.

Nothing is changed by it: the offset and its uncertainty are for whoever compares two devices' samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense.core.timeline import NS
from feltsense.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.core.recording import Stream

__all__ = ["Alignment", "align", "taps"]

TAP_G: Final = 0.5
"""A tap with a finger raises the acceleration's magnitude by more than this; walking stays below at the chest."""
QUIET_S: Final = 0.25
"""Two taps are further apart than this: what rings after a tap is none."""
REACH_S: Final = 2.0
"""Delays of two radios differ by less."""
MATCH_S: Final = 0.03
"""Two devices' peaks of one tap lie no further apart than a sample or two, once shifted."""
RIVAL: Final = 0.75
"""A second shift on which more than this share of as many taps agree is a rival: a missed tap would turn the choice."""
LEAST: Final = 3
"""So many taps must agree: two agree by chance."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """How much later the second device's samples are placed than the first's.

    Attributes
    ----------
    offset_s, uncertainty_s : float
        Seconds; the uncertainty is that of 95 % of the errors.
    taps : int
        Taps that agree.
    """

    offset_s: float
    uncertainty_s: float
    taps: int


def taps(stream: Stream) -> NDArray[np.int64]:
    """Session times of the taps in a stream of acceleration, in ns, each at its peak (parabola through three samples).

    Raises
    ------
    InputError
        If the stream is none of acceleration.
    """
    if stream.info.spec.name != "acc":
        msg = f"{stream.info.id}: taps are felt by acceleration, not by {stream.info.spec.name}"
        raise InputError(msg)
    found: list[int] = []
    for segment in stream.segments:
        size = np.linalg.norm(segment.values, axis=1)
        raised = np.abs(size - np.nanmedian(size)) if len(size) else size
        last = -np.inf
        for i in np.flatnonzero((raised[1:-1] > TAP_G) & (raised[1:-1] >= raised[:-2]) & (raised[1:-1] > raised[2:])) + 1:
            left, top, right = raised[i - 1 : i + 2]
            bend = left - 2 * top + right
            t_ns = segment.time.at(float(i + (0.5 * (left - right) / bend if bend else 0.0)))[0]
            if t_ns - last > QUIET_S * NS:
                found.append(t_ns)
            last = t_ns
    return np.array(found, dtype=np.int64)


def align(first: Stream, second: Stream) -> Alignment:
    """Offset between two devices that were tapped together.

    Parameters
    ----------
    first, second : Stream
        Acceleration of both.

    Raises
    ------
    InputError
        If too few taps agree, or two shifts fit equally well (taps as regular as a clock).
    """
    a, b = taps(first), taps(second)
    apart = (b[None, :] - a[:, None]).ravel() / NS
    apart = np.sort(apart[np.abs(apart) <= REACH_S])
    if not len(apart):
        msg = f"{first.info.id} and {second.info.id} have felt no tap together: tap both at once, irregularly, five times"
        raise InputError(msg)
    agree = np.searchsorted(apart, apart + MATCH_S, side="right") - np.arange(len(apart))
    best = int(np.argmax(agree))
    mine = apart[best : best + agree[best]]
    others = agree[(apart < mine[0] - MATCH_S) | (apart > mine[-1])]
    if len(mine) < LEAST or (len(others) and others.max() > RIVAL * len(mine)):
        msg = (
            f"{first.info.id} and {second.info.id}: {len(mine)} taps agree, and not on one shift alone; "
            "tap both at once, irregularly, five times or more"
        )
        raise InputError(msg)
    spread = max(float(np.std(mine, ddof=1)), MATCH_S / 10)
    return Alignment(float(np.median(mine)), 2 * spread / np.sqrt(len(mine)), len(mine))
