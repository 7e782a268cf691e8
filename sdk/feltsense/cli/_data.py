"""What ``train`` and ``evaluate`` share: which labelled data, whom to leave out, reading them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feltsense.cli._progress import progress

if TYPE_CHECKING:
    import argparse

    from feltsense.train.examples import Line
    from feltsense.train.targets import Target

__all__ = ["add_data", "gather", "say"]


def add_data(p: argparse.ArgumentParser) -> None:
    """Add the options that name labelled data."""
    p.add_argument("--target", required=True, metavar="T", help="what to estimate, for example stress")
    source = p.add_mutually_exclusive_group(required=True)
    source.add_argument("--manifest", metavar="CSV", help="table with path,subject,label[,start_s,end_s]")
    source.add_argument("--dataset", nargs=2, metavar=("NAME", "DIR"), help="a data set, for example stress-predict DIR")
    p.add_argument("--without", action="append", default=[], metavar="SUBJECT", help="leave a person out; repeatable")


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
    from feltsense.core import registry
    from feltsense.datasets.labelled import read_manifest
    from feltsense.errors import UnknownNameError
    from feltsense.train.parallel import read_lines
    from feltsense.train.targets import target

    if args.dataset:
        name, folder = args.dataset
        module = name.replace("-", "_")
        read = registry.discover("feltsense.datasets", "DATASET", "data set", module)
        labelled = read(Path(folder), say)
        notice = registry.discover("feltsense.datasets", "NOTICE", "data set", module)
        training = {"data": name, "notice": notice}
    else:
        labelled = read_manifest(args.manifest)
        training = {"data": Path(args.manifest).name}
    subjects = {x.subject for x in labelled}
    for name in args.without:
        if name not in subjects:
            raise UnknownNameError("person", name, subjects)
    labelled = [x for x in labelled if x.subject not in args.without]
    chosen = target(args.target, {m.label for x in labelled for m in x.marks})
    lines = list(progress(read_lines(labelled, chosen, say), len(labelled), "read"))
    return lines, chosen, training
