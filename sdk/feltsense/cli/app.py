"""``feltsense app``: the participant's app, on a desktop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import argparse

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    p = commands.add_parser(
        "app",
        help="the participant's app in a window",
        description="The participant's app: join a study, consent, pair, rest, record. With --demo it needs no hardware.",
    )
    p.add_argument("--demo", action="store_true", help="virtual sensors on a synthetic person; the study code is: demo")
    p.add_argument("--from", dest="source", type=Path, metavar="RECORDING", help="with --demo: play this recording")
    p.add_argument("--speed", type=float, default=1.0, metavar="X", help="with --demo: times real time")
    p.add_argument("--folder", type=Path, metavar="DIR", help="where the app keeps its files")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show the window until it is closed."""
    if not args.speed > 0:
        msg = "--speed must be positive"
        raise InputError(msg)
    if not args.demo and (args.source is not None or args.speed != 1.0):
        msg = "--from and --speed are for virtual sensors: add --demo"
        raise InputError(msg)
    import logging
    from importlib.util import find_spec

    # Found, not imported: what Kivy writes into the home directory is decided before (feltsense_app.main).
    if find_spec("kivy") is None:
        raise MissingExtraError("app", "the participant's app")

    from feltsense_app import start

    logging.getLogger("bumble").setLevel(logging.ERROR)
    if not args.demo:
        start.desktop(args.folder)
        return 0
    from feltsense.datasets.synthetic import participant
    from feltsense.importers import open_recording

    start.demonstrate(participant(1) if args.source is None else open_recording(args.source), args.speed, args.folder)
    return 0
