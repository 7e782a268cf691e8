"""What ``train`` and ``evaluate`` share: which labelled data, whom to leave out, reading them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feltsense.cli._progress import progress

if TYPE_CHECKING:
    import argparse

    from feltsense.datasets.labelled import Labelled
    from feltsense.train.examples import Line
    from feltsense.train.splits import Cohort
    from feltsense.train.targets import Target

__all__ = ["add_data", "gather", "read_cohort", "say"]


def add_data(p: argparse.ArgumentParser) -> None:
    """Add the options that name labelled data."""
    p.add_argument("--target", required=True, metavar="T", help="what to estimate, for example stress")
    source = p.add_mutually_exclusive_group(required=True)
    source.add_argument("--manifest", metavar="CSV", help="table with path,subject,label[,start_s,end_s]")
    source.add_argument("--dataset", nargs=2, metavar=("NAME", "DIR"), help="a data set, for example stress-predict DIR")
    p.add_argument("--modalities", metavar="A,B", help="evidence to use, for example ecg,eda (default: the target's own)")
    p.add_argument("--without", action="append", default=[], metavar="SUBJECT", help="leave a person out; repeatable")


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


def gather(args: argparse.Namespace) -> tuple[list[Line], Target, dict[str, Any]]:
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
    if not labelled:
        msg = "nobody is left: --without names everyone there is"
        raise InputError(msg)
    whole = only_utterances(labelled)
    if whole:
        chosen = as_utterances(chosen)
    lines = list(progress(read_lines(labelled, chosen, say), len(labelled), "read"))
    return by_person(lines, chosen) if whole else lines, chosen, training


def _dataset(name: str, folder: str, target_name: str) -> tuple[list[Labelled], dict[str, Any]]:
    """A data set's people with the labels that the target asks for, and where they come from."""
    from feltsense.core import registry

    module = name.replace("-", "_")
    read = registry.discover("feltsense.datasets", "DATASET", "data set", module)
    notice = registry.discover("feltsense.datasets", "NOTICE", "data set", module)
    return read(Path(folder), target_name, say), {"data": name, "notice": notice}


def read_cohort(name: str, folder: str, target: Target) -> Cohort:
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
    return Cohort(list(progress(read_lines(labelled, target, say), len(labelled), f"read {name}")), training["data"])
