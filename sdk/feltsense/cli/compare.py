"""``feltsense compare``: any two rows of evaluations, paired over people, from what ``evaluate --answers`` wrote."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]

ROW = "rest"


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    p = subparsers.add_parser("compare", help="two models on the same windows of the same people: difference and interval")
    p.add_argument("answers", help="answers of an evaluation, from: feltsense evaluate --answers")
    p.add_argument("others", help="of another one; the same file compares two of its rows")
    p.add_argument("--row", default=ROW, metavar="NAME", help="row of the first: rest (default), raw, without_eda, …")
    p.add_argument("--with-row", default=ROW, metavar="NAME", help="row of the other (default: rest)")
    p.add_argument("--seed", type=int, default=0, metavar="N", help="of the bootstrap (default 0)")
    p.add_argument("--out", metavar="JSON", help="write the comparison")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare and say it."""
    from feltsense.errors import InputError
    from feltsense.evaluate import answers
    from feltsense.evaluate.compare import paired
    from feltsense.evaluate.result import plain

    first, second = Path(args.answers), Path(args.others)
    classes, theirs = answers.classes_in(first), answers.classes_in(second)
    if classes != theirs:
        msg = f"{first} answers about {', '.join(classes) or 'nothing'}, {second} about {', '.join(theirs) or 'nothing'}"
        raise InputError(msg)
    one, other = answers.read(first, args.row, classes), answers.read(second, args.with_row, classes)
    told = plain({"first": [first.name, args.row], "second": [second.name, args.with_row], **paired(one, other, args.seed)})
    if args.out:
        Path(args.out).write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    low, high = told["balanced_accuracy_95"]
    interval = "" if low is None else f" [{low:+.3f}, {high:+.3f}]"
    sys.stdout.write(
        f"{args.row} of {first.name} over {args.with_row} of {second.name}: balanced accuracy "
        f"{told['balanced_accuracy']:+.3f}{interval}, better for {told['better_for']} of {told['people']} people, worse for "
        f"{told['worse_for']}, {told['windows']} windows\n"
    )
    return 0
