"""Does this frame continue the last one, and if not, what is missing? One judge per way of telling.

========== ============================== ===========================================================
judge      frames carry                   what is missing is
========== ============================== ===========================================================
Timed      the device time of the last    elapsed device time × rate − n. A sequence number, where
           sample (and a sequence number) there is one, decides whether and how many frames were lost
Counted    a sequence number only         lost frames × frame size; after an outage, that count plus as
                                          many wraps as the elapsed time leaves open
Free       neither                        unknown: bounds from the arrival times, after an outage or when
                                          arrivals have shifted for good
========== ============================== ===========================================================

Rules
-----
- A sensor's rate is within ±2 % of nominal; the rate it really has is learned from the device times of unbroken runs.
- A loss that is smaller than rate error and jitter allow for cannot be told from them. Frames are lost whole, so
  that a frame of 25 samples or fewer never hides.
- Where bounds of the count meet within half a sample it is exact. If all frames so far were of one size, then those
  that were lost were too: it is exact where a sequence number agrees with the time, and without one, while connected,
  within half a frame.
- Judges without times are in :mod:`feltsense_bridge.untimed`.
- Judges hold device time only; session time, chunks and counters are :mod:`feltsense_bridge.accounting`'s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Protocol

from feltsense.core.chunk import Gap, GapReason
from feltsense.core.timeline import NS

if TYPE_CHECKING:
    from fractions import Fraction

    from feltsense_bridge.clock import DeviceClock
    from feltsense_bridge.device import Frame

__all__ = [
    "LATE_RUN",
    "RATE_TOLERANCE",
    "SLACK_NS",
    "Judge",
    "Outage",
    "Stragglers",
    "Timed",
    "Verdict",
    "Word",
    "elapsed_gap",
    "frames_lost",
]

RATE_TOLERANCE: Final = 0.02
"""Share by which a true rate differs from nominal at most (an H10 is specified as 130 Hz ± 2 %)."""
JITTER_NS: Final = 1_000_000
"""How far a device's own time stamp may be off: most stamp in an interrupt, the coarsest in milliseconds."""
WANDER: Final = 50e-6
"""Share by which a learned rate may have changed since: crystals keep within 50 ppm over temperature and age."""
LEARN_NS: Final = 2 * NS
"""Unbroken device time below which the nominal rate is a better guess than the measured one."""
LATE_RUN: Final = 3
"""So many frames in a row behind the last one, and in order among themselves, are no stragglers: the clock went back."""
SLACK_NS: Final = NS
"""How much two arrivals' delays may differ where nothing but arrivals tell the time."""


class Word(Enum):
    """What a judge says of a frame."""

    CONTINUES = auto()
    BREAKS = auto()
    """It starts a new segment."""
    DUPLICATE = auto()
    LATE = auto()
    """Its place has been passed and counted as missing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Word, place on the device's clock, and what is missing before.

    Attributes
    ----------
    word : Word
        Whether to take the frame and where.
    device_ns : int
        Device time of its last sample.
    gap : Gap or None
        What is missing; None for a first frame and one that continues.
    """

    word: Word
    device_ns: int = 0
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """What the link knows about the time since the last frame.

    Attributes
    ----------
    broken : GapReason or None
        The link or the stream was down: the next frame starts a new segment whatever it says.
    hint : GapReason
        Reason of a loss, if there is one.
    since_ns : int
        Session time of the last sample.
    """

    broken: GapReason | None
    hint: GapReason
    since_ns: int

    @property
    def reason(self) -> GapReason:
        """Why samples are missing."""
        return self.broken or self.hint


class Judge(Protocol):
    """One way of telling what is missing."""

    def judge(self, frame: Frame, arrival_ns: int, outage: Outage) -> Verdict:
        """Judge the next frame; remembers it if it is taken."""


def elapsed_gap(ns: int, rate: float, n: int, reason: GapReason, *, least: bool) -> Gap:
    """Bounds from elapsed session time, for `n` samples that arrived after it; `least`: the sensor surely ran."""
    low = (ns - SLACK_NS) / NS * rate * (1 - RATE_TOLERANCE) - n
    high = (ns + SLACK_NS) / NS * rate * (1 + RATE_TOLERANCE) - n
    upper = max(0, math.ceil(high))
    return Gap(min(max(0, math.floor(low)), upper) if least else 0, upper, reason)


def frames_lost(frame: Frame, last: int | None) -> int | None:
    """Frames missing by sequence number, modulo; None where it does not tell."""
    if frame.sequence is None or last is None or not frame.modulus:
        return None
    return (frame.sequence - last - 1) % frame.modulus


class Stragglers:
    """Tells frames that come late from a clock or counter that went back.

    Parameters
    ----------
    most : int
        So many in a row, in order, are no stragglers.
    """

    def __init__(self, most: int = LATE_RUN) -> None:
        self._most = most
        self._run = 0
        self._last = 0

    def went_back(self, place: int) -> bool:
        """Whether so many in a row are behind, in order, that it is no straggler."""
        self._run = self._run + 1 if self._run and place > self._last else 1
        self._last = place
        if self._run < self._most:
            return False
        self._run = 0
        return True

    def clear(self) -> None:
        """A frame was in its place."""
        self._run = 0


