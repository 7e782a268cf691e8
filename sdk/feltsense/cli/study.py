"""``feltsense study``: check a study file, make a study's key pair, check an audit log, open a sealed export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.errors import StudyError

if TYPE_CHECKING:
    import argparse

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its actions."""
    p = commands.add_parser(
        "study",
        help="check a study file; keys, audit logs and sealed exports of a study",
        description="Everything that a study needs besides recordings.",
    )
    actions = p.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="check a study file and say what it allows")
    check.add_argument("study", type=Path, help="the study file (.yaml or .json)")
    actions.add_parser("key", help="make a key pair: the private key, then the public key for the study file")
    audit = actions.add_parser("audit", help="check an audit log")
    audit.add_argument("log", type=Path)
    audit.add_argument("--head", metavar="HASH", help="the last line's hash as it was noted elsewhere")
    opened = actions.add_parser("open", help="open a sealed export")
    opened.add_argument("export", type=Path, help="made by: feltsense export --to KEY")
    opened.add_argument("--private", type=Path, required=True, metavar="FILE", help="file with the study's private key")
    opened.add_argument("--out", type=Path, required=True, metavar="REC.felt")
    board = actions.add_parser("dashboard", help="who of a study recorded how much on which day, as a page")
    board.add_argument("folder", type=Path, help="recordings of all participants, in it or below")
    board.add_argument("--out", type=Path, required=True, metavar="PAGE.html")
    board.add_argument("--days", type=int, default=30, metavar="N", help="the last N days (default: %(default)s)")
    board.add_argument("--digests", type=Path, metavar="FILE", help="keep each session's numbers here, for the next time")
    board.add_argument("--language", choices=("en", "de"), default="en", help="language (default: %(default)s)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do one of them."""
    return {"check": _check, "key": _key, "audit": _audit, "open": _open, "dashboard": _dashboard}[args.action](args)


def _check(args: argparse.Namespace) -> int:
    from feltsense.study import Study

    study = Study.load(args.study)
    print(f"{args.study}: {study.title} ({study.id}), consent {study.consent.version}")
    inference = "on" if study.emotion_inference else "off"
    print(f"  setting {study.setting}, purpose {study.purpose}, emotion inference {inference}")
    for kind, rule in study.streams.items():
        print(f"  {kind}{' (required)' if rule.required else ''}{f' from {rule.device}' if rule.device else ''}")
    print("  every other stream is off")
    kept = study.retention
    print(f"  {len(study.tasks)} tasks, {len(study.prompts)} prompts; kept {kept.days} days, then {kept.then}")
    return 0


def _key(args: argparse.Namespace) -> int:
    from feltsense.study import new_study_key

    del args
    private, public = new_study_key()
    print(f"private {private}")
    print(f"public  {public}")
    return 0


def _audit(args: argparse.Namespace) -> int:
    from feltsense.study import Audit

    log = Audit(args.log)
    if not args.log.exists():
        msg = f"{args.log}: does not exist; check the name"
        raise StudyError(msg)
    if wrong := log.check(args.head):
        msg = f"{args.log}: {wrong[0]}"
        raise StudyError(msg)
    print(f"{args.log}: {len(log.entries())} lines, unbroken; head {log.head}")
    return 0


def _open(args: argparse.Namespace) -> int:
    from feltsense.store import write
    from feltsense.study import open_export

    try:
        private = args.private.read_text(encoding="utf-8").removeprefix("private").strip()
    except (OSError, UnicodeDecodeError) as e:
        msg = f"{args.private}: cannot be read; it should hold the line that `feltsense study key` printed"
        raise StudyError(msg) from e
    recording = open_export(args.export, private)
    write(args.out, recording)
    print(f"{args.out}: recording of {recording.subject} (not encrypted)")
    return 0


def _dashboard(args: argparse.Namespace) -> int:
    from feltsense.cli._course import courses_of
    from feltsense.cli.report import DOCUMENTS, MOST_DAYS, write
    from feltsense.report.course_content import dashboard

    if not args.out.name.lower().endswith(DOCUMENTS) or not 1 <= args.days <= MOST_DAYS:
        msg = f"{args.out}: a dashboard covers 1 to {MOST_DAYS} days and is written as {', '.join(DOCUMENTS)}"
        raise StudyError(msg)
    if not args.folder.is_dir():
        msg = f"{args.folder}: is no folder; name the folder of the recordings"
        raise StudyError(msg)
    made, unreadable = courses_of(args.folder, args.days, args.digests)
    write(args.out, dashboard(made, unreadable, args.language), "a4")
    print(f"{args.out}: {len(made)} people, {len(unreadable)} files could not be read")
    return 0
