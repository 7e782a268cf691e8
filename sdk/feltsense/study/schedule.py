"""When prompts come: at fixed times, at random in a window, and after a detected change.

Rules
-----
- A day's plan follows from the prompts, the participant and the date alone: an app that restarts plans the same again.
- A prompt at its time has a key, the same after a restart: a log of keys is all that an app must keep.
- After a change a prompt comes at most once in its pause, and never outside its window: nobody is woken.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np

from feltsense.core.timeline import NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, tzinfo

__all__ = ["Due", "Planned", "When", "after_change", "changes_of", "due", "minute_of"]

_CHANGE = "change"


@dataclass(frozen=True, slots=True)
class When:
    """When a prompt comes.

    Attributes
    ----------
    times : tuple of str
        Fixed times of day, ``HH:MM``.
    window : (str, str) or None
        Between which `count` more come at random, at least `apart_min` minutes apart; also the time of day in which a
        change may ask.
    after_change : bool
        Whether it also comes after a detected change of the estimate.
    pause_min : float
        Least minutes between two that a change asked for.
    expires_min : float
        Minutes after which it is not asked any more.
    """

    times: tuple[str, ...] = ()
    window: tuple[str, str] | None = None
    count: int = 0
    apart_min: float = 60.0
    after_change: bool = False
    pause_min: float = 60.0
    expires_min: float = 30.0


class Planned(Protocol):
    """Anything that is asked: a study's prompt, an app's own."""

    @property
    def id(self) -> str:
        """Which one."""

    @property
    def when(self) -> When:
        """When it comes."""


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A prompt at its time.

    Attributes
    ----------
    t_ns, expires_ns : int
        From when to when it can be answered, Unix ns.
    key : str
        Prompt, day and number, or prompt and moment of the change: the same after a restart.
    prompt : str
        Id of the prompt.
    """

    t_ns: int
    key: str
    prompt: str
    expires_ns: int


def due(prompts: Sequence[Planned], day: date, seed: str, zone: tzinfo) -> list[Due]:
    """Plan a day.

    Parameters
    ----------
    prompts : sequence of Planned
        Of the study.
    day : date
        Which day, where the participant is.
    seed : str
        The participant's pseudonym: people get their random prompts at different times.
    zone : tzinfo
        Where the participant is.

    Returns
    -------
    list of Due
        In order of time.
    """
    return sorted(
        _due(_at(day, minute, zone), f"{p.id}/{day.isoformat()}/{number}", p)
        for p in prompts
        for number, minute in enumerate(_minutes(p, day, seed))
    )


def after_change(prompts: Iterable[Planned], now_ns: int, keys: Iterable[str], zone: tzinfo) -> list[Due]:
    """What a detected change asks.

    Parameters
    ----------
    prompts : iterable of Planned
        Of the study.
    now_ns : int
        When the change was detected, Unix ns.
    keys : iterable of str
        Keys of what came before, as an app's log has them: they say when a change asked last.
    zone : tzinfo
        Where the participant is.
    """
    last: dict[str, int] = {}
    for prompt, kind, moment in (key.rsplit("/", 2) for key in keys if key.count("/") >= 2):
        if kind == _CHANGE:
            last[prompt] = max(last.get(prompt, -(2**63)), int(moment))
    local = datetime.fromtimestamp(now_ns / NS, zone)
    minute = local.hour * 60 + local.minute
    return [
        _due(now_ns, f"{p.id}/{_CHANGE}/{now_ns}", p)
        for p in prompts
        if p.when.after_change
        and (p.when.window is None or minute_of(p.when.window[0]) <= minute < minute_of(p.when.window[1]))
        and (p.id not in last or now_ns - last[p.id] >= p.when.pause_min * 60 * NS)
    ]


def changes_of(prompts: Iterable[Planned], keys: Iterable[str]) -> list[Due]:
    """What changes asked for before a restart, as an app's log has it."""
    known = {p.id: p for p in prompts}
    split = ((key, *key.rsplit("/", 2)) for key in sorted(set(keys)) if key.count("/") >= 2)
    return [_due(int(moment), key, known[p]) for key, p, kind, moment in split if kind == _CHANGE and p in known]


def minute_of(time: str) -> int:
    """Minutes since midnight of ``HH:MM``."""
    return int(time[:2]) * 60 + int(time[3:])


def _due(t_ns: int, key: str, prompt: Planned) -> Due:
    return Due(t_ns, key, prompt.id, t_ns + int(prompt.when.expires_min * 60 * NS))


def _minutes(prompt: Planned, day: date, seed: str) -> list[float]:
    when = prompt.when
    fixed = [float(minute_of(t)) for t in when.times]
    if when.window is None or not when.count:
        return fixed
    low, high = map(minute_of, when.window)
    digest = hashlib.sha256(f"{seed}|{prompt.id}|{day.isoformat()}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    # Uniform over all sets that keep the distance: draw without it from what is left, then put the distance in.
    room = high - low - (when.count - 1) * when.apart_min
    drawn = np.sort(rng.uniform(0, room, when.count))
    return fixed + [low + float(u) + k * when.apart_min for k, u in enumerate(drawn)]


def _at(day: date, minute: float, zone: tzinfo) -> int:
    """A wall-clock time: on the day the clocks change, 09:00 is still 09:00."""
    plain = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 (the zone comes next)
    return int(plain.replace(tzinfo=zone, microsecond=0).timestamp()) * NS
