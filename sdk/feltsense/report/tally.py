"""What a model said over many sessions, as counts: decisions, silences with their reasons, and what is not counted.

Windows do not overlap here (one a minute), so that counts are minutes and sessions and days add up.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from feltsense.report.say import Phrase

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feltsense.core.profile import UserProfile
    from feltsense.report.estimate import Estimate
    from feltsense.report.summary import ModelLine

__all__ = ["Card", "Tally", "card"]


@dataclass(frozen=True, slots=True)
class Tally:
    """Counted estimates of one target.

    Attributes
    ----------
    target, about : str
        The target, and the class that is decided about.
    labels : mapping of str to int
        Windows outside calibration with each decision.
    silent : mapping of str to int
        Windows outside calibration without a decision, by reason.
    open : int
        Decided windows in which another class cannot be ruled out.
    calibration : int
        Windows that overlap the calibration interval: not counted.
    """

    target: str
    about: str
    labels: Mapping[str, int]
    silent: Mapping[str, int]
    open: int
    calibration: int

    @property
    def decided(self) -> int:
        """Windows with a decision."""
        return sum(self.labels.values())

    @property
    def outside(self) -> int:
        """Windows outside the calibration interval."""
        return self.decided + sum(self.silent.values())

    @property
    def hits(self) -> int:
        """Windows decided as `about`."""
        return self.labels.get(self.about, 0)

    @classmethod
    def of(cls, estimate: Estimate) -> Tally:
        """Count a session's estimates."""
        e = estimate
        return cls(e.target, e.about, dict(e.labels), dict(e.silent), e.open, e.calibration)

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Tally:
        """From plain data; KeyError, TypeError or ValueError where it is none."""
        labels, silent = ({str(k): int(n) for k, n in content[name].items()} for name in ("labels", "silent"))
        text = str(content["target"]), str(content["about"])
        return cls(*text, labels, silent, int(content["open"]), int(content["calibration"]))

    @classmethod
    def together(cls, parts: Iterable[Tally | None]) -> Tally | None:
        """The sum of several; None without any."""
        found = [p for p in parts if p is not None]
        if not found:
            return None
        labels: Counter[str] = Counter()
        silent: Counter[str] = Counter()
        for p in found:
            labels.update(p.labels)
            silent.update(p.silent)
        by_name, by_size = sorted(labels.items()), sorted(silent.items(), key=lambda item: (-item[1], item[0]))
        first = found[0]
        sums = sum(p.open for p in found), sum(p.calibration for p in found)
        return cls(first.target, first.about, dict(by_name), dict(by_size), *sums)


@dataclass(frozen=True, slots=True)
class Card:
    """What made the estimates: the model's card in a few lines, the calibration's state, and whose profile it was."""

    model: ModelLine
    calibration: str
    subject: str = ""


def card(model: ModelLine, profile: UserProfile | None = None) -> Card:
    """The card of a model, with a person's profile or without."""
    if profile is None or not profile.intervals:
        said = "Not calibrated: no rest of this person is known, so the estimates are those for people in general."
        return Card(model, Phrase(said), "" if profile is None else profile.subject)
    seconds = sum(i.stop_ns - i.start_ns for i in profile.intervals) / 1e9
    return Card(model, Phrase("Calibrated to this person on {n} s of known rest.", {"n": f"{seconds:.0f}"}), profile.subject)
