"""``feltsense evaluate``: leave one person out (or score a bundle) → report.html and report.json."""

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

    p = subparsers.add_parser("evaluate", help="score a model on people it never saw, beside its guards")
    add_data(p)
    p.add_argument("--model", metavar="BUNDLE", help="score this bundle as it is, instead of fitting without each person")
    p.add_argument("--keep-folds", metavar="DIR", help="write the bundle of each fold as DIR/SUBJECT.feltbundle")
    p.add_argument("--out", required=True, metavar="HTML", help="report to write; the same as JSON beside it")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score and write both reports."""
    from feltsense import bundle
    from feltsense.cli._data import gather, say
    from feltsense.cli._progress import progress
    from feltsense.errors import InputError
    from feltsense.evaluate.page import html
    from feltsense.evaluate.protocol import evaluate, of_model
    from feltsense.evaluate.result import result
    from feltsense.train.fit import need_extra
    from feltsense.train.splits import Cohort, leave_one_subject_out

    out = Path(args.out)
    if out.suffix.lower() not in {".html", ".htm"}:
        msg = f"--out {out}: the report is a page, name it .html"
        raise InputError(msg)
    if args.model and args.keep_folds:
        msg = "--keep-folds goes with fitting a model per person, --model scores one that is there: choose one"
        raise InputError(msg)
    model = bundle.load(args.model, runner="numpy").model if args.model else None
    if model is None:
        need_extra()
    lines, target, training = gather(args)
    cohort = Cohort(lines, training["data"])
    if model is None:
        kept = Path(args.keep_folds) if args.keep_folds else None
        if kept is not None:
            kept.mkdir(parents=True, exist_ok=True)
        splits = leave_one_subject_out(cohort)
        done = list(progress(evaluate(splits, target, training, kept), len(cohort.people), "fit and score"))
    else:
        seen = sorted(set(cohort.people) & set(model.training.get("subjects", [])))
        if seen:
            say(f"the bundle was trained on {', '.join(seen)}: these figures say nothing about new people")
        done = of_model(cohort, model)
        training = {**training, "seen_in_training": seen}
    body = result(done, target, training)
    text = json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False)
    out.with_suffix(".json").write_text(f"{text}\n", encoding="utf-8")
    out.write_text(html(body), encoding="utf-8")
    rest = body["figures"]["rest"]
    low, high = rest["balanced_accuracy_95"]
    sys.stdout.write(
        f"{out}: balanced accuracy {rest['balanced_accuracy']:.3f} [{low:.3f}, {high:.3f}], AUROC {rest['auroc']:.3f}, "
        f"{rest['windows']} windows of {len(done)} people\n"
    )
    return 0
