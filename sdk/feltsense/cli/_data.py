"""What ``train`` and ``evaluate`` share: which labelled data, whom to leave out, reading them."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feltsense.cli._progress import progress

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from feltsense.datasets.labelled import Labelled
    from feltsense.train.examples import Line
    from feltsense.train.parallel import Crew
    from feltsense.train.resume import Kept
    from feltsense.train.splits import Cohort
    from feltsense.train.targets import Target

__all__ = ["add_data", "gather", "kept", "learn_most", "read_cohort", "say", "working"]


def add_data(p: argparse.ArgumentParser) -> None:
    """Add the options that name labelled data."""
    p.add_argument("--target", required=True, metavar="T", help="what to estimate, for example stress")
    source = p.add_mutually_exclusive_group(required=True)
    source.add_argument("--manifest", metavar="CSV", help="table with path,subject,label[,start_s,end_s]")
    source.add_argument("--dataset", nargs=2, metavar=("NAME", "DIR"), help="a data set, for example stress-predict DIR")
    p.add_argument("--modalities", metavar="A,B", help="evidence to use, for example ecg,eda (default: the target's own)")
    p.add_argument(
        "--joint", choices=("cls", "mean", "max", "min"), default="",
        help="also try a network over all modalities, which puts them together so; kept where people gain from it",
    )
    p.add_argument("--workers", type=int, default=1, metavar="N", help="processes of this machine (1; more need Dask)")
    p.add_argument("--scheduler", default="", metavar="ADDRESS", help="Dask scheduler that does the work, tcp://HOST:PORT")
    p.add_argument("--work", metavar="DIR", help="keep what is done here, and go on from it after an interruption")
    p.add_argument(
        "--learn-most", type=_count, metavar="N",
        help="windows that a model is learned from at most, people drawn by name (60000, 500 hours; 0: all)",
    )
    p.add_argument("--table", metavar="FILE", help="write every window's features, label and quality as .parquet or .csv")
    p.add_argument("--without", action="append", default=[], metavar="SUBJECT", help="leave a person out; repeatable")


def _count(text: str) -> int:
    if not text.isdecimal():
        msg = f"{text!r} is no number of windows: 0 (all of them) or more"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def learn_most(args: argparse.Namespace, cohort: Cohort) -> int:
    """Windows to learn from at most; says so where people are left out for it."""
    from feltsense.train.splits import MOST_WINDOWS

    most: int = MOST_WINDOWS if args.learn_most is None else args.learn_most
    drawn = cohort.drawn(most)
    if len(drawn.people) < len(cohort.people):
        windows = sum(len(x.y) for x in drawn.lines)
        say(f"a model is learned from at most {windows} windows, some {len(drawn.people)} of {len(cohort.people)} people; "
            "--learn-most 0 takes all, and as much more memory")  # fmt: skip
    return most


def known_modalities(text: str) -> list[str]:
    """Names of modalities from a list with commas.

    Raises
    ------
    UnknownNameError
        If one of them is none.
    """
    from feltsense import features
    from feltsense.errors import UnknownNameError

    names = list(dict.fromkeys(n for n in (part.strip() for part in text.split(",")) if n))
    for name in names:
        if name not in features.modalities():
            raise UnknownNameError("modality", name, features.modalities())
    return names


def say(text: str) -> None:
    """A note on stderr."""
    sys.stderr.write(f"note: {text}\n")


def working(args: argparse.Namespace) -> AbstractContextManager[Crew]:
    """Whoever does the work, as the options say."""
    from feltsense.train.parallel import cluster

    return cluster(args.workers, args.scheduler)


def kept(args: argparse.Namespace) -> Kept | None:
    """What is done already, where a folder for it is named."""
    from feltsense.train.resume import Kept

    return Kept(Path(args.work)) if args.work else None


def gather(args: argparse.Namespace, crew: Crew) -> tuple[list[Line], Target, dict[str, Any]]:
    """Read the data: windows, target, and where they come from.

    Raises
    ------
    InputError
        If the data cannot be read, or somebody to leave out is not there.
    """
    from feltsense.datasets.labelled import read_manifest
    from feltsense.errors import InputError, UnknownNameError
    from feltsense.train.parallel import read_lines
    from feltsense.train.targets import target
    from feltsense.train.utterances import as_utterances, by_person, only_utterances

    if args.dataset:
        labelled, training = _dataset(args.dataset[0], args.dataset[1], args.target)
    else:
        labelled = read_manifest(args.manifest)
        training = {"data": Path(args.manifest).name}
    subjects = {x.subject for x in labelled}
    for name in args.without:
        if name not in subjects:
            raise UnknownNameError("person", name, subjects)
    labelled = [x for x in labelled if x.subject not in args.without]
    chosen = target(args.target, {label for x in labelled for label in x.labels})
    if args.modalities:
        chosen = replace(chosen, modalities=tuple(known_modalities(args.modalities)))
    if args.joint:
        from feltsense.crossmodal.training import need_extra

        need_extra()
        chosen = replace(chosen, joint=args.joint)
    if not labelled:
        msg = "nobody is left: --without names everyone there is"
        raise InputError(msg)
    whole = only_utterances(labelled)
    if whole:
        chosen = as_utterances(chosen)
    lines = list(progress(read_lines(labelled, chosen, say, crew, kept(args)), len(labelled), "read"))
    if whole:
        lines = by_person(lines, chosen)
    lines, chosen = _with_evidence(lines, chosen)
    if args.table:
        from feltsense.train.tables import write_table

        write_table(Path(args.table), lines, chosen)
    return lines, chosen, training


def _with_evidence(lines: list[Line], target: Target) -> tuple[list[Line], Target]:
    """Without the modalities that nobody has, said in a note.

    Raises
    ------
    InputError
        If nobody has any.
    """
    from feltsense.errors import InputError
    from feltsense.train.examples import only_modalities, usable

    there = tuple(m for m in target.modalities if any(usable(x, m) for x in lines))
    gone = [m for m in target.modalities if m not in there]
    if not there:
        msg = f"nobody has a usable window of {' or '.join(target.modalities)}: nothing to estimate {target.name} from"
        raise InputError(msg)
    if not gone:
        return lines, target
    say(f"nobody has a usable window of {', '.join(gone)}: the model is without")
    return [only_modalities(x, there) for x in lines], replace(target, modalities=there)


def _dataset(name: str, folder: str, target_name: str) -> tuple[list[Labelled], dict[str, Any]]:
    """A data set's people with the labels that the target asks for, and where they come from."""
    from feltsense.core import registry

    module = name.replace("-", "_")
    read = registry.discover("feltsense.datasets", "DATASET", "data set", module)
    notice = registry.discover("feltsense.datasets", "NOTICE", "data set", module)
    return read(Path(folder), target_name, say), {"data": name, "notice": notice}


def read_cohort(name: str, folder: str, target: Target, crew: Crew) -> Cohort:
    """Another data set, for the same target.

    Raises
    ------
    InputError
        If it has other labels than the target's classes, or cannot be read.
    """
    from feltsense.errors import InputError
    from feltsense.train.parallel import read_lines
    from feltsense.train.splits import Cohort

    labelled, training = _dataset(name, folder, target.name)
    odd = sorted({label for x in labelled for label in x.labels} - set(target.classes))
    if odd:
        msg = f"{name} has labels that the judged data have not: {', '.join(odd)}; target {target.name} cannot cross them"
        raise InputError(msg)
    read = progress(read_lines(labelled, target, say, crew), len(labelled), f"read {name}")
    return Cohort(list(read), training["data"])
