"""Times as people write them: seconds from the recording's first sample, or ISO 8601 (UTC unless an offset is given)."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from feltsense.core.timeline import to_ns
from feltsense.errors import InputError

__all__ = ["session_ns"]

_NS_PER_US = 1000


def session_ns(text: str, start_ns: int) -> int:
    """Session time in ns.

    Parameters
    ----------
    text : str
        Seconds, or ISO 8601.
    start_ns : int
        The recording's first sample.

    Raises
    ------
    InputError
        If it is neither.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if math.isfinite(seconds):
        return start_ns + to_ns(seconds)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is no time: give seconds from the first sample, or ISO 8601 like 2026-03-01T09:30:00+01:00"
        raise InputError(msg) from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    since = when - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * _NS_PER_US
