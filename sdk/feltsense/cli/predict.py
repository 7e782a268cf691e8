"""``feltsense predict``: windows of a recording → predictions.csv (columns: contract)."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feltsense.core.timeline import NS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from feltsense.bundle.schema import Model
    from feltsense.core.prediction import Prediction

__all__ = ["add", "columns", "row"]

DEFAULT_HOP_S = 5.0
LEAST_HOP_S, LARGEST_HOP_S = 0.05, 86_400.0
"""Finer than the fastest answer that anybody can use, and a day."""


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    p = subparsers.add_parser("predict", help="estimate a state for every window of a recording")
    p.add_argument("recording", help=".felt file, or an E4 folder or zip")
    p.add_argument("--profile", help="the person's profile, from: feltsense calibrate")
    p.add_argument("--profile-out", metavar="PROFILE", help="write the profile as it is after the recording")
    p.add_argument("--model", metavar="BUNDLE", help="model bundle (default: the shipped one for stress)")
    p.add_argument("--window", type=float, metavar="SECONDS", help="must be the bundle's; only to make sure")
    p.add_argument("--hop", type=float, default=DEFAULT_HOP_S, metavar="SECONDS", help="seconds between windows (5)")
    p.add_argument("--out", required=True, metavar="CSV", help="table to write")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict and write the table."""
    from feltsense import bundle
    from feltsense.cli._progress import progress
    from feltsense.core.profile import UserProfile
    from feltsense.errors import InputError
    from feltsense.importers import open_recording
    from feltsense.session import Session

    loaded = bundle.load(args.model)
    if args.window is not None and args.window != loaded.model.window_s:
        length = loaded.model.window_s
        msg = f"--window {args.window:g}: this model was trained on windows of {length:g} s; leave --window out"
        raise InputError(msg)
    if not LEAST_HOP_S <= args.hop <= LARGEST_HOP_S:
        msg = f"--hop {args.hop:g}: give {LEAST_HOP_S:g} to {LARGEST_HOP_S:g} seconds"
        raise InputError(msg)
    profile = UserProfile.load(args.profile) if args.profile else None
    recording = open_recording(args.recording)
    session = Session(recording.infos(), loaded, profile, args.hop, recording.start_ns)
    items = list(recording.items())
    predictions = session.run(progress(items, len(items), "predict"))
    written = _write(Path(args.out), loaded.model, recording.start_ns, predictions)
    if args.profile_out:
        # This release adapts nothing while predicting: what is known about the person is what was known before.
        model = loaded.model
        kept = profile or UserProfile(recording.subject, schema_digest=model.schema_digest, window_s=model.window_s)
        kept.save(args.profile_out)
    rows, answered = written
    sys.stdout.write(f"{args.out}: {rows} windows, {answered} with an answer\n")
    return 0


def columns(model: Model) -> list[str]:
    """Header of the table."""
    return [
        "start_s", "end_s", "start_unix", "end_unix", "target", "label",
        *(f"p_{c}" for c in model.classes), "set", "abstained", "reason", "quality",
        *(f"logit_{c}" for c in model.classes),
        *(f"contrib_{part}" for part in ("base", *model.modalities, "joint")),
    ]


def row(model: Model, start_ns: int, p: Prediction) -> list[str]:
    """One prediction as cells; a number that is not there is an empty cell."""

    def number(value: float | None) -> str:
        return "" if value is None else repr(float(value))

    return [
        number((p.start_ns - start_ns) / NS), number((p.stop_ns - start_ns) / NS), _unix(p.start_ns), _unix(p.stop_ns),
        p.target, p.label,
        *(number(p.probabilities.get(c)) for c in model.classes),
        "|".join(p.set), "true" if p.abstained else "false", p.reason, number(p.quality),
        *(number(p.logits.get(c)) for c in model.classes),
        *(number(p.contributions.get(part)) for part in ("base", *model.modalities, "joint")),
    ]


def _unix(ns: int) -> str:
    """Unix seconds with all nine digits: a float would round them."""
    return f"{ns // NS}.{ns % NS:09d}"


def _write(path: Path, model: Model, start_ns: int, predictions: Iterable[Prediction]) -> tuple[int, int]:
    """Write the table whole or not at all; number of rows, and of those with an answer."""
    beside = path.with_name(path.name + ".part")
    count = answered = 0

    def rows() -> Iterator[list[str]]:
        nonlocal count, answered
        for p in predictions:
            count += 1
            answered += bool(p.probabilities)
            yield row(model, start_ns, p)

    try:
        with beside.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns(model))
            writer.writerows(rows())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return count, answered
