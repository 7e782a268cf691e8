"""``feltsense predict``: windows of a recording → predictions.csv (columns: contract)."""

from __future__ import annotations

import csv
import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feltsense.core.timeline import NS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from feltsense.bundle import Bundle
    from feltsense.bundle.schema import Model
    from feltsense.cli._episodes import EpisodeTable
    from feltsense.core.chunk import Chunk
    from feltsense.core.event import Event
    from feltsense.core.prediction import Prediction
    from feltsense.core.profile import UserProfile
    from feltsense.session import Session

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
    p.add_argument("--prior", metavar="CLASS=SHARE,…", help="how common each class is here; changes p_*, not labels")
    p.add_argument("--rationale", metavar="CSV", help="write a second table: why, in checked sentences and Shapley values")
    p.add_argument("--language", default="en", choices=("en", "de"), help="of the sentences (en)")
    p.add_argument("--episodes", metavar="CSV", help="write the episodes: when a state began, was strongest and ended")
    p.add_argument("--out", required=True, metavar="CSV", help="table to write")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict and write the table."""
    from feltsense import bundle
    from feltsense.cli._episodes import COLUMNS, EpisodeTable
    from feltsense.cli._progress import progress
    from feltsense.core.profile import UserProfile
    from feltsense.errors import InputError
    from feltsense.importers import open_recording
    from feltsense.session import Session

    _apart(args)
    loaded = _prior(args, bundle.load(args.model))
    if args.window is not None and args.window != loaded.model.window_s:
        length = loaded.model.window_s
        msg = f"--window {args.window:g}: this model was trained on windows of {length:g} s; leave --window out"
        raise InputError(msg)
    if not LEAST_HOP_S <= args.hop <= LARGEST_HOP_S:
        msg = f"--hop {args.hop:g}: give {LEAST_HOP_S:g} to {LARGEST_HOP_S:g} seconds"
        raise InputError(msg)
    if args.episodes and not loaded.model.window_s:
        msg = "--episodes: this model judges a recording as a whole and has no course to find episodes in; leave it out"
        raise InputError(msg)
    profile = UserProfile.load(args.profile) if args.profile else None
    recording = open_recording(args.recording)
    hop = args.hop if loaded.model.window_s else recording.seconds
    session = Session(recording.infos(), loaded, profile, hop, recording.start_ns)
    tables = [_Table(Path(args.out), columns(loaded.model))]
    if args.rationale:
        shares = [f"shapley_{m}" for m in loaded.model.modalities]
        tables.append(_Table(Path(args.rationale), [*columns(loaded.model), *shares, "rationale"]))
    why = partial(_why, loaded, profile, args.language)
    items = list(recording.items())
    cells = partial(row, loaded.model, recording.start_ns)
    episodes = None
    if args.episodes:
        episodes = EpisodeTable(loaded.model, hop, recording.start_ns, _Table(Path(args.episodes), COLUMNS))
    written = _run(session, progress(items, len(items), "predict"), tables, cells, why, episodes)
    if args.profile_out:
        kept = session.profile()
        replace(kept, subject=kept.subject or recording.subject).save(args.profile_out)
    rows, answered = written
    sys.stdout.write(f"{args.out}: {rows} windows, {answered} with an answer\n")
    for line in episodes.lines() if episodes else ():
        sys.stdout.write(f"{args.episodes}: {line}\n")
    return 0


def _prior(args: argparse.Namespace, loaded: Bundle) -> Bundle:
    """The model where classes are as common as the option says."""
    from feltsense.errors import InputError

    if args.prior is None:
        return loaded
    pairs = [part.partition("=") for part in args.prior.split(",")]
    try:
        prior = {name.strip(): float(share) for name, _, share in pairs}
    except ValueError:
        msg = f"--prior {args.prior}: write CLASS=SHARE for each class, for example rest=0.95,stress=0.05"
        raise InputError(msg) from None
    return loaded.with_prior(prior)


def _apart(args: argparse.Namespace) -> None:
    """Two tables in one file would be one table, without a word."""
    from feltsense.errors import InputError

    taken: dict[Path, str] = {}
    for option in ("out", "rationale", "episodes", "profile_out"):
        if not (path := getattr(args, option)):
            continue
        name, place = "--" + option.replace("_", "-"), Path(path).absolute()
        if place in taken:
            msg = f"{taken[place]} and {name} are both {path}: give each its own file"
            raise InputError(msg)
        taken[place] = name


def columns(model: Model) -> list[str]:
    """Header of the table."""
    return [
        "start_s", "end_s", "start_unix", "end_unix", "target", "label",
        *(f"p_{c}" for c in model.classes), "set", "abstained", "reason", "quality",
        *(f"logit_{c}" for c in model.classes),
        *(f"contrib_{part}" for part in ("base", *model.modalities, "joint")),
        *(f"imagined_{m}" for m in model.imagines),
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
        *("true" if m in p.imagined else "false" for m in model.imagines),
    ]


def _unix(ns: int) -> str:
    """Unix seconds with all nine digits: a float would round them."""
    return f"{ns // NS}.{ns % NS:09d}"


def _why(loaded: Bundle, profile: UserProfile | None, language: str, session: Session, p: Prediction, k: int) -> list[str]:
    """Shapley value of each modality, and the sentences, of the k-th window of a push."""
    from feltsense.fusion.rationale import rationale
    from feltsense.fusion.shapley import shapley

    model = loaded.model
    values = shapley(loaded.runner, session.inputs[k], model.classes.index(model.decision) - 1)
    shares = [repr(float(v)) if p.probabilities else "" for v in values]
    return [*shares, rationale(p, session.vectors[k], profile, language)]


class _Table:
    """A table that appears whole or not at all."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._path, self._beside = path, path.with_name(path.name + ".part")
        self._file = self._beside.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self.add(header)

    def add(self, cells: Sequence[str]) -> None:
        """Add a row."""
        self._writer.writerow(cells)

    def close(self, *, whole: bool) -> None:
        """Put the table in its place, or take it away."""
        self._file.close()
        if whole:
            os.replace(self._beside, self._path)
        self._beside.unlink(missing_ok=True)


def _answers(session: Session, items: Iterable[Chunk | Event]) -> Iterator[tuple[int, Prediction]]:
    """Predictions, each with its place among those of its push."""
    for item in items:
        yield from enumerate(session.push(item))
    yield from enumerate(session.finish())


def _run(
    session: Session, items: Iterable[Chunk | Event], tables: Sequence[_Table], cells: Callable[[Prediction], list[str]],
    why: Callable[[Session, Prediction, int], list[str]], episodes: EpisodeTable | None,
) -> tuple[int, int]:
    """Write the tables; number of rows, and of those with an answer."""
    count = answered = 0
    whole = False
    closing: list[_Table | EpisodeTable] = [*tables, *([episodes] if episodes else [])]
    try:
        for k, p in _answers(session, items):
            count += 1
            answered += bool(p.probabilities)
            mine = cells(p)
            tables[0].add(mine)
            for more in tables[1:]:
                more.add([*mine, *why(session, p, k)])
            if episodes:
                episodes.push(p)
        if episodes:
            episodes.finish()
        whole = True
    finally:
        for table in closing:
            table.close(whole=whole)
    return count, answered
