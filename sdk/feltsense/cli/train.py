"""``feltsense train``: labelled recordings → a model bundle."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    from feltsense.cli._data import add_data
    from feltsense.study.schema import PURPOSES, SETTINGS

    p = subparsers.add_parser("train", help="fit a model on labelled recordings")
    add_data(p)
    p.add_argument("--evaluation", metavar="JSON", help="figures for the model card, from: feltsense evaluate")
    p.add_argument("--setting", choices=SETTINGS, default="laboratory", help="where the model is to be used (laboratory)")
    p.add_argument("--purpose", choices=PURPOSES, default="research", help="what for (research)")
    p.add_argument("--acknowledged", metavar="WHO", default="", help="who answers for its use at work or in education")
    p.add_argument("--out", required=True, metavar="BUNDLE", help="bundle to write")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fit and write the bundle."""
    from feltsense.bundle.write import write
    from feltsense.cli._data import gather, learn_most, working
    from feltsense.errors import InputError
    from feltsense.train.card import card
    from feltsense.train.fit import fit, need_extra
    from feltsense.train.parallel import one_thread
    from feltsense.train.splits import Cohort, everyone

    _lawful(args)
    need_extra()
    evaluation = None
    if args.evaluation:
        try:
            evaluation = json.loads(Path(args.evaluation).read_text(encoding="utf-8"))
            _ = evaluation["figures"]
        except (OSError, ValueError, KeyError, TypeError) as e:
            msg = f"{args.evaluation}: no evaluation ({e!r}); give the JSON that feltsense evaluate wrote"
            raise InputError(msg) from None
    with working(args) as crew:
        lines, target, training = gather(args, crew)
    training |= {"setting": args.setting, "purpose": args.purpose}
    if args.acknowledged:
        training["acknowledged"] = args.acknowledged
    cohort = Cohort(lines, training["data"])
    with one_thread():
        fitted = fit(everyone(cohort, learn_most(args, cohort)), target, training=training)
    parity = write(args.out, fitted.model, card(fitted.model, evaluation), fitted.stack)
    size = Path(args.out).stat().st_size
    people, experts = len(fitted.model.training["subjects"]), len(fitted.model.members)
    sys.stdout.write(
        f"{args.out}: {people} people, {experts} experts, {size / 1000:.0f} kB; "
        f"three implementations agree to {parity.difference:.1g} over {parity.rows} rows\n"
    )
    return 0


def _lawful(args: argparse.Namespace) -> None:
    """Refuse a model for a setting in which its use is prohibited, before an hour of recordings is read.

    Raises
    ------
    InputError
        If emotions may not be inferred there for this purpose, or nobody answers for it.
    """
    from feltsense.errors import InputError
    from feltsense.study.schema import EXEMPT, prohibited

    law = prohibited(args.setting)
    if not law:
        return
    mend = ""
    if args.purpose not in EXEMPT:
        mend = "train it for another setting, or give --purpose medical or safety if it is one"
    elif not args.acknowledged:
        mend = f"name who has checked that the {args.purpose} reason holds: --acknowledged WHO"
    if mend:
        msg = f"--setting {args.setting}: {law}; {mend}"
        raise InputError(msg)
