"""``feltsense demo``: the whole road in one command, without hardware and without a network."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.errors import FeltsenseError, InputError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from feltsense.bundle import Bundle
    from feltsense.cli._stage import Cast
    from feltsense.core.prediction import Prediction
    from feltsense.core.recording import Recording
    from feltsense.watch import Calibrating

__all__ = ["add", "run"]

REST_S = 270.0
"""Known rest at the beginning: eight windows of a minute every 30 s, the calibration of the model's own evaluation."""
MINUTES = 14.0
"""Of a synthetic session: long enough for rest, stress and recovery."""
SPEED = 35.0
"""14 minutes in 24 s; two slow cores keep up."""
HOP_S = 5.0
FILES = ("session.felt", "profile.json", "predictions.csv", "report.html")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    p = commands.add_parser(
        "demo",
        help="see everything work: virtual sensors, live estimates, a report",
        description="Virtual sensors over a virtual radio, recorded, calibrated and estimated live, then a report. "
        "No hardware and no network.",
    )
    p.add_argument("--from", dest="source", type=Path, metavar="RECORDING", help="play this .felt file, E4 folder or zip")
    p.add_argument("--out", type=Path, metavar="DIR", help="new folder for the files (default: demo-output/run-N)")
    p.add_argument("--seed", type=int, default=1, metavar="N", help="which synthetic person (default: %(default)s)")
    p.add_argument("--speed", type=float, default=SPEED, metavar="X", help="times real time (default: %(default)g)")
    p.add_argument("--minutes", type=float, metavar="M", help=f"length to play (default: {MINUTES:g}, or all of RECORDING)")
    p.add_argument("--model", type=Path, metavar="BUNDLE", help="model bundle (default: the one that comes with feltsense)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play, record, estimate, report."""
    if not args.speed > 0 or (args.minutes is not None and not args.minutes > 0):
        msg = "--speed and --minutes must be positive"
        raise InputError(msg)
    import asyncio
    import logging

    from feltsense import bundle
    from feltsense.cli._live import Screen
    from feltsense.cli._stage import Set, cast, perform

    # The simulated radio warns of packets that were on the way when a sensor vanished: that is what the demo shows.
    logging.getLogger("bumble").setLevel(logging.ERROR)
    begun = time.monotonic()
    source = _source(args)
    model = bundle.load(args.model)
    roles = cast(source)
    folder = _folder(args.out)
    screen = Screen(sys.stdout, source.seconds, f"{source.subject}, virtual sensors, {args.speed:g} times real time")
    screen.say(_welcome(source, roles, args))
    stage = Set(folder / FILES[0], args.speed, REST_S, screen, model, HOP_S)
    try:
        session = asyncio.run(perform(source, stage))
    except BaseExceptionGroup as group:
        raise _first(group) from group
    screen.close()
    _finish(folder, session, model)
    print(f"All in {time.monotonic() - begun:.0f} s.")
    return 0


def _source(args: argparse.Namespace) -> Recording:
    from feltsense.cli._stage import head
    from feltsense.datasets.synthetic import participant
    from feltsense.importers import open_recording

    if args.source is None:
        return participant(args.seed, args.minutes or MINUTES)
    recording = open_recording(args.source)
    return recording if args.minutes is None else head(recording, args.minutes * 60)


def _folder(wanted: Path | None) -> Path:
    """A new folder; one that exists is used only if it is empty."""
    if wanted is not None:
        if wanted.exists() and (not wanted.is_dir() or any(wanted.iterdir())):
            msg = f"{wanted} is there already and not an empty folder: give --out another name"
            raise InputError(msg)
        wanted.mkdir(parents=True, exist_ok=True)
        return wanted
    home = Path("demo-output")
    n = 1
    while True:
        folder = home / f"run-{n}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            n += 1
        else:
            return folder


def _welcome(source: Recording, roles: Cast, args: argparse.Namespace) -> str:
    from feltsense.cli._stage import AWAY_S
    from feltsense.report.words import clock

    packet, dropout = roles.faults(REST_S, source.seconds)
    if args.source is None:
        who = f"Everything here is synthetic. {source.subject} does not exist; nothing here says how good the model is."
    else:
        who = f"{source.subject} is a recording ({args.source}), played by virtual sensors."
    return "\n".join(
        [
            "feltsense demo",
            f"  {who}",
            f"  {clock(source.seconds)} minutes, {args.speed:g} times as fast as real.",
            f"  The first {clock(REST_S)} are known rest: the model is calibrated on them.",
            f"  Two faults are put in on purpose: one lost packet at {clock(packet.at_s)}, "
            f"one sensor gone for {AWAY_S:g} s at {clock(dropout.at_s)}.",
            "  Not a medical device, not a diagnosis.",
            "",
        ]
    )


def _finish(folder: Path, session: Calibrating, model: Bundle) -> None:
    """Write profile, predictions and report beside the recording; print the account and the paths."""
    from feltsense.report import html, summarise
    from feltsense.report.summary import model_line
    from feltsense.store import read

    paths = [folder / name for name in FILES]
    recording = read(paths[0])
    print("\nReceived and missing:")
    for line in _account(recording):
        print(f"  {line}")
    if session.profile is not None:
        session.profile.save(paths[1])
    else:
        print(f"\nNot calibrated: {session.failure or f'the session is shorter than {REST_S:g} s of rest'}")
        paths.pop(1)
    _table(folder / FILES[2], model, recording.start_ns, session.rows)
    summary = summarise(recording, session.rows, session.profile, model=model_line(model))
    (folder / FILES[3]).write_text(html(summary), encoding="utf-8")
    print("\nWritten:")
    for path in paths:
        print(f"  {path}")
    print(f"Look at the report in a browser: {(folder / FILES[3]).resolve().as_uri()}")


def _account(recording: Recording) -> list[str]:
    from feltsense.report.account import stream_lines
    from feltsense.report.words import clock, count, gap_reason

    out = []
    for s in stream_lines(recording):
        gaps = "1 gap" if len(s.gaps) == 1 else f"{len(s.gaps)} gaps"
        out.append(f"{s.id:<12} received {count(s.received):>8}   missing {count(s.missing, s.missing_upper):>6}   {gaps}")
        out += [
            f"{'':<12} {clock(g.start_s)} to {clock(g.stop_s)} ({g.seconds:.1f} s): {gap_reason(g.reason)}" for g in s.gaps
        ]
    # A terminal of an old code page has no narrow space.
    return [line.replace("\u202f", " ") for line in out]


def _table(path: Path, model: Bundle, start_ns: int, rows: Sequence[Prediction]) -> None:
    import csv

    from feltsense.cli.predict import columns, row

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns(model.model))
        writer.writerows(row(model.model, start_ns, p) for p in rows)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What to tell: the first of our own errors, else the first of all."""
    leaves: list[BaseException] = []
    pending: list[BaseException] = [group]
    while pending:
        error = pending.pop(0)
        if isinstance(error, BaseExceptionGroup):
            pending += error.exceptions
        else:
            leaves.append(error)
    return next((e for e in leaves if isinstance(e, FeltsenseError)), leaves[0])
