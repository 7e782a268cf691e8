"""From windows to episodes, and from episodes to a session: when a state began, was strongest and ended.

Rules
-----
- Causal. An estimate belongs to the end of its window, and an episode is told once it is over: at the first estimate
  below :data:`LEAVE`, or, where the answers stop, at the first window more than :data:`BRIDGE_S` later
  (:attr:`Episode.told_ns`). Begin and end are ends of windows: what is in the body began up to a window earlier.
- Hysteresis: begun at :data:`ENTER`, over below :data:`LEAVE`, so that a probability that trembles around one line does
  not make many episodes out of one.
- No answer is no evidence. A silence of at most :data:`BRIDGE_S` between two estimates that both belong to the state is
  bridged and told (:attr:`Episode.bridged_s`, never part of a mean, a length that decides or a share); a longer one ends
  the episode at the last answer. A begin or an end that nobody saw is marked, not guessed.
- An episode with less than :data:`LEAST_S` of answered time is counted as brief and not listed.
- Windows come one by one, so the episodes are the same however they were grouped. Another hop sees begin and end at its
  own window ends: within the coarser hop, as long as the course does not turn within a hop and no length, silence or
  probability lies that near its limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feltsense.core.timeline import NS, to_ns
from feltsense.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feltsense.core.prediction import Prediction

__all__ = ["BRIDGE_S", "ENTER", "LEAST_S", "LEAVE", "Episode", "Episodes", "StateSummary"]

ENTER = 0.5
"""More likely than everything else together: where a model of two classes decides for the state, too."""
LEAVE = 0.4
"""Odds of 2 : 3. The estimate is smoothed, so that less than this is no tremble; nearer to a half it would be."""
LEAST_S = 60.0
"""Shorter than a window of the shipped model an episode is one piece of evidence that passes through the windows."""
BRIDGE_S = 60.0
"""Up to here the windows on both sides of a silence touch; beyond, part of it is in no answered window."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of time in one state.

    Attributes
    ----------
    target, state : str
        What is estimated, and the class.
    onset_ns, peak_ns, end_ns : int
        First window end in the state; that of the largest probability (the first of equals); the first window end
        after the state, or the last answer where the answers stop.
    peak, mean : float
        Largest and mean probability of the answered windows, 0..1.
    answered_s, bridged_s : float
        Seconds of it with an answer, and bridged ones without.
    onset_seen, end_seen : bool
        False where the state was there at the first answer, or still there at the last.
    told_ns : int
        Window end at which the episode was known to be over: its delay is ``told_ns - end_ns``.
    """

    target: str
    state: str
    onset_ns: int
    peak_ns: int
    end_ns: int
    peak: float
    mean: float
    answered_s: float
    bridged_s: float
    onset_seen: bool
    end_seen: bool
    told_ns: int


@dataclass(frozen=True, slots=True)
class StateSummary:
    """One state over a session.

    Attributes
    ----------
    state : str
        The class.
    episodes, brief : int
        Listed episodes, and stretches too short to be listed.
    seconds, answered_s : float
        Answered seconds within listed episodes, and of the session.
    longest_s : float
        From onset to end of the longest; NaN without any.
    """

    state: str
    episodes: int
    brief: int
    seconds: float
    answered_s: float
    longest_s: float

    @property
    def share(self) -> float:
        """Share of the answered time within episodes; NaN where nothing was answered."""
        return self.seconds / self.answered_s if self.answered_s else float("nan")


@dataclass(slots=True)
class _Open:
    """A stretch that is not over."""

    onset: int
    seen: bool
    peak_at: int
    peak: float
    windows: int = 0
    total: float = 0.0
    bridged: int = 0


@dataclass(slots=True)
class _State:
    """Where one class stands, and what is kept of its past."""

    name: str
    open: _Open | None = None
    episodes: int = 0
    brief: int = 0
    seconds: float = 0.0
    longest: float = float("nan")


class Episodes:
    """Finds the episodes in a stream of predictions.

    Parameters
    ----------
    states : sequence of str
        Classes to follow, each by itself.
    hop_s : float
        Seconds between windows: an answered window stands for so many.

    Raises
    ------
    InputError
        If no state is named, or the hop is not above 0.
    """

    def __init__(self, states: Sequence[str], hop_s: float) -> None:
        if not states or not 0 < hop_s < float("inf"):
            msg = f"episodes of {list(states)} every {hop_s:g} s: name at least one class, and a hop above 0 s"
            raise InputError(msg)
        self._states = [_State(name) for name in dict.fromkeys(states)]
        self._hop, self._bridge = to_ns(hop_s), to_ns(BRIDGE_S)
        self._target = ""
        self._now: int | None = None
        self._last: int | None = None
        self._answered = 0

    def push(self, *predictions: Prediction) -> list[Episode]:
        """Take the next windows, in order; the episodes that are over with them.

        Raises
        ------
        InputError
            If a window is not later than the one before, is of another target, or lacks a followed class.
        """
        return [episode for p in predictions for episode in self._push(p)]

    def finish(self) -> list[Episode]:
        """The stream is over: what is still open ends at the last answer, not seen to end."""
        out = self._stop()
        self._last = None
        return out

    def summary(self) -> list[StateSummary]:
        """Each state over everything so far; an open episode counts once it is over."""
        answered = self._answered / NS
        return [StateSummary(s.name, s.episodes, s.brief, s.seconds, answered, s.longest) for s in self._states]

    def _push(self, p: Prediction) -> list[Episode]:
        self._check(p)
        self._now = p.stop_ns
        out: list[Episode] = []
        if self._last is not None and p.stop_ns - self._last - self._hop > self._bridge:
            out = self._stop()
            self._last = None
        if not _answered(p):
            return out
        step = self._hop if self._last is None else min(self._hop, p.stop_ns - self._last)
        gap = 0 if self._last is None else p.stop_ns - self._last - step
        for state in self._states:
            out += self._judge(state, p, step, gap)
        self._answered += step
        self._last = p.stop_ns
        return out

    def _judge(self, state: _State, p: Prediction, step: int, gap: int) -> list[Episode]:
        """One answered window, `gap` ns of silence after the last one."""
        value, now = p.probabilities[state.name], p.stop_ns
        out: list[Episode] = []
        if state.open is not None and value < LEAVE:
            out = self._close(state, state.open, now - gap - step if gap else now, seen=gap == 0)
        elif state.open is None and value >= ENTER:
            state.open = _Open(now, self._last is not None and gap == 0, now, value)
        run = state.open
        if run is not None:
            run.windows += 1
            run.total += value
            if now > run.onset:
                run.bridged += gap
            if value > run.peak:
                run.peak, run.peak_at = value, now
        return out

    def _stop(self) -> list[Episode]:
        """The answers have stopped: close what is open at the last one."""
        last = self._last
        if last is None:
            return []
        return [e for s in self._states if s.open is not None for e in self._close(s, s.open, last, seen=False)]

    def _close(self, state: _State, run: _Open, end: int, *, seen: bool) -> list[Episode]:
        state.open = None
        answered = (end - run.onset - run.bridged) / NS
        if answered < LEAST_S:
            state.brief += 1
            return []
        state.episodes += 1
        state.seconds += answered
        length = (end - run.onset) / NS
        state.longest = length if not state.longest > length else state.longest
        return [
            Episode(
                self._target, state.name, run.onset, run.peak_at, end, run.peak, run.total / run.windows,
                answered, run.bridged / NS, run.seen, seen, end if self._now is None else self._now,
            )
        ]

    def _check(self, p: Prediction) -> None:
        if self._now is not None and p.stop_ns <= self._now:
            msg = f"a window that ends at {p.stop_ns} ns came after one that ends at {self._now} ns: push them in order"
            raise InputError(msg)
        if self._target and p.target != self._target:
            msg = f"a window of {p.target!r} among those of {self._target!r}: give each target its own Episodes"
            raise InputError(msg)
        unknown = [s.name for s in self._states if s.name not in p.probabilities] if p.probabilities else []
        if unknown:
            msg = f"the model of {p.target!r} has no class {', '.join(unknown)}; it has {', '.join(p.probabilities)}"
            raise InputError(msg)
        self._target = p.target


def _answered(p: Prediction) -> bool:
    return bool(p.probabilities) and not p.abstained
