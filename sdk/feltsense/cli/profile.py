"""``feltsense profile``: read a profile, or take a session's update of it back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    p = subparsers.add_parser("profile", help="show a profile, or take a session's update of it back")
    actions = p.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="what a profile knows, in a few lines")
    show.add_argument("profile", help="a profile")
    show.set_defaults(run=_show)
    back = actions.add_parser("revert", help="the profile without what one session saw; later sessions stay")
    back.add_argument("profile", help="the profile as it is now")
    back.add_argument("--before", required=True, metavar="PROFILE", help="as it was before the session")
    back.add_argument("--after", required=True, metavar="PROFILE", help="as it was after it (predict --profile-out)")
    back.add_argument("--out", required=True, metavar="PROFILE", help="profile to write")
    back.set_defaults(run=_revert)


def _show(args: argparse.Namespace) -> int:
    from feltsense.core.profile import UserProfile

    p = UserProfile.load(args.profile)
    rest = max((p.seconds(n) for n in p.rest), default=0.0)
    seen = max((sum(c) for c in p.seen.values()), default=0) / 1000
    known = f"{len(p.rest)} features over {rest:g} s of rest"
    sys.stdout.write(f"{p.subject}: {known}; {len(p.seen)} inputs seen for {seen:g} s\n")
    if p.about:
        sys.stdout.write(f"  {', '.join(f'{n}: {v}' for n, v in p.about.items())}\n")
    for line in p.lineage:
        sys.stdout.write(f"  {line}\n")
    return 0


def _revert(args: argparse.Namespace) -> int:
    from feltsense.core.profile import UserProfile
    from feltsense.fusion.history import taken_back

    now, before, after = (UserProfile.load(path) for path in (args.profile, args.before, args.after))
    out = taken_back(now, before, after)
    out.save(args.out)
    sys.stdout.write(f"{args.out}: {out.lineage[-1]}\n")
    return 0
