"""The phone's local time, as it is at each moment: summer time begins while the app runs, and people travel."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, tzinfo

__all__ = ["LocalZone"]


class LocalZone(tzinfo):
    """Local time by the system's rules, asked anew for every moment."""

    def utcoffset(self, when: datetime | None) -> timedelta:
        """Local time minus UTC at a local moment."""
        at = time.localtime() if when is None else time.localtime(time.mktime((*when.timetuple()[:8], -1)))
        return timedelta(seconds=at.tm_gmtoff)

    def dst(self, when: datetime | None) -> timedelta:
        """Summer time is in the offset already."""
        return timedelta(0)

    def tzname(self, when: datetime | None) -> str:
        """As the system names it."""
        return time.tzname[0]

    def fromutc(self, when: datetime) -> datetime:
        """A moment of UTC, in local time."""
        offset = time.localtime(when.replace(tzinfo=UTC).timestamp()).tm_gmtoff
        return when + timedelta(seconds=offset)
