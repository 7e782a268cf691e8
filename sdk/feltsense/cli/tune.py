"""``feltsense tune``: settings of boosted trees searched over people, LightGBM on all workers → its text and JSON.

The trees are a baseline and a table of one's own to go on from: a bundle comes from ``feltsense train``.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from feltsense.train.boosting import Tuned
    from feltsense.train.splits import Cohort
    from feltsense.train.targets import Target

__all__ = ["add"]

FOLDS = 5


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    from feltsense.cli._data import add_data

    p = subparsers.add_parser("tune", help="search settings of boosted trees (LightGBM) over people, here or on a cluster")
    add_data(p)
    p.add_argument("--folds", type=int, default=FOLDS, metavar="K", help=f"groups of people (default {FOLDS})")
    p.add_argument("--seed", type=int, default=0, metavar="N", help="of the groups (default 0)")
    p.add_argument("--ledger", metavar="FILE", help="where tried configurations are counted (default: beside the data)")
    p.add_argument("--out", required=True, metavar="TXT", help="trees as LightGBM's text; what was found as JSON beside it")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search, fit and write."""
    from feltsense.cli._data import gather, learn_most, working
    from feltsense.cli._progress import progress
    from feltsense.cli.evaluate import ledger_entry
    from feltsense.errors import InputError
    from feltsense.train.boosting import SETTINGS, tune
    from feltsense.train.fit import need_extra
    from feltsense.train.splits import Cohort, grouped_k_fold

    out = Path(args.out)
    if out.suffix != ".txt" or args.folds < 2 or args.seed < 0:
        msg = f"--out {out} --folds {args.folds} --seed {args.seed}: a name ending in .txt, 2 groups or more, a seed from 0"
        raise InputError(msg)
    need_extra()
    with working(args) as crew:
        lines, target, training = gather(args, crew)
        cohort = Cohort(lines, training["data"])
        splits = grouped_k_fold(cohort, args.folds, args.seed, learn_most(args, cohort))
        tuned = tune(splits, target, crew, lambda items, total: progress(items, total, "search"))
    body = _body(tuned, cohort, target, training)
    what = {"target": target.name, "split": splits.kind, "model": "boosted trees", "settings": len(SETTINGS)}
    body["ledger"] = ledger_entry(args, list(cohort.people), what, body["nested"])
    out.write_text(tuned.booster.model_to_string(), encoding="utf-8")
    text = json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False)
    out.with_suffix(".json").write_text(f"{text}\n", encoding="utf-8")
    figures, best = body["nested"], tuned.setting
    sys.stdout.write(
        f"{out}: {len(SETTINGS)} settings over {len(cohort.people)} people; {best.rounds} trees of {best.leaves} leaves, "
        f"{best.least} windows a leaf; nested: balanced accuracy {figures['balanced_accuracy']:.3f}, "
        f"AUROC {figures['auroc']:.3f}\n"
    )
    return 0


def _body(tuned: Tuned, cohort: Cohort, target: Target, training: dict[str, Any]) -> dict[str, Any]:
    from feltsense.evaluate.result import plain

    names = cohort.lines[0].schema.names
    losses = [{**asdict(s), "loss": v} for s, v in sorted(tuned.losses.items(), key=lambda item: (item[1], item[0]))]
    out: dict[str, Any] = plain({
        "target": target.name, "classes": list(target.classes), "data": dict(training), "people": list(cohort.people),
        "inputs": [*names, *(f"{n} − rest" for n in names)], "setting": asdict(tuned.setting), "settings": losses,
        "chosen_in_each_group": [asdict(s) for s in tuned.chosen], "windows": len(tuned.truth),
        "nested": tuned.figures(target.classes.index(target.decision)),
    })  # fmt: skip
    return out
