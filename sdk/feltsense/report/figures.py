"""Three to five numbers of a session, at rest and afterwards, against the person's own baseline.

Rules
-----
- A number is the median over windows of one feature, with the range that holds the middle 80 % of them: both are
  in the feature's unit and neither is moved by a few bad windows.
- Rest is the known rest (the calibration interval). A window belongs to it when it lies wholly inside, to
  "afterwards" when it starts at or after its end. What straddles the border is in neither.
- The comparison is with the person's own rest, never with a population.
- The first feature of a row that was measured at all is shown, under its own name: pulse-derived variability is
  PRV, not HRV.
- A number that could be had in less than half of its windows is *thin*: it is shown, greyed, and said to be so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.timeline import NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feltsense.core.profile import RestInterval, UserProfile
    from feltsense.core.vector import FeatureVector
    from feltsense.core.window import Window

__all__ = ["FEATURES", "FURTHER", "THIN", "Figure", "Level", "Point", "figures", "level_of"]

THIN = 0.5
"""Below this share of usable windows a number is called thin (the share under which mindLAMP's portal calls a day
unreliable)."""

_LOW, _HIGH = 10, 90
"""Percentiles of the range shown: the middle 80 % of the windows."""

FEATURES: tuple[tuple[tuple[str, str, str], ...], ...] = (
    (("ecg.hr", "Heart rate", "bpm"), ("ppg.hr", "Heart rate (pulse)", "bpm")),
    (("ecg.rmssd", "RMSSD", "ms"), ("ppg.prv_rmssd", "PRV RMSSD (pulse)", "ms")),
    (("eda.scl_mean", "Skin conductance level (SCL)", "µS"),),
    (("eda.scr_rate_05", "Skin conductance responses (SCR ≥ 0.05 µS)", "1/min"),),
    (("skin_temperature.mean", "Skin temperature", "°C"),),
)
"""Rows of the table: for each, the features that could fill it, in order of preference: name, title, unit."""
FURTHER: tuple[tuple[tuple[str, str, str], ...], ...] = ((("ecg.sdnn", "SDNN", "ms"),),)
"""What other programs ask for and page one has no room for."""


@dataclass(frozen=True, slots=True)
class Level:
    """One feature over a set of windows.

    Attributes
    ----------
    usable, windows : int
        Windows in which the feature could be measured, of how many.
    median, low, high : float
        Median, 10th and 90th percentile over the usable windows; NaN without any.
    """

    usable: int
    windows: int
    median: float
    low: float
    high: float

    @property
    def share(self) -> float:
        """Usable share of the windows; 0 without windows."""
        return self.usable / self.windows if self.windows else 0.0


@dataclass(frozen=True, slots=True)
class Point:
    """One window's value: start and stop in seconds from the recording's first sample; NaN where there is none."""

    start_s: float
    stop_s: float
    value: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table of numbers, and its course.

    Attributes
    ----------
    feature, title, unit : str
        What it is.
    rest, after : Level
        During the known rest; afterwards, or over the whole recording where no rest is known.
    baseline : str
        Where the rest's numbers come from: ``"recording"``, ``"profile"`` or ``""`` (none).
    points : tuple of Point
        All windows in order.
    """

    feature: str
    title: str
    unit: str
    rest: Level
    after: Level
    baseline: str
    points: tuple[Point, ...]

    @property
    def change(self) -> float:
        """Median afterwards minus median at rest; NaN where either is missing."""
        return self.after.median - self.rest.median

    @property
    def thin(self) -> bool:
        """Whether too few windows were usable to lean on it."""
        at_rest = self.baseline == "recording" and self.rest.share < THIN
        return at_rest or self.after.share < THIN


def figures(
    vectors: Sequence[tuple[Window, FeatureVector]],
    t0_ns: int,
    rests: Sequence[RestInterval],
    profile: UserProfile | None,
    rows: Sequence[Sequence[tuple[str, str, str]]] = FEATURES,
) -> tuple[Figure, ...]:
    """Fill the table.

    Parameters
    ----------
    vectors : sequence of (Window, FeatureVector)
        Windows of the recording with their features.
    t0_ns : int
        The recording's first sample.
    rests : sequence of RestInterval
        Known rest inside this recording; may be empty.
    profile : UserProfile or None
        Gives the baseline where the rest was in another recording.
    rows : sequence, optional
        Rows to fill.
    """
    if not vectors:
        return ()
    known = vectors[0][1].schema.names
    found = []
    for row in rows:
        offered = [c for c in row if c[0] in known]
        if offered:
            best = next((c for c in offered if any(math.isfinite(v[c[0]]) for _, v in vectors)), offered[0])
            found.append(_figure(best, vectors, t0_ns, rests, profile))
    return tuple(found)


def _figure(
    column: tuple[str, str, str],
    vectors: Sequence[tuple[Window, FeatureVector]],
    t0_ns: int,
    rests: Sequence[RestInterval],
    profile: UserProfile | None,
) -> Figure:
    feature, title, unit = column
    points = tuple(Point((w.start_ns - t0_ns) / NS, (w.stop_ns - t0_ns) / NS, v[feature]) for w, v in vectors)
    inside = [any(r.start_ns <= w.start_ns and w.stop_ns <= r.stop_ns for r in rests) for w, _ in vectors]
    end = max((r.stop_ns for r in rests), default=t0_ns)
    beyond = [w.start_ns >= end for w, _ in vectors]
    rest, baseline = level_of([p.value for p, i in zip(points, inside, strict=True) if i]), "recording"
    if not rests:
        rest, baseline = _from_profile(profile, feature)
    after = level_of([p.value for p, b in zip(points, beyond, strict=True) if b])
    return Figure(feature, title, unit, rest, after, baseline, points)


def level_of(values: Sequence[float]) -> Level:
    """Level of windows' values, NaN where there is none."""
    good = np.array([v for v in values if math.isfinite(v)])
    if not len(good):
        return Level(0, len(values), math.nan, math.nan, math.nan)
    low, median, high = np.percentile(good, (_LOW, 50, _HIGH))
    return Level(len(good), len(values), float(median), float(low), float(high))


def _from_profile(profile: UserProfile | None, feature: str) -> tuple[Level, str]:
    """Level of an earlier rest: a profile keeps mean and standard deviation, no percentiles."""
    moments = None if profile is None else profile.rest.get(feature)
    if moments is None:
        return Level(0, 0, math.nan, math.nan, math.nan), ""
    spread = 0.0 if math.isnan(moments.sd) else moments.sd
    return Level(moments.n, moments.n, moments.mean, moments.mean - spread, moments.mean + spread), "profile"
