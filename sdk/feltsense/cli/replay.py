"""``feltsense replay``: a recording played through a live session."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.errors import InputError

if TYPE_CHECKING:
    import argparse

    from feltsense.core.chunk import Chunk
    from feltsense.core.event import Event
    from feltsense.core.recording import Recording

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    p = commands.add_parser(
        "replay",
        help="play a recording as if it were live",
        description="Play a recording through a session and show its estimates as they would have come: exactly the numbers "
        "of `feltsense predict`.",
    )
    p.add_argument("recording", type=Path, help="a .felt file, an E4 folder or zip, or a capture")
    p.add_argument("--speed", type=float, default=60.0, help="times real time; 0: as fast as it goes (default: %(default)g)")
    p.add_argument("--profile", type=Path, metavar="USER.json", help="profile made by: feltsense calibrate")
    p.add_argument("--model", type=Path, metavar="BUNDLE", help="model bundle (default: the one that comes with feltsense)")
    p.add_argument("--hop", type=float, default=5.0, help="seconds between two estimates (default: %(default)g)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play it."""
    if not args.speed >= 0:
        msg = f"--speed must be 0 or more, got {args.speed:g}"
        raise InputError(msg)
    from feltsense import bundle
    from feltsense.cli._live import Screen
    from feltsense.core.profile import UserProfile
    from feltsense.session import Session
    from feltsense.watch import look

    recording = _open(args.recording)
    profile = None if args.profile is None else UserProfile.load(args.profile)
    pace = f"x{args.speed:g}" if args.speed else "as fast as it goes"
    screen = Screen(sys.stdout, recording.seconds, f"{recording.subject}, recorded earlier, replayed {pace}")
    session = Session(recording.infos(), bundle.load(args.model), profile, args.hop, recording.start_ns)
    begun = time.monotonic()
    for item in recording.items():
        if args.speed:
            due = (_known_ns(item) - recording.start_ns) / 1e9 / args.speed
            time.sleep(max(0.0, due - (time.monotonic() - begun)))
        for seen in look(session, session.push(item)):
            screen.show(seen.end_s, seen.prediction, seen.vector)
    for seen in look(session, session.finish()):
        screen.show(seen.end_s, seen.prediction, seen.vector)
    screen.close()
    return 0


def _open(path: Path) -> Recording:
    """A recording, or a capture decoded again."""
    from feltsense_bridge.capture import is_capture

    if is_capture(path):
        from feltsense_bridge.replay import Replay

        return Replay(path).recording()
    from feltsense.importers import open_recording

    return open_recording(path)


def _known_ns(item: Chunk | Event) -> int:
    from feltsense.core.chunk import Chunk

    return item.last_ns if isinstance(item, Chunk) else item.t_ns
