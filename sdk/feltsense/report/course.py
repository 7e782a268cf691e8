"""Many sessions of one person as pure data: days with their numbers, how much of them is usable, and own answers.

Rules
-----
- A session is reduced to a :class:`Digest` once (:mod:`feltsense.report.digest`): every window's value of the report's
  features, without overlap (one a minute). What is compared later are medians of a day's windows, never medians of
  medians.
- A day is a day of the given zone. A day whose usable windows are less than half, or fewer than ten, is *thin*: shown
  greyed, and left out of every range.
- The own range of a number is the middle 80 % of the usable days; the comparison is the last seven days with the days
  before them. No other people are in it.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.core.timeline import NS
from feltsense.report.figures import FEATURES, THIN
from feltsense.report.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import tzinfo

__all__ = ["Answer", "Course", "Day", "Digest", "Trend", "course"]

LEAST_WINDOWS = 10
"""Fewer usable minutes than this say nothing about a day."""
RECENT_DAYS = 7


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a prompt: when (Unix ns), which prompt, and its number."""

    t_ns: int
    prompt: str
    value: float


@dataclass(frozen=True, slots=True)
class Digest:
    """What the course needs of one session.

    Attributes
    ----------
    subject : str
        Pseudonym.
    start_ns : int
        First sample.
    seconds, coverage : float
        Length, and mean share of it in which the streams with a rate have a reading.
    devices : tuple of str
        What recorded it.
    gaps : int
        Gaps of streams with a rate.
    windows : tuple of int
        Start of each window, Unix ns.
    values : mapping of str to tuple of float or None
        Feature → value of each window; None where there is none.
    corrected : float or None
        Share of beats that a correction would change.
    answers : tuple of Answer
        Self-reports.
    tally : Tally or None
        What the model said, a window a minute; None where none was asked.
    """

    subject: str
    start_ns: int
    seconds: float
    coverage: float
    devices: tuple[str, ...]
    gaps: int
    windows: tuple[int, ...]
    values: Mapping[str, tuple[float | None, ...]]
    corrected: float | None
    answers: tuple[Answer, ...]
    tally: Tally | None = None

    def plain(self) -> dict[str, Any]:
        """As data that JSON holds."""
        return asdict(self)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Digest:
        """From :meth:`plain`; KeyError, TypeError or ValueError where it is none."""
        return cls(
            str(content["subject"]),
            int(content["start_ns"]),
            float(content["seconds"]),
            float(content["coverage"]),
            tuple(map(str, content["devices"])),
            int(content["gaps"]),
            tuple(map(int, content["windows"])),
            {str(k): tuple(None if x is None else float(x) for x in v) for k, v in content["values"].items()},
            None if content["corrected"] is None else float(content["corrected"]),
            tuple(Answer(int(a["t_ns"]), str(a["prompt"]), float(a["value"])) for a in content["answers"]),
            None if content["tally"] is None else Tally.parse(content["tally"]),
        )


@dataclass(frozen=True, slots=True)
class Trend:
    """One number of one day: median over its usable windows (NaN without), of how many windows."""

    median: float
    usable: int
    windows: int

    @property
    def share(self) -> float:
        """Usable share of the windows."""
        return self.usable / self.windows if self.windows else 0.0

    @property
    def thin(self) -> bool:
        """Whether too little was usable to lean on it."""
        return self.share < THIN or self.usable < LEAST_WINDOWS


@dataclass(frozen=True, slots=True)
class Day:
    """One day: seconds recorded, coverage of what was recorded, each number, the answers, and what a model said."""

    day: date
    sessions: int
    seconds: float
    coverage: float
    trends: Mapping[str, Trend]
    answers: tuple[Answer, ...]
    tally: Tally | None = None

    @property
    def estimates(self) -> Trend | None:
        """Share of the decided minutes that the model decided for what it is about, of how many minutes."""
        t = self.tally
        if t is None or not t.outside:
            return None
        return Trend(t.hits / t.decided if t.decided else math.nan, t.decided, t.outside)