class Timed:
    """Frames with the device time of their last sample, and perhaps a sequence number.

    Parameters
    ----------
    rate : Fraction
        Nominal rate.
    clock : DeviceClock
        The device's clock.
    """

    def __init__(self, rate: Fraction, clock: DeviceClock) -> None:
        self._nominal = float(rate)
        self._clock = clock
        self._epoch = clock.epoch
        self._last: int | None = None
        self._sequence: int | None = None
        self._size: int | None = None
        self._mixed = False
        self._samples = 0
        self._span = 0
        self._stragglers = Stragglers()

    def judge(self, frame: Frame, arrival_ns: int, outage: Outage) -> Verdict:
        """Judge the next frame."""
        device_ns = frame.device_ns
        if device_ns is None:
            # A frame without a time among frames with one: place it where it would continue.
            device_ns = (self._last or 0) + round(len(frame.values) / self._rate()[0] * NS)
        if self._last is not None and self._goes_on(frame, device_ns, self._last, outage):
            self._samples += len(frame.values)
            self._span += device_ns - self._last
            return self._take(frame, device_ns, Verdict(Word.CONTINUES, device_ns))
        # When a frame that was fetched again arrives says nothing.
        epoch = self._epoch if frame.again else self._clock.observe(device_ns, arrival_ns)
        if self._last is None:
            return self._take(frame, device_ns, Verdict(Word.BREAKS, device_ns))
        if epoch == self._epoch and device_ns <= self._last:
            if device_ns == self._last:
                return Verdict(Word.DUPLICATE)
            # Nothing overtakes across a new connection: what is behind then is a clock that went back.
            if outage.broken is not GapReason.DISCONNECT and not self._stragglers.went_back(device_ns):
                return Verdict(Word.LATE)
            self._clock.restart()
        if self._clock.epoch != self._epoch:
            since = arrival_ns - outage.since_ns
            gap = elapsed_gap(since, self._nominal, len(frame.values), GapReason.RESTART, least=False)
            return self._take(frame, device_ns, Verdict(Word.BREAKS, device_ns, gap))
        return self._take(
            frame, device_ns, Verdict(Word.BREAKS, device_ns, self._missing(frame, device_ns, self._last, outage))
        )

    def _rate(self) -> tuple[float, float]:
        """Rate and its relative error."""
        if self._span < LEARN_NS:
            return self._nominal, RATE_TOLERANCE
        return self._samples * NS / self._span, min(RATE_TOLERANCE, JITTER_NS / self._span + WANDER)

    def _goes_on(self, frame: Frame, device_ns: int, last: int, outage: Outage) -> bool:
        """Whether the frame's own time and number say that it follows the last one."""
        if outage.broken is not None or self._clock.epoch != self._epoch:
            return False
        n = len(frame.values)
        rate, _ = self._rate()
        lost = frames_lost(frame, self._sequence)
        some = lost is not None and 0 < lost < frame.modulus // 2
        return not some and abs((device_ns - last) / NS * rate - n) <= max(0.5, RATE_TOLERANCE * n + JITTER_NS / NS * rate)

    def _missing(self, frame: Frame, device_ns: int, last: int, outage: Outage) -> Gap:
        """Samples missing between the last frame and this one, by device time."""
        n = len(frame.values)
        rate, error = self._rate()
        expected = (device_ns - last) / NS * rate
        missing = expected - n
        half = expected * error + JITTER_NS / NS * rate
        least = 1 if outage.broken is None and missing > 0 else 0
        # A new connection may cut its frames elsewhere; a stall on a standing one does not.
        size = None if self._mixed or outage.broken is GapReason.DISCONNECT else self._size
        numbered = self._by_number(frame, missing, half)
        if numbered is not None:
            low = high = numbered
        elif half < 0.5:
            low = high = max(least, round(missing))
        elif size == n and missing > 0.5 and half < n / 2 and abs(missing - max(1, round(missing / n)) * n) <= half:
            low = high = max(1, round(missing / n)) * n
        else:
            low, high = max(least, math.floor(missing - half)), max(least, math.ceil(missing + half))
        return Gap(low, high, outage.reason)

    def _by_number(self, frame: Frame, missing: float, half: float) -> int | None:
        """Samples in the frames that are missing by number, if these agree with the time; None if they do not tell."""
        lost, n = frames_lost(frame, self._sequence), len(frame.values)
        if lost is None or self._mixed or self._size != n:
            return None
        # Numbers wrap; the time says how often. A frame made while nobody was connected has its number, too.
        wraps = max(0, round((missing / n - lost) / frame.modulus))
        samples = (lost + wraps * frame.modulus) * n
        return samples if abs(samples - missing) <= max(half, 0.5) else None

    def _take(self, frame: Frame, device_ns: int, verdict: Verdict) -> Verdict:
        if self._clock.epoch != self._epoch:
            self._samples = self._span = 0
        self._epoch = self._clock.epoch
        self._last, self._sequence = device_ns, frame.sequence
        self._mixed = self._mixed or (self._size is not None and self._size != len(frame.values))
        self._size = len(frame.values)
        self._stragglers.clear()
        return verdict
