"""``feltsense drift``: whether a person still looks like before."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    p = subparsers.add_parser(
        "drift", help="compare what a profile has seen with earlier, or with the training people",
        description="Both measures (PSI, KS) of each input, and whether it is time to calibrate again.",
    )
    p.add_argument("profile", help="a profile, from: feltsense predict --profile-out")
    p.add_argument("--since", metavar="PROFILE", help="an earlier state of it (default: compare with the training people)")
    p.add_argument("--model", metavar="BUNDLE", help="model that it was used with (default: the shipped one for stress)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare and tell."""
    from feltsense import bundle
    from feltsense.core.profile import UserProfile
    from feltsense.errors import ProfileError
    from feltsense.fusion.drift import drift, since

    model = bundle.load(args.model, runner="numpy").model
    profile = UserProfile.load(args.profile)
    earlier = UserProfile.load(args.since) if args.since else None
    for path, p in ((args.profile, profile), (args.since, earlier)):
        if p is not None and p.bins != model.adaptive.digest:
            why = "was counted for another model: name it with --model" if p.bins else "has seen nothing yet"
            msg = f"{path}: the profile {why}"
            raise ProfileError(msg)
    if earlier is not None and (earlier.subject != profile.subject or earlier.rest != profile.rest):
        msg = f"{args.since}: of another person or another calibration, which cannot be compared"
        raise ProfileError(msg)
    seen = since(profile.seen, earlier.seen) if earlier is not None else profile.seen
    found = drift(model.adaptive, model.inputs, seen, model.window_s, earlier.seen if earlier is not None else None)
    for i in found.inputs:
        sys.stdout.write(f"{i.name:<40} PSI {i.psi:5.2f}  KS {i.ks:4.2f}{'  drifted' if i.drifted else ''}\n")
    if found.unjudged:
        sys.stdout.write(f"too little time to judge: {', '.join(found.unjudged)}\n")
    sys.stdout.write(f"{found.text}\n")
    return 0
