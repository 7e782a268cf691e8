"""Take a session's update of a profile back, exactly, whatever came after it.

What a session saw is the difference of the profile after it and before it; histograms are whole milliseconds, so that
taking it out leaves what would be there without that session.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from feltsense.errors import ProfileError
from feltsense.fusion.drift import since

if TYPE_CHECKING:
    from feltsense.core.profile import UserProfile

__all__ = ["taken_back"]


def taken_back(profile: UserProfile, before: UserProfile, after: UserProfile) -> UserProfile:
    """The profile without what one session saw, and a line about it in its lineage.

    Parameters
    ----------
    profile : UserProfile
        As it is now; the one right after the session, or a later one.
    before, after : UserProfile
        As it was before and after the session.

    Raises
    ------
    ProfileError
        If they are not three states of one profile under one calibration, or so much was never seen.
    """
    if any((p.subject, p.rest) != (profile.subject, profile.rest) for p in (before, after)) or profile.bins != after.bins:
        msg = "the three are not states of one profile: another person, calibration or model"
        raise ProfileError(msg)
    session = since(after.seen, before.seen)
    seconds = max((sum(c) for c in session.values()), default=0) / 1000
    out = profile.unsaw(session, after.bins)
    return replace(out, lineage=(*profile.lineage, f"took back {seconds:g} s that a session had seen"))
