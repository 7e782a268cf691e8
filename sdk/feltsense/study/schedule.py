"""When a study's prompts come on a day: fixed times, and random ones that keep their distance.

A day's random times follow from the seed and the date alone: an app that restarts plans the same day again.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, tzinfo

    from feltsense.study.schema import Prompt

__all__ = ["due"]


def due(prompts: Sequence[Prompt], day: date, seed: str, zone: tzinfo) -> list[tuple[datetime, Prompt]]:
    """Plan a day.

    Parameters
    ----------
    prompts : sequence of Prompt
        Of the study.
    day : date
        Which day.
    seed : str
        The participant's pseudonym: people get their random prompts at different times.
    zone : tzinfo
        Where the participant is.

    Returns
    -------
    list of (datetime, Prompt)
        In order of time.
    """
    out = [(_at(day, minute, zone), p) for p in prompts for minute in _minutes(p, day, seed)]
    return sorted(out, key=lambda item: (item[0], item[1].id))


def _minutes(prompt: Prompt, day: date, seed: str) -> list[float]:
    fixed = [float(_minute(t)) for t in prompt.times]
    if prompt.window is None:
        return fixed
    low, high = map(_minute, prompt.window)
    digest = hashlib.sha256(f"{seed}|{prompt.id}|{day.isoformat()}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    # Uniform over all sets that keep the distance: draw without it from what is left, then put the distance in.
    room = high - low - (prompt.count - 1) * prompt.apart_min
    drawn = np.sort(rng.uniform(0, room, prompt.count))
    return fixed + [low + float(u) + k * prompt.apart_min for k, u in enumerate(drawn)]


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _at(day: date, minute: float, zone: tzinfo) -> datetime:
    """A wall-clock time: on the day the clocks change, 09:00 is still 09:00."""
    plain = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 (the zone comes next)
    return plain.replace(tzinfo=zone, microsecond=0)
