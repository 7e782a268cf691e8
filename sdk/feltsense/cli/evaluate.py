"""``feltsense evaluate``: people judged by models that never saw them (or by a bundle) → report.html and report.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from feltsense.evaluate.arms import Fold
    from feltsense.train.parallel import Crew
    from feltsense.train.splits import Cohort, SubjectSplits
    from feltsense.train.targets import Target

__all__ = ["add"]


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    from feltsense.cli._data import add_data

    p = subparsers.add_parser("evaluate", help="score a model on people it never saw, beside its guards")
    add_data(p)
    p.add_argument("--model", metavar="BUNDLE", help="score this bundle as it is, instead of fitting without each person")
    p.add_argument("--folds", type=int, metavar="K", help="groups of people instead of leaving one out at a time")
    p.add_argument("--learn-from", nargs=2, metavar=("NAME", "DIR"), help="learn from this data set, judge the other")
    p.add_argument("--seed", type=int, default=0, metavar="N", help="of everything that is drawn (default 0)")
    p.add_argument("--draws", type=int, default=12, metavar="N", help="fits on labels that mean nothing (default 12)")
    p.add_argument("--steps", action="store_true", help="also fit without each step and with each family of experts alone")
    p.add_argument("--keep-folds", metavar="DIR", help="write the bundle of each fold as DIR/SUBJECT.feltbundle")
    p.add_argument("--answers", metavar="FILE", help="write every answer as .parquet or .csv")
    p.add_argument("--against", metavar="FILE", help="answers of another evaluation, to be compared person by person")
    p.add_argument("--ledger", metavar="FILE", help="where tried configurations are counted (default: beside the data)")
    p.add_argument("--out", required=True, metavar="HTML", help="report to write; the same as JSON beside it")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score and write both reports."""
    from feltsense.cli._data import gather, working
    from feltsense.evaluate.page import html
    from feltsense.train.fit import need_extra
    from feltsense.train.splits import Cohort

    out = _checked(args)
    if not args.model:
        need_extra()
    with working(args) as crew:
        lines, target, training = gather(args, crew)
        # What ``train`` writes unless told otherwise: a fold's bundle is that of training without the person.
        training |= {"setting": "laboratory", "purpose": "research"}
        done, body = _judged(args, Cohort(lines, training["data"]), target, training, crew)
    body["ledger"] = _ledger(args, body)
    if args.against:
        body["against"] = _against(Path(args.against), done, target, args.seed)
    if args.answers:
        from feltsense.evaluate import answers

        answers.write(Path(args.answers), done, target.classes)
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


def _checked(args: argparse.Namespace) -> Path:
    """What can be said to be wrong before an hour of recordings is read."""
    from feltsense.errors import InputError

    out = Path(args.out)
    answers = Path(args.answers) if args.answers else None
    wrong = ""
    if out.suffix.lower() not in {".html", ".htm"}:
        wrong = f"--out {out}: the report is a page, name it .html"
    elif args.model and (args.keep_folds or args.folds or args.learn_from or args.steps):
        wrong = (
            "--model scores one bundle that is there; --keep-folds, --folds, --steps and --learn-from go with fitting: "
            "choose one"
        )
    elif args.folds and args.learn_from:
        wrong = "--learn-from judges another data set as a whole, --folds divides one: choose one"
    elif args.folds is not None and args.folds < 2:
        wrong = f"--folds {args.folds}: at least 2 groups of people"
    elif args.seed < 0 or not 0 <= args.draws <= 100:
        wrong = f"--seed {args.seed} --draws {args.draws}: a seed is 0 or more, draws are 0 to 100"
    elif answers is not None and answers.suffix not in {".parquet", ".csv"}:
        wrong = f"--answers {answers}: answers are written as .parquet or .csv"
    elif args.against and not Path(args.against).is_file():
        wrong = f"--against {args.against}: no such file; give what feltsense evaluate --answers wrote"
    if wrong:
        raise InputError(wrong)
    return out


def _judged(
    args: argparse.Namespace, cohort: Cohort, target: Target, training: dict[str, Any], crew: Crew
) -> tuple[list[Fold], dict[str, Any]]:
    from feltsense import bundle
    from feltsense.cli._data import kept, say
    from feltsense.cli._progress import progress
    from feltsense.evaluate.protocol import Plan, evaluate, of_model
    from feltsense.evaluate.result import result

    folder = Path(args.keep_folds) if args.keep_folds else None
    # A model that is there is not fitted anew.
    plan = Plan(args.seed, 0 if args.model else args.draws, args.steps, folder, kept(args), progress)
    if args.model:
        model = bundle.load(args.model, runner="numpy").model
        seen = sorted(set(cohort.people) & set(model.training.get("subjects", [])))
        if seen:
            say(f"the bundle was trained on {', '.join(seen)}: these figures say nothing about new people")
        done = of_model(cohort, model, args.seed)
        training = {**training, "seen_in_training": seen}
        return done, result(done, target, training, split="one model, given", plan=plan)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    splits = _splits(args, cohort, target, crew)
    done = list(evaluate(splits, target, training, plan, crew))
    return done, result(done, target, training, split=splits.kind, plan=plan)


def _splits(args: argparse.Namespace, cohort: Cohort, target: Target, crew: Crew) -> SubjectSplits:
    from feltsense.cli._data import learn_most, read_cohort
    from feltsense.train.splits import cross_dataset, grouped_k_fold, leave_one_subject_out

    if args.learn_from:
        source = read_cohort(args.learn_from[0], args.learn_from[1], target, crew)
        return cross_dataset(source, cohort, learn_most(args, source))
    most = learn_most(args, cohort)
    return grouped_k_fold(cohort, args.folds, args.seed, most) if args.folds else leave_one_subject_out(cohort, most)


def _ledger(args: argparse.Namespace, body: Mapping[str, Any]) -> dict[str, Any]:
    """Count this configuration, beside the data unless told otherwise."""
    rest = body["figures"]["rest"]
    what = {
        "target": body["target"], "split": body["protocol"]["split"], "hop_s": body["protocol"]["hop_s"],
        "window_s": body["protocol"]["window_s"], "rest_s": body["protocol"]["rest_s"],
        "model": Path(args.model).name if args.model else "fitted",
    }  # fmt: skip
    return ledger_entry(args, [p["subject"] for p in body["people"]], what, rest)


def ledger_entry(
    args: argparse.Namespace, people: list[str], what: Mapping[str, Any], figures: Mapping[str, Any]
) -> dict[str, Any]:
    """Write a configuration into the ledger that the options name; what it says of others."""
    from feltsense.cli._data import say
    from feltsense.evaluate.ledger import NAME, record

    beside = Path(args.dataset[1]) if args.dataset else Path(args.manifest).parent
    path = Path(args.ledger) if args.ledger else beside / NAME
    entry = record(path, people, what, {k: figures[k] for k in ("balanced_accuracy", "auroc")})
    if not entry["kept"]:
        say(f"the ledger of tried configurations {path} cannot be written: name another with --ledger FILE")
    return entry


def _against(path: Path, done: list[Fold], target: Target, seed: int) -> dict[str, Any]:
    """The model less that of another evaluation, paired over people."""
    from feltsense.evaluate import answers
    from feltsense.evaluate.arms import Arm
    from feltsense.evaluate.compare import paired
    from feltsense.evaluate.result import plain

    mine = Arm.joined([f.arms["rest"] for f in done])
    compared: dict[str, Any] = plain({"file": path.name, **paired(mine, answers.read(path, "rest", target.classes), seed)})
    return compared