@dataclass(frozen=True, slots=True)
class Course:
    """A person's days.

    Attributes
    ----------
    subject : str
        Pseudonym.
    days : tuple of Day
        Every day of the span, also those without a recording.
    features : tuple of (str, str, str)
        Name, title and unit of the numbers that were measured at all.
    devices : tuple of str
        What recorded them.
    corrected : float or None
        Median share of beats that a correction would change.
    """

    subject: str
    days: tuple[Day, ...]
    features: tuple[tuple[str, str, str], ...]
    devices: tuple[str, ...]
    corrected: float | None

    def good(self, feature: str, days: Sequence[Day] | None = None) -> list[float]:
        """Medians of the days that are not thin."""
        found = [d.trends[feature] for d in (self.days if days is None else days) if feature in d.trends]
        return [t.median for t in found if not t.thin]

    def range(self, feature: str) -> tuple[float, float, float]:
        """Median and middle 80 % of the usable days before the last seven; NaN with fewer than three."""
        values = self.good(feature, self.days[:-RECENT_DAYS])
        if len(values) < 3:
            return (math.nan,) * 3
        low, median, high = np.percentile(values, (10, 50, 90))
        return float(median), float(low), float(high)

    def recent(self, feature: str) -> float:
        """Median of the usable ones of the last seven days; NaN without."""
        values = self.good(feature, self.days[-RECENT_DAYS:])
        return statistics.median(values) if values else math.nan

    @property
    def recorded(self) -> int:
        """Days with a recording."""
        return sum(d.sessions > 0 for d in self.days)

    @property
    def tally(self) -> Tally | None:
        """What the model said over all days."""
        return Tally.together(d.tally for d in self.days)

    @property
    def coverage(self) -> float:
        """Mean coverage of what was recorded, each second counting the same."""
        seconds = sum(d.seconds for d in self.days)
        return sum(d.seconds * d.coverage for d in self.days) / seconds if seconds else 0.0


def course(digests: Iterable[Digest], days: int, zone: tzinfo = UTC, until_ns: int | None = None) -> Course:
    """Arrange a person's sessions by day.

    Parameters
    ----------
    digests : iterable of Digest
        Sessions of one person, at least one.
    days : int
        Length of the span, in days.
    zone : tzinfo, optional
        Where the person's days begin.
    until_ns : int, optional
        A moment of the span's last day; default the last session's.

    Raises
    ------
    ValueError
        If there is no session, or they are of several people.
    """
    sessions = sorted(digests, key=lambda d: d.start_ns)
    people = {d.subject for d in sessions}
    if len(people) != 1:
        msg = f"a course is of one person, these sessions are of {len(people)}"
        raise ValueError(msg)
    last = _day(sessions[-1].start_ns if until_ns is None else until_ns, zone)
    span = [last - timedelta(days=k) for k in reversed(range(days))]
    inside = [d for d in sessions if span[0] <= _day(d.start_ns, zone) <= last]
    by_day: dict[date, list[Digest]] = defaultdict(list)
    for d in inside:
        by_day[_day(d.start_ns, zone)].append(d)
    measured = {n for d in inside for n, v in d.values.items() if any(x is not None for x in v)}
    features = tuple(c for row in FEATURES for c in row if c[0] in measured)
    corrected = [d.corrected for d in inside if d.corrected is not None]
    return Course(
        people.pop(),
        tuple(_of_day(day, by_day.get(day, []), [f[0] for f in features]) for day in span),
        features,
        tuple(dict.fromkeys(name for d in inside for name in d.devices)),
        statistics.median(corrected) if corrected else None,
    )


def _of_day(day: date, sessions: Sequence[Digest], features: Sequence[str]) -> Day:
    trends = {}
    for feature in features:
        values = [x for d in sessions for x in d.values.get(feature, (None,) * len(d.windows))]
        good = [x for x in values if x is not None]
        if values:
            trends[feature] = Trend(statistics.median(good) if good else math.nan, len(good), len(values))
    seconds = sum(d.seconds for d in sessions)
    covered = sum(d.seconds * d.coverage for d in sessions) / seconds if seconds else 0.0
    answers = tuple(sorted((a for d in sessions for a in d.answers), key=lambda a: a.t_ns))
    return Day(day, len(sessions), seconds, covered, trends, answers, Tally.together(d.tally for d in sessions))


def _day(t_ns: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(t_ns // NS, zone).date()
